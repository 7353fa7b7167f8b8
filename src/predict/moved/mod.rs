//! How many keys of a hash change their server between two states of a backend.
//!
//! In: two states and who is who in them. Out: a fraction of the key space. Both states are laid out
//! over the hash values, and the layouts are compared: value by value in a merged sweep where they
//! are runs, by residues where both are remainders.

mod layout;

use std::collections::HashMap;

use layout::{Layout, Run, Sweep, as_float, kept_of_mixed};

use super::fraction::ratio;
use super::ip_hash;
use super::pool::{Method, Pool, Table};
use super::ring::SPACE;
use super::weights::proportional;
use super::{Prepared, Tier, effective_method, map, modulo, shares};
use crate::model::{Backend, Engine, HashFunction, HashKey, Version};

/// A backend in one state, with a number for each of its servers: equal numbers in two states are
/// one server.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// Which engine's rules apply.
    pub engine: Engine,
    /// The version whose rules apply.
    pub version: Version,
    /// The backend.
    pub backend: &'a Backend,
    /// One number per server, in declaration order; numbers are small.
    pub who: &'a [usize],
}

/// A fraction of keys that change their server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// From 0 to 1.
    pub fraction: f64,
    /// Whether it is counted over all hash values. Otherwise the two states hash differently, or a
    /// server that is out makes nginx hash again, and it is an expectation over keys of all lengths
    /// (see [`super::shares_of_length`]).
    pub exact: bool,
}

/// The fraction of keys whose server differs between two states.
///
/// `None` where one of them does not choose by a key, or where the configuration alone does not tell.
pub fn moved<'a>(old: State<'a>, new: State<'a>) -> Option<Moved> {
    let ready = |state: &State<'a>| Prepared::new(state.engine, state.version, state.backend);
    ready(&old)?.moved(old.who, &ready(&new)?, new.who)
}

impl Prepared<'_> {
    /// The answer of [`moved`], with the numbers of the servers of both.
    pub fn moved(&self, who: &[usize], new: &Prepared<'_>, new_who: &[usize]) -> Option<Moved> {
        between(&Side::new(self, who)?, &Side::new(new, new_who)?)
    }
}

fn between(one: &Side<'_>, other: &Side<'_>) -> Option<Moved> {
    match (one.tier, other.tier) {
        (Tier::None, Tier::None) => return None,
        (Tier::None, _) | (_, Tier::None) => {
            return Some(Moved {
                fraction: 1.0,
                exact: true,
            });
        }
        (Tier::Active | Tier::Backup, Tier::Active | Tier::Backup) => {}
    }
    if one.key != other.key {
        let by_chance = chance(&one.shares()?, &other.shares()?);
        return Some(Moved {
            fraction: 1.0 - by_chance,
            exact: false,
        });
    }
    compare(one, other)
}

/// What is hashed, and how: values of equal ones are equal for equal requests.
#[derive(PartialEq, Eq)]
enum KeyHash<'a> {
    Haproxy(Option<&'a HashKey>, Option<HashFunction>, bool),
    Nginx(&'a HashKey),
    ClientAddress,
}

/// One state, reduced to what decides.
struct Side<'a> {
    pool: &'a Pool<'a>,
    method: Method,
    tier: Tier,
    serving: Vec<usize>,
    who: &'a [usize],
    key: KeyHash<'a>,
}

impl<'a> Side<'a> {
    fn new(ready: &'a Prepared<'a>, who: &'a [usize]) -> Option<Self> {
        let pool = &ready.pool;
        let (tier, serving) = pool.serving();
        let method = effective_method(pool, tier);
        Some(Self {
            key: key_hash(ready.backend, pool, method)?,
            pool,
            method,
            tier,
            serving,
            who,
        })
    }

    fn who(&self, index: usize) -> Option<usize> {
        self.who.get(index).copied()
    }

    /// The share of each server, by its number.
    fn shares(&self) -> Option<Vec<f64>> {
        let shares = shares(self.pool, self.method, self.tier, &self.serving)?;
        Some(self.by_number(shares.into_iter().map(ratio)))
    }

    /// What plain round robin would give each server, by its number.
    fn fallback(&self) -> Vec<f64> {
        let shares = proportional(self.pool, &self.serving);
        self.by_number(shares.into_iter().map(ratio))
    }

    fn by_number(&self, shares: impl Iterator<Item = f64>) -> Vec<f64> {
        let most = self.who.iter().copied().max().unwrap_or(0);
        let mut numbered = vec![0.0; most + 1];
        for (number, share) in self.who.iter().zip(shares) {
            if let Some(sum) = numbered.get_mut(*number) {
                *sum += share;
            }
        }
        numbered
    }

