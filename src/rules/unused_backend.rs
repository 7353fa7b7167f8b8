//! `unused-backend`: servers that no route reaches.
//!
//! In: routes, splits and `track` of a whole instance. Out: one finding per backend.

use std::collections::BTreeSet;

use super::wording::count;
use super::{Check, Context, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Instance, Layer, Target};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/unused-backend.md"),
    check: Check::Instance(check),
    options: &[],
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    if !facts::shows_routes(instance) || instance.routes.is_empty() {
        return;
    }
    let Some(named) = named_while_running(instance) else {
        return;
    };
    let routed: BTreeSet<usize> = (instance.routes.iter())
        .filter_map(|route| match route.target {
            Target::Backend(index) => Some(index),
            Target::Undefined(_) | Target::Dynamic(_) => None,
        })
        .collect();
    for (index, backend) in instance.backends.iter().enumerate() {
        let used = routed.contains(&index) || named.contains(backend.name.as_str());
        if !used && can_take_traffic(backend) {
            findings.push(finding(context, backend));
        }
    }
}

/// The backends that are named elsewhere: by `track`, or as a value of a block. `None` where a name is
/// made while running, so that any backend may be meant.
fn named_while_running(instance: &Instance) -> Option<BTreeSet<&str>> {
    let dynamic = |target: &Target| matches!(target, Target::Dynamic(_));
    if instance.routes.iter().any(|route| dynamic(&route.target)) {
        return None;
    }
    let values = instance
        .splits
        .iter()
        .flat_map(|split| &split.parts)
        .map(|part| part.value.as_str());
    let servers = instance
        .backends
        .iter()
        .flat_map(|backend| &backend.servers);
    let tracked = servers.filter_map(|server| server.options.track.as_ref());
    let tracked = tracked.filter_map(|track| Some(track.value.split_once('/')?.0));
    Some(values.chain(tracked).collect())
}

/// Sections without servers hold tables and answers of their own.
fn can_take_traffic(backend: &Backend) -> bool {
    backend.declared && backend.layer != Layer::Log && backend.usable_primaries().next().is_some()
}

fn finding(context: &Context<'_>, backend: &Backend) -> Finding {
    let word = context.instance.engine.backend_word();
    let message = format!(
        "{word} `{}` is never used: its {} get no traffic",
        backend.name,
        count(backend.servers.len(), "server")
    );
    let message = if backend.servers.len() == 1 {
        message.replace(" get ", " gets ")
    } else {
        message
    };
    Finding::new(
        Severity::Info,
        backend.span,
        message,
        "route traffic to it, or delete it",
    )
    .label("no route leads here")
    .backend(&backend.name)
}
