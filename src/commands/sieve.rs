//! Which findings of `check` are reported: the wanted ones that the baseline does not know.

use super::compare::Judged;
use super::selection::Selection;
use crate::baseline::{Baseline, Known};
use crate::cli::CheckArgs;
use crate::error::Error;
use crate::finding::Finding;
use crate::report::{Identity, identities};

/// What was left out, and what is needed to name the rest.
#[derive(Default)]
pub(super) struct Sieved {
    /// The fingerprints of the findings that are left.
    pub(super) fingerprints: Option<Vec<String>>,
    /// How many findings the baseline knows.
    pub(super) baselined: usize,
    /// How many of the baseline's findings are gone.
    pub(super) fixed: usize,
}

/// The baseline as it is; `None` where none is named, or where it is to be written for the first
/// time. What is no baseline is not overwritten.
pub(super) fn old_baseline(args: &CheckArgs) -> Result<Option<Baseline>, Error> {
    match &args.baseline {
        Some(path) if path.exists() || !args.write_baseline => Baseline::read(path).map(Some),
        Some(_) | None => Ok(None),
    }
}

/// Takes the findings out that are not wanted, and those that the baseline knows; or writes the
/// baseline, which then knows them all.
pub(super) fn sieve(
    args: &CheckArgs,
    judged: &mut Judged,
    selection: &Selection<'_>,
    old: Option<Baseline>,
) -> Result<Sieved, Error> {
    if args.baseline.is_none() {
        judged.findings.retain(|finding| selection.keeps(finding));
        return Ok(Sieved::default());
    }
    let all = std::mem::take(&mut judged.findings);
    // Equal findings are told apart by their number among all, wanted or not.
    let numbered = identities(&all, &judged.audit.sources);
    let wanted = all.into_iter().zip(numbered);
    let (findings, numbered): (Vec<Finding>, Vec<Identity>) = wanted
        .filter(|(finding, _)| selection.keeps(finding))
        .unzip();
    let looked_for = |known: &Known| selection.covers(&known.rule, known.severity);
    let compared = (old.as_ref())
        .map(|old| old.compare(&findings, &numbered, &judged.audit.sources, looked_for))
        .unwrap_or_default();
    let mut sieved = Sieved::default();
    if args.since.is_none() {
        // A part of the objects tells nothing about what is gone elsewhere.
        sieved.fixed = compared.fixed;
    }
    if args.write_baseline {
        sieved.baselined = findings.len();
        rewrite(args, judged, (&findings, &numbered), selection, old)?;
    } else {
        sieved.keep_new(judged, (findings, numbered), &compared.known);
    }
    Ok(sieved)
}

impl Sieved {
    /// Gives back what the baseline does not know.
    fn keep_new(
        &mut self,
        judged: &mut Judged,
        (findings, numbered): (Vec<Finding>, Vec<Identity>),
        known: &[bool],
    ) {
        let mut known = known.iter();
        let mut fingerprints = Vec::new();
        for (finding, identity) in findings.into_iter().zip(numbered) {
            if known.next() == Some(&true) {
                self.baselined += 1;
            } else {
                judged.findings.push(finding);
                fingerprints.push(identity.to_string());
            }
        }
        self.fingerprints = Some(fingerprints);
    }
}

/// Writes the baseline: what was found, and what was there before and not looked for. A run that
/// could not read everything leaves it as it is.
fn rewrite(
    args: &CheckArgs,
    judged: &Judged,
    (findings, numbered): (&[Finding], &[Identity]),
    selection: &Selection<'_>,
    old: Option<Baseline>,
) -> Result<(), Error> {
    let Some(path) = args
        .baseline
        .as_ref()
        .filter(|_| judged.audit.errors.is_empty())
    else {
        return Ok(());
    };
    let mut baseline = Baseline::of(findings, numbered, &judged.audit.sources);
    if let Some(old) = old {
        baseline.keep(old, |known| selection.covers(&known.rule, known.severity));
    }
    baseline.write(path)
}
