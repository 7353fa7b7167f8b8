//! The Code Quality report of GitLab: a JSON array, one entry per finding.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use super::Report;
use super::json::write_document;
use super::locate::Locator;
use super::relative::Paths;
use super::view::View;
use crate::finding::Severity;
use crate::source::Position;

#[derive(Serialize)]
struct Issue<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    check_name: &'static str,
    description: String,
    categories: [&'static str; 1],
    severity: &'static str,
    fingerprint: Cow<'a, str>,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
    positions: Positions,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

#[derive(Serialize)]
struct Positions {
    begin: Position,
    end: Position,
}

/// Writes the array.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut locator = Locator::new(report.sources);
    let paths = Paths::here();
    let fingerprints = report.fingerprints();
    let findings = report.findings.iter().zip(fingerprints.iter());
    let issues: Vec<Issue<'_>> = findings
        .map(|(finding, fingerprint)| {
            let view = View::new(finding, &mut locator);
            issue(&view, fingerprint, &paths, &mut locator)
        })
        .collect();
    write_document(&issues, out)
}

fn issue<'a>(
    view: &View<'_>,
    fingerprint: &'a str,
    paths: &Paths,
    locator: &mut Locator<'_>,
) -> Issue<'a> {
    let (begin, end) = (view.place.start, locator.end(&view.place));
    Issue {
        kind: "issue",
        check_name: view.finding.rule,
        description: format!("{}; help: {}", view.message, view.help),
        categories: ["Bug Risk"],
        severity: severity(view.finding.severity),
        fingerprint: fingerprint.into(),
        location: Location {
            path: paths.relative(view.place.source.name()),
            lines: Lines {
                begin: begin.line,
                end: end.line,
            },
            positions: Positions { begin, end },
        },
    }
}

/// The words that GitLab knows are info, minor, major, critical and blocker.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "info",
    }
}
