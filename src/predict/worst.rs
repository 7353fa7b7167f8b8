//! The worst single failure, without trying all of them where the weights tell which it is.

use super::pool::{Method, Pool};
use super::weights::lowest_id;
use super::{Failure, Share, Tier, effective_method, failures, predict_pool, worst};
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
    let pool = Pool::new(engine, version, backend, &[])?;
    let (tier, serving) = pool.serving();
    if tier == Tier::None {
        return None;
    }
    let Some(candidates) = candidates(&pool, tier, &serving) else {
        let failures = failures(engine, version, backend, &[])?;
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
        | Method::HashMap => {
            let weight = |index: &usize| pool.members.get(*index).map(|member| member.weight);
            let mut two = serving.to_vec();
            two.sort_by_key(|index| std::cmp::Reverse(weight(index)));
            two.truncate(2);
            Some(two)
        }
        Method::First => Some(lowest_id(pool, serving).into_iter().collect()),
        Method::Sticky => Some(serving.iter().copied().take(1).collect()),
        Method::RandomTwo
        | Method::RandomRing { .. }
        | Method::HashRing
        | Method::Modulo
        | Method::Ketama
        | Method::IpHash => None,
    }
}
