//! `leastconn-blackhole`: a load-driven algorithm and nothing that takes out a server which fails fast.
//!
//! In: algorithm, checks and, for nginx, the routes of each backend. Out: at most one finding per
//! backend.

use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, Backend, CheckProtocol, Engine, Layer, Route, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/leastconn-blackhole.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let (engine, backend) = (view.context.instance.engine, view.backend);
    if let Some(word) = load_driven(engine, backend) {
        findings.extend(match engine {
            Engine::Haproxy => judge_haproxy(backend, word),
            Engine::Nginx => judge_nginx(backend, word, &view.routes()),
        });
    }
}

/// The engine's word for an algorithm that prefers servers with few connections or short answers, in
/// a backend where there is a choice. Left to the engine's default it is nobody's decision.
fn load_driven(engine: Engine, backend: &Backend) -> Option<&'static str> {
    let chosen = backend
        .algorithm
        .known()
        .filter(|_| backend.algorithm.is_written())?;
    if backend.layer != Layer::Http || backend.usable_primaries().nth(1).is_none() {
        return None;
    }
    let (haproxy, nginx) = match chosen {
        Algorithm::LeastConn => ("leastconn", "least_conn"),
        Algorithm::LeastTime => ("leasttime", "least_time"),
        Algorithm::Random { draws } if *draws >= 2 => ("random", "random two"),
        Algorithm::Random { .. }
        | Algorithm::RoundRobin
        | Algorithm::StaticRoundRobin
        | Algorithm::First
        | Algorithm::Hash(_)
        | Algorithm::IpHash
        | Algorithm::Sticky
        | Algorithm::LogHash
        | Algorithm::Other(_) => return None,
    };
    Some(match engine {
        Engine::Haproxy => haproxy,
        Engine::Nginx => nginx,
    })
}

fn judge_haproxy(backend: &Backend, word: &str) -> Option<Finding> {
    let connect_only = (backend.check_protocol.known()).is_some_and(CheckProtocol::is_connect_only);
    let judged = |server: &&Server| facts::is_checked_by_connect(server) && !server.has_agent();
    let server = backend.usable_primaries().find(judged)?;
    if !connect_only {
        return None;
    }
    let message = format!(
        "backend `{}` balances by `{word}` and checks only that the port opens: a server that fails instantly looks idle and attracts most requests",
        backend.name
    );
    let help = "add `option httpchk` with a cheap endpoint, or `observe layer7 error-limit 10 on-error mark-down` to its servers";
    let finding = place(
        backend,
        word,
        Finding::new(Severity::Warning, backend.span, message, help),
    );
    Some(match server.check.origin.span() {
        Some(span) => finding.related("this check is content with an open port", span),
        None => finding,
    })
}

fn judge_nginx(backend: &Backend, word: &str, routes: &[&Route]) -> Option<Finding> {
    let checked = backend.usable_primaries().any(facts::is_checked);
    if checked
        || !backend.declared
        || routes.is_empty()
        || !routes.iter().all(|it| ignores_errors(it))
    {
        return None;
    }
    let message = format!(
        "upstream `{}` balances by `{word}` while error answers count as successes: a server that fails instantly looks idle and attracts most requests",
        backend.name
    );
    let help = "add `http_502 http_503` to `proxy_next_upstream` and bound it with `proxy_next_upstream_tries 2`";
    let finding = place(
        backend,
        word,
        Finding::new(Severity::Warning, backend.span, message, help),
    );
    let list = routes.iter().find_map(|route| route.next_upstream.as_ref());
    Some(match list.and_then(|list| list.conditions.origin.span()) {
        Some(span) => finding.related("no `http_5…` condition here", span),
        None => finding,
    })
}

/// Whether an answer of 500 or more never counts as a failure on this route.
fn ignores_errors(route: &Route) -> bool {
    let conditions = route.next_upstream.as_ref().map(|list| &list.conditions);
    let known = conditions.and_then(|conditions| conditions.known());
    known.is_some_and(|words| {
        // `off` is `next-upstream-off`.
        !(words.iter()).any(|word| word == "off" || word.starts_with("http_5"))
    })
}

/// Puts the mark on the algorithm where the backend itself names it, else on the backend.
fn place(backend: &Backend, word: &str, finding: Finding) -> Finding {
    let mut finding = finding.backend(&backend.name);
    if let Some(span) = backend.algorithm.origin.own_span() {
        finding.span = span;
    } else if let Some(span) = backend.algorithm.origin.span() {
        finding = finding.related(format!("`{word}` is set here"), span);
    }
    finding
}
