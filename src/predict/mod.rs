//! Where traffic goes: shares from a backend's algorithm, weights and states.
//!
//! In: a [`Backend`] of the model and the servers that are down. Out: the exact share of each
//! server, and how far the number can be trusted. One file per algorithm; all of them work on a
//! `Pool`, which reads weights and states out of the model.

mod addresses;
mod chain;
mod failure;
mod fraction;
mod hash;
mod ip_hash;
mod ketama;
mod key;
mod losses;
mod map;
mod modulo;
mod moved;
mod pick;
mod places;
mod pool;
mod random;
mod ring;
mod weights;
mod worst;

use num_rational::Ratio;

use crate::model::{Backend, Engine, Version};
pub use moved::{Moved, State, moved};
use pool::{Method, Pool, Table};

pub use addresses::{
    AddressShare, Addresses, Demand, HostShare, LeftOut, Line, Rates, Reason, addresses,
};
pub use failure::{Failure, MOST_SERVERS, failure, failures, worst};
pub use fraction::ratio;
pub use key::{Extractor, OwnedKey, Request, Unsupported};
pub use pick::{Key, Picker, Unpredictable, WeightChange};
pub use worst::{Worst, worst_failure};

/// A fraction of the traffic of a backend, exact.
pub type Share = Ratio<u128>;

/// How far a share can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The exact order of picks is known.
    Sequence,
    /// Exact over a uniform key space.
    Hash,
    /// Exact in expectation.
    Random,
    /// Depends on load: shown as the share at equal load.
    Load,
}

/// The servers that compete for traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Usable primaries.
    Active,
    /// Backups, because no primary is usable.
    Backup,
    /// Nothing is usable.
    None,
}

/// The traffic of one backend in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// How far it can be trusted.
    pub basis: Basis,
    /// Which servers take the traffic.
    pub tier: Tier,
    /// One share per server of the backend, in declaration order; they sum to 1 unless the tier is
    /// [`Tier::None`].
    pub shares: Vec<Share>,
}

/// The shares of `backend` while the servers at the indices `down` are out.
///
/// `None` where the configuration alone does not tell: an algorithm that is not modelled, or a
/// weight or state that depends on an unknown variable. Under [`Basis::Load`] the share is the one
/// at equal load: connections per weight are equal, so it follows the weights (`first` fills the
/// lowest id).
pub fn predict(
    engine: Engine,
    version: Version,
    backend: &Backend,
    down: &[usize],
) -> Option<Prediction> {
    predict_pool(&Pool::new(engine, version, backend, down)?)
}

/// A backend made ready for several questions about its traffic: what answers them all is computed
/// once.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    backend: &'a Backend,
    pool: Pool<'a>,
}

impl<'a> Prepared<'a> {
    /// `backend` with every server up; `None` where the configuration alone does not tell.
    pub fn new(engine: Engine, version: Version, backend: &'a Backend) -> Option<Self> {
        let pool = Pool::new(engine, version, backend, &[])?;
        Some(Self { backend, pool })
    }

    /// The answer of [`predict`].
    pub fn prediction(&self) -> Option<Prediction> {
        predict_pool(&self.pool)
    }

    /// The answer of [`worst_failure`].
    pub fn worst_failure(&self) -> Option<Worst> {
        worst::of_pool(&self.pool)
    }
}

/// The shares of `backend` while nearly no connection is open.
///
/// They differ from [`predict`] for HAProxy `leastconn` only, which then ignores weights.
pub fn predict_idle(
    engine: Engine,
    version: Version,
    backend: &Backend,
    down: &[usize],
) -> Option<Prediction> {
    let pool = Pool::new(engine, version, backend, down)?;
    if pool.method != Method::LeastConn || engine != Engine::Haproxy {
        return predict_pool(&pool);
    }
    let (tier, serving) = pool.serving();
    Some(Prediction {
        basis: pool.method.basis(),
        tier,
        shares: weights::equal(&pool, &serving),
    })
}

/// Whether keys of one length spread in another way than keys of all lengths while servers are out:
/// in an nginx `hash` without `consistent`.
pub fn depends_on_length(engine: Engine, version: Version, backend: &Backend) -> bool {
    let pool = Pool::new(engine, version, backend, &[]);
    // Of two servers the other one takes all keys, whatever their length.
    pool.is_some_and(|pool| {
        pool.method == Method::Hash(Table::Modulo) && pool.usable(false).len() > 2
    })
}

/// The shares over hash keys of `length` bytes where that matters; otherwise `None`, and [`predict`]
/// has them.
pub fn shares_of_length(
    engine: Engine,
    version: Version,
    backend: &Backend,
    down: &[usize],
    length: usize,
) -> Option<Vec<Share>> {
    let pool = Pool::new(engine, version, backend, down)?;
    let (tier, serving) = pool.serving();
    let matters =
        pool.method == Method::Hash(Table::Modulo) && tier == Tier::Active && serving.len() > 1;
    matters.then(|| modulo::shares_of_length(&pool, &serving, length))
}

fn predict_pool(pool: &Pool<'_>) -> Option<Prediction> {
    let (tier, serving) = pool.serving();
    let method = effective_method(pool, tier);
    let shares = match tier {
        Tier::None => vec![Share::ZERO; pool.members.len()],
        Tier::Active | Tier::Backup => shares(pool, method, tier, &serving)?,
    };
    Some(Prediction {
        basis: method.basis(),
        tier,
        shares,
    })
}

/// The method that chooses within a tier.
fn effective_method(pool: &Pool<'_>, tier: Tier) -> Method {
    let backups = pool.engine == Engine::Nginx && tier == Tier::Backup;
    if backups && pool.method != Method::LeastConn {
        // Backups of nginx are one more round robin behind every method but `least_conn`.
        Method::RoundRobin
    } else {
        pool.method
    }
}

fn shares(pool: &Pool<'_>, method: Method, tier: Tier, serving: &[usize]) -> Option<Vec<Share>> {
    Some(match method {
        Method::RoundRobin | Method::LeastConn | Method::RandomWeight => {
            weights::proportional(pool, serving)
        }
        Method::StaticMap => map::walk_shares(pool, tier, serving)?,
        Method::Hash(Table::Map) => map::hash_shares(pool, tier, serving)?,
        Method::First => weights::only(pool, weights::lowest_id(pool, serving)),
        Method::Sticky => weights::only(pool, serving.first().copied()),
        Method::RandomTwo => random::two(pool, serving),
        Method::RandomRing { .. } | Method::Hash(Table::Ring) => ring::shares(pool)?,
        Method::Hash(Table::Modulo) => modulo::shares(pool, serving),
        Method::Hash(Table::Ketama) => ketama::shares(pool, serving)?,
        Method::Hash(Table::IpHash) => ip_hash::shares(pool, serving),
    })
}
