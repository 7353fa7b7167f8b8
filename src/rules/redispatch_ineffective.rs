//! `redispatch-ineffective`: `option redispatch` is set and cannot move anything.
//!
//! In: retries, algorithm and checks of a HAProxy backend. Out: one finding per backend, or per
//! setting where `defaults` gives it to several.

use std::collections::BTreeMap;
use std::time::Duration;

use super::wording::{duration, names};
use super::{Check, Context, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Layer, Redispatch};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/redispatch-ineffective.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

/// A check that is faster than this hides most of what redispatch cannot do.
const FAST: Duration = Duration::from_secs(5);

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut by_cause: BTreeMap<(Span, &str), Vec<&Backend>> = BTreeMap::new();
    for backend in &context.instance.backends {
        if !wants_redispatch(backend) {
            continue;
        }
        if let Some(cause) = switched_off(backend) {
            by_cause.entry(cause).or_default().push(backend);
        } else if facts::is_map_based(backend) {
            findings.extend(map_based(backend));
        }
    }
    findings.extend(
        by_cause
            .iter()
            .filter_map(|(cause, backends)| useless(*cause, backends)),
    );
}

/// Whether redispatch is on and there is another server to go to.
fn wants_redispatch(backend: &Backend) -> bool {
    backend.layer != Layer::Log
        && matches!(backend.redispatch.known(), Some(Redispatch::On(_)))
        && backend.usable_primaries().nth(1).is_some()
}

/// The setting that makes redispatch useless, and its words.
fn switched_off(backend: &Backend) -> Option<(Span, &'static str)> {
    if backend.retries.known() == Some(&0) {
        return Some((backend.retries.origin.span()?, "retries 0"));
    }
    if backend.redispatch.value == Redispatch::On(0) {
        return Some((backend.redispatch.origin.span()?, "option redispatch 0"));
    }
    None
}

fn useless((span, words): (Span, &str), backends: &[&Backend]) -> Option<Finding> {
    let first = backends.first()?;
    let listed: Vec<&str> = backends
        .iter()
        .map(|backend| backend.name.as_str())
        .collect();
    let noun = if backends.len() == 1 {
        "backend"
    } else {
        "backends"
    };
    let message = format!(
        "`{words}` leaves redispatch in {noun} {} without effect: a failed connection is never tried on another server",
        names(&listed)
    );
    let help = if words.starts_with("retries") {
        "set `retries 1` or more"
    } else {
        "write `option redispatch 1`"
    };
    let mut finding = Finding::new(Severity::Error, span, message, help).label("no second try");
    if let Some(redispatch) = first.redispatch.origin.span().filter(|it| *it != span) {
        finding = finding.related("redispatch is set here", redispatch);
    }
    if backends.len() == 1 {
        return Some(finding.backend(&first.name));
    }
    for backend in backends.iter().take(RELATED) {
        finding = finding.related(
            format!("backend `{}` is affected", backend.name),
            backend.span,
        );
    }
    Some(finding)
}

fn map_based(backend: &Backend) -> Option<Finding> {
    let unchecked = backend
        .usable_primaries()
        .find(|server| !facts::is_checked(server));
    let slow = facts::slowest_detection(backend).filter(|time| *time > FAST);
    let until = match (unchecked, slow) {
        (Some(_), _) => "until someone notices".to_owned(),
        (None, Some(time)) => format!("for up to {}, until the check notices", duration(time)),
        (None, None) => return None,
    };
    let fail = match backend.layer {
        Layer::Http => "get 503",
        Layer::Tcp | Layer::Udp | Layer::Log => "are refused",
    };
    let message = format!(
        "redispatch cannot move the keys of a map-based hash in backend `{}`: clients of a dead server {fail} {until}",
        backend.name
    );
    let span = backend.algorithm.origin.span().unwrap_or(backend.span);
    let mut finding = Finding::new(
        Severity::Warning,
        span,
        message,
        "add `hash-type consistent`",
    )
    .label("the same key gives the same server again")
    .backend(&backend.name);
    if let Some(redispatch) = backend.redispatch.origin.span() {
        finding = finding.related("redispatch is set here", redispatch);
    }
    Some(finding)
}
