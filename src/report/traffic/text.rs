//! Shares for people: a table with bars for each backend, then what failures do.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Traffic;
use crate::model::{Engine, Server};
use crate::predict::{Basis, Failure, MOST_SERVERS, Tier, ratio};
use crate::report::Style;
use crate::report::mask::mask_text;
use crate::report::model::algorithm_words;
use crate::report::shown::plain;
use crate::report::table::{Align, Table, bar, bar_width, percent};
use crate::report::wrap::wrapped;

/// Columns of a full bar.
const BAR: usize = 30;

pub(super) fn write(rows: &[Traffic<'_>], style: Style, out: &mut dyn Write) -> io::Result<()> {
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let heading = heading(row);
        if style.color {
            let bold = anstyle::Style::new().bold();
            writeln!(out, "{bold}{heading}{bold:#}")?;
        } else {
            writeln!(out, "{heading}")?;
        }
        for line in table(row, style.columns()) {
            writeln!(out, "{line}")?;
        }
        for failure in &row.failures {
            paragraph(out, &failed(row, failure), 2, style)?;
        }
        if row.untried {
            let text = format!(
                "single failures are not tried for more than {MOST_SERVERS} servers; --down NAME \
                 shows one"
            );
            paragraph(out, &text, 2, style)?;
        }
        if row.any_length && !row.failures.is_empty() {
            let text = "this is over keys of all lengths; those of one length can all go to one \
                        server (--key-length)";
            paragraph(out, text, 2, style)?;
        }
    }
    Ok(())
}

/// Prose behind an indent, its further lines two columns further in.
pub(super) fn paragraph(
    out: &mut dyn Write,
    text: &str,
    indent: usize,
    style: Style,
) -> io::Result<()> {
    let text = wrapped(text, style.columns().saturating_sub(indent + 2), 0);
    let blanks = " ".repeat(indent);
    let text = text.replace('\n', &format!("\n{blanks}  "));
    writeln!(out, "{blanks}{text}")
}

/// One server a line: root, backend, server, share.
pub(super) fn write_lines(rows: &[Traffic<'_>], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        for (server, share) in row.shares() {
            let share = share.map_or_else(|| "unknown".to_owned(), percent);
            let (backend, server) = (safe(&row.backend.name, row.engine), name(row, server));
            writeln!(out, "{}: {backend} {server} {share}", plain(row.instance))?;
        }
    }
    Ok(())
}

fn heading(row: &Traffic<'_>) -> String {
    let backend = safe(&row.backend.name, row.engine);
    let algorithm = match row.backend.algorithm.known() {
        Some(algorithm) => safe(&algorithm_words(algorithm), row.engine),
        None => "an unknown algorithm".to_owned(),
    };
    let (word, root) = (row.engine.backend_word(), plain(row.instance));
    let basis = match row.now.as_ref().map(|now| (now.tier, now.basis)) {
        None => "shares cannot be told from the configuration",
        Some((Tier::None, _)) => "no usable server",
        Some((_, Basis::Sequence)) => "exact order of picks known",
        Some((_, Basis::Hash)) => "exact over evenly spread keys",
        Some((_, Basis::Random)) => "on average, while idle",
        Some((_, Basis::Load)) => "at equal load",
    };
    format!("{word} {backend} ({root}): {algorithm}, {basis}")
}

fn table(row: &Traffic<'_>, width: usize) -> Vec<String> {
    let right = Align::Right;
    let mut table = Table::new(&[
        Align::Left,
        right,
        Align::Left,
        right,
        right,
        right,
        Align::Left,
    ]);
    table.row(["server", "weight", "tier", "share", "fair", "ratio", ""]);
    let largest = row
        .shares()
        .filter_map(|(_, share)| share)
        .fold(0.0, f64::max);
    let fairest = row
        .backend
        .servers
        .iter()
        .map(|server| row.fair(server))
        .fold(0.0, f64::max);
    let most = largest.max(fairest).max(f64::MIN_POSITIVE);
    let names = row.backend.servers.iter().map(|server| name(row, server));
    let widest = names.map(|name| name.width()).max().unwrap_or(0);
    let bar_width = bar_width(BAR, width, 44 + widest.max(6));
    for (server, share) in row.shares() {
        let fair = row.fair(server);
        let known = row.now.is_some();
        let (mark, ratio) = if fair > 0.0 {
            (
                Some(fair / most),
                share.map(|share| format!("{:.2}x", share / fair)),
            )
        } else {
            (None, None)
        };
        let weight = server
            .weight
            .known()
            .map_or_else(|| "?".to_owned(), u32::to_string);
        table.row([
            &*name(row, server),
            &weight,
            row.tier(server),
            &share.map_or_else(|| "?".to_owned(), percent),
            &if known { percent(fair) } else { "?".to_owned() },
            &ratio.unwrap_or_else(|| "-".to_owned()),
            &share.map_or_else(String::new, |share| bar(share / most, mark, bar_width)),
        ]);
    }
    table.lines("  ", width)
}

fn failed(row: &Traffic<'_>, failure: &Failure) -> String {
    let servers = &row.backend.servers;
    let down = failure.down.iter().filter_map(|index| servers.get(*index));
    let down: Vec<String> = down.map(|server| name(row, server)).collect();
    let intro = if row.worst_only {
        "worst single failure: without"
    } else {
        "without"
    };
    let moved = percent(ratio(failure.moved));
    let unit = match failure.after.basis {
        Basis::Hash => "keys",
        Basis::Sequence | Basis::Random | Basis::Load => "requests",
    };
    let left: Vec<String> = (servers.iter().zip(&failure.after.shares))
        .map(|(server, share)| (server, ratio(*share)))
        .filter(|(_, share)| *share > 0.0)
        .map(|(server, share)| format!("{} {}", name(row, server), percent(share)))
        .collect();
    let left = match (left.is_empty(), row.worst_only) {
        (true, _) => "no server is left".to_owned(),
        (false, true) => busiest(row, failure),
        (false, false) => left.join(", "),
    };
    format!(
        "{intro} {}, {moved} of {unit} move: {left}",
        down.join(" and ")
    )
}

/// The server that a failure hits hardest.
fn busiest(row: &Traffic<'_>, failure: &Failure) -> String {
    let Some((index, share)) = failure.busiest() else {
        return String::new();
    };
    let after = ratio(share);
    let before = (row.now.as_ref())
        .and_then(|now| now.shares.get(index))
        .map_or(0.0, |share| ratio(*share));
    let server =
        (row.backend.servers.get(index)).map_or_else(String::new, |server| name(row, server));
    if before > 0.0 {
        let times = after / before;
        format!(
            "{server} takes {} ({times:.2} times as much as now)",
            percent(after)
        )
    } else {
        format!("{server} takes {} (nothing now)", percent(after))
    }
}

fn name(row: &Traffic<'_>, server: &Server) -> String {
    safe(&server.name, row.engine)
}

pub(super) fn safe(text: &str, engine: Engine) -> String {
    plain(&mask_text(text, engine)).into_owned()
}
