//! nginx `hash KEY` (`ngx_http_upstream_hash_module.c`): 15 bits of crc32 modulo the sum of all
//! weights, hashed again when the peer is out.

use super::Share;
use super::fraction::{part, ratio, rounded};
use super::pool::Pool;
use super::weights::{by_count, proportional};

/// Values of one hash: `(crc32 >> 16) & 0x7fff`.
const VALUES: usize = 1 << 15;

/// Times a key is hashed before plain round robin decides.
const ROUNDS: usize = 21;

/// Sums of hashes stay below this, so further slots are out of reach.
const REACH: usize = ROUNDS * VALUES;

/// One peer's run of slots.
struct Run {
    from: usize,
    to: usize,
    up: bool,
}

/// The share of each peer over a uniform key space.
pub(crate) fn shares(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    let (runs, total) = runs(pool);
    all_up(pool, &runs, total, VALUES).unwrap_or_else(|| rehashed(pool, serving, &runs, total))
}

/// The shares where `values` hash values are dealt out by the weights and no peer is out; `None`
/// where one is, and some values are hashed again.
pub(crate) fn without_rehash(pool: &Pool<'_>, values: usize) -> Option<Vec<Share>> {
    let (runs, total) = runs(pool);
    all_up(pool, &runs, total, values)
}

fn all_up(
    pool: &Pool<'_>,
    runs: &[(usize, Run)],
    total: usize,
    values: usize,
) -> Option<Vec<Share>> {
    let hits: Option<Vec<(usize, u64)>> = (runs.iter())
        .map(|(index, run)| run.up.then(|| (*index, values_in(run, total, values))))
        .collect();
    Some(by_count(pool, hits?.iter().copied()))
}

/// The slots of the primaries, down ones included, and their number.
fn runs(pool: &Pool<'_>) -> (Vec<(usize, Run)>, usize) {
    let mut from = 0usize;
    let mut runs = Vec::with_capacity(pool.members.len());
    for (index, member) in pool.members.iter().enumerate() {
        if member.backup {
            continue;
        }
        let to = from.saturating_add(usize::try_from(member.weight).unwrap_or(usize::MAX));
        let up = member.usable;
        runs.push((index, Run { from, to, up }));
        from = to;
    }
    (runs, from)
}

/// The peer of each value of the first hash; `None` where that peer is out and it hashes again.
pub(crate) fn owners(pool: &Pool<'_>) -> Vec<Option<usize>> {
    let slots = slots(pool, VALUES);
    slots.iter().copied().cycle().take(VALUES).collect()
}

/// The peers of the first slots, at most this many; `None` where a peer is out.
fn slots(pool: &Pool<'_>, most: usize) -> Vec<Option<usize>> {
    let (runs, total) = runs(pool);
    let mut slots = vec![None; total.min(most)];
    for (index, run) in runs.iter().filter(|(_, run)| run.up) {
        let to = run.to.min(slots.len());
        if let Some(own) = slots.get_mut(run.from.min(to)..to) {
            own.fill(Some(*index));
        }
    }
    slots
}

/// How many of `values` fall into a run: whole rounds, and the part of the last one.
fn values_in(run: &Run, total: usize, values: usize) -> u64 {
    let (rounds, rest) = (values / total.max(1), values % total.max(1));
    let cut = |slot: usize| slot.min(rest);
    let hits = rounds * (run.to - run.from) + cut(run.to) - cut(run.from);
    u64::try_from(hits).unwrap_or(0)
}

/// Shares with peers out over the keys of one length.
///
/// crc32 is linear: a counter in front of the key changes the hash of every key of that length in the
/// same bits. So the first hash decides all later ones, and its 2^15 values can be tried one by one.
pub(crate) fn shares_of_length(pool: &Pool<'_>, serving: &[usize], length: usize) -> Vec<Share> {
    let (_, total) = runs(pool);
    let slots = slots(pool, REACH);
    let flips = flips(length);
    let mut hits = vec![0u64; pool.members.len()];
    let mut left = 0u64;
    for first in 0..VALUES {
        match settled(&slots, &flips, first, total).and_then(|peer| hits.get_mut(peer)) {
            Some(count) => *count += 1,
            None => left += 1,
        }
    }
    let values = u64::try_from(VALUES).unwrap_or(u64::MAX);
    let left = part(left, values);
    let fallback = proportional(pool, serving);
    let sums = hits.iter().zip(fallback);
    sums.map(|(count, share)| part(*count, values) + left * share)
        .collect()
}

/// The bits in which the hash of each later round differs from the first one.
fn flips(length: usize) -> Vec<usize> {
    let key = vec![0u8; length];
    let first = crc32fast::hash(&key);
    let later = (1..ROUNDS).map(|round| {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(round.to_string().as_bytes());
        hasher.update(&key);
        (hasher.finalize() ^ first) >> 16 & 0x7fff
    });
    later.map(|bits| bits as usize).collect()
}

/// The peer that a key ends at; `None` where plain round robin decides.
fn settled(slots: &[Option<usize>], flips: &[usize], first: usize, total: usize) -> Option<usize> {
    let peer = |sum: usize| slots.get(sum % total.max(1)).copied().flatten();
    let mut sum = first;
    let mut flips = flips.iter();
    loop {
        if let Some(peer) = peer(sum) {
            return Some(peer);
        }
        sum += first ^ flips.next()?;
    }
}

