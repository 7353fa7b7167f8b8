//! `lbaudit check`: is this configuration safe?

use std::path::PathBuf;

use super::compare::{self, Judged};
use super::output::{self, Outputs};
use super::selection::Selection;
use super::sieve::{self, old_baseline};
use super::{Outcome, Run, finish, input, metrics};
use crate::audit::Terms;
use crate::cli::CheckArgs;
use crate::diff::{self, Touched};
use crate::error::Error;
use crate::finding::Severity;
use crate::metrics::Sample;
use crate::report::check::CheckFormat;
use crate::report::{self, Format, Report, Style};
use crate::settings::Settings;

pub(super) fn run(args: &CheckArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    metrics::recorded(args, run, |run| checked(args, run))
}

/// The outcome, and the metrics of a run that could audit everything.
fn checked(args: &CheckArgs, run: &mut Run<'_>) -> Result<(Outcome, Option<Vec<Sample>>), Error> {
    let outputs = Outputs::new(run.global, |name| Ok(output::of_check(name)))?;
    let settings = input::settings(run.global)?;
    let selection = Selection::new(&args.selection)?;
    let old = old_baseline(args)?;
    let terms = Terms {
        settings: &settings,
        today: run.today,
        worded: worded(args, &outputs, run.style),
    };
    let (mut judged, unchanged) = judged(args, terms, run)?;
    judged
        .suppressed
        .retain(|silenced| selection.keeps(&silenced.finding));
    let sieved = sieve::sieve(args, &mut judged, &selection, old)?;
    judged.audit.word(&mut judged.findings, terms);
    let fail_on = args
        .fail_on
        .or(settings.fail_on)
        .unwrap_or(Severity::Warning);
    let mut findings = judged.findings.iter();
    let fails = findings.any(|finding| finding.severity >= fail_on);
    let report = Report {
        unchanged,
        silenced: &judged.suppressed,
        fingerprints: sieved.fingerprints.as_deref(),
        baselined: sieved.baselined,
        fixed: sieved.fixed,
        ..Report::new(&judged.audit, &judged.findings, judged.suppressed.len())
    };
    let quiet = run.global.quiet && !fails;
    outputs.write(quiet, run, |format, style, out| {
        report::check::write(&report, format, style, out)
    })?;
    if let Some(summary) = step_summary(&outputs) {
        output::append_summary(&report, &summary)?;
    }
    let wants_metrics = args.metrics_file.is_some() && judged.audit.errors.is_empty();
    let samples = wants_metrics
        .then(|| crate::metrics::samples(&judged.audit, &judged.findings, args.metrics_max_series));
    let mut outcome = finish(judged.audit, u8::from(fails && !args.exit_zero));
    outcome.kept.push(Box::new(judged.findings));
    Ok((outcome, samples))
}

/// What was found, and how many findings are on objects that did not change.
fn judged(args: &CheckArgs, terms: Terms<'_>, run: &Run<'_>) -> Result<(Judged, usize), Error> {
    let settings = terms.settings;
    match &args.since {
        None => {
            let audit = input::read(&args.input, settings)?;
            Ok((Judged::new(audit, Vec::new()).judge(terms), 0))
        }
        Some(revision) => since(revision, args, settings, run),
    }
}

/// How many findings of a rule are shown: a baseline, a comparison and most formats want all.
fn worded(args: &CheckArgs, outputs: &Outputs<CheckFormat>, style: Style) -> usize {
    let all = style.verbose || args.baseline.is_some() || args.since.is_some();
    if all || !outputs.are_all(CheckFormat::from(Format::Text)) {
        usize::MAX
    } else {
        report::LISTED
    }
}

/// The file that GitHub Actions shows on the page of a job.
fn step_summary(outputs: &Outputs<CheckFormat>) -> Option<PathBuf> {
    if !outputs.has(CheckFormat::Github) {
        return None;
    }
    let path = std::env::var_os("GITHUB_STEP_SUMMARY")?;
    (!path.is_empty()).then(|| path.into())
}

/// The working tree with the findings on what changed since `revision`, and how many others it has.
fn since(
    revision: &str,
    args: &CheckArgs,
    settings: &Settings,
    run: &Run<'_>,
) -> Result<(Judged, usize), Error> {
    let sides = compare::against(revision, &args.input, settings)?;
    let mut sides = sides.judged(settings, run.today);
    let touched = Touched::new(&diff::compare(&sides.old.side(), &sides.new.side()));
    let all = sides.new.findings.len();
    let findings = std::mem::take(&mut sides.new.findings)
        .into_iter()
        .enumerate();
    let changed = findings.filter(|(index, finding)| touched.covers(*index, finding));
    sides.new.findings = changed.map(|(_, finding)| finding).collect();
    sides.new.audit.errors.append(&mut sides.old.audit.errors);
    let unchanged = all - sides.new.findings.len();
    Ok((sides.new, unchanged))
}
