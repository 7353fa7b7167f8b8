//! The cost of `diff` beside that of checking both sides, measured in the same run on generated files with
//! 40,000 servers: equal ones, and ones where the first server of every backend got another weight.
//!
//! `cargo bench --bench diff` prints the ratio of the fastest rounds.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails where it cannot go on"
)]

#[path = "pipeline/generate.rs"]
mod generate;

use std::ffi::OsStr;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser as _;
use lbaudit::cli::Cli;
use lbaudit::commands;
use lbaudit::report::Style;

const SERVERS: usize = 40_000;
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (engine, generate) in generate::ENGINES {
        let text = generate(SERVERS);
        let at = |name: &str| folder.path().join(format!("{engine}-{name}.conf"));
        let (old, same, new) = (at("old"), at("same"), at("new"));
        fs::write(&old, &text).expect("the file can be written");
        fs::write(&same, &text).expect("the file can be written");
        fs::write(&new, changed(&text)).expect("the file can be written");
        for (what, other) in [("equal", &same), ("changed", &new)] {
            let (mut both, mut diff) = (Duration::MAX, Duration::MAX);
            for _ in 0..ROUNDS {
                both = both.min(time(|| {
                    run("check", [&old]);
                    run("check", [other]);
                }));
                diff = diff.min(time(|| run("diff", [&old, other])));
            }
            let (both, diff) = (both.as_secs_f64() * 1e3, diff.as_secs_f64() * 1e3);
            println!(
                "{engine:<8} {what:<8} check both {both:>7.1} ms, diff {diff:>7.1} ms: {:.2} times",
                diff / both
            );
        }
    }
}

/// The first server of every backend with another weight.
fn changed(text: &str) -> String {
    let mut first = false;
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (word, more) = (words.next(), words.next());
        let opens = matches!(word, Some("backend" | "upstream"));
        let is_server = word == Some("server") && more != Some("{");
        let changes = first && is_server;
        first = opens || (first && !is_server);
        match line.split_once("weight") {
            Some((head, tail)) if changes => {
                let (equals, tail) = tail.split_at(1);
                let tail = tail.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{head}weight{equals}3{tail}\n")
            }
            Some(_) | None => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn run<const N: usize>(command: &str, paths: [&PathBuf; N]) {
    let words = ["lbaudit", command].into_iter();
    let words = words
        .chain(["--no-config", "--format", "json"])
        .map(OsStr::new);
    let arguments = words.chain(paths.into_iter().map(|path| Path::as_os_str(path)));
    let style = Style {
        color: false,
        width: 80,
        verbose: false,
    };
    let clock = commands::Clock {
        today: jiff::civil::date(2026, 1, 1),
        now: jiff::Timestamp::now,
    };
    let mut out = Vec::new();
    commands::run(&Cli::parse_from(arguments), style, clock, &mut out).expect("it is done");
    black_box(out);
}
