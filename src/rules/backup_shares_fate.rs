//! `backup-shares-fate`: what takes the primaries away takes the backups with them.
//!
//! In: the hosts of a backend's servers. Out: one finding per backend.

use super::host_concentration::{host, is_virtual};
use super::only_first_backup_used::SORRY_WORDS;
use super::tier::names_of;
use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::Server;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/backup-shares-fate.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let backups: Vec<&Server> = backend.usable_backups().collect();
    let Some(shared) = backups.first().and_then(|first| host(first)) else {
        return;
    };
    let there = |server: &&Server| host(server) == Some(shared);
    let Some(primary) = backend.usable_primaries().find(there) else {
        return;
    };
    let is_meant = || backups.iter().any(|server| is_meant(view, server));
    if backups.iter().all(there) && !is_meant() && !is_virtual(view) {
        findings.push(finding(view, primary, &backups, shared));
    }
}

/// Whether name or comment say that the backup is there for something else than a lost machine.
fn is_meant(view: &BackendView<'_>, backup: &Server) -> bool {
    let name = backup.name.to_lowercase();
    SORRY_WORDS.iter().any(|word| name.contains(word))
        || view.server_notes(backup).state_reason(view.context.today)
}

fn finding(view: &BackendView<'_>, primary: &Server, backups: &[&Server], host: &str) -> Finding {
    let (are, verb) = match backups.len() {
        1 => ("backup", "is"),
        _ => ("backups", "are"),
    };
    let mut primaries = view.backend.usable_primaries();
    let fate = if primaries.all(|server| self::host(server) == Some(host)) {
        "all its primaries: losing the host is losing them all".to_owned()
    } else {
        format!(
            "its primary `{}`: losing the host is losing both, and the rest has no backup",
            primary.name
        )
    };
    let message = format!(
        "{are} {} of {} {verb} on host `{host}` like {fate}",
        names(&names_of(backups.iter().copied())),
        view.title(),
    );
    let span = backups
        .first()
        .map_or(primary.head(), |server| server.head());
    let help = "put the backup on another host";
    let finding = Finding::new(Severity::Warning, span, message, help)
        .backend(&view.backend.name)
        .label(format!("on `{host}`"))
        .related(format!("`{}` is there too", primary.name), primary.head());
    match backups {
        [only] => finding.server(&only.name),
        _ => finding,
    }
}
