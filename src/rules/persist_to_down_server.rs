//! `persist-to-down-server`: returning clients are sent to a server that is known to be down.
//!
//! In: persistence and redispatch of a HAProxy backend. Out: one finding per backend.

use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Redispatch};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/persist-to-down-server.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let persists = backend.persist.known() == Some(&true);
    let stays = backend.redispatch.known() == Some(&Redispatch::Off);
    if !persists || !stays || backend.usable_primaries().nth(1).is_none() {
        return;
    }
    // What nobody checks is never known to be down.
    let checked = backend.usable_primaries().any(facts::is_checked);
    if let Some((kept_by, span)) = kept_by(backend).filter(|_| checked) {
        findings.push(finding(view, kept_by, span));
    }
}

/// What ties a client to its server, and where it is written.
fn kept_by(backend: &Backend) -> Option<(&'static str, Option<Span>)> {
    let cookie = backend.cookie.as_ref();
    let cookie = cookie.map(|cookie| ("cookie", cookie.origin.span()));
    let stick = backend.stick_rules.first();
    cookie.or_else(|| Some(("table entry", Some(stick?.span))))
}

fn finding(view: &BackendView<'_>, kept_by: &str, kept: Option<Span>) -> Finding {
    let backend = view.backend;
    let message = format!(
        "{} keeps clients on a server that is down: whoever has its {kept_by} gets errors until it is back, although {} \
         others may be up",
        view.title(),
        backend.usable_primaries().count() - 1,
    );
    let help = "take `option persist` out, or add `option redispatch`";
    let span = backend.persist.origin.span().unwrap_or(backend.span);
    let finding = Finding::new(Severity::Warning, span, message, help)
        .backend(&backend.name)
        .label("without `option redispatch`");
    match kept {
        Some(span) => finding.related("what keeps them", span),
        None => finding,
    }
}
