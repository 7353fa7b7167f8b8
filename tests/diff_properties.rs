//! What holds for any two configurations that are compared.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

use lbaudit::audit::{Audit, Terms};
use lbaudit::diff::{self, Diff, Kind, Side};
use lbaudit::discover::{Discovery, Root};
use lbaudit::engine::{self, Input, Options};
use lbaudit::finding::Finding;
use lbaudit::settings::Settings;
use lbaudit::suppress;
use proptest::prelude::*;

/// An audit of one file.
struct Audited {
    audit: Audit,
    findings: Vec<Finding>,
}

impl Audited {
    fn new(text: &str) -> Self {
        let input = Input {
            name: "test".to_owned(),
            path: None,
            bytes: text.as_bytes().to_vec(),
        };
        let root = Root {
            engine: engine::detect(text.as_bytes()).unwrap(),
            inputs: vec![input],
            walked: None,
            name: None,
        };
        let discovery = Discovery {
            roots: vec![root],
            ..Discovery::default()
        };
        let mut audit = Audit::load(discovery, &Options::default());
        let (settings, today) = (Settings::default(), jiff::civil::date(2026, 1, 1));
        let judged = audit.judge(Terms::in_full(&settings, today));
        let findings = suppress::apply(&audit, judged, today).kept;
        Self { audit, findings }
    }

    fn side(&self) -> Side<'_> {
        Side {
            audit: &self.audit,
            findings: &self.findings,
            labels: vec!["test".to_owned()],
        }
    }
}

fn compared(old: &Audited, new: &Audited) -> Diff {
    diff::compare(&old.side(), &new.side())
}

fn count(diff: &Diff, kinds: [Kind; 2]) -> [usize; 2] {
    kinds.map(|kind| {
        diff.changes
            .iter()
            .filter(|change| change.kind == kind)
            .count()
    })
}

fn server_options() -> impl Strategy<Value = String> {
    let weight = prop_oneof![
        Just(String::new()),
        (0u32..20).prop_map(|w| format!(" weight {w}"))
    ];
    let rest = prop_oneof![
        6 => Just(" check"),
        2 => Just(""),
        1 => Just(" check backup"),
        1 => Just(" check disabled"),
        1 => Just(" check inter 5s maxconn 10"),
    ];
    (weight, rest).prop_map(|(weight, rest)| format!("{weight}{rest}"))
}

const BALANCE: [&str; 6] = [
    "",
    "    balance leastconn\n",
    "    balance source\n",
    "    balance uri\n    hash-type consistent\n",
    "    balance first\n",
    "    balance static-rr\n    option redispatch\n",
];

fn backend() -> impl Strategy<Value = String> {
    let servers = proptest::collection::vec((1u8..9, server_options()), 0..6);
    (0usize..6, servers, any::<bool>()).prop_map(|(balance, mut servers, checked)| {
        servers.sort_by_key(|(number, _)| *number);
        servers.dedup_by_key(|(number, _)| *number);
        let mut text = BALANCE[balance].to_owned();
        text.push_str(if checked {
            "    option httpchk GET /up\n"
        } else {
            ""
        });
        for (number, options) in servers {
            text.push_str(&format!(
                "    server s{number} 10.0.0.{number}:80{options}\n"
            ));
        }
        text
    })
}

/// A whole HAProxy configuration.
fn haproxy() -> impl Strategy<Value = String> {
    proptest::collection::vec((0u8..4, backend()), 1..4).prop_map(|mut backends| {
        backends.sort_by_key(|(name, _)| *name);
        backends.dedup_by_key(|(name, _)| *name);
        let mut text = "defaults\n    mode http\n    timeout connect 5s\n    timeout client 9s\n    timeout server 9s\nfrontend in\n    bind 127.0.0.1:8080\n".to_owned();
        for (name, _) in &backends {
            text.push_str(&format!("    use_backend b{name} if {{ path_beg /{name} }}\n"));
        }
        for (name, lines) in backends {
            text.push_str(&format!("backend b{name}\n{lines}"));
        }
        text
    })
}

/// A whole nginx configuration.
fn nginx() -> impl Strategy<Value = String> {
    let method = prop_oneof![
        Just(""),
        Just("ip_hash;"),
        Just("hash $uri consistent;"),
        Just("random two;")
    ];
    let servers = proptest::collection::vec((1u8..9, 1u8..9, any::<bool>()), 1..6);
    (method, servers).prop_map(|(method, mut servers)| {
        servers.sort_unstable();
        servers.dedup_by_key(|(number, _, _)| *number);
        let mut text = format!("events {{}}\nhttp {{\n  upstream b1 {{\n    {method}\n");
        for (number, weight, down) in servers {
            let down = if down { " down" } else { "" };
            text.push_str(&format!(
                "    server 10.0.0.{number}:80 weight={weight}{down};\n"
            ));
        }
        text.push_str(
            "  }\n  server {\n    listen 8080;\n    location / { proxy_pass http://b1; }\n  }\n}\n",
        );
        text
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![2 => haproxy(), 1 => nginx()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_configuration_equals_itself(text in any_text()) {
        let (one, other) = (Audited::new(&text), Audited::new(&text));
        let diff = compared(&one, &other);
        prop_assert!(diff.is_empty(), "{:?}", diff.changes);
        prop_assert!(diff.traffic.is_empty());
    }

    #[test]
    fn a_change_undone_is_the_change_reversed(old in any_text(), new in any_text()) {
        let (old, new) = (Audited::new(&old), Audited::new(&new));
        let (there, back) = (compared(&old, &new), compared(&new, &old));
        prop_assert_eq!(&there.findings.introduced, &back.findings.resolved);
        prop_assert_eq!(&there.findings.resolved, &back.findings.introduced);
        for kinds in [
            [Kind::ServerAdded, Kind::ServerRemoved],
            [Kind::BackendAdded, Kind::BackendRemoved],
            [Kind::RouteAdded, Kind::RouteRemoved],
            [Kind::ListenerAdded, Kind::ListenerRemoved],
        ] {
            let [added, removed] = count(&back, kinds);
            prop_assert_eq!(count(&there, kinds), [removed, added]);
        }
        prop_assert!((there.worst_shift() - back.worst_shift()).abs() < 1e-9);
        prop_assert!((there.worst_moved() - back.worst_moved()).abs() < 1e-9);
    }

    #[test]
    fn what_one_server_gains_others_lose(old in any_text(), new in any_text()) {
        let (old, new) = (Audited::new(&old), Audited::new(&new));
        for traffic in compared(&old, &new).traffic {
            let sum = |shares: Vec<Option<f64>>| shares.into_iter().sum::<Option<f64>>();
            let before = sum(traffic.servers.iter().map(|server| server.before).collect());
            let after = sum(traffic.servers.iter().map(|server| server.after).collect());
            for sum in [before, after].into_iter().flatten() {
                let whole = (sum - 1.0).abs() < 1e-9 || sum == 0.0;
                prop_assert!(whole, "{sum} of {}", traffic.backend);
            }
            if let Some(moved) = traffic.moved {
                prop_assert!((0.0..=1.0).contains(&moved.fraction));
            }
        }
    }

    #[test]
    fn comments_and_blank_lines_are_no_change(text in haproxy(), every in 1usize..5) {
        let mut spread = String::new();
        for (number, line) in text.lines().enumerate() {
            spread.push_str(line);
            spread.push_str(if number % every == 0 { "  # note\n\n" } else { "\n" });
        }
        let diff = compared(&Audited::new(&text), &Audited::new(&spread));
        prop_assert!(diff.changes.is_empty(), "{:?}", diff.changes);
    }
}
