//! The two outages in `fixtures/incidents`: each broken configuration is refused with its cause, each
//! fixed one passes, and the real proxies call all of them valid.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Run, lbaudit};

/// One outage: its folder and what made it.
struct Incident {
    folder: &'static str,
    rule: &'static str,
    backend: &'static str,
    /// In the HAProxy file and in nginx's: the lines that may be named, by a part of them.
    lines: [&'static [&'static str]; 2],
}

const INCIDENTS: [Incident; 2] = [
    Incident {
        folder: "2023-11-10-one-server-drowns",
        rule: "mixed-default-weight",
        backend: "auth",
        lines: [
            &["server auth4 10.20.0.14:8080 weight 100"],
            &["server 10.20.0.14:8080 weight=100"],
        ],
    },
    Incident {
        folder: "2023-10-15-morning-without-login",
        rule: "zero-weight-server",
        backend: "signin",
        lines: [
            &[
                "server signin1 10.30.0.11:8080 cookie s1 weight 0",
                "server signin2 10.30.0.12:8080 cookie s2 weight 0",
            ],
            &["server 10.30.0.11:8080 down", "server 10.30.0.12:8080 down"],
        ],
    },
];

/// Where the two states of an incident's configurations are.
const FILES: [[&str; 2]; 2] = [
    ["haproxy/before.cfg", "haproxy/after.cfg"],
    ["nginx/before/nginx.conf", "nginx/after/nginx.conf"],
];

#[test]
fn each_broken_configuration_fails_and_names_its_cause() {
    for incident in &INCIDENTS {
        for (files, lines) in FILES.iter().zip(incident.lines) {
            let (run, report) = check(incident, files[0]);
            assert_eq!(run.status, 1, "{}", run.stderr);
            let findings = serious(&report);
            assert!(!findings.is_empty(), "{}: {}", incident.folder, files[0]);
            for finding in findings {
                assert_eq!(finding["rule"], incident.rule, "{finding:#}");
                assert_eq!(finding["subject"]["backend"], incident.backend);
                assert!(names_a_line(finding, lines), "{finding:#}");
            }
        }
    }
}

#[test]
fn each_broken_configuration_is_an_error_not_a_warning() {
    for incident in &INCIDENTS {
        for files in FILES {
            let path = folder(incident).join(files[0]);
            let run = lbaudit(&["check", "--fail-on", "error", text(&path)]);
            assert_eq!(run.status, 1, "{}", path.display());
        }
    }
}

#[test]
fn each_fixed_configuration_passes() {
    for incident in &INCIDENTS {
        for files in FILES {
            let (run, report) = check(incident, files[1]);
            assert_eq!(run.status, 0, "{report:#}{}", run.stderr);
            assert_eq!(serious(&report), Vec::<&Value>::new());
        }
    }
}

#[test]
fn haproxy_calls_all_of_them_valid() {
    let Some(haproxy) = support::haproxy() else {
        return;
    };
    for incident in &INCIDENTS {
        for file in FILES[0] {
            let path = folder(incident).join(file);
            let mut command = Command::new(&haproxy);
            command.arg("-c").arg("-f").arg(&path);
            accepted(&mut command, &path);
        }
    }
}

#[test]
fn nginx_calls_all_of_them_valid() {
    let Some(nginx) = support::nginx() else {
        return;
    };
    for incident in &INCIDENTS {
        for file in FILES[1] {
            let path = folder(incident).join(file);
            let prefix = tempfile::tempdir().expect("a temporary folder");
            copy_tree(path.parent().expect("a folder"), prefix.path());
            fs::create_dir(prefix.path().join("tmp")).expect("a folder for nginx");
            let mut command = Command::new(&nginx);
            // The limit of whoever runs the tests is none of the configuration's business.
            command.args(["-t", "-g", "worker_rlimit_nofile 65536;", "-p"]);
            command.arg(prefix.path());
            command.arg("-c").arg(prefix.path().join("nginx.conf"));
            accepted(&mut command, &path);
        }
    }
}

fn check(incident: &Incident, file: &str) -> (Run, Value) {
    let path = folder(incident).join(file);
    let run = lbaudit(&["check", "--format", "json", text(&path)]);
    let report = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|fault| panic!("{fault}: {}{}", run.stdout, run.stderr));
    (run, report)
}

/// The findings that fail a gate.
fn serious(report: &Value) -> Vec<&Value> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["severity"] != "info")
        .collect()
}

/// Whether the line that the finding stands at has one of the texts.
fn names_a_line(finding: &Value, texts: &[&str]) -> bool {
    let location = &finding["location"];
    let file = location["file"].as_str().expect("a file");
    let content = fs::read_to_string(file).expect("the file is there");
    let number = location["start"]["line"].as_u64().expect("a line");
    let line = content
        .lines()
        .nth(usize::try_from(number).expect("a small number") - 1);
    texts
        .iter()
        .any(|text| line.is_some_and(|line| line.contains(text)))
}

fn folder(incident: &Incident) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/incidents")
        .join(incident.folder)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn accepted(command: &mut Command, path: &Path) {
    let output = command.output().expect("the proxy starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", path.display());
    let complaints = ["[WARNING]", "[ALERT]", "[warn]", "[emerg]"];
    let complained = complaints.iter().any(|word| said.contains(word));
    assert!(!complained, "{}: {said}", path.display());
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).min_depth(1) {
        let entry = entry.expect("a readable folder");
        let relative = entry.path().strip_prefix(from).expect("below the folder");
        let target = to.join(relative);
        if entry.file_type().is_dir() {
            fs::create_dir(target).expect("a new folder");
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
