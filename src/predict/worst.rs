//! The worst single failure, without trying all of them where the weights tell which it is.

use std::cmp::Reverse;

use super::failure::{self, MOST_SERVERS};
use super::losses::Losses;
use super::pool::{Method, Pool, Table};
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
    if serving.len() > 1
        && pool.members.len() <= MOST_SERVERS
        && let Some(losses) = Losses::of(pool, effective_method(pool, tier))
    {
        return worst_loss(&losses, pool, &serving);
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

/// The failure that leaves most on one server, of equal ones that of the server that has most.
fn worst_loss(losses: &Losses, pool: &Pool<'_>, serving: &[usize]) -> Option<Worst> {
    let worst = serving.iter().map(|lost| {
        let left: Vec<usize> = serving.iter().copied().filter(|it| it != lost).collect();
        let worst = named(*lost, losses.busiest(pool, *lost, &left));
        ((worst.share, losses.own(*lost)), worst)
    });
    let worst = worst.reduce(|worst, next| if next.0 > worst.0 { next } else { worst });
    worst.map(|(_, worst)| worst)
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
    use crate::predict::{failures, predict};
    use crate::source::Sources;

    /// The worst failure found without trying all, that found by trying all, and all.
    fn both_ways(engine: Engine, text: &str) -> (Worst, Failure, Vec<Failure>) {
        let input = Input {
            name: "test".to_owned(),
            path: None,
            bytes: text.to_owned().into_bytes(),
        };
        let (sources, options) = (Sources::default(), Options::default());
        let loaded = engine::load(engine, &sources, vec![input], &options).unwrap();
        let (version, backend) = (loaded.variants[0].version, &loaded.variants[0].backends[0]);
        let found = worst_failure(engine, version, backend).unwrap();
        let failures = failures(engine, version, backend, &[]).unwrap();
        for failure in &failures {
            let after = predict(engine, version, backend, &failure.down);
            assert_eq!(Some(&failure.after), after.as_ref(), "{text}");
        }
        (found, worst(&failures).unwrap().clone(), failures)
    }

    fn check(engine: Engine, text: &str) {
        let (found, expected, failures) = both_ways(engine, text);
        let named = failures.iter().find(|failure| failure.down == [found.down]);
        let busiest = found.server.map(|server| (server, found.share));
        assert_eq!(busiest, named.unwrap().busiest(), "{text}");
        let share = |failure: &Failure| failure.busiest().map(|(_, share)| share);
        assert_eq!(busiest.map(|(_, share)| share), share(&expected), "{text}");
    }

    #[test]
    fn of_two_servers_the_loss_that_moves_more_is_the_worst() {
        for method in ["balance roundrobin", "balance uri\n hash-type consistent"] {
            let servers = " server a 10.0.0.1:80 weight 1\n server b 10.0.0.2:80 weight 9\n";
            let text = format!("backend b\n {method}\n{servers}");
            let (found, tried, _) = both_ways(Engine::Haproxy, &text);
            assert_eq!((found.down, tried.down), (1, vec![1]), "{method}");
        }
    }

    const WEIGHTS: [&[u32]; 6] = [
        &[1],
        &[5, 1],
        &[7, 7, 7],
        &[1, 9, 3, 9, 2],
        &[2, 1, 1, 1, 1, 1, 1],
        &[300, 4000, 9000, 20],
    ];

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
            for weights in WEIGHTS {
                let line = |(number, weight): (usize, &u32)| {
                    let weight = weight.min(&256);
                    format!(" server s{number} 10.0.0.1:80 weight {weight}\n")
                };
                let servers: String = weights.iter().enumerate().map(line).collect();
                let text = format!("backend b\n {method}\n{servers}");
                check(Engine::Haproxy, &text);
                let spare = format!("{text} server spare 10.0.0.9:80 backup\n");
                check(Engine::Haproxy, &spare);
            }
        }
    }

    #[test]
    fn so_it_does_for_the_methods_of_nginx() {
        for method in [
            "",
            "ip_hash;",
            "hash $uri;",
            "hash $uri consistent;",
            "least_conn;",
        ] {
            for (weights, out) in WEIGHTS.into_iter().flat_map(|it| [(it, false), (it, true)]) {
                let line = |(number, weight): (usize, &u32)| {
                    let weight = weight % 997;
                    format!(" server 10.0.0.{number}:80 weight={weight};\n")
                };
                let mut servers: String = weights.iter().enumerate().map(line).collect();
                if out {
                    servers.push_str(" server 10.0.1.1:80 weight=3 down;\n");
                }
                check(
                    Engine::Nginx,
                    &format!("upstream b {{\n {method}\n{servers}}}\n"),
                );
            }
        }
    }
}