/// Shares with peers out: the chance of each slot is carried from one hashing to the next.
///
/// Later hashes are taken as independent of the first. That holds on average over keys of all lengths;
/// over those of one length see [`shares_of_length`].
fn rehashed(pool: &Pool<'_>, serving: &[usize], runs: &[(usize, Run)], total: usize) -> Vec<Share> {
    let mut won = vec![0.0; pool.members.len()];
    let mut chances = Chances::new(total);
    for _ in 0..ROUNDS {
        chances.hash();
        for (index, run) in runs.iter().filter(|(_, run)| run.up) {
            if let Some(sum) = won.get_mut(*index) {
                *sum += chances.take(run);
            }
        }
    }
    let left = chances.left();
    for (sum, share) in won.iter_mut().zip(proportional(pool, serving)) {
        *sum += left * ratio(share);
    }
    rounded(&won)
}

/// The chance of each slot.
struct Chances {
    slots: Vec<f64>,
    total: usize,
    started: bool,
}

impl Chances {
    fn new(total: usize) -> Self {
        Self {
            slots: vec![0.0; total.min(REACH)],
            total,
            started: false,
        }
    }

    /// Adds one hash to the value, whose slot is the sum modulo the total.
    fn hash(&mut self) {
        if !self.started {
            self.started = true;
            if let Some(slot) = self.slots.first_mut() {
                *slot = 1.0;
            }
        }
        let (rounds, rest) = (VALUES / self.total.max(1), VALUES % self.total.max(1));
        let even = self.left() * as_float(rounds) / as_float(VALUES);
        // Beyond the whole rounds a hash adds 0..rest: a sliding sum over the slots below.
        let size = self.slots.len();
        let wraps = size == self.total;
        let mut sums = Vec::with_capacity(size + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for slot in &self.slots {
            sum += slot;
            sums.push(sum);
        }
        let between = |from: usize, to: usize| {
            let at = |index: usize| sums.get(index).copied().unwrap_or(sum);
            at(to) - at(from)
        };
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let end = index + 1;
            let window = match end.checked_sub(rest) {
                Some(from) => between(from, end),
                None if wraps => between(0, end) + between(size + end - rest, size),
                None => between(0, end),
            };
            *slot = even + window.max(0.0) / as_float(VALUES);
        }
    }

    /// Takes the chance of a run out.
    fn take(&mut self, run: &Run) -> f64 {
        let to = run.to.min(self.slots.len());
        let slots = self.slots.get_mut(run.from.min(to)..to);
        slots.into_iter().flatten().map(std::mem::take).sum()
    }

    /// What is not decided yet.
    fn left(&self) -> f64 {
        self.slots.iter().sum()
    }
}

fn as_float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{self, Input, Options};
    use crate::model::{Engine, Instance};
    use crate::predict::{Key, Picker, shares_of_length};
    use crate::source::Sources;

    fn upstream(servers: &str) -> Instance {
        let input = Input {
            name: "test".to_owned(),
            path: None,
            bytes: format!("upstream u {{ hash $arg_k; {servers} }}\n").into_bytes(),
        };
        let loaded = engine::load(
            Engine::Nginx,
            &Sources::default(),
            vec![input],
            &Options::default(),
        );
        loaded.unwrap().variants.remove(0)
    }

    /// Keys of this length that have every first hash once.
    fn keys(length: usize) -> Vec<Vec<u8>> {
        let mut found: Vec<Option<Vec<u8>>> = vec![None; VALUES];
        let mut left = VALUES;
        let mut number = 0u64;
        while left > 0 {
            let key = format!("{number:0length$}").into_bytes();
            let first = (crc32fast::hash(&key) >> 16 & 0x7fff) as usize;
            if found[first].replace(key).is_none() {
                left -= 1;
            }
            number += 1;
        }
        found.into_iter().flatten().collect()
    }

    #[test]
    fn shares_of_one_length_are_those_of_its_picks() {
        for (servers, length) in [
            ("server a down; server b; server c; server d;", 8),
            ("server a weight=5; server b down; server c weight=2;", 9),
            ("server a weight=60 down; server b; server c weight=3;", 12),
        ] {
            let instance = upstream(servers);
            let backend = &instance.backends[0];
            let (engine, version) = (instance.engine, instance.version);
            let shares = shares_of_length(engine, version, backend, &[], length).unwrap();
            assert_eq!(shares.iter().sum::<Share>(), Share::from(1));
            let mut picker = Picker::new(engine, version, backend).unwrap();
            let mut counts = vec![0u64; backend.servers.len()];
            for key in keys(length) {
                counts[picker.pick(Key::Bytes(&key)).unwrap()] += 1;
            }
            for (count, share) in counts.iter().zip(&shares) {
                // The few keys that plain round robin decides can fall one aside.
                let off = (ratio(part(*count, VALUES as u64)) - ratio(*share)).abs();
                assert!(off < 1e-4, "{servers}: {counts:?} of {shares:?}");
            }
        }
    }

    #[test]
    fn keys_of_equal_length_go_to_one_of_four_equal_servers() {
        let instance = upstream("server a down; server b; server c; server d;");
        let (engine, version) = (instance.engine, instance.version);
        let shares = shares_of_length(engine, version, &instance.backends[0], &[], 32);
        let (quarter, half) = (Share::new(1, 4), Share::new(1, 2));
        assert_eq!(shares.unwrap(), [Share::ZERO, quarter, quarter, half]);
    }
}
