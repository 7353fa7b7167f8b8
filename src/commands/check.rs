//! `lbaudit check`: is this configuration safe?

use super::{Outcome, Run, finish, input, selection, written};
use crate::audit::Terms;
use crate::cli::CheckArgs;
use crate::error::Error;
use crate::finding::Severity;
use crate::report::{self, Report};
use crate::suppress;

pub(super) fn run(args: &CheckArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let settings = input::settings(run.global)?;
    let selection = selection::Selection::new(&args.selection)?;
    let mut audit = input::read(&args.input, &settings)?;
    let judged = audit.judge(Terms {
        settings: &settings,
        today: run.today,
    });
    let mut findings = suppress::apply(&audit, judged, run.today);
    findings.kept.retain(|finding| selection.keeps(finding));
    let fail_on = args
        .fail_on
        .or(settings.fail_on)
        .unwrap_or(Severity::Warning);
    let fails = findings
        .kept
        .iter()
        .any(|finding| finding.severity >= fail_on);
    if fails || !run.global.quiet {
        let report = Report::new(&audit, &findings.kept, findings.suppressed.len());
        written(report::check::write(
            &report,
            run.format(),
            run.style,
            run.out,
        ))?;
    }
    Ok(finish(audit, u8::from(fails && !args.exit_zero)))
}
