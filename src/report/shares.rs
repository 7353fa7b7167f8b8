//! The share table under a finding: server, weight, share, bar with the fair share marked.

use super::mask::mask_text;
use super::table::{Align, Table, bar, percent};
use crate::finding::ServerShare;
use crate::model::Engine;

/// Most rows shown; of a longer table the most extreme ones.
const ROWS: usize = 10;
/// Columns of a full bar.
const BAR: usize = 30;

/// The lines of the table, at most `width` columns wide.
pub(crate) fn share_lines(shares: &[ServerShare], engine: Engine, width: usize) -> Vec<String> {
    let fair = fair_share(shares);
    let columns = [Align::Left, Align::Right, Align::Right, Align::Left];
    let mut table = Table::new(&columns);
    table.row([
        "server",
        "weight",
        "share",
        &format!("│ fair {}", percent(fair)),
    ]);
    let most = shares.iter().map(|row| row.share).fold(fair, f64::max);
    let bar_width = BAR.min(width.saturating_sub(30));
    let chosen = chosen(shares, fair);
    for row in chosen.iter().filter_map(|&index| shares.get(index)) {
        table.row([
            &*mask_text(&row.server, engine),
            &row.weight.to_string(),
            &percent(row.share),
            &bar(row.share / most, Some(fair / most), bar_width),
        ]);
    }
    let mut lines = table.lines("", width);
    let left_out = shares.len() - chosen.len();
    if left_out > 0 {
        lines.push(format!("… and {left_out} more"));
    }
    lines
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a share is shown with one decimal"
)]
pub(crate) fn fair_share(shares: &[ServerShare]) -> f64 {
    1.0 / shares.len().max(1) as f64
}

/// The indices of the rows shown, in the order of the table: all, or those furthest from fair.
pub(crate) fn chosen(shares: &[ServerShare], fair: f64) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = (shares.iter().enumerate())
        .map(|(index, row)| (index, (row.share - fair).abs()))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut chosen: Vec<usize> = order
        .into_iter()
        .take(ROWS)
        .map(|(index, _)| index)
        .collect();
    chosen.sort_unstable();
    chosen
}
