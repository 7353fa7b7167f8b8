//! `unused-backend`: servers that no route reaches.
//!
//! In: the routes of a whole instance, and the words of its files. Out: one finding per backend.

use std::collections::{BTreeMap, BTreeSet};

use super::wording::count;
use super::{Check, Context, Rule, dangling_backend_reference};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Instance, Layer, Target};
use crate::source::{SourceId, Span};

mod words;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/unused-backend.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Directives that bring in what may name a backend: code, and files of other formats.
const CODE: [&str; 5] = [
    "filter",
    "lua-load",
    "lua-load-per-thread",
    "js_import",
    "js_include",
];

/// With more kinds of names that are made while running nothing is said, so that the work stays small.
const MOST_PATTERNS: usize = 100;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    if !instance.shows_routes() || instance.routes.is_empty() {
        return;
    }
    let made = made_names(instance);
    if has_code(instance) || made.len() > MOST_PATTERNS {
        return;
    }
    let may_be_made = |name: &str| {
        (made.iter()).any(|(front, back)| name.starts_with(front) && name.ends_with(back))
    };
    let routed: BTreeSet<usize> = (instance.routes.iter())
        .filter_map(|route| match route.target {
            Target::Backend(index) => Some(index),
            Target::Undefined(_) | Target::Dynamic(_) => None,
        })
        .collect();
    let idle: Vec<&Backend> = (instance.backends.iter().enumerate())
        .filter(|(index, backend)| !routed.contains(index) && can_take_traffic(backend))
        .filter(|(_, backend)| !may_be_made(&backend.name))
        .map(|(_, backend)| backend)
        .collect();
    if idle.is_empty() {
        return;
    }
    let mentioned = mentioned(context, &idle);
    let meant = dangling_backend_reference::meant(instance);
    let unused = idle.iter().filter(|backend| {
        !mentioned.contains(backend.name.as_bytes()) && !meant.contains(&backend.name)
    });
    findings.extend(unused.map(|backend| finding(context, backend)));
}

/// Whether code that is not read here may choose any backend.
fn has_code(instance: &Instance) -> bool {
    let mut directives = CODE.iter();
    directives.any(|directive| instance.not_modelled.contains_key(*directive))
}

/// The names that may be made while running: what stands in front of the first and behind the last
/// variable part.
fn made_names(instance: &Instance) -> BTreeSet<(&str, &str)> {
    let dynamic = instance
        .routes
        .iter()
        .filter_map(|route| match &route.target {
            Target::Dynamic(text) => Some(ends(text)),
            Target::Backend(_) | Target::Undefined(_) => None,
        });
    dynamic.collect()
}

fn ends(text: &str) -> (&str, &str) {
    let name = text.split_once("://").map_or(text, |(_, name)| name);
    let front = name.split(['%', '$']).next().unwrap_or_default();
    // Only HAProxy marks where a variable part ends.
    let back = name.rsplit_once(']').map_or("", |(_, back)| back);
    (front, back)
}

/// The names of these backends that stand somewhere outside their own section, as whole words. A
/// backend whose name is used for anything, such as `nbsrv(NAME)` or a rule's table, serves a purpose.
fn mentioned(context: &Context<'_>, backends: &[&Backend]) -> BTreeSet<Vec<u8>> {
    let sections: BTreeMap<&[u8], &Backend> = (backends.iter())
        .map(|backend| (backend.name.as_bytes(), *backend))
        .collect();
    let engine = context.instance.engine;
    let mut mentioned = BTreeSet::new();
    for file in &context.instance.files {
        let source = context.sources.get(*file);
        for (at, word) in words::that_may_name_a_backend(engine, source.bytes()) {
            if let Some(backend) = sections.get(word)
                && !is_own(backend, *file, at)
            {
                mentioned.insert(word.to_vec());
            }
        }
    }
    mentioned
}

/// Whether a place is in the backend's own section.
fn is_own(backend: &Backend, file: SourceId, at: usize) -> bool {
    let holds =
        |span: Span| span.source == file && (span.start as usize) <= at && at < (span.end as usize);
    holds(backend.span) || holds(backend.body)
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
