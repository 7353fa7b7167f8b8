//! The `lbaudit` program: arguments in, exit status out. The only place that prints.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use jiff::{Timestamp, tz::TimeZone};

use lbaudit::cli::{Cli, ColorWhen};
use lbaudit::commands::{self, Clock};
use lbaudit::error::Error;
use lbaudit::report::{self, Style};
use lbaudit::threads;

/// More than a run needs at once in one block, and less than 32 MiB, beyond which glibc learns nothing.
const LARGE_BLOCK: usize = 24 << 20;

/// Has the allocator of glibc keep what is freed for what is asked for next. It would give every large block
/// back to the system, which then has to clear other pages for the next one; what counts as large follows the
/// largest block freed so far (`M_MMAP_THRESHOLD` in mallopt(3)). This one is never touched, so that it costs
/// next to nothing.
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE_BLOCK)));
}

fn main() -> ExitCode {
    keep_freed_memory();
    threads::this_is_the_first();
    let cli = Cli::parse();
    let clock = Clock {
        // Days end at midnight UTC: loading the zones of this machine takes longer than auditing a small file.
        today: TimeZone::UTC.to_datetime(Timestamp::now()).date(),
        now: Timestamp::now,
    };
    let result = match &cli.global.output {
        None => to_standard_output(&cli, clock),
        Some(path) => {
            let mut bytes = Vec::new();
            commands::run(&cli, plain_style(&cli), clock, &mut bytes).and_then(|outcome| {
                report::write_file_atomically(path, &bytes)?;
                Ok(outcome)
            })
        }
    };
    match result {
        Ok(outcome) => {
            outcome.errors.iter().for_each(complain);
            // Giving a large model back piece by piece would be work for nothing.
            std::mem::forget(outcome.kept);
            ExitCode::from(outcome.status)
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

fn to_standard_output(cli: &Cli, clock: Clock) -> Result<commands::Outcome, Error> {
    let stdout = io::stdout().lock();
    let style = Style {
        color: wants_color(cli, &stdout),
        ..plain_style(cli)
    };
    let mut out = BufWriter::with_capacity(1 << 16, stdout);
    let outcome = commands::run(cli, style, clock, &mut out)?;
    match out.flush() {
        // The reader has seen enough: `lbaudit check | head`.
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(outcome),
        Err(source) => Err(Error::Write {
            path: "standard output".into(),
            source,
        }),
        Ok(()) => Ok(outcome),
    }
}

/// No colours, and as wide as the terminal, or 80 columns where there is none.
fn plain_style(cli: &Cli) -> Style {
    let terminal = io::stdout()
        .is_terminal()
        .then(terminal_size::terminal_size)
        .flatten();
    let width = terminal.map_or(80, |(width, _)| usize::from(width.0));
    Style {
        color: false,
        width,
        verbose: cli.global.verbose,
    }
}

fn wants_color(cli: &Cli, stdout: &io::StdoutLock<'_>) -> bool {
    match cli.global.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => anstream::AutoStream::choice(stdout) != anstream::ColorChoice::Never,
    }
}

/// Says on standard error what could not be done.
fn complain(error: &Error) {
    let mut stderr = anstream::stderr().lock();
    let red = anstyle::AnsiColor::Red.on_default().bold();
    // Where standard error is closed there is nobody left to tell.
    let _ = writeln!(stderr, "{red}error{red:#}: {error}");
}
