//! The formats of `check` and the JSON Schemas, on what the program really writes.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests fail like the tests"
)]

mod formats_support;
mod support;

use std::fs;

use formats_support::{
    CLEAN, Case, FORMATS, Outputs, assert_valid, cases, few, heavy, outputs_in, schema,
};
use serde_json::Value;
use support::lbaudit;

fn outputs() -> &'static [(&'static str, Outputs)] {
    outputs_in(&["json", "jsonl", "concise"])
}

/// Whether a format is nothing but one line per finding.
fn is_list(format: &str) -> bool {
    ["concise", "jsonl", "github"].contains(&format)
}

#[test]
fn the_output_of_check_is_what_its_schema_says() {
    let validator = schema("check");
    for (what, outputs) in outputs() {
        let document = outputs.json("json");
        assert_valid(&validator, &document, what);
        let findings = document["findings"].as_array().expect("findings").len();
        let expected = match *what {
            "none" => 0..1,
            "one" => 1..2,
            "many" => 5000..100_000,
            _ => 4..1000,
        };
        assert!(expected.contains(&findings), "{what}: {findings}");
    }
}

#[test]
fn lines_are_the_findings_of_the_document() {
    let document = lbaudit(&["schema", "check"]).stdout;
    let document: Value = serde_json::from_str(&document).expect("a schema is JSON");
    let mut schema = document["$defs"]["finding"].clone();
    schema["$defs"] = document["$defs"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    for (what, outputs) in outputs() {
        let lines: Vec<Value> = (outputs.text("jsonl").lines())
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        for line in &lines {
            assert_valid(&validator, line, what);
        }
        let findings = outputs.findings();
        assert_eq!(findings, lines, "{what}");
        let concise = outputs.text("concise");
        assert_eq!(concise.lines().count(), findings.len(), "{what}");
        for (line, finding) in concise.lines().zip(&findings) {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let start = &finding["location"]["start"];
            let place = format!("{}:{}: ", start["line"], start["column"]);
            let rule = format!(
                "{}[{}] ",
                word(&finding["severity"]),
                word(&finding["rule"])
            );
            assert!(line.contains(&(place + &rule)), "{what}: {line}");
        }
    }
}

#[test]
fn every_other_document_is_what_its_schema_says() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let few = few();
    let none = Case::new().with("haproxy.cfg", CLEAN);
    let at = |path: &str| few.here().join(path).to_string_lossy().into_owned();
    let clean = none
        .here()
        .join("haproxy.cfg")
        .to_string_lossy()
        .into_owned();
    let heavy = at("haproxy.cfg");
    let nginx = at("nginx/nginx.conf");
    let runs: [(&str, Vec<&str>); 10] = [
        ("rules", vec!["rules"]),
        ("model", vec!["model", fixtures]),
        ("model", vec!["model", &nginx]),
        ("shares", vec!["shares", fixtures]),
        ("shares", vec!["shares", "--each-failure", &heavy]),
        (
            "pick",
            vec!["pick", &heavy, "--backend", "auth", "--requests", "7"],
        ),
        (
            "pick",
            vec!["pick", &heavy, "--backend", "auth", "--requests", "0"],
        ),
        ("diff", vec!["diff", &heavy, &clean]),
        ("diff", vec!["diff", &heavy, &heavy]),
        ("diff", vec!["diff", &nginx, &clean]),
    ];
    for (name, arguments) in runs {
        let mut arguments = arguments;
        arguments.extend(["--no-config", "--format", "json"]);
        let run = lbaudit(&arguments);
        assert!(run.status < 2, "{arguments:?}: {}", run.stderr);
        let document = serde_json::from_str(&run.stdout).expect("JSON");
        assert_valid(&schema(name), &document, &arguments.join(" "));
    }
}

