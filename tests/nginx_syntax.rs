//! Broken files: each fault is one finding at its place, and the rest is still read.

mod nginx_support;

use nginx_support::load_text;

/// A broken text, its only finding, and the servers that are read nevertheless.
struct Case {
    text: &'static str,
    finding: &'static str,
    servers: &'static [&'static str],
}

fn servers(text: &str) -> Vec<String> {
    let load = load_text(text);
    let backends = load.instance().backends.iter();
    let servers = backends.flat_map(|backend| &backend.servers);
    servers.map(|server| server.name.to_string()).collect()
}

const CASES: &[Case] = &[
    Case {
        text: "upstream a {\n  server b\n}\nupstream c { server d; }",
        finding: "2:10 `;` expected after `b`",
        servers: &["b", "d"],
    },
    Case {
        text: "upstream a {\n  server b\n  server c weight=2;\n}",
        finding: "2:10 `;` expected after `b`",
        servers: &["b", "c"],
    },
    Case {
        text: "upstream a {\n  ip_hash\n  server c;\n}",
        finding: "2:3 `;` expected after `ip_hash`",
        servers: &["c"],
    },
    Case {
        text: "server {\n  listen 80\n  location / { proxy_pass http://b; }\n}",
        finding: "2:10 `;` expected after `80`",
        servers: &["b"],
    },
    Case {
        text: "server {\n  server_name x y\n  location / { proxy_pass http://b; }\n}",
        finding: "2:17 `;` expected after `y`",
        servers: &["b"],
    },
    Case {
        text: "server {\n  location / {\n    proxy_pass http://b\n    proxy_set_header Host $host;\n  }\n}",
        finding: "3:16 `;` expected after `http://b`",
        servers: &["b"],
    },
    Case {
        text: "http {\n  upstream a {\n    server b;\n  server { location / { proxy_pass http://c; } }\n}",
        finding: "2:3 block `upstream` is not closed: `}` expected",
        servers: &["b", "c"],
    },
    Case {
        text: "http {\n  server {\n    location / {\n      proxy_pass http://b;\n  }\n  upstream c { server d; }\n}",
        finding: "2:3 block `server` is not closed: `}` expected",
        servers: &["d", "b"],
    },
    Case {
        text: "upstream a { server b; }\nupstream c {\n  server d;",
        finding: "2:1 block `upstream` is not closed: `}` expected",
        servers: &["b", "d"],
    },
    Case {
        text: "http {\n  upstream a { server b; }\n  }\n}\nupstream c { server d; }",
        finding: "4:1 unexpected `}`: no block is open here",
        servers: &["b", "d"],
    },
    Case {
        text: "http {\n  upstream a { server b; }\n  server {\n    location /\n      proxy_pass http://a;\n    }\n  }\n}\n",
        finding: "4:5 `{` expected: `location` needs a block",
        servers: &["b"],
    },
    Case {
        text: "upstream a { server b;; server c; };",
        finding: "1:23 unexpected `;`: a directive was expected",
        servers: &["b", "c"],
    },
    Case {
        text: "upstream a { server b; }\n{ server c; }",
        finding: "2:1 unexpected `{`: the name of a block was expected",
        servers: &["b"],
    },
    Case {
        text: "upstream a;\nupstream c { server d; }",
        finding: "1:1 `{` expected: `upstream` needs a block",
        servers: &["d"],
    },
    Case {
        text: "add_header X \"a;\nupstream c { server d; }\nadd_header Y \"b\";",
        finding: "1:14 closing quote `\"` expected",
        servers: &["d"],
    },
    Case {
        text: "add_header X 'a;\nupstream c { server d; }",
        finding: "1:14 closing quote `'` expected",
        servers: &["d"],
    },
    Case {
        text: "upstream a { server \"b\"c; server d; }",
        finding: "1:24 unexpected `c`: a space, `;` or `{` was expected behind a closing quote",
        servers: &["b", "d"],
    },
    Case {
        text: "server {\n  location ~ ^/[a-f]{8}-[0-9]{2,}$ { proxy_pass http://b; }\n}",
        finding: "2:14 unexpected `{` in `^/[a-f]{8}-[0-9]{2,}$`: outside of quotes it opens a block",
        servers: &["b"],
    },
    Case {
        text: "map $a $b {\n  a { c; }\n}\nupstream c { server d; }",
        finding: "2:5 unexpected `{` in `map`: an entry ends with `;`",
        servers: &["d"],
    },
    Case {
        text: "upstream a { server b; balancer_by_lua_block { if { }\n",
        finding: "1:24 block `balancer_by_lua_block` is not closed: `}` expected",
        servers: &["b"],
    },
    Case {
        text: "location / {\n  access_by_lua_block {\n    if { if {\n  }\n  proxy_pass http://b;\n}",
        finding: "2:3 block `access_by_lua_block` is not closed: `}` expected",
        servers: &["b"],
    },
    Case {
        text: "server { listen 80 { location / { proxy_pass http://b; } } }",
        finding: "1:17 `;` expected after `80`",
        servers: &[],
    },
];

