//! What changed, for people: object by object, shares before and after beside each other.

use std::io;

use anstyle::{AnsiColor, Style as Ansi};

use super::DiffReport;
use super::words::{Line, lines};
use crate::diff::{BackendTraffic, Change, Failure, ServerTraffic};
use crate::finding::Finding;
use crate::model::Text;
use crate::report::shown::plain;
use crate::report::table::{Align, Table, bar, percent};
use crate::report::wrap::wrapped;
use crate::report::{Report, Style, concise, text};

/// Most rows of a share table; of a longer one those that move most.
const ROWS: usize = 16;
/// Most lines about one object.
const LINES: usize = 24;

/// Writes everything, object by object, and the summary line.
pub(super) fn write(
    report: &DiffReport<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if report.diff.is_empty() {
        return writeln!(
            out,
            "nothing changed: the models and the findings are the same"
        );
    }
    let mut traffic = report.diff.traffic.iter().peekable();
    let mut shown_pair = None;
    for object in objects(&report.diff.changes) {
        let Some(first) = object.first() else {
            continue;
        };
        if report.diff.pairs.len() > 1 && shown_pair != Some(first.pair) {
            shown_pair = Some(first.pair);
            let label = plain(report.label(first.pair)).into_owned();
            writeln!(out, "{}\n", paint(&label, UNDERLINED, style))?;
        }
        write_object(report, first, &object, style, out)?;
        let own = |one: &&BackendTraffic| {
            one.pair == first.pair && Some(&one.backend) == first.backend.as_ref()
        };
        if let Some(own) = traffic.next_if(own) {
            write_traffic(report, own, style, out)?;
        }
        writeln!(out)?;
    }
    write_findings(report, style, out)?;
    write_summary(report, style, out)
}

/// Writes one line per change and finding.
pub(super) fn write_lines(report: &DiffReport<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for change in &report.diff.changes {
        let place = plain(report.label(change.pair)).into_owned();
        for line in lines(report, &[change]) {
            let title = title(report, change);
            let words = format!("{title} {}", line.words);
            writeln!(out, "{place}: {} {}", line.sign, plain(words.trim()))?;
        }
    }
    let introduced = findings(report.new.findings, &report.diff.findings.introduced);
    let of = |report: Report<'_>, findings: &[Finding], out: &mut dyn io::Write| {
        concise::write(&Report { findings, ..report }, out)
    };
    of(report.new_report(), &introduced, out)
}

/// The changes of each object together: those of a backend with its servers, of a listener with its
/// routes.
fn objects(changes: &[Change]) -> Vec<Vec<&Change>> {
    type Object<'a> = (usize, Option<&'a Text>, Option<&'a Text>);
    let mut objects: Vec<Vec<&Change>> = Vec::new();
    let mut known: std::collections::HashMap<Object<'_>, usize> = std::collections::HashMap::new();
    for change in changes {
        let object = (
            change.pair,
            change.backend.as_ref(),
            change.listener.as_ref(),
        );
        let place = *known.entry(object).or_insert(objects.len());
        match objects.get_mut(place) {
            Some(object) => object.push(change),
            None => objects.push(vec![change]),
        }
    }
    objects
}

/// What the object is called.
fn title(report: &DiffReport<'_>, change: &Change) -> String {
    let engine = report.engines(change.pair).1;
    if let Some(name) = &change.backend {
        return format!(
            "{} `{}`",
            engine.backend_word(),
            report.name(change.pair, name)
        );
    }
    match &change.listener {
        Some(name) => format!("listener `{}`", report.name(change.pair, name)),
        None => engine.as_str().to_owned(),
    }
}

