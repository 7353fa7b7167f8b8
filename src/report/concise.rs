//! One line per finding, for editors and for `grep`: `file:line:column: severity[rule] message`.

use std::io;

use super::Report;
use super::locate::Locator;
use super::mask::mask_message;
use super::shown::plain;
use crate::finding::Finding;

/// Writes the lines.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut locator = Locator::new(report.sources);
    for finding in report.findings {
        write_line(finding, &mut locator, out)?;
    }
    Ok(())
}

/// Writes the line of one finding.
pub(super) fn write_line(
    finding: &Finding,
    locator: &mut Locator<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let place = locator.place(finding.span);
    let line = locator.line(&place, finding.engine);
    let message = mask_message(&finding.message, &line.secrets, finding.engine);
    writeln!(
        out,
        "{}:{}:{}: {}[{}] {}",
        plain(place.source.name()),
        place.start.line,
        place.start.column,
        finding.severity.as_str(),
        finding.rule,
        plain(&message),
    )
}
