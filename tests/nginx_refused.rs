//! Slips, misplaced and repeated directives: lbaudit refuses what the real nginx refuses, and nothing that it
//! accepts.

#![allow(
    clippy::unwrap_used,
    reason = "a test, with helpers outside of its functions"
)]

mod support;

use std::path::Path;
use std::process::Command;

use lbaudit::engine::{Input, Options, nginx};
use lbaudit::source::Sources;

/// What is marked, the block it stands in, and its content. Nothing marked: nothing is wrong.
const CASES: &[(&str, &str, &str)] = &[
    ("proxy_pas", "location", "proxy_pas http://127.0.0.1;"),
    ("lisen", "server", "lisen 8000;"),
    ("PROXY_PASS", "location", "PROXY_PASS http://127.0.0.1;"),
    ("/etc/hosts", "http", "/etc/hosts;"),
    ("weight=5", "upstream", "server 127.0.0.1; weight=5;"),
    ("127.0.0.256:80", "upstream", "server 127.0.0.256:80;"),
    (
        "127.0.0.2:80",
        "upstream",
        "server 127.0.0.1:80 127.0.0.2:80;",
    ),
    ("16k", "upstream", "server 127.0.0.1; keepalive 16k;"),
    ("65", "http", "65;"),
    ("2S", "location", "proxy_read_timeout 2S;"),
    ("5k", "location", "proxy_connect_timeout 5k;"),
    ("yes", "location", "proxy_buffering yes;"),
    ("-1", "location", "proxy_next_upstream_tries -1;"),
    ("8kb", "location", "proxy_buffer_size 8kb;"),
    ("5ms", "http", "ssl_session_timeout 5ms;"),
    (
        "",
        "location",
        "proxy_read_timeout 1m30s; proxy_buffering OFF; proxy_buffer_size 8K; client_max_body_size 1g; proxy_next_upstream_tries 007;",
    ),
    ("keepAlive", "upstream", "server 127.0.0.1; keepAlive 16;"),
    ("proxy_pass", "server", "proxy_pass http://127.0.0.1;"),
    ("server_name", "location", "server_name a;"),
    ("upstream", "server", "upstream u { server 127.0.0.1; }"),
    ("least_conn", "http", "least_conn;"),
    ("worker_processes", "http", "worker_processes 2;"),
    ("server 127.0.0.1:80", "http", "server 127.0.0.1:80;"),
    ("autoindex on", "http", "autoindex on {}"),
    ("keepalive", "upstream", "server 127.0.0.1; keepalive;"),
    (
        "proxy_set_header Host",
        "location",
        "proxy_set_header Host;",
    ),
    ("root /a /b", "server", "root /a /b;"),
    ("root /b", "server", "root /a; root /b;"),
    (
        "proxy_connect_timeout 3s",
        "location",
        "proxy_connect_timeout 2s; proxy_connect_timeout 3s;",
    ),
    (
        "",
        "location",
        "proxy_redirect / /x; proxy_redirect /a /b; proxy_set_header A b; proxy_set_header A c;",
    ),
    (
        "",
        "http",
        "limit_conn_zone $uri zone=a:1m; limit_conn_zone $host zone=b:1m; limit_conn a 1; limit_conn b 1;",
    ),
    (
        "location ^~ /x",
        "server",
        "location /x {} location ^~ /x {}",
    ),
    (
        "location = /x",
        "server",
        "location =/x {} location = /x {}",
    ),
    (
        "",
        "server",
        "location /x {} location = /x {} location ~ /x {} location ~ /x {} location @x {} location /X {}",
    ),
    ("/y", "server", "location /y /x {}"),
    ("weihgt=5", "upstream", "server 127.0.0.1 weihgt=5;"),
    (
        "down=1",
        "upstream",
        "server 127.0.0.1; server 127.0.0.2 down=1;",
    ),
    ("weight", "upstream", "server 127.0.0.1 weight;"),
    ("99999", "server", "listen 99999;"),
    ("127.0.0.1:0", "server", "listen 127.0.0.1:0;"),
    (
        "",
        "server",
        "listen 8000-8010; listen 127.0.0.1; listen unix:/tmp/x; listen [::1]:8011;",
    ),
    (
        "",
        "server",
        "if ($uri) { return 404; } location / { if ($uri) { proxy_pass http://127.0.0.1; } limit_except GET { deny all; } }",
    ),
    ("proxy_set_header", "stream", "proxy_set_header A b;"),
    (
        "",
        "stream",
        "server { listen 8000; proxy_pass 127.0.0.1:1; proxy_timeout 5s; }",
    ),
];

