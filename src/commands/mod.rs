//! What each command does: arguments in, bytes and an exit status out.

mod catalogue;
mod check;
mod compare;
mod config;
mod diff;
mod environment;
mod input;
mod install;
mod metrics;
mod model;
mod output;
mod pick;
mod selection;
mod shares;
mod sieve;
mod story;

use std::any::Any;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::audit::Audit;
use crate::cli::{Cli, Command, Global};
use crate::error::Error;
use crate::report::{Format, Style};

/// How a command ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The exit status.
    pub status: u8,
    /// What could not be done, for standard error.
    pub errors: Vec<Error>,
    /// What was read and found, where it is much: a program that ends can leave it to the system.
    pub kept: Vec<Box<dyn Any>>,
}

/// What every command is given besides its own arguments.
struct Run<'a> {
    global: &'a Global,
    style: Style,
    today: Date,
    now: fn() -> Timestamp,
    out: &'a mut dyn Write,
}

/// What the time is. Only the program itself looks at a clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The day by which dates in comments are judged.
    pub today: Date,
    /// The time now, for the metrics of a run.
    pub now: fn() -> Timestamp,
}

/// Runs the command of `cli` and writes its output to `out`.
pub fn run(cli: &Cli, style: Style, clock: Clock, out: &mut dyn Write) -> Result<Outcome, Error> {
    let mut run = Run {
        global: &cli.global,
        style,
        today: clock.today,
        now: clock.now,
        out,
    };
    match &cli.command {
        Command::Check(args) => check::run(args, &mut run),
        Command::Shares(args) => shares::run(args, &mut run),
        Command::Pick(args) => pick::run(args, &mut run),
        Command::Diff(args) => diff::run(args, &mut run),
        Command::Model(args) => model::run(args, &mut run),
        Command::Explain { rule } => catalogue::explain(rule, &mut run),
        Command::Rules => catalogue::list(&mut run),
        Command::Config(command) => config::run(command, &mut run),
        Command::Completions { shell } => install::completions(*shell, &mut run),
        Command::Man { folder } => install::man(folder.as_deref(), &mut run),
        Command::Schema { name } => catalogue::schema(name, &mut run),
    }
}

impl Run<'_> {
    /// The format of a command that has one output.
    fn format(&self) -> Result<Format, Error> {
        output::single(self.global)
    }
}

/// What could not be read makes the status 2, whatever was found in the rest.
fn finish(mut audit: Audit, status: u8) -> Outcome {
    let failed = audit.errors.iter().map(Error::exit_status).max();
    Outcome {
        status: failed.unwrap_or(status),
        errors: std::mem::take(&mut audit.errors),
        kept: vec![Box::new(audit)],
    }
}

/// A reader that has seen enough (`lbaudit check | head`) is no fault.
fn written(result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(Error::Write {
            path: "the output".into(),
            source,
        }),
        Ok(()) => Ok(()),
    }
}
