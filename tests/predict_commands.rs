//! `shares` and `pick` from the command line to their output.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::io::Write;

use clap::Parser;
use lbaudit::cli::Cli;
use lbaudit::error::Error;
use lbaudit::report::Style;
use serde_json::Value;

const CONFIG: &str = "\
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s

frontend public
  bind :8080
  default_backend auth

backend auth
  balance roundrobin
  server auth1 10.0.0.11:8080 weight 100
  server auth2 10.0.0.12:8080 weight 100
  server auth3 10.0.0.13:8080
  server spare 10.0.0.14:8080 backup

backend users
  balance hdr(x-user)
  server a 10.0.0.1:80
  server b 10.0.0.2:80
  server c 10.0.0.3:80

backend ramp
  server a 10.0.0.1:80 check slowstart 10s
  server b 10.0.0.2:80

backend limits
  server a 10.0.0.1:80 minconn 1 maxconn 5
  server b 10.0.0.2:80

backend desktops
  mode tcp
  balance rdp-cookie
  server a 10.0.0.1:80
  server b 10.0.0.2:80
  server c 10.0.0.3:80

backend paths
  balance uri depth 2
  server a 10.0.0.1:80
  server b 10.0.0.2:80
  server c 10.0.0.3:80

backend sites
  balance hdr(host) use_domain_only
  server a 10.0.0.1:80
  server b 10.0.0.2:80
  server c 10.0.0.3:80

backend networks
  balance hash src,ipmask(24)
  server a 10.0.0.1:80
  server b 10.0.0.2:80
  server c 10.0.0.3:80

backend crowd
  server-template s 513 10.0.0.1:80

backend dice
  balance random
  server a 10.0.0.1:80
  server b 10.0.0.2:80
";

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new()
        .suffix(".cfg")
        .tempfile()
        .expect("a file");
    file.write_all(content.as_bytes()).expect("written");
    file
}

fn run(words: &[&str]) -> Result<String, Error> {
    run_on(CONFIG, words)
}

fn run_on(config: &str, words: &[&str]) -> Result<String, Error> {
    let config = file(config);
    let path = config.path().to_str().expect("text").to_owned();
    let (command, rest) = words.split_first().expect("a command");
    let mut all = vec!["lbaudit", "--no-config", command, &path];
    all.extend(rest);
    let cli = Cli::try_parse_from(all).map_err(|fault| Error::Usage(fault.to_string()))?;
    let mut out = Vec::new();
    let clock = lbaudit::commands::Clock {
        today: jiff::civil::date(2026, 1, 1),
        now: jiff::Timestamp::now,
    };
    lbaudit::commands::run(
        &cli,
        Style {
            width: 80,
            ..Style::PLAIN
        },
        clock,
        &mut out,
    )?;
    Ok(String::from_utf8(out)
        .expect("text")
        .replace(&path, "haproxy.cfg"))
}

fn json(words: &[&str]) -> Value {
    let mut words = words.to_vec();
    words.extend(["--format", "json"]);
    serde_json::from_str(&run(&words).expect("it works")).expect("JSON")
}

