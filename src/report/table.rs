//! Aligned tables and bars for terminals.
//!
//! In: cells of text. Out: lines that fit a width, however wide the characters are.

use unicode_width::UnicodeWidthStr;

use super::shown::plain;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with one column per entry of `columns`.
    pub fn new(columns: &[Align]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. What a terminal would act on is made visible.
    pub fn row<I>(&mut self, cells: I)
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let safe = cells
            .into_iter()
            .map(|cell| plain(cell.as_ref()).into_owned());
        self.rows.push(safe.collect());
    }

    /// The lines, each behind `indent`, two blanks between columns. Where they would be wider than
    /// `width`, the first column is cut.
    pub fn lines(&self, indent: &str, width: usize) -> Vec<String> {
        let mut widths: Vec<usize> = vec![0; self.columns.len()];
        for row in &self.rows {
            for (column, cell) in widths.iter_mut().zip(row) {
                *column = (*column).max(cell.width());
            }
        }
        let total =
            indent.width() + widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        if let Some(first) = widths.first_mut() {
            *first = first
                .saturating_sub(total.saturating_sub(width))
                .max(8.min(*first));
        }
        self.rows
            .iter()
            .map(|row| self.line(row, &widths, indent))
            .collect()
    }

    fn line(&self, row: &[String], widths: &[usize], indent: &str) -> String {
        let mut line = indent.to_owned();
        for ((cell, &width), align) in row.iter().zip(widths).zip(&self.columns) {
            let cell = cut(cell, width);
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            match align {
                Align::Left => line.extend([cell.as_str(), &blanks]),
                Align::Right => line.extend([blanks.as_str(), &cell]),
            }
            line.push_str("  ");
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// `text`, cut in its middle to at most `width` columns: names often differ at their ends.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let head = take(text.chars(), room / 2);
    let tail: String = take(text.chars().rev(), room - room / 2)
        .chars()
        .rev()
        .collect();
    format!("{head}\u{2026}{tail}")
}

fn take(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = String::new();
    for c in chars {
        taken.push(c);
        if taken.width() > width {
            taken.pop();
            break;
        }
    }
    taken
}

/// Columns of a full bar that would like to have `wanted`, beside `taken` others.
pub(crate) fn bar_width(wanted: usize, width: usize, taken: usize) -> usize {
    wanted.min(width.saturating_sub(taken)).max(8)
}

/// A bar of at most `width` columns for `share` (0 to 1), in eighths of a column. Where it ends
/// before `mark` (the fair share), a thin line stands there.
pub fn bar(share: f64, mark: Option<f64>, width: usize) -> String {
    const EIGHTHS: [&str; 8] = [
        "", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}",
    ];
    let eighths = scaled(share, width * 8);
    let mut text = "\u{2588}".repeat(eighths / 8);
    text.push_str(EIGHTHS.get(eighths % 8).copied().unwrap_or_default());
    if eighths == 0 && share > 0.0 {
        text.push('\u{258f}');
    }
    if let Some(mark) = mark {
        let at = scaled(mark, width);
        let filled = text.chars().count();
        if filled <= at {
            text.push_str(&" ".repeat(at - filled));
            text.push('\u{2502}');
        }
    }
    text
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bar has a few hundred steps, and `share` is held between 0 and 1"
)]
fn scaled(share: f64, steps: usize) -> usize {
    (share.clamp(0.0, 1.0) * steps as f64).round() as usize
}

/// `share` as a percentage with one decimal.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_their_characters() {
        let mut table = Table::new(&[Align::Left, Align::Right]);
        table.row(["大", "1"]);
        table.row(["abc", "100"]);
        assert_eq!(table.lines("  ", 80), ["  大     1", "  abc  100"]);
    }

    #[test]
    fn long_names_are_cut_in_the_middle() {
        let mut table = Table::new(&[Align::Left, Align::Right]);
        table.row(["auth-server-with-a-long-name-1", "100"]);
        assert_eq!(table.lines("", 20), ["auth-se\u{2026}-name-1  100"]);
    }

    #[test]
    fn bars_show_share_and_mark() {
        assert_eq!(bar(1.0, Some(0.5), 4), "████");
        assert_eq!(bar(0.25, Some(0.5), 4), "█ │");
        assert_eq!(bar(0.001, None, 4), "▏");
        assert_eq!(bar(0.0, None, 4), "");
        assert_eq!(bar(f64::NAN, None, 4), "");
    }
}
