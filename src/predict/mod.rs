//! Where traffic goes: shares from a backend's algorithm, weights and states.
//!
//! In: a [`Backend`] of the model and the servers that are down. Out: the exact share of each
//! server, and how far the number can be trusted.

use num_rational::Ratio;

use crate::model::{Backend, Engine, Version};

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
/// weight or state that depends on an unknown variable.
pub fn predict(
    _engine: Engine,
    _version: Version,
    _backend: &Backend,
    _down: &[usize],
) -> Option<Prediction> {
    None
}
