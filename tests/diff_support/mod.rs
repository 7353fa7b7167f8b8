//! Shared by the tests of `diff` and `check --since`: configurations, real git repositories, and what
//! the program says about them.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) fn lbaudit(folder: &Path, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().unwrap()
}

/// The program, run in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbaudit"));
    command.current_dir(folder).env_remove("LBAUDIT_CONFIG");
    command
}

/// The exit status and standard output of a run.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = lbaudit(folder, arguments);
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// The document of a run, which keeps to its schema.
pub(crate) fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = lbaudit(folder, &[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(&output.stderr)));
    let schema: Value = serde_json::from_str(&run(folder, &["schema", "diff"]).1).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = (schema.iter_errors(&document))
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
    document
}

/// Runs git, which prints what is returned.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A repository with these files committed.
pub(crate) fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    git(folder.path(), &["add", "-A"]);
    git(
        folder.path(),
        &["commit", "-q", "-m", "first", "--allow-empty"],
    );
    folder
}

/// `kind backend/server: old -> new` of every change.
pub(crate) fn changes(document: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let changes = document["changes"].as_array().unwrap();
    let line = |change: &Value| {
        let place = [word(&change["backend"]), word(&change["server"])].join("/");
        let (old, new) = (word(&change["old"]), word(&change["new"]));
        format!("{} {place}: {old} -> {new}", word(&change["kind"]))
    };
    changes.iter().map(line).collect()
}

pub(crate) fn rules(findings: &Value) -> Vec<&str> {
    let findings = findings.as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect()
}

pub(crate) fn shift(document: &Value, server: &str) -> f64 {
    let rows = document["traffic"].as_array().unwrap();
    let row = rows.iter().find(|row| row["server"] == server).unwrap();
    row["shift"].as_f64().unwrap()
}

pub(crate) fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

pub(crate) const HEAD: &str = "\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    option redispatch 1
    option httpchk GET /health
frontend public
    bind 127.0.0.1:8080
    default_backend auth
";

/// A configuration of one backend.
pub(crate) fn haproxy(backend: &str) -> String {
    format!("{HEAD}backend auth\n{backend}")
}

/// Server lines `auth1` to `authN`, all alike.
pub(crate) fn servers(numbers: impl IntoIterator<Item = u8>, rest: &str) -> String {
    let line = |number| format!("    server auth{number} 10.0.0.{number}:8080 {rest}\n");
    numbers.into_iter().map(line).collect()
}

/// Compares two HAProxy configurations of one backend each.
pub(crate) fn compared(old: &str, new: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "old.cfg", &haproxy(old));
    write(folder.path(), "new.cfg", &haproxy(new));
    json(folder.path(), &["diff", "old.cfg", "new.cfg"])
}
