//! The command line, as programs and people use it: `tests/cmd` holds the transcripts, and what a transcript cannot show
//! is here. `TRYCMD=overwrite cargo test --test cli` writes what the program says now into the transcripts.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use support::{command, lbaudit, lbaudit_in};

#[test]
fn transcripts() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.md")
        .case("fixtures/incidents/*/README.md")
        .case("docs/*.md")
        .env("LBAUDIT_CONFIG", "/dev/null")
        .env("NO_COLOR", "1");
}

#[test]
fn standard_input_is_read_and_named_by_a_hyphen() {
    let bytes = fs::read(input("error.cfg")).expect("the file is there");
    let run = lbaudit_in(
        Path::new("/"),
        &["check", "--format", "concise", "-"],
        &bytes,
    );
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(
        run.stdout.starts_with("-:19:30: error[unbalanced-weights]"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_file_comes_out_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.json");
    let bad = text(&input("error.cfg"));
    let to = |file: &Path| lbaudit(&["check", "--format", "json", "--output", &text(file), &bad]);

    let run = to(&report);
    assert_eq!((run.status, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    let written: Value =
        serde_json::from_slice(&fs::read(&report).expect("a report")).expect("whole JSON");
    assert_eq!(written["schema"], "lbaudit/check/1");

    let nowhere = to(&folder.path().join("nowhere/report.json"));
    assert_eq!(nowhere.status, 2);
    assert!(
        nowhere.stderr.contains("cannot write"),
        "{}",
        nowhere.stderr
    );
    let left: Vec<_> = fs::read_dir(folder.path()).expect("the folder").collect();
    assert_eq!(left.len(), 1, "nothing but the report is left: {left:?}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = command(Path::new("."));
        command.arg("check").args(arguments).arg(input("error.cfg"));
        command.envs(variables.iter().copied());
        let output = command.stdin(Stdio::null()).output().expect("lbaudit runs");
        output.stdout.contains(&0x1b)
    };
    assert!(!colored(&[], &[]), "a pipe is no terminal");
    assert!(colored(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!colored(&[("NO_COLOR", "1")], &[]));
    assert!(colored(&[], &["--color", "always"]));
    assert!(
        colored(&[("NO_COLOR", "1")], &["--color", "always"]),
        "the flag is nearer than the variable"
    );
    assert!(!colored(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1")], &["--format", "json"]));
}

#[test]
fn a_reader_that_stops_is_no_failure() {
    let mut command = command(Path::new("."));
    command
        .args(["check", "--format", "json"])
        .arg(input("good.cfg"));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("lbaudit starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("lbaudit ends").code(), Some(0));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let incidents = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/incidents");
    for format in ["text", "concise", "json", "jsonl"] {
        let run = || lbaudit(&["check", "--format", format, incidents]).stdout;
        let first = run();
        assert!(!first.is_empty());
        for _ in 0..5 {
            assert_eq!(run(), first, "{format}");
        }
    }
}

#[test]
fn what_text_lists_says_what_every_other_format_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("a file");
    };
    // Read in another order than reports have, and more of them than a report lists.
    for name in ["z", "m", "a"] {
        let mut upstreams = String::new();
        for number in 0..150 {
            let _ = writeln!(
                upstreams,
                "upstream {name}{number} {{\n  server 10.0.0.1 weight=9;\n  server 10.0.0.2;\n  \
                 server 10.0.0.3 max_conns=7;\n}}"
            );
        }
        file(&format!("{name}.conf"), &upstreams);
    }
    let main = "events {}\nhttp {\ninclude z.conf;\ninclude m.conf;\ninclude a.conf;\n}\n";
    file("nginx.conf", main);
    let run = |format: &str| {
        let arguments = ["check", "--no-config", "--format", format, "nginx.conf"];
        lbaudit_in(folder.path(), &arguments, b"").stdout
    };
    let (text, concise) = (run("text"), run("concise"));
    for rule in [
        "mixed-default-weight",
        "server-maxconn-missing",
        "max-conns-not-shared",
    ] {
        let of_rule = |line: &&str| line.contains(&format!("[{rule}] "));
        let listed: Vec<&str> = text.lines().filter(of_rule).collect();
        let all: Vec<&str> = concise.lines().filter(of_rule).collect();
        assert_eq!((listed.len(), all.len()), (180, 450), "{rule}");
        assert_eq!(listed, all[20..200], "{rule}");
    }
}

#[test]
fn the_model_is_one_json_document() {
    let run = lbaudit(&["model", "--format", "json", &text(&input("good.cfg"))]);
    let model: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(model["schema"], "lbaudit/model/1");
    let backend = &model["instances"][0]["backends"][0];
    assert_eq!(backend["name"], "auth");
    assert_eq!(backend["servers"][1]["name"], "auth2");
    assert_eq!(backend["servers"][1]["weight"]["value"], 1);
    assert_eq!(backend["servers"][1]["weight"]["origin"], "engine-default");
}

#[test]
fn the_readme_shows_what_the_program_says() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```text\n").expect("an excerpt");
    let (excerpt, _) = rest.split_once("\n```").expect("its end");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = "fixtures/incidents/2023-11-10-one-server-drowns/haproxy/before.cfg";
    let run = lbaudit_in(root, &["check", file], b"");
    let mut said = run.stdout.lines();
    for line in excerpt.lines() {
        assert!(
            said.any(|said| said == line),
            "`{line}` is not said, or not there"
        );
    }
}

/// A file of the transcripts' input.
fn input(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/exit-status.in");
    folder.join(name)
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A summary that counts no errors would read like success.
#[test]
fn an_audit_that_did_not_happen_prints_no_summary() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lbaudit"))
        .args(["check", "--no-config", "no/such/file.cfg"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such/file.cfg"));
}
