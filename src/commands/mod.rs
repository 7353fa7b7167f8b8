//! What each command does: arguments in, bytes and an exit status out.

mod catalogue;
mod check;
mod compare;
mod diff;
mod environment;
mod input;
mod model;
mod pick;
mod selection;
mod shares;
mod story;

use std::io::{self, Write};

use jiff::civil::Date;

use crate::audit::Audit;
use crate::cli::{Cli, Command, FormatName, Global};
use crate::error::Error;
use crate::report::{Format, Style};

/// How a command ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The exit status.
    pub status: u8,
    /// What could not be done, for standard error.
    pub errors: Vec<Error>,
}

/// What every command is given besides its own arguments.
struct Run<'a> {
    global: &'a Global,
    style: Style,
    today: Date,
    out: &'a mut dyn Write,
}

/// Runs the command of `cli` and writes its output to `out`.
///
/// `today` is the day by which dates in comments are judged.
pub fn run(cli: &Cli, style: Style, today: Date, out: &mut dyn Write) -> Result<Outcome, Error> {
    let mut run = Run {
        global: &cli.global,
        style,
        today,
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
    }
}

impl Run<'_> {
    fn format(&self) -> Format {
        match self.global.format {
            FormatName::Text => Format::Text,
            FormatName::Concise => Format::Concise,
            FormatName::Json => Format::Json,
            FormatName::Jsonl => Format::Jsonl,
        }
    }
}

/// What could not be read makes the status 2, whatever was found in the rest.
fn finish(audit: Audit, status: u8) -> Outcome {
    let failed = audit.errors.iter().map(Error::exit_status).max();
    Outcome {
        status: failed.unwrap_or(status),
        errors: audit.errors,
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
