//! `dangling-backend-reference`: a route to a name that nothing defines.
//!
//! In: routes, and nginx's backends implied by a host name. Out: one finding per name.

use std::collections::{BTreeMap, BTreeSet};

use self::spelling::{Speller, is_slip};
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Backend, Engine, Instance, Port, Route, Target, Text};

mod spelling;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/dangling-backend-reference.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    match instance.engine {
        Engine::Haproxy if instance.fragment => {}
        Engine::Haproxy => undefined_names(instance, findings),
        Engine::Nginx => misspelt_upstreams(instance, findings),
    }
}

fn undefined_names(instance: &Instance, findings: &mut Vec<Finding>) {
    let mut routes: BTreeMap<&Text, Vec<&Route>> = BTreeMap::new();
    for route in &instance.routes {
        if let Target::Undefined(name) = &route.target {
            routes.entry(name).or_default().push(route);
        }
    }
    let mut speller = of_all(instance);
    for (name, routes) in routes {
        findings.extend(undefined(instance, name, &routes, speller.nearest(name)));
    }
}

/// The backends that references were probably meant for: they look unused, and are not the fault.
pub(super) fn meant(instance: &Instance) -> BTreeSet<&Text> {
    let mut speller = of_all(instance);
    let undefined = instance
        .routes
        .iter()
        .filter_map(|route| match &route.target {
            Target::Undefined(name) => Some(name),
            Target::Backend(_) | Target::Dynamic(_) => None,
        });
    let undefined: BTreeSet<&Text> = undefined.collect();
    let meant = undefined
        .into_iter()
        .filter_map(|name| speller.nearest(name));
    let slips = slips(instance);
    let upstreams = slips.iter().filter_map(|slip| Some(&slip.upstream?.name));
    meant.chain(upstreams).collect()
}

fn of_all(instance: &Instance) -> Speller<'_> {
    let backends = instance.backends.iter().enumerate();
    let names = backends.map(|(index, backend)| (&backend.name, is_used(instance, index)));
    Speller::new(names.collect())
}

fn undefined(
    instance: &Instance,
    name: &Text,
    routes: &[&Route],
    similar: Option<&Text>,
) -> Option<Finding> {
    let (route, others) = routes.split_first()?;
    let listener = route
        .listener
        .and_then(|index| instance.listeners.get(index));
    let from = listener.map_or_else(
        || "a route".to_owned(),
        |it| format!("frontend `{}`", it.name),
    );
    let guess = similar.map_or_else(String::new, |it| format!("; did you mean `{it}`"));
    let message = format!(
        "{from} uses backend `{name}`, which is not defined: haproxy refuses to start{guess}"
    );
    let help = match similar {
        Some(similar) => format!("write `{similar}`, or define `backend {name}`"),
        None => format!("define `backend {name}`, or add the file that does to this instance"),
    };
    let mut finding = Finding::new(Severity::Error, route.span, message, help)
        .label("no such backend")
        .backend(name);
    if let Some(listener) = listener {
        finding = finding.listener(&listener.name);
    }
    for other in others.iter().take(RELATED) {
        finding = finding.related("used here too", other.span);
    }
    Some(finding)
}

/// A host of nginx that is none: it was meant to be an upstream.
struct Slip<'a> {
    host: &'a str,
    /// The upstream that it was probably meant to be.
    upstream: Option<&'a Backend>,
    route: &'a Route,
    /// Whether it has no port, so that it cannot be a host at all.
    portless: bool,
}

fn misspelt_upstreams(instance: &Instance, findings: &mut Vec<Finding>) {
    findings.extend(slips(instance).iter().map(misspelt));
}

/// The hosts that this rule reports.
pub(super) fn misspelt_hosts(instance: &Instance) -> BTreeSet<&str> {
    slips(instance).iter().map(|slip| slip.host).collect()
}

/// One slip per host. What a part of a configuration names may stand in another part: there the
/// upstream has to be one that nothing else uses.
fn slips(instance: &Instance) -> Vec<Slip<'_>> {
    if instance.engine != Engine::Nginx {
        return Vec::new();
    }
    let bare: Vec<(usize, &str, bool)> = (instance.backends.iter().enumerate())
        .filter_map(|(index, backend)| {
            bare_host(backend).map(|(host, portless)| (index, host, portless))
        })
        .collect();
    // Most configurations have none, and the comparison is dear.
    if bare.is_empty() {
        return Vec::new();
    }
    let upstreams: BTreeMap<&Text, (&Backend, bool)> = (instance.backends.iter().enumerate())
        .map(|(index, backend)| (backend, is_used(instance, index)))
        .filter(|(backend, used)| backend.declared && !(instance.fragment && *used))
        .map(|(backend, used)| (&backend.name, (backend, used)))
        .collect();
    let names = upstreams.iter().map(|(name, (_, used))| (*name, *used));
    let mut speller = Speller::new(names.collect());
    let hosts = hosts(instance);
    let mut seen = BTreeSet::new();
    let mut slips = Vec::new();
    for (index, host, portless) in bare {
        if !seen.insert(host) {
            continue;
        }
        let upstream = speller
            .nearest(host)
            .and_then(|name| upstreams.get(name))
            // What is a server somewhere is a host.
            .filter(|_| portless || !hosts.contains(host))
            .filter(|(upstream, used)| is_slip(host, &upstream.name, *used))
            .map(|(upstream, _)| *upstream);
        let is_none = upstream.is_some() || (portless && !instance.fragment);
        if let Some(route) = instance.routes_to(index).next().filter(|_| is_none) {
            slips.push(Slip {
                host,
                upstream,
                route,
                portless,
            });
        }
    }
    slips
}

fn is_used(instance: &Instance, index: usize) -> bool {
    instance.routes_to(index).next().is_some()
}

/// The hosts of the servers of upstreams.
fn hosts(instance: &Instance) -> BTreeSet<&str> {
    let declared = instance.backends.iter().filter(|backend| backend.declared);
    declared
        .flat_map(|backend| &backend.servers)
        .map(|server| server.address.host())
        .collect()
}

/// The host of a backend that nobody declared, if it could be the name of an upstream: a single label
/// that leaves the port to the scheme, or any name where there is no port at all. With a port it is
/// meant as a host.
fn bare_host(backend: &Backend) -> Option<(&str, bool)> {
    let address = &backend
        .servers
        .first()
        .filter(|_| !backend.declared)?
        .address;
    if address.kind != AddressKind::Name || matches!(address.port, Port::Fixed(_)) {
        return None;
    }
    let host = address.host();
    let portless = address.port == Port::None;
    let bare = !host.contains('.') && !host.eq_ignore_ascii_case("localhost");
    (bare || portless).then_some((host, portless))
}

fn misspelt(slip: &Slip<'_>) -> Finding {
    let host = slip.host;
    let guess = slip
        .upstream
        .map_or_else(String::new, |it| format!(" (did you mean `{}`)", it.name));
    let effect = if slip.portless {
        " and has no port: nginx refuses to start"
    } else {
        ": nginx looks the name up in DNS when it starts"
    };
    let help = match slip.upstream {
        Some(upstream) => format!(
            "write `{}`, or give the host its port or domain",
            upstream.name
        ),
        None => format!("define `upstream {host}`, or write the port: `{host}:PORT`"),
    };
    let message = format!("`{host}` is not an upstream{guess}{effect}");
    let mut finding = Finding::new(Severity::Error, slip.route.span, message, help)
        .label("no upstream of this name")
        .backend(&Text::from(host));
    if let Some(upstream) = slip.upstream {
        finding = finding.related(format!("upstream `{}`", upstream.name), upstream.span);
    }
    finding
}
