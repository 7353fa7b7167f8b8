//! `map-based-hash-reshuffle`: with one server fewer, most keys go to another server.

use super::tier::Tier;
use super::wording::percent;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, HashMethod, Server};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/map-based-hash-reshuffle.md"),
    check: Check::Backend(check),
    options: &[],
};

/// With two servers, half of the keys move whatever the mapping.
const LEAST_SERVERS: usize = 3;

/// Parts of a backend's name that say that keys must not move.
const CACHE_WORDS: &[&str] = &["cache", "varnish", "squid", "memcache"];

/// What makes keys move.
enum Mapping {
    /// HAProxy: any server that goes down.
    Map,
    /// nginx: a line that is deleted; `down` and failures move only the lost server's keys.
    Modulo(&'static str),
}

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(mapping) = mapping(view) else { return };
    let enough = |tier: &Tier<'_, '_>| tier.members.len() >= LEAST_SERVERS;
    if let Some(tier) = Tier::of(view).filter(enough) {
        findings.push(finding(&tier, &mapping));
    }
}

fn mapping(view: &BackendView<'_>) -> Option<Mapping> {
    let backend = view.backend;
    let is_hash = matches!(backend.algorithm.value, Algorithm::Hash(_));
    match backend.hash_type.value.method {
        _ if backend.algorithm.value == Algorithm::IpHash => Some(Mapping::Modulo("ip_hash")),
        HashMethod::Map if is_hash => {
            let changes = |server: &Server| {
                server.check.value || server.options.track.is_some() || server.template().is_some()
            };
            // A server that nothing watches never goes down.
            backend.servers.iter().any(changes).then_some(Mapping::Map)
        }
        HashMethod::Modulo if is_hash => Some(Mapping::Modulo("hash")),
        HashMethod::Map | HashMethod::Modulo | HashMethod::Ring | HashMethod::Ketama => None,
    }
}

fn finding(tier: &Tier<'_, '_>, mapping: &Mapping) -> Finding {
    let view = tier.view;
    let servers = tier.members.len();
    let moved = if tier.weight_ratio() > 1.0 {
        "most keys".to_owned()
    } else {
        format!("about {} of all keys", percent(1.0 - tier.fair()))
    };
    let (message, help) = match mapping {
        Mapping::Map => (
            format!(
                "one server going down moves {moved} of {} to other servers (map-based hash over \
                 {servers} servers)",
                view.title()
            ),
            "`hash-type consistent` with `default-server weight 100` moves only the lost server's keys",
        ),
        Mapping::Modulo(method) => (
            format!(
                "deleting one server line moves {moved} of {} to other servers (`{method}` over \
                 {servers} servers)",
                view.title()
            ),
            "use `hash KEY consistent`, or mark servers `down` where you would delete them",
        ),
    };
    let severity = match mapping {
        Mapping::Map if keeps_state(view) => Severity::Warning,
        Mapping::Map | Mapping::Modulo(_) => Severity::Info,
    };
    let backend = view.backend;
    let span = backend.algorithm.origin.span().unwrap_or(backend.span);
    Finding::new(severity, span, message, help)
        .backend(&backend.name)
        .label("keys follow the number of servers")
}

/// Whether a moved key costs more than a new connection.
fn keeps_state(view: &BackendView<'_>) -> bool {
    let backend = view.backend;
    let name = backend.name.to_lowercase();
    let annotated = || {
        let kind = |span: &Span| view.context.annotation(*span, "kind");
        let mut kinds = backend.comments.iter().filter_map(kind);
        kinds.any(|kind| kind == "cache" || kind == "stateful")
    };
    backend.cookie.is_some()
        || !backend.stick_rules.is_empty()
        || CACHE_WORDS.iter().any(|word| name.contains(word))
        || annotated()
}
