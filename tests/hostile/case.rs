//! One hostile input and its outcome.
//!
//! In: files, arguments and standard input of a case. Out: the exit status, the findings that fail a gate as
//! `rule file:line:column`, and what was said on standard error.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::support::{Run, lbaudit_in};

/// A valid HAProxy configuration without a finding: 15 lines, the last section is the backend `auth`.
pub(crate) const HAPROXY: &str = "\
defaults
  mode http
  timeout connect 3s
  timeout client 30s
  timeout server 30s
  option redispatch
frontend f
  bind :8080
  default_backend auth
backend auth
  balance roundrobin
  option httpchk GET /health
  default-server check
  server a 10.0.0.1:80
  server b 10.0.0.2:80
";

/// What is at a path before the program runs.
#[derive(Debug)]
pub(crate) enum Thing {
    File(Vec<u8>),
    Link(&'static str),
    Folder,
    Pipe,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    things: Vec<(&'static str, Thing)>,
    arguments: Vec<&'static str>,
    input: Vec<u8>,
    status: i32,
    findings: Vec<String>,
    says: &'static str,
}

impl Case {
    /// A case that runs `check` with `arguments`; until told otherwise it exits with 0 and finds nothing.
    pub(crate) fn new(name: &'static str, arguments: &[&'static str]) -> Self {
        Self {
            name,
            things: Vec::new(),
            arguments: arguments.to_vec(),
            input: Vec::new(),
            status: 0,
            findings: Vec::new(),
            says: "",
        }
    }

    /// `check x.cfg` on these bytes.
    pub(crate) fn file(name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name, &["x.cfg"]).with("x.cfg", bytes)
    }

    /// `check x.cfg` on the valid configuration with these bytes behind it: they start on line 16.
    pub(crate) fn haproxy(name: &'static str, tail: impl AsRef<[u8]>) -> Self {
        Self::file(name, [HAPROXY.as_bytes(), tail.as_ref()].concat())
    }

    /// Adds a file.
    pub(crate) fn with(self, path: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.and(path, Thing::File(bytes.into()))
    }

    /// Adds anything.
    pub(crate) fn and(mut self, path: &'static str, thing: Thing) -> Self {
        self.things.push((path, thing));
        self
    }

    /// Gives standard input.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// It exits with 1 and finds exactly this: `rule file:line:column`, the file being `x.cfg` unless named.
    pub(crate) fn finds(mut self, findings: &[impl AsRef<str>]) -> Self {
        self.status = 1;
        self.findings = findings
            .iter()
            .map(|text| text.as_ref().to_owned())
            .collect();
        self
    }

    /// It exits with `status` and says something with `words` in it on standard error.
    pub(crate) fn fails(mut self, status: i32, words: &'static str) -> Self {
        self.status = status;
        self.says = words;
        self
    }

    /// Runs it and says what is not as it must be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, thing) in &self.things {
            make(&folder.path().join(path), thing);
        }
        let json = self.run(folder.path(), "json");
        let text = self.run(folder.path(), "text");
        let mut faults = Vec::new();
        if (json.status, text.status) != (self.status, self.status) {
            faults.push(format!(
                "exits with {} and, as text, {}; {} was expected: {}",
                json.status, text.status, self.status, json.stderr
            ));
        }
        let findings = findings(&json.stdout);
        if findings != self.findings {
            faults.push(format!(
                "finds {findings:#?}, expected {:#?}",
                self.findings
            ));
        }
        if !json.stderr.contains(self.says) || (self.says.is_empty() && !json.stderr.is_empty()) {
            faults.push(format!(
                "says `{}`, expected `{}`",
                json.stderr.trim_end(),
                self.says
            ));
        }
        faults.extend(unfit_output(&json));
        faults.extend(unfit_output(&text));
        faults
    }

    fn run(&self, folder: &Path, format: &str) -> Run {
        let mut arguments = vec!["check", "--format", format];
        arguments.extend(&self.arguments);
        lbaudit_in(folder, &arguments, &self.input)
    }
}

fn make(path: &Path, thing: &Thing) {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("a folder");
    }
    match thing {
        Thing::File(bytes) => fs::write(path, bytes).expect("a file"),
        Thing::Link(target) => symlink(target, path).expect("a link"),
        Thing::Folder => fs::create_dir_all(path).expect("a folder"),
        Thing::Pipe => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo runs").success());
        }
    }
}

/// The findings that fail a gate, equal ones in a row counted.
fn findings(report: &str) -> Vec<String> {
    let Ok(report) = serde_json::from_str::<Value>(report) else {
        return Vec::new();
    };
    let all = report["findings"].as_array().expect("a list of findings");
    let serious = all.iter().filter(|finding| finding["severity"] != "info");
    serious.map(describe).collect()
}

fn describe(finding: &Value) -> String {
    let location = &finding["location"];
    let file = location["file"].as_str().expect("a file");
    let file = if file == "x.cfg" {
        String::new()
    } else {
        format!("{file}:")
    };
    format!(
        "{} {file}{}:{}",
        finding["rule"].as_str().expect("a rule"),
        location["start"]["line"],
        location["start"]["column"]
    )
}

/// What no output may hold, whatever was read.
fn unfit_output(run: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    for text in [&run.stdout, &run.stderr] {
        if text.contains("panicked") {
            faults.push(format!("panics: {text}"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            faults.push("prints a control character".to_owned());
        }
        if text.contains("Kn0wnS3cret") {
            faults.push(format!("prints a secret: {text}"));
        }
    }
    faults
}
