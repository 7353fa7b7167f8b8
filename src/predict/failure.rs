//! What failures do to the traffic of a backend.
//!
//! In: a backend and servers that fail, or every single one in turn. Out: the shares without them
//! and how much of the traffic changes its server.

use super::losses::Losses;
use super::pool::{Method, Pool, Table};
use super::{Prediction, Share, Tier, effective_method, map, predict_pool};
use crate::model::{Backend, Engine, Version};

/// Larger backends have no table of failures: it grows with the square of the servers.
pub const MOST_SERVERS: usize = 512;

/// One or more servers out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Indices of the servers that fail.
    pub down: Vec<usize>,
    /// The fraction of all requests or keys whose server changes, the lost server's included.
    pub moved: Share,
    /// The traffic without it.
    pub after: Prediction,
}

impl Failure {
    /// The server with the largest share afterwards, the first of equal ones.
    pub fn busiest(&self) -> Option<(usize, Share)> {
        let shares = self.after.shares.iter().copied().enumerate();
        let serving = shares.filter(|(_, share)| *share != Share::ZERO);
        serving.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

/// Every single failure of a server that takes traffic while those at `down` are out.
///
/// `None` where the shares are not known, and for backends of more than 512 servers.
pub fn failures(
    engine: Engine,
    version: Version,
    backend: &Backend,
    down: &[usize],
) -> Option<Vec<Failure>> {
    of_pool(&Pool::new(engine, version, backend, down)?)
}

/// The same for a pool.
pub(super) fn of_pool(pool: &Pool<'_>) -> Option<Vec<Failure>> {
    if pool.members.len() > MOST_SERVERS {
        return None;
    }
    let before = predict_pool(pool)?;
    let (tier, serving) = pool.serving();
    let survivors = Survivors::new(pool, effective_method(pool, tier), &before)?;
    let failure = |lost: usize| {
        let mut without = pool.clone();
        without.take_out(lost);
        Some(Failure {
            down: vec![lost],
            moved: survivors.moved(&without, &[lost], &before)?,
            after: survivors.after(&without, lost, &before)?,
        })
    };
    serving.iter().map(|lost| failure(*lost)).collect()
}

/// What happens when the servers at `down` fail together.
pub fn failure(
    engine: Engine,
    version: Version,
    backend: &Backend,
    down: &[usize],
) -> Option<Failure> {
    let pool = Pool::new(engine, version, backend, &[])?;
    let before = predict_pool(&pool)?;
    let (tier, _) = pool.serving();
    let survivors = if effective_method(&pool, tier) == Method::Hash(Table::Map) {
        Survivors::Map(hash_slots(&pool, tier)?)
    } else {
        Survivors::Plain
    };
    let without = Pool::new(engine, version, backend, down)?;
    Some(Failure {
        down: down.to_vec(),
        moved: survivors.moved(&without, down, &before)?,
        after: predict_pool(&without)?,
    })
}

/// The failure that leaves the most on one server; where several do, as of two servers both, the one
/// that moves the most.
pub fn worst(failures: &[Failure]) -> Option<&Failure> {
    let busiest = |failure: &Failure| failure.busiest().map_or(Share::ZERO, |(_, share)| share);
    let harm = |failure: &Failure| (busiest(failure), failure.moved);
    // The first of equally bad ones.
    failures.iter().reduce(|worst, next| {
        if harm(next) > harm(worst) {
            next
        } else {
            worst
        }
    })
}

/// What is computed once for all failures.
enum Survivors {
    /// Nothing: every state is predicted on its own.
    Plain,
    /// The map with every server.
    Map(Vec<usize>),
    /// What each other one gets of the hash values of each server.
    Counted(Losses),
}

impl Survivors {
    fn new(pool: &Pool<'_>, method: Method, before: &Prediction) -> Option<Self> {
        if method == Method::Hash(Table::Map) {
            return Some(Self::Map(hash_slots(pool, before.tier)?));
        }
        Some(Losses::of(pool, method).map_or(Self::Plain, Self::Counted))
    }

    /// The traffic of `without`, which lacks the server `lost`.
    fn after(&self, without: &Pool<'_>, lost: usize, before: &Prediction) -> Option<Prediction> {
        let (tier, serving) = without.serving();
        let Self::Counted(losses) = self else {
            return predict_pool(without);
        };
        if tier != before.tier || serving.len() < 2 {
            return predict_pool(without);
        }
        Some(Prediction {
            basis: before.basis,
            tier,
            shares: losses.shares(without, lost, &serving),
        })
    }

    /// Only a map deals the keys of the survivors out again; everywhere else it is the lost server's
    /// share that moves.
    fn moved(&self, without: &Pool<'_>, lost: &[usize], before: &Prediction) -> Option<Share> {
        let Self::Map(slots) = self else {
            let shares = lost.iter().filter_map(|lost| before.shares.get(*lost));
            return Some(shares.sum());
        };
        let (tier, _) = without.serving();
        match tier {
            Tier::None => Some(Share::from(1)),
            Tier::Active | Tier::Backup => Some(map::moved(slots, &hash_slots(without, tier)?)),
        }
    }
}

/// The map as hashes see it.
fn hash_slots(pool: &Pool<'_>, tier: Tier) -> Option<Vec<usize>> {
    let mut slots = map::slots(pool, map::divisor(pool))?;
    if map::skips_hashing(pool, tier) {
        // A single used server skips hashing.
        slots.truncate(1);
    }
    Some(slots)
}
