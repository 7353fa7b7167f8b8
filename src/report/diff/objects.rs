//! What changed, object by object, as every format for people tells it.

use std::collections::HashMap;

use super::DiffReport;
use crate::diff::{BackendTraffic, Change, Failure, ServerTraffic};
use crate::finding::Finding;
use crate::model::Text;
use crate::report::table::percent;

/// Most rows of a share table; of a longer one those that move most.
const ROWS: usize = 16;
/// Most lines about one object.
pub(super) const LINES: usize = 24;

/// One backend with its servers, or one listener with its routes.
pub(super) struct Object<'a> {
    /// The first change: it names the object.
    pub(super) first: &'a Change,
    /// All of them.
    pub(super) changes: Vec<&'a Change>,
    /// Where the traffic of a backend goes, before and after.
    pub(super) traffic: Option<&'a BackendTraffic>,
    /// The name of its instance, on the first object of each of several instances.
    pub(super) instance: Option<&'a str>,
}

/// Everything that changed, in the order of the changes.
pub(super) fn objects<'a>(report: &DiffReport<'a>) -> Vec<Object<'a>> {
    let diff = report.diff;
    let mut traffic = diff.traffic.iter().peekable();
    let mut last_pair = None;
    let object = |changes: Vec<&'a Change>| {
        let first = *changes.first()?;
        let is_new = diff.pairs.len() > 1 && last_pair.replace(first.pair) != Some(first.pair);
        let own = |one: &&BackendTraffic| {
            one.pair == first.pair && Some(&one.backend) == first.backend.as_ref()
        };
        Some(Object {
            first,
            changes,
            traffic: traffic.next_if(own),
            instance: is_new.then(|| report.label(first.pair)),
        })
    };
    groups(&diff.changes)
        .into_iter()
        .filter_map(object)
        .collect()
}

/// The changes of each object together: those of a backend with its servers, of a listener with its
/// routes.
fn groups(changes: &[Change]) -> Vec<Vec<&Change>> {
    type Name<'a> = (usize, Option<&'a Text>, Option<&'a Text>);
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    let mut known: HashMap<Name<'_>, usize> = HashMap::new();
    for change in changes {
        let name = (
            change.pair,
            change.backend.as_ref(),
            change.listener.as_ref(),
        );
        let place = *known.entry(name).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

/// What the object is called.
pub(super) fn title(report: &DiffReport<'_>, change: &Change) -> String {
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

/// Whether the shares of a backend that stands on both sides cannot be told.
pub(super) fn is_unknown(traffic: &BackendTraffic) -> bool {
    let unknown = |server: &ServerTraffic| server.before.is_none() || server.after.is_none();
    let both = traffic.algorithms.0.is_some() && traffic.algorithms.1.is_some();
    both && traffic.servers.iter().any(unknown)
}

/// The worst single failure on each side that has the backend, where they differ; names as `quoted`
/// shows them.
pub(super) fn worst_failures(
    report: &DiffReport<'_>,
    traffic: &BackendTraffic,
    quoted: impl Fn(&str) -> String,
) -> Vec<(&'static str, String)> {
    let (before, after) = &traffic.worst;
    if before == after {
        return Vec::new();
    }
    let sides = [
        ("before", before, &traffic.algorithms.0),
        ("after", after, &traffic.algorithms.1),
    ];
    let there = sides.into_iter().filter(|(_, _, side)| side.is_some());
    let name = |name: &str| quoted(&report.name(traffic.pair, name));
    there
        .map(|(side, failure, _)| (side, failure_words(failure.as_ref(), name)))
        .collect()
}

fn failure_words(failure: Option<&Failure>, name: impl Fn(&str) -> String) -> String {
    let Some(failure) = failure else {
        return "not known".to_owned();
    };
    let down = name(&failure.down);
    match (&failure.server, failure.share) {
        (Some(server), Some(share)) => {
            format!("{} on {} without {down}", percent(share), name(server))
        }
        _ => format!("no server left without {down}"),
    }
}

/// How many keys of a hash change their server, where any do.
pub(super) fn moved_words(traffic: &BackendTraffic) -> Option<String> {
    let moved = traffic.moved.filter(|moved| moved.fraction > 0.0)?;
    let about = if moved.exact { "" } else { "about " };
    Some(format!("{about}{}", percent(moved.fraction)))
}

/// Whether any share of the backend differs, so that a table says something.
pub(super) fn has_moved(traffic: &BackendTraffic) -> bool {
    let differs = |server: &ServerTraffic| server.before != server.after;
    traffic.servers.iter().any(differs)
}

/// The largest share on either side: a full bar.
pub(super) fn full_bar(traffic: &BackendTraffic) -> f64 {
    let servers = traffic.servers.iter();
    let shares = servers.flat_map(|server| [server.before, server.after]);
    shares.flatten().fold(0.0, f64::max).max(f64::MIN_POSITIVE)
}

/// The rows of a table: all, or those that move most, in the order of the servers.
pub(super) fn most_moved(servers: &[ServerTraffic]) -> Vec<&ServerTraffic> {
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
pub(super) fn points(shift: f64) -> String {
    let points = format!("{:+.1}", shift * 100.0);
    if points == "+0.0" || points == "-0.0" {
        return "0.0".to_owned();
    }
    points
}

/// The findings with these indices.
pub(super) fn chosen(all: &[Finding], indices: &[usize]) -> Vec<Finding> {
    indices
        .iter()
        .filter_map(|index| all.get(*index).cloned())
        .collect()
}

/// What is beyond its limit, one sentence each.
pub(super) fn broken_limits(report: &DiffReport<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(limit) = report.limits.max_shift.filter(|_| report.shift_fails()) {
        let (worst, limit) = (percent(report.diff.worst_shift()), percent(limit));
        words.push(format!(
            "a share moves by {worst} of its backend, --max-shift is {limit}"
        ));
    }
    if let Some(limit) = report.limits.max_moved.filter(|_| report.moved_fails()) {
        let (worst, limit) = (percent(report.diff.worst_moved()), percent(limit));
        words.push(format!(
            "{worst} of the keys of a backend move, --max-moved is {limit}"
        ));
    }
    words
}

/// The counts of the last line.
pub(super) fn counts(report: &DiffReport<'_>) -> String {
    let count = |number: usize, noun: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {noun}{plural}")
    };
    let diff = report.diff;
    let mut words = if diff.is_empty() {
        "nothing changed: the models and the findings are the same".to_owned()
    } else {
        format!(
            "{} in the model; {} introduced, {} resolved",
            count(diff.changes.len(), "change"),
            count(diff.findings.introduced.len(), "finding"),
            diff.findings.resolved.len()
        )
    };
    let templates = report.templates();
    if templates > 0 {
        words.extend(["; ", &count(templates, "template"), " not compared"]);
    }
    words
}
