//! `lbaudit diff` of two configurations as a user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

mod diff_support;

use diff_support::{HEAD, changes, compared, haproxy, json, near, run, servers, shift, write};
use serde_json::Value;

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
fn without_one_side_nothing_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.cfg", &haproxy(&servers(1..=3, "check")));
    for sides in [["a.cfg", "gone.cfg"], ["gone.cfg", "a.cfg"]] {
        let (status, text) = run(folder.path(), &["diff", sides[0], sides[1]]);
        assert_eq!((status, text.as_str()), (2, ""), "{sides:?}");
    }
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