fn write_object(
    report: &DiffReport<'_>,
    first: &Change,
    object: &[&Change],
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let title = plain(&title(report, first)).into_owned();
    writeln!(out, "{}", paint(&title, Ansi::new().bold(), style))?;
    let lines = lines(report, object);
    for Line { sign, words } in lines.iter().take(LINES) {
        let colour = match sign {
            '+' => AnsiColor::Green,
            '-' => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let sign = paint(&sign.to_string(), colour.on_default(), style);
        let words = wrapped(&plain(words), style.columns().min(100), 4).replace('\n', "\n      ");
        writeln!(out, "  {sign} {words}")?;
    }
    match lines.len().checked_sub(LINES) {
        Some(more) if more > 0 => writeln!(out, "    … and {more} more lines"),
        _ => Ok(()),
    }
}

fn write_traffic(
    report: &DiffReport<'_>,
    traffic: &BackendTraffic,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let unknown = |server: &ServerTraffic| server.before.is_none() || server.after.is_none();
    let both = traffic.algorithms.0.is_some() && traffic.algorithms.1.is_some();
    if both && traffic.servers.iter().any(unknown) {
        writeln!(out, "    shares: not known from the configuration alone")?;
    }
    if traffic
        .servers
        .iter()
        .any(|server| server.before != server.after)
    {
        for line in table(report, traffic, style) {
            writeln!(out, "{line}")?;
        }
    }
    let (before, after) = &traffic.worst;
    if before != after {
        let words = |failure: &Option<Failure>| {
            let words = failure.as_ref();
            words.map(|failure| failure_words(report, traffic.pair, failure))
        };
        for (side, failure) in [("before", words(before)), ("after", words(after))] {
            let words = failure.as_deref().unwrap_or("not known");
            writeln!(out, "    worst single failure {side}: {}", plain(words))?;
        }
    }
    match traffic.moved {
        Some(moved) if moved.fraction > 0.0 => {
            let about = if moved.exact { "" } else { "about " };
            writeln!(
                out,
                "    keys that change their server: {about}{}",
                percent(moved.fraction)
            )
        }
        _ => Ok(()),
    }
}

fn failure_words(report: &DiffReport<'_>, pair: usize, failure: &Failure) -> String {
    let down = report.name(pair, &failure.down);
    match (&failure.server, failure.share) {
        (Some(server), Some(share)) => {
            let server = report.name(pair, server);
            format!("{} on {server} without {down}", percent(share))
        }
        _ => format!("no server left without {down}"),
    }
}

/// Shares with paired bars, at most as wide as the terminal.
fn table(report: &DiffReport<'_>, traffic: &BackendTraffic, style: Style) -> Vec<String> {
    let shown = most_moved(&traffic.servers);
    let shares = traffic
        .servers
        .iter()
        .flat_map(|server| [server.before, server.after]);
    let most = shares.flatten().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
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

/// The rows of a table: all, or those that move most, in the order of the servers.
fn most_moved(servers: &[ServerTraffic]) -> Vec<&ServerTraffic> {
    let mut order: Vec<usize> = (0..servers.len()).collect();
    let shift = |index: &usize| {
        let server = servers.get(*index);
        server.and_then(ServerTraffic::shift).map_or(0.0, f64::abs)
    };
    order.sort_by(|one, other| shift(other).total_cmp(&shift(one)));
    order.truncate(ROWS);
    order.sort_unstable();
    order
        .into_iter()
        .filter_map(|index| servers.get(index))
        .collect()
}

/// A difference of two percentages.
fn points(shift: f64) -> String {
    let points = format!("{:+.1}", shift * 100.0);
    if points == "+0.0" || points == "-0.0" {
        return "0.0".to_owned();
    }
    points
}

fn findings(all: &[Finding], indices: &[usize]) -> Vec<Finding> {
    indices
        .iter()
        .filter_map(|index| all.get(*index).cloned())
        .collect()
}

fn write_findings(
    report: &DiffReport<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let changes = &report.diff.findings;
    let bold = |text: &str| paint(text, Ansi::new().bold(), style);
    if !changes.introduced.is_empty() {
        let findings = findings(report.new.findings, &changes.introduced);
        writeln!(out, "{}\n", bold("introduced"))?;
        let own = Report {
            findings: &findings,
            ..report.new_report()
        };
        text::blocks(&own, style, out)?;
    }
    if !changes.resolved.is_empty() {
        let findings = findings(report.old.findings, &changes.resolved);
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

fn write_summary(report: &DiffReport<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let diff = report.diff;
    let red = AnsiColor::Red.on_default();
    if let Some(limit) = report.limits.max_shift.filter(|_| report.shift_fails()) {
        let (worst, limit) = (percent(diff.worst_shift()), percent(limit));
        let words = format!("a share moves by {worst} of its backend, --max-shift is {limit}");
        writeln!(out, "{}", paint(&words, red, style))?;
    }
    if let Some(limit) = report.limits.max_moved.filter(|_| report.moved_fails()) {
        let (worst, limit) = (percent(diff.worst_moved()), percent(limit));
        let words = format!("{worst} of the keys of a backend move, --max-moved is {limit}");
        writeln!(out, "{}", paint(&words, red, style))?;
    }
    let count = |number: usize, noun: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {noun}{plural}")
    };
    writeln!(
        out,
        "{} in the model; {} introduced, {} resolved",
        count(diff.changes.len(), "change"),
        count(diff.findings.introduced.len(), "finding"),
        diff.findings.resolved.len()
    )
}

const UNDERLINED: Ansi = Ansi::new().underline().bold();

fn paint(text: &str, paint: Ansi, style: Style) -> String {
    if style.color {
        format!("{paint}{text}{paint:#}")
    } else {
        text.to_owned()
    }
}
