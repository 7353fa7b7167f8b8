//! `cookie-coverage`: cookie persistence that some servers do not take part in.
//!
//! In: `cookie` of a HAProxy backend and of its servers. Out: a finding for each value that primaries
//! share, and one for values that are missing or that nothing reads.

use std::collections::BTreeMap;

use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Cookie, Layer, Server, Setting, Text};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/cookie-coverage.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let in_use = backend.cookie.is_some() || backend.servers.iter().any(|it| it.cookie().is_some());
    if backend.layer != Layer::Http || !in_use {
        return;
    }
    let primaries: Vec<&Server> = backend.usable_primaries().collect();
    if primaries.len() < 2 {
        return;
    }
    let Some(cookie) = &backend.cookie else {
        findings.extend(unread(view, &primaries));
        return;
    };
    if cookie.is_opaque() || cookie.value.dynamic {
        return;
    }
    findings.extend(missing(view, &primaries, cookie));
    duplicates(view, &primaries, findings);
}

/// Server values that no `cookie` line of the backend makes use of.
fn unread(view: &BackendView<'_>, primaries: &[&Server]) -> Option<Finding> {
    let with: Vec<&&Server> = primaries
        .iter()
        .filter(|server| server.cookie().is_some())
        .collect();
    let first = with.first()?;
    let span = first.cookie()?.origin.span()?;
    let listed: Vec<&str> = with.iter().map(|server| server.name.as_str()).collect();
    let message = format!(
        "backend `{}` has no `cookie` line, so the cookie values of {} do nothing: clients are not kept on their server",
        view.backend.name,
        names(&listed)
    );
    let help = "add `cookie NAME insert indirect nocache` to the backend, or remove the values";
    let finding = Finding::new(Severity::Warning, span, message, help);
    Some(
        finding
            .label("nothing reads this")
            .backend(&view.backend.name),
    )
}

/// Servers that clients can never be kept on.
fn missing(
    view: &BackendView<'_>,
    primaries: &[&Server],
    cookie: &Setting<Cookie>,
) -> Option<Finding> {
    let (with, without): (Vec<&Server>, Vec<&Server>) =
        (primaries.iter().copied()).partition(|server| server.cookie().is_some());
    if with.is_empty() {
        return none_has_one(view, cookie);
    }
    let first = without.first()?;
    let listed: Vec<&str> = without.iter().map(|server| server.name.as_str()).collect();
    let (noun, verb) = if without.len() == 1 {
        ("server", "has")
    } else {
        ("servers", "have")
    };
    let message = format!(
        "{noun} {} of backend `{}` {verb} no `cookie` value while {} of {} have one: clients first sent there are not kept",
        names(&listed),
        view.backend.name,
        with.len(),
        primaries.len(),
    );
    let help = format!("add a value of its own, such as `cookie {}`", first.name);
    let mut finding = Finding::new(Severity::Warning, first.head(), message, help)
        .label("no `cookie` value")
        .backend(&view.backend.name);
    if without.len() == 1 {
        finding = finding.server(&first.name);
    }
    for server in without.iter().skip(1).take(RELATED) {
        finding = finding.related("none here either", server.head());
    }
    Some(match cookie.origin.span() {
        Some(span) => finding.related("the backend keeps clients by cookie", span),
        None => finding,
    })
}

/// A `cookie` line that works on nothing; one that `defaults` hands to every backend is no fault.
fn none_has_one(view: &BackendView<'_>, cookie: &Setting<Cookie>) -> Option<Finding> {
    let span = cookie.origin.own_span()?;
    let message = format!(
        "no server of backend `{}` has a `cookie` value, so cookie `{}` keeps no client on its server",
        view.backend.name, cookie.value.name
    );
    let help = "add `cookie VALUE` to every server, a different one each";
    let finding = Finding::new(Severity::Warning, span, message, help);
    Some(
        finding
            .label("no server takes part")
            .backend(&view.backend.name),
    )
}

fn duplicates(view: &BackendView<'_>, primaries: &[&Server], findings: &mut Vec<Finding>) {
    let mut owners: BTreeMap<&Text, Vec<&Server>> = BTreeMap::new();
    for server in primaries {
        if let Some(value) = server.cookie().and_then(Setting::known) {
            owners.entry(value).or_default().push(server);
        }
    }
    for (value, owners) in owners {
        if let [first, second, ..] = owners.as_slice() {
            findings.push(duplicate(view, value, &owners, (first, second)));
        }
    }
}

fn duplicate(
    view: &BackendView<'_>,
    value: &Text,
    owners: &[&Server],
    (first, second): (&Server, &Server),
) -> Finding {
    let listed: Vec<&str> = owners.iter().map(|server| server.name.as_str()).collect();
    let all = if owners.len() == 2 { "both" } else { "all" };
    let message = format!(
        "{} of backend `{}` share the cookie value `{value}`: returning clients of {all} go to `{}`",
        names(&listed),
        view.backend.name,
        first.name
    );
    let place = |server: &Server| {
        let written = server.cookie().and_then(|cookie| cookie.origin.span());
        written.unwrap_or(server.head())
    };
    let help = format!("give `{}` a value of its own", second.name);
    Finding::new(Severity::Error, place(second), message, help)
        .label("not its own")
        .related(format!("`{}` has it first", first.name), place(first))
        .backend(&view.backend.name)
        .server(&second.name)
}
