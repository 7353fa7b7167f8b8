//! `resolve-once-hostname`: names of servers that are looked up when the proxy starts, and never
//! again.
//!
//! In: the addresses of servers, and nginx's backends implied by a host name. Out: one finding per
//! backend; hosts written straight into `proxy_pass` give one finding per host.

use std::collections::BTreeMap;

use super::wording::names;
use super::{Check, Context, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Backend, Engine, Layer, Server, Text, Version};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/resolve-once-hostname.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

/// The open source release from which `resolve` is part of nginx.
const NGINX_RESOLVE: Version = Version::new(1, 27, 3);

/// Domains whose addresses change by design: cloud load balancers and service discovery.
const MOVING: [&str; 17] = [
    ".amazonaws.com",
    ".awsglobalaccelerator.com",
    ".azureedge.net",
    ".azurefd.net",
    ".azurewebsites.net",
    ".cloudapp.azure.com",
    ".cloudapp.net",
    ".cloudfront.net",
    ".trafficmanager.net",
    ".appspot.com",
    ".run.app",
    ".herokuapp.com",
    ".fly.dev",
    ".consul",
    ".svc",
    ".svc.cluster.local",
    ".ondigitalocean.app",
];

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut implied: BTreeMap<&Text, Vec<Span>> = BTreeMap::new();
    let mut routes = None;
    for (index, backend) in context.instance.backends.iter().enumerate() {
        let fixed: Vec<&Server> = backend.servers.iter().filter(|it| is_fixed(it)).collect();
        let Some(first) = fixed.first().filter(|_| backend.layer != Layer::Log) else {
            continue;
        };
        if backend.declared {
            findings.push(of_backend(context, backend, first, &fixed));
            continue;
        }
        let routes = routes.get_or_insert_with(|| facts::routes_by_backend(context.instance));
        let routes = routes.get(index).map(Vec::as_slice).unwrap_or_default();
        let places = implied.entry(&first.address.host).or_default();
        places.push(backend.span);
        places.extend(
            routes
                .iter()
                .map(|route| route.span)
                .filter(|it| !covers(*it, backend.span)),
        );
    }
    findings.extend(
        implied
            .iter()
            .filter_map(|(host, places)| of_host(context, host, places)),
    );
}

fn covers(outer: Span, inner: Span) -> bool {
    outer.source == inner.source && outer.start <= inner.start && inner.end <= outer.end
}

/// Whether the name of a usable server is looked up once. A server of HAProxy that starts without an
/// address (`init-addr none`) waits for one from elsewhere.
fn is_fixed(server: &Server) -> bool {
    let options = &server.options;
    let waits = (options.init_addr.as_ref()).is_some_and(|it| it.is_opaque() || it.value == "none");
    server.address.kind == AddressKind::Name
        && server.is_usable()
        && options.resolvers.is_none()
        && !waits
        && !is_local(&server.address.host)
}

/// Names that the host itself defines.
fn is_local(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    matches!(
        host.as_str(),
        "localhost" | "ip6-localhost" | "ip6-loopback" | "localhost.localdomain"
    ) || host.ends_with(".localhost")
        || host.ends_with(".docker.internal")
}

/// How likely the address behind a name changes.
fn severity(host: &str) -> Severity {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if MOVING.iter().any(|domain| host.ends_with(domain)) {
        Severity::Error
    } else if host.contains('.') {
        Severity::Warning
    } else {
        Severity::Info
    }
}

fn of_backend(
    context: &Context<'_>,
    backend: &Backend,
    first: &Server,
    fixed: &[&Server],
) -> Finding {
    let mut hosts: Vec<&str> = fixed
        .iter()
        .map(|server| server.address.host.as_str())
        .collect();
    hosts.sort_by_key(|host| std::cmp::Reverse(severity(host)));
    hosts.dedup();
    let worst = hosts.first().copied().unwrap_or_default();
    let leading = fixed
        .iter()
        .find(|it| it.address.host == worst)
        .unwrap_or(&first);
    let (verb, it) = if hosts.len() == 1 {
        ("is", "its")
    } else {
        ("are", "an")
    };
    let message = format!(
        "{} in {} `{}` {verb} resolved only at start and reload: after {it} address change traffic keeps going to the old host",
        names(&hosts),
        context.instance.engine.backend_word(),
        backend.name,
    );
    let mut finding = Finding::new(severity(worst), leading.head, message, help(context, true))
        .label("looked up once")
        .backend(&backend.name);
    let others = fixed.iter().filter(|it| it.head != leading.head);
    let mut last = leading.head;
    for server in others.take(RELATED) {
        if server.head != last {
            finding = finding.related("looked up once too", server.head);
            last = server.head;
        }
    }
    finding
}

fn of_host(context: &Context<'_>, host: &Text, places: &[Span]) -> Option<Finding> {
    let (first, others) = places.split_first()?;
    let message = format!(
        "`{host}` is resolved only at start and reload: after its address change traffic keeps going to the old host"
    );
    let mut finding = Finding::new(severity(host), *first, message, help(context, false))
        .label("looked up once")
        .backend(host);
    for place in others.iter().take(RELATED) {
        finding = finding.related("used here too", *place);
    }
    Some(finding)
}

fn help(context: &Context<'_>, in_upstream: bool) -> &'static str {
    match (context.instance.engine, in_upstream) {
        (Engine::Haproxy, _) => {
            "add a `resolvers` section, and `resolvers NAME init-addr last,none` to the server"
        }
        (Engine::Nginx, true) if context.instance.version >= NGINX_RESOLVE => {
            "add `resolve` to the server, with `zone` in the upstream and a `resolver`"
        }
        (Engine::Nginx, true) => {
            "`resolve` needs nginx 1.27.3: until then reload when the address changes, or put the name in a variable of `proxy_pass`"
        }
        (Engine::Nginx, false) => {
            "put the name in a variable (`set $upstream NAME;`) beside a `resolver`, so that nginx resolves it while running"
        }
    }
}
