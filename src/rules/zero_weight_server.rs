//! `zero-weight-server`: a primary is drained or switched off and nobody says why or until when.

use std::collections::BTreeSet;

use super::wording::{count, names};
use super::{BackendView, Check, Notes, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Engine, Route, Server, Target, Text};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/zero-weight-server.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Words in a comment that speak about servers that are out.
const OUT_WORDS: &[&str] = &[
    "drain", "maint", "disabled", "down", "out of", "removed", "decom", "retire", "replace",
    "migrat", "repair", "broken", "standby", "spare", "off",
];

/// A server that is out without a valid reason.
struct Out<'a> {
    server: &'a Server,
    /// The date in its comment that has passed.
    expired: Option<String>,
}

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let by_rule = backend.use_server.iter().any(|(name, _)| name.is_none());
    if by_rule || !backend.force_persist.is_empty() {
        return;
    }
    let out = without_reason(view);
    findings.extend(finding(view, &out));
}

/// The primaries that are out and should not be, in declaration order.
fn without_reason<'a>(view: &BackendView<'a>) -> Vec<Out<'a>> {
    let backend = view.backend;
    let mut out = Vec::new();
    // A comment above a run of servers that are out is about all of them.
    let mut above: Option<Notes> = None;
    let by_rule: BTreeSet<&Text> = (backend.use_server.iter())
        .filter_map(|(name, _)| name.as_ref())
        .collect();
    for (index, server) in backend.servers.iter().enumerate() {
        if !is_out(server) {
            above = None;
            continue;
        }
        let notes = view.reason_notes(server);
        if server
            .comment()
            .is_some_and(|span| stands_above(span, server))
        {
            above = Some(notes.clone());
        }
        let today = view.context.today;
        let reasons = || std::iter::once(&notes).chain(&above);
        if reasons().any(|notes| notes.state_reason(today)) || is_expected(view, &by_rule, index) {
            continue;
        }
        let expired = (reasons().filter(|notes| notes.expired(today))).find_map(|notes| {
            let date = notes.date("until").or_else(|| notes.date("review"));
            date.map(|date| date.to_string())
        });
        out.push(Out { server, expired });
    }
    if !out.is_empty() && header_states_reason(view, &out) {
        return Vec::new();
    }
    out
}

fn stands_above(comment: Span, server: &Server) -> bool {
    comment.source != server.span.source || comment.start < server.span.start
}

/// A primary that takes no new traffic by its own line.
fn is_out(server: &Server) -> bool {
    let known = !server.weight.is_opaque() && !server.disabled.is_opaque();
    known && server.is_primary() && !server.is_usable()
}

/// Servers that are meant to be out until something brings them in: one that a rule names, that an
/// agent raises, or a slot.
fn is_expected(view: &BackendView<'_>, by_rule: &BTreeSet<&Text>, index: usize) -> bool {
    let servers = &view.backend.servers;
    let Some(server) = servers.get(index) else {
        return false;
    };
    // Slots that are filled through the runtime API: neighbours that are all disabled and have the
    // same placeholder for an address.
    let is_slot = |other: Option<&Server>| {
        other.is_some_and(|other| {
            server.disabled.value && is_out(other) && other.address.text == server.address.text
        })
    };
    server.template().is_some()
        || server.has_agent()
        || by_rule.contains(&server.name)
        || is_slot(index.checked_sub(1).and_then(|index| servers.get(index)))
        || is_slot(servers.get(index + 1))
}

/// Whether the comment above the section speaks about servers that are out.
fn header_states_reason(view: &BackendView<'_>, out: &[Out<'_>]) -> bool {
    let context = view.context;
    let above = |span: &&Span| span.start < view.backend.span.start;
    let named = |notes: &Notes| {
        out.iter()
            .all(|one| one.server.name.len() > 1 && notes.mention_word(&one.server.name))
    };
    (view.backend.comments.iter().filter(above))
        .map(|span| context.notes(Some(*span)))
        .any(|notes| {
            notes.state_reason(context.today) && (notes.mention(OUT_WORDS) || named(&notes))
        })
}

fn finding(view: &BackendView<'_>, out: &[Out<'_>]) -> Option<Finding> {
    let first = out.first()?;
    let primaries = view.backend.usable_primaries().count();
    let left = primaries + view.backend.usable_backups().count();
    let severity = if left < 2 && may_serve(view) {
        Severity::Error
    } else {
        Severity::Warning
    };
    let who = match out {
        [one] => format!("server `{}` is", one.server.name),
        many => {
            let all: Vec<&Text> = many.iter().map(|one| &one.server.name).collect();
            format!("servers {} are", names(&all))
        }
    };
    let why = match &first.expired {
        Some(date) => format!(
            "still out ({}) though its date {date} has passed",
            how(view, first)
        ),
        None => format!("out ({}) with no reason or date", how(view, first)),
    };
    let message = format!("{who} {why}; {}", runs_on(view, primaries));
    let them = if out.len() == 1 { "it" } else { "them" };
    let help = format!(
        "bring {them} back, or write the reason and `until=YYYY-MM-DD` in a comment above {them}"
    );
    let mut finding = Finding::new(severity, span(first.server), message, help)
        .backend(&view.backend.name)
        .label("takes no new traffic");
    if out.len() == 1 {
        finding = finding.server(&first.server.name);
    }
    for one in out.iter().skip(1).take(3) {
        let text = format!("`{}` is out too", one.server.name);
        finding = finding.related(text, span(one.server));
    }
    Some(finding)
}

/// Whether traffic comes here, as far as the configuration shows.
fn may_serve(view: &BackendView<'_>) -> bool {
    let instance = view.context.instance;
    let dynamic = |route: &Route| matches!(route.target, Target::Dynamic(_));
    !instance.shows_routes() || !view.routes().is_empty() || instance.routes.iter().any(dynamic)
}

fn runs_on(view: &BackendView<'_>, primaries: usize) -> String {
    let title = view.title();
    let backup = view.backend.usable_backups().next();
    match (primaries, backup) {
        (0, Some(backup)) => format!("{title} runs on its backup `{}`", backup.name),
        (0, None) => format!("{title} has no server left"),
        (left, _) => format!("{title} runs on {}", count(left, "server")),
    }
}

/// The word that takes the server out, as the engine writes it.
fn how(view: &BackendView<'_>, out: &Out<'_>) -> &'static str {
    match (out.server.disabled.value, view.context.instance.engine) {
        (true, Engine::Haproxy) => "`disabled`",
        (true, Engine::Nginx) => "`down`",
        (false, _) => "`weight 0`",
    }
}

fn span(server: &Server) -> Span {
    let origin = if server.disabled.value {
        server.disabled.origin
    } else {
        server.weight.origin
    };
    origin.span().unwrap_or(server.head())
}
