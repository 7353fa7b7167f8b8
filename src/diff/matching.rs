//! Which object of one list is which of another.
//!
//! In: keys of both lists. Out: pairs of indices. Several passes may follow each other, from the
//! strictest key to the loosest; each pairs the n-th object of a key with the n-th of the other list.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Pairs of indices into two lists.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    /// For each object of the old list its partner.
    pub(super) of_old: Vec<Option<usize>>,
    /// For each object of the new list its partner.
    pub(super) of_new: Vec<Option<usize>>,
}

/// More objects than this under one key tell nothing about which is which.
const MOST_SHARED: usize = 64;

impl Matching {
    pub(super) fn new(old: usize, new: usize) -> Self {
        Self {
            of_old: vec![None; old],
            of_new: vec![None; new],
        }
    }

    /// The n-th object of one list with the n-th of the other.
    pub(super) fn in_place(size: usize) -> Self {
        let all: Vec<Option<usize>> = (0..size).map(Some).collect();
        Self {
            of_old: all.clone(),
            of_new: all,
        }
    }

    fn join(&mut self, old: usize, new: usize) {
        if let (Some(one), Some(other)) = (self.of_old.get_mut(old), self.of_new.get_mut(new)) {
            (*one, *other) = (Some(new), Some(old));
        }
    }

    /// Pairs what is left by equal keys.
    pub(super) fn by_key<K: Eq + Hash>(
        mut self,
        old: impl IntoIterator<Item = Option<K>>,
        new: impl IntoIterator<Item = Option<K>>,
    ) -> Self {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for ((index, key), partner) in old.into_iter().enumerate().zip(&self.of_old) {
            if let (Some(key), None) = (key, partner) {
                waiting.entry(key).or_default().push_back(index);
            }
        }
        for (index, key) in new.into_iter().enumerate() {
            let free = self.of_new.get(index) == Some(&None);
            let queue = key.filter(|_| free).and_then(|key| waiting.get_mut(&key));
            if let Some(found) = queue.and_then(VecDeque::pop_front) {
                self.join(found, index);
            }
        }
        self
    }

    /// Pairs what is left by what it contains: at least half of the larger one's parts in common,
    /// those with the most in common first.
    pub(super) fn by_overlap(
        mut self,
        old: impl Fn(usize) -> Vec<String>,
        new: impl Fn(usize) -> Vec<String>,
    ) -> Self {
        let mut holders: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for index in unmatched(&self.of_old) {
            let parts = distinct(old(index));
            let size = parts.len();
            for part in parts {
                holders.entry(part).or_default().push((index, size));
            }
        }
        let mut pairs: Vec<Likeness> = Vec::new();
        for index in unmatched(&self.of_new) {
            pairs.extend(likenesses(index, &distinct(new(index)), &holders));
        }
        pairs.sort_by(Likeness::order);
        for pair in pairs {
            let free = self.of_old.get(pair.old) == Some(&None);
            if free && self.of_new.get(pair.new) == Some(&None) {
                self.join(pair.old, pair.new);
            }
        }
        self
    }

    /// The old objects without a partner.
    pub(super) fn only_old(&self) -> Vec<usize> {
        unmatched(&self.of_old)
    }

    /// The pairs in the order of the new list, and new objects without a partner.
    pub(super) fn in_new_order(&self) -> impl Iterator<Item = (Option<usize>, usize)> {
        let partners = self.of_new.iter().enumerate();
        partners.map(|(index, partner)| (*partner, index))
    }

    /// Whether partners stand in the same order on both sides.
    pub(super) fn keeps_order(&self) -> bool {
        self.of_new.iter().flatten().is_sorted()
    }
}

fn unmatched(partners: &[Option<usize>]) -> Vec<usize> {
    let free = partners.iter().enumerate();
    free.filter(|(_, partner)| partner.is_none())
        .map(|(index, _)| index)
        .collect()
}

fn distinct(mut parts: Vec<String>) -> Vec<String> {
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// How much two objects have in common.
struct Likeness {
    old: usize,
    new: usize,
    common: usize,
    /// Parts of the larger one.
    size: usize,
}

impl Likeness {
    /// The most alike first. The same order from both sides, so that a comparison the other way round
    /// finds the same pairs.
    fn order(&self, other: &Self) -> Ordering {
        let alike = (other.common * self.size).cmp(&(self.common * other.size));
        let place = |one: &Self| (one.old + one.new, one.old.abs_diff(one.new), one.old);
        alike.then_with(|| place(self).cmp(&place(other)))
    }
}

/// The old objects that share at least half of their parts with a new one.
fn likenesses(
    new: usize,
    parts: &[String],
    holders: &HashMap<String, Vec<(usize, usize)>>,
) -> Vec<Likeness> {
    let mut common: HashMap<(usize, usize), usize> = HashMap::new();
    for part in parts {
        let all = holders.get(part).map_or(&[][..], Vec::as_slice);
        for holder in all.iter().take(MOST_SHARED) {
            *common.entry(*holder).or_default() += 1;
        }
    }
    let likeness = |((old, size), common): ((usize, usize), usize)| Likeness {
        old,
        new,
        common,
        size: size.max(parts.len()),
    };
    let all = common.into_iter().map(likeness);
    all.filter(|pair| pair.common * 2 >= pair.size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Option<char>> {
        text.chars().map(Some).collect()
    }

    #[test]
    fn equal_keys_are_paired_in_order() {
        let matching = Matching::new(4, 3).by_key(keys("abca"), keys("aac"));
        assert_eq!(matching.of_new, [Some(0), Some(3), Some(2)]);
        assert_eq!(matching.only_old(), [1]);
        assert!(!matching.keeps_order());
    }

    #[test]
    fn half_of_the_parts_are_needed() {
        let old = [vec!["1", "2", "3", "4"], vec!["5", "6"]];
        let new = [vec!["5", "7"], vec!["1", "2"], vec!["1", "9", "8"]];
        let parts =
            |all: &[Vec<&str>], index: usize| all[index].iter().map(ToString::to_string).collect();
        let matching = Matching::new(2, 3).by_overlap(|i| parts(&old, i), |i| parts(&new, i));
        assert_eq!(matching.of_new, [Some(1), Some(0), None]);
    }
}
