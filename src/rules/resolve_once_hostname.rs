//! `resolve-once-hostname`: names of servers that are looked up when the proxy starts, and never
//! again.
//!
//! In: the addresses of servers, and nginx's backends implied by a host name. Out: one finding per
//! backend, one per host that is written straight into `proxy_pass`, and one for all names without a
//! dot.

use std::collections::{BTreeMap, BTreeSet};

use super::wording::names;
use super::{Check, Context, Rule, dangling_backend_reference};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Backend, Engine, Layer, Port, Server, Text, Version};
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
    let mut found = Found::default();
    let misspelt = dangling_backend_reference::misspelt_hosts(context.instance);
    for (index, backend) in context.instance.backends.iter().enumerate() {
        let fixed: Vec<&Server> = backend.servers.iter().filter(|it| is_fixed(it)).collect();
        let Some(first) = fixed.first().filter(|_| backend.layer != Layer::Log) else {
            continue;
        };
        if backend.declared {
            found.declared.push((backend, fixed));
            continue;
        }
        // A name that is misspelt is not to be resolved at all, and one without any port can only be
        // an upstream.
        let host = first.address.host();
        if first.address.port == Port::None || misspelt.contains(host) {
            continue;
        }
        let places = found.implied.entry(host).or_default();
        places.push(backend.span);
        let routes = context.instance.routes_to(index);
        let spans = routes.map(|route| route.span);
        places.extend(spans.filter(|span| !covers(*span, backend.span)));
    }
    findings.extend(found.findings(context));
}

/// Where names are that are looked up once.
#[derive(Default)]
struct Found<'a> {
    /// Backends with their servers.
    declared: Vec<(&'a Backend, Vec<&'a Server>)>,
    /// Hosts that stand in a route, with the places.
    implied: BTreeMap<&'a str, Vec<Span>>,
}

impl Found<'_> {
    /// One finding per backend and per host, and one for all names without a dot: these are often of
    /// the machine itself or of its container network, so they are a single hint.
    fn findings(&self, context: &Context<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut bare: Vec<(&str, Span)> = Vec::new();
        let mut backends: Vec<&Backend> = Vec::new();
        for (backend, servers) in &self.declared {
            let hosts = servers
                .iter()
                .map(|server| (server.address.host(), server.head()));
            if hosts
                .clone()
                .all(|(host, _)| severity(host) == Severity::Info)
            {
                bare.extend(hosts);
                backends.push(backend);
            } else {
                findings.extend(of_backend(context, backend, servers));
            }
        }
        for (host, places) in &self.implied {
            if severity(host) == Severity::Info {
                bare.extend(places.iter().map(|place| (*host, *place)));
            } else {
                findings.extend(of_host(context, host, places));
            }
        }
        let in_route = |host: &&str| severity(host) == Severity::Info;
        let in_upstreams = !self.implied.keys().any(in_route);
        let only = match backends.as_slice() {
            [backend] if in_upstreams => Some(*backend),
            _ => None,
        };
        let help = help(context, in_upstreams);
        findings.extend(of_bare_names(context, &bare, only, help));
        findings
    }
}

fn of_bare_names(
    context: &Context<'_>,
    places: &[(&str, Span)],
    only: Option<&Backend>,
    help: &'static str,
) -> Option<Finding> {
    let ((_, span), others) = places.split_first()?;
    let mut seen = BTreeSet::new();
    let hosts: Vec<&str> = (places.iter().map(|(host, _)| *host))
        .filter(|host| seen.insert(*host))
        .collect();
    let place = only.map_or_else(String::new, |backend| {
        let word = context.instance.engine.backend_word();
        format!(" in {word} `{}`", backend.name)
    });
    let message = consequence(&hosts, &place);
    let finding = Finding::new(Severity::Info, *span, message, help);
    let finding = with_places(finding, *span, others.iter().map(|(_, place)| *place));
    Some(match only {
        Some(backend) => finding.backend(&backend.name),
        None => finding,
    })
}

/// Marks the first lines that are not the one of the finding itself; slots of a template share one.
fn with_places(mut finding: Finding, span: Span, places: impl Iterator<Item = Span>) -> Finding {
    let mut seen = BTreeSet::from([span]);
    for place in places.filter(|place| seen.insert(*place)).take(RELATED) {
        finding = finding.related("looked up once too", place);
    }
    finding.label("looked up once")
}

fn consequence(hosts: &[&str], place: &str) -> String {
    let (verb, change) = match hosts {
        [_] => ("is", "its address changes"),
        _ => ("are", "an address changes"),
    };
    format!(
        "{}{place} {verb} resolved only at start and reload: when {change} traffic keeps going to the old host",
        names(hosts)
    )
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
        && !is_local(server.address.host())
        && is_name(server.address.host())
}

/// Whether it can be a name at all, and not the placeholder of a template such as `<ip>`.
fn is_name(host: &str) -> bool {
    (host.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Names that the host itself defines, and those that spell out their address.
fn is_local(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    matches!(
        host.as_str(),
        "localhost" | "ip6-localhost" | "ip6-loopback" | "localhost.localdomain"
    ) || host.ends_with(".localhost")
        || [".docker.internal", ".nip.io", ".sslip.io"]
            .iter()
            .any(|domain| host.ends_with(domain))
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

fn of_backend(context: &Context<'_>, backend: &Backend, fixed: &[&Server]) -> Option<Finding> {
    let worst = |server: &&&Server| std::cmp::Reverse(severity(server.address.host()));
    let leading = fixed.iter().min_by_key(worst)?;
    let mut seen = BTreeSet::new();
    let mut hosts: Vec<&str> = (fixed.iter().map(|server| server.address.host()))
        .filter(|host| seen.insert(*host))
        .collect();
    hosts.sort_by_key(|host| std::cmp::Reverse(severity(host)));
    let word = context.instance.engine.backend_word();
    let message = consequence(&hosts, &format!(" in {word} `{}`", backend.name));
    let severity = severity(leading.address.host());
    let finding = Finding::new(severity, leading.head(), message, help(context, true));
    let places = fixed.iter().map(|server| server.head());
    Some(with_places(finding, leading.head(), places).backend(&backend.name))
}

fn of_host(context: &Context<'_>, host: &str, places: &[Span]) -> Option<Finding> {
    let (first, others) = places.split_first()?;
    let message = consequence(&[host], "");
    let finding = Finding::new(severity(host), *first, message, help(context, false));
    Some(with_places(finding, *first, others.iter().copied()).backend(&Text::from(host)))
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
