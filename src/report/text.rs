//! Findings for people: what is wrong, the lines that do it, the shares, one step that helps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Effects, Style as Ansi};

use super::concise;
use super::excerpt::{Heading, Mark, draw};
use super::locate::Locator;
use super::shares::share_lines;
use super::shown::plain;
use super::view::View;
use super::wrap::wrapped;
use super::{Report, Style, Totals};
use crate::engine::template::Template;
use crate::finding::Finding;

/// Writes the findings, what was skipped and the summary line.
pub(crate) fn write(report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    // Nothing could be audited: a line that counts no errors would read like success.
    if report.instances.is_empty() && report.findings.is_empty() {
        return report
            .skipped_templates()
            .try_for_each(|template| writeln!(out, "{}", plain(&template_words(template))));
    }
    blocks(report, style, out)?;
    if style.verbose {
        for path in report.skipped {
            let path = path.to_string_lossy();
            writeln!(
                out,
                "skipped {}: no HAProxy or nginx configuration",
                plain(&path)
            )?;
        }
        for template in report.templates {
            let words = template_words(template);
            writeln!(out, "{}", plain(&words))?;
        }
    }
    writeln!(out, "{}", summary(report, style))
}

/// How many findings of a rule are drawn in full; the next ones take one line each. A rule that fires
/// hundreds of times needs one look at its excerpt, then a list.
const DRAWN: usize = 20;

/// How many findings of a rule are drawn or listed; nobody reads on, so the others are counted.
pub(crate) const LISTED: usize = 200;

/// Writes the findings: the first of each rule with their excerpts and a blank line, the next ones on
/// one line each, and how many more there are.
pub(crate) fn blocks(report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut locator = Locator::new(report.sources);
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut listed = false;
    for finding in report.findings {
        let count = found.entry(finding.rule).or_default();
        *count += 1;
        if *count <= DRAWN || style.verbose {
            if std::mem::take(&mut listed) {
                out.write_all(b"\n")?;
            }
            let block = block(finding, *count == 1, style, &mut locator);
            out.write_all(block.as_bytes())?;
            out.write_all(b"\n")?;
        } else if *count <= LISTED {
            concise::write_line(finding, &mut locator, out)?;
            listed = true;
        }
    }
    if listed {
        out.write_all(b"\n")?;
    }
    if style.verbose {
        return Ok(());
    }
    write_left_out(&found, style, out)
}

/// Says of each rule how many of its findings are not listed.
fn write_left_out(
    found: &BTreeMap<&str, usize>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut any = false;
    for (rule, count) in found.iter().filter(|(_, count)| **count > LISTED) {
        let more = format!(
            "{} more of {rule} are not shown: `--format concise` has a line for each",
            *count - LISTED
        );
        writeln!(out, "{}", wrapped(&more, style.width, 0))?;
        any = true;
    }
    if any { out.write_all(b"\n") } else { Ok(()) }
}

