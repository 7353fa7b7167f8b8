//! `check-options-without-check`: a health check is described and never switched on.
//!
//! In: check settings of a HAProxy backend and its servers. Out: at most one finding per backend.

use super::wording::count;
use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Layer, OriginKind, Server, ServerOptions};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/check-options-without-check.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let watched = |server: &Server| facts::is_checked(server) || server.has_agent();
    if backend.layer == Layer::Log
        || backend.servers.is_empty()
        || backend.servers.iter().any(watched)
    {
        return;
    }
    let Some((span, what)) = described(backend) else {
        return;
    };
    let servers = match backend.servers.len() {
        1 => "its server has no `check`".to_owned(),
        number => format!("none of its {} has `check`", count(number, "server")),
    };
    let message = format!(
        "backend `{}` configures {what}, but {servers}: nothing is ever checked",
        backend.name
    );
    let finding = Finding::new(Severity::Error, span, message, "add `check` to its servers")
        .label("has no effect")
        .backend(&backend.name);
    findings.push(match backend.servers.first() {
        Some(first) => finding.related("no `check` here", first.head()),
        None => finding,
    });
}

/// What this section itself says about checks. What `defaults` says is meant for other backends.
fn described(backend: &Backend) -> Option<(Span, &'static str)> {
    if let Some(span) = backend.check_protocol.origin.own_span() {
        return Some((span, "a health check"));
    }
    backend
        .servers
        .iter()
        .find_map(|server| of_server(&server.options))
}

fn of_server(options: &ServerOptions) -> Option<(Span, &'static str)> {
    let timing = &options.timing;
    let settings = [
        (Some(timing.inter.origin), "`inter`"),
        (Some(timing.fastinter.origin), "`fastinter`"),
        (Some(timing.downinter.origin), "`downinter`"),
        (Some(timing.rise.origin), "`rise`"),
        (Some(timing.fall.origin), "`fall`"),
        (
            options.check_port.as_ref().map(|it| it.origin),
            "a check `port`",
        ),
        (
            options.check_addr.as_ref().map(|it| it.origin),
            "a check `addr`",
        ),
        (options.observe.as_ref().map(|it| it.origin), "`observe`"),
    ];
    settings
        .into_iter()
        .find_map(|(origin, what)| match origin?.kind() {
            OriginKind::Explicit | OriginKind::DefaultServer => Some((origin?.span()?, what)),
            OriginKind::Defaults
            | OriginKind::OuterScope
            | OriginKind::EngineDefault
            | OriginKind::Opaque => None,
        })
}
