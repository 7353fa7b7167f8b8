//! What the HAProxy loader reports.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, with helpers outside of its functions"
)]

mod haproxy_support;

use haproxy_support::{load, report};

/// Texts and the start of the finding each of them gives, one or none.
fn check(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        let (sources, loaded) = load(text);
        let found = report(&sources, &loaded);
        match found.as_slice() {
            [] => assert_eq!(*wanted, "", "{text}"),
            [one] => assert!(
                one.starts_with(wanted) && !wanted.is_empty(),
                "{text}\n{one}"
            ),
            _ => assert_eq!(found, [*wanted], "{text}"),
        }
    }
}

/// Lines that no version can read, and where the fault is marked.
const SYNTAX: &[(&str, &str)] = &[
    (
        "backend b\n server a \"1.1.1.1:80\n",
        "error syntax-error 2:11 \"1.1.1.1:80 |",
    ),
    (
        "backend b\n server a\\x 1.1.1.1:80\n",
        "error syntax-error 2:10 \\ |",
    ),
    (
        "backend b\n server \"${A\" 1.1.1.1:80\n",
        "error syntax-error 2:11 {A\" 1.1.1.1:80 |",
    ),
    (
        "mode http\nmaxconn 5\nbackend b\n",
        "error syntax-error 1:1 mode |",
    ),
    (
        "backend b\n server a\n",
        "error syntax-error 2:2 server a |",
    ),
    (
        "backend b\n server-template a 3\n",
        "error syntax-error 2:2 server-template a 3 |",
    ),
    (
        "backend\n server a 1.1.1.1:80\n",
        "error syntax-error 1:1 backend |",
    ),
    (
        "backend b x\n server a 1.1.1.1:80\n",
        "error syntax-error 1:11 x |",
    ),
    (
        "backend b\n timeout server 5x\n",
        "error syntax-error 2:17 5x |",
    ),
    (
        "backend b\n timeout server\n",
        "error syntax-error 2:2 timeout server |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 inter x\n",
        "error syntax-error 2:28 x |",
    ),
    (".if 1\nbackend b\n", "error syntax-error 1:1 .if 1 |"),
    (".else\nbackend b\n", "error syntax-error 1:1 .else |"),
    (".endif\nbackend b\n", "error syntax-error 1:1 .endif |"),
    (
        ".if 1\n.else\n.else\n.endif\nbackend b\n",
        "error syntax-error 3:1 .else |",
    ),
    (
        ".if foo\n.endif\nbackend b\n",
        "error syntax-error 1:5 foo |",
    ),
    // Skipped conditions are not looked at, skipped lines are still cut into words.
    (".if 0\n.if foo\n.endif\n.endif\nbackend b\n", ""),
    (
        ".if 0\n \"x\n.endif\nbackend b\n",
        "error syntax-error 2:2 \"x |",
    ),
    // Newer and unknown words are nothing to complain about.
    (
        "backend b\n server a 1.1.1.1:80 set-proxy-v2-tlv-fmt(0x20) \"\" newer-option(x) 5\n novelty x\n",
        "",
    ),
    (".if newer_predicate(x) && 1\nbackend b\n.endif\n", ""),
];

#[test]
fn faults_of_syntax_are_marked_where_they_stand() {
    check(SYNTAX);
}

