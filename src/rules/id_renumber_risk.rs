//! `id-renumber-risk`: the position of a line decides which keys a HAProxy server gets.

use super::tier::{Tier, names_of};
use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, HashMethod, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/id-renumber-risk.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let on_ring = matches!(backend.algorithm.value, Algorithm::Hash(_))
        && backend.hash_type.value.method == HashMethod::Ring;
    let in_order = backend.algorithm.value == Algorithm::First;
    if !on_ring && !in_order {
        return;
    }
    let primaries = || backend.servers.iter().filter(|server| server.is_primary());
    if Tier::of(view).is_none() || primaries().nth(2).is_none() {
        return;
    }
    let positional = |server: &&Server| !server.id().is_written() && !has_own_key(server, on_ring);
    let by_position: Vec<&Server> = primaries().filter(positional).collect();
    let Some(first) = by_position.first() else {
        return;
    };
    let effect = if on_ring {
        "moves most keys to other servers"
    } else {
        "changes the order in which servers are filled"
    };
    let message = format!(
        "{} of {} get their ids from their position: a line inserted above them {effect}",
        names(&names_of(by_position.iter().copied())),
        view.title(),
    );
    let help = format!(
        "write the present ids, beginning with `id {}` on `{}`: nothing moves",
        first.id().value,
        first.name
    );
    findings.push(
        Finding::new(Severity::Info, first.head(), message, help)
            .backend(&backend.name)
            .label(format!("id {} by position", first.id().value)),
    );
}

/// `hash-key addr` and the like (3.0) put a server on the ring by something else than its id.
fn has_own_key(server: &Server, on_ring: bool) -> bool {
    let key = server.options.hash_key.as_ref();
    on_ring && key.is_some_and(|key| key.is_opaque() || !key.value.starts_with("id"))
}
