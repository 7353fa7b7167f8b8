//! `redispatch-missing`: a failed connection is only ever retried on the server that failed.
//!
//! In: every HAProxy backend with the `defaults` section it inherits from. Out: one finding per
//! `defaults` section, since that is where the setting is missing; per backend where only one is
//! affected, or where it switched redispatch off itself.

use std::collections::BTreeMap;

use super::wording::{count, duration, names};
use super::{Check, Context, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Layer, OriginKind, Redispatch};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/redispatch-missing.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut by_cause: BTreeMap<Option<Span>, Vec<&Backend>> = BTreeMap::new();
    for backend in context
        .instance
        .backends
        .iter()
        .filter(|it| is_affected(it))
    {
        by_cause.entry(cause(backend)).or_default().push(backend);
    }
    for (section, backends) in by_cause {
        findings.extend(match backends.as_slice() {
            [] => None,
            [backend] => Some(of_backend(backend)),
            [first, ..] => Some(of_several(section, first, &backends)),
        });
    }
}

/// Whether a retry would have somewhere else to go and does not.
fn is_affected(backend: &Backend) -> bool {
    backend.layer != Layer::Log
        && backend.redispatch.known() == Some(&Redispatch::Off)
        && backend.retries.known().is_some_and(|retries| *retries > 0)
        && backend.usable_primaries().nth(1).is_some()
}

/// Where the setting is missing: in the `defaults` section, if there is one, unless the backend says
/// `no option redispatch` itself.
fn cause(backend: &Backend) -> Option<Span> {
    backend.redispatch.origin.span().or(backend.defaults)
}

fn of_backend(backend: &Backend) -> Finding {
    let message = format!(
        "backend `{}` retries a failed connection {} on the same server: {}",
        backend.name,
        times(backend),
        consequence(backend)
    );
    let origin = backend.redispatch.origin;
    let span = match origin.kind() {
        OriginKind::Explicit | OriginKind::Defaults => origin.span().unwrap_or(backend.span),
        OriginKind::DefaultServer
        | OriginKind::OuterScope
        | OriginKind::EngineDefault
        | OriginKind::Opaque => backend.span,
    };
    let help = if facts::is_map_based(backend) {
        "add `option redispatch 1` and `hash-type consistent`: a map-based hash computes the dead server again"
    } else {
        "add `option redispatch 1`"
    };
    Finding::new(severity(backend), span, message, help)
        .label("no `option redispatch`")
        .backend(&backend.name)
}

fn of_several(section: Option<Span>, first: &Backend, backends: &[&Backend]) -> Finding {
    let affected: Vec<&str> = (backends.iter())
        .map(|backend| backend.name.as_str())
        .collect();
    let worst = (backends.iter().rev())
        .max_by_key(|backend| (severity(backend), facts::slowest_detection(backend)))
        .unwrap_or(&first);
    let message = format!(
        "{} ({}) retry a failed connection {} on the same server: {}",
        count(backends.len(), "backend"),
        names(&affected),
        times(worst),
        consequence(worst)
    );
    let help = match section {
        Some(_) => "add `option redispatch 1` to this section",
        None => "add a `defaults` section with `option redispatch 1`, or the option to each",
    };
    let span = section.unwrap_or(first.span);
    let mut finding = Finding::new(severity(worst), span, message, help)
        .label("no `option redispatch` for the backends below");
    for backend in backends.iter().filter(|it| it.span != span).take(RELATED) {
        let affected = format!("backend `{}` is affected", backend.name);
        finding = finding.related(affected, backend.span);
    }
    finding
}

fn times(backend: &Backend) -> String {
    match backend.retries.value {
        1 => "once".to_owned(),
        retries => count(retries as usize, "time"),
    }
}

/// A server that nothing watches is retried for ever; one that is watched until it is down.
fn severity(backend: &Backend) -> Severity {
    if backend.usable_primaries().all(facts::is_checked) {
        Severity::Warning
    } else {
        Severity::Error
    }
}

fn consequence(backend: &Backend) -> String {
    let fails = match backend.layer {
        Layer::Http => "its share of requests gets 503",
        Layer::Tcp | Layer::Udp | Layer::Log => "its share of connections fails",
    };
    if let Some(server) = backend
        .usable_primaries()
        .find(|server| !facts::is_checked(server))
    {
        let name = &server.name;
        return format!(
            "once `{name}`, which no check watches, dies, {fails} until someone notices"
        );
    }
    match facts::slowest_detection(backend) {
        Some(time) => format!(
            "until the check notices a dead server (up to {}), {fails}",
            duration(time)
        ),
        None => format!("until a dead server is noticed, {fails}"),
    }
}
