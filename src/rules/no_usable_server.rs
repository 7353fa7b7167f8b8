//! `no-usable-server`: a backend that traffic reaches and no server can take.
//!
//! In: the servers of each backend and whether routes lead there. Out: at most one finding per
//! backend, located at what takes the first server out.

use super::wording::{count, names};
use super::{Check, Context, Notes, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Engine, Layer, Route, Server, Target};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/no-usable-server.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Words of a comment that tell an intended outage.
const MAINTENANCE: [&str; 6] = [
    "maint",
    "drain",
    "decommission",
    "migrat",
    "offline",
    "retired",
];

/// Words of a comment about servers that are tried one after another.
const CHAIN: [&str; 9] = [
    "standby",
    "stand-by",
    "failover",
    "fail-over",
    "active",
    "passive",
    "priority",
    "order",
    "chain",
];

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (index, backend) in context.instance.backends.iter().enumerate() {
        let routes = || context.instance.routes_to(index);
        if is_out(backend)
            && !is_chain(context, backend)
            && takes_traffic(context, backend, routes())
        {
            findings.push(finding(context, backend));
        }
    }
    let switched_off = |route| switched_off(context, route);
    findings.extend(context.instance.routes.iter().filter_map(switched_off));
}

/// A route to a HAProxy section that is `disabled`: there it is as if it had no server.
fn switched_off(context: &Context<'_>, route: &Route) -> Option<Finding> {
    let Target::Dynamic(name) = &route.target else {
        return None;
    };
    // A name that is made while running has an expression.
    if context.instance.engine != Engine::Haproxy || name.contains('%') {
        return None;
    }
    let listener = context.instance.listeners.get(route.listener?)?;
    let answer = answer(Engine::Haproxy, listener.layer);
    let message = format!(
        "backend `{name}` is `disabled` as a whole, and frontend `{}` leads there: {answer}",
        listener.name
    );
    let help = "remove `disabled` from the section, or the route to it";
    let finding = Finding::new(Severity::Error, route.span, message, help);
    Some(
        finding
            .label("leads to a section that is off")
            .backend(name)
            .listener(&listener.name),
    )
}

/// Whether no primary can be chosen, and the configuration alone says so.
fn is_out(backend: &Backend) -> bool {
    backend.layer != Layer::Log
        && backend.declared
        && backend.answers_itself.is_none()
        && backend.usable_primaries().next().is_none()
        && !(backend.servers.is_empty() && is_filled_elsewhere(backend))
        && !backend.servers.iter().any(waits_for_orders)
}

/// Whether servers that are all backups are meant so: they share the traffic, or a comment says that
/// they are there to follow one another. nginx refuses to load them.
fn is_chain(context: &Context<'_>, backend: &Backend) -> bool {
    let only_backups = !backend.servers.iter().any(Server::is_primary);
    only_backups
        && !nothing_left(backend)
        && (context.instance.engine == Engine::Nginx
            || backend.allbackups.value
            || comments(context, backend).any(|it| it.mention(&CHAIN)))
}

fn nothing_left(backend: &Backend) -> bool {
    backend.usable_backups().next().is_none()
}

/// Whether a section without servers is meant so: rules answer what is to be expected, or something
/// else adds the servers, as `use-server` rules or a shared `zone` show. nginx refuses to load an
/// upstream that has neither servers nor a `zone`.
fn is_filled_elsewhere(backend: &Backend) -> bool {
    backend.answers_partly.is_some() || !backend.use_server.is_empty() || backend.zone.is_some()
}

/// Slots of a template are filled, and enabled, while the proxy runs.
fn waits_for_orders(server: &Server) -> bool {
    server.template().is_some()
}

/// A fragment does not show its routes: there only servers that are all out count, since a section
/// without any is often just a holder of a stick table.
fn takes_traffic<'a>(
    context: &Context<'_>,
    backend: &Backend,
    mut routes: impl Iterator<Item = &'a Route>,
) -> bool {
    if !context.instance.shows_routes() {
        return !backend.servers.is_empty();
    }
    routes.next().is_some()
}

