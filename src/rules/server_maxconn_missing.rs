//! `server-maxconn-missing`: a limit on some servers sends the excess to those that have none.
//!
//! In: the connection limits of a tier. Out: one finding per backend.

use super::tier::names_of;
use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, Engine, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/server-maxconn-missing.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let primaries = || view.backend.usable_primaries();
    let Some(first) = primaries().find(|server| limit(server).is_some()) else {
        return;
    };
    let open: Vec<&Server> = primaries().filter(|it| limit(it).is_none()).collect();
    let opaque = primaries().any(|server| server.maxconn.is_opaque());
    let explained = |server: &&Server| {
        server.comment().is_some() && view.reason_notes(server).state_reason(view.context.today)
    };
    if open.is_empty() || opaque || !passes_over_full_servers(view) || open.iter().any(explained) {
        return;
    }
    findings.extend(finding(view, first, &open));
}

/// The limit of a server; 0 is none.
fn limit(server: &Server) -> Option<u32> {
    server.maxconn.value.filter(|limit| *limit > 0)
}

/// Whether a request goes to another server where the one it was meant for is at its limit. HAProxy
/// lets it wait there where the choice is a hash or a draw.
fn passes_over_full_servers(view: &BackendView<'_>) -> bool {
    match view.backend.algorithm.value {
        Algorithm::RoundRobin
        | Algorithm::StaticRoundRobin
        | Algorithm::LeastConn
        | Algorithm::LeastTime => true,
        Algorithm::Hash(_) | Algorithm::IpHash | Algorithm::Random { .. } => {
            view.context.instance.engine == Engine::Nginx
        }
        Algorithm::First | Algorithm::Sticky | Algorithm::LogHash | Algorithm::Other(_) => false,
    }
}

fn finding(view: &BackendView<'_>, limited: &Server, open: &[&Server]) -> Option<Finding> {
    let first = *open.first()?;
    let mut fact = Finding::fact(Severity::Warning, first.head());
    if open.len() == 1 {
        fact = fact.server(&first.name);
    }
    Some(view.finding(fact, |fact| say(fact, view, limited, open)))
}

fn say(fact: Finding, view: &BackendView<'_>, limited: &Server, open: &[&Server]) -> Finding {
    let word = match view.context.instance.engine {
        Engine::Haproxy => "maxconn",
        Engine::Nginx => "max_conns",
    };
    let have = if open.len() == 1 { "has" } else { "have" };
    let message = format!(
        "{} of {} {have} no `{word}` while `{}` has {}: under overload the whole excess goes there",
        names(&names_of(open.iter().copied())),
        view.title(),
        limited.name,
        limit(limited).unwrap_or_default(),
    );
    let help = format!("give all servers a tested `{word}`");
    let span = limited.maxconn.origin.span().unwrap_or(limited.head());
    (fact.say(message, help))
        .label("no limit")
        .related(format!("the limit of `{}`", limited.name), span)
}
