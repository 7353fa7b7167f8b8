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

/// More of the same: what stands behind keywords.
const VALUES: &[(&str, &str)] = &[
    ("httpchk", "backend b\n httpchk GET /\n"),
    ("roundrobin", "backend b\n roundrobin\n"),
    ("CHECK", "backend b\n server a 127.0.0.1:80 CHECK\n"),
    (
        "127.0.0.2:80",
        "backend b\n server a 127.0.0.1:80 127.0.0.2:80\n",
    ),
    ("app1", "backend b\n app1 127.0.0.1:80 check\n"),
    ("option", "defaults\n option\n"),
    ("option", "defaults\n timeout option 5s\n"),
    ("http", "defaults\n mode http http\n"),
    ("5s", "defaults\n timeout connect 5s 5s\n"),
    ("x", "backend b\n option allbackups x\n"),
    ("httpchk", "backend b\n no option httpchk\n"),
    ("use_backend", "frontend f\n bind :8000\n use_backend\n"),
    (
        "iff",
        "frontend f\n bind :8000\n use_backend b iff TRUE\nbackend b\n",
    ),
    ("a", "backend b\n server a 127.0.0.1:80\n use-server a\n"),
    ("is_x", "frontend f\n bind :8000\n acl is_x\n"),
    ("expects", "backend b\n http-check expects status 200\n"),
    ("status", "backend b\n http-check status 200\n"),
    ("5", "backend b\n tcp-check 5\n"),
    ("server", "backend b\n cookie X insert server\n"),
    ("inser", "backend b\n cookie X inser\n"),
    ("0", "backend b\n balance uri depth 0\n"),
    ("hdr()", "backend b\n balance hdr()\n"),
    ("random(0)", "backend b\n balance random(0)\n"),
    ("25d", "backend b\n server a 127.0.0.1:80 inter 25d\n"),
    ("0", "backend b\n server a 127.0.0.1:80 inter 0\n"),
    ("25d", "defaults\n timeout client 25d\n"),
    ("rise", "backend b\n server a 127.0.0.1:80 rise\n"),
    (
        "layer5",
        "backend b\n server a 127.0.0.1:80 observe layer5\n",
    ),
    ("127.0.0.256:80", "backend b\n server a 127.0.0.256:80\n"),
    ("127.0.0.1:80-90", "backend b\n server a 127.0.0.1:80-90\n"),
    (
        "timeout",
        "global\n maxconn 5\n timeout client 5s\n mode http\n",
    ),
    ("http-request", "defaults\n http-request deny\n"),
    (
        "server a /s",
        "backend b\n server a /s check addr 127.0.0.2\n",
    ),
    ("", "backend b\n server a 127.0.0.1:80x check\n"),
    ("", "backend b\n server a 127.0.0.1:4294967376 check\n"),
    ("", "frontend f\n bind 127.0.0.1:8000x\n"),
    ("", "backend b\n server a 127.0.0.1:80 check inter 2sec\n"),
    ("", "defaults\n timeout client 6s0\n"),
    ("", "backend b\n balance randomly\n"),
    ("", "backend b\n balance\n"),
    (
        "",
        "backend b\n server a 127.0.0.1:80 agent-check port 81\n",
    ),
    (
        "",
        "backend b\n server a app.invalid check init-addr none\n",
    ),
    ("", "backend b\n server a localhost check\n"),
    ("", "backend b\n server a 127.0.0.1:$UNSET_7002\n"),
    ("", "backend b\n disabled\n server a 127.0.0.1 check\n"),
    ("", "backend b\n cookie X domain a.b maxidle 5m dynamic\n"),
    ("", "defaults named\n http-request deny\n"),
    ("", "global\n stats timeout 5s\n maxconn 5\n"),
    (
        "",
        "global\n.if feature(THREAD)\ndefaults\n.endif\n timeout client 5s\n",
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
    assert_eq!(loaded.findings.len(), 1, "{text}");
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
    for (word, text) in CASES.iter().chain(VALUES) {
        assert_eq!(marked(text).unwrap_or_default(), *word, "{text}");
    }
}

#[test]
fn the_real_proxy_agrees() {
    let Some(haproxy) = support::haproxy() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (word, text) in CASES.iter().chain(VALUES) {
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
