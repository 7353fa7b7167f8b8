//! `balance-first-without-maxconn`: the first server never fills up, so it takes everything.
//!
//! In: algorithm and limits of a HAProxy backend. Out: at most one finding per backend.

use super::wording::names;
use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, OriginKind, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/balance-first-without-maxconn.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    if backend.algorithm.known() != Some(&Algorithm::First) {
        return;
    }
    let mut tier: Vec<&Server> = facts::tier(backend, true).map(|(_, it)| it).collect();
    if tier.iter().any(|server| server.id().is_opaque()) {
        return;
    }
    // Servers are tried by id; the sort keeps the order of equal ones.
    tier.sort_by_key(|server| server.id().value);
    let unlimited = |server: &&Server| server.maxconn.known() == Some(&None);
    let Some(position) = tier.iter().position(unlimited) else {
        return;
    };
    let (Some(first), Some(idle)) = (tier.get(position), tier.get(position + 1..)) else {
        return;
    };
    if !idle.is_empty() {
        findings.push(finding(view, first, idle));
    }
}

fn finding(view: &BackendView<'_>, first: &Server, idle: &[&Server]) -> Finding {
    let backend = view.backend;
    let listed: Vec<&str> = idle.iter().map(|server| server.name.as_str()).collect();
    let verb = if idle.len() == 1 { "gets" } else { "get" };
    let message = format!(
        "`balance first` in backend `{}` and no `maxconn` on `{}`: {} {verb} no traffic while `{}` is up",
        backend.name,
        first.name,
        names(&listed),
        first.name
    );
    let help =
        "set `maxconn` on every server, or make the others `backup` when they are meant to wait";
    let finding = |span| {
        let finding = Finding::new(Severity::Error, span, message, help);
        finding.backend(&backend.name).server(&first.name)
    };
    let origin = backend.algorithm.origin;
    match origin.span() {
        // One line for many backends: the cause is there.
        Some(span) if origin.kind() == OriginKind::Defaults => (finding(span))
            .label("servers are filled one after the other")
            .related(format!("`{}` is never full", first.name), first.head()),
        Some(span) => (finding(first.head()).label("never full"))
            .related("servers are filled one after the other", span),
        None => finding(first.head()).label("never full"),
    }
}
