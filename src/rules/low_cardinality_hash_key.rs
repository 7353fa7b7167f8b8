//! `low-cardinality-hash-key`: the hash key has a few values, so a few servers get everything.

use std::collections::BTreeSet;

use super::tier::Tier;
use super::wording::count;
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, Condition, Engine, HashKey, Listener, Text};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/low-cardinality-hash-key.md"),
    check: Check::Backend(check),
    options: &[RuleOption {
        name: "min-values",
        default: 10.0,
        summary: "values of the hash key per server that spread well enough",
    }],
};

/// A part of a hash key with a small range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The host that clients name.
    Host,
    /// The `server_name` of the block.
    ServerName,
    /// `http` or `https`, or another yes or no.
    Scheme,
    /// The method.
    Method,
    /// The address or port that clients connect to.
    Socket,
}

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Algorithm::Hash(key) = &view.backend.algorithm.value else {
        return;
    };
    let Some(parts) = parts(key) else { return };
    let Some(tier) = Tier::of(view) else { return };
    let servers = tier.members.len();
    let values = (parts.iter()).try_fold(1_usize, |product, part| {
        Some(product.saturating_mul(values(view, *part)?))
    });
    let enough = view.context.option(&RULE, "min-values");
    // Backends have far fewer servers, and files fewer names, than 2^32.
    let as_f64 = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if values.is_some_and(|values| as_f64(values) >= enough * as_f64(servers)) {
        return;
    }
    let severity = match values {
        Some(_) => Severity::Warning,
        None => Severity::Info,
    };
    let message = format!(
        "{} hashes {}, {}",
        view.title(),
        written(key),
        consequence(values, servers)
    );
    let help = "hash something with hundreds of values for each server, such as a session or user \
                id, or do not hash";
    let span = view.backend.algorithm.origin.span();
    let finding = Finding::new(severity, span.unwrap_or(view.backend.span), message, help)
        .backend(&view.backend.name)
        .label(match values {
            Some(values) => format!("{} here", count(values, "value")),
            None => "often a few values".to_owned(),
        });
    findings.push(finding);
}

fn consequence(values: Option<usize>, servers: usize) -> String {
    match values {
        Some(1) => format!("which has 1 value here: one of {servers} servers gets everything"),
        Some(values) if values < servers => format!(
            "which has {values} values here: at most {values} of {servers} servers get anything"
        ),
        Some(values) => format!(
            "which has {values} values here: too few to spread evenly over {servers} servers"
        ),
        None => format!(
            "one value for each host name: with a few names a few of {servers} servers get \
             everything"
        ),
    }
}

fn written(key: &HashKey) -> String {
    match key {
        HashKey::Header { name, .. } => format!("`hdr({name})`"),
        HashKey::Expression(text) | HashKey::Variables(text) => format!("`{text}`"),
        HashKey::Source
        | HashKey::Uri { .. }
        | HashKey::UrlParam { .. }
        | HashKey::RdpCookie(_) => "a key".to_owned(),
    }
}

/// The parts of a key, when all of them have a small range; none for a constant.
fn parts(key: &HashKey) -> Option<Vec<Part>> {
    match key {
        HashKey::Header { name, .. } if name.eq_ignore_ascii_case("host") => Some(vec![Part::Host]),
        HashKey::Expression(text) => expression(text),
        HashKey::Variables(text) => variables(text),
        HashKey::Header { .. }
        | HashKey::Source
        | HashKey::Uri { .. }
        | HashKey::UrlParam { .. }
        | HashKey::RdpCookie(_) => None,
    }
}

/// Converters of a HAProxy expression can only make its range smaller.
fn expression(text: &str) -> Option<Vec<Part>> {
    let fetch = text.split([',', ' ']).next().unwrap_or(text);
    let fetch = fetch.to_ascii_lowercase();
    let fetch = fetch.strip_prefix("req.").unwrap_or(&fetch);
    match fetch {
        "hdr(host)" | "fhdr(host)" => Some(vec![Part::Host]),
        "method" => Some(vec![Part::Method]),
        "ssl_fc" => Some(vec![Part::Scheme]),
        "dst" | "dst_port" => Some(vec![Part::Socket]),
        _ if fetch.starts_with("str(") || fetch.starts_with("int(") => Some(Vec::new()),
        _ => None,
    }
}

fn variables(text: &str) -> Option<Vec<Part>> {
    let names = text.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    });
    let mut parts = Vec::new();
    for name in names {
        let part = match name {
            "host" | "http_host" => Part::Host,
            "server_name" => Part::ServerName,
            "scheme" | "https" => Part::Scheme,
            "request_method" => Part::Method,
            "server_port" | "server_addr" => Part::Socket,
            _ => return None,
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    Some(parts)
}

/// The number of values of a part, where the file shows it.
fn values(view: &BackendView<'_>, part: Part) -> Option<usize> {
    match part {
        // GET, HEAD and POST carry nearly all traffic.
        Part::Method => Some(3),
        Part::Scheme => Some(2),
        Part::Host => hosts(view),
        Part::ServerName => {
            let names = listeners(view).map(|listener| &listener.name);
            Some(names.collect::<BTreeSet<_>>().len()).filter(|number| *number > 0)
        }
        Part::Socket => {
            let sockets: BTreeSet<&Text> = (listeners(view).flat_map(|one| &one.binds))
                .map(|bind| &bind.address.text)
                .collect();
            Some(sockets.len()).filter(|number| *number > 0)
        }
    }
}

fn listeners<'a>(view: &BackendView<'a>) -> impl Iterator<Item = &'a Listener> {
    let instance = view.context.instance;
    (instance.routes_to(view.index)).filter_map(|route| instance.listeners.get(route.listener?))
}

/// The host names that lead to the backend, where all of them are written.
fn hosts(view: &BackendView<'_>) -> Option<usize> {
    let instance = view.context.instance;
    let mut hosts: BTreeSet<&Text> = BTreeSet::new();
    for route in instance.routes_to(view.index) {
        let listener = route
            .listener
            .and_then(|index| instance.listeners.get(index));
        let names = match (instance.engine, &route.condition, listener) {
            (Engine::Haproxy, Condition::Host(names), _) => names,
            (Engine::Nginx, _, Some(listener))
                if listener.binds.iter().any(|b| b.default_server) =>
            {
                return None;
            }
            (Engine::Nginx, _, Some(listener)) => &listener.server_names,
            (Engine::Haproxy | Engine::Nginx, ..) => return None,
        };
        let open = |name: &Text| name.is_empty() || name.contains(['*', '~', '$']) || name == "_";
        if names.is_empty() || names.iter().any(open) {
            return None;
        }
        hosts.extend(names);
    }
    Some(hosts.len()).filter(|number| *number > 0)
}
