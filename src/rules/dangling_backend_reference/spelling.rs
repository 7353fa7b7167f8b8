//! Which name was meant by one that does not exist.
//!
//! In: names of backends, and a name that is none of them. Out: the one that it was probably to be,
//! and whether it is a slip of the keyboard or may be a name of its own.

use crate::model::Text;

/// In names of this length one other letter is a slip, and not another word.
const SURE: usize = 5;

/// Longer names are not compared.
const LONGEST: usize = 64;

/// Finds the name that was probably meant, with a bounded amount of work for a whole file.
pub(super) struct Speller<'a> {
    /// The names of backends, each with whether a route leads there.
    names: Vec<(&'a Text, bool)>,
    /// Comparisons left, so that thousands of wrong names beside thousands of right ones stay cheap.
    budget: usize,
}

impl<'a> Speller<'a> {
    pub(super) fn new(names: Vec<(&'a Text, bool)>) -> Self {
        Self {
            names,
            budget: 300_000,
        }
    }

    /// The name that is written most like `name`, within two edits and a third of its length: of two
    /// that are as near, the one that nothing else uses. There one edit is allowed in short names too.
    pub(super) fn nearest(&mut self, name: &str) -> Option<&'a Text> {
        if !(2..=LONGEST).contains(&name.len()) {
            return None;
        }
        self.budget = self.budget.checked_sub(self.names.len())?;
        let close = |other: &&(&Text, bool)| other.0.len().abs_diff(name.len()) <= 2;
        let candidates = self.names.iter().filter(close);
        let (distance, used, other) = candidates
            .map(|(other, used)| (strsim::osa_distance(name, other), *used, *other))
            .min()?;
        let length = if used {
            name.len()
        } else {
            name.len().max(other.len()).max(3)
        };
        (distance > 0 && distance <= 2 && distance * 3 <= length).then_some(other)
    }
}

/// Whether `name` is `other` with a slip. Two names that differ in their digits only, or by something
/// appended (`api`, `api-b`), are siblings, and so are short ones with another letter in one place
/// (`api`, `app`). A letter more or less, or two that changed places, is a slip; but an `s` makes a
/// plural where `other` has its use already.
pub(super) fn is_slip(name: &str, other: &str, other_is_used: bool) -> bool {
    if differ_in_digits(name, other) {
        return false;
    }
    let appended = name
        .strip_prefix(other)
        .or_else(|| other.strip_prefix(name));
    if let Some(end) = appended {
        let is_letter = end.len() == 1 && end.bytes().all(|byte| byte.is_ascii_alphabetic());
        return is_letter && !(end == "s" && other_is_used);
    }
    name.len() >= SURE || name.len() != other.len() || sorted(name) == sorted(other)
}

fn differ_in_digits(name: &str, other: &str) -> bool {
    let letters = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    letters(name) == letters(other)
}

fn sorted(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.sort_unstable();
    bytes
}
