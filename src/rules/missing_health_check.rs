//! `missing-health-check`: servers that nothing watches.
//!
//! In: the tiers of a HAProxy backend. Out: one finding per tier that has unwatched servers and
//! something that could take over.

use super::wording::{duration, names};
use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Layer, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/missing-health-check.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    if backend.layer == Layer::Log {
        return;
    }
    for primary in [true, false] {
        if facts::tier(backend, primary).all(|(_, server)| facts::is_checked(server)) {
            continue;
        }
        let tier = Tier::new(view, primary);
        // What is said of all primaries is said of the backups too.
        let mut primaries = facts::tier(backend, true).peekable();
        let said = !primary
            && primaries.peek().is_some()
            && !primaries.any(|(_, server)| facts::is_checked(server));
        if tier.has_stand_in() && !(said && tier.checked.is_empty()) {
            findings.push(tier.finding());
        }
    }
}

/// The usable servers of one tier, by whether something watches them.
struct Tier<'v, 'a> {
    view: &'v BackendView<'a>,
    checked: Vec<&'a Server>,
    unchecked: Vec<(usize, &'a Server)>,
    /// Backups behind a tier of primaries.
    backups: Vec<&'a Server>,
}

impl<'v, 'a> Tier<'v, 'a> {
    fn new(view: &'v BackendView<'a>, primary: bool) -> Self {
        let (checked, unchecked): (Vec<_>, Vec<_>) =
            facts::tier(view.backend, primary).partition(|(_, server)| facts::is_checked(server));
        let backups = view.backend.usable_backups().filter(|_| primary);
        Self {
            view,
            checked: checked.into_iter().map(|(_, server)| server).collect(),
            unchecked,
            backups: backups.collect(),
        }
    }

    /// A check that takes out the only server there is helps nobody.
    fn has_stand_in(&self) -> bool {
        self.checked.len() + self.unchecked.len() + self.backups.len() >= 2
    }

    fn finding(&self) -> Finding {
        let finding = if self.checked.is_empty() {
            self.none_is_checked()
        } else {
            self.some_are_checked()
        };
        finding.backend(&self.view.backend.name)
    }

    fn some_are_checked(&self) -> Finding {
        let lost: Vec<&str> = self
            .unchecked
            .iter()
            .map(|(_, it)| it.name.as_str())
            .collect();
        let watched: Vec<&str> = self.checked.iter().map(|it| it.name.as_str()).collect();
        let (noun, verb) = if lost.len() == 1 {
            ("server", "is")
        } else {
            ("servers", "are")
        };
        let also = if watched.len() == 1 { "is" } else { "are" };
        let message = format!(
            "{noun} {} of backend `{}` {verb} not health-checked while {} {also}: {}",
            names(&lost),
            self.view.backend.name,
            names(&watched),
            self.consequence(),
        );
        let help = format!("add `check` to {}", names(&lost));
        let mut finding = Finding::new(Severity::Error, self.first_span(), message, help);
        finding = finding.label("no `check`");
        if let [(_, only)] = self.unchecked.as_slice() {
            finding = finding.server(&only.name);
        }
        for (_, server) in self.unchecked.iter().skip(1).take(RELATED - 1) {
            finding = finding.related("not checked either", server.head());
        }
        match self.checked.first() {
            Some(sibling) => {
                let span = sibling.check.origin.span().unwrap_or(sibling.head());
                finding.related(format!("`{}` is checked", sibling.name), span)
            }
            None => finding,
        }
    }

    fn none_is_checked(&self) -> Finding {
        let backend = self.view.backend;
        let (severity, subject) = match (self.unchecked.as_slice(), self.backups.as_slice()) {
            ([(_, only)], [backup, ..]) => {
                let watched = self.backups.iter().any(|backup| facts::is_checked(backup));
                let severity = if watched {
                    Severity::Error
                } else {
                    Severity::Warning
                };
                let subject = format!(
                    "server `{}` of backend `{}` is not health-checked, so backup `{}` is never used",
                    only.name, backend.name, backup.name
                );
                (severity, subject)
            }
            ([(_, first), ..], _) if !first.is_primary() => {
                let subject = format!("no backup of backend `{}` is health-checked", backend.name);
                (Severity::Warning, subject)
            }
            _ => {
                let subject = format!("no server of backend `{}` is health-checked", backend.name);
                (Severity::Warning, subject)
            }
        };
        let message = format!("{subject}: {}", self.consequence());
        let help = "add `default-server check` above its servers";
        let label = match self.unchecked.len() {
            1 => "its server has no `check`".to_owned(),
            number => format!("none of its {number} servers has `check`"),
        };
        Finding::new(severity, backend.span, message, help).label(label)
    }

    fn first_span(&self) -> crate::source::Span {
        self.unchecked
            .first()
            .map_or(self.view.backend.span, |(_, server)| server.head())
    }

    /// What is lost when an unwatched server dies, and for how long.
    fn consequence(&self) -> String {
        let backend = self.view.backend;
        let traffic = facts::traffic(backend.layer);
        let indices = self.unchecked.iter().map(|(index, _)| *index);
        let lost = facts::loss(self.view, indices).map_or_else(
            || format!("its {traffic}"),
            |share| format!("{share} of {traffic}"),
        );
        let dies = if self.unchecked.len() == 1 {
            "if it dies"
        } else {
            "if one dies"
        };
        if !facts::retries_elsewhere(backend) {
            return format!("{dies}, {lost} fail until someone notices");
        }
        let wait = match backend.timeouts.connect.known() {
            Some(Some(connect)) => format!(" up to {}", duration(*connect)),
            Some(None) | None => String::new(),
        };
        format!("{dies}, {lost} first wait{wait} for it until someone notices")
    }
}