/// One finding. `explain` adds the pointer to the rule's page, once per rule.
fn block(finding: &Finding, explain: bool, style: Style, locator: &mut Locator<'_>) -> String {
    let view = View::new(finding, locator);
    let severity = finding.severity.as_str();
    let hanging = severity.len() + finding.rule.len() + 4;
    let heading = Heading {
        severity: finding.severity,
        rule: finding.rule,
        message: &wrapped(&plain(&view.message), style.width, hanging),
    };
    let mut marks = vec![Mark {
        label: plain(&view.label).into_owned(),
        place: view.place,
    }];
    marks.extend(view.related.into_iter().map(|(place, message)| Mark {
        label: plain(&message).into_owned(),
        place,
    }));
    let (mut text, gutter) = draw(&heading, &marks, finding.engine, style, locator);
    text.push('\n');
    let bar = format!("{:gutter$} |", "");
    if !finding.shares.is_empty() {
        let room = style.columns();
        push_paint(&mut text, &bar, LINE, style);
        text.push('\n');
        for line in share_lines(
            &finding.shares,
            finding.engine,
            room.saturating_sub(gutter + 4),
        ) {
            push_paint(&mut text, &bar, LINE, style);
            text.extend(["   ", &line]);
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
    }
    push_paint(&mut text, &bar, LINE, style);
    text.push('\n');
    push_note(&mut text, gutter, "help", &plain(&view.help), style);
    if explain {
        let command = format!("lbaudit explain {}", finding.rule);
        push_note(&mut text, gutter, "explain", &command, style);
    }
    text
}

const LINE: Ansi = AnsiColor::BrightBlue.on_default().effects(Effects::BOLD);
const BOLD: Ansi = Ansi::new().bold();

fn push_note(text: &mut String, gutter: usize, word: &str, note: &str, style: Style) {
    text.push_str(&" ".repeat(gutter + 1));
    push_paint(text, "=", LINE, style);
    text.push(' ');
    push_paint(text, word, BOLD, style);
    text.push_str(": ");
    let hanging = gutter + word.len() + 5;
    let note = wrapped(note, style.width, hanging);
    text.push_str(&note.replace('\n', &format!("\n{:hanging$}", "")));
    text.push('\n');
}

fn push_paint(text: &mut String, part: &str, paint: Ansi, style: Style) {
    if style.color {
        let _ = write!(text, "{paint}{part}{paint:#}");
    } else {
        text.push_str(part);
    }
}

/// The counts of the last line: `2 errors, 1 warning, 0 infos`, and
/// `1 instance: 3 files, 4 backends, 12 servers`.
pub(crate) fn counts(report: &Report<'_>) -> (String, String) {
    let Totals {
        files,
        backends,
        servers,
        errors,
        warnings,
        infos,
    } = report.totals();
    let found = [
        count(errors, "error"),
        count(warnings, "warning"),
        count(infos, "info"),
    ];
    let instances = count(report.instances.len(), "instance");
    let audited = [
        count(files, "file"),
        count(backends, "backend"),
        count(servers, "server"),
    ];
    let audited = format!("{instances}: {}", audited.join(", "));
    (found.join(", "), audited)
}

/// The last line.
fn summary(report: &Report<'_>, style: Style) -> String {
    let Totals {
        errors, warnings, ..
    } = report.totals();
    let (counts, audited) = counts(report);
    let mut text = format!("{counts} in {audited}");
    if report.suppressed > 0 {
        let _ = write!(text, "; {} suppressed", report.suppressed);
    }
    if report.baselined > 0 {
        let _ = write!(text, "; {} in the baseline", report.baselined);
    }
    if report.fixed > 0 {
        let _ = write!(text, "; {} fixed since the baseline", report.fixed);
    }
    if report.unchanged > 0 {
        let _ = write!(text, "; {} on unchanged objects", report.unchanged);
    }
    if !report.skipped.is_empty() {
        let _ = write!(text, "; {} skipped", count(report.skipped.len(), "file"));
    }
    if !report.templates.is_empty() {
        let templates = count(report.templates.len(), "template");
        let _ = write!(text, "; {templates} not audited");
    }
    // Wrapping puts line ends in the place of blanks: the counts keep their length.
    let text = wrapped(&text, style.width, 0);
    let (counts, rest) = text.split_at_checked(counts.len()).unwrap_or((&text, ""));
    let paint = match (errors, warnings) {
        (0, 0) => AnsiColor::BrightGreen,
        (0, _) => AnsiColor::BrightYellow,
        _ => AnsiColor::BrightRed,
    };
    let mut painted = String::new();
    push_paint(
        &mut painted,
        counts,
        paint.on_default().effects(Effects::BOLD),
        style,
    );
    painted + rest
}

/// What is said of one template.
pub(crate) fn template_words(template: &Template) -> String {
    let Template { name, line, .. } = template;
    match &template.included_by {
        Some(root) => {
            format!("not audited: `{root}`, which includes the template `{name}` (line {line})")
        }
        None => format!("not audited: `{name}`, a template (line {line})"),
    }
}

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
