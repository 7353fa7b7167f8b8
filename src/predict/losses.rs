//! What the failure of each peer does to the others, counted in hash values.
//!
//! In: for each run of values the peer that has it, and the one that takes it over. Out: who carries
//! most without a given peer, without a table of every share in every state.

use super::Share;
use super::fraction::part;
use super::pool::Pool;
use super::weights::proportional;

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
        self.add_own(peer, values);
        self.inherit(peer, heir, values);
    }

    /// Adds values that a peer has; who takes them over is told by [`Self::inherit`].
    pub(super) fn add_own(&mut self, peer: usize, values: u64) {
        if let Some(own) = self.own.get_mut(peer) {
            *own += values;
        }
    }

    /// Adds values that `heir` takes over from `lost`.
    pub(super) fn inherit(&mut self, lost: usize, heir: Option<usize>, values: u64) {
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

    /// The peer with the largest share without `lost`, which leaves `serving`; the first of equal ones.
    pub(super) fn busiest(
        &self,
        pool: &Pool<'_>,
        lost: usize,
        serving: &[usize],
    ) -> Option<(usize, Share)> {
        let gains = self.gains.iter().skip(lost * self.own.len());
        let counts = self.own.iter().zip(gains).enumerate();
        let decided = counts.map(|(index, (own, gain))| {
            let is_lost = index == lost;
            (index, if is_lost { 0 } else { own + gain })
        });
        let undecided = self.always + self.undecided.get(lost).copied().unwrap_or(0);
        let share = |count: u64| part(count, self.space);
        if undecided == 0 {
            return most(decided).map(|(index, count)| (index, share(count)));
        }
        let fallback = share(undecided);
        let rest = proportional(pool, serving);
        let shares = decided.zip(rest);
        most(shares.map(|((index, count), rest)| (index, share(count) + rest * fallback)))
    }
}

/// The first of those with the most.
fn most<T: PartialOrd>(items: impl Iterator<Item = (usize, T)>) -> Option<(usize, T)> {
    items.reduce(|best, next| if next.1 > best.1 { next } else { best })
}
