//! `lbaudit check`: is this configuration safe?

use super::compare::{self, Judged};
use super::{Outcome, Run, finish, input, selection, written};
use crate::cli::CheckArgs;
use crate::diff::{self, Touched};
use crate::error::Error;
use crate::finding::Severity;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(super) fn run(args: &CheckArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let settings = input::settings(run.global)?;
    let selection = selection::Selection::new(&args.selection)?;
    let (mut judged, unchanged) = match &args.since {
        None => {
            let audit = input::read(&args.input, &settings)?;
            (
                Judged::new(audit, Vec::new()).judge(&settings, run.today),
                0,
            )
        }
        Some(revision) => since(revision, args, &settings, run)?,
    };
    judged.findings.retain(|finding| selection.keeps(finding));
    let fail_on = args
        .fail_on
        .or(settings.fail_on)
        .unwrap_or(Severity::Warning);
    let mut findings = judged.findings.iter();
    let fails = findings.any(|finding| finding.severity >= fail_on);
    if fails || !run.global.quiet {
        let report = Report {
            unchanged,
            ..Report::new(&judged.audit, &judged.findings, judged.suppressed)
        };
        written(report::check::write(
            &report,
            run.format(),
            run.style,
            run.out,
        ))?;
    }
    Ok(finish(judged.audit, u8::from(fails && !args.exit_zero)))
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
