//! Every nginx entry of the corpus: read without complaint, with the manifest's number of upstreams
//! and servers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests, outside the functions that clippy takes for tests"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lbaudit::engine::{Input, Loaded, Options, nginx};
use lbaudit::source::Sources;

/// The folder beside the checkout, when it is there; CI must have it.
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: ../shared is not here (no corpus)");
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "CI has the corpus"
    );
    None
}

struct Entry {
    path: String,
    verdict: String,
    backends: usize,
    servers: usize,
}

fn entries(folder: &Path) -> Vec<Entry> {
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let rows = manifest
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let entry = |row: Vec<&str>| Entry {
        path: row[0].to_owned(),
        verdict: row[6].to_owned(),
        backends: row[7].parse().unwrap(),
        servers: row[8].parse().unwrap(),
    };
    rows.filter(|row| row[1] == "nginx").map(entry).collect()
}

fn load(path: &Path) -> (Sources, Loaded) {
    let sources = Sources::default();
    let input = Input {
        name: path.to_string_lossy().into_owned(),
        path: Some(path.to_owned()),
        bytes: std::fs::read(path).unwrap(),
    };
    let loaded = nginx::load(&sources, vec![input], &Options::default()).unwrap();
    (sources, loaded)
}

#[test]
fn accepted_entries_have_no_syntax_errors_and_the_counts_of_the_manifest() {
    let Some(folder) = corpus() else { return };
    let mut wrong = String::new();
    for entry in entries(&folder) {
        let (sources, loaded) = load(&folder.join(&entry.path));
        let instance = &loaded.variants[0];
        let declared = || {
            instance
                .backends
                .iter()
                .filter(|backend| backend.declared && !backend.servers.is_empty())
        };
        let servers: usize = declared().map(|backend| backend.servers.len()).sum();
        let seen = (declared().count(), servers);
        if entry.verdict != "reject" {
            for finding in &loaded.findings {
                if finding.rule == "syntax-error" {
                    let (source, at) = sources.locate(finding.span);
                    writeln!(
                        wrong,
                        "{}:{}:{} {}",
                        source.name(),
                        at.line,
                        at.column,
                        finding.message
                    )
                    .unwrap();
                }
            }
        }
        if seen != (entry.backends, entry.servers) {
            writeln!(
                wrong,
                "{} [{}]: seen {seen:?}, manifest {:?}",
                entry.path,
                entry.verdict,
                (entry.backends, entry.servers)
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
