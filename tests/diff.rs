//! `lbaudit diff` and `check --since` as a user runs them: the real program, real git repositories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn lbaudit(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lbaudit"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("LBAUDIT_CONFIG")
        .output()
        .unwrap()
}

/// The exit status and standard output of a run.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = lbaudit(folder, arguments);
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// The document of a run, which keeps to its schema.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = lbaudit(folder, &[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(&output.stderr)));
    let schema: Value = serde_json::from_str(&run(folder, &["schema", "diff"]).1).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = (schema.iter_errors(&document))
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
    document
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A repository with these files committed.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    git(folder.path(), &["add", "-A"]);
    git(
        folder.path(),
        &["commit", "-q", "-m", "first", "--allow-empty"],
    );
    folder
}

/// `kind backend/server: old -> new` of every change.
fn changes(document: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let changes = document["changes"].as_array().unwrap();
    let line = |change: &Value| {
        let place = [word(&change["backend"]), word(&change["server"])].join("/");
        let (old, new) = (word(&change["old"]), word(&change["new"]));
        format!("{} {place}: {old} -> {new}", word(&change["kind"]))
    };
    changes.iter().map(line).collect()
}

fn rules(findings: &Value) -> Vec<&str> {
    let findings = findings.as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect()
}

fn shift(document: &Value, server: &str) -> f64 {
    let rows = document["traffic"].as_array().unwrap();
    let row = rows.iter().find(|row| row["server"] == server).unwrap();
    row["shift"].as_f64().unwrap()
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

const HEAD: &str = "\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    option redispatch 1
    option httpchk GET /health
frontend public
    bind 127.0.0.1:8080
    default_backend auth
";

/// A configuration of one backend.
fn haproxy(backend: &str) -> String {
    format!("{HEAD}backend auth\n{backend}")
}

/// Server lines `auth1` to `authN`, all alike.
fn servers(numbers: impl IntoIterator<Item = u8>, rest: &str) -> String {
    let line = |number| format!("    server auth{number} 10.0.0.{number}:8080 {rest}\n");
    numbers.into_iter().map(line).collect()
}

/// Compares two HAProxy configurations of one backend each.
fn compared(old: &str, new: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "old.cfg", &haproxy(old));
    write(folder.path(), "new.cfg", &haproxy(new));
    json(folder.path(), &["diff", "old.cfg", "new.cfg"])
}

#[test]
fn equal_configurations_have_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let text = haproxy(&servers(1..=3, "weight 100 check"));
    write(folder.path(), "a.cfg", &text);
    write(
        folder.path(),
        "b.cfg",
        &text.replace("    server", "\n  # moved\n\tserver"),
    );
    let (status, text) = run(
        folder.path(),
        &["diff", "a.cfg", "b.cfg", "--max-shift", "0"],
    );
    assert_eq!(status, 0);
    assert_eq!(
        text,
        "nothing changed: the models and the findings are the same\n"
    );
    let document = json(folder.path(), &["diff", "a.cfg", "b.cfg"]);
    for list in ["changes", "traffic", "backends"] {
        assert_eq!(document[list], serde_json::json!([]), "{list}");
    }
    assert_eq!(document["schema"], "lbaudit/diff/1");
    assert_eq!(
        document["findings"],
        serde_json::json!({"introduced": [], "resolved": []})
    );
}

