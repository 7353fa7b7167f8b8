//! `implicit-algorithm`: no `balance` line, and the default depends on the version.

use super::tier::Tier;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Layer, Version};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/implicit-algorithm.md"),
    check: Check::Backend(check),
    options: &[],
};

/// The first branch whose default is `random` (HAProxy manual 4.2 `balance`).
const RANDOM_SINCE: Version = Version::new(3, 3, 0);

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    if backend.algorithm.is_written() || backend.layer == Layer::Log || Tier::of(view).is_none() {
        return;
    }
    let message = format!(
        "{} names no algorithm: it is roundrobin up to HAProxy 3.2 and random from 3.3",
        view.title()
    );
    let present = if view.context.instance.version < RANDOM_SINCE {
        "roundrobin"
    } else {
        "random"
    };
    let help = format!("write `balance {present}`, which is what happens now");
    findings.push(
        Finding::new(Severity::Info, backend.span, message, help)
            .backend(&backend.name)
            .label("no `balance` in here"),
    );
}
