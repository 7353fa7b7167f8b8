//! HAProxy routes by `rand`: what share each really gets when every rule draws anew.

use std::collections::BTreeMap;

use super::percent;
use crate::finding::{Finding, Severity};
use crate::model::{Condition, Instance, RandomDraw, Route, Target};

/// Shares that differ by less are the same intention.
const SAME: f64 = 0.01;

/// Judges the random routes of each listener.
pub(super) fn check(instance: &Instance, findings: &mut Vec<Finding>) {
    let mut by_listener: BTreeMap<usize, Vec<&Route>> = BTreeMap::new();
    for route in &instance.routes {
        if let Some(listener) = route.listener {
            by_listener.entry(listener).or_default().push(route);
        }
    }
    for (listener, routes) in by_listener {
        findings.extend(judge(instance, listener, &routes));
    }
}

/// One rule of a chain of draws: its route, and the part of what reaches it that it takes.
struct Link<'a> {
    route: &'a Route,
    draw: RandomDraw,
    share: f64,
}

fn judge(instance: &Instance, listener: usize, routes: &[&Route]) -> Option<Finding> {
    let start = routes.iter().position(|route| draw(route).is_some())?;
    let (links, rest) = chain(routes.get(start..)?);
    // Rules behind the draws that cannot be decided may take any part of what is left.
    let left = 1.0 - links.iter().map(|link| link.share).sum::<f64>();
    let total = match rest.first() {
        None => left <= 0.0,
        Some(route) if route.condition == Condition::Always => true,
        Some(_) => return None,
    };
    if total && (links.len() < 2 || is_meant(&links, left)) {
        return None;
    }
    let parts: Vec<String> = (links.iter())
        .map(|link| {
            format!(
                "`{}` gets {}",
                target(instance, link.route),
                percent(link.share)
            )
        })
        .collect();
    let end = match rest.first() {
        Some(route) => format!("`{}` gets {}", target(instance, route), percent(left)),
        None => format!("{} match no rule and get 503", percent(left)),
    };
    let why = if links.len() > 1 {
        "every `rand` is a new draw: "
    } else {
        ""
    };
    let listener = instance.listeners.get(listener)?;
    let message = format!(
        "frontend `{}`: {why}{} and {end}",
        listener.name,
        parts.join(", ")
    );
    let last = links.last()?;
    let help = if total {
        "draw once (`http-request set-var(txn.draw) rand(100)`) and compare the variable in every rule"
    } else {
        "end the split with `default_backend` in place of its last `rand` rule"
    };
    let mut finding =
        Finding::new(Severity::Error, last.route.span, message, help).listener(&listener.name);
    for link in links.iter().rev().skip(1).rev() {
        finding = finding.related("an earlier draw", link.route.span);
    }
    Some(finding)
}

/// The draws that follow each other, and the routes behind them.
fn chain<'a, 'b>(routes: &'b [&'a Route]) -> (Vec<Link<'a>>, &'b [&'a Route]) {
    let mut left = 1.0;
    let mut links = Vec::new();
    for route in routes {
        let Some(draw) = draw(route) else { break };
        let share = left * chance(draw);
        left -= share;
        links.push(Link { route, draw, share });
    }
    let rest = routes.get(links.len()..).unwrap_or_default();
    (links, rest)
}

fn draw(route: &Route) -> Option<RandomDraw> {
    match &route.condition {
        Condition::Random(draw) if draw.range > 0 => Some(*draw),
        Condition::Random(_)
        | Condition::Always
        | Condition::Path(_)
        | Condition::Host(_)
        | Condition::Opaque(_) => None,
    }
}

fn chance(draw: RandomDraw) -> f64 {
    let width = draw.below.min(draw.range).saturating_sub(draw.from);
    f64::from(width) / f64::from(draw.range)
}

/// Whether the author reckoned with new draws: equal parts, or each range is what the one before
/// left over.
fn is_meant(links: &[Link<'_>], left: f64) -> bool {
    let shares = || links.iter().map(|link| link.share).chain([left]);
    let most = shares().fold(f64::MIN, f64::max);
    let least = shares().fold(f64::MAX, f64::min);
    let nested = links.windows(2).all(|pair| match pair {
        [first, second] => {
            first.draw.from == 0
                && second.draw.range == first.draw.range.saturating_sub(first.draw.below)
        }
        _ => true,
    });
    most - least < SAME || nested
}

fn target<'a>(instance: &'a Instance, route: &'a Route) -> &'a str {
    match &route.target {
        Target::Backend(index) => instance
            .backends
            .get(*index)
            .map_or("", |backend| backend.name.as_str()),
        Target::Undefined(name) | Target::Dynamic(name) => name,
    }
}
