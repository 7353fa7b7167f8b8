//! What the failure of each peer does to the others, counted in hash values.
//!
//! In: for each run of values the peer that has it, and the one that takes it over. Out: the shares without a
//! given peer, and who then carries most.

use super::fraction::part;
use super::pool::{Method, Pool, Table};
use super::ring::SPACE;
use super::weights::proportional;
use super::{Share, ip_hash};

/// The hash values of each peer, and who gets them when it fails.
#[derive(Debug)]
pub(super) struct Losses {
    /// How many values there are.
    space: u64,
    /// What each peer has.
    own: Vec<u64>,
    /// What each peer gets from each other one: `lost * peers + heir`.
    gains: Vec<u64>,
    /// What of each peer plain round robin deals out.
    undecided: Vec<u64>,
    /// What round robin deals out while all are up.
    always: u64,
}

impl Losses {
    /// Those of a pool; `None` where hash values do not tell them. Their number grows with the square
    /// of the peers.
    pub(super) fn of(pool: &Pool<'_>, method: Method) -> Option<Self> {
        match method {
            Method::Hash(Table::Ring) | Method::RandomRing { .. } => Self::on_ring(pool),
            Method::Hash(Table::Ketama) => pool.ketama()?.losses(pool),
            Method::Hash(Table::IpHash) => Some(ip_hash::losses(pool)),
            Method::RoundRobin
            | Method::StaticMap
            | Method::LeastConn
            | Method::First
            | Method::Sticky
            | Method::RandomWeight
            | Method::RandomTwo
            | Method::Hash(Table::Map | Table::Modulo) => None,
        }
    }

    fn on_ring(pool: &Pool<'_>) -> Option<Self> {
        let mut losses = Self::new(SPACE, pool.members.len());
        let ring = pool.ring()?;
        ring.inheritance(|lost, heir, values| losses.inherit(lost, Some(heir), values));
        losses.own = pool.arcs()?.to_vec();
        Some(losses)
    }

    pub(super) fn new(space: u64, peers: usize) -> Self {
        Self {
            space,
            own: vec![0; peers],
            gains: vec![0; peers * peers],
            undecided: vec![0; peers],
            always: 0,
        }
    }

    /// Adds values that `peer` has and `heir` takes over; round robin decides where there is none.
    pub(super) fn add(&mut self, peer: Option<usize>, heir: Option<usize>, values: u64) {
        let Some(peer) = peer else {
            self.always += values;
            return;
        };
        if let Some(own) = self.own.get_mut(peer) {
            *own += values;
        }
        self.inherit(peer, heir, values);
    }

    /// Adds values that `heir` takes over from `lost`.
    fn inherit(&mut self, lost: usize, heir: Option<usize>, values: u64) {
        let place = match heir {
            Some(heir) => self.gains.get_mut(lost * self.own.len() + heir),
            None => self.undecided.get_mut(lost),
        };
        if let Some(place) = place {
            *place += values;
        }
    }

    /// The values that a peer has while all are up.
    pub(super) fn own(&self, peer: usize) -> u64 {
        self.own.get(peer).copied().unwrap_or(0)
    }

    /// The share of each peer without `lost`, which leaves `serving`.
    pub(super) fn shares(&self, pool: &Pool<'_>, lost: usize, serving: &[usize]) -> Vec<Share> {
        let decided = self.decided(lost).map(|count| part(count, self.space));
        let undecided = self.undecided(lost);
        if undecided == 0 {
            return decided.collect();
        }
        let fallback = part(undecided, self.space);
        let rest = proportional(pool, serving);
        let shares = decided.zip(rest);
        shares.map(|(own, rest)| own + rest * fallback).collect()
    }

    /// The peer with the largest share without `lost`, which leaves `serving`; the first of equal ones.
    pub(super) fn busiest(
        &self,
        pool: &Pool<'_>,
        lost: usize,
        serving: &[usize],
    ) -> Option<(usize, Share)> {
        if self.undecided(lost) == 0 {
            let (peer, count) = most(self.decided(lost))?;
            return Some((peer, part(count, self.space)));
        }
        most(self.shares(pool, lost, serving))
    }

    /// The values that each peer has without `lost`.
    fn decided(&self, lost: usize) -> impl Iterator<Item = u64> {
        let gains = self.gains.iter().skip(lost * self.own.len());
        let counts = self.own.iter().zip(gains).enumerate();
        counts.map(move |(peer, (own, gain))| if peer == lost { 0 } else { own + gain })
    }

    /// The values that round robin deals out without `lost`.
    fn undecided(&self, lost: usize) -> u64 {
        self.always + self.undecided.get(lost).copied().unwrap_or(0)
    }
}

/// The largest of items and its index; the first of equal ones.
fn most<T: PartialOrd>(items: impl IntoIterator<Item = T>) -> Option<(usize, T)> {
    let items = items.into_iter().enumerate();
    items.reduce(|best, next| if next.1 > best.1 { next } else { best })
}
