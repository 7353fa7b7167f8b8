//! `next-upstream-off`: nginx gives a failed request back although another server is there.
//!
//! In: routes to upstreams with a choice. Out: one finding per `…_next_upstream off`.

use std::collections::BTreeMap;

use super::wording::names;
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Layer, Route};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/next-upstream-off.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut by_cause: BTreeMap<Span, BTreeMap<usize, &Backend>> = BTreeMap::new();
    let backends = context.instance.backends.iter().enumerate();
    for (index, backend) in backends.filter(|(_, backend)| has_choice(backend)) {
        for span in context.instance.routes_to(index).filter_map(switched_off) {
            by_cause.entry(span).or_default().insert(index, backend);
        }
    }
    for (span, by_index) in by_cause {
        let backends: Vec<&Backend> = by_index.into_values().collect();
        findings.extend(finding(span, &backends));
    }
}

fn switched_off(route: &Route) -> Option<Span> {
    let conditions = &route.next_upstream.as_ref()?.conditions;
    let off = conditions.known()?.iter().any(|word| word == "off");
    conditions.origin.span().filter(|_| off)
}

fn has_choice(backend: &Backend) -> bool {
    backend
        .usable_primaries()
        .chain(backend.usable_backups())
        .nth(1)
        .is_some()
}

fn finding(span: Span, backends: &[&Backend]) -> Option<Finding> {
    let first = backends.first()?;
    let listed: Vec<&str> = backends
        .iter()
        .map(|backend| backend.name.as_str())
        .collect();
    let (noun, each) = if backends.len() == 1 {
        ("upstream", "it has")
    } else {
        ("upstreams", "each has")
    };
    let fails = match first.layer {
        Layer::Http => "a refused connection becomes a 502 to the client",
        Layer::Tcp | Layer::Udp | Layer::Log => "a refused connection is closed to the client",
    };
    let message = format!(
        "no second try for {noun} {}: {fails} although {each} another server",
        names(&listed)
    );
    let help = "write `error timeout`, and bound it with `…_next_upstream_tries 2`";
    let mut finding =
        Finding::new(Severity::Warning, span, message, help).label("switched off here");
    if backends.len() == 1 {
        finding = finding.backend(&first.name);
    }
    for backend in backends.iter().take(RELATED) {
        finding = finding.related(
            format!("upstream `{}` is affected", backend.name),
            backend.span,
        );
    }
    Some(finding)
}
