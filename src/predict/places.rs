//! Sorted places on a ring of 2^32, each with its owner: `place << 32 | owner`.
//!
//! In: places in any order, evenly spread as hashes are. Out: the same sorted, with an index that
//! finds a place in about one step. Places are dealt into runs by their first bits and sorted there,
//! which is several times faster than sorting all of them.

use std::cell::Cell;

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
    /// Whether any has two owners.
    doubles: bool,
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
    /// Sorts `hashes`, fewer than 2^32, which are those of one owner after the other: as many of each as
    /// `owners` says.
    pub(crate) fn new(hashes: &[u32], owners: impl Iterator<Item = (usize, usize)>) -> Self {
        let bits = (usize::BITS - hashes.len().leading_zeros()).clamp(2, 24) - 1;
        let shift = 32 - bits;
        let (mut ends, longest) = starts(hashes, shift, |hash| *hash);
        let mut sorted = vec![0; hashes.len()];
        let mut rest = hashes;
        for (owner, count) in owners {
            let (own, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = others;
            deal(own, owner, shift, &mut ends, &mut sorted);
        }
        if longest > LONG_RUN {
            sort_long_runs(&mut sorted, &ends);
        }
        exchange(&mut sorted);
        let doubles = insert(&mut sorted);
        Self {
            sorted,
            ends,
            shift,
            doubles,
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
        if !self.doubles {
            return self;
        }
        let Self {
            mut sorted, shift, ..
        } = self;
        sorted.dedup_by_key(|place| position(*place));
        let hash = |place: &u64| u32::try_from(position(*place)).unwrap_or(0);
        // A run ends where the next one starts.
        let (mut ends, _) = starts(&sorted, shift, hash);
        ends.rotate_left(1);
        if let Some(last) = ends.last_mut() {
            *last = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        }
        Self {
            sorted,
            ends,
            shift,
            doubles: false,
        }
    }
}

/// Puts the places of one owner where their runs go on, and moves these ends on.
#[inline(never)] // Among its callers' variables these do not all stay in registers.
fn deal(hashes: &[u32], owner: usize, shift: u32, ends: &mut [u32], sorted: &mut [u64]) {
    let owner = u64::try_from(owner).unwrap_or(0);
    for hash in hashes {
        let Some(end) = ends.get_mut((hash >> shift) as usize) else {
            continue;
        };
        if let Some(slot) = sorted.get_mut(*end as usize) {
            *slot = u64::from(*hash) << 32 | owner;
        }
        *end += 1;
    }
}

/// Where the run of each of the first bits starts, when `places` are sorted by their `hash`, and how
/// long the longest one is.
#[inline(never)] // As above.
fn starts<T>(places: &[T], shift: u32, hash: impl Fn(&T) -> u32) -> (Vec<u32>, u32) {
    let mut starts = vec![0u32; 1 << (32 - shift)];
    for place in places {
        if let Some(count) = starts.get_mut((hash(place) >> shift) as usize) {
            *count += 1;
        }
    }
    let (mut before, mut longest) = (0, 0);
    for start in &mut starts {
        longest = longest.max(*start);
        (*start, before) = (before, before + *start);
    }
    (starts, longest)
}

/// Runs above this are sorted one by one. There are none where places are hashes of their own: on
/// average a run has one or two.
const LONG_RUN: u32 = 16;

/// Sorts the places within each long run; the others are left to [`exchange`] and [`insert`].
fn sort_long_runs(places: &mut [u64], ends: &[u32]) {
    let mut start = 0;
    for end in ends {
        if end - start > LONG_RUN
            && let Some(run) = places.get_mut(start as usize..*end as usize)
        {
            run.sort_unstable();
        }
        start = *end;
    }
}

/// Moves each place behind the smaller ones among the next two, without a branch: the order of two
/// places is a toss-up that no processor predicts.
#[inline(never)] // As above.
fn exchange(places: &mut [u64]) {
    let [first, second, ..] = *places else { return };
    let (mut below, mut largest) = (first.min(second), first.max(second));
    let cells = Cell::from_mut(places).as_slice_of_cells();
    for (to, from) in cells.iter().zip(cells.iter().skip(2)) {
        let place = from.get();
        let smaller = largest.min(place);
        largest = largest.max(place);
        to.set(below.min(smaller));
        below = below.max(smaller);
    }
    if let [.., before, last] = places {
        (*before, *last) = (below, largest);
    }
}

/// Moves down the few places that are not in order yet. Gives whether any place has two owners.
#[allow(clippy::indexing_slicing, reason = "indices are below the length")]
fn insert(places: &mut [u64]) -> bool {
    let mut doubles = false;
    let mut from = 0;
    while let Some(next) = first_unsorted(places, from) {
        let place = places[next];
        let mut at = next;
        while at > 0 && places[at - 1] > place {
            places[at] = places[at - 1];
            at -= 1;
        }
        places[at] = place;
        let around = places[at.saturating_sub(1)..=next].iter().take(3);
        let same = |other: &&u64| position(**other) == position(place);
        doubles |= around.filter(same).count() > 1;
        from = next;
    }
    doubles
}

/// The first place behind `from` that is not beyond the one before it.
fn first_unsorted(places: &[u64], from: usize) -> Option<usize> {
    let (before, behind) = (places.get(from..)?, places.get(from + 1..)?);
    let mut pairs = before.iter().zip(behind);
    let more = pairs.position(|(place, next)| position(*next) <= position(*place))?;
    Some(from + 1 + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sorted_and_found() {
        let hash = crate::predict::hash::avalanche;
        for count in [0u32, 1, 2, 5, 100, 5000] {
            let hashes: Vec<u32> = (0..count).map(hash).collect();
            let owners = (0..hashes.len()).map(|owner| (owner, 1));
            let mut sorted: Vec<u64> = (0..count)
                .map(|n| u64::from(hash(n)) << 32 | u64::from(n))
                .collect();
            sorted.sort_unstable();
            let places = Places::new(&hashes, owners);
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
        let places = Places::new(&[9 << 28, 7, 9, 7], [(1, 2), (2, 2)].into_iter());
        let places = places.without_doubles();
        assert_eq!(places.as_slice(), [7 << 32 | 1, 9 << 32 | 2, 9 << 60 | 1]);
        assert_eq!(places.at_or_above(8), 1);
        assert_eq!(places.at_or_above(10), 2);
        assert_eq!(places.at_or_above(u32::MAX), 3);
    }
}
