//! `upstream-zone-missing`: an nginx upstream keeps its state once per worker.

use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, Server, Workers};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/upstream-zone-missing.md"),
    check: Check::Umbrella(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let usable = backend.servers.iter().filter(|one| one.is_usable());
    if backend.zone.is_some() || !backend.declared || usable.count() < 2 {
        return;
    }
    let Some(copies) = copies(view) else { return };
    let Some((severity, what)) = consequence(view) else {
        return;
    };
    let (severity, effect) = match copies {
        Copies::Several(Workers::Count(number)) => (
            severity,
            format!(", so each of {number} workers keeps a state of its own: {what}"),
        ),
        Copies::Several(Workers::Auto) => (
            severity,
            format!(", so each worker (`worker_processes auto`) keeps a state of its own: {what}"),
        ),
        // Where shared state decides nothing, the default needs no advice.
        Copies::OneByDefault if severity == Severity::Info => return,
        Copies::OneByDefault => (
            Severity::Info,
            format!(": right for the one worker that runs by default, but with more {what}"),
        ),
        Copies::Unknown => (
            Severity::Info,
            format!(", so each worker keeps a state of its own: {what}"),
        ),
    };
    let message = format!("{} has no `zone`{effect}", view.title());
    let size = if backend.servers.len() > 100 {
        "1m"
    } else {
        "64k"
    };
    let help = format!("add `zone {} {size};` to the upstream", backend.name);
    let mut finding = Finding::new(severity, backend.span, message, help)
        .backend(&backend.name)
        .label("no `zone` in here");
    if let Some(span) = view.context.instance.workers.origin.span() {
        finding = finding.related("the number of workers", span);
    }
    findings.push(finding);
}

/// How many workers keep a state of their own, as far as the files say.
#[derive(Clone, Copy)]
pub(super) enum Copies {
    /// More than one.
    Several(Workers),
    /// One, and only because nothing is written.
    OneByDefault,
    /// The directive is in a file that was not read, or depends on a variable.
    Unknown,
}

/// `None` where one worker is written: then nothing is to be shared.
pub(super) fn copies(view: &BackendView<'_>) -> Option<Copies> {
    let instance = view.context.instance;
    match (instance.workers.is_written(), instance.workers.known()) {
        (false, _) if instance.fragment => Some(Copies::Unknown),
        (false, _) => Some(Copies::OneByDefault),
        (true, Some(Workers::Count(0 | 1))) => None,
        (true, Some(workers)) => Some(Copies::Several(*workers)),
        (true, None) => Some(Copies::Unknown),
    }
}

/// What goes wrong without shared state, and how badly; `None` where nothing of nginx decides.
fn consequence(view: &BackendView<'_>) -> Option<(Severity, String)> {
    let backend = view.backend;
    let stateless = match &backend.algorithm.value {
        Algorithm::Other(_) => return None,
        Algorithm::LeastConn => return Some(own_connections("least_conn")),
        Algorithm::LeastTime => return Some(own_connections("least_time")),
        Algorithm::Random { draws: 2.. } => return Some(own_connections("random two")),
        Algorithm::Hash(_) | Algorithm::IpHash => true,
        Algorithm::RoundRobin
        | Algorithm::Random { .. }
        | Algorithm::StaticRoundRobin
        | Algorithm::First
        | Algorithm::Sticky
        | Algorithm::LogHash => false,
    };
    let fails = backend.servers.iter().map(max_fails).max().unwrap_or(1);
    if fails > 1 {
        let text = format!(
            "`max_fails={fails}` means {fails} failed tries in each worker until a dead server is \
             left alone"
        );
        return Some((Severity::Warning, text));
    }
    let text = if stateless {
        "each worker finds out alone that a server is dead"
    } else {
        "each worker finds out alone that a server is dead, and after a reload all of them start at \
         the same one"
    };
    Some((Severity::Info, text.to_owned()))
}

fn own_connections(method: &str) -> (Severity, String) {
    let text = format!("`{method}` compares only the connections of its own worker");
    (Severity::Warning, text)
}

/// The written `max_fails` of a server, 1 where it is the default.
fn max_fails(server: &Server) -> u32 {
    server.passive().max_fails.known().copied().unwrap_or(1)
}
