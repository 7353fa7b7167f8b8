//! The findings of `check` in any format.

use std::io::{self, Write};

use super::{Format, Report, Style, concise, json, text};

/// Writes the findings in `format`.
pub fn write(
    report: &Report<'_>,
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Concise => concise::write(report, out),
        Format::Json => json::write(report, out),
        Format::Jsonl => json::write_lines(report, out),
    }
}
