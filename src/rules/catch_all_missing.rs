//! `catch-all-missing`: requests that no route is for.
//!
//! In: the routes of each HAProxy frontend, the sockets and names of nginx `server` blocks. Out: one
//! finding per frontend or socket.

use std::collections::{BTreeMap, BTreeSet};

use super::wording::{count, names};
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Bind, Condition, Engine, Instance, Layer, Listener, PathMatch, Route, Target};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/catch-all-missing.md"),
    check: Check::Instance(check),
    options: &[],
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    if !instance.shows_routes() {
        return;
    }
    match instance.engine {
        Engine::Haproxy => frontends(context, findings),
        Engine::Nginx => sockets(instance, findings),
    }
}

fn frontends(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    for (index, listener) in instance.listeners.iter().enumerate() {
        let routes: Vec<&Route> = instance.routes_from(index).collect();
        if listener.answers_itself.is_some() {
            continue;
        }
        if routes.is_empty() {
            if !may_answer(context, listener) && has_backend(instance, listener.layer) {
                findings.push(without_route(listener));
            }
        } else if !takes_all(&routes) && !answers_the_rest(context, listener) {
            findings.push(unrouted(listener, &routes));
        }
    }
}

/// Whether a frontend without routes gives answers of its own, or hands its connections to a script,
/// a filter or a server that dials in. The page of its own error may be the answer, too.
fn may_answer(context: &Context<'_>, listener: &Listener) -> bool {
    let text = context.sources.text(listener.body);
    let hands_over = |word: &&str| text.contains(*word);
    let mut answers = (listener.answers_partly.iter()).map(|span| context.sources.text(*span));
    listener.binds.is_empty()
        || answers.any(|line| !refuses(&line))
        || [" lua.", "filter ", "attach-srv", "errorfile"]
            .iter()
            .any(hands_over)
}

/// Whether a rule turns some clients away: what it lets through still needs somewhere to go.
fn refuses(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(1).take(2);
    words.any(|word| matches!(word, "deny" | "reject" | "tarpit" | "silent-drop" | "auth"))
}

/// Whether there is a backend with servers that a frontend could lead to. Without any, it is there to
/// count, to log or to be tried out.
fn has_backend(instance: &Instance, layer: Layer) -> bool {
    let mut backends = instance.backends.iter();
    backends.any(|it| it.layer == layer && it.usable_primaries().next().is_some())
}

fn without_route(listener: &Listener) -> Finding {
    let (traffic, effect) = if listener.layer == Layer::Http {
        ("request", "gets 503")
    } else {
        ("connection", "is closed")
    };
    let message = format!(
        "frontend `{}` has no `default_backend` and no `use_backend`: every {traffic} {effect}",
        listener.name
    );
    let help = "add a `default_backend`";
    Finding::new(Severity::Warning, listener.span, message, help)
        .label("leads nowhere")
        .listener(&listener.name)
}

/// Whether the routes are for every request, or other rules judge that they are not: one for dynamic
/// names, one for splits by chance.
fn takes_all(routes: &[&Route]) -> bool {
    let total = |route: &&Route| match &route.condition {
        Condition::Always | Condition::Random(_) => true,
        Condition::Path(PathMatch::Prefix(prefix)) => prefix == "/",
        Condition::Path(PathMatch::Exact(_) | PathMatch::Regex(_) | PathMatch::Named(_))
        | Condition::Host(_)
        | Condition::Opaque(_) => false,
    };
    let dynamic = |route: &&Route| matches!(route.target, Target::Dynamic(_));
    let covers = |route: &&Route| total(route) || dynamic(route) || is_the_rest(route);
    routes.iter().any(covers)
}

fn is_the_rest(route: &Route) -> bool {
    let Condition::Opaque(text) = &route.condition else {
        return false;
    };
    negates(text.trim())
}

