//! What changed, as a comment on a pull request: what fails first, then object by object the changes
//! and the shares before and after beside each other, then the findings.

use std::fmt::Write as _;
use std::io;

use super::DiffReport;
use super::objects::{
    LINES, Object, broken_limits, chosen, counts, full_bar, has_moved, is_unknown, most_moved,
    moved_words, objects, points, title, worst_failures,
};
use super::words::{Line, lines};
use crate::diff::BackendTraffic;
use crate::finding::Finding;
use crate::report::Report;
use crate::report::locate::Locator;
use crate::report::markdown::{ALL, code, message, push_list, push_unaudited};
use crate::report::relative::Paths;
use crate::report::shown::plain;
use crate::report::table::{bar, percent};

/// How much of a comment goes to the objects, and to the findings that come behind them.
const OBJECTS: usize = 30_000;
const INTRODUCED: usize = 48_000;

/// Columns of a full bar; there are two in a row.
const BAR: usize = 12;

/// Writes the comment.
pub(super) fn write(report: &DiffReport<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = heading(report);
    push_objects(&mut text, report);
    let findings = &report.diff.findings;
    let introduced = chosen(report.new.findings, &findings.introduced);
    push_findings(
        &mut text,
        "Introduced",
        &introduced,
        &report.new_report(),
        INTRODUCED,
    );
    let resolved = chosen(report.old.findings, &findings.resolved);
    push_findings(&mut text, "Resolved", &resolved, &report.old_report(), ALL);
    let (old, new) = (&report.old.audit.errors, &report.new.audit.errors);
    let errors = old.iter().chain(new).map(ToString::to_string);
    push_unaudited(&mut text, errors);
    out.write_all(text.as_bytes())
}

fn heading(report: &DiffReport<'_>) -> String {
    let mut text = format!("## lbaudit diff: {}\n", counts(report));
    for words in broken_limits(report) {
        let _ = write!(text, "\n\u{1f534} **{words}**\n");
    }
    text
}

fn push_objects(text: &mut String, report: &DiffReport<'_>) {
    let objects = objects(report);
    for (shown, object) in objects.iter().enumerate() {
        let part = part(report, object);
        if text.len() + part.len() > OBJECTS {
            let left_out = objects.len() - shown;
            let _ = writeln!(text, "\n… and changes of {left_out} more objects.");
            return;
        }
        text.push_str(&part);
    }
}

fn part(report: &DiffReport<'_>, object: &Object<'_>) -> String {
    let mut text = String::new();
    if let Some(instance) = object.instance {
        let _ = write!(text, "\n### {}\n", code(instance));
    }
    let _ = write!(
        text,
        "\n#### {}\n\n```diff\n",
        message(&title(report, object.first))
    );
    let (lines, more) = lines(report, &object.changes, LINES);
    for Line { sign, words } in &lines {
        // The sign in front keeps a line from ending the block, whatever its words are.
        let _ = writeln!(text, "{sign} {}", plain(words));
    }
    if more > 0 {
        let _ = writeln!(text, "# … and {more} more lines");
    }
    text.push_str("```\n");
    if let Some(traffic) = object.traffic {
        push_traffic(&mut text, report, traffic);
    }
    text
}

fn push_traffic(text: &mut String, report: &DiffReport<'_>, traffic: &BackendTraffic) {
    if is_unknown(traffic) {
        text.push_str("\nThe shares are not known from the configuration alone.\n");
    }
    if has_moved(traffic) {
        push_table(text, report, traffic);
    }
    let failures = worst_failures(report, traffic, code);
    if !failures.is_empty() {
        text.push('\n');
    }
    for (side, words) in failures {
        let _ = writeln!(text, "- Worst single failure {side}: {words}");
    }
    if let Some(moved) = moved_words(traffic) {
        let _ = write!(text, "\nKeys that change their server: **{moved}**\n");
    }
}

fn push_table(text: &mut String, report: &DiffReport<'_>, traffic: &BackendTraffic) {
    text.push_str("\n| server | before | | after | | shift |\n");
    text.push_str("| --- | ---: | --- | ---: | --- | ---: |\n");
    let most = full_bar(traffic);
    let one = |share: Option<f64>| match share {
        Some(share) => (percent(share), bar(share / most, None, BAR)),
        None => ("-".to_owned(), String::new()),
    };
    let shown = most_moved(&traffic.servers);
    for server in &shown {
        let ((before, before_bar), (after, after_bar)) = (one(server.before), one(server.after));
        let shift = server.shift().map_or_else(String::new, points);
        let name = code(&report.name(traffic.pair, &server.server));
        let _ = writeln!(
            text,
            "| {name} | {before} | {before_bar} | {after} | {after_bar} | {shift} |"
        );
    }
    if shown.len() < traffic.servers.len() {
        let left_out = traffic.servers.len() - shown.len();
        let _ = writeln!(text, "\n… and {left_out} more servers.");
    }
}

fn push_findings(
    text: &mut String,
    title: &str,
    findings: &[Finding],
    report: &Report<'_>,
    limit: usize,
) {
    if findings.is_empty() {
        return;
    }
    let _ = write!(text, "\n#### {title}\n");
    let mut order: Vec<&Finding> = findings.iter().collect();
    order.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut locator = Locator::new(report.sources);
    push_list(text, &order, &mut locator, &Paths::here(), limit);
}
