//! The time of each stage, beside a floor measured in the same run, on generated files of three sizes.
//!
//! `cargo bench --bench pipeline` first prints how many times the floor each stage takes: the two alternate, and
//! the fastest round of each counts, so that a busy machine changes little. Then criterion measures each stage.
//! With `LBAUDIT_GENERATE=FOLDER` it only writes the files into the folder, for `scripts/measure.py`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails where it cannot go on"
)]
#![allow(missing_docs, reason = "criterion's macros make functions without")]

mod floor;
mod generate;

use std::ffi::OsStr;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser as _;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};

use lbaudit::audit::{Audit, Terms};
use lbaudit::cli::Cli;
use lbaudit::commands;
use lbaudit::discover::{Discovery, Root};
use lbaudit::engine::{Input, Options, detect};
use lbaudit::finding::Finding;
use lbaudit::report::Style;
use lbaudit::settings::Settings;

const SERVERS: [usize; 3] = [10, 1_000, 100_000];
const ROUNDS: usize = 7;
/// Dates in comments are judged by this day.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 1, 1);

/// A generated file.
struct File {
    name: String,
    path: PathBuf,
    size: u64,
}

/// One stage, from the file to where it ends. `check` is all that the command does.
type Stage = (&'static str, fn(&Path));

const STAGES: [Stage; 4] = [
    ("load", |path| {
        black_box(load(path));
    }),
    ("judge", |path| {
        black_box(judge(path));
    }),
    ("check", |path| check(path, "text")),
    ("check --format json", |path| check(path, "json")),
];

fn main() {
    if let Some(folder) = std::env::var_os("LBAUDIT_GENERATE") {
        generate_files(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = generate_files(folder.path());
    print_ratios(&files);
    stages();
    Criterion::default().configure_from_args().final_summary();
}

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2)).configure_from_args();
    targets = measure_stages
}

fn measure_stages(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in generate_files(folder.path()) {
        let mut group = criterion.benchmark_group(&file.name);
        group.throughput(Throughput::Bytes(file.size));
        let floor: Stage = ("floor", |path| {
            black_box(floor::floor(path));
        });
        for (name, stage) in std::iter::once(floor).chain(STAGES) {
            let id = BenchmarkId::from_parameter(name);
            group.bench_with_input(id, &file.path, |bencher, path| {
                bencher.iter(|| stage(path));
            });
        }
        group.finish();
    }
}

fn generate_files(folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for (engine, generate) in generate::ENGINES {
        for servers in SERVERS {
            let path = folder.join(format!("{engine}-{servers}.conf"));
            let text = generate(servers);
            std::fs::write(&path, &text).expect("the file can be written");
            files.push(File {
                name: format!("{engine} {servers} servers"),
                path,
                size: text.len() as u64,
            });
        }
    }
    files
}

fn print_ratios(files: &[File]) {
    println!(
        "{:<24} {:>9} {:>9}  times the floor",
        "file", "bytes", "floor"
    );
    for file in files {
        let mut best = [Duration::MAX; STAGES.len() + 1];
        for _ in 0..ROUNDS {
            best[0] = best[0].min(time(|| {
                black_box(floor::floor(&file.path));
            }));
            for (index, (_, stage)) in STAGES.iter().enumerate() {
                best[index + 1] = best[index + 1].min(time(|| stage(&file.path)));
            }
        }
        let ratio = |index: usize| best[index + 1].as_secs_f64() / best[0].as_secs_f64();
        let ratios: Vec<String> = (STAGES.iter().enumerate())
            .map(|(index, (name, _))| format!("{name} {:.2}", ratio(index)))
            .collect();
        let floor = best[0].as_secs_f64() * 1e3;
        println!(
            "{:<24} {:>9} {floor:>6.2} ms  {}",
            file.name,
            file.size,
            ratios.join(", ")
        );
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Reads, parses and lowers.
fn load(path: &Path) -> Audit {
    let bytes = std::fs::read(path).expect("the file is there");
    let input = Input {
        name: path.display().to_string(),
        path: Some(path.to_owned()),
        bytes,
    };
    let root = Root {
        engine: detect(&input.bytes).expect("the file is a configuration"),
        inputs: vec![input],
        walked: None,
        name: None,
    };
    let found = Discovery {
        roots: vec![root],
        ..Discovery::default()
    };
    Audit::load(found, &Options::default())
}

/// And runs the rules.
fn judge(path: &Path) -> (Audit, Vec<Finding>) {
    let mut audit = load(path);
    let settings = Settings::default();
    let findings = audit.judge(Terms::in_full(&settings, TODAY));
    (audit, findings)
}

/// The whole command.
fn check(path: &Path, format: &str) {
    let arguments = ["lbaudit", "check", "--no-config", "--format", format];
    let arguments = arguments
        .map(OsStr::new)
        .into_iter()
        .chain([path.as_os_str()]);
    let style = Style {
        color: false,
        width: 80,
        verbose: false,
    };
    let mut out = Vec::new();
    let clock = commands::Clock {
        today: TODAY,
        now: jiff::Timestamp::now,
    };
    commands::run(&Cli::parse_from(arguments), style, clock, &mut out).expect("the audit is done");
    black_box(out);
}
