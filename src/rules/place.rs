//! One cause, one finding, at its place: what one line does to many backends is said once.
//!
//! In: the findings of a run. Out: the same with those joined that point at the same words.

use std::collections::BTreeMap;

use super::wording::names;
use crate::finding::Finding;
use crate::model::Text;
use crate::source::Span;

/// Joins findings of one rule that mark the same words for different backends: a `balance` line in
/// `defaults`, an option in an outer scope. The first one stays and names the others.
pub fn joined(findings: Vec<Finding>) -> Vec<Finding> {
    let mut first_at: BTreeMap<(usize, &str, Span), usize> = BTreeMap::new();
    let mut others: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let place = (finding.instance, finding.rule, finding.span);
        let known = first_at.get(&place).copied();
        let first = known.and_then(|at| Some((at, kept.get(at)?)));
        match (first, &finding.subject.backend) {
            (Some((at, first)), Some(backend)) if is_other(first, backend) => {
                others.entry(at).or_default().push(backend.clone());
            }
            _ => {
                first_at.entry(place).or_insert(kept.len());
                kept.push(finding);
            }
        }
    }
    for (at, backends) in others {
        if let Some(finding) = kept.get_mut(at) {
            let also = format!("; the same goes for {}", names(&backends));
            finding.message.push_str(&also);
        }
    }
    kept
}

fn is_other(first: &Finding, backend: &Text) -> bool {
    (first.subject.backend.as_ref()).is_some_and(|known| known != backend)
}
