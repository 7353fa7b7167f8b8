//! The pages in `docs/`: what they claim is what the program says. Their transcripts run in `tests/cli.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::{Run, lbaudit_in};

const SHARES: &str = include_str!("../docs/shares.md");

/// A row of the table of surprises: the words in bold, and the command that must print them.
struct Surprise<'a> {
    claims: Vec<&'a str>,
    command: &'a str,
}

fn surprises() -> Vec<Surprise<'static>> {
    let rows = SHARES.lines().filter(|line| line.contains("| `lbaudit "));
    let surprise = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        Surprise {
            claims: cells[3].split("**").skip(1).step_by(2).collect(),
            command: cells[4].trim_matches('`'),
        }
    };
    rows.map(surprise).collect()
}

fn run(command: &str) -> Run {
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec!["--no-config"];
    all.extend(words);
    lbaudit_in(root, &all, b"")
}

#[test]
fn every_number_in_the_table_of_surprises_is_printed_by_its_command() {
    let surprises = surprises();
    assert!(surprises.len() >= 15, "only {} rows", surprises.len());
    for Surprise { claims, command } in surprises {
        assert!(!claims.is_empty(), "nothing is claimed for `{command}`");
        let run = run(command);
        assert_eq!(run.status, 0, "{command}: {}", run.stderr);
        let printed: BTreeSet<&str> = run.stdout.split_whitespace().collect();
        for claim in claims {
            assert!(
                printed.contains(claim),
                "{claim} by {command}:\n{}",
                run.stdout
            );
        }
    }
}

#[test]
fn every_backend_of_the_examples_is_shown() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shares");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let headers = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let header = matches!(words.next(), Some("backend" | "upstream"));
            words.next().filter(|_| header)
        });
        let file = path.file_name().expect("a name").to_string_lossy();
        for name in headers.filter(|_| !["shared.cfg", "names.cfg"].contains(&&*file)) {
            let shown = SHARES.contains(&format!("--backend {name}"));
            assert!(shown, "`{name}` of {file} is in no example");
        }
        assert!(SHARES.contains(&*file), "{file} is in no example");
    }
}

#[test]
fn the_real_proxies_accept_the_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shares");
    let mut runs = Vec::new();
    if let Some(haproxy) = support::haproxy() {
        for file in ["haproxy.cfg", "shared.cfg"] {
            let mut command = Command::new(&haproxy);
            command.args(["-c", "-f"]).arg(folder.join(file));
            runs.push(command);
        }
    }
    let prefix = tempfile::tempdir().expect("a folder");
    if let Some(nginx) = support::nginx_with_its_folders() {
        let mut command = Command::new(nginx);
        let directives = "pid nginx.pid; error_log stderr;";
        command
            .args(["-t", "-g", directives, "-p"])
            .arg(prefix.path());
        command.arg("-c").arg(folder.join("nginx.conf"));
        runs.push(command);
    }
    for mut command in runs {
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
    }
}
