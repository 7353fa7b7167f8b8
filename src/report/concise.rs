//! One line per finding, for editors and for `grep`: `file:line:column: severity[rule] message`.

use std::io;

use super::Report;
use super::locate::Locator;
use super::shown::plain;
use super::view::View;
use crate::finding::Finding;

/// Writes the lines.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut locator = Locator::new(report.sources);
    for finding in report.findings {
        writeln!(out, "{}", line(finding, &mut locator))?;
    }
    Ok(())
}

/// One finding.
pub(super) fn line(finding: &Finding, locator: &mut Locator<'_>) -> String {
    let view = View::headline(finding, locator);
    format!(
        "{}:{}:{}: {}[{}] {}",
        plain(view.place.source.name()),
        view.place.start.line,
        view.place.start.column,
        finding.severity.as_str(),
        finding.rule,
        plain(&view.message),
    )
}
