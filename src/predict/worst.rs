//! The worst single failure, without trying all of them where the weights tell which it is.

use std::cmp::Reverse;

use super::failure::{self, MOST_SERVERS};
use super::fraction::part;
use super::pool::{Method, Pool, Table};
use super::ring::SPACE;
use super::weights::lowest_id;
use super::{Failure, Share, Tier, effective_method, predict_pool, worst};
use crate::model::{Backend, Engine, Version};

/// The failure of one server, and who carries most then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worst {
    /// Index of the server that fails.
    pub down: usize,
    /// Index of the server that carries most; `None` when none is left.
    pub server: Option<usize>,
    /// What it carries.
    pub share: Share,
}

/// The worst failure of one of the servers that take traffic: the one [`worst`] finds, for backends
/// of any size where shares follow weights.
///
/// `None` where nothing takes traffic, where the configuration alone does not tell, and for hashes
/// over so many servers that there is no table of failures.
pub fn worst_failure(engine: Engine, version: Version, backend: &Backend) -> Option<Worst> {
    of_pool(&Pool::new(engine, version, backend, &[])?)
}

/// The same for a pool.
pub(super) fn of_pool(pool: &Pool<'_>) -> Option<Worst> {
    let (tier, serving) = pool.serving();
    if tier == Tier::None {
        return None;
    }
    if serving.len() > 1 && on_ring(pool, tier) {
        return worst_on_ring(pool, &serving);
    }
    let Some(candidates) = candidates(pool, tier, &serving) else {
        let failures = failure::of_pool(pool)?;
        let worst = worst(&failures)?;
        return Some(named(*worst.down.first()?, worst.busiest()));
    };
    let mut found: Option<Worst> = None;
    for lost in candidates {
        let mut without = pool.clone();
        without.take_out(lost);
        let failure = Failure {
            down: vec![lost],
            moved: Share::ZERO,
            after: predict_pool(&without)?,
        };
        let next = named(lost, failure.busiest());
        if found.is_none_or(|found| next.share > found.share) {
            found = Some(next);
        }
    }
    found
}

fn on_ring(pool: &Pool<'_>, tier: Tier) -> bool {
    matches!(
        effective_method(pool, tier),
        Method::Hash(Table::Ring) | Method::RandomRing { .. }
    )
}

/// The same from the arcs alone: no share of every server in every state.
fn worst_on_ring(pool: &Pool<'_>, serving: &[usize]) -> Option<Worst> {
    let size = pool.members.len();
    if size > MOST_SERVERS {
        return None;
    }
    let ring = pool.ring()?;
    let arcs = pool.arcs()?;
    let mut gains = vec![0; size * size];
    ring.inheritance(|lost, heir, values| {
        if let Some(gain) = gains.get_mut(lost * size + heir) {
            *gain += values;
        }
    });
    let mut worst: Option<((u64, u64), usize, usize)> = None;
    for lost in serving {
        let gains = gains.get(lost * size..(lost + 1) * size)?;
        let moved = *arcs.get(*lost)?;
        for (heir, (arc, gain)) in arcs.iter().zip(gains).enumerate() {
            let harm = (arc + gain, moved);
            if heir != *lost && worst.is_none_or(|(most, _, _)| harm > most) {
                worst = Some((harm, *lost, heir));
            }
        }
    }
    let ((values, _), down, server) = worst?;
    Some(named(down, Some((server, part(values, SPACE)))))
}

fn named(down: usize, busiest: Option<(usize, Share)>) -> Worst {
    Worst {
        down,
        server: busiest.map(|(server, _)| server),
        share: busiest.map_or(Share::ZERO, |(_, share)| share),
    }
}

/// The servers whose failure can be the worst; `None` where only trying tells.
///
/// Where shares follow weights, the loss of the second heaviest server puts most on the heaviest
/// one: `a / (1 - b)` is at least `b / (1 - a)` for `a >= b`. With the heaviest one, whose loss is as
/// bad where they are equal and comes first, that makes two.
fn candidates(pool: &Pool<'_>, tier: Tier, serving: &[usize]) -> Option<Vec<usize>> {
    match effective_method(pool, tier) {
        Method::RoundRobin
        | Method::LeastConn
        | Method::RandomWeight
        | Method::StaticMap
        | Method::Hash(Table::Map) => {
            let weight = |index: &usize| pool.members.get(*index).map(|member| member.weight);
            let mut two = serving.to_vec();
            two.sort_by_key(|index| Reverse(weight(index)));
            two.truncate(2);
            Some(two)
        }
        Method::First => Some(lowest_id(pool, serving).into_iter().collect()),
        Method::Sticky => Some(serving.iter().copied().take(1).collect()),
        Method::RandomTwo
        | Method::RandomRing { .. }
        | Method::Hash(Table::Ring | Table::Modulo | Table::Ketama | Table::IpHash) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{self, Input, Options};
    use crate::predict::failures;
    use crate::source::Sources;

    /// The worst failure, found without trying all and by trying all.
    fn both_ways(lines: &str) -> (Worst, Failure) {
        let input = Input {
            name: "test".to_owned(),
            path: None,
            bytes: format!("backend b\n{lines}").into_bytes(),
        };
        let (sources, options) = (Sources::default(), Options::default());
        let loaded = engine::load(Engine::Haproxy, &sources, vec![input], &options).unwrap();
        let (version, backend) = (loaded.variants[0].version, &loaded.variants[0].backends[0]);
        let found = worst_failure(Engine::Haproxy, version, backend).unwrap();
        let failures = failures(Engine::Haproxy, version, backend, &[]).unwrap();
        (found, worst(&failures).unwrap().clone())
    }

    fn check(lines: &str) {
        let (found, tried) = both_ways(lines);
        let busiest = tried.busiest().map(|(_, share)| share);
        assert_eq!(found.server.map(|_| found.share), busiest);
    }

    #[test]
    fn of_two_servers_the_loss_that_moves_more_is_the_worst() {
        for method in ["balance roundrobin", "balance uri\n hash-type consistent"] {
            let servers = " server a 10.0.0.1:80 weight 1\n server b 10.0.0.2:80 weight 9\n";
            let (found, tried) = both_ways(&format!(" {method}\n{servers}"));
            assert_eq!((found.down, tried.down), (1, vec![1]), "{method}");
        }
    }

    #[test]
    fn the_short_way_finds_what_trying_all_finds() {
        for method in [
            "balance roundrobin",
            "balance static-rr",
            "balance first",
            "balance source",
            "balance uri\n hash-type consistent",
            "balance random",
        ] {
            for weights in [
                &[1][..],
                &[5, 1],
                &[7, 7, 7],
                &[1, 9, 3, 9, 2],
                &[2, 1, 1, 1, 1, 1, 1],
            ] {
                let line = |(number, weight): (usize, &u32)| {
                    format!(" server s{number} 10.0.0.1:80 weight {weight}\n")
                };
                let servers: String = weights.iter().enumerate().map(line).collect();
                let lines = format!(" {method}\n{servers}");
                check(&lines);
                check(&format!("{lines} server spare 10.0.0.9:80 backup\n"));
            }
        }
    }
}
