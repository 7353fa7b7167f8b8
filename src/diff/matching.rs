//! Which object of one list is which of another.
//!
//! In: keys of both lists. Out: pairs of indices. Several passes may follow each other, from the
//! strictest key to the loosest; each pairs the n-th object of a key with the n-th of the other list.

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
    /// the partner with the most.
    pub(super) fn by_overlap(
        mut self,
        old: impl Fn(usize) -> Vec<String>,
        new: impl Fn(usize) -> Vec<String>,
    ) -> Self {
        let mut holders: HashMap<String, Vec<usize>> = HashMap::new();
        let mut sizes: HashMap<usize, usize> = HashMap::new();
        for index in unmatched(&self.of_old) {
            let parts = distinct(old(index));
            sizes.insert(index, parts.len());
            for part in parts {
                holders.entry(part).or_default().push(index);
            }
        }
        for index in unmatched(&self.of_new) {
            let parts = distinct(new(index));
            let best = best_holder(&parts, &holders, |old| self.of_old.get(old) == Some(&None));
            if let Some((found, common)) = best {
                let size = sizes.get(&found).copied().unwrap_or(0).max(parts.len());
                if common * 2 >= size {
                    self.join(found, index);
                }
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

/// The free object with the most parts in common, the first one of several.
fn best_holder(
    parts: &[String],
    holders: &HashMap<String, Vec<usize>>,
    free: impl Fn(usize) -> bool,
) -> Option<(usize, usize)> {
    let mut common: HashMap<usize, usize> = HashMap::new();
    for part in parts {
        let all = holders.get(part).map_or(&[][..], Vec::as_slice);
        for index in all
            .iter()
            .copied()
            .filter(|index| free(*index))
            .take(MOST_SHARED)
        {
            *common.entry(index).or_default() += 1;
        }
    }
    let mut common: Vec<(usize, usize)> = common.into_iter().collect();
    common.sort_unstable();
    common.into_iter().rev().max_by_key(|(_, count)| *count)
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
