//! Layouts: which server each hash value belongs to, and how two of them differ.
//!
//! In: slots or runs with the numbers of their servers. Out: how many values two layouts give to the
//! same server.

use std::collections::HashMap;

/// Which server each hash value belongs to, by number.
pub(super) enum Layout {
    /// A 32-bit value modulo the number of slots.
    Cycle(Vec<usize>),
    /// Runs that cover this many values.
    Runs(u64, Vec<Run>),
}

/// A run of hash values up to `end`, itself excluded; without a server where nginx would go on to
/// another choice.
pub(super) struct Run {
    pub(super) end: u64,
    pub(super) who: Option<usize>,
}

/// The values of every run that are slots of its own server.
pub(super) fn kept_of_mixed(slots: &[usize], runs: &[Run], space: u64) -> f64 {
    let mut places: HashMap<usize, Vec<u64>> = HashMap::new();
    for (slot, who) in (0u64..).zip(slots) {
        places.entry(*who).or_default().push(slot);
    }
    let size = to_u64(slots.len()).max(1);
    let below = |own: &[u64], value: u64| {
        let part = own.partition_point(|slot| *slot < value % size);
        value / size * to_u64(own.len()) + to_u64(part)
    };
    let (mut kept, mut start) = (0, 0);
    for run in runs {
        if let Some(own) = run.who.and_then(|who| places.get(&who)) {
            kept += below(own, run.end) - below(own, start);
        }
        start = run.end;
    }
    as_float(kept) / as_float(space)
}

/// What a sweep over two layouts of runs counts.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) kept: u64,
    /// Values that only one side decides, by the server that it decides for.
    pub(super) only_old: HashMap<usize, u64>,
    pub(super) only_new: HashMap<usize, u64>,
    pub(super) undecided: u64,
}

impl Sweep {
    pub(super) fn over(old: &[Run], new: &[Run]) -> Self {
        let mut sweep = Self::default();
        let (mut ones, mut others) = (old.iter(), new.iter());
        let (mut one, mut other) = (ones.next(), others.next());
        let mut start = 0;
        while let (Some(a), Some(b)) = (one, other) {
            let end = a.end.min(b.end);
            sweep.count(a.who, b.who, end - start);
            start = end;
            if a.end == end {
                one = ones.next();
            }
            if b.end == end {
                other = others.next();
            }
        }
        sweep
    }

    fn count(&mut self, old: Option<usize>, new: Option<usize>, values: u64) {
        match (old, new) {
            (Some(old), Some(new)) if old == new => self.kept += values,
            (Some(_), Some(_)) => {}
            (Some(old), None) => *self.only_old.entry(old).or_default() += values,
            (None, Some(new)) => *self.only_new.entry(new).or_default() += values,
            (None, None) => self.undecided += values,
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "for a fraction; the counts are far below 2^53"
)]
pub(super) fn as_float(number: u64) -> f64 {
    number as f64
}

pub(super) fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
