//! `check --metrics-file`: text that the textfile collector takes, whole or not at all, and what it says after a
//! run that failed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::{Run, lbaudit_in};

const CONFIG: &str = "\
backend auth
  balance roundrobin
  server a 10.0.0.1:80 weight 10 check
  server b 10.0.0.2:80 weight 10 check
  server c 10.0.0.3:80 weight 100
";

struct Host(tempfile::TempDir);

impl Host {
    fn new(name: &str, text: &str) -> Self {
        let host = Self(tempfile::tempdir().expect("a temporary folder"));
        host.write(name, text);
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn run(&self, more: &[&str]) -> Run {
        let mut arguments = vec!["check", "--no-config", "-q", "--metrics-file", "lb.prom"];
        arguments.extend(more);
        lbaudit_in(self.0.path(), &arguments, b"")
    }

    fn text(&self) -> String {
        let text = fs::read_to_string(self.path("lb.prom")).expect("a metrics file");
        assert_valid(&text);
        text
    }

    /// The values by what stands before them.
    fn values(&self) -> BTreeMap<String, f64> {
        values(&self.text())
    }
}

fn values(text: &str) -> BTreeMap<String, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let split = samples.map(|line| line.rsplit_once(' ').expect("a value"));
    split
        .map(|(series, value)| (series.to_owned(), value.parse().expect("a number")))
        .collect()
}

/// What `promtool check metrics` and the textfile collector want: every family once, with help and type before
/// its samples; every series once; no timestamps; names and labels in order.
fn assert_valid(text: &str) {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families = BTreeSet::new();
    let mut series = BTreeSet::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().expect("a name");
            assert!(families.insert(family), "{family} comes once");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{family} gauge"));
        } else {
            assert!(line.starts_with(family) && !family.is_empty(), "{line}");
            let (name, value) = line.rsplit_once(' ').expect("a value");
            assert!(
                value.parse::<f64>().expect("a number").is_finite(),
                "{line}"
            );
            assert!(series.insert(name), "{name} comes once");
            let rest = &name[family.len()..];
            assert!(
                rest.is_empty() || (rest.starts_with('{') && rest.ends_with("\"}")),
                "{line}: no timestamp"
            );
        }
    }
    let complaints = complaints(text).unwrap_or_default();
    assert!(complaints.is_empty(), "{complaints}");
}

