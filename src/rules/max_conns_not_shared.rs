//! `max-conns-not-shared`: nginx enforces `max_conns` once per worker.

use std::collections::BTreeSet;

use super::upstream_zone_missing::{Copies, copies};
use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Server, Text, Workers};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/max-conns-not-shared.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let limit = |server: &Server| server.maxconn.known().copied().flatten().filter(|n| *n > 0);
    let limited: Vec<(&Server, u32)> = (backend.servers.iter())
        .filter(|server| server.is_usable())
        .filter_map(|server| Some((server, limit(server)?)))
        .collect();
    let Some((first, limit)) = limited.first().copied().filter(|_| backend.zone.is_none()) else {
        return;
    };
    let Some(copies) = copies(view) else { return };
    let severity = match copies {
        Copies::Several(_) => Severity::Error,
        Copies::OneByDefault | Copies::Unknown => Severity::Info,
    };
    let span = first.maxconn.origin.span().unwrap_or(first.head());
    findings.push(view.finding(Finding::fact(severity, span), |fact| {
        say(fact, view, copies, &limited, limit)
    }));
}

fn say(
    fact: Finding,
    view: &BackendView<'_>,
    copies: Copies,
    limited: &[(&Server, u32)],
    limit: u32,
) -> Finding {
    let effect = match copies {
        Copies::Several(Workers::Count(number)) => {
            let sum = u64::from(limit) * u64::from(number);
            format!("{sum} with {number} workers")
        }
        Copies::Several(Workers::Auto) => {
            format!("{limit} times the number of cores (`worker_processes auto`)")
        }
        Copies::OneByDefault => {
            format!("{limit} only while one worker runs, which is the default")
        }
        Copies::Unknown => format!("{limit} times the number of workers"),
    };
    let first = limited.first().map_or("", |(first, _)| &first.name);
    let message = format!(
        "`max_conns={limit}` of `{first}` in {} is enforced per worker: it is {effect}{}",
        view.title(),
        also(limited)
    );
    let help = format!("add `zone {} 64k;` to the upstream", view.backend.name);
    let finding = fact.say(message, help).label("counted in each worker");
    match view.context.instance.workers.origin.span() {
        Some(span) => finding.related("the number of workers", span),
        None => finding,
    }
}

/// The other servers with a limit; one can stand there twice.
fn also(limited: &[(&Server, u32)]) -> String {
    let mut all: Vec<&Text> = limited.iter().map(|(server, _)| &server.name).collect();
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(*name));
    match all.split_first() {
        Some((_, others @ [_, ..])) => format!(" (so are the limits of {})", names(others)),
        _ => String::new(),
    }
}
