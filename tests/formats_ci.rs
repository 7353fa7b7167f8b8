//! The formats of CI services: annotations and summary of GitHub, Code Quality of GitLab, `JUnit`, and the
//! comment on a pull request.

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
use std::process::Stdio;

use formats_support::{Outputs, few, outputs_in};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use support::command;

fn outputs() -> &'static [(&'static str, Outputs)] {
    outputs_in(&["json", "github", "gitlab", "junit", "markdown"])
}

#[test]
fn github_annotations_cannot_be_broken_out_of() {
    for (what, outputs) in outputs() {
        let text = outputs.text("github");
        let findings = outputs.findings().len();
        assert_eq!(text.lines().count(), findings, "{what}");
        for line in text.lines() {
            let (properties, _) = line[2..].split_once("::").expect("properties end");
            let (command, properties) = properties.split_once(' ').expect("a command");
            assert!(["error", "warning", "notice"].contains(&command), "{line}");
            let names: Vec<&str> = (properties.split(','))
                .filter_map(|property| property.split_once('=').map(|(name, _)| name))
                .collect();
            assert_eq!(names.first(), Some(&"file"), "{line}");
            assert_eq!(names.last(), Some(&"title"), "{line}");
            assert!((4..=5).contains(&names.len()), "{line}");
        }
    }
    let text = few().format("github", &["."]);
    assert!(
        text.contains("::error file=haproxy.cfg,line=6,col="),
        "{text}"
    );
    assert!(text.contains("file=C%3A\\conf\\win.cfg,"), "{text}");
    assert!(text.contains("file=a b/größe 100%25#1.cfg,"), "{text}");
}

#[test]
fn in_a_ci_job_files_are_named_from_the_checkout() {
    let case = few();
    for (variable, format, expected) in [
        ("GITHUB_WORKSPACE", "github", "file=nginx/nginx.conf,"),
        ("CI_PROJECT_DIR", "gitlab", "\"path\": \"nginx/nginx.conf\""),
        ("GITHUB_WORKSPACE", "sarif", "\"uri\": \"nginx/nginx.conf\""),
    ] {
        let mut command = command(&case.here().join("nginx"));
        command.env(variable, case.here());
        command.args(["check", "--no-config", "nginx.conf", "--format", format]);
        let output = command.stdin(Stdio::null()).output().expect("lbaudit runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn github_gets_a_summary_of_the_job() {
    let case = few();
    let summary = case.here().join("summary.md");
    fs::write(&summary, "before\n").expect("a file");
    let run = |format: &str| {
        let mut command = command(&case.here());
        command.env("GITHUB_STEP_SUMMARY", &summary);
        command.args(["check", "--no-config", "haproxy.cfg", "--format", format]);
        let output = command.stdin(Stdio::null()).output().expect("lbaudit runs");
        assert_eq!(output.status.code(), Some(1));
    };
    run("text");
    assert_eq!(fs::read_to_string(&summary).expect("a file"), "before\n");
    run("github");
    let text = fs::read_to_string(&summary).expect("a file");
    assert!(text.starts_with("before\n## lbaudit: 1 error"), "{text}");
}

#[test]
fn gitlab_has_what_the_code_quality_report_needs() {
    for (what, outputs) in outputs() {
        let issues = outputs.json("gitlab");
        let issues = issues.as_array().expect("an array");
        let findings = outputs.findings();
        assert_eq!(issues.len(), findings.len(), "{what}");
        let mut seen = std::collections::BTreeSet::new();
        for (issue, finding) in issues.iter().zip(&findings) {
            assert_eq!(issue["fingerprint"], finding["fingerprint"]);
            assert_eq!(issue["check_name"], finding["rule"]);
            assert_eq!(
                issue["location"]["lines"]["begin"],
                finding["location"]["start"]["line"]
            );
            assert!(
                !issue["location"]["path"]
                    .as_str()
                    .expect("a path")
                    .starts_with("./")
            );
            assert!(
                ["info", "major", "critical"].contains(&issue["severity"].as_str().expect("text"))
            );
            assert!(
                seen.insert(issue["fingerprint"].as_str()),
                "fingerprints differ"
            );
        }
    }
}

/// The start tags of a document, and whether every one is closed.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    let mut depth = 0;
    let read = |start: &BytesStart<'_>| {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.expect("an attribute");
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
            (
                String::from_utf8_lossy(attribute.key.as_ref().as_bytes()).into_owned(),
                value.expect("a value").into_owned(),
            )
        });
        (
            String::from_utf8_lossy(start.name().as_ref().as_bytes()).into_owned(),
            attributes.collect(),
        )
    };
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) => {
                depth += 1;
                elements.push(read(&start));
            }
            Event::Empty(start) => elements.push(read(&start)),
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "every element is closed");
    elements
}

