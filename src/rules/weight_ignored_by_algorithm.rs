//! `weight-ignored-by-algorithm`: weights differ and the algorithm does not go by them.

use super::tier::{Tier, listed_weights};
use super::wording::percent;
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, ServerShare, Severity};
use crate::model::{Algorithm, Engine, Layer, Server};
use crate::predict::{predict_idle, ratio};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/weight-ignored-by-algorithm.md"),
    check: Check::Umbrella(check),
    options: &[RuleOption {
        name: "max-ratio",
        default: 2.0,
        summary: "largest weight over smallest weight that `leastconn` may ignore while idle",
    }],
};

/// Why weights do nothing.
enum Ignored {
    /// Never looked at; the words that say what is done instead.
    Always(&'static str),
    /// Not while few connections are open.
    Idle(&'static str),
}

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(ignored) = ignored(view) else { return };
    let Some(tier) = Tier::of(view) else { return };
    let limit = match ignored {
        // It converges to the weights as soon as there is load.
        Ignored::Idle("leastconn") => view.context.option(&RULE, "max-ratio"),
        Ignored::Always(_) | Ignored::Idle(_) => 1.0,
    };
    if tier.weight_ratio() > limit {
        findings.extend(finding(&tier, &ignored));
    }
}

fn ignored(view: &BackendView<'_>) -> Option<Ignored> {
    let engine = view.context.instance.engine;
    if view.backend.layer == Layer::Log {
        return Some(Ignored::Always("`mode log` takes the servers in turn"));
    }
    match (&view.backend.algorithm.value, engine) {
        (Algorithm::First, _) => Some(Ignored::Always(
            "`balance first` fills the servers in the order of their ids",
        )),
        (Algorithm::Sticky, _) => Some(Ignored::Always(
            "`balance sticky` uses one server at a time",
        )),
        (Algorithm::LeastConn, Engine::Haproxy) => Some(Ignored::Idle("leastconn")),
        (Algorithm::Random { draws: 2.. }, Engine::Nginx) => Some(Ignored::Idle("random two")),
        (
            Algorithm::LeastConn
            | Algorithm::Random { .. }
            | Algorithm::RoundRobin
            | Algorithm::StaticRoundRobin
            | Algorithm::LeastTime
            | Algorithm::Hash(_)
            | Algorithm::IpHash
            | Algorithm::LogHash
            | Algorithm::Other(_),
            _,
        ) => None,
    }
}

fn finding(tier: &Tier<'_, '_>, ignored: &Ignored) -> Option<Finding> {
    let view = tier.view;
    let backend = view.backend;
    let weights = listed_weights(tier);
    let mut shares = Vec::new();
    let message = match ignored {
        Ignored::Always(instead) => {
            format!(
                "weights {weights} of {} have no effect: {instead}",
                view.title()
            )
        }
        Ignored::Idle(algorithm) => {
            shares = idle_shares(tier)?;
            format!(
                "weights {weights} of {} do not hold while it is idle (`{algorithm}`): {}",
                view.title(),
                idle(tier, &shares)?
            )
        }
    };
    let heaviest = tier.servers().max_by_key(|server| server.weight.value)?;
    let span = heaviest.weight.origin.span().unwrap_or(heaviest.head());
    let help = match view.context.instance.engine {
        Engine::Haproxy => "use `balance roundrobin`, which goes by weights, or remove the weights",
        Engine::Nginx => "remove `random two` for the weighted round robin, or remove the weights",
    };
    let mut finding = Finding::new(Severity::Warning, span, message, help)
        .backend(&backend.name)
        .label(format!("weight {} here", heaviest.weight.value))
        .shares(shares);
    if let Some(span) = backend.algorithm.origin.span() {
        finding = finding.related("the algorithm", span);
    }
    Some(finding)
}

/// The shares while nearly nothing is open.
fn idle_shares(tier: &Tier<'_, '_>) -> Option<Vec<ServerShare>> {
    let instance = tier.view.context.instance;
    let prediction = predict_idle(instance.engine, instance.version, tier.view.backend, &[])?;
    let row = |(index, server): &(usize, &Server)| {
        Some(ServerShare {
            server: server.name.clone(),
            weight: server.weight.value,
            share: ratio(*prediction.shares.get(*index)?),
        })
    };
    tier.members.iter().map(row).collect()
}

fn idle(tier: &Tier<'_, '_>, shares: &[ServerShare]) -> Option<String> {
    let least = shares
        .iter()
        .map(|row| row.share)
        .fold(f64::INFINITY, f64::min);
    let most = shares.iter().map(|row| row.share).fold(0.0, f64::max);
    if most - least < 1e-9 {
        return Some(format!("each server gets {}", percent(most)));
    }
    let expected = tier.by_weight();
    let off = |share: f64, expected: f64| (share / expected).max(expected / share);
    let (row, expected) = (shares.iter().zip(expected))
        .max_by(|(a, x), (b, y)| off(a.share, *x).total_cmp(&off(b.share, *y)))?;
    Some(format!(
        "server `{}` gets {}, by its weight it would be {}",
        row.server,
        percent(row.share),
        percent(expected)
    ))
}
