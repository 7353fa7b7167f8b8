//! The action for GitHub and the job for GitLab, run as their CI systems run them: in a repository in which a
//! change makes one server heavy.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const ACTION: &str = include_str!("../action.yml");
const GITLAB: &str = include_str!("../packaging/gitlab-ci.yml");

/// Two servers, the second with this weight.
fn backend(name: &str, weight: u8) -> String {
    format!(
        "backend {name}\n  balance roundrobin\n  default-server check\n  server a 10.0.0.1:80 weight 10\n  \
         server b 10.0.0.2:80 weight {weight}\n"
    )
}

/// A repository with an old fault in one backend and a new one in another.
struct Repo {
    folder: tempfile::TempDir,
    base: String,
}

impl Repo {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut repo = Self {
            folder,
            base: String::new(),
        };
        repo.git(&["init", "--quiet"]);
        fs::create_dir(repo.at("load balancer")).expect("a folder");
        repo.commit(&(backend("old", 100) + &backend("new", 10)));
        let base = repo.git(&["rev-parse", "HEAD"]);
        base.trim().clone_into(&mut repo.base);
        repo.commit(&(backend("old", 100) + &backend("new", 120)));
        repo
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn commit(&self, config: &str) {
        fs::write(self.at("load balancer/haproxy.cfg"), config).expect("a configuration");
        self.git(&["add", "."]);
        self.git(&[
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "-m",
            "change",
        ]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A command in the repository, with `lbaudit` in the path.
    fn command(&self, program: &str) -> Command {
        let folder = Path::new(env!("CARGO_BIN_EXE_lbaudit")).parent();
        let folder = folder.expect("the folder of the program").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("PATH", format!("{folder}:{path}"));
        for name in [
            "LBAUDIT_CONFIG",
            "GITHUB_WORKSPACE",
            "GITHUB_STEP_SUMMARY",
            "CI_PROJECT_DIR",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the last step of the action with these inputs.
    fn action(&self, inputs: &[(&str, &str)]) -> Output {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/github/check");
        let mut command = self.command(script);
        command.env("GITHUB_WORKSPACE", self.folder.path());
        command.env("GITHUB_STEP_SUMMARY", self.at("summary.md"));
        let mut left: Vec<_> = inputs.to_vec();
        for (variable, input) in variables() {
            let given = left.iter().position(|(name, _)| *name == input);
            let value = given.map_or(default(input), |index| left.swap_remove(index).1);
            command.env(variable, value);
        }
        assert!(left.is_empty(), "the action has no input {left:?}");
        command.output().expect("the step runs")
    }
}

/// The variables of the last step and the inputs they have.
fn variables() -> Vec<(&'static str, &'static str)> {
    let lines = ACTION
        .lines()
        .filter_map(|line| line.trim().split_once(": ${{ inputs."));
    let pairs = lines.map(|(name, rest)| (name, rest.trim_end_matches(" }}")));
    pairs.collect()
}

/// The default of an input.
fn default(input: &str) -> &'static str {
    let (_, rest) = ACTION
        .split_once(&format!("\n  {input}:\n"))
        .expect("an input of this name");
    let (_, rest) = rest.split_once("    default: ").expect("its default");
    rest.lines().next().expect("a line").trim_matches('"')
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_action_annotates_the_lines() {
    let repo = Repo::new();
    let output = repo.action(&[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(
        said.matches("::error file=load balancer/haproxy.cfg,line=")
            .count(),
        2,
        "{said}"
    );
    let summary = fs::read_to_string(repo.at("summary.md")).expect("a summary");
    assert!(summary.contains("unbalanced-weights"), "{summary}");
}

#[test]
fn the_inputs_of_the_action_do_what_they_say() {
    let repo = Repo::new();
    let since = repo.action(&[
        ("since", &repo.base),
        ("sarif", "out.sarif"),
        ("paths", "\nload balancer\n\n"),
    ]);
    let said = text(&since.stdout);
    assert_eq!(since.status.code(), Some(1), "{}", text(&since.stderr));
    assert_eq!(said.matches("::error ").count(), 1, "{said}");
    let sarif = fs::read(repo.at("out.sarif")).expect("SARIF");
    let sarif: Value = serde_json::from_slice(&sarif).expect("JSON");
    assert_eq!(
        sarif["runs"][0]["results"][0]["ruleId"],
        "unbalanced-weights"
    );
    let ignored = repo.action(&[
        ("args", "--ignore\nunbalanced-weights,weights"),
        ("fail-on", "error"),
    ]);
    assert_eq!(ignored.status.code(), Some(0), "{}", text(&ignored.stdout));
    let hostile = repo.action(&[("paths", "$(touch oops); `touch oops`")]);
    assert_eq!(hostile.status.code(), Some(2));
    assert!(!repo.at("oops").exists());
    let baseline = repo.command("lbaudit");
    assert!(write_baseline(baseline).status.success());
    let known = repo.action(&[("baseline", "baseline.json")]);
    assert_eq!(known.status.code(), Some(0), "{}", text(&known.stdout));
}

fn write_baseline(mut command: Command) -> Output {
    command.args([
        "check",
        "--baseline",
        "baseline.json",
        "--write-baseline",
        ".",
    ]);
    command.output().expect("lbaudit runs")
}

#[test]
fn the_job_for_gitlab_reports_on_the_merge_request() {
    let repo = Repo::new();
    let lines = GITLAB
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- lbaudit "));
    let lines: Vec<String> = lines.map(|line| format!("lbaudit {line}")).collect();
    let [line] = lines.as_slice() else {
        unreachable!("one line of the script: {lines:?}")
    };
    let mut shell = repo.command("bash");
    shell.env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &repo.base);
    let output = shell.args(["-euc", line]).output().expect("bash runs");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = fs::read(repo.at("gl-code-quality-report.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report.as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(report[0]["location"]["path"], "load balancer/haproxy.cfg");
    let junit = fs::read_to_string(repo.at("lbaudit.xml")).expect("a report");
    assert!(junit.contains("<failure"), "{junit}");
    for file in ["gl-code-quality-report.json", "lbaudit.xml"] {
        assert!(
            GITLAB.contains(&format!(": {file}\n")),
            "{file} is no artifact"
        );
    }
}
