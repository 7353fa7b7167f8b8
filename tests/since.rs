//! `lbaudit check --since`: only what changed can fail, in real git repositories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

mod diff_support;

use diff_support::{git, haproxy, lbaudit, repository, run, servers, write};
use serde_json::Value;

#[test]
fn check_since_reports_on_changed_objects_only() {
    let bad = servers(1..=3, "weight 10 check").replacen("weight 10", "", 1);
    let text = format!(
        "{}backend api\n{}",
        haproxy(&bad),
        bad.replace("auth", "api").replace("10.0.0.", "10.0.1.")
    );
    let folder = repository(&[("haproxy.cfg", &text)]);
    let here = folder.path();
    let since = |arguments: &[&str]| {
        let all = [&["check", "--since", "HEAD", "haproxy.cfg"], arguments].concat();
        run(here, &all)
    };
    let (status, words) = since(&[]);
    assert_eq!(status, 0, "{words}");
    assert!(
        words.replace('\n', " ").contains("on unchanged objects"),
        "{words}"
    );
    // Another weight elsewhere in the backend brings its old finding back, and only its own.
    write(
        here,
        "haproxy.cfg",
        &text.replace("10.0.1.3:8080 weight 10", "10.0.1.3:8080 weight 20"),
    );
    let document: Value = serde_json::from_str(&since(&["--format", "json"]).1).unwrap();
    let findings = document["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    assert!(
        findings
            .iter()
            .all(|finding| finding["subject"]["backend"] == "api"),
        "{document}"
    );
    assert!(document["summary"]["unchanged"].as_u64().unwrap() > 0);
    assert_eq!(since(&[]).0, 1);
    let output = lbaudit(here, &["check", "--since", "nothing", "haproxy.cfg"]);
    assert_eq!(output.status.code(), Some(2));
}

/// A backend whose weights are a finding.
fn uneven(name: &str, network: u8) -> String {
    format!(
        "backend {name}\n    balance roundrobin\n    server {name}1 10.0.{network}.1:80 weight 10 check\n    \
         server {name}2 10.0.{network}.2:80 check\n    server {name}3 10.0.{network}.3:80 weight 10 check\n"
    )
}

/// The rules and backends of what fails, with the exit status.
fn since(folder: &std::path::Path, more: &[&str]) -> (i32, Vec<String>) {
    let all = [&["check", "--format", "json", "--since", "HEAD"], more].concat();
    let (status, text) = run(folder, &all);
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let findings = document["findings"].as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |finding: &Value| {
        let (rule, backend) = (&finding["rule"], &finding["subject"]["backend"]);
        format!("{} {}", name(rule), name(backend))
    };
    (status, findings.iter().map(line).collect())
}

#[test]
fn files_that_go_or_get_another_name_leave_the_others_old() {
    let folder = repository(&[
        ("a/haproxy.cfg", &haproxy(&servers(1..=2, "check"))),
        ("b/haproxy.cfg", &uneven("old", 1)),
        ("c/haproxy.cfg", &uneven("gone", 2)),
    ]);
    let here = folder.path();
    git(here, &["mv", "b/haproxy.cfg", "b/edge.cfg"]);
    git(here, &["rm", "-q", "c/haproxy.cfg"]);
    assert_eq!(since(here, &["."]), (0, Vec::new()));
    // A server that goes is a change of its backend, whose other findings come back.
    write(
        here,
        "b/edge.cfg",
        &uneven("old", 1).replace("    server old3 10.0.1.3:80 weight 10 check\n", ""),
    );
    let (status, found) = since(here, &["."]);
    assert_eq!(status, 1);
    assert!(
        found.contains(&"mixed-default-weight old".to_owned()),
        "{found:?}"
    );
    assert!(found.iter().all(|line| line.ends_with(" old")), "{found:?}");
}

#[test]
fn what_an_include_brings_is_judged_where_it_stands() {
    let main = "events {}\nhttp {\n    include conf.d/*.conf;\n    server { listen 80; location / { proxy_pass http://auth; } }\n}\n";
    let upstream = |name: &str, weight: &str| {
        format!(
            "upstream {name} {{\n    zone {name} 64k;\n    server 10.0.0.1:80;\n    server 10.0.0.2:80;\n    server 10.0.0.3:80{weight};\n}}\n"
        )
    };
    let folder = repository(&[
        ("nginx.conf", main),
        ("conf.d/auth.conf", &upstream("auth", "")),
        ("conf.d/old.conf", &upstream("old", " weight=50")),
    ]);
    let here = folder.path();
    assert_eq!(since(here, &["nginx.conf"]).0, 0);
    write(here, "conf.d/auth.conf", &upstream("auth", " weight=50"));
    let (status, found) = since(here, &["nginx.conf"]);
    assert_eq!(status, 1);
    assert!(
        found.contains(&"mixed-default-weight auth".to_owned()),
        "{found:?}"
    );
    assert!(
        !found.contains(&"mixed-default-weight old".to_owned()),
        "{found:?}"
    );
    // The include itself may go: then what leads to it is new.
    git(here, &["checkout", "-q", "."]);
    write(
        here,
        "nginx.conf",
        &main.replace("conf.d/*.conf", "conf.d/none.conf"),
    );
    let (status, found) = since(here, &["nginx.conf"]);
    assert_eq!(status, 1);
    assert!(
        found.iter().any(|line| line.starts_with("refused-at-load")),
        "{found:?}"
    );
}

#[test]
fn what_becomes_a_template_is_no_change_of_a_configuration() {
    let text = uneven("auth", 1);
    let folder = repository(&[
        ("auth.cfg", &text),
        ("api.cfg", &haproxy(&servers(1..=2, "check"))),
    ]);
    let here = folder.path();
    write(
        here,
        "auth.cfg",
        &text.replace("weight 10", "weight {{ weight }}"),
    );
    assert_eq!(since(here, &["."]), (0, Vec::new()));
    assert_eq!(since(here, &[".", "--templates", "error"]).0, 2);
    assert_eq!(since(here, &["auth.cfg"]).0, 2);
    // Back from a template: everything in it is new.
    git(here, &["commit", "-q", "-a", "-m", "template"]);
    write(here, "auth.cfg", &text);
    let (status, found) = since(here, &["auth.cfg"]);
    assert_eq!(status, 1);
    assert!(
        found.contains(&"mixed-default-weight auth".to_owned()),
        "{found:?}"
    );
}

#[test]
fn without_the_history_nothing_is_guessed() {
    let folder = repository(&[("haproxy.cfg", &uneven("auth", 1))]);
    let here = folder.path();
    git(here, &["commit", "-q", "--allow-empty", "-m", "second"]);
    let clones = tempfile::tempdir().unwrap();
    let url = format!("file://{}", here.display());
    git(
        clones.path(),
        &["clone", "-q", "--depth", "1", &url, "shallow"],
    );
    let shallow = clones.path().join("shallow");
    let said = |folder: &std::path::Path, revision: &str| {
        let output = lbaudit(folder, &["check", "--since", revision, "."]);
        let words = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), words)
    };
    let (status, words) = said(&shallow, "HEAD~1");
    assert_eq!(status, 2);
    assert!(
        words.contains("knows no revision `HEAD~1` here: the clone is shallow"),
        "{words}"
    );
    assert_eq!(said(&shallow, "HEAD").0, 0);
    assert_eq!(said(here, "HEAD~1").0, 0);
    let (status, words) = said(clones.path(), "HEAD");
    assert_eq!(status, 2);
    assert!(words.contains("not a git repository"), "{words}");
}
