//! What each command does: arguments in, bytes and an exit status out.

mod environment;
mod input;

use std::io::{self, Write};

use jiff::civil::Date;

use crate::audit::{Audit, Terms};
use crate::cli::{CheckArgs, Cli, Command, FormatName, Global, InputArgs};
use crate::error::Error;
use crate::finding::Severity;
use crate::report::{self, Format, Report, Style};
use crate::rules;
use crate::suppress;

/// How a command ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The exit status.
    pub status: u8,
    /// What could not be done, for standard error.
    pub errors: Vec<Error>,
}

/// Runs the command of `cli` and writes its output to `out`.
///
/// `today` is the day by which dates in comments are judged.
pub fn run(cli: &Cli, style: Style, today: Date, out: &mut dyn Write) -> Result<Outcome, Error> {
    match &cli.command {
        Command::Check(args) => check(args, &cli.global, style, today, out),
        Command::Model(args) => model(args, &cli.global, style, out),
        Command::Explain { rule } => explain(rule, style, out),
        Command::Rules => list_rules(&cli.global, style, out),
    }
}

fn check(
    args: &CheckArgs,
    global: &Global,
    style: Style,
    today: Date,
    out: &mut dyn Write,
) -> Result<Outcome, Error> {
    let settings = input::settings(global)?;
    let mut audit = input::read(&args.input, &settings)?;
    let judged = audit.judge(Terms {
        settings: &settings,
        today,
    });
    let findings = suppress::apply(&audit, judged, today);
    let fail_on = (args.fail_on)
        .or(settings.fail_on)
        .unwrap_or(Severity::Warning);
    let fails = (findings.kept.iter()).any(|finding| finding.severity >= fail_on);
    if fails || !global.quiet {
        let report = Report::new(&audit, &findings.kept, findings.suppressed.len());
        written(report::check::write(
            &report,
            format(global.format),
            style,
            out,
        ))?;
    }
    let status = u8::from(fails && !args.exit_zero);
    Ok(finish(audit, status))
}

fn model(
    args: &InputArgs,
    global: &Global,
    style: Style,
    out: &mut dyn Write,
) -> Result<Outcome, Error> {
    let audit = input::read(args, &input::settings(global)?)?;
    written(report::model::write(
        &audit,
        format(global.format),
        style,
        out,
    ))?;
    Ok(finish(audit, 0))
}

fn explain(name: &str, style: Style, out: &mut dyn Write) -> Result<Outcome, Error> {
    let entry = rules::find(name).ok_or_else(|| {
        Error::Usage(format!(
            "there is no rule `{name}`: {}",
            rules::did_you_mean(name)
        ))
    })?;
    written(report::explain::write(&entry.page, style, out))?;
    Ok(Outcome::default())
}

fn list_rules(global: &Global, style: Style, out: &mut dyn Write) -> Result<Outcome, Error> {
    written(report::catalogue::write(
        rules::catalogue(),
        format(global.format),
        style,
        out,
    ))?;
    Ok(Outcome::default())
}

/// What could not be read makes the status 2, whatever was found in the rest.
fn finish(audit: Audit, status: u8) -> Outcome {
    let failed = audit.errors.iter().map(Error::exit_status).max();
    Outcome {
        status: failed.unwrap_or(status),
        errors: audit.errors,
    }
}

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

fn format(name: FormatName) -> Format {
    match name {
        FormatName::Text => Format::Text,
        FormatName::Concise => Format::Concise,
        FormatName::Json => Format::Json,
        FormatName::Jsonl => Format::Jsonl,
    }
}
