//! `capacity-after-one-loss`: the limits of the survivors are below the demand when one server is
//! lost.

use super::tier::Tier;
use super::wording::names;
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, Engine, Server, Text};
use crate::predict::{Prediction, predict, ratio};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/capacity-after-one-loss.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Above this many servers only the loss of the busiest one is computed.
const MOST_LOSSES: usize = 32;

/// How many requests are in progress at once.
struct Demand {
    peak: f64,
    /// Where the number stands.
    span: Span,
    /// A stated peak, not just the most that a frontend admits.
    stated: bool,
}

/// A server beyond its limit.
struct Overload<'a> {
    /// The server that was lost; `None` while all are up.
    lost: Option<&'a Server>,
    /// Those that are beyond their limit then.
    servers: Vec<&'a Server>,
    /// What the first of them has with all up, and then.
    before: f64,
    after: f64,
    limit: u32,
}

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let limited = view.backend.servers.iter().any(|one| limit(one).is_some());
    // nginx sends to its backups what primaries at their limit cannot take.
    let spills = view.context.instance.engine == Engine::Nginx
        && view.backend.usable_backups().next().is_some();
    if !limited || spills {
        return;
    }
    let Some(tier) = Tier::of(view).filter(spreads) else {
        return;
    };
    let Some(demand) = demand(view) else { return };
    if let Some(overload) = worst(&tier, &demand) {
        findings.push(finding(&tier, &demand, &overload));
    }
}

fn limit(server: &Server) -> Option<u32> {
    server
        .maxconn
        .known()
        .copied()
        .flatten()
        .filter(|limit| *limit > 0)
}

/// Whether shares say how many connections a server has.
fn spreads(tier: &Tier<'_, '_>) -> bool {
    tier.honours_weights() && !matches!(tier.view.backend.algorithm.value, Algorithm::First)
}

/// The stated peak, else the most that the frontends admit.
fn demand(view: &BackendView<'_>) -> Option<Demand> {
    let context = view.context;
    let stated = view.backend.comments.iter().find_map(|span| {
        let peak = context.annotation(*span, "peak")?.parse().ok()?;
        Some(Demand {
            peak,
            span: *span,
            stated: true,
        })
    });
    stated.or_else(|| admitted(view))
}

/// The `maxconn` of the only frontend that leads here. One that leads elsewhere too says nothing
/// about this backend.
fn admitted(view: &BackendView<'_>) -> Option<Demand> {
    let instance = view.context.instance;
    let mut listeners: Vec<usize> = (instance.routes_to(view.index))
        .filter_map(|route| route.listener)
        .collect();
    listeners.dedup();
    let &[listener] = listeners.as_slice() else {
        return None;
    };
    let alone = (instance.routes_from(listener))
        .all(|route| route.target == crate::model::Target::Backend(view.index));
    let maxconn = &instance.listeners.get(listener).filter(|_| alone)?.maxconn;
    let peak = (*maxconn.known()?)?;
    Some(Demand {
        peak: f64::from(peak),
        span: maxconn.origin.span()?,
        stated: false,
    })
}

/// The overload with all servers up, else the gravest one after the loss of one.
fn worst<'a>(tier: &Tier<'_, 'a>, demand: &Demand) -> Option<Overload<'a>> {
    let view = tier.view;
    let up = view.prediction()?;
    let now = overload(tier, demand, up, up, None);
    if now.is_some() {
        // A frontend that admits more than its servers take at once means to queue.
        return now.filter(|_| demand.stated);
    }
    let share = |index: usize| up.shares.get(index).copied();
    let busiest = tier.members.iter().max_by_key(|(index, _)| share(*index));
    let lost = if tier.members.len() > MOST_LOSSES {
        busiest.map(std::slice::from_ref).unwrap_or_default()
    } else {
        tier.members
    };
    let instance = view.context.instance;
    let overloads = lost.iter().filter_map(|(index, server)| {
        let then = predict(instance.engine, instance.version, view.backend, &[*index])?;
        overload(tier, demand, up, &then, Some(server))
    });
    overloads.reduce(|worst, next| {
        let excess = |one: &Overload<'_>| one.after / f64::from(one.limit);
        if excess(&next) > excess(&worst) {
            next
        } else {
            worst
        }
    })
}

fn overload<'a>(
    tier: &Tier<'_, 'a>,
    demand: &Demand,
    up: &Prediction,
    then: &Prediction,
    lost: Option<&'a Server>,
) -> Option<Overload<'a>> {
    let load = |prediction: &Prediction, index: usize| {
        prediction
            .shares
            .get(index)
            .map_or(0.0, |share| ratio(*share) * demand.peak)
    };
    let over: Vec<(f64, &(usize, &'a Server), u32)> = (tier.members.iter())
        .filter_map(|member| {
            let limit = limit(member.1)?;
            let load = load(then, member.0);
            // Half a connection above the limit is rounding.
            (load >= f64::from(limit) + 0.5).then_some((load / f64::from(limit), member, limit))
        })
        .collect();
    let (_, (index, _), limit) = *over.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(Overload {
        lost,
        before: load(up, *index),
        after: load(then, *index),
        limit,
        servers: over.iter().map(|(_, (_, server), _)| *server).collect(),
    })
}

fn finding(tier: &Tier<'_, '_>, demand: &Demand, over: &Overload<'_>) -> Finding {
    let listed: Vec<&Text> = over.servers.iter().map(|server| &server.name).collect();
    let who = names(&listed);
    let each = if listed.len() > 1 { " each" } else { "" };
    let (before, after) = (over.before.round(), over.after.round());
    let limit = over.limit;
    let word = match tier.view.context.instance.engine {
        Engine::Haproxy => "maxconn",
        Engine::Nginx => "max_conns",
    };
    let peak = if demand.stated {
        format!("at the peak of {}", demand.peak)
    } else {
        format!("when the frontend is full ({})", demand.peak)
    };
    let message = match over.lost {
        Some(lost) => format!(
            "losing `{}` raises {who} from {before} to {after} connections{each} {peak}; `{word}` is \
             {limit}",
            lost.name
        ),
        None => format!(
            "with all servers up {who} would get {after} connections{each} {peak}; `{word}` is {limit}"
        ),
    };
    let severity = match (demand.stated, over.lost) {
        (false, _) => Severity::Info,
        (true, Some(_)) => Severity::Warning,
        (true, None) => Severity::Error,
    };
    let first = over.servers.first();
    let span = first.map_or(tier.view.backend.span, |server| {
        server.maxconn.origin.span().unwrap_or(server.head())
    });
    let source = if demand.stated {
        "the stated peak"
    } else {
        "the most that the frontend admits"
    };
    let help = "add servers, or raise the limits to what a load test has shown";
    Finding::new(severity, span, message, help)
        .backend(&tier.view.backend.name)
        .label(format!("{after} connections against {limit}"))
        .related(source, demand.span)
}
