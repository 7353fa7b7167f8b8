//! Sorted places on a ring of 2^32, each with its owner: `place << 32 | owner`.
//!
//! In: places in any order, evenly spread as hashes are. Out: the same sorted, with an index that
//! finds a place in about one step. Places are dealt into runs by their first bits and sorted there,
//! which is several times faster than sorting all of them.

/// The size of the hash space.
pub(crate) const SPACE: u64 = 1 << 32;

/// Sorted places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    sorted: Vec<u64>,
    /// Where each run of places ends.
    ends: Vec<u32>,
    /// Places are shifted by this to get their run.
    shift: u32,
}

/// The owner of a place.
pub(crate) fn owner(place: u64) -> usize {
    usize::try_from(place & 0xffff_ffff).unwrap_or(usize::MAX)
}

/// Where on the ring it is.
pub(crate) fn position(place: u64) -> u64 {
    place >> 32
}

impl Places {
    /// Sorts `places`, `size` of them and fewer than 2^32. They are gone through twice, so that no
    /// unsorted copy is needed.
    pub(crate) fn new(size: usize, places: impl Iterator<Item = u64> + Clone) -> Self {
        let bits = (usize::BITS - size.leading_zeros()).clamp(3, 24) - 2;
        let shift = 64 - bits;
        let run = |place: u64| usize::try_from(place >> shift).unwrap_or(0);
        let mut ends = vec![0u32; 1 << bits];
        for place in places.clone() {
            if let Some(count) = ends.get_mut(run(place)) {
                *count += 1;
            }
        }
        let mut before = 0;
        for end in &mut ends {
            (*end, before) = (before, before + *end);
        }
        let mut sorted = vec![0; size];
        for place in places {
            if let Some(next) = ends.get_mut(run(place)) {
                if let Some(slot) = sorted.get_mut(*next as usize) {
                    *slot = place;
                }
                *next += 1;
            }
        }
        let mut start = 0;
        for end in &ends {
            if let Some(run) = sorted.get_mut(start..*end as usize) {
                run.sort_unstable();
            }
            start = *end as usize;
        }
        Self {
            sorted,
            ends,
            shift: shift - 32,
        }
    }

    /// All places in order.
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.sorted
    }

    /// The index of the first place at `hash` or above, their number where there is none.
    pub(crate) fn at_or_above(&self, hash: u32) -> usize {
        let run = (hash >> self.shift) as usize;
        let end_of = |run: usize| self.ends.get(run).map_or(0, |end| *end as usize);
        let start = run.checked_sub(1).map_or(0, end_of);
        let run = self.sorted.get(start..end_of(run)).unwrap_or_default();
        let below = run
            .iter()
            .take_while(|place| position(**place) < u64::from(hash));
        start + below.count()
    }

    /// Keeps the first owner of each place.
    pub(crate) fn without_doubles(self) -> Self {
        let doubles = self.sorted.windows(2).any(|pair| match pair {
            [one, other] => position(*one) == position(*other),
            _ => false,
        });
        if !doubles {
            return self;
        }
        let mut sorted = self.sorted;
        sorted.dedup_by_key(|place| position(*place));
        Self::new(sorted.len(), sorted.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sorted_and_found() {
        let hash = crate::predict::hash::avalanche;
        for count in [0u32, 1, 2, 5, 100, 5000] {
            let mixed: Vec<u64> = (0..count)
                .map(|n| u64::from(hash(n)) << 32 | u64::from(n))
                .collect();
            let mut sorted = mixed.clone();
            sorted.sort_unstable();
            let places = Places::new(mixed.len(), mixed.iter().copied());
            assert_eq!(places.as_slice(), sorted);
            for probe in [
                0,
                1,
                u32::MAX,
                hash(3),
                hash(3).wrapping_add(1),
                0x8000_0000,
            ] {
                let expected = sorted.partition_point(|place| position(*place) < u64::from(probe));
                assert_eq!(places.at_or_above(probe), expected, "{probe} among {count}");
            }
        }
    }

    #[test]
    fn of_doubles_the_first_owner_stays() {
        let doubled = [7 << 32 | 2, 7 << 32 | 1, 9 << 32 | 3];
        let places = Places::new(3, doubled.into_iter()).without_doubles();
        assert_eq!(places.as_slice(), [7 << 32 | 1, 9 << 32 | 3]);
        assert_eq!(places.at_or_above(8), 1);
    }
}
