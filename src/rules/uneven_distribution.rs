//! `uneven-distribution`: the predicted shares of one tier differ, whatever the cause.
//!
//! The umbrella over every cause: a rule that names the cause replaces its finding.

use super::ring_chance::keeps_to_weights;
use super::tier::{Tier, severity};
use super::wording::percent;
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, HashMethod, Layer, Server};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/uneven-distribution.md"),
    check: Check::Umbrella(check),
    options: &[
        RuleOption {
            name: "max-ratio",
            default: 1.5,
            summary: "largest share over smallest share that is not worth a warning",
        },
        RuleOption {
            name: "error-ratio",
            default: 5.0,
            summary: "largest share over smallest share that is not yet an error",
        },
    ],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(tier) = Tier::of(view) else { return };
    if is_one_after_the_other(&tier) || is_even_by_construction(&tier) || is_even_ring(&tier) {
        return;
    }
    let Some(shares) = tier.shares() else { return };
    let explained = tier.weight_ratio() > 1.0 && tier.weights_are_explained();
    let expected = expected(&tier, explained);
    let against = |(share, expected): (&f64, &f64)| share / expected;
    let ratios = || shares.iter().zip(&expected).map(against);
    let (least, most) = (
        ratios().fold(f64::INFINITY, f64::min),
        ratios().fold(0.0, f64::max),
    );
    if let Some(severity) = severity(&RULE, view.context, most / least) {
        findings.extend(finding(&tier, shares, &expected, severity));
    }
}

/// Algorithms that fill one server before they use the next have no shares to compare.
fn is_one_after_the_other(tier: &Tier<'_, '_>) -> bool {
    let backend = tier.view.backend;
    backend.layer == Layer::Log
        || matches!(
            backend.algorithm.value,
            Algorithm::First | Algorithm::Sticky | Algorithm::Other(_)
        )
}

/// Round robins give equal weights equal shares; there is no need to compute them.
fn is_even_by_construction(tier: &Tier<'_, '_>) -> bool {
    let round_robin = matches!(
        tier.view.backend.algorithm.value,
        Algorithm::RoundRobin | Algorithm::StaticRoundRobin
    );
    round_robin && tier.weight_ratio() <= 1.0
}

/// Whether the ring has too many points for shares of equal weights to be far apart.
fn is_even_ring(tier: &Tier<'_, '_>) -> bool {
    let option = |name| tier.view.context.option(&RULE, name);
    let limit = option("max-ratio").min(option("error-ratio"));
    tier.weight_ratio() <= 1.0 && keeps_to_weights(tier, limit.sqrt())
}

/// The share that each server is meant to have: by its weight where somebody explained the weights,
/// else an equal one.
fn expected(tier: &Tier<'_, '_>, by_weight: bool) -> Vec<f64> {
    if by_weight {
        tier.by_weight()
    } else {
        vec![tier.fair(); tier.members.len()]
    }
}

fn finding(
    tier: &Tier<'_, '_>,
    shares: &[f64],
    expected: &[f64],
    severity: Severity,
) -> Option<Finding> {
    let members = tier.servers().zip(shares).zip(expected);
    let ((server, share), expected) =
        members.max_by(|((_, a), x), ((_, b), y)| (*a / *x).total_cmp(&(*b / *y)))?;
    let (span, label) = cause(tier, server);
    let message = format!(
        "{}: server `{}` receives {} of {} ({}); {} would be {}",
        tier.view.title(),
        server.name,
        percent(*share),
        tier.view.unit(),
        tier.rest(shares, |other| !std::ptr::eq(other, server)),
        if (*expected - tier.fair()).abs() < 1e-9 {
            "equal"
        } else {
            "its weight"
        },
        percent(*expected)
    );
    let help = "remove the cause, or state the intended shares in a comment at the servers";
    Some(
        Finding::new(severity, span, message, help)
            .backend(&tier.view.backend.name)
            .label(label)
            .shares(tier.share_table()),
    )
}

/// Where the unevenness comes from, and a word for it.
fn cause(tier: &Tier<'_, '_>, server: &Server) -> (Span, String) {
    let backend = tier.view.backend;
    if tier.weight_ratio() > 1.0 {
        let span = server.weight.origin.span().unwrap_or(server.head());
        return (span, format!("weight {}", server.weight.value));
    }
    let at_algorithm = backend.algorithm.origin.span();
    let text = match (&backend.algorithm.value, backend.hash_type.value.method) {
        (Algorithm::Random { .. }, _) | (Algorithm::Hash(_), HashMethod::Ring) => {
            "few points on the hash ring"
        }
        (Algorithm::Hash(_), HashMethod::Ketama) => "points of the hash ring",
        _ => "shares follow from this",
    };
    (at_algorithm.unwrap_or(backend.span), text.to_owned())
}
