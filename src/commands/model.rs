//! `lbaudit model`: what does lbaudit read in this configuration?

use super::{Outcome, Run, finish, input, written};
use crate::cli::InputArgs;
use crate::error::Error;
use crate::report;

pub(super) fn run(args: &InputArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let audit = input::read(args, &input::settings(run.global)?)?;
    written(report::model::write(
        &audit,
        run.format()?,
        run.style,
        run.out,
    ))?;
    Ok(finish(audit, 0))
}
