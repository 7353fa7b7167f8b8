//! `unbalanced-weights`: written weights of one tier differ and nobody says why.

use super::tier::{Tier, listed_weights, names_of, severity};
use super::wording::{count, names, percent, times};
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::Server;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/unbalanced-weights.md"),
    check: Check::Backend(check),
    options: &[
        RuleOption {
            name: "max-ratio",
            default: 1.5,
            summary: "largest weight over smallest weight that is not worth a warning",
        },
        RuleOption {
            name: "error-ratio",
            default: 5.0,
            summary: "largest weight over smallest weight that is not yet an error",
        },
    ],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(tier) = Tier::of(view) else { return };
    let Some(severity) = severity(&RULE, view.context, tier.weight_ratio()) else {
        return;
    };
    let written = tier.servers().all(|server| server.weight.is_written());
    if written && tier.honours_weights() && !tier.weights_are_explained() {
        findings.extend(finding(&tier, severity));
    }
}

fn finding(tier: &Tier<'_, '_>, severity: Severity) -> Option<Finding> {
    let outliers = tier.outliers();
    let first = *outliers.first()?;
    let is_outlier = |server: &&Server| server.weight.value == first.weight.value;
    let others: Vec<&Server> = tier.servers().filter(|s| !is_outlier(s)).collect();
    let message = match tier.shares() {
        Some(shares) => by_share(tier, shares, &outliers),
        None => by_weight(tier, first, &outliers, &others),
    };
    let help = format!(
        "give all {} the same weight, or state the reason and a review date in a comment",
        count(tier.members.len(), "server")
    );
    let span = first.weight.origin.span().unwrap_or(first.head());
    let mut finding = Finding::new(severity, span, message, help)
        .backend(&tier.view.backend.name)
        .label(format!("weight {} here", first.weight.value))
        .shares(tier.share_table());
    if outliers.len() == 1 {
        finding = finding.server(&first.name);
    }
    for other in others.iter().take(3) {
        let text = format!("`{}` has weight {}", other.name, other.weight.value);
        finding = finding.related(text, other.weight.origin.span().unwrap_or(other.head()));
    }
    Some(finding)
}

/// `weights 10, 10 and 100 send 83.3 % of backend auth to server c (a and b: 8.3 % each); …`
fn by_share(tier: &Tier<'_, '_>, shares: &[f64], outliers: &[&Server]) -> String {
    let (each, to) = match outliers {
        [one] => ("", format!("server `{}`", one.name)),
        many => (" each", names(&names_of(many.iter().copied()))),
    };
    let share = (outliers.first()).map_or(0.0, |server| tier.share_of(shares, server));
    let outlying = outliers.first().map_or(0, |server| server.weight.value);
    format!(
        "weights {} send {}{each} of {} to {to} ({}); equal would be {}",
        listed_weights(tier),
        percent(share),
        tier.view.title(),
        tier.rest(shares, |server| server.weight.value != outlying),
        percent(tier.fair())
    )
}

/// For algorithms that follow weights only under load, and where shares are not known.
fn by_weight(
    tier: &Tier<'_, '_>,
    first: &Server,
    outliers: &[&Server],
    others: &[&Server],
) -> String {
    let listed = names(&names_of(outliers.iter().copied()));
    let beside = others.first().copied().unwrap_or(first);
    let (light, heavy) = (
        first.weight.value.min(beside.weight.value),
        first.weight.value.max(beside.weight.value),
    );
    let ratio = times(f64::from(heavy) / f64::from(light.max(1)));
    let verb = if outliers.len() == 1 { "takes" } else { "take" };
    let amount = if first.weight.value == heavy {
        format!("{ratio} times the load of `{}`", beside.name)
    } else {
        format!("1/{ratio} of the load of `{}`", beside.name)
    };
    format!(
        "weights {} in {}: under load {listed} {verb} {amount}",
        listed_weights(tier),
        tier.view.title()
    )
}
