//! `max-fails-zero`: nginx never takes a server out.
//!
//! In: the servers of each upstream and its routes. Out: one finding per upstream and tier.

use std::time::Duration;

use super::wording::{duration, names};
use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, NextUpstream, Route, Server};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/max-fails-zero.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    if matches!(view.backend.algorithm.value, Algorithm::Other(_)) {
        return;
    }
    for primary in [true, false] {
        let tier = || facts::tier(view.backend, primary);
        let blind: Vec<_> = tier()
            .filter(|(_, server)| is_blind(view, server))
            .collect();
        if !blind.is_empty() && tier().nth(1).is_some() {
            findings.push(finding(view, &blind, &view.routes()));
        }
    }
}

/// Whether the failures of a server are not counted, unless an active check watches it or a comment
/// says why.
fn is_blind(view: &BackendView<'_>, server: &Server) -> bool {
    server.passive().max_fails.known() == Some(&0)
        && !facts::is_checked(server)
        && !view.server_notes(server).state_reason(view.context.today)
}

fn finding(view: &BackendView<'_>, blind: &[(usize, &Server)], routes: &[&Route]) -> Finding {
    let backend = view.backend;
    let traffic = facts::traffic(backend.layer);
    let share = facts::loss(view, blind.iter().map(|(index, _)| *index));
    let tried = share.map_or_else(
        || format!("its {traffic}"),
        |share| format!("{share} of {traffic}"),
    );
    let off = routes
        .iter()
        .find_map(|route| never_retries(route.next_upstream.as_ref()));
    let cost = match (off, longest_connect(routes)) {
        (Some(_), _) => ", which fail because no other server is tried".to_owned(),
        (None, Some(timeout)) => format!(", each waiting up to {} to connect", duration(timeout)),
        (None, None) => String::new(),
    };
    let listed: Vec<&str> = blind
        .iter()
        .map(|(_, server)| server.name.as_str())
        .collect();
    let message = format!(
        "`max_fails=0` on {} of upstream `{}`: a dead server keeps being tried for {tried}{cost}",
        names(&listed),
        backend.name
    );
    let severity = if off.is_some() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let span_of = |server: &Server| {
        server
            .passive()
            .max_fails
            .origin
            .span()
            .unwrap_or(server.head())
    };
    let span = blind
        .first()
        .map_or(backend.span, |(_, server)| span_of(server));
    let mut finding = Finding::new(
        severity,
        span,
        message,
        "set `max_fails=3`, with a short `fail_timeout`",
    )
    .label("failures are not counted")
    .backend(&backend.name);
    if let [(_, only)] = blind {
        finding = finding.server(&only.name);
    }
    for (_, server) in blind.iter().skip(1).take(RELATED) {
        finding = finding.related("here too", span_of(server));
    }
    match off {
        Some(span) => finding.related("no other server is tried", span),
        None => finding,
    }
}

/// Where the route switches the next try off, if it does; nobody but a person writes `off`.
fn never_retries(next: Option<&NextUpstream>) -> Option<Span> {
    let conditions = &next?.conditions;
    let off = conditions.known()?.iter().any(|word| word == "off");
    conditions.origin.span().filter(|_| off)
}

fn longest_connect(routes: &[&Route]) -> Option<Duration> {
    let timeouts = routes
        .iter()
        .filter_map(|route| route.connect_timeout.as_ref());
    timeouts
        .filter_map(|timeout| timeout.known().copied())
        .max()
}
