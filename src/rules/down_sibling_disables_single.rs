//! `down-sibling-disables-single`: nginx takes the only usable server out because a line is `down`.
//!
//! In: the servers of an upstream. Out: one finding per upstream.

use super::wording::{count, duration, names};
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Algorithm, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/down-sibling-disables-single.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    if matches!(backend.algorithm.value, Algorithm::Other(_)) {
        return;
    }
    let mut usable = backend.servers.iter().filter(|server| server.is_usable());
    let (Some(only), None) = (usable.next(), usable.next()) else {
        return;
    };
    // A name is as many servers as it has addresses.
    let is_one = matches!(
        only.address.kind,
        AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Unix
    );
    let counted = only.passive().max_fails.known().is_some_and(|max| *max > 0);
    let down: Vec<&Server> = (backend.servers.iter())
        .filter(|server| server.disabled.known() == Some(&true))
        .collect();
    if only.is_primary() && is_one && counted && !down.is_empty() {
        findings.extend(finding(view, only, &down));
    }
}

fn finding(view: &BackendView<'_>, only: &Server, down: &[&Server]) -> Option<Finding> {
    let first = *down.first()?;
    let failures = usize::try_from(only.passive().max_fails.value).ok()?;
    let makes = if failures == 1 { "makes" } else { "make" };
    let are = if down.len() == 1 { "is" } else { "are" };
    let listed: Vec<&str> = down.iter().map(|server| server.name.as_str()).collect();
    let message = format!(
        "{} of `{}` {makes} all of {} unavailable for {}: it is the only usable server, but nginx takes it out because \
         {} {are} there as `down`",
        count(failures, "failure"),
        only.name,
        view.title(),
        duration(only.passive().fail_timeout.value),
        names(&listed),
    );
    let help = "delete the line that is `down`, or set `max_fails=0` on the other until it is back";
    let span = first.disabled.origin.span().unwrap_or(first.head());
    let finding = Finding::new(Severity::Warning, span, message, help)
        .backend(&view.backend.name)
        .label("counts as a second server")
        .related(
            format!("`{}` is the only usable one", only.name),
            only.head(),
        );
    Some(finding)
}