/// Lines that HAProxy reads and refuses, each tried with 2.6.12.
const REFUSED: &[(&str, &str)] = &[
    (
        "frontend f\n bind :80\n mode http\n default_backend b\nbackend b\n mode tcp\n",
        "error refused-at-load 4:2 default_backend b |",
    ),
    (
        "frontend f\n bind :80\n mode tcp\n default_backend b\nbackend b\n mode http\n",
        "",
    ),
    (
        "backend b\n use-server x if TRUE\n use-server %[path] if TRUE\n",
        "error refused-at-load 2:2 use-server x if TRUE |",
    ),
    (
        "listen b\n bind :80\n default-server resolvers x\n server a h:80\n server c h:81\n",
        "error refused-at-load 3:17 resolvers x |",
    ),
    ("backend b\n server a h:80 resolvers x\n", ""),
    (
        "backend b\n server a 1.1.1.1:80",
        "error refused-at-load 2:1  server a 1.1.1.1:80 |",
    ),
    (
        "\u{feff}backend b\n",
        "error refused-at-load 1:1 \u{feff} |",
    ),
    ("backend b\0\n", "error refused-at-load 1:10 \0 |"),
    ("backend a/b\n", "error refused-at-load 1:9 a/b |"),
    (
        "backend b\n server a 1.1.1.1:80 weight 257\n",
        "error refused-at-load 2:29 257 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 weight -1\n",
        "error refused-at-load 2:29 -1 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80\n server a 1.1.1.2:80\n",
        "error refused-at-load 3:2 server a 1.1.1.2:80 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 id 3\n server c 1.1.1.2:80 id 3\n",
        "error refused-at-load 3:22 id 3 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80\n server c 1.1.1.2:80 id 1\n",
        "",
    ),
    (
        "backend b\n id 4\nbackend c\n id 4\n",
        "error refused-at-load 4:2 id 4 |",
    ),
    ("backend b from x\n", "error refused-at-load 1:16 x |"),
    (
        "defaults x\ndefaults x\nbackend b from x\n",
        "error refused-at-load 3:16 x |",
    ),
    (
        "frontend f\n bind :80\n server a 1.1.1.1:80\n",
        "error refused-at-load 3:2 server a 1.1.1.1:80 |",
    ),
    (
        "listen l 0.0.0.0:80\n mode tcp\n",
        "error refused-at-load 1:10 0.0.0.0:80 |",
    ),
    // Without lines 2.6 passes over it.
    ("listen l 0.0.0.0:80\nbackend b\n mode tcp\n", ""),
    (
        "backend b\n reqrep a b\n",
        "error refused-at-load 2:2 reqrep | `reqrep` was removed: HAProxy 2.1 and newer",
    ),
    (
        "backend b\n option http-tunnel\n",
        "error refused-at-load 2:2 option http-tunnel |",
    ),
    ("global\n nbproc 2\n", "error refused-at-load 2:2 nbproc |"),
    (
        "backend b\n server a 1.1.1.1 check\n",
        "error refused-at-load 2:2 server a 1.1.1.1 |",
    ),
    (
        "backend b\n server a 1.1.1.1:+5 check\n",
        "error refused-at-load 2:2 server a 1.1.1.1:+5 |",
    ),
    (
        "backend b\n server a 1.1.1.1 check port 80\n server c 1.1.1.1 check addr 1.1.1.2:8\n server d /s check\n",
        "",
    ),
    (
        "backend b\n option tcp-check\n tcp-check connect port 80\n server a 1.1.1.1 check\n",
        "",
    ),
    (
        "backend b\n server a 1.1.1.1:80 agent-check\n",
        "error refused-at-load 2:2 server a 1.1.1.1:80 |",
    ),
    (
        "backend b\n server a 1.1.1.1:80\n server c 1.1.1.1:81 track a\n",
        "error refused-at-load 3:22 track a |",
    ),
    (
        "backend b\n server a 1.1.1.1:80 check\n server c 1.1.1.1:81 track a\n",
        "",
    ),
    (
        "backend b\n server a 1.1.1.1:80 check\n server c 1.1.1.1:81 check track a\n",
        "error refused-at-load 3:28 track a |",
    ),
    (
        ".alert \"stop\"\nbackend b\n",
        "error refused-at-load 1:1 .alert \"stop\" |",
    ),
    (".if 0\n.alert \"stop\"\n.endif\nbackend b\n", ""),
];

#[test]
fn what_haproxy_refuses_at_load_is_reported() {
    let server = " server a 1.1.1.1:80\n";
    let twice = format!("backend b\n{server}backend b\n{server}");
    let listen = format!("listen b\n bind :80\n{server}backend b\n{server}");
    let sides = format!("frontend b\n bind :80\nbackend b\n{server}");
    check(&[
        (
            &twice,
            "error refused-at-load 3:1 backend b | backend `b` has the same name",
        ),
        (&listen, "error refused-at-load 4:1 backend b |"),
        (&sides, ""),
    ]);
    check(REFUSED);
    let many = format!("backend b\n server a 1.1.1.1:80{}\n", " check".repeat(62));
    check(&[(
        &many,
        "error refused-at-load 2:388 check | the line has more than 64 words",
    )]);
}

#[test]
fn variables_that_may_be_empty_are_warned_about() {
    let unset = "warning unset-variable";
    let cut = format!(
        "{unset} 2:22 \"${{X}}\" | `X` stands alone as a word: when it is empty, HAProxy 2.6 silently drops `weight 100` behind it"
    );
    let zero = format!("{unset} 2:29 \"$X\" | `X` is the whole value of `weight`");
    let deny = format!(
        "{unset} 2:20 \"$X\" | `X` stands alone as a word: when it is empty, HAProxy 2.6 silently drops the 2 words"
    );
    check(&[
        (
            "backend b\n server a 1.1.1.1:80 \"${X}\" weight 100\n",
            &cut,
        ),
        (
            "backend b\n server a 1.1.1.1:80 weight \"$X\" check\n",
            &zero,
        ),
        ("backend b\n server a 1.1.1.1:80 weight \"$X\"\n", &zero),
        ("backend b\n http-request deny \"$X\" if TRUE\n", &deny),
        // Nothing is lost behind the last word, with a default, or where HAProxy refuses.
        ("backend b\n server a 1.1.1.1:80 check \"${X}\"\n", ""),
        (
            "backend b\n server a 1.1.1.1:80 \"${X-check}\" weight 100\n",
            "",
        ),
        ("backend b\n server a \"${X}\" check\n", ""),
        ("backend b\n server a \"${X}:80\" check\n", ""),
        ("backend b\n server a 1.1.1.1:80 cookie \"$X\" check\n", ""),
        (
            "frontend f\n bind \"$X\" ssl\n log \"$X\" local0\n use_backend \"$X\" if TRUE\n",
            "",
        ),
        (
            "global\n setenv X check\nbackend b\n server a 1.1.1.1:80 \"$X\" weight 9\n",
            "",
        ),
        (
            "backend b\n server a 1.1.1.1:80 \"$HAPROXY_LOCALPEER\" weight 9\n",
            "",
        ),
    ]);
}
