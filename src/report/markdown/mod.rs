//! Markdown for a comment on a pull request and for the summary of a job: the findings in one table,
//! the worst first, then the share tables.

mod escape;

use std::fmt::Write as _;
use std::io;

pub(super) use escape::{code, message};

use super::Report;
use super::locate::Locator;
use super::relative::Paths;
use super::shares::{chosen, fair_share};
use super::table::{bar, percent};
use super::text::{counts, template_words};
use super::view::View;
use crate::finding::{Finding, Severity};

/// A comment holds 65,536 characters; this much of it goes to the list.
const LIST: usize = 40_000;
/// This much goes to all.
pub(super) const ALL: usize = 60_000;

/// Columns of a full bar.
const BAR: usize = 20;

/// Writes the report.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = heading(report);
    let mut order: Vec<&Finding> = report.findings.iter().collect();
    order.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut locator = Locator::new(report.sources);
    let paths = Paths::here();
    push_list(&mut text, &order, &mut locator, &paths, LIST);
    push_tables(&mut text, &order, &mut locator, &paths);
    let errors = report.errors.iter().map(ToString::to_string);
    let templates = report.skipped_templates().map(template_words);
    push_unaudited(&mut text, errors.chain(templates));
    out.write_all(text.as_bytes())
}

fn heading(report: &Report<'_>) -> String {
    let (found, audited) = counts(report);
    let mut text = format!("## lbaudit: {found}\n\n{audited}");
    for (number, what) in [
        (report.suppressed, "suppressed"),
        (report.baselined, "in the baseline"),
        (report.fixed, "fixed since the baseline"),
        (report.unchanged, "on unchanged objects"),
    ] {
        if number > 0 {
            let _ = write!(text, "; {number} {what}");
        }
    }
    if !report.templates.is_empty() {
        let number = report.templates.len();
        let plural = if number == 1 { "" } else { "s" };
        let _ = write!(text, "; {number} template{plural} not audited");
    }
    text.push('\n');
    text
}

/// Adds the table of the findings, as far as the text stays below `limit` bytes.
pub(super) fn push_list(
    text: &mut String,
    order: &[&Finding],
    locator: &mut Locator<'_>,
    paths: &Paths,
    limit: usize,
) {
    if order.is_empty() {
        return;
    }
    text.push_str("\n| severity | rule | where | what |\n| --- | --- | --- | --- |\n");
    for (shown, finding) in order.iter().enumerate() {
        let view = View::new(finding, locator);
        let row = format!(
            "| {} {} | `{}` | {} | {}<br>**help:** {} |\n",
            sign(finding.severity),
            finding.severity.as_str(),
            finding.rule,
            place(&view, paths),
            message(&view.message),
            message(&view.help),
        );
        if text.len() + row.len() > limit {
            let _ = writeln!(text, "\n… and {} more findings.", order.len() - shown);
            return;
        }
        text.push_str(&row);
    }
}

fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "\u{1f534}",
        Severity::Warning => "\u{1f7e1}",
        Severity::Info => "\u{1f535}",
    }
}

fn place(view: &View<'_>, paths: &Paths) -> String {
    let file = paths.relative(view.place.source.name());
    code(&format!("{file}:{}", view.place.start.line))
}

fn push_tables(text: &mut String, order: &[&Finding], locator: &mut Locator<'_>, paths: &Paths) {
    for finding in order.iter().filter(|finding| !finding.shares.is_empty()) {
        let table = table(&View::new(finding, locator), paths);
        if text.len() + table.len() > ALL {
            text.push_str("\nFurther share tables are left out.\n");
            return;
        }
        text.push_str(&table);
    }
}

/// The shares that a finding speaks of.
fn table(view: &View<'_>, paths: &Paths) -> String {
    let finding = view.finding;
    let shares = &finding.shares;
    let fair = fair_share(shares);
    let most = shares.iter().map(|row| row.share).fold(fair, f64::max);
    let backend = match view.name(finding.subject.backend.as_ref()) {
        Some(name) => format!(" of {}", code(&name)),
        None => String::new(),
    };
    let mut text = format!(
        "\n#### Shares{backend} (`{}`, {})\n\n| server | weight | share | fair {} |\n| --- | ---: | ---: | --- |\n",
        finding.rule,
        place(view, paths),
        percent(fair)
    );
    let rows = chosen(shares, fair);
    for row in rows.iter().filter_map(|&index| shares.get(index)) {
        let name = view.name(Some(&row.server)).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            code(&name),
            row.weight,
            percent(row.share),
            bar(row.share / most, None, BAR)
        );
    }
    if shares.len() > rows.len() {
        let _ = writeln!(text, "\n… and {} more servers.", shares.len() - rows.len());
    }
    text
}

/// Adds what was not audited.
pub(super) fn push_unaudited(text: &mut String, words: impl Iterator<Item = String>) {
    for (index, words) in words.take(20).enumerate() {
        if index == 0 {
            text.push_str("\n#### Not audited\n\n");
        }
        let _ = writeln!(text, "- {}", message(&words));
    }
}