/// Whether a condition is made of negations only (`unless a`, `if !a !b`), or one way to fulfil it is.
/// Such a rule usually stands beside those for `a` and `b`, and together they are for everything.
fn negates(condition: &str) -> bool {
    let Some(("if", terms)) = condition.split_once(' ') else {
        return condition.starts_with("unless ");
    };
    let (mut inside, mut negated) = (false, true);
    for term in terms.split_whitespace() {
        match term {
            "}" => inside = false,
            _ if inside => {}
            "or" | "||" if negated => return true,
            "or" | "||" => negated = true,
            _ => {
                negated &= term.starts_with('!');
                inside = matches!(term, "{" | "!{");
            }
        }
    }
    negated
}

/// Whether a rule answers what is not something, such as `redirect scheme https if !is_acme`.
fn answers_the_rest(context: &Context<'_>, listener: &Listener) -> bool {
    listener.answers_partly.iter().any(|span| {
        let text = context.sources.text(*span);
        let condition = ["if ", "unless "].map(|word| text.find(word));
        let condition = condition.into_iter().flatten().min();
        condition.is_some_and(|at| negates(text.get(at..).unwrap_or_default()))
    })
}

fn unrouted(listener: &Listener, routes: &[&Route]) -> Finding {
    let rules = count(routes.len(), "`use_backend` rule");
    let is_http = listener.layer == Layer::Http;
    let (traffic, effect, help, severity) = if is_http {
        let help = "add a `default_backend`, one that answers 404 if nothing else";
        ("requests", "get 503", help, Severity::Warning)
    } else {
        // To drop names that are not served is an ordinary choice for connections.
        let help = "add a `default_backend` if any of them should be served";
        ("connections", "are closed", help, Severity::Info)
    };
    let message = format!(
        "frontend `{}` has {rules} and no `default_backend`: {traffic} that match none {effect}",
        listener.name
    );
    let finding = Finding::new(severity, listener.span, message, help)
        .label("no `default_backend`")
        .listener(&listener.name);
    match routes.last() {
        Some(last) => finding.related("the last rule", last.span),
        None => finding,
    }
}

fn sockets(instance: &Instance, findings: &mut Vec<Finding>) {
    let mut sockets: BTreeMap<String, Vec<(&Listener, &Bind)>> = BTreeMap::new();
    for listener in instance
        .listeners
        .iter()
        .filter(|it| it.layer == Layer::Http)
    {
        for bind in &listener.binds {
            sockets
                .entry(socket(bind))
                .or_default()
                .push((listener, bind));
        }
    }
    let mut seen = BTreeSet::new();
    for blocks in sockets.values() {
        let accidental = accidental_default(blocks).filter(|first| seen.insert(first.span));
        if let Some(first) = accidental {
            findings.push(by_accident(first, blocks));
        }
    }
}

/// The same text for the same socket.
fn socket(bind: &Bind) -> String {
    (bind.address.endpoint()).unwrap_or_else(|| format!("{:?}", bind.address.port))
}

/// The block that answers for unknown hosts only because it comes first.
fn accidental_default<'a>(blocks: &[(&'a Listener, &Bind)]) -> Option<&'a Listener> {
    let (first, _) = blocks.first()?;
    let chosen = blocks.iter().any(|(_, bind)| bind.default_server);
    let catches_all = |listener: &Listener| {
        listener.server_names.is_empty()
            || (listener.server_names.iter())
                .any(|name| name.is_empty() || name == "_" || name.starts_with(['~', '*']))
    };
    let distinct = blocks
        .iter()
        .any(|(listener, _)| listener.server_names != first.server_names);
    let accidental =
        !chosen && distinct && !blocks.iter().any(|(listener, _)| catches_all(listener));
    accidental.then_some(*first)
}

fn by_accident(first: &Listener, blocks: &[(&Listener, &Bind)]) -> Finding {
    let socket = blocks
        .first()
        .map_or("", |(_, bind)| bind.address.text.as_str());
    let message = format!(
        "no `default_server` among {} on `{socket}`: requests for any other host go to {}, the first",
        count(blocks.len(), "server block"),
        names(&[first.name.as_str()])
    );
    let help = "add a block with `default_server` that answers them, such as `return 444`";
    Finding::new(Severity::Info, first.span, message, help)
        .label("answers for unknown hosts")
        .listener(&first.name)
}
