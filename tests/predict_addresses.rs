//! `shares --demand`: what each physical server carries over all backends.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{Run, lbaudit, lbaudit_in};

const CONFIG: &str = "\
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s

frontend public
  bind :8080
  use_backend api if { path_beg /api }
  default_backend web

backend web
  server s1 10.0.0.1:8080
  server s2 10.0.0.2:8080
  server spare 10.0.0.1:9090 backup

backend api
  server a 10.0.0.1:8080 weight 3
  server b 10.0.0.3:8080

listen admin
  bind :9000
  server-template t 2 App.internal:80

backend old
  server x 10.0.0.9:80

listen stats
  bind :9001
  http-request return status 200
  server y 10.0.0.9:80

listen dead
  bind :9002
  server z 10.0.0.9:80 disabled
";

/// Runs `shares` with the configuration on standard input.
fn run(arguments: &[&str]) -> Run {
    let mut all = vec!["shares", "-", "--no-config"];
    all.extend(arguments);
    lbaudit_in(Path::new("/"), &all, CONFIG.as_bytes())
}

fn shares(arguments: &[&str]) -> Value {
    let mut all = vec!["--format", "json"];
    all.extend(arguments);
    let run = run(&all);
    assert_eq!(run.status, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// Address or host, and its share in thousandths.
fn rounded(list: &Value, name: &str) -> Vec<(String, i64)> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| {
        let share = row["share"].as_f64().expect("a number");
        #[allow(clippy::cast_possible_truncation, reason = "between 0 and 1000")]
        let thousandths = (share * 1000.0).round() as i64;
        (row[name].as_str().expect("text").to_owned(), thousandths)
    })
    .collect()
}

fn owned(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter()
        .map(|(name, share)| ((*name).to_owned(), *share))
        .collect()
}

#[test]
fn equal_demand_counts_every_backend_that_a_route_leads_to() {
    let document = shares(&[]);
    // A third of the traffic each: 1/3 * 1/2 + 1/3 * 3/4 of all reaches 10.0.0.1:8080.
    let expected = [
        ("10.0.0.1:8080", 417),
        ("10.0.0.2:8080", 167),
        ("10.0.0.1:9090", 0),
        ("10.0.0.3:8080", 83),
        ("app.internal:80", 333),
    ];
    assert_eq!(rounded(&document["addresses"], "address"), owned(&expected));
    let hosts = [
        ("10.0.0.1", 417),
        ("10.0.0.2", 167),
        ("10.0.0.3", 83),
        ("app.internal", 333),
    ];
    assert_eq!(rounded(&document["hosts"], "host"), owned(&hosts));
    let rates: Vec<&Value> = (document["demand"].as_array().expect("a list").iter())
        .map(|demand| &demand["rate"])
        .collect();
    assert_eq!(rates, [1.0, 1.0, 1.0]);
}

#[test]
fn what_does_not_count_is_named_with_its_reason() {
    let document = shares(&[]);
    let reasons: Vec<(&Value, &Value)> = (document["left_out"].as_array().expect("a list").iter())
        .map(|left| (&left["backend"], &left["reason"]))
        .collect();
    let expected = [
        (json!("old"), json!("no-route")),
        (json!("stats"), json!("no-route")),
        (json!("dead"), json!("no-usable-server")),
    ];
    let expected: Vec<(&Value, &Value)> = expected.iter().map(|(a, b)| (a, b)).collect();
    assert_eq!(reasons, expected);
}

#[test]
fn a_demand_weighs_backends_and_reaches_those_without_a_route() {
    let document = shares(&["--demand", "web=300", "--demand", "old=100"]);
    let expected = [
        ("10.0.0.1:8080", 375),
        ("10.0.0.2:8080", 375),
        ("10.0.0.1:9090", 0),
        ("10.0.0.9:80", 250),
    ];
    assert_eq!(rounded(&document["addresses"], "address"), owned(&expected));
    assert_eq!(document["left_out"][0]["reason"], "no-demand");
}

#[test]
fn the_lines_behind_an_address_are_listed_with_what_they_add() {
    let document = shares(&["--demand", "web=1", "--demand", "api=1"]);
    let lines = document["addresses"][0]["servers"]
        .as_array()
        .expect("a list");
    let lines: Vec<(&Value, &Value, &Value)> = (lines.iter())
        .map(|line| (&line["backend"], &line["server"], &line["share"]))
        .collect();
    let expected = [
        (json!("web"), json!("s1"), json!(0.25)),
        (json!("api"), json!("a"), json!(0.375)),
    ];
    let expected: Vec<(&Value, &Value, &Value)> =
        expected.iter().map(|(a, b, c)| (a, b, c)).collect();
    assert_eq!(lines, expected);
}

#[test]
fn one_endpoint_in_two_spellings_and_in_both_engines_is_one_address() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        (
            "haproxy.cfg",
            "backend web\n  server s 10.0.0.1:80\n  server own 127.0.0.1:80\n",
        ),
        (
            "nginx.conf",
            "upstream app { server 10.0.0.1; server 127.0.0.1:80; }\n",
        ),
    ] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let path = folder.path().to_str().expect("text");
    let run = lbaudit(&["shares", path, "--no-config", "--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let expected = [
        ("10.0.0.1:80", 500),
        ("127.0.0.1:80", 250),
        ("127.0.0.1:80", 250),
    ];
    assert_eq!(
        rounded(&document["addresses"], "address"),
        owned(&expected),
        "of local addresses each machine has its own"
    );
}

#[test]
fn a_name_stands_for_the_addresses_it_is_given() {
    let demand = ["--demand", "admin=1"];
    let resolve = ["--resolve", "APP.internal=10.0.0.1,2001:db8::1"];
    let document = shares(&[demand, resolve].concat());
    // HAProxy takes the first one for both slots.
    assert_eq!(
        rounded(&document["addresses"], "address"),
        owned(&[("10.0.0.1:80", 1000)])
    );
    let run = run(&["--resolve", "ap.internal=10.0.0.1"]);
    assert_eq!(run.status, 2);
    let hint = "no server with the host name `ap.internal`; did you mean `App.internal`?";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
}

#[test]
fn a_demand_that_cannot_be_meant_is_refused() {
    for (arguments, part) in [
        (
            vec!["--demand", "wbe=1"],
            "there is no backend `wbe`; did you mean `web`?",
        ),
        (
            vec!["--demand", "web=1", "--demand", "web=2"],
            "`--demand` names `web` twice",
        ),
        (vec!["--demand", "web=0"], "gives no backend any traffic"),
        (vec!["--demand", "web=-1"], "expected BACKEND=RATE"),
        (vec!["--demand", "web"], "expected BACKEND=RATE"),
        (vec!["--demand", "web=inf"], "expected BACKEND=RATE"),
    ] {
        let run = run(&arguments);
        assert_eq!(run.status, 2, "{arguments:?}");
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

#[test]
fn text_shows_shared_addresses_and_all_of_them_for_a_demand() {
    let plain = run(&[]).stdout;
    assert!(
        plain.contains("10.0.0.1:8080 from web 16.7%, api 25.0%\n"),
        "{plain}"
    );
    assert!(
        plain.contains("not counted: old, stats (no route leads there)"),
        "{plain}"
    );
    assert!(!plain.contains("10.0.0.2:8080  "), "{plain}");
    let asked = run(&["--demand", "web=1"]).stdout;
    assert!(
        asked.contains("  10.0.0.2:8080      1         1  50.0%"),
        "{asked}"
    );
    let filtered = run(&["--backend", "web"]).stdout;
    assert!(!filtered.contains("addresses"), "{filtered}");
}
