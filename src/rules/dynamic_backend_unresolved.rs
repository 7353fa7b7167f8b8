//! `dynamic-backend-unresolved`: a destination that is chosen while running and may not exist.
//!
//! In: routes whose target is made of variables, and the nginx blocks that give these their values.
//! Out: one finding per block or route.

use std::collections::BTreeSet;

use super::wording::names;
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Condition, Engine, Instance, Layer, Route, Split, SplitPart, Target, Text};

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

fn is_dynamic(route: &Route) -> bool {
    matches!(route.target, Target::Dynamic(_))
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
    if !instance.resolvers.is_empty() {
        return Vec::new();
    }
    let upstreams: BTreeSet<Text> = (instance.backends.iter())
        .filter(|backend| backend.declared)
        .map(|backend| backend.name.to_ascii_lowercase())
        .collect();
    let judged = instance
        .splits
        .iter()
        .filter_map(|split| unknown(instance, split, &upstreams));
    judged.collect()
}

fn unknown(instance: &Instance, split: &Split, upstreams: &BTreeSet<Text>) -> Option<Finding> {
    let route = instance.routes.get(split.used_by?)?;
    let Target::Dynamic(target) = &route.target else {
        return None;
    };
    if !is_host(target, &split.variable) {
        return None;
    }
    let lost: Vec<&SplitPart> = split
        .parts
        .iter()
        .filter(|part| !is_known(&part.value, upstreams))
        .collect();
    let first = lost.first()?;
    let values: Vec<&str> = lost.iter().map(|part| part.value.as_str()).collect();
    let (noun, verb) = if lost.len() == 1 {
        ("value", "is no upstream")
    } else {
        ("values", "are no upstreams")
    };
    let message = format!(
        "{noun} {} of `{}` {verb} and no `resolver` is set: {} while running, and `nginx -t` is silent",
        names(&values),
        split.variable,
        effect(instance, route)
    );
    let help = "define the upstream, or set a `resolver`";
    let finding = Finding::new(Severity::Warning, first.span, message, help)
        .label("no upstream of this name")
        .related(
            format!("`{}` is the destination here", split.variable),
            route.span,
        );
    Some(finding)
}

/// What clients see.
fn effect(instance: &Instance, route: &Route) -> &'static str {
    let listener = route.listener.and_then(|at| instance.listeners.get(at));
    match listener.map_or(Layer::Http, |listener| listener.layer) {
        Layer::Http => "502",
        Layer::Tcp | Layer::Udp | Layer::Log => "connections are closed",
    }
}

/// Whether the variable alone is the host of the target: behind a scheme, or as all of a target that
/// has none (`fastcgi_pass`, the `proxy_pass` of `stream`).
fn is_host(target: &str, variable: &str) -> bool {
    let Some((_, rest)) = target.split_once("://") else {
        return target == variable;
    };
    rest.strip_prefix(variable)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '$']))
}

/// Whether a value leads somewhere without DNS: an upstream, an address, a socket, `localhost`. What
/// is empty or made of variables is not judged here.
fn is_known(value: &str, upstreams: &BTreeSet<Text>) -> bool {
    let value = value.trim_matches(['"', '\'']).to_ascii_lowercase();
    let host = value.split('/').next().unwrap_or_default();
    value.is_empty()
        || value.contains('$')
        || value.starts_with("unix:")
        || value.contains("://")
        || upstreams.contains(host)
        || host.starts_with('[')
        || host.parse::<std::net::SocketAddr>().is_ok()
        || host.parse::<std::net::IpAddr>().is_ok()
}
