//! Findings that one side has and the other has not.

use std::collections::HashMap;

use super::Side;
use super::pairs::Pair;
use crate::finding::Finding;
use crate::report::fingerprints;

/// Which findings came and which went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingChanges {
    /// Indices of findings of the new side: new ones, and those that are more severe than before.
    pub introduced: Vec<usize>,
    /// Indices of findings of the old side: those that are gone, and those that were more severe.
    pub resolved: Vec<usize>,
}

impl FindingChanges {
    /// Whether both sides have the same findings.
    pub fn is_empty(&self) -> bool {
        self.introduced.is_empty() && self.resolved.is_empty()
    }
}

/// Compares the findings of paired instances by their fingerprints.
///
/// Pair by pair, so that equal names in two instances are kept apart.
pub(super) fn compare(old: &Side<'_>, new: &Side<'_>, pairs: &[Pair]) -> FindingChanges {
    let (olds, news) = (by_instance(old), by_instance(new));
    let of = |all: &HashMap<usize, Vec<usize>>, index: Option<usize>| {
        index
            .and_then(|index| all.get(&index))
            .cloned()
            .unwrap_or_default()
    };
    let mut changes = FindingChanges::default();
    for pair in pairs {
        let (mut gone, mut known) = (Vec::new(), HashMap::new());
        for (print, index) in printed(old, of(&olds, pair.old)) {
            known.insert(print, index);
        }
        for (print, index) in printed(new, of(&news, pair.new)) {
            let before = known.remove(&print);
            let severity = |side: &Side<'_>, index: usize| {
                side.findings.get(index).map(|finding| finding.severity)
            };
            let was = before.and_then(|before| severity(old, before));
            let is = severity(new, index);
            if is > was {
                changes.introduced.push(index);
            }
            gone.extend(before.filter(|_| was > is));
        }
        gone.extend(known.into_values());
        changes.resolved.extend(gone);
    }
    changes.introduced.sort_unstable();
    changes.resolved.sort_unstable();
    changes
}

/// The findings of each instance.
fn by_instance(side: &Side<'_>) -> HashMap<usize, Vec<usize>> {
    let mut all: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, finding) in side.findings.iter().enumerate() {
        all.entry(finding.instance).or_default().push(index);
    }
    all
}

/// Some findings with their fingerprints.
fn printed(side: &Side<'_>, indices: Vec<usize>) -> Vec<(String, usize)> {
    let findings: Vec<Finding> = (indices.iter())
        .filter_map(|index| side.findings.get(*index).cloned())
        .collect();
    let prints = fingerprints(&findings, &side.audit.sources);
    prints.into_iter().zip(indices).collect()
}
