//! Every nginx entry of the corpus: read without complaint, with the manifest's number of upstreams
//! and servers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside the functions that clippy takes for tests"
)]

use std::fmt::Write as _;
use std::path::Path;

mod nginx_support;
mod support;

use nginx_support::{Load, load_file};

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

/// The upstreams that have servers, and those servers, as the manifest counts them.
fn counts(load: &Load) -> (usize, usize) {
    let backends = load.instance().backends.iter();
    let servers: Vec<usize> = backends
        .filter(|backend| backend.declared && !backend.servers.is_empty())
        .map(|backend| backend.servers.len())
        .collect();
    (servers.len(), servers.iter().sum())
}

/// Every upstream and server that the manifest counts is there, in every one of the entries: there is
/// no difference to explain.
#[test]
fn upstreams_and_servers_are_as_many_as_the_manifest_says() {
    let Some(folder) = support::shared("corpus") else {
        return;
    };
    let mut wrong = String::new();
    let mut total = 0;
    for entry in entries(&folder) {
        let seen = counts(&load_file(&folder.join(&entry.path)));
        let expected = (entry.backends, entry.servers);
        total += seen.1;
        if seen != expected {
            writeln!(
                wrong,
                "{}: seen {seen:?}, manifest {expected:?}",
                entry.path
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(total > 300, "only {total} servers: is this the corpus?");
}

#[test]
fn what_nginx_reads_has_no_syntax_error() {
    let Some(folder) = support::shared("corpus") else {
        return;
    };
    let mut wrong = String::new();
    for entry in entries(&folder)
        .iter()
        .filter(|entry| entry.verdict != "reject")
    {
        for line in load_file(&folder.join(&entry.path)).findings("syntax-error") {
            writeln!(wrong, "{}: {line}", entry.path).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What nginx 1.22.1 accepts is not said to be refused; where files are missing only those are named.
#[test]
fn what_nginx_accepts_is_not_said_to_be_refused() {
    let Some(folder) = support::shared("corpus") else {
        return;
    };
    let mut wrong = String::new();
    for entry in entries(&folder) {
        for line in load_file(&folder.join(&entry.path)).findings("refused-at-load") {
            let missing = line.contains("which does not exist");
            let fine = match entry.verdict.as_str() {
                "accept" => false,
                "needs-file" => missing,
                _ => true,
            };
            if !fine {
                writeln!(wrong, "{} [{}]: {line}", entry.path, entry.verdict).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_entry_is_taken_for_nginx() {
    let Some(folder) = support::shared("corpus") else {
        return;
    };
    let mut wrong = String::new();
    for entry in entries(&folder) {
        let bytes = std::fs::read(folder.join(&entry.path)).unwrap();
        let score = lbaudit::engine::nginx::looks_like(&bytes);
        if score == 0 {
            writeln!(wrong, "{}", entry.path).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_haproxy_entry_is_taken_for_nginx() {
    let Some(folder) = support::shared("corpus") else {
        return;
    };
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let mut wrong = String::new();
    for row in manifest.lines().skip(1) {
        let (path, engine) = (row.split('\t').next().unwrap(), row.split('\t').nth(1));
        if engine == Some("haproxy") {
            let score =
                lbaudit::engine::nginx::looks_like(&std::fs::read(folder.join(path)).unwrap());
            if score > 0 {
                writeln!(wrong, "{path}: {score}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