    fn layout(&self) -> Option<Layout> {
        let Method::Hash(table) = self.method else {
            return None;
        };
        match table {
            Table::Map => self.map(),
            Table::Ring => self.ring(),
            Table::Modulo => Some(self.modulo()),
            Table::Ketama => self.ketama(),
            Table::IpHash => Some(self.ip_hash()),
        }
    }

    fn map(&self) -> Option<Layout> {
        let mut slots = map::slots(self.pool, map::divisor(self.pool))?;
        if map::skips_hashing(self.pool, self.tier) {
            slots.truncate(1);
        }
        let numbers = slots.into_iter().map(|server| self.who(server));
        Some(Layout::Cycle(numbers.collect::<Option<Vec<usize>>>()?))
    }

    fn ring(&self) -> Option<Layout> {
        let run = |end, server| Run {
            end,
            who: self.who(server),
        };
        Some(Layout::Runs(SPACE, self.pool.ring()?.runs(run)))
    }

    /// Bits 16 to 30 of the hash choose the slot, so each value of them is two runs.
    fn modulo(&self) -> Layout {
        let owners = modulo::owners(self.pool);
        let runs = (1u64..).zip(owners.iter().chain(&owners));
        let runs = runs.map(|(number, owner)| Run {
            end: number << 16,
            who: owner.and_then(|server| self.who(server)),
        });
        Layout::Runs(SPACE, runs.collect())
    }

    fn ketama(&self) -> Option<Layout> {
        let ring = self.pool.ketama()?;
        let run = |end, peer: Option<usize>| Run {
            end,
            who: peer.and_then(|server| self.who(server)),
        };
        Some(Layout::Runs(SPACE, ring.runs(self.pool, run)))
    }

    fn ip_hash(&self) -> Layout {
        let slots = ip_hash::Slots::new(self.pool);
        let runs = (0..ip_hash::VALUES).map(|value| Run {
            end: value + 1,
            who: slots.server(value).and_then(|server| self.who(server)),
        });
        Layout::Runs(ip_hash::VALUES, runs.collect())
    }
}

fn key_hash<'a>(backend: &'a Backend, pool: &Pool<'_>, method: Method) -> Option<KeyHash<'a>> {
    let Method::Hash(table) = method else {
        return None;
    };
    if table == Table::IpHash {
        return Some(KeyHash::ClientAddress);
    }
    let key = backend.algorithm.known()?.hash_key();
    if pool.engine == Engine::Nginx {
        return key.map(KeyHash::Nginx);
    }
    // `balance source` takes the address itself, whatever function is named.
    let function = (key != Some(&HashKey::Source)).then_some(pool.hash.function);
    Some(KeyHash::Haproxy(key, function, pool.hash.avalanche))
}

fn compare(one: &Side<'_>, other: &Side<'_>) -> Option<Moved> {
    let exact = |fraction: f64| Moved {
        fraction,
        exact: true,
    };
    Some(match (one.layout()?, other.layout()?) {
        (Layout::Cycle(old), Layout::Cycle(new)) => exact(ratio(map::moved(&old, &new))),
        (Layout::Cycle(slots), Layout::Runs(space, runs))
        | (Layout::Runs(space, runs), Layout::Cycle(slots)) => {
            exact(1.0 - kept_of_mixed(&slots, &runs, space))
        }
        (Layout::Runs(space, old), Layout::Runs(_, new)) => {
            judge(&Sweep::over(&old, &new), one, other, space)
        }
    })
}

/// What the sweep over two layouts means for the keys.
fn judge(sweep: &Sweep, one: &Side<'_>, other: &Side<'_>, space: u64) -> Moved {
    let exact = sweep.undecided == 0 && sweep.only_old.is_empty() && sweep.only_new.is_empty();
    let mut kept = as_float(sweep.kept);
    if !exact {
        let (old, new) = (one.fallback(), other.fallback());
        kept += expected(&sweep.only_old, &new) + expected(&sweep.only_new, &old);
        kept = if one.method == Method::Hash(Table::Modulo)
            && other.method == Method::Hash(Table::Modulo)
        {
            // Both hash again, and the next value finds the same layouts.
            kept * as_float(space) / as_float(space.saturating_sub(sweep.undecided).max(1))
        } else {
            kept + as_float(sweep.undecided) * chance(&old, &new)
        };
    }
    Moved {
        fraction: (1.0 - kept / as_float(space)).clamp(0.0, 1.0),
        exact,
    }
}

/// How many of the values that one side decided the other one gives to the same server.
fn expected(decided: &HashMap<usize, u64>, shares: &[f64]) -> f64 {
    let mut sorted: Vec<(&usize, &u64)> = decided.iter().collect();
    sorted.sort_unstable();
    let part = |(who, values): (&usize, &u64)| {
        shares.get(*who).copied().unwrap_or(0.0) * as_float(*values)
    };
    sorted.into_iter().map(part).sum()
}

/// How often two independent choices fall on the same server.
fn chance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests;
