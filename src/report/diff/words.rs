//! Changes as lines of text: equal changes of several servers in one line.

use std::collections::HashMap;

use super::DiffReport;
use crate::diff::{Change, Kind};

/// Servers named in one line.
const NAMED: usize = 4;

/// One line about one change, or about the same change of several servers.
pub(super) struct Line {
    /// `+`, `-` or `~`.
    pub(super) sign: char,
    /// What changed and how.
    pub(super) words: String,
}

/// The first lines, at most `most`, of some changes of one object, in the order of their first change; and
/// how many more there are.
pub(super) fn lines(
    report: &DiffReport<'_>,
    changes: &[&Change],
    most: usize,
) -> (Vec<Line>, usize) {
    let groups = groups(changes);
    let shown = groups.iter().take(most);
    let lines = shown.filter_map(|group| line(report, group)).collect();
    (lines, groups.len().saturating_sub(most))
}

/// Equal changes of several servers together.
fn groups<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    let mut known: HashMap<(Kind, Option<&str>, Option<&str>), usize> = HashMap::new();
    for change in changes {
        if change.server.is_none() {
            groups.push(vec![change]);
            continue;
        }
        // Each server that came or went has an address of its own.
        let each = change.kind.is_addition() || change.kind.is_removal();
        let values = (change.old.as_deref(), change.new.as_deref());
        let (old, new) = if each { (None, None) } else { values };
        let key = (change.kind, old, new);
        let group = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

fn line(report: &DiffReport<'_>, group: &[&Change]) -> Option<Line> {
    let first = group.first()?;
    let sign = match first.kind {
        kind if kind.is_addition() => '+',
        kind if kind.is_removal() => '-',
        _ => '~',
    };
    let words = match first.server {
        Some(_) => servers(report, group),
        None => single(report, first),
    };
    Some(Line { sign, words })
}

fn servers(report: &DiffReport<'_>, group: &[&Change]) -> String {
    let with_address = |change: &Change| {
        let name = report.name(change.pair, change.server.as_deref().unwrap_or_default());
        let (old, new) = report.values(change);
        match (change.kind, old.or(new)) {
            (Kind::ServerAdded | Kind::ServerRemoved, Some(address)) if address != name => {
                format!("{name} ({address})")
            }
            _ => name.into_owned(),
        }
    };
    let mut names: Vec<String> = group
        .iter()
        .take(NAMED)
        .map(|change| with_address(change))
        .collect();
    if group.len() > NAMED {
        names.push(format!("{} more", group.len() - NAMED));
    }
    let plural = if group.len() == 1 { "" } else { "s" };
    let subject = format!("server{plural} {}", names.join(", "));
    group
        .first()
        .map_or_else(String::new, |change| told(report, change, &subject))
}

fn single(report: &DiffReport<'_>, change: &Change) -> String {
    let route = change
        .route
        .as_deref()
        .map(|route| report.name(change.pair, route));
    let subject = match (&route, change.kind) {
        (Some(route), Kind::RouteSplit) => format!("values of {route}"),
        (Some(route), _) => format!("route `{route}`"),
        (None, _) => String::new(),
    };
    told(report, change, &subject)
}

/// Subject, what of it, old and new.
fn told(report: &DiffReport<'_>, change: &Change, subject: &str) -> String {
    let (old, new) = report.values(change);
    let aspect = aspect(change.kind);
    let mut words: Vec<&str> = [subject, aspect]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    let values = match (change.kind, old.as_deref(), new.as_deref()) {
        (Kind::ServerAdded | Kind::ServerRemoved, _, _) | (_, None, None) => String::new(),
        (Kind::BackendAdded | Kind::ListenerAdded, _, Some(value))
        | (Kind::BackendRemoved | Kind::ListenerRemoved, Some(value), _) => value.to_owned(),
        (Kind::RouteAdded, _, Some(value)) | (Kind::RouteRemoved, Some(value), _) => {
            format!("to {value}")
        }
        (_, old, new) => format!("{} -> {}", old.unwrap_or("none"), new.unwrap_or("none")),
    };
    if !values.is_empty() {
        words.push(&values);
    }
    words.join(" ")
}

fn aspect(kind: Kind) -> &'static str {
    match kind {
        Kind::Engine => "engine",
        Kind::InstanceOption
        | Kind::ListenerOption
        | Kind::BackendOption
        | Kind::ServerOption
        | Kind::RouteSplit => "",
        Kind::ListenerAdded | Kind::BackendAdded | Kind::ServerAdded | Kind::RouteAdded => "added",
        Kind::ListenerRemoved | Kind::BackendRemoved | Kind::ServerRemoved | Kind::RouteRemoved => {
            "removed"
        }
        Kind::ListenerBind => "socket",
        Kind::Algorithm => "algorithm",
        Kind::ServerOrder => "order of servers",
        Kind::ServerAddress => "address",
        Kind::ServerWeight => "weight",
        Kind::ServerRole => "role",
        Kind::ServerHealthCheck => "health check",
        Kind::TimeoutConnect => "timeout connect",
        Kind::TimeoutServer => "timeout server",
        Kind::TimeoutQueue => "timeout queue",
        Kind::TimeoutCheck => "timeout check",
        Kind::RouteTarget => "leads to",
        Kind::RouteCondition => "condition",
        Kind::RouteOrder => "order of routes",
        Kind::RouteRetry => "retries",
    }
}