fn finding(context: &Context<'_>, backend: &Backend) -> Finding {
    let engine = context.instance.engine;
    let word = engine.backend_word();
    let (fact, help) = if nothing_left(backend) {
        nothing_usable(engine, backend)
    } else {
        only_backups(backend)
    };
    let planned = is_planned(context, backend);
    let severity = if planned {
        Severity::Warning
    } else {
        Severity::Error
    };
    let mut primaries = backend.servers.iter().filter(|it| it.is_primary());
    let first = primaries.next().or(backend.servers.first());
    let span = first.and_then(out_by).unwrap_or(backend.span);
    let mut finding = Finding::new(
        severity,
        span,
        format!("{word} `{}` {fact}", backend.name),
        help,
    )
    .label(first.map_or("no server", label))
    .backend(&backend.name);
    for server in backend
        .servers
        .iter()
        .skip(1)
        .filter(|it| it.is_primary())
        .take(RELATED)
    {
        finding = finding.related("out too", out_by(server).unwrap_or(server.head()));
    }
    finding
}

/// What clients get where no server can be chosen.
fn answer(engine: Engine, layer: Layer) -> &'static str {
    match (engine, layer) {
        (Engine::Haproxy, Layer::Http) => "every request gets 503",
        (Engine::Nginx, Layer::Http) => "every request gets 502",
        (_, Layer::Tcp | Layer::Udp | Layer::Log) => "every connection is closed",
    }
}

fn nothing_usable(engine: Engine, backend: &Backend) -> (String, &'static str) {
    let answer = answer(engine, backend.layer);
    let why = match backend.servers.len() {
        0 => {
            let help = "add a server, or answer in the section (`http-request return`, `redirect`)";
            return (format!("has no server at all, so {answer}"), help);
        }
        1 => format!("its only one {}", reason(&backend.servers)),
        number => format!("all {number} {}", reasons(&backend.servers)),
    };
    let help = match engine {
        Engine::Haproxy => "put one server back: a weight above 0, and not `disabled`",
        Engine::Nginx => "put one server back: take its `down` away",
    };
    (format!("has no usable server: {why}, so {answer}"), help)
}

fn only_backups(backend: &Backend) -> (String, &'static str) {
    let backups: Vec<&str> = backend
        .usable_backups()
        .map(|server| server.name.as_str())
        .collect();
    let primaries: Vec<Server> = (backend.servers.iter())
        .filter(|server| server.is_primary())
        .cloned()
        .collect();
    let why = match primaries.len() {
        0 => "it has no primary".to_owned(),
        1 => format!("its only primary {}", reason(&primaries)),
        number => format!("all {number} primaries {}", reasons(&primaries)),
    };
    let standby = if backups.len() == 1 {
        "backup"
    } else {
        "backups"
    };
    (
        format!("runs on its {standby} {} for good: {why}", names(&backups)),
        "put the primaries back, or make a backup a primary",
    )
}

fn reason(servers: &[Server]) -> &'static str {
    match servers.first() {
        Some(server) if server.disabled.value => "is switched off",
        Some(_) | None => "has weight 0",
    }
}

fn reasons(servers: &[Server]) -> String {
    let off = servers
        .iter()
        .filter(|server| server.disabled.value)
        .count();
    match (off, servers.len() - off) {
        (_, 0) => "are switched off".to_owned(),
        (0, _) => "have weight 0".to_owned(),
        (off, zero) => format!(
            "are out ({} switched off, {} of weight 0)",
            count(off, "server"),
            zero
        ),
    }
}

/// The words that take a server out.
fn out_by(server: &Server) -> Option<Span> {
    if server.disabled.value {
        return server.disabled.origin.span();
    }
    if server.weight.value == 0 {
        return server.weight.origin.span();
    }
    server.backup.origin.span().filter(|_| server.backup.value)
}

fn label(server: &Server) -> &'static str {
    if server.disabled.value {
        "switched off"
    } else if server.weight.value == 0 {
        "takes no new traffic"
    } else if server.backup.value {
        "a backup"
    } else {
        ""
    }
}

/// Whether a comment says that this is meant, and its date has not passed.
fn is_planned(context: &Context<'_>, backend: &Backend) -> bool {
    let says = |notes: Notes| notes.mention(&MAINTENANCE) && !notes.expired(context.today);
    comments(context, backend).any(says)
}

fn comments<'a>(context: &'a Context<'_>, backend: &'a Backend) -> impl Iterator<Item = Notes> {
    let lines = backend.servers.iter().filter_map(Server::comment);
    let spans = backend.comments.iter().copied().chain(lines);
    spans.map(|span| context.notes(Some(span)))
}
