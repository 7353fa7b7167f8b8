//! `check --metrics-file`: what a run leaves behind for monitoring, also when it fails.

use super::{Outcome, Run};
use crate::cli::CheckArgs;
use crate::error::Error;
use crate::metrics::{self, RunFacts, Sample};

/// Runs `check` and writes the metrics file where one is named. `check` gives the outcome, and the
/// samples of a run that could audit everything.
pub(super) fn recorded(
    args: &CheckArgs,
    run: &mut Run<'_>,
    check: impl FnOnce(&mut Run<'_>) -> Result<(Outcome, Option<Vec<Sample>>), Error>,
) -> Result<Outcome, Error> {
    let Some(file) = &args.metrics_file else {
        return check(run).map(|(outcome, _)| outcome);
    };
    let started = (run.now)();
    let (result, samples) = match check(run) {
        Ok((outcome, samples)) => (Ok(outcome), samples),
        Err(error) => (Err(error), None),
    };
    let ended = (run.now)();
    let facts = RunFacts {
        ended: ended.as_duration().as_secs_f64(),
        // A clock that was set back meanwhile tells nothing.
        duration: ended.duration_since(started).as_secs_f64().max(0.0),
    };
    let recorded = metrics::write(file, samples, facts);
    let mut outcome = result?;
    if let Err(error) = recorded {
        outcome.status = error.exit_status();
        outcome.errors.push(error);
    }
    Ok(outcome)
}
