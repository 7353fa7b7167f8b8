//! The findings of `check`.

use std::io::{self, Write};

use super::{Format, Report, Style};

/// Writes the findings in `format`.
pub fn write(
    report: &Report<'_>,
    _format: Format,
    _style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in report.findings {
        let (source, at) = report.audit.sources.locate(finding.span);
        let severity = finding.severity.as_str();
        let place = format!("{}:{}:{}", source.name(), at.line, at.column);
        writeln!(
            out,
            "{place}: {severity}[{}] {}",
            finding.rule, finding.message
        )?;
    }
    Ok(())
}