#[test]
fn a_weight_moves_shares_and_the_gate_says_by_how_much() {
    let folder = tempfile::tempdir().unwrap();
    let old = haproxy(&servers(1..=3, "weight 100 check"));
    write(folder.path(), "old.cfg", &old);
    let new = old.replace("10.0.0.3:8080 weight 100", "10.0.0.3:8080 weight 1");
    write(folder.path(), "new.cfg", &new);
    let document = json(folder.path(), &["diff", "old.cfg", "new.cfg"]);
    assert_eq!(changes(&document), ["server-weight auth/auth3: 100 -> 1"]);
    assert!(near(shift(&document, "auth3"), 1.0 / 201.0 - 1.0 / 3.0));
    assert!(near(shift(&document, "auth1"), 100.0 / 201.0 - 1.0 / 3.0));
    let worst = &document["backends"][0]["worst_failure"];
    assert_eq!(worst["before"]["share"], 0.5);
    assert!(near(
        worst["after"]["share"].as_f64().unwrap(),
        100.0 / 101.0
    ));
    assert!(
        !document["findings"]["introduced"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    let gate = |limit: &str| {
        let arguments = [
            "diff",
            "old.cfg",
            "new.cfg",
            "--max-shift",
            limit,
            "--fail-on",
            "error",
        ];
        run(folder.path(), &arguments)
    };
    let (_, text) = gate("32");
    assert!(
        text.contains("a share moves by 32.8% of its backend, --max-shift is 32.0%"),
        "{text}"
    );
    assert!(!gate("33").1.contains("--max-shift"));
    let ignored = [
        "diff",
        "old.cfg",
        "new.cfg",
        "--max-shift",
        "1",
        "--exit-zero",
    ];
    assert_eq!(run(folder.path(), &ignored).0, 0);
    let back = json(folder.path(), &["diff", "new.cfg", "old.cfg"]);
    assert_eq!(back["findings"]["introduced"], serde_json::json!([]));
    let (back, _) = run(folder.path(), &["diff", "new.cfg", "old.cfg"]);
    assert_eq!(back, 0);
}

#[test]
fn a_shift_of_exactly_the_limit_passes() {
    let folder = tempfile::tempdir().unwrap();
    let rest = |one, other| {
        format!(
            "    server a 10.0.0.1:80 weight {one} check\n    server b 10.0.0.2:80 weight {other} check\n"
        )
    };
    write(folder.path(), "old.cfg", &haproxy(&rest(3, 7)));
    write(folder.path(), "new.cfg", &haproxy(&rest(4, 6)));
    let gate = |limit: &str| {
        run(
            folder.path(),
            &["diff", "old.cfg", "new.cfg", "--max-shift", limit],
        )
        .1
    };
    assert!(!gate("10").contains("--max-shift is"));
    assert!(gate("9.9").contains("--max-shift is 9.9%"));
}

#[test]
fn order_is_no_change_for_round_robin_and_moves_keys_elsewhere() {
    let (plain, turned) = (servers([1, 2, 3], "check"), servers([3, 1, 2], "check"));
    assert!(changes(&compared(&plain, &turned)).is_empty());

    let ring = |lines: &str| format!("    balance uri\n    hash-type consistent\n{lines}");
    let document = compared(&ring(&plain), &ring(&turned));
    let ids = changes(&document);
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(ids[0], "server-option auth/auth3: id 3 -> id 1");
    assert!(document["backends"][0]["moved"].as_f64().unwrap() > 0.9);

    let map = |lines: &str| format!("    balance uri\n{lines}");
    let document = compared(&map(&plain), &map(&turned));
    assert_eq!(
        changes(&document),
        ["server-order auth/-: auth1, auth2, auth3 -> auth3, auth1, auth2"]
    );
    assert_eq!(document["backends"][0]["moved"], 1.0);
    assert_eq!(document["backends"][0]["moved_exact"], true);
}

#[test]
fn roles_addresses_checks_and_options_are_told_apart() {
    let old = servers(1..=3, "check");
    let new = "    server auth1 10.0.0.9:8080 check
    server auth2 10.0.0.2:8080 check backup
    server auth3 10.0.0.3:8080 maxconn 50 disabled
    server auth4 10.0.0.4:8080 check inter 5s slowstart 1m
";
    let found = changes(&compared(&old, new));
    let check = "http GET /health inter 2s rise 2 fall 3";
    let expected = [
        "server-address auth/auth1: 10.0.0.1:8080 -> 10.0.0.9:8080".to_owned(),
        "server-role auth/auth2: active -> backup".to_owned(),
        "server-role auth/auth3: active -> disabled".to_owned(),
        format!("server-health-check auth/auth3: {check} -> -"),
        "server-option auth/auth3: - -> maxconn 50".to_owned(),
        "server-added auth/auth4: - -> 10.0.0.4:8080".to_owned(),
    ];
    assert_eq!(found, expected);
    let path = |path: &str| format!("    option httpchk GET {path}\n{}", servers(1..=2, "check"));
    let found = changes(&compared(&path("/a"), &path("/b")));
    assert_eq!(found.len(), 2);
    assert!(
        found[0].starts_with("server-health-check auth/auth1: http GET /a"),
        "{found:?}"
    );
}

#[test]
fn backends_routes_listeners_and_timeouts_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let server = "    server s 10.0.0.1:80 check\n";
    write(
        folder.path(),
        "old.cfg",
        &format!(
            "{HEAD}    use_backend api if {{ path_beg /api }}\nbackend auth\n{server}backend api\n{server}"
        ),
    );
    let new = HEAD
        .replace("timeout server 30s", "timeout server 10s")
        .replace("8080", "8443")
        .replace("default_backend auth", "default_backend web");
    write(
        folder.path(),
        "new.cfg",
        &format!("{new}backend auth\n{server}backend web\n    balance leastconn\n{server}"),
    );
    let document = json(folder.path(), &["diff", "old.cfg", "new.cfg"]);
    let kinds: Vec<&str> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    for kind in [
        "listener-bind",
        "backend-added",
        "backend-removed",
        "timeout-server",
        "route-target",
        "route-removed",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    let rows = document["traffic"].as_array().unwrap();
    let row = |backend: &str| rows.iter().find(|row| row["backend"] == backend).unwrap();
    assert_eq!(
        (&row("web")["before"], &row("web")["after"]),
        (&Value::Null, &serde_json::json!(1.0))
    );
    assert_eq!(
        (&row("api")["after"], &row("api")["shift"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn a_migration_from_nginx_matches_servers_by_address() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "nginx.conf",
        "
events {}
http {
    upstream login {
        server 10.0.0.1:8080 weight=3;
        server 10.0.0.2:8080;
        server 10.0.0.3:8080 backup;
    }
    server {
        listen 127.0.0.1:8080;
        location / { proxy_pass http://login; }
    }
}
",
    );
    let new = haproxy(
        "    server auth1 10.0.0.1:8080 weight 3 check\n    server auth2 10.0.0.2:8080 weight 3 check\n    server auth3 10.0.0.3:8080 check backup\n",
    );
    write(folder.path(), "haproxy.cfg", &new);
    let document = json(folder.path(), &["diff", "nginx.conf", "haproxy.cfg"]);
    let found = changes(&document);
    assert_eq!(found[0], "engine -/-: nginx -> haproxy");
    assert!(
        found.contains(&"server-weight auth/auth2: 1 -> 3".to_owned()),
        "{found:?}"
    );
    let one_side = |line: &&String| line.contains("added") || line.contains("removed");
    assert_eq!(found.iter().find(one_side), None);
    assert_eq!(document["backends"][0]["old_name"], "login");
    assert!(near(shift(&document, "auth1"), -0.25));
    assert!(near(shift(&document, "auth3"), 0.0));
}

#[test]
fn the_working_tree_is_compared_with_a_revision_through_includes() {
    let main = "events {}\nhttp {\n    include conf.d/*.conf;\n}\n";
    let part = "upstream auth {\n    server 10.0.0.1:80;\n    server 10.0.0.2:80;\n}\nserver {\n    listen 127.0.0.1:8080;\n    location / { proxy_pass http://auth; }\n}\n";
    let folder = repository(&[("lb/nginx.conf", main), ("lb/conf.d/auth.conf", part)]);
    let here = folder.path();
    assert!(changes(&json(here, &["diff", "--git", "HEAD", "lb"])).is_empty());
    write(
        here,
        "lb/conf.d/auth.conf",
        &part.replace("10.0.0.2:80;", "10.0.0.2:80 weight=4;"),
    );
    let expected = ["server-weight auth/10.0.0.2:80: 1 -> 4"];
    let inside = here.join("lb");
    let absolute = here.join("lb/nginx.conf");
    let runs: [(&Path, &[&str]); 5] = [
        (here, &["diff", "--git", "HEAD"]),
        (here, &["diff", "--git", "HEAD", "lb/nginx.conf"]),
        (here, &["diff", "--git", "HEAD", absolute.to_str().unwrap()]),
        (&inside, &["diff", "--git", "HEAD", "nginx.conf"]),
        (&inside, &["diff", "--git", "HEAD"]),
    ];
    for (folder, arguments) in runs {
        assert_eq!(changes(&json(folder, arguments)), expected, "{arguments:?}");
    }
    // Names are those of the repository, also for what was found in the revision.
    let back = json(here, &["diff", "--git", "HEAD", "lb"]);
    assert!(!back.to_string().contains("/tmp"), "{back}");
    assert_eq!(back["changes"][0]["instance"], "lb/nginx.conf");
    git(here, &["commit", "-q", "-a", "-m", "second"]);
    assert_eq!(
        run(here, &["diff", "--git", "HEAD", "lb", "--fail-on", "error"]).1,
        "nothing changed: the models and the findings are the same\n"
    );
    assert_eq!(
        changes(&json(here, &["diff", "--git", "HEAD~1", "lb"])),
        expected
    );
}

#[test]
fn files_that_come_go_and_are_renamed_are_followed() {
    let one = haproxy(&servers(1..=2, "check"));
    let other = one
        .replace("auth", "api")
        .replace("10.0.0.", "10.0.1.")
        .replace(":8080\n", ":8081\n");
    let folder = repository(&[("a/haproxy.cfg", &one), ("b/haproxy.cfg", &other)]);
    let here = folder.path();
    fs::rename(here.join("b"), here.join("c")).unwrap();
    assert!(changes(&json(here, &["diff", "--git", "HEAD"])).is_empty());
    write(
        here,
        "d/haproxy.cfg",
        &one.replace("auth", "new")
            .replace("10.0.0.", "10.0.2.")
            .replace("8080", "9090"),
    );
    let found = changes(&json(here, &["diff", "--git", "HEAD", "a", "c", "d"]));
    assert!(
        found.contains(&"backend-added new/-: - -> roundrobin, 2 servers".to_owned()),
        "{found:?}"
    );
    assert_eq!(
        changes(&json(
            here,
            &["diff", "--git", "HEAD", "a", "d/haproxy.cfg"]
        ))
        .len(),
        2
    );
    fs::remove_dir_all(here.join("a")).unwrap();
    let found = changes(&json(here, &["diff", "--git", "HEAD", "a/haproxy.cfg"]));
    assert!(
        found.contains(&"backend-removed auth/-: roundrobin, 2 servers -> -".to_owned()),
        "{found:?}"
    );
}

#[test]
fn links_of_a_revision_lead_into_it() {
    let folder = repository(&[("sites/one.cfg", &haproxy(&servers(1..=2, "check")))]);
    let here = folder.path();
    std::os::unix::fs::symlink("sites/one.cfg", here.join("haproxy.cfg")).unwrap();
    git(here, &["add", "-A"]);
    git(here, &["commit", "-q", "-m", "link"]);
    write(here, "sites/one.cfg", &haproxy(&servers(1..=3, "check")));
    let found = changes(&json(here, &["diff", "--git", "HEAD", "haproxy.cfg"]));
    assert_eq!(found, ["server-added auth/auth3: - -> 10.0.0.3:8080"]);
}

#[test]
fn equal_names_in_two_instances_are_kept_apart() {
    let good = haproxy(&servers(1..=3, "weight 10 check"));
    let bad = good.replace("10.0.0.3:8080 weight 10", "10.0.0.3:8080");
    let folder = repository(&[("a/haproxy.cfg", &good), ("b/haproxy.cfg", &bad)]);
    let here = folder.path();
    write(here, "a/haproxy.cfg", &bad);
    write(here, "b/haproxy.cfg", &good);
    let document = json(here, &["diff", "--git", "HEAD"]);
    let instances: Vec<&Value> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["instance"])
        .collect();
    assert_eq!(instances, ["a/haproxy.cfg", "b/haproxy.cfg"]);
    let findings = &document["findings"];
    let (introduced, resolved) = (rules(&findings["introduced"]), rules(&findings["resolved"]));
    assert!(!introduced.is_empty());
    assert_eq!(introduced, resolved);
    assert_eq!(findings["introduced"][0]["instance"], "a/haproxy.cfg");
    assert_eq!(findings["resolved"][0]["instance"], "b/haproxy.cfg");
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let folder = repository(&[("haproxy.cfg", &haproxy(&servers(1..=2, "check")))]);
    let here = folder.path();
    let complaint = |folder: &Path, arguments: &[&str]| {
        let output = lbaudit(folder, arguments);
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (status, words) = complaint(here, &["diff", "--git", "v1.0", "haproxy.cfg"]);
    assert_eq!(
        (status, words.as_str()),
        (2, "error: git knows no revision `v1.0` here\n")
    );
    let (status, words) = complaint(here, &["diff", "--git=--output=x", "haproxy.cfg"]);
    assert_eq!(
        (status, words.contains("knows no revision")),
        (2, true),
        "{words}"
    );
    let (status, words) = complaint(here, &["diff", "--git", "HEAD", "nothing.cfg"]);
    assert_eq!(
        (
            status,
            words.contains("neither in the working tree nor in the revision")
        ),
        (2, true),
        "{words}"
    );
    let (status, words) = complaint(here, &["diff", "--git", "HEAD", "../x.cfg"]);
    assert_eq!(
        (status, words.contains("outside of the repository")),
        (2, true),
        "{words}"
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let (status, words) = complaint(elsewhere.path(), &["diff", "--git", "HEAD"]);
    assert_eq!(
        (status, words.contains("not a git repository")),
        (2, true),
        "{words}"
    );
    assert_eq!(complaint(here, &["diff", "haproxy.cfg"]).0, 2);
    assert_eq!(complaint(here, &["diff", "haproxy.cfg", "gone.cfg"]).0, 2);
    assert_eq!(
        complaint(
            here,
            &["diff", "haproxy.cfg", "haproxy.cfg", "--max-shift", "-1"]
        )
        .0,
        2
    );
}

#[test]
fn the_gate_counts_introduced_findings_only() {
    let bad = haproxy(&servers(1..=3, "weight 10 check").replacen("weight 10", "", 1));
    let folder = repository(&[("haproxy.cfg", &bad)]);
    let here = folder.path();
    assert_eq!(run(here, &["check", "haproxy.cfg"]).0, 1);
    write(
        here,
        "haproxy.cfg",
        &format!("# a comment that moves every line\n\n{bad}"),
    );
    assert_eq!(run(here, &["diff", "--git", "HEAD", "haproxy.cfg"]).0, 0);
    write(
        here,
        "haproxy.cfg",
        &bad.replace("10.0.0.3:8080 weight 10 check", "10.0.0.3:8080 weight 10"),
    );
    assert_eq!(run(here, &["diff", "--git", "HEAD", "haproxy.cfg"]).0, 1);
    let quiet = run(
        here,
        &[
            "diff",
            "--git",
            "HEAD",
            "haproxy.cfg",
            "--exit-zero",
            "-q",
            "--fail-on",
            "error",
        ],
    );
    assert_eq!(quiet.0, 0);
}

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

#[test]
fn text_has_paired_bars_in_eighty_columns_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let old = haproxy(&servers(1..=3, "weight 100 check"));
    write(folder.path(), "old.cfg", &old);
    let route = "    use_backend auth if { req.hdr(authorization) -m str \"Bearer hunter2hunter2\" }\nbackend auth";
    let new = old
        .replace(
            "weight 100 check\n    server auth3",
            "weight 1 check\n    server auth3",
        )
        .replace("backend auth\n    s", &format!("{route}\n    s"));
    write(folder.path(), "new.cfg", &new);
    let (_, text) = run(folder.path(), &["diff", "old.cfg", "new.cfg"]);
    let table: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.contains("before"))
        .take(4)
        .collect();
    assert!(
        table[1].contains("33.3%  ██") && table[1].contains("49.8%  ███"),
        "{text}"
    );
    assert!(table[2].contains("-32.8"), "{text}");
    let widest = text
        .lines()
        .take_while(|line| *line != "introduced")
        .map(|line| line.chars().count())
        .max();
    assert!(widest <= Some(80), "{text}");
    let document = json(folder.path(), &["diff", "old.cfg", "new.cfg"]).to_string();
    assert!(document.contains("route-added"), "{document}");
    for output in [text, document] {
        assert!(!output.contains("hunter2"), "{output}");
    }
}
