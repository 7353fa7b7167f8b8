//! The order in which findings are shown.
//!
//! In: findings as the rules made them. Out: the same by file, position, rule and message; facts without a
//! message stay in the order in which they were found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::Finding;
use crate::source::{Source, SourceId, Sources};

/// The order in which findings are shown: by file, then position, then rule.
pub fn sort(findings: &mut [Finding], sources: &Sources) {
    let names = FileOrder::new(findings, sources);
    let place = |finding: &Finding| {
        let span = finding.span;
        (names.of(span.source), span.start, finding.rule)
    };
    findings.sort_by_cached_key(place);
    let same_place = |a: &Finding, b: &Finding| place(a) == place(b);
    for findings in findings.chunk_by_mut(same_place) {
        findings.sort_by(|a, b| a.message.cmp(&b.message));
    }
}

/// The files of findings in the order of their names.
struct FileOrder(BTreeMap<SourceId, usize>);

impl FileOrder {
    fn new(findings: &[Finding], sources: &Sources) -> Self {
        let ids: BTreeSet<SourceId> = findings.iter().map(|it| it.span.source).collect();
        let mut files: Vec<(Arc<Source>, SourceId)> =
            (ids.into_iter().map(|id| (sources.get(id), id))).collect();
        files.sort_by(|(a, _), (b, _)| a.name().cmp(b.name()));
        // A file that was read for several instances has one place in the order.
        let same_name = |(a, _): &(Arc<Source>, _), (b, _): &(Arc<Source>, _)| a.name() == b.name();
        let numbered = files.chunk_by(same_name).enumerate();
        let numbered =
            numbered.flat_map(|(number, files)| files.iter().map(move |(_, id)| (*id, number)));
        Self(numbered.collect())
    }

    fn of(&self, file: SourceId) -> usize {
        self.0.get(&file).copied().unwrap_or(usize::MAX)
    }
}
