//! nginx `hash KEY` (`ngx_http_upstream_hash_module.c`): 15 bits of crc32 modulo the sum of all
//! weights, hashed again when the peer is out.

use super::Share;
use super::fraction::{ratio, rounded};
use super::pool::Pool;
use super::weights::{by_count, proportional};

/// Values of one hash: `(crc32 >> 16) & 0x7fff`.
const VALUES: usize = 1 << 15;

/// Times a key is hashed before plain round robin decides.
const ROUNDS: usize = 21;

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
    Some(by_count(pool, &hits?))
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
    let (runs, total) = runs(pool);
    let mut slots = vec![None; total.min(VALUES)];
    for (index, run) in runs.iter().filter(|(_, run)| run.up) {
        let to = run.to.min(slots.len());
        if let Some(own) = slots.get_mut(run.from.min(to)..to) {
            own.fill(Some(*index));
        }
    }
    slots.iter().copied().cycle().take(VALUES).collect()
}

/// How many of `values` fall into a run: whole rounds, and the part of the last one.
fn values_in(run: &Run, total: usize, values: usize) -> u64 {
    let (rounds, rest) = (values / total.max(1), values % total.max(1));
    let cut = |slot: usize| slot.min(rest);
    let hits = rounds * (run.to - run.from) + cut(run.to) - cut(run.from);
    u64::try_from(hits).unwrap_or(0)
}

/// Shares with peers out: the chance of each slot is carried from one hashing to the next.
///
/// Later hashes are taken as independent of the first, which a uniform key space makes them.
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
        // Sums of hashes never get beyond this, so further slots are out of reach.
        let reach = ROUNDS * VALUES;
        Self {
            slots: vec![0.0; total.min(reach)],
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