#[test]
fn junit_is_well_formed_and_its_numbers_are_right() {
    for (what, outputs) in outputs() {
        let text = outputs.text("junit");
        let is_xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(
            text.chars().all(is_xml),
            "{what}: every character is one of XML 1.0"
        );
        let elements = elements(text);
        let of = |name: &str| elements.iter().filter(|(it, _)| it == name).count();
        let (_, root) = &elements[0];
        let number = |name: &str| {
            let attribute = root.iter().find(|(it, _)| it == name);
            attribute
                .expect("a number")
                .1
                .parse::<usize>()
                .expect("a number")
        };
        let summary = &outputs.json("json")["summary"];
        let count = |name: &str| {
            usize::try_from(summary[name].as_u64().expect("a number")).expect("a number")
        };
        assert_eq!(number("failures"), of("failure"), "{what}");
        assert_eq!(number("tests"), of("testcase"), "{what}");
        assert_eq!(
            of("failure"),
            count("error") + count("warning"),
            "{what}: infos do not fail"
        );
        assert_eq!(of("system-out"), count("info"), "{what}");
        assert_eq!(of("testsuite"), count("instances"), "{what}");
        assert!(
            of("testcase") > 0,
            "{what}: a report is never without a test"
        );
    }
}

#[test]
fn a_reader_of_junit_finds_every_finding_and_its_words() {
    for (what, outputs) in outputs() {
        let read = junit_parser::from_reader(outputs.text("junit").as_bytes());
        let suites = read.expect("a reader of JUnit takes it").suites;
        let cases: Vec<_> = suites.iter().flat_map(|suite| &suite.cases).collect();
        for suite in &suites {
            let failed = suite.cases.iter().filter(|case| case.status.is_failure());
            assert_eq!(suite.failures, failed.count() as u64, "{what}");
            assert_eq!(suite.tests, suite.cases.len() as u64, "{what}");
        }
        let told = cases.iter().filter_map(|case| {
            // A suite without findings has a test that says so.
            let (rule, _) = case.original_name.split_once(": ")?;
            let file = case.file.clone().unwrap_or_default();
            Some((file, rule.to_owned(), case.status.is_success()))
        });
        let findings = outputs.findings();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let expected = findings.iter().map(|finding| {
            let is_info = finding["severity"] == "info";
            let file = text(&finding["location"]["file"]);
            (file, text(&finding["rule"]), is_info)
        });
        let [told, expected] = [told.collect(), expected.collect()].map(sorted);
        assert_eq!(told, expected, "{what}");
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

#[test]
fn markdown_shows_names_as_they_are() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    for (what, outputs) in outputs() {
        let text = outputs.text("markdown");
        assert!(text.len() < 65_536, "{what}: a comment takes no more");
        let mut columns = 0;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                    panic!("{what}: a link\n{text}")
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    assert!(
                        ["<br>", "<code>", "</code>", "<!-- -->"].contains(&&*html),
                        "{what}: {html}"
                    );
                }
                Event::Start(Tag::TableHead | Tag::TableRow) => columns = 0,
                Event::Start(Tag::TableCell) => columns += 1,
                _ => {}
            }
            assert!(columns <= 4, "{what}");
        }
    }
    let text = few().format("markdown", &["haproxy.cfg"]);
    assert!(text.starts_with("## lbaudit: 1 error"), "{text}");
    assert!(text.contains("| `auth-3` | 100 | 83.3% | "), "{text}");
    assert!(text.contains("`haproxy.cfg:6`"), "{text}");
    let mut outputs = outputs().iter();
    let (_, many) = outputs.find(|(what, _)| *what == "many").expect("a case");
    let many = many.text("markdown");
    assert!(many.contains("more findings"), "a long list is cut");
}
