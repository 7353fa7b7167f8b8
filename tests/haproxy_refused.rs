//! Slips and misplaced words: lbaudit refuses what the real HAProxy refuses, and nothing that it accepts.

#![allow(
    clippy::unwrap_used,
    reason = "a test, with helpers outside of its functions"
)]

mod support;

use std::path::Path;
use std::process::Command;

use lbaudit::engine::{Input, Options, haproxy};
use lbaudit::source::Sources;

/// The faulty word of a line and a file that holds the line. An empty word: nothing is wrong.
const CASES: &[(&str, &str)] = &[
    (
        "weigth",
        "backend b\n server a 127.0.0.1:80 check weigth 10\n",
    ),
    ("chek", "backend b\n server a 127.0.0.1:80 chek weight 10\n"),
    (
        "bakup",
        "backend b\n default-server bakup\n server a 127.0.0.1:80\n",
    ),
    ("sever", "backend b\n sever a 127.0.0.1:80\n"),
    ("backed", "frontend f\n bind :8000\nbacked b\n"),
    ("redispach", "defaults\n option redispach\n"),
    ("httpchek", "backend b\n no option httpchek\n"),
    ("conect", "defaults\n timeout conect 5s\n"),
    ("htp", "defaults\n mode htp\n"),
    ("roundrobbin", "backend b\n balance roundrobbin\n"),
    ("uri_param(x)", "backend b\n balance uri_param(x)\n"),
    (
        "consistant",
        "backend b\n balance source\n hash-type consistant\n",
    ),
    (
        "is_x",
        "frontend f\n bind :8000\n http-request deny if is_x\n",
    ),
    (
        "!is_x",
        "frontend f\n bind :8000\n http-request deny if TRUE !is_x\n",
    ),
    (
        "and",
        "frontend f\n bind :8000\n http-request deny if TRUE and { src 127.0.0.1 }\n",
    ),
    (
        "late",
        "frontend f\n bind :8000\n http-request deny if late\n acl late src 127.0.0.1\n",
    ),
    (
        "",
        "frontend f\n bind :8000\n acl x src 127.0.0.1\n http-request deny if x or !x || ! { path /a }\n",
    ),
    (
        "",
        "frontend f\n bind :8000\n http-request set-header X if if METH_GET\n",
    ),
    ("", "backend b\n force-persist if !{ path /a } HTTP_2.0\n"),
    (":99999", "frontend f\n bind :99999\n"),
    (":0", "frontend f\n bind :0\n"),
    (":90-80", "frontend f\n bind :90-80\n"),
    ("127.0.0.1", "frontend f\n bind 127.0.0.1\n"),
    (":8000,*", "frontend f\n bind :8000,*\n"),
    (
        "",
        "frontend f\n bind :8000-8010,[::1]:8011,/tmp/x,abns@x,ipv4@:8012,:::8013\n",
    ),
    (
        "server a 127.0.0.1:80",
        "defaults\n server a 127.0.0.1:80\n",
    ),
    ("use_backend b", "defaults\n use_backend b\nbackend b\n"),
    (
        "",
        "defaults\n default_backend b\n balance source\n cookie x\n default-server check\nbackend b\n",
    ),
];

/// What lbaudit marks in the file, if anything.
fn marked(text: &str) -> Option<String> {
    let sources = Sources::default();
    let input = Input {
        name: "haproxy.cfg".to_owned(),
        path: None,
        bytes: text.as_bytes().to_vec(),
    };
    let loaded = haproxy::load(&sources, vec![input], &Options::default()).unwrap();
    let first = loaded.findings.first()?;
    assert_eq!(first.rule, "refused-at-load", "{text}");
    Some(sources.text(first.span))
}

/// Whether the real proxy finds no error in the file.
fn accepted(haproxy: &Path, folder: &Path, text: &str) -> bool {
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(haproxy)
        .arg("-c")
        .arg("-f")
        .arg(&file)
        .output();
    // 2 where nothing listens, which is no error.
    let output = output.unwrap();
    !String::from_utf8_lossy(&output.stderr).contains("[ALERT]")
}

#[test]
fn slips_are_found_where_they_are() {
    for (word, text) in CASES {
        assert_eq!(marked(text).unwrap_or_default(), *word, "{text}");
    }
}

#[test]
fn the_real_proxy_agrees() {
    let Some(haproxy) = support::haproxy() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (word, text) in CASES {
        assert_eq!(
            accepted(&haproxy, folder.path(), text),
            word.is_empty(),
            "{text}"
        );
    }
}

#[test]
fn nothing_is_concluded_from_behind_a_slip() {
    let text = "defaults\n mode http\n timeout connect 2s\n option redispatch\nlisten l\n bind :8000\n balance roundrobin\n option httpchk GET /\n \
                server a 127.0.0.1:80 check weigth 10\n server b 127.0.0.2:80 check weight 10\n";
    let run = support::lbaudit_in(
        Path::new("."),
        &["check", "--no-config", "--format", "concise", "-"],
        text.as_bytes(),
    );
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "-:9:30: error[refused-at-load] `weigth` is no keyword here (did you mean `weight`): HAProxy refuses the file\n"
    );
}
