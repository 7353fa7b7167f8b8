//! `lbaudit diff`: what does this change do to the traffic?

use std::path::{Path, PathBuf};
use std::slice::from_ref;

use super::compare::{self, Judged, Sides};
use super::output::{self, Outputs};
use super::{Outcome, Run, input};
use crate::audit::Audit;
use crate::cli::{DiffArgs, InputArgs};
use crate::diff;
use crate::error::Error;
use crate::finding::Severity;
use crate::report::{self, diff::Limits};
use crate::settings::Settings;

pub(super) fn run(args: &DiffArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let outputs = Outputs::new(run.global, output::of_diff)?;
    let settings = input::settings(run.global)?;
    let sides = match &args.git {
        Some(revision) => compare::against(revision, &args.input, &settings)?,
        None => two(&args.input, &settings)?,
    };
    let sides = sides.judged(&settings, run.today);
    let (old, new) = (sides.old.side(), sides.new.side());
    let diff = diff::compare(&old, &new);
    let limits = Limits {
        fail_on: (args.fail_on.or(settings.fail_on)).unwrap_or(Severity::Warning),
        max_shift: args.max_shift.map(|percent| percent / 100.0),
        max_moved: args.max_moved.map(|percent| percent / 100.0),
    };
    let report = report::diff::DiffReport {
        diff: &diff,
        old: &old,
        new: &new,
        limits,
    };
    let fails = report.fails();
    let quiet = run.global.quiet && !fails;
    outputs.write(quiet, run, |format, style, out| {
        report::diff::write(&report, format, style, out)
    })?;
    Ok(sides.finish(diff, u8::from(fails && !args.exit_zero)))
}

/// The two configurations that are named.
fn two(args: &InputArgs, settings: &Settings) -> Result<Sides, Error> {
    let one = |paths: &[PathBuf], instances: &[String]| InputArgs {
        paths: paths.to_vec(),
        instance: instances.to_vec(),
        ..args.clone()
    };
    let (old, new) = match (args.paths.as_slice(), args.instance.as_slice()) {
        ([old, new], []) => (one(from_ref(old), &[]), one(from_ref(new), &[])),
        ([], [old, new]) => (one(&[], from_ref(old)), one(&[], from_ref(new))),
        _ => {
            let usage = "name two configurations, `lbaudit diff OLD NEW`, or a revision, \
                         `lbaudit diff --git REV [PATH]…`";
            return Err(Error::Usage(usage.to_owned()));
        }
    };
    let read = |args: &InputArgs| input::read(args, settings).and_then(something);
    let sides = (read(&old)?, read(&new)?);
    let labels = [(&sides.0, &old), (&sides.1, &new)].map(|(audit, args)| labels(audit, args));
    let [old, new] = labels;
    Ok(Sides {
        old: Judged::new(sides.0, old),
        new: Judged::new(sides.1, new),
    })
}

/// What was read, unless that is nothing: everything would seem to be new or gone.
fn something(mut audit: Audit) -> Result<Audit, Error> {
    if audit.instances.is_empty() && !audit.errors.is_empty() {
        return Err(audit.errors.swap_remove(0));
    }
    Ok(audit)
}

/// The paths of the instances relative to the folder that was named.
fn labels(audit: &Audit, args: &InputArgs) -> Vec<String> {
    let base = args.paths.first().filter(|path| path.is_dir());
    let label = |root: &str| {
        let root = Path::new(root);
        let short = base.and_then(|base| root.strip_prefix(base).ok());
        short.unwrap_or(root).display().to_string()
    };
    compare::roots(audit).map(|root| label(&root)).collect()
}
