//! `starved-server`: a usable server gets next to nothing although its weight says otherwise.

use super::ring_chance::keeps_to_weights;
use super::tier::{Tier, names_of};
use super::wording::{names, percent};
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, HashMethod, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/starved-server.md"),
    check: Check::Backend(check),
    options: &[RuleOption {
        name: "min-share",
        default: 0.2,
        summary: "share below which a server is starved, as a part of what its weight says",
    }],
};

/// nginx `ip_hash` computes modulo this number (`ngx_http_upstream_ip_hash_module.c`).
const IP_HASH_VALUES: u64 = 6271;

/// nginx `hash` keeps 15 bits of its hash (`ngx_http_upstream_hash_module.c`).
const HASH_VALUES: u64 = 32768;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    // The other algorithms give every server what its weight says.
    let hashes = matches!(
        view.backend.algorithm.value,
        Algorithm::Hash(_) | Algorithm::IpHash
    );
    let Some(tier) = Tier::of(view).filter(|_| hashes) else {
        return;
    };
    let limit = view.context.option(&RULE, "min-share");
    if keeps_to_weights(&tier, limit.recip()) {
        return;
    }
    let Some(shares) = tier.shares() else { return };
    let starved: Vec<(&Server, f64)> = (tier.servers().zip(shares.iter().copied()))
        .zip(tier.by_weight())
        .filter(|((_, share), expected)| *share < limit * expected)
        .map(|(starved, _)| starved)
        .collect();
    findings.extend(finding(&tier, &starved));
}

fn finding(tier: &Tier<'_, '_>, starved: &[(&Server, f64)]) -> Option<Finding> {
    let (first, most) = starved.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let all = names(&names_of(starved.iter().map(|(server, _)| *server)));
    let who = match starved {
        [_] => format!("server {all}"),
        _ => format!("servers {all}"),
    };
    let title = tier.view.title();
    let (severity, what) = if most <= 0.0 {
        (Severity::Error, "can never be chosen".to_owned())
    } else {
        let share = percent(most);
        let what = match starved {
            [_] => format!("gets {share} of {}", tier.view.unit()),
            _ => format!("get {share} of {} each or less", tier.view.unit()),
        };
        (Severity::Warning, what)
    };
    let message = format!("{who} of {title} {what}: {}", cause(tier));
    let help = "divide all weights by what they have in common, or choose another algorithm";
    let mut finding = Finding::new(severity, first.head(), message, help)
        .backend(&tier.view.backend.name)
        .label(format!("weight {} and no share", first.weight.value))
        .shares(tier.share_table());
    if let [_] = starved {
        finding = finding.server(&first.name);
    }
    if let Some(span) = tier.view.backend.algorithm.origin.span() {
        finding = finding.related("the algorithm", span);
    }
    Some(finding)
}

fn cause(tier: &Tier<'_, '_>) -> String {
    let backend = tier.view.backend;
    let weights = backend
        .servers
        .iter()
        .map(|server| u64::from(server.weight.value));
    let total: u64 = weights.sum();
    match (&backend.algorithm.value, backend.hash_type.value.method) {
        (Algorithm::IpHash, _) if total > IP_HASH_VALUES => format!(
            "`ip_hash` has {IP_HASH_VALUES} values, the weights add up to {total} and those before \
             it use them up"
        ),
        (Algorithm::Hash(_), HashMethod::Modulo) if total > HASH_VALUES => format!(
            "`hash` has {HASH_VALUES} values, the weights add up to {total} and those before it use \
             them up"
        ),
        _ => "no key leads to it".to_owned(),
    }
}
