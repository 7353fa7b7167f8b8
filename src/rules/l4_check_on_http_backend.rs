//! `l4-check-on-http-backend`: checks that only open a connection while the servers speak HTTP.
//!
//! In: the check protocol of a HAProxy backend. Out: at most one finding per backend.

use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, CheckProtocol, Layer, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/l4-check-on-http-backend.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    if backend.layer != Layer::Http || !is_connect_only(backend) {
        return;
    }
    let judged: Vec<(usize, &Server)> = facts::tier(backend, true)
        .filter(|(_, server)| facts::is_checked_by_connect(server))
        .collect();
    let stand_ins = backend.usable_primaries().count() + backend.usable_backups().count();
    if !judged.is_empty() && stand_ins >= 2 {
        findings.push(finding(view, &judged));
    }
}

/// Whether a bare connect is known to be all that checks do.
fn is_connect_only(backend: &Backend) -> bool {
    (backend.check_protocol.known()).is_some_and(CheckProtocol::is_connect_only)
}

fn finding(view: &BackendView<'_>, judged: &[(usize, &Server)]) -> Finding {
    let backend = view.backend;
    let keeps = facts::loss(view, judged.iter().map(|(index, _)| *index)).map_or_else(
        || "its requests".to_owned(),
        |share| format!("{share} of requests"),
    );
    let tls = judged.iter().all(|(_, server)| speaks_tls(server));
    let opens = if tls {
        "TLS connects"
    } else {
        "the TCP port opens"
    };
    let message = format!(
        "backend `{}` checks only that {opens}: a server that answers 500 to everything stays up and keeps {keeps}",
        backend.name
    );
    // An agent may know better than the connect, so that is no more than advice.
    let agents = judged.iter().all(|(_, server)| server.has_agent());
    let severity = if agents {
        Severity::Info
    } else {
        Severity::Warning
    };
    let help =
        "add `option httpchk` with a cheap local endpoint, and `http-check expect status 200`";
    let mut finding = Finding::new(severity, backend.span, message, help)
        .label("no `option httpchk`")
        .backend(&backend.name);
    if let Some(span) = backend.check_protocol.origin.span() {
        finding = finding.related("this check expects no answer", span);
    }
    match judged
        .first()
        .and_then(|(_, server)| server.check.origin.span())
    {
        Some(span) => finding.related("the check is switched on here", span),
        None => finding,
    }
}

fn speaks_tls(server: &Server) -> bool {
    let set = |setting: &Option<crate::model::Setting<bool>>| {
        setting.as_ref().is_some_and(|setting| setting.value)
    };
    set(&server.options.check_ssl)
        || set(&server.options.ssl) && server.options.check_port.is_none()
}
