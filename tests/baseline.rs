//! The baseline: what is known does not fail, what is new or worse does, what is gone is counted and pruned.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use support::{Run, lbaudit, lbaudit_in};

fn backend(name: &str, weight: u32) -> String {
    format!(
        "backend {name}\n  balance roundrobin\n  default-server check\n  server {name}-1 10.0.0.1:80 weight 10\n  \
         server {name}-2 10.0.0.2:80 weight 10\n  server {name}-3 10.0.0.3:80 weight {weight}\n"
    )
}

struct Repo(tempfile::TempDir);

impl Repo {
    fn new(files: &[(&str, &str)]) -> Self {
        let repo = Self(tempfile::tempdir().expect("a temporary folder"));
        for (name, text) in files {
            repo.write(name, text);
        }
        repo
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("a file")
    }

    fn run(&self, more: &[&str]) -> Run {
        let mut arguments = vec![
            "check",
            "--no-config",
            "--format",
            "json",
            "--select",
            "unbalanced-weights",
            "--baseline",
            "known.json",
        ];
        arguments.extend(more);
        if !more.iter().any(|it| Path::new(it).extension().is_some()) {
            arguments.push(".");
        }
        lbaudit_in(self.0.path(), &arguments, b"")
    }

    fn save(&self) -> Value {
        let run = self.run(&["--write-baseline"]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        serde_json::from_str(&self.read("known.json")).expect("JSON")
    }

    /// Exit status, findings, known ones and fixed ones.
    fn state(&self) -> (i32, Vec<String>, u64, u64) {
        let run = self.run(&[]);
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let findings = document["findings"].as_array().expect("findings").iter();
        let place = |finding: &Value| {
            let file = finding["location"]["file"].as_str().expect("a file");
            let backend = finding["subject"]["backend"].as_str().expect("a backend");
            format!("{} {backend}", file.trim_start_matches("./"))
        };
        let count = |name: &str| document["summary"][name].as_u64().expect("a number");
        (
            run.status,
            findings.map(place).collect(),
            count("baselined"),
            count("fixed"),
        )
    }
}

fn places(places: &[&str]) -> Vec<String> {
    places.iter().map(|&place| place.to_owned()).collect()
}

#[test]
fn known_findings_are_neither_shown_nor_fail() {
    let repo = Repo::new(&[("a.cfg", &(backend("auth", 100) + &backend("web", 100)))]);
    let saved = repo.save();
    assert_eq!(saved["findings"].as_array().expect("findings").len(), 2);
    assert_eq!(repo.state(), (0, vec![], 2, 0));

    let more = backend("new", 100) + &repo.read("a.cfg");
    repo.write("a.cfg", &more);
    assert_eq!(repo.state(), (1, places(&["a.cfg new"]), 2, 0));
}

#[test]
fn the_file_is_what_its_schema_says_and_always_the_same() {
    let repo = Repo::new(&[
        ("b.cfg", &backend("web", 100)),
        ("a.cfg", &backend("auth", 30)),
    ]);
    let saved = repo.save();
    let schema = lbaudit(&["schema", "baseline"]).stdout;
    let schema = serde_json::from_str(&schema).expect("a schema");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    assert!(validator.is_valid(&saved), "{saved}");
    assert!(!validator.is_valid(&serde_json::json!({"schema": "lbaudit/baseline/1"})));
    let first = repo.read("known.json");
    repo.save();
    assert_eq!(repo.read("known.json"), first);
    let empty = Repo::new(&[("a.cfg", &backend("auth", 10))]).save();
    assert!(validator.is_valid(&empty), "{empty}");
}

#[test]
fn moved_lines_renamed_files_and_reordered_servers_are_known() {
    let repo = Repo::new(&[("a.cfg", &(backend("auth", 100) + &backend("web", 100)))]);
    repo.save();
    let text = repo
        .read("a.cfg")
        .replace("  server auth-1 10.0.0.1:80 weight 10\n", "")
        + "\n# later\n";
    let text = text.replace(
        "  server auth-3",
        "\n  # moved\n  server auth-1   10.0.0.1:80   weight 10\n  server auth-3",
    );
    fs::remove_file(repo.0.path().join("a.cfg")).expect("the file is there");
    repo.write("renamed/b.cfg", &text);
    assert_eq!(repo.state(), (0, vec![], 2, 0));
}

/// Configurations with many findings, with blank lines and blanks put between and before their lines.
fn reformatted() -> impl Strategy<Value = (String, String)> {
    let fixture = |incident: &str| {
        let path = format!(
            "{}/fixtures/incidents/{incident}/haproxy/before.cfg",
            env!("CARGO_MANIFEST_DIR")
        );
        fs::read_to_string(path).expect("a fixture")
    };
    let texts = vec![
        fixture("2023-10-15-morning-without-login"),
        fixture("2023-11-10-one-server-drowns"),
        backend("auth", 100) + "  sever x 10.0.0.9:80\n  sever x 10.0.0.9:80\n",
    ];
    (
        prop::sample::select(texts),
        prop::collection::vec((0usize..3, 0usize..4), 200),
    )
        .prop_map(|(text, blanks)| {
            let lines = text.lines().zip(blanks.iter().cycle());
            let moved = lines.map(|(line, (above, before))| {
                // A comment belongs to the line below it: nothing may come between.
                let above = if line.trim_start().starts_with('#') {
                    *above
                } else {
                    0
                };
                let indent = if line.starts_with(' ') { *before } else { 0 };
                format!("{}{}{line}\n", "\n".repeat(above), " ".repeat(indent))
            });
            let moved = moved.collect();
            (text, moved)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn where_a_line_stands_changes_no_fingerprint((text, moved) in reformatted()) {
        let fingerprints = |text: &str| {
            let repo = Repo::new(&[("a.cfg", text)]);
            let run = lbaudit_in(repo.0.path(), &["check", "--no-config", "--format", "json", "a.cfg"], b"");
            let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
            let findings = document["findings"].as_array().expect("findings").iter();
            let names = findings.map(|it| it["fingerprint"].as_str().expect("text").to_owned());
            names.collect::<Vec<String>>()
        };
        let before = fingerprints(&text);
        prop_assert!(!before.is_empty());
        prop_assert_eq!(fingerprints(&moved), before);
    }
}

#[test]
fn what_got_worse_is_new_again() {
    let repo = Repo::new(&[("a.cfg", &backend("auth", 30))]);
    let saved = repo.save();
    assert_eq!(saved["findings"][0]["severity"], "warning");
    repo.write("a.cfg", &backend("auth", 31));
    assert_eq!(
        repo.state(),
        (0, vec![], 1, 0),
        "60.0% and 60.8% are the same"
    );
    repo.write("a.cfg", &backend("auth", 32));
    assert_eq!(
        repo.state(),
        (1, places(&["a.cfg auth"]), 0, 0),
        "61.5% are more"
    );
    repo.write("a.cfg", &backend("auth", 100));
    assert_eq!(repo.state().0, 1, "and so is an error");
    repo.write("a.cfg", &backend("auth", 20));
    assert_eq!(repo.state(), (0, vec![], 1, 0), "better is still known");
    let mut lower: Value = saved;
    lower["findings"][0]["severity"] = "info".into();
    repo.write("known.json", &lower.to_string());
    assert_eq!(repo.state().0, 1, "the severity alone counts too");
}

#[test]
fn fixed_findings_are_counted_and_pruned() {
    let repo = Repo::new(&[("a.cfg", &(backend("auth", 100) + &backend("web", 100)))]);
    repo.save();
    repo.write("a.cfg", &(backend("auth", 10) + &backend("web", 100)));
    assert_eq!(repo.state(), (0, vec![], 1, 1));
    let text = lbaudit_in(
        repo.0.path(),
        &[
            "check",
            "--no-config",
            "--select",
            "unbalanced-weights",
            "--baseline",
            "known.json",
            "a.cfg",
        ],
        b"",
    );
    let words: Vec<&str> = text.stdout.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("; 1 in the baseline; 1 fixed since the baseline"),
        "{}",
        text.stdout
    );
    assert_eq!(
        repo.save()["findings"].as_array().expect("findings").len(),
        1
    );
    assert_eq!(repo.state(), (0, vec![], 1, 0));
}

#[test]
fn a_copy_of_a_known_fault_is_reported_where_it_is() {
    let repo = Repo::new(&[
        ("production/haproxy.cfg", &backend("auth", 100)),
        ("staging/haproxy.cfg", &backend("auth", 100)),
    ]);
    repo.save();
    assert_eq!(repo.state(), (0, vec![], 2, 0));
    repo.write("canary/haproxy.cfg", &backend("auth", 100));
    assert_eq!(
        repo.state(),
        (1, places(&["canary/haproxy.cfg auth"]), 2, 0)
    );
    repo.write("production/haproxy.cfg", &backend("auth", 10));
    fs::remove_dir_all(repo.0.path().join("canary")).expect("the folder is there");
    assert_eq!(repo.state(), (0, vec![], 1, 1));
}

#[test]
fn findings_that_were_not_looked_for_stay_in_the_file() {
    let repo = Repo::new(&[("a.cfg", &backend("auth", 100))]);
    repo.save();
    let other = [
        "check",
        "--no-config",
        "--baseline",
        "known.json",
        "--select",
        "implicit-algorithm",
        "a.cfg",
    ];
    let run = lbaudit_in(repo.0.path(), &other, b"");
    assert!(!run.stdout.contains("fixed"), "{}", run.stdout);
    let mut write = other.to_vec();
    write.push("--write-baseline");
    assert_eq!(lbaudit_in(repo.0.path(), &write, b"").status, 0);
    assert_eq!(repo.state(), (0, vec![], 1, 0));
}

#[test]
fn a_missing_or_broken_baseline_is_an_error() {
    let repo = Repo::new(&[("a.cfg", &backend("auth", 100))]);
    let missing = repo.run(&[]);
    assert_eq!(missing.status, 2);
    assert!(
        missing.stderr.contains("cannot read `known.json`"),
        "{}",
        missing.stderr
    );
    for text in [
        "",
        "{",
        "[]",
        "{\"schema\":\"lbaudit/baseline/2\",\"findings\":[]}",
        "backend x\n",
    ] {
        repo.write("known.json", text);
        let broken = repo.run(&[]);
        assert_eq!(broken.status, 2, "{text}");
        assert!(
            broken.stderr.contains("`known.json` is no baseline"),
            "{}",
            broken.stderr
        );
        let over = repo.run(&["--write-baseline"]);
        assert_eq!(over.status, 2, "what is no baseline is not overwritten");
        assert_eq!(repo.read("known.json"), text);
    }
}

#[test]
fn a_run_that_could_not_read_everything_leaves_the_file_as_it_is() {
    let repo = Repo::new(&[
        ("a.cfg", &backend("auth", 100)),
        ("b.cfg", &backend("web", 100)),
    ]);
    repo.save();
    let before = repo.read("known.json");
    repo.write("a.cfg", &backend("auth", 10));
    let run = repo.run(&["--write-baseline", "a.cfg", "missing.cfg"]);
    assert_eq!(run.status, 2);
    assert_eq!(repo.read("known.json"), before);
}

#[test]
fn secrets_and_odd_names_do_not_reach_the_file() {
    let text = "global\n  stats sockett admin password hunter2secret\nuserlist u\n  user a pasword $6$saltsalt$hashhash\n";
    let repo = Repo::new(&[("a.cfg", text)]);
    let run = lbaudit_in(
        repo.0.path(),
        &[
            "check",
            "--no-config",
            "--baseline",
            "k.json",
            "--write-baseline",
            "a.cfg",
        ],
        b"",
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    let saved = repo.read("k.json");
    assert!(
        !saved.contains("hashhash") && !saved.contains("hunter2secret"),
        "{saved}"
    );
}