#[test]
fn a_document_that_lacks_something_is_refused_by_the_schema() {
    let case = few();
    let mut document = case.json("json", &["."]);
    let validator = schema("check");
    assert!(validator.is_valid(&document));
    document["findings"][0]["location"]["start"]["column"] = 0.into();
    assert!(!validator.is_valid(&document));
    let unknown = lbaudit(&["schema", "chek"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("check"), "{}", unknown.stderr);
}

#[test]
fn no_format_decides_the_exit_status() {
    let case = few();
    let none = Case::new().with("haproxy.cfg", CLEAN);
    for format in FORMATS {
        let check = |case: &Case, more: &[&str]| {
            let mut arguments = vec!["check", "--no-config", "--format", format];
            arguments.extend(more);
            case.run(&arguments).status
        };
        assert_eq!(check(&case, &["."]), 1, "{format}");
        assert_eq!(check(&case, &[".", "--exit-zero"]), 0, "{format}");
        assert_eq!(check(&none, &["haproxy.cfg"]), 0, "{format}");
        assert_eq!(check(&none, &["haproxy.cfg", "missing.cfg"]), 2, "{format}");
    }
}

#[test]
fn one_run_writes_several_outputs() {
    let case = few();
    let run = case.run(&[
        "check",
        "--no-config",
        "haproxy.cfg",
        "--format",
        "concise",
        "--format",
        "sarif=out.sarif",
        "--format",
        "junit=report one.xml",
    ]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(run.stdout.contains("\nhaproxy.cfg:6:"), "{}", run.stdout);
    let read = |name: &str| fs::read_to_string(case.here().join(name)).expect("an output");
    assert_eq!(read("out.sarif"), case.format("sarif", &["haproxy.cfg"]));
    assert_eq!(
        read("report one.xml"),
        case.format("junit", &["haproxy.cfg"])
    );

    assert_eq!(
        case.format("json=-", &["haproxy.cfg"]),
        case.format("json", &["haproxy.cfg"])
    );

    let quiet = case.run(&[
        "check",
        "--no-config",
        "-q",
        "--exit-zero",
        "haproxy.cfg",
        "--format",
        "json=only.json",
    ]);
    assert_eq!(
        (quiet.status, quiet.stdout.as_str()),
        (0, ""),
        "{}",
        quiet.stderr
    );
    assert!(read("only.json").contains("lbaudit/check/1"));
}

#[test]
fn outputs_that_cannot_be_meant_are_refused() {
    let case = few();
    for (arguments, fault) in [
        (vec!["--format", "json", "--format", "text"], "only one"),
        (vec!["--format", "json=a", "--output", "b"], "--output"),
        (vec!["--format", "json="], "file name"),
        (
            vec!["--format", "json=a", "--format", "sarif=a"],
            "two `--format`s",
        ),
        (vec!["--format", "json=-", "--format", "text"], "only one"),
        (vec!["--format", "jsn=x"], "invalid value"),
        (vec!["--format", "json=no/such/folder"], "cannot write"),
    ] {
        let mut all = vec!["check", "--no-config", "haproxy.cfg"];
        all.extend(arguments);
        let run = case.run(&all);
        assert_eq!(run.status, 2, "{all:?}");
        assert!(run.stderr.contains(fault), "{all:?}: {}", run.stderr);
    }
    let shares = case.run(&["shares", "--no-config", "haproxy.cfg", "--format", "sarif"]);
    assert_eq!(shares.status, 2);
    assert!(
        shares.stderr.contains("no such format"),
        "{}",
        shares.stderr
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for (what, case, paths) in cases(50) {
        for format in FORMATS {
            let first = case.format(format, &paths);
            assert_eq!(
                first.is_empty(),
                what == "none" && is_list(format),
                "{format}"
            );
            for _ in 0..2 {
                assert_eq!(case.format(format, &paths), first, "{what} {format}");
            }
        }
    }
}

#[test]
fn no_format_gives_a_secret_or_a_control_character_away() {
    let text = "userlist u\n  user a password $6$saltsalt$hashhash\nbackend b\n  http-request set-header Authorization \"Basic c2VjcmV0MTIzNDU2\"\u{1b}[31m\n  sever x\n"
        .to_owned()
        + &heavy("x\u{1b}[31m");
    let case = Case::new().with("haproxy.cfg", &text);
    for format in ["sarif", "github", "gitlab", "junit", "markdown"] {
        let text = case.format(format, &["haproxy.cfg"]);
        assert!(!text.contains("c2VjcmV0MTIzNDU2"), "{format}: {text}");
        assert!(!text.contains("hashhash"), "{format}: {text}");
        assert!(!text.contains('\u{1b}'), "{format}: {text}");
    }
}
