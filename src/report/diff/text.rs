//! What changed, for people: object by object, shares before and after beside each other.

use std::io;

use anstyle::{AnsiColor, Style as Ansi};

use super::DiffReport;
use super::objects::{
    LINES, Object, broken_limits, chosen, counts, full_bar, has_moved, is_unknown, most_moved,
    moved_words, objects, points, title, worst_failures,
};
use super::words::{Line, lines};
use crate::diff::BackendTraffic;
use crate::finding::Finding;
use crate::report::shown::plain;
use crate::report::table::{Align, Table, bar, percent};
use crate::report::wrap::wrapped;
use crate::report::{Report, Style, concise, text};

/// Writes everything, object by object, and the summary line.
pub(super) fn write(
    report: &DiffReport<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if report.diff.is_empty() {
        return writeln!(out, "{}", counts(report));
    }
    for object in objects(report) {
        if let Some(instance) = object.instance {
            writeln!(out, "{}\n", paint(&plain(instance), UNDERLINED, style))?;
        }
        write_object(report, &object, style, out)?;
        if let Some(traffic) = object.traffic {
            write_traffic(report, traffic, style, out)?;
        }
        writeln!(out)?;
    }
    write_findings(report, style, out)?;
    for words in broken_limits(report) {
        let red = AnsiColor::Red.on_default();
        writeln!(out, "{}", paint(&words, red, style))?;
    }
    writeln!(out, "{}", counts(report))
}

/// Writes one line per change and finding.
pub(super) fn write_lines(report: &DiffReport<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for change in &report.diff.changes {
        let place = plain(report.label(change.pair)).into_owned();
        for line in lines(report, &[change], 1).0 {
            let title = title(report, change);
            let words = format!("{title} {}", line.words);
            writeln!(out, "{place}: {} {}", line.sign, plain(words.trim()))?;
        }
    }
    let introduced = chosen(report.new.findings, &report.diff.findings.introduced);
    let of = |report: Report<'_>, findings: &[Finding], out: &mut dyn io::Write| {
        concise::write(&Report { findings, ..report }, out)
    };
    of(report.new_report(), &introduced, out)
}

fn write_object(
    report: &DiffReport<'_>,
    object: &Object<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let title = plain(&title(report, object.first)).into_owned();
    writeln!(out, "{}", paint(&title, Ansi::new().bold(), style))?;
    let (lines, more) = lines(report, &object.changes, LINES);
    for Line { sign, words } in &lines {
        let colour = match sign {
            '+' => AnsiColor::Green,
            '-' => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let sign = paint(&sign.to_string(), colour.on_default(), style);
        let words = wrapped(&plain(words), style.columns().min(100), 4).replace('\n', "\n      ");
        writeln!(out, "  {sign} {words}")?;
    }
    if more > 0 {
        writeln!(out, "    … and {more} more lines")?;
    }
    Ok(())
}

fn write_traffic(
    report: &DiffReport<'_>,
    traffic: &BackendTraffic,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if is_unknown(traffic) {
        writeln!(out, "    shares: not known from the configuration alone")?;
    }
    if has_moved(traffic) {
        for line in table(report, traffic, style) {
            writeln!(out, "{line}")?;
        }
    }
    for (side, words) in worst_failures(report, traffic, str::to_owned) {
        writeln!(out, "    worst single failure {side}: {}", plain(&words))?;
    }
    match moved_words(traffic) {
        Some(moved) => writeln!(out, "    keys that change their server: {moved}"),
        None => Ok(()),
    }
}

/// Shares with paired bars, at most as wide as the terminal.
fn table(report: &DiffReport<'_>, traffic: &BackendTraffic, style: Style) -> Vec<String> {
    let shown = most_moved(&traffic.servers);
    let most = full_bar(traffic);
    let width = style.columns().min(100);
    let names = shown
        .iter()
        .map(|server| report.name(traffic.pair, &server.server));
    let names: Vec<_> = names.collect();
    let longest = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    // Two blanks between six columns, three numbers of six or seven characters, the indent.
    let room = width.saturating_sub(longest.clamp(6, 24) + 33) / 2;
    let one = |share: Option<f64>| match share {
        Some(share) => (percent(share), bar(share / most, None, room.clamp(4, 20))),
        None => ("-".to_owned(), String::new()),
    };
    let columns = [
        Align::Left,
        Align::Right,
        Align::Left,
        Align::Right,
        Align::Left,
        Align::Right,
    ];
    let mut table = Table::new(&columns);
    table.row(["server", "before", "", "after", "", "shift"]);
    for (server, name) in shown.iter().zip(names) {
        let ((before, before_bar), (after, after_bar)) = (one(server.before), one(server.after));
        let shift = server.shift().map_or_else(String::new, points);
        table.row([&*name, &before, &before_bar, &after, &after_bar, &shift]);
    }
    let mut lines = table.lines("    ", width);
    if shown.len() < traffic.servers.len() {
        lines.push(format!(
            "    … and {} more",
            traffic.servers.len() - shown.len()
        ));
    }
    lines
}

fn write_findings(
    report: &DiffReport<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let changes = &report.diff.findings;
    let bold = |text: &str| paint(text, Ansi::new().bold(), style);
    if !changes.introduced.is_empty() {
        let findings = chosen(report.new.findings, &changes.introduced);
        writeln!(out, "{}\n", bold("introduced"))?;
        let own = Report {
            findings: &findings,
            ..report.new_report()
        };
        text::blocks(&own, style, out)?;
    }
    if !changes.resolved.is_empty() {
        let findings = chosen(report.old.findings, &changes.resolved);
        writeln!(out, "{}", bold("resolved"))?;
        let own = Report {
            findings: &findings,
            ..report.old_report()
        };
        concise::write(&own, out)?;
        writeln!(out)?;
    }
    Ok(())
}

const UNDERLINED: Ansi = Ansi::new().underline().bold();

fn paint(text: &str, paint: Ansi, style: Style) -> String {
    if style.color {
        format!("{paint}{text}{paint:#}")
    } else {
        text.to_owned()
    }
}
