//! `dynamic-backend-unresolved`: a destination that is chosen while running and may not exist.
//!
//! In: routes whose target is made of variables, and the nginx blocks that give these their values.
//! Out: one finding per block or route.

use std::collections::{BTreeMap, BTreeSet};

use super::wording::names;
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Condition, Engine, Flow, Instance, Layer, Route, Target, Text};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/dynamic-backend-unresolved.md"),
    check: Check::Instance(check),
    options: &[],
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    if instance.fragment {
        return;
    }
    match instance.engine {
        Engine::Haproxy => findings.extend(without_default(instance)),
        Engine::Nginx => findings.extend(unknown_values(instance)),
    }
}

/// HAProxy: what the expression may give cannot be known, so there has to be a default behind it.
fn without_default(instance: &Instance) -> Vec<Finding> {
    let with_default: BTreeSet<Option<usize>> = (instance.routes.iter())
        .filter(|route| route.condition == Condition::Always && !is_dynamic(route))
        .map(|route| route.listener)
        .collect();
    let mut seen = BTreeSet::new();
    (instance.routes.iter())
        .filter(|route| is_dynamic(route) && route.listener.is_some())
        .filter(|route| !with_default.contains(&route.listener) && seen.insert(route.listener))
        .filter_map(|route| may_miss(instance, route))
        .collect()
}

/// Whether the name is made while running. Without an expression it is a section that is switched off.
fn is_dynamic(route: &Route) -> bool {
    matches!(&route.target, Target::Dynamic(name) if name.contains('%'))
}

fn may_miss(instance: &Instance, route: &Route) -> Option<Finding> {
    let listener = instance.listeners.get(route.listener?)?;
    let Target::Dynamic(expression) = &route.target else {
        return None;
    };
    let effect = match listener.layer {
        Layer::Http => "a value that names no backend gets 503",
        Layer::Tcp | Layer::Udp | Layer::Log => {
            "connections whose value names no backend are closed"
        }
    };
    let message = format!(
        "frontend `{}` has no `default_backend` behind `use_backend {expression}`: {effect}",
        listener.name
    );
    let finding = Finding::new(
        Severity::Warning,
        route.span,
        message,
        "add a `default_backend`",
    );
    Some(
        finding
            .label("may name no backend")
            .listener(&listener.name),
    )
}

/// nginx: a value that is no upstream is looked up in DNS while running, which needs a `resolver`.
fn unknown_values(instance: &Instance) -> Vec<Finding> {
    let made = |route: &Route| matches!(route.target, Target::Dynamic(_));
    if !instance.resolvers.is_empty() || !instance.routes.iter().any(made) {
        return Vec::new();
    }
    let declared = instance.backends.iter().map(|it| it.name.as_str());
    // A host that stands in some `proxy_pass` is an upstream too.
    let servers = instance.backends.iter().filter(|it| !it.declared);
    let implied = servers.flat_map(|it| it.servers.iter().map(|server| server.address.host()));
    let known: BTreeSet<String> = (declared.chain(implied))
        .map(str::to_ascii_lowercase)
        .collect();
    let mut flow = Flow::new(instance);
    let mut lost: BTreeMap<&Text, Lost<'_>> = BTreeMap::new();
    for route in &instance.routes {
        for candidate in flow.candidates(route) {
            if !is_known(&candidate.host, &known) {
                let first = lost.entry(candidate.variable).or_insert_with(|| Lost {
                    route,
                    values: BTreeMap::new(),
                });
                first.values.insert(candidate.span, candidate.host);
            }
        }
    }
    let findings = lost
        .iter()
        .filter_map(|(name, lost)| lost.finding(instance, name));
    findings.collect()
}

/// The values of a variable that lead nowhere.
struct Lost<'a> {
    /// A route that goes by them.
    route: &'a Route,
    /// The hosts that come out, by where their values are given.
    values: BTreeMap<Span, String>,
}

impl Lost<'_> {
    fn finding(&self, instance: &Instance, variable: &str) -> Option<Finding> {
        let (first, _) = self.values.first_key_value()?;
        let mut seen = BTreeSet::new();
        let hosts = self.values.values().map(String::as_str);
        let hosts: Vec<&str> = hosts.filter(|host| seen.insert(*host)).collect();
        let (noun, verb) = if hosts.len() == 1 {
            ("value", "is no upstream")
        } else {
            ("values", "are no upstreams")
        };
        let message = format!(
            "{noun} {} of `{variable}` {verb} and no `resolver` is set: {} while running, and `nginx -t` is silent",
            names(&hosts),
            effect(instance, self.route),
        );
        let help = "define the upstream, or set a `resolver`";
        let finding = Finding::new(Severity::Warning, *first, message, help)
            .label("no upstream of this name");
        let there = format!("`{variable}` is the destination here");
        Some(finding.related(there, self.route.span))
    }
}

/// What clients see.
fn effect(instance: &Instance, route: &Route) -> &'static str {
    let listener = route.listener.and_then(|at| instance.listeners.get(at));
    match listener.map_or(Layer::Http, |listener| listener.layer) {
        Layer::Http => "502",
        Layer::Tcp | Layer::Udp | Layer::Log => "connections are closed",
    }
}

/// Whether a host leads somewhere without DNS: an upstream, an address or a socket.
fn is_known(host: &str, known: &BTreeSet<String>) -> bool {
    known.contains(host)
        || host.starts_with('[')
        || host.parse::<std::net::SocketAddr>().is_ok()
        || host.parse::<std::net::IpAddr>().is_ok()
}
