//! The baseline: findings that are known and do not fail a gate, in a file beside the configuration.
//!
//! In: the findings of a run with their identities. Out: which of them the file knows, and how many
//! of the file's are gone. A known finding that got worse (a higher severity, or a larger share in
//! its table) is not known any more.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::report::{Identity, Locator, View, plain, write_document, write_file_atomically};
use crate::source::Sources;

const SCHEMA: &str = "lbaudit/baseline/1";

/// A share may grow by this much before the finding is new again.
const TOLERANCE: f64 = 0.01;

/// Known findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    schema: String,
    findings: Vec<Known>,
}

/// One known finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Its fingerprint.
    pub fingerprint: String,
    /// The rule that found it.
    pub rule: String,
    /// How bad it was.
    pub severity: Severity,
    /// The largest share of its table, rounded to six digits.
    pub share: Option<f64>,
    /// The file it was found in: tells equal findings in copies of a configuration apart.
    pub file: String,
    /// What was said, for people who read the file.
    pub message: String,
}

/// Findings beside a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// For each finding whether the baseline knows it.
    pub known: Vec<bool>,
    /// How many of the baseline's findings are gone.
    pub fixed: usize,
}

impl Baseline {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let broken = |fault: String| {
            let path = path.display();
            Error::Usage(format!("`{path}` is no baseline of lbaudit: {fault}"))
        };
        let baseline: Self =
            serde_json::from_str(&text).map_err(|fault| broken(fault.to_string()))?;
        if baseline.schema != SCHEMA {
            let schema = plain(&baseline.schema);
            return Err(broken(format!("its schema is `{schema}`, not `{SCHEMA}`")));
        }
        Ok(baseline)
    }

    /// A baseline of `findings`.
    pub fn of(findings: &[Finding], identities: &[Identity], sources: &Sources) -> Self {
        let mut locator = Locator::new(sources);
        let known = findings.iter().zip(identities).map(|(finding, identity)| {
            let view = View::new(finding, &mut locator);
            Known {
                fingerprint: identity.to_string(),
                rule: finding.rule.to_owned(),
                severity: finding.severity,
                share: worst_share(finding),
                file: view.place.source.name().to_owned(),
                message: view.message.into_owned(),
            }
        });
        Self {
            schema: SCHEMA.to_owned(),
            findings: known.collect(),
        }
    }

    /// Takes over the findings of `old` that this run did not look for.
    pub fn keep(&mut self, old: Self, looked_for: impl Fn(&Known) -> bool) {
        let kept = old.findings.into_iter().filter(|known| !looked_for(known));
        self.findings.extend(kept);
    }

    /// Writes it to `path`, whole or not at all, in an order that makes changes easy to review.
    pub fn write(mut self, path: &Path) -> Result<(), Error> {
        self.findings.sort_by(|a, b| {
            let key = |known: &Known| {
                let Known {
                    rule,
                    file,
                    fingerprint,
                    ..
                } = known;
                (rule.clone(), file.clone(), fingerprint.clone())
            };
            key(a).cmp(&key(b))
        });
        let mut bytes = Vec::new();
        write_document(&self, &mut bytes).map_err(|source| Error::Write {
            path: path.to_owned(),
            source,
        })?;
        write_file_atomically(path, &bytes)
    }

    /// Looks up `findings`. Of the baseline's own, those count that this run `looked_for`.
    pub fn compare(
        &self,
        findings: &[Finding],
        identities: &[Identity],
        sources: &Sources,
        looked_for: impl Fn(&Known) -> bool,
    ) -> Compared {
        let entries = self.findings.iter();
        let mut left: BTreeMap<&str, &Known> = entries
            .map(|known| (known.fingerprint.as_str(), known))
            .collect();
        let mut known = vec![false; findings.len()];
        let mut gone = Vec::new();
        for (object, group) in groups(findings, identities) {
            let entries = take(&mut left, object, group.len());
            let mut waiting = ByFile::new(entries);
            let mut others = Vec::new();
            for (index, finding) in group {
                let file = sources.get(finding.span.source);
                match waiting.of_file(file.name()) {
                    Some(entry) => set(&mut known, index, is_known(entry, finding)),
                    None => others.push((index, finding)),
                }
            }
            let mut rest = waiting.rest().into_iter();
            for (index, finding) in others {
                let entry = rest.next();
                let is_known = entry.is_some_and(|entry| is_known(entry, finding));
                set(&mut known, index, is_known);
            }
            gone.extend(rest);
        }
        gone.extend(left.into_values());
        let fixed = gone.into_iter().filter(|known| looked_for(known)).count();
        Compared { known, fixed }
    }
}

type Group<'a> = Vec<(usize, &'a Finding)>;

/// The findings by their object, each with its index.
fn groups<'a>(findings: &'a [Finding], identities: &[Identity]) -> BTreeMap<u64, Group<'a>> {
    let mut groups: BTreeMap<u64, Group<'a>> = BTreeMap::new();
    for ((index, finding), identity) in findings.iter().enumerate().zip(identities) {
        let group = groups.entry(identity.object).or_default();
        group.push((index, finding));
    }
    groups
}

/// Takes out the entries about `object`: their ordinals run from 1, with gaps where some were
/// deleted by hand.
fn take<'a>(left: &mut BTreeMap<&str, &'a Known>, object: u64, count: usize) -> Vec<&'a Known> {
    let mut taken = Vec::new();
    for (ordinal, number) in (1..).zip(1usize..) {
        let fingerprint = Identity { object, ordinal }.to_string();
        match left.remove(fingerprint.as_str()) {
            Some(entry) => taken.push(entry),
            None if number > count => break,
            None => {}
        }
    }
    taken
}

/// Entries that wait for their finding.
struct ByFile<'a>(BTreeMap<&'a str, VecDeque<&'a Known>>);

impl<'a> ByFile<'a> {
    fn new(entries: Vec<&'a Known>) -> Self {
        let mut files: BTreeMap<&str, VecDeque<&Known>> = BTreeMap::new();
        for entry in entries {
            files.entry(&entry.file).or_default().push_back(entry);
        }
        Self(files)
    }

    /// The next one that was found in `file`.
    fn of_file(&mut self, file: &str) -> Option<&'a Known> {
        self.0.get_mut(file)?.pop_front()
    }

    /// Those whose file is another one now.
    fn rest(self) -> Vec<&'a Known> {
        self.0.into_values().flatten().collect()
    }
}

fn set(known: &mut [bool], index: usize, value: bool) {
    if let Some(slot) = known.get_mut(index) {
        *slot = value;
    }
}

/// Whether `finding` is no worse than when `entry` was written.
fn is_known(entry: &Known, finding: &Finding) -> bool {
    let grew = match (entry.share, worst_share(finding)) {
        (Some(old), Some(new)) => new > old + TOLERANCE,
        (None, _) | (_, None) => false,
    };
    finding.severity <= entry.severity && !grew
}

/// The largest share of the finding's table, so that the file does not depend on the last digit.
fn worst_share(finding: &Finding) -> Option<f64> {
    let shares = finding.shares.iter().map(|row| row.share);
    let worst = shares.reduce(f64::max)?;
    Some((worst * 1e6).round() / 1e6)
}
