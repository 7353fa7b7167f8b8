//! `sparse-consistent-ring`: a HAProxy hash ring has too few points to be even.

use super::ring_chance::keeps_to_weights;
use super::tier::Tier;
use super::wording::{and, percent};
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, HashMethod, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/sparse-consistent-ring.md"),
    check: Check::Umbrella(check),
    options: &[RuleOption {
        name: "max-excess",
        default: 1.15,
        summary: "share of the busiest server over what its weight says that is not worth a warning",
    }],
};

/// HAProxy puts this many points on the ring for each unit of weight.
const POINTS: u32 = 16;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let on_ring = match &backend.algorithm.value {
        Algorithm::Hash(_) => backend.hash_type.value.method == HashMethod::Ring,
        Algorithm::Random { .. } => true,
        Algorithm::RoundRobin
        | Algorithm::StaticRoundRobin
        | Algorithm::LeastConn
        | Algorithm::LeastTime
        | Algorithm::First
        | Algorithm::IpHash
        | Algorithm::Sticky
        | Algorithm::LogHash
        | Algorithm::Other(_) => false,
    };
    let Some(tier) = Tier::of(view).filter(|_| on_ring) else {
        return;
    };
    let limit = view.context.option(&RULE, "max-excess");
    if keeps_to_weights(&tier, limit) {
        return;
    }
    let Some(shares) = tier.shares() else { return };
    let excess = (shares.iter().zip(tier.by_weight())).map(|(share, expected)| share / expected);
    let members = tier.servers().zip(shares).zip(excess);
    let Some(((busiest, share), excess)) = members.max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return;
    };
    if excess > limit {
        findings.push(finding(&tier, shares, busiest, *share));
    }
}

fn finding(tier: &Tier<'_, '_>, shares: &[f64], busiest: &Server, share: f64) -> Finding {
    let backend = tier.view.backend;
    // Connections above the factor go on to the next server, so the busiest one is capped.
    let capped = (101..=200).contains(&backend.hash_balance_factor.value);
    let severity = if capped {
        Severity::Info
    } else {
        Severity::Warning
    };
    let message = format!(
        "{} has {} on its hash ring: {}",
        tier.view.title(),
        points(tier),
        predicted(tier, shares, busiest, share)
    );
    let span = (backend.hash_type.origin.span())
        .or_else(|| backend.algorithm.origin.span())
        .unwrap_or(backend.span);
    let help = if tier.weight_ratio() > 1.0 {
        "multiply all weights by the same number, so that the lightest has 50 or more"
    } else {
        "write `default-server weight 100` above the servers: 1600 points each, still equal"
    };
    Finding::new(severity, span, message, help)
        .backend(&backend.name)
        .label("16 points for each unit of weight")
        .shares(tier.share_table())
}

fn points(tier: &Tier<'_, '_>) -> String {
    let least = tier.servers().map(|server| server.weight.value).min();
    let points = u64::from(least.unwrap_or(1)) * u64::from(POINTS);
    if tier.weight_ratio() > 1.0 {
        format!("{points} points for its lightest server")
    } else {
        format!("{points} points per server")
    }
}

fn predicted(tier: &Tier<'_, '_>, shares: &[f64], busiest: &Server, share: f64) -> String {
    let equal = tier.weight_ratio() <= 1.0;
    if tier.members.len() <= 6 && equal {
        let each = tier.servers().zip(shares);
        let listed: Vec<String> = each
            .map(|(server, share)| format!("`{}` {}", server.name, percent(*share)))
            .collect();
        return format!(
            "it gives {}; equal would be {}",
            and(&listed),
            percent(tier.fair())
        );
    }
    let expected = tier.servers().zip(tier.by_weight());
    let expected = expected
        .filter(|(server, _)| std::ptr::eq(*server, busiest))
        .map(|(_, expected)| expected)
        .sum();
    let word = if equal { "equal" } else { "its weight" };
    format!(
        "server `{}` gets {} of {}; {word} would be {}",
        busiest.name,
        percent(share),
        tier.view.unit(),
        percent(expected)
    )
}
