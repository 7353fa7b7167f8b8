//! `only-first-backup-used`: several backups wait and HAProxy will use one of them.

use super::tier::names_of;
use super::wording::names;
use super::{BackendView, Check, Notes, Rule};
use crate::finding::{Finding, Severity};
use crate::model::Server;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/only-first-backup-used.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Words in a comment or a name that explain an order of backups.
const ORDER_WORDS: &[&str] = &[
    "order",
    "prefer",
    "first",
    "then",
    "last resort",
    "fallback",
    "standby",
    "disaster",
    "region",
    "site",
    "datacenter",
    "data center",
    "sorry",
    "maint",
];

/// Parts of a server's name that mark a page instead of a service.
pub(super) const SORRY_WORDS: &[&str] =
    &["sorry", "maint", "error", "static", "apolog", "fallback"];

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let opaque = |server: &Server| server.backup.is_opaque() || server.weight.is_opaque();
    if backend.allbackups.value
        || backend.allbackups.is_opaque()
        || backend.servers.iter().any(opaque)
    {
        return;
    }
    let backups: Vec<&Server> = backend.usable_backups().collect();
    let [first, idle @ ..] = backups.as_slice() else {
        return;
    };
    let weight = |server: &Server| u64::from(server.weight.value);
    let capacity: u64 = backend.usable_primaries().map(weight).sum();
    if !idle.is_empty() && capacity >= 2 * weight(first) && !is_meant(view, first, &backups) {
        findings.push(finding(view, first, idle));
    }
}

/// Whether names or comments say that only one is meant to serve.
fn is_meant(view: &BackendView<'_>, first: &Server, backups: &[&Server]) -> bool {
    let name = first.name.to_lowercase();
    let states =
        |notes: &Notes| notes.state_reason(view.context.today) && notes.mention(ORDER_WORDS);
    let in_section = (view.backend.comments.iter())
        .map(|span| view.context.notes(Some(*span)))
        .any(|notes| states(&notes) && notes.mention(&["backup", "standby", "fallback", "dr"]));
    SORRY_WORDS.iter().any(|word| name.contains(word))
        || in_section
        || backups
            .iter()
            .any(|server| states(&view.server_notes(server)))
}

fn finding(view: &BackendView<'_>, first: &Server, idle: &[&Server]) -> Finding {
    let primaries: Vec<&Server> = view.backend.usable_primaries().collect();
    let stays = if idle.len() == 1 { "stays" } else { "stay" };
    let message = format!(
        "on failover all of {} goes from {} primaries to `{}` alone; {} {stays} idle",
        view.title(),
        primaries.len(),
        first.name,
        names(&names_of(idle.iter().copied())),
    );
    let help = "add `option allbackups`, so that all backups share the traffic";
    let mut finding = Finding::new(Severity::Warning, first.head(), message, help)
        .backend(&view.backend.name)
        .server(&first.name)
        .label("takes everything");
    for server in idle.iter().take(3) {
        finding = finding.related(format!("`{}` stays idle", server.name), server.head());
    }
    finding
}