/// What `promtool check metrics` complains about, without a word where it does not; `None` where it is not
/// installed.
fn complaints(text: &str) -> Option<String> {
    use std::io::Write as _;
    let mut command = Command::new(support::promtool()?);
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    let mut child = (command.stdout(Stdio::piped()).stderr(Stdio::piped()))
        .spawn()
        .expect("promtool starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!output.status.success() || said.is_empty(), "{said}");
    Some(said)
}

#[test]
fn promtool_tells_what_is_not_valid() {
    let broken = [
        "lbaudit_findings{rule=\"a} 1\n",
        "# TYPE lbaudit_findings gauge\nlbaudit_findings 1\n",
    ];
    for text in broken {
        assert_ne!(complaints(text).as_deref(), Some(""), "{text}");
    }
}

#[test]
fn shares_weights_and_findings_are_measured() {
    let host = Host::new("haproxy.cfg", CONFIG);
    let run = host.run(&["haproxy.cfg"]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    let values = host.values();
    let of = |series: &str| {
        *values
            .get(series)
            .unwrap_or_else(|| panic!("{series} is in {values:#?}"))
    };
    let near =
        |series: &str, expected: f64| assert!((of(series) - expected).abs() < 1e-9, "{series}");
    let place = r#"backend="auth",instance="haproxy.cfg""#;
    near(
        &format!("lbaudit_server_share{{{place},server=\"c\"}}"),
        100.0 / 120.0,
    );
    near(
        &format!("lbaudit_server_weight{{{place},server=\"c\"}}"),
        100.0,
    );
    near(
        &format!("lbaudit_backend_worst_failure_share{{{place}}}"),
        100.0 / 110.0,
    );
    near(&format!("lbaudit_servers_unchecked{{{place}}}"), 1.0);
    near(
        r#"lbaudit_findings{instance="haproxy.cfg",rule="unbalanced-weights",severity="error"}"#,
        1.0,
    );
    near("lbaudit_last_run_success", 1.0);
    near("lbaudit_metrics_series_left_out", 0.0);
    assert!(of("lbaudit_last_run_timestamp_seconds") > 1.7e9);
    assert!(of("lbaudit_last_run_duration_seconds") >= 0.0);
}

fn hash(host: &Host) -> String {
    let text = host.text();
    let line = text
        .lines()
        .find(|it| it.starts_with("lbaudit_config_info{"))
        .expect("the hash");
    line.to_owned()
}

#[test]
fn the_hash_is_that_of_the_content() {
    let host = Host::new("haproxy.cfg", CONFIG);
    host.run(&["haproxy.cfg"]);
    let first = hash(&host);
    host.run(&["haproxy.cfg"]);
    assert_eq!(hash(&host), first);
    host.write("haproxy.cfg", &format!("{CONFIG}# \n"));
    host.run(&["haproxy.cfg"]);
    assert_ne!(hash(&host), first);
}

#[test]
fn after_a_failed_run_the_last_known_shares_stay() {
    let host = Host::new("haproxy.cfg", CONFIG);
    host.run(&["haproxy.cfg"]);
    let before = host.values();
    let without_run = |values: &BTreeMap<String, f64>| {
        let mut values = values.clone();
        values.retain(|series, _| !series.starts_with("lbaudit_last_run_"));
        values
    };
    for arguments in [
        &["haproxy.cfg", "missing.cfg"][..],
        &["missing.cfg"],
        &["--config", "missing.toml", "haproxy.cfg"],
        &["--select", "no-such-rule", "haproxy.cfg"],
    ] {
        let arguments: Vec<&str> = arguments.to_vec();
        let mut all = vec!["check", "-q", "--metrics-file", "lb.prom"];
        all.extend(arguments);
        let run = lbaudit_in(host.0.path(), &all, b"");
        assert_eq!(run.status, 2, "{all:?}");
        let after = host.values();
        assert_eq!(
            after["lbaudit_last_run_success"].to_string(),
            "0",
            "{all:?}"
        );
        assert_eq!(without_run(&after), without_run(&before), "{all:?}");
        assert!(!without_run(&after).is_empty());
    }
    host.run(&["haproxy.cfg"]);
    assert_eq!(host.values()["lbaudit_last_run_success"].to_string(), "1");
}

#[test]
fn the_first_run_may_fail_and_a_damaged_file_is_healed() {
    let host = Host::new("haproxy.cfg", CONFIG);
    assert_eq!(host.run(&["missing.cfg"]).status, 2);
    assert_eq!(host.values().len(), 3);
    host.write(
        "lb.prom",
        "lbaudit_server_share{server=\"a\"} 0.5\nlbaudit_server_share{server=\"a\"} 0.7\nlbaudit_findings{rul\nother 1\nhalf",
    );
    assert_eq!(host.run(&["missing.cfg"]).status, 2);
    let values = host.values();
    assert_eq!(
        values["lbaudit_server_share{server=\"a\"}"].to_string(),
        "0.5"
    );
    assert_eq!(values.len(), 4);
}

/// One backend with this many servers.
fn big(servers: usize) -> String {
    let head = String::from("backend big\n  balance roundrobin\n");
    (0..servers).fold(head, |text, number| {
        let (third, fourth) = (number / 250, number % 250 + 1);
        text + &format!("  server s{number} 10.0.{third}.{fourth}:80 check\n")
    })
}

#[test]
fn series_are_bounded_and_what_is_left_out_is_counted() {
    let host = Host::new("haproxy.cfg", &big(500));
    host.run(&["haproxy.cfg", "--metrics-max-series", "100"]);
    let values = host.values();
    let [left_out, runs] = [1, 3];
    assert_eq!(values.len(), 100 + left_out + runs);
    host.run(&["haproxy.cfg"]);
    let whole = host.values();
    let expected = whole.len() - 100 - left_out - runs;
    assert_eq!(
        values["lbaudit_metrics_series_left_out"].to_string(),
        expected.to_string()
    );
    assert!(
        values
            .keys()
            .any(|it| it.starts_with("lbaudit_backend_worst_failure_share")),
        "the few come first"
    );
    assert_eq!(whole["lbaudit_metrics_series_left_out"].to_string(), "0");
}

#[test]
fn hostile_names_and_equal_ones_give_valid_series() {
    let text = "\
http {
  upstream \"a\\\"b\\\\c\nd\" { server 10.0.0.1:80; server 10.0.0.1:80; server \"x\u{1b}[31m:80\"; }
  upstream same { server 10.0.0.1:80; server 10.0.0.2:80; }
  server { listen 80; location / { proxy_pass http://same; } }
}
stream {
  upstream same { server 10.0.0.1:80; server 10.0.0.2:80; }
  server { listen 81; proxy_pass same; }
}
events {}
";
    let host = Host::new("größe \"1\".conf", text);
    let run = host.run(&["größe \"1\".conf"]);
    assert!(run.status < 2, "{}", run.stderr);
    let text = host.text();
    assert!(text.contains(r#"instance="größe \"1\".conf""#), "{text}");
    assert!(
        text.contains(r#"backend="same""#) && text.contains(r#"backend="same#2""#),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_file_is_written_whole_or_not_at_all() {
    let host = Host::new("haproxy.cfg", CONFIG);
    let run = host.run(&["haproxy.cfg"]);
    assert_eq!(run.status, 1);
    let left: Vec<_> = fs::read_dir(host.0.path()).expect("the folder").collect();
    assert_eq!(left.len(), 2, "nothing but the metrics is left: {left:?}");
    let mut arguments = vec!["check", "--no-config", "-q", "haproxy.cfg"];
    arguments.extend(["--metrics-file", "no/such/folder/lb.prom"]);
    let nowhere = lbaudit_in(host.0.path(), &arguments, b"");
    assert_eq!(nowhere.status, 2);
    assert!(nowhere.stderr.contains("lb.prom"), "{}", nowhere.stderr);
}

#[test]
fn a_run_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let host = Host::new("haproxy.cfg", &big(2000));
    host.run(&["haproxy.cfg"]);
    let whole: Vec<String> = host.values().into_keys().collect();
    fs::remove_file(host.path("lb.prom")).expect("the file was there");
    let files = || {
        let entries = fs::read_dir(host.0.path()).expect("the folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
        names
            .map(|name| name.expect("a name"))
            .collect::<BTreeSet<_>>()
    };
    let mut killed = 0;
    for _ in 0..12 {
        let before = files();
        let mut child = support::command(host.0.path())
            .args(["check", "--no-config", "-q", "haproxy.cfg"])
            .args(["--metrics-file", "lb.prom", "--output", "report"])
            .stdin(Stdio::null())
            .spawn()
            .expect("lbaudit starts");
        // Killed as soon as something of the file is there, whatever its name is.
        while files() == before && child.try_wait().expect("a child").is_none() {}
        child.kill().expect("a signal");
        killed += usize::from(child.wait().expect("it ends").code().is_none());
        if host.path("lb.prom").exists() {
            let left: Vec<String> = host.values().into_keys().collect();
            assert_eq!(left, whole);
        }
        let is_half = |name: &String| {
            Path::new(name).extension().is_some_and(|end| end == "prom") && name != "lb.prom"
        };
        assert!(!files().iter().any(is_half), "the collector reads `*.prom`");
    }
    assert!(killed > 0, "no run was killed");
}