#[test]
fn each_fault_is_one_finding_and_the_rest_is_read() {
    for case in CASES {
        let findings = load_text(case.text).findings("syntax-error");
        let first = findings.first().map(|line| line.replace("nginx.conf:", ""));
        assert_eq!(first.as_deref(), Some(case.finding), "{}", case.text);
        assert_eq!(servers(case.text), case.servers, "{}", case.text);
    }
}

/// Two faults in one text, or one that shows at two places.
#[test]
fn most_faults_are_told_once() {
    let several: Vec<_> = CASES
        .iter()
        .map(|case| {
            (
                case.text,
                load_text(case.text).findings("syntax-error").len(),
            )
        })
        .filter(|(_, count)| *count != 1)
        .collect();
    let expected = [("upstream a { server b;; server c; };", 2)];
    assert_eq!(several, expected);
}

/// Lines that look like a missing `;` and are none: nginx accepts each of them.
#[test]
fn directives_over_several_lines_are_fine() {
    for text in [
        "upstream a { server b:1\n weight=2\n # why\n max_fails=3; }",
        "server { server_name a\n b\n root /x; }",
        "log_format x 'a'\n 'b'\n server;",
        "server\n{\n listen\n 80\n ;\n}",
        "map $a $b {\n server listen;\n root\n x;\n}",
        "types {\n text/html\n html\n index;\n}",
        "if ($a)\n{\n set $b\n listen;\n}",
        "proxy_set_header A\n root;",
        "a { b { c { d; } } }",
    ] {
        assert_eq!(load_text(text).findings("syntax-error"), [""; 0], "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_refused_and_skipped() {
    let load = load_text("\u{feff}upstream a { server b; }");
    let findings = load.findings("refused-at-load");
    assert!(findings[0].starts_with("nginx.conf:1:1 the file begins with a UTF-8 byte order mark"));
    assert_eq!(load.instance().backends[0].servers.len(), 1);
    assert_eq!(findings.len(), 1);
}

#[test]
fn a_binary_file_gives_a_bounded_number_of_findings() {
    let load = load_text(";".repeat(100_000));
    assert_eq!(load.findings("syntax-error").len(), 50);
    let untold = load
        .loaded
        .findings
        .iter()
        .filter(|f| f.help.contains("99950 more"));
    assert_eq!(untold.count(), 1);
}

/// Each was tried with `nginx -t` of 1.22.1.
const REFUSED: &[(&str, &str)] = &[
    (
        "upstream a { server b weight=0; }",
        "1:23 server `b` has `weight=0`",
    ),
    (
        "upstream a { server b weight=1x; }",
        "1:23 server `b` has the value `1x` here",
    ),
    (
        "upstream a { server b fail_timeout=1ms; }",
        "1:23 server `b` has the value `1ms` here",
    ),
    (
        "upstream a { server b slow_start=3s; }",
        "1:23 server `b` has `slow_start`",
    ),
    (
        "upstream a { ip_hash; server b; server c backup; }",
        "1:42 server `c` is `backup` below",
    ),
    (
        "upstream a { server b backup; }",
        "1:1 upstream `a` has no primary: its only server",
    ),
    ("upstream a { }", "1:1 upstream `a` has no servers"),
    (
        "upstream a { server b:0; }",
        "1:21 server address `b:0` has an invalid port",
    ),
    (
        "upstream a { server :80; }",
        "1:21 server address `:80` has no host",
    ),
    (
        "upstream a { server b/c; }",
        "1:21 server address `b/c` is not a host",
    ),
    (
        "upstream a { server b; }\nupstream A { server b; }",
        "2:1 upstream `A` is defined twice",
    ),
    (
        "upstream a { server b; }\nlocation / { proxy_pass http://a:80/; }",
        "2:25 upstream `a` is named with port 80",
    ),
    (
        "location / { proxy_pass a; }",
        "1:25 `proxy_pass` to `a`, which begins with neither",
    ),
    (
        "location / { fastcgi_pass 10.0.0.1; }",
        "1:27 address `10.0.0.1` has no port",
    ),
    (
        "split_clients $a $b { 60% a; 50.5% b; }",
        "1:1 the percentages of `$b` add up to 110.50 %",
    ),
    (
        "split_clients $a $b { 0% a; }",
        "1:23 `0%` is not a percentage",
    ),
    (
        "server { listen 80; listen *:80; }",
        "1:28 `listen *:80` stands twice",
    ),
    (
        "server { listen 80 default_server; }\nserver { listen *:80 default_server; }",
        "2:17 `*:80` has a second `default_server`",
    ),
    (
        "stream { upstream a { server b; } }",
        "1:30 address `b` has no port",
    ),
    (
        "stream { server { listen 1; listen 1; proxy_pass b:1; } }",
        "1:36 `listen 1` stands twice",
    ),
    ("http { }\nhttp { }", "2:1 a second `http` block"),
    (
        "http { }\nupstream a { server b; }",
        "2:1 `upstream` may not stand in the main file itself",
    ),
];

#[test]
fn what_nginx_refuses_is_said() {
    for &(text, expected) in REFUSED {
        let findings = load_text(text).findings("refused-at-load");
        let own = findings.first().map(|line| line.replace("nginx.conf:", ""));
        assert!(
            own.as_deref().is_some_and(|own| own.starts_with(expected)),
            "{text}\n{own:?}"
        );
        assert_eq!(findings.len(), 1, "{text}\n{findings:?}");
    }
}

/// The same words where nginx accepts them.
#[test]
fn what_nginx_accepts_is_not_said_to_be_refused() {
    for text in [
        "upstream a { server b; server c backup; ip_hash; }",
        "upstream a { least_conn; server b; server c backup; }",
        "upstream a { server b down; }",
        "upstream a { server ${B}:80 weight=${W}; }",
        "upstream a { server b; }\nlocation / { proxy_pass http://A/; }",
        "upstream a { zone a 64k; server b slow_start=3s; }\nlocation / { health_check; proxy_pass http://a; }",
        "upstream a { include servers*.conf; }",
        // The upstream can be in another file.
        "location / { fastcgi_pass php; }",
        "location / { proxy_pass $scheme://10.0.0.1; }",
        "upstream a { zone a 64k; state /var/a; }",
        "split_clients $a $b { 60% a; 40% b; * c; }",
        "server { listen 80 default_server; }\nserver { listen 127.0.0.1:80 default_server; }",
        "stream { server { listen 1; proxy_pass b:1; }\nserver { listen 1 udp; proxy_pass b:1; } }",
        "stream { upstream a { server unix:/a; } }\nhttp { upstream a { server b; } }",
    ] {
        assert_eq!(
            load_text(text).findings("refused-at-load"),
            [""; 0],
            "{text}"
        );
    }
}