/// A whole file with `content` in the block `place`.
fn file(place: &str, content: &str) -> String {
    let http = match place {
        "stream" => return format!("events {{}}\nstream {{ {content} }}\n"),
        "http" => content.to_owned(),
        "upstream" => format!("upstream u {{ {content} }}"),
        "server" => format!("server {{ {content} }}"),
        _ => format!("server {{ location /zz {{ {content} }} }}"),
    };
    format!("events {{}}\nhttp {{ {http} }}\n")
}

/// What lbaudit marks in the file, if anything.
fn marked(text: &str) -> Option<String> {
    let sources = Sources::default();
    let input = Input {
        name: "nginx.conf".to_owned(),
        path: None,
        bytes: text.as_bytes().to_vec(),
    };
    let loaded = nginx::load(&sources, vec![input], &Options::default()).unwrap();
    let first = loaded.findings.first()?;
    assert_eq!(first.rule, "refused-at-load", "{text}");
    Some(sources.text(first.span))
}

#[test]
fn what_is_wrong_is_marked_where_it_stands() {
    for (word, place, content) in CASES {
        assert_eq!(
            marked(&file(place, content)).unwrap_or_default(),
            *word,
            "{content}"
        );
    }
}

#[test]
fn the_real_proxy_agrees() {
    let (Some(nginx), Some(stream)) = (
        support::nginx_with_its_folders(),
        support::nginx_stream_module(),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (word, place, content) in CASES {
        let text = format!(
            "load_module {};\n{}",
            stream.display(),
            file(place, content)
        );
        assert_eq!(
            accepted(&nginx, folder.path(), &text),
            word.is_empty(),
            "{content}"
        );
    }
}

fn accepted(nginx: &Path, folder: &Path, text: &str) -> bool {
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(nginx);
    command.args(["-t", "-q", "-e", "stderr", "-g", "pid nginx.pid;", "-p"]);
    let output = command.arg(folder).arg("-c").arg(&file).output().unwrap();
    !String::from_utf8_lossy(&output.stderr).contains("[emerg]")
}

#[test]
fn what_newer_versions_and_modules_know_is_left_alone() {
    for (place, content) in [
        (
            "upstream",
            "server 127.0.0.1; resolver 127.0.0.1; state /x; queue 5; sticky cookie a;",
        ),
        (
            "stream",
            "server { listen 8000 ssl; server_name a; ssl_stapling on; pass 127.0.0.1:1; }",
        ),
        (
            "server",
            "http2 on; http3_max_concurrent_streams 5; quic_retry on; js_engine qjs; js_content m.f;",
        ),
        (
            "location",
            "subs_filter a b; content_by_lua_block { worker_processes(); } health_check; api write=on;",
        ),
        (
            "http",
            "js_import m from m.js; match ok { status 200; body ~ x; }",
        ),
    ] {
        assert_eq!(marked(&file(place, content)), None, "{content}");
    }
}

#[test]
fn fragments_are_read_without_their_surroundings() {
    // What a `map` or `geo` includes: entries, not directives.
    assert_eq!(marked("10.0.0.0/8 a;\n~^www\\. b;\n80 c;\n"), None);
    assert_eq!(
        marked("proxy_set_header A b;\nproxy_http_version 1.1;\n"),
        None
    );
    assert_eq!(
        marked("location / { server_name a; }\n"),
        Some("server_name".to_owned())
    );
    assert_eq!(
        marked("server { listen 8000; proxy_pass 127.0.0.1:1; proxy_timeout 5s; }\n"),
        None
    );
}
