//! A gate in a real git repository: a baseline on day one, a pull request that repeats the November
//! outage, its fix, and a pull request that only moves text.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

mod diff_support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use diff_support::{git, json, near, repository, run, shift, write};
use serde_json::Value;

const BASELINE: &str = ".lbaudit-baseline.json";

/// Both files of the outage are one repository's: with the fault (`before`) or without it.
fn incident(engine: &str, state: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/incidents/2023-11-10-one-server-drowns")
        .join(engine);
    let file = match engine {
        "nginx" => format!("{state}/conf.d/upstreams.conf"),
        _ => format!("{state}.cfg"),
    };
    fs::read_to_string(folder.join(file)).unwrap()
}

/// What years leave behind: every backend with several findings.
fn legacy(backends: usize) -> String {
    let mut text =
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
            .to_owned();
    for number in 0..backends {
        let _ = write!(
            text,
            "frontend in{number}\n  bind 127.0.0.1:{}\n  default_backend old{number}\nbackend old{number}\n  \
             balance roundrobin\n  server a 10.1.{number}.1:80 weight 10\n  server b 10.1.{number}.2:80 weight 90 check\n  \
             server c 10.1.{number}.3:80 check\n",
            9000 + number
        );
    }
    text
}

/// The repository on day one, its baseline committed.
fn day_one() -> tempfile::TempDir {
    let nginx = "events {}\nhttp {\n  include conf.d/*.conf;\n}\n";
    let folder = repository(&[
        ("haproxy/edge.cfg", &incident("haproxy", "after")),
        ("nginx/nginx.conf", nginx),
        ("nginx/conf.d/upstreams.conf", &incident("nginx", "after")),
        ("legacy/haproxy.cfg", &legacy(120)),
    ]);
    let here = folder.path();
    assert_eq!(run(here, &["check", "."]).0, 1, "the old findings fail");
    let (status, text) = run(
        here,
        &["check", ".", "--baseline", BASELINE, "--write-baseline"],
    );
    assert_eq!(status, 0, "{text}");
    git(here, &["add", "-A"]);
    git(here, &["commit", "-q", "-m", "baseline"]);
    git(here, &["checkout", "-q", "-b", "pull-request"]);
    folder
}

fn gate(here: &Path) -> (i32, Value) {
    let arguments = ["check", ".", "--baseline", BASELINE, "--format", "json"];
    let (status, text) = run(here, &arguments);
    (status, serde_json::from_str(&text).unwrap())
}

const DIFF: [&str; 5] = ["diff", "--git", "main", "--max-shift", "10"];

fn assert_passes(here: &Path, what: &str) {
    let (status, document) = gate(here);
    assert_eq!(status, 0, "{what}: {document}");
    assert_eq!(document["findings"], Value::Array(Vec::new()), "{what}");
    let (status, text) = run(here, &DIFF);
    assert_eq!(status, 0, "{what}: {text}");
    let (status, text) = run(here, &["check", "--since", "main", "."]);
    assert_eq!(status, 0, "{what}: {text}");
}

/// The cause, and nothing about anything else; that the two copies of the backend differ may be told.
fn assert_is_the_outage(findings: &Value, server: &str) {
    let causes: Vec<&Value> = (findings.as_array().unwrap().iter())
        .filter(|finding| finding["rule"] != "backend-drift")
        .collect();
    assert_eq!(causes.len(), 1, "{findings}");
    assert_eq!(causes[0]["rule"], "mixed-default-weight");
    assert_eq!(causes[0]["subject"]["server"], server);
}

#[test]
fn hundreds_of_old_findings_do_not_fail_and_the_outage_does() {
    let folder = day_one();
    let here = folder.path();
    let (status, document) = gate(here);
    assert_eq!(status, 0);
    let known = document["summary"]["baselined"].as_u64().unwrap();
    assert!(known >= 300, "{known}");
    assert_passes(here, "nothing changed");

    for (engine, file, server) in [
        ("haproxy", "haproxy/edge.cfg", "auth4"),
        ("nginx", "nginx/conf.d/upstreams.conf", "10.20.0.14:8080"),
    ] {
        write(here, file, &incident(engine, "before"));
        git(here, &["commit", "-q", "-a", "-m", "warm up auth4"]);
        let (status, document) = gate(here);
        assert_eq!(status, 1, "{engine}");
        assert_is_the_outage(&document["findings"], server);
        assert_eq!(document["summary"]["baselined"], known);

        let (status, text) = run(here, &DIFF);
        assert_eq!(status, 1, "{engine}: {text}");
        assert!(
            text.contains("a share moves by 72.1% of its backend, --max-shift is 10.0%"),
            "{text}"
        );
        let document = json(here, &DIFF);
        assert!(near(shift(&document, server), 100.0 / 103.0 - 0.25));
        assert_is_the_outage(&document["findings"]["introduced"], server);
        assert_eq!(run(here, &["check", "--since", "main", "."]).0, 1);

        write(here, file, &incident(engine, "after"));
        git(
            here,
            &["commit", "-q", "-a", "-m", "the same weight for all"],
        );
        assert_passes(here, engine);
    }
}

#[test]
fn a_pull_request_that_only_moves_text_passes() {
    let folder = day_one();
    let here = folder.path();
    let haproxy = incident("haproxy", "after").replace("\n    ", "\n\t\t");
    write(
        here,
        "haproxy/edge.cfg",
        &format!("# one style for all files\n\n{haproxy}\n\n"),
    );
    let nginx = incident("nginx", "after");
    let nginx = nginx.replace(";\n", "\n;\n\n").replace("    ", "  ");
    write(here, "nginx/conf.d/upstreams.conf", &nginx);
    // The sections in another order, and the file under another name.
    let legacy = legacy(120);
    let mut sections: Vec<&str> = legacy.split("frontend ").collect();
    sections[1..].reverse();
    let turned = sections.join("\n# moved\nfrontend ");
    git(here, &["mv", "legacy/haproxy.cfg", "legacy/old.cfg"]);
    write(here, "legacy/old.cfg", &turned);
    git(here, &["commit", "-q", "-a", "-m", "one style"]);
    assert_passes(here, "reformatted");
    let text = run(here, &["diff", "--git", "main"]).1;
    assert_eq!(
        text,
        "nothing changed: the models and the findings are the same\n"
    );
}

#[test]
fn a_pull_request_that_repairs_something_tells_it_and_prunes_the_baseline() {
    let folder = day_one();
    let here = folder.path();
    let repaired = legacy(120).replace("10.1.7.1:80 weight 10", "10.1.7.1:80 weight 90 check");
    let repaired = repaired.replace("10.1.7.3:80 check", "10.1.7.3:80 weight 90 check");
    write(here, "legacy/haproxy.cfg", &repaired);
    let (status, document) = gate(here);
    assert_eq!(status, 0, "{document}");
    let fixed = document["summary"]["fixed"].as_u64().unwrap();
    assert!(fixed > 0, "{document}");
    let entries = || {
        fs::read_to_string(here.join(BASELINE))
            .unwrap()
            .matches("\"fingerprint\"")
            .count()
    };
    let before = entries();
    let write = ["check", ".", "--baseline", BASELINE, "--write-baseline"];
    assert_eq!(run(here, &write).0, 0);
    assert_eq!(entries() as u64 + fixed, before as u64);
    // What was repaired and is broken again is new.
    git(here, &["checkout", "-q", "main", "--", "legacy"]);
    assert_eq!(gate(here).0, 1);
}