#[test]
fn shares_are_shown_with_bars_and_the_worst_failure() {
    let text = run(&["shares", "--backend", "auth"]).expect("it works");
    let expected = "\
backend auth (haproxy.cfg): roundrobin, exact order of picks known
  server  weight  tier    share   fair  ratio
  auth1      100  active  49.8%  33.3%  1.49x  ██████████████████████████████
  auth2      100  active  49.8%  33.3%  1.49x  ██████████████████████████████
  auth3        1  active   0.5%  33.3%  0.01x  ▎                   │
  spare        1  backup   0.0%   0.0%      -
  worst single failure: without auth1, 49.8% of requests move: auth2 takes
    99.0% (1.99 times as much as now)
";
    assert_eq!(text, expected);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn a_map_moves_two_thirds_of_the_keys_of_three_servers() {
    let document = json(&["shares", "--backend", "users", "--each-failure"]);
    assert_eq!(document["schema"], "lbaudit/shares/1");
    let failures = document["backends"][0]["failures"]
        .as_array()
        .expect("a list");
    assert_eq!(failures.len(), 3);
    assert_eq!(failures[1]["down"], serde_json::json!(["b"]));
    assert_eq!(failures[1]["moved"], 2.0 / 3.0);
    assert_eq!(
        failures[1]["servers"][0],
        serde_json::json!({"server": "a", "share": 0.5})
    );
}

#[test]
fn servers_that_are_down_together_are_one_failure() {
    let document = json(&[
        "shares", "--down", "auth1", "--down", "auth2", "--down", "auth3",
    ]);
    let backends = document["backends"].as_array().expect("a list");
    assert_eq!(
        backends.len(),
        1,
        "backends without these servers are left out"
    );
    let failure = &backends[0]["failures"][0];
    assert_eq!(failure["moved"], 1.0);
    assert_eq!(
        failure["servers"],
        serde_json::json!([{"server": "spare", "share": 1.0}])
    );
}

#[test]
fn failures_that_are_not_tried_are_not_passed_over_in_silence() {
    let note = "single failures are not tried for more than 512 servers";
    let text = run(&["shares", "--backend", "crowd"]).expect("it works");
    assert!(text.contains(note), "{text}");
    let text = run(&["shares", "--backend", "crowd", "--down", "s7"]).expect("it works");
    assert!(text.contains("without s7, 0.2% of requests move"), "{text}");
    assert!(!text.contains(note));
}

#[test]
fn picks_follow_the_order_of_the_proxy() {
    let picks = json(&[
        "pick",
        "--backend",
        "auth",
        "--requests",
        "4",
        "--down",
        "auth2",
    ]);
    assert_eq!(picks["schema"], "lbaudit/pick/1");
    let servers: Vec<&Value> = (picks["picks"].as_array().expect("a list").iter())
        .map(|pick| &pick["server"])
        .collect();
    assert_eq!(servers, ["auth1", "auth1", "auth1", "auth1"]);
    assert_eq!(picks["picks"][0]["key"], Value::Null);
}

/// nginx names servers by their addresses, and two lines may have one.
#[test]
fn an_address_is_down_on_all_its_lines() {
    let config =
        file("upstream u {\n server 10.0.0.1:80;\n server 10.0.0.2:80;\n server 10.0.0.1:80;\n}\n");
    let path = config.path().to_str().expect("text");
    let words = ["pick", path, "--backend", "u", "--requests", "4"];
    let picks = json(&[&words[..], &["--down", "10.0.0.1:80"]].concat());
    for pick in picks["picks"].as_array().expect("a list") {
        assert_eq!(pick["server"], "10.0.0.2:80");
    }
}

#[test]
fn a_story_of_requests_and_events_is_replayed() {
    let story = file(
        "{\"headers\":{\"X-User\":\"7\"},\"repeat\":2}\n\n{\"down\":\"b\"}\n\
         {\"headers\":{\"x-user\":\"7\"}}\n{\"down\":\"a\"}\n{\"down\":\"c\"}\n{}\n",
    );
    let path = story.path().to_str().expect("text");
    let picks = json(&["pick", "--backend", "users", "--events", path]);
    let expected = serde_json::json!([
        {"key": "7", "server": "b"},
        {"key": "7", "server": "b"},
        {"key": "7", "server": "c"},
        {"key": null, "server": null},
    ]);
    assert_eq!(picks["picks"], expected);
}

#[test]
fn a_desktop_keeps_its_server_by_its_cookie() {
    let story = file("{\"rdp\":{\"mstshash\":\"anna\"}}\n{\"rdp\":{\"msts\":\"anna\"}}\n{}\n");
    let path = story.path().to_str().expect("text");
    let picks = json(&["pick", "--backend", "desktops", "--events", path]);
    let by_key = json(&["pick", "--backend", "desktops", "--key", "anna"]);
    assert_eq!(picks["picks"][0], by_key["picks"][0]);
    assert_eq!(picks["picks"][1]["key"], Value::Null);
    assert_eq!(picks["picks"][2]["key"], Value::Null);
}

/// A key may be what the request has, the proxy cuts its part out of it.
#[test]
fn keys_may_be_whole_values() {
    let server = |backend: &str, key: &str| -> Value {
        let picks = json(&["pick", "--backend", backend, "--key", key]);
        assert_eq!(picks["picks"][0]["key"], key);
        picks["picks"][0]["server"].clone()
    };
    for (backend, hashed, whole) in [
        ("paths", "/a/b", ["/a/b?c", "/a/b/c", "/a/b/d", "/a/b/e?f"]),
        (
            "sites",
            "web",
            ["a.web.com", "b.web.net", "web.org", "c.web.x"],
        ),
        ("users", "7", [" 7 , 8", "7,a", "7,b", "7 ,c"]),
        (
            "networks",
            "10.1.2.0",
            ["10.1.2.1", "10.1.2.2 ", "10.1.2.3", "10.1.2.9"],
        ),
    ] {
        for whole in whole {
            assert_eq!(server(backend, whole), server(backend, hashed), "{whole}");
        }
    }
    let empty = json(&["pick", "--backend", "users", "--key", "", "--key", " "]);
    assert_eq!(empty["picks"][0]["server"], "a");
    assert_eq!(empty["picks"][1]["server"], "b");
}

/// nginx has no way to learn that a server is gone but to try it, which changes the order of the others.
/// The order is that of nginx 1.22.1 with nothing behind the second address.
#[test]
fn a_server_of_nginx_that_is_down_is_found_out_by_trying() {
    let config = "upstream u { server 10.0.0.1; server 10.0.0.2; server 10.0.0.3; }\n";
    let story = file("{\"down\":\"10.0.0.2\"}\n{\"repeat\":9}\n");
    let story = story.path().to_str().expect("text");
    for arguments in [
        ["--down", "10.0.0.2", "--requests", "9"].as_slice(),
        &["--events", story],
    ] {
        let words = [&["pick", "--backend", "u", "--format", "json"], arguments].concat();
        let picks = run_on(config, &words).expect("picks");
        let picks: Value = serde_json::from_str(&picks).expect("JSON");
        let picks = picks["picks"].as_array().expect("a list").iter();
        let last = |pick: &Value| pick["server"].as_str().and_then(|name| name.chars().last());
        let order: String = picks.filter_map(last).collect();
        assert_eq!(order, "133131313");
    }
}

#[test]
fn what_picks_do_not_follow_is_refused_by_name() {
    for (backend, story, part) in [
        (
            "ramp",
            "{\"down\":\"a\"}\n{\"up\":\"a\"}\n",
            ":2: a server with `slowstart`",
        ),
        (
            "limits",
            "{\"open\":\"1\"}\n",
            "`minconn` without `fullconn`",
        ),
        (
            "auth",
            "{\"open\":\"1\"}\n{\"open\":\"1\"}\n",
            "request `1` is open already",
        ),
        (
            "auth",
            "{\"open\":\"1\"}\n{\"close\":\"2\"}\n",
            "there is no open request `2`",
        ),
    ] {
        let story = file(story);
        let path = story.path().to_str().expect("text");
        let fault = run(&["pick", "--backend", backend, "--events", path]);
        let fault = fault.expect_err("refused").to_string();
        assert!(fault.contains(part), "{fault}");
    }
}

#[test]
fn what_cannot_be_answered_is_said() {
    let story = file("{\"downn\":\"b\"}\n");
    let path = story.path().to_str().expect("text");
    for (words, part) in [
        (vec!["shares", "--backend", "auht"], "did you mean `auth`?"),
        (
            vec!["shares", "--down", "auth9"],
            "there is no server `auth9`; did you mean `auth1`?",
        ),
        (
            vec!["pick", "--backend", "dice", "--requests", "1"],
            "draws servers at random",
        ),
        (
            vec!["pick", "--backend", "users", "--events", path],
            ":1: unknown field `downn`",
        ),
        (vec!["pick", "--backend", "auth"], "--requests"),
        (
            vec!["pick", "--backend", "auth", "--requests", "99999999999999"],
            "more than 20000000 requests",
        ),
    ] {
        let fault = run(&words).expect_err("refused").to_string();
        assert!(fault.contains(part), "{fault}");
    }
}
