//! Workflow commands of GitHub Actions, which show findings on the lines of a pull request:
//! `::error file=…,line=…,col=…,title=…::message`.
//!
//! Escaping as in the runner's own `@actions/core` (`command.ts`): `%`, carriage return and line
//! feed everywhere, `:` and `,` in properties too.

use std::io;

use super::Report;
use super::locate::Locator;
use super::relative::Paths;
use super::shown::plain;
use super::view::View;
use crate::finding::Severity;

/// Writes one command per finding.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut locator = Locator::new(report.sources);
    let paths = Paths::here();
    for finding in report.findings {
        let view = View::new(finding, &mut locator);
        let (start, end) = (view.place.start, locator.end(&view.place));
        let file = paths.relative(view.place.source.name());
        write!(
            out,
            "::{} file={},line={}",
            command(finding.severity),
            property(&file),
            start.line
        )?;
        if start.line == end.line {
            // Columns of a mark over several lines are not accepted.
            write!(out, ",col={},endColumn={}", start.column, end.column)?;
        } else {
            write!(out, ",endLine={}", end.line)?;
        }
        writeln!(
            out,
            ",title={}::{}%0Ahelp: {}",
            property(finding.rule),
            data(&view.message),
            data(&view.help)
        )?;
    }
    Ok(())
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    }
}

fn data(text: &str) -> String {
    plain(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_or_a_property() {
        assert_eq!(
            data("100% a\r\n::error::x"),
            "100%25 a\u{240d}\u{240a}::error::x"
        );
        assert_eq!(property("C:\\a,b%"), "C%3A\\a%2Cb%25");
    }
}
