//! `default-server-too-late`: a `default-server` line below servers that it was meant for.
//!
//! In: the order of servers and `default-server` lines of a HAProxy backend. Out: one finding per
//! line.

use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{DefaultServer, Server, Text};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/default-server-too-late.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let servers = &view.backend.servers;
    let Some(top) = servers.first() else { return };
    // A line above the first server makes the later ones a change of mind between two groups.
    let mut lines = view.backend.default_servers.iter();
    if let Some(line) = lines.next().filter(|line| is_below(line.span, top.span)) {
        findings.extend(judge(view, line));
    }
}

fn is_below(span: Span, other: Span) -> bool {
    span.source == other.source && span.start > other.start
}

fn judge(view: &BackendView<'_>, line: &DefaultServer) -> Option<Finding> {
    let servers = &view.backend.servers;
    let (early, late): (Vec<&Server>, Vec<&Server>) = servers
        .iter()
        .partition(|server| is_below(line.span, server.span));
    if early.len() >= 2 && late.len() >= 2 && is_announced(view, &early, &late) {
        return None;
    }
    let missed: Vec<(&Server, Vec<&str>)> = (early.iter())
        .map(|server| (*server, missed(view, server, line)))
        .filter(|(_, options)| !options.is_empty())
        .collect();
    let (first, options) = missed.first()?;
    let weighty = missed
        .iter()
        .any(|(_, options)| options.iter().any(|it| matches!(*it, "check" | "weight")));
    let severity = if weighty {
        Severity::Error
    } else {
        Severity::Warning
    };
    let listed: Vec<&str> = missed
        .iter()
        .map(|(server, _)| server.name.as_str())
        .collect();
    let without = if missed.len() == 1 { "has" } else { "have" };
    let message = format!(
        "`default-server` does not reach {} of backend `{}` above it, which {without} no {}",
        names(&listed),
        view.backend.name,
        names(options)
    );
    let mut finding = Finding::new(
        severity,
        line.span,
        message,
        "move the line above the first server",
    )
    .label("only for the servers below")
    .backend(&view.backend.name);
    for (server, _) in missed.iter().take(RELATED) {
        finding = finding.related("not for this one", server.head());
    }
    if late.is_empty() {
        finding = finding.related(format!("no server follows `{}`", first.name), first.head());
    }
    Some(finding)
}

/// Whether a comment between two groups of servers announces the second.
fn is_announced(view: &BackendView<'_>, early: &[&Server], late: &[&Server]) -> bool {
    let (Some(last), Some(next)) = (early.last(), late.first()) else {
        return false;
    };
    let mut comments = view.backend.comments.iter();
    comments.any(|comment| is_below(*comment, last.span) && is_below(next.span, *comment))
}

/// The options of the line that the server does not have itself. `backup` and `disabled` below some
/// servers are a group of their own, and what is switched off was not on.
fn missed<'a>(view: &BackendView<'_>, server: &Server, line: &'a DefaultServer) -> Vec<&'a str> {
    let own = view.context.sources.text(server.span);
    let has = |option: &str| own.split_whitespace().any(|word| word == option);
    (line.words.iter().map(Text::as_str))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()) && is_option(word))
        .filter(|word| !has(word))
        .collect()
}

/// Options that change how a server is checked or how much it gets.
fn is_option(word: &str) -> bool {
    matches!(
        word,
        "check"
            | "weight"
            | "inter"
            | "fastinter"
            | "downinter"
            | "rise"
            | "fall"
            | "maxconn"
            | "maxqueue"
            | "slowstart"
            | "observe"
            | "on-error"
            | "on-marked-down"
            | "ssl"
            | "check-ssl"
            | "send-proxy"
            | "send-proxy-v2"
            | "resolvers"
            | "init-addr"
            | "agent-check"
    )
}
