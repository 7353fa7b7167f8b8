//! nginx configurations. What is refused, and where, is what nginx 1.22.1 refuses.

use crate::case::{Case, Thing};

/// The rows.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = tokens();
    cases.extend(values());
    cases.extend(includes());
    cases.extend(sizes());
    cases.extend(inputs());
    cases
}

/// A valid configuration without a finding: 14 lines. `upstream` goes behind the second server (line 7),
/// `http` behind the upstream, `location` before the location.
fn nginx(upstream: &str, http: &str, location: &str) -> String {
    format!(
        "events {{}}
http {{
  upstream auth {{
    zone auth 64k;
    server 10.0.0.1:80;
    server 10.0.0.2:80;
{upstream}  }}
{http}  server {{
    listen 8480;
{location}    location / {{
      proxy_pass http://auth;
    }}
  }}
}}
"
    )
}

fn in_upstream(name: &'static str, line: &str) -> Case {
    Case::file(name, nginx(line, "", ""))
}

fn in_http(name: &'static str, line: &str) -> Case {
    Case::file(name, nginx("", line, ""))
}

fn tokens() -> Vec<Case> {
    let whole = nginx("", "", "");
    vec![
        Case::file("a byte order mark", ["\u{feff}", &whole].concat())
            .finds(&["refused-at-load 1:1"]),
        Case::file("CR LF line ends", whole.replace('\n', "\r\n")),
        Case::file("no final line end", whole.trim_end()),
        Case::file(
            "no white space",
            "events{}http{upstream a{zone a 64k;server 10.0.0.1:80;server 10.0.0.2:80;}server{listen 8481;location /{proxy_pass http://a;}}}",
        ),
        in_upstream("an unclosed quote", "    server \"10.0.0.3:80;\n")
            .finds(&["syntax-error 7:12"]),
        Case::file("an unclosed block", whole.trim_end().trim_end_matches('}'))
            .finds(&["syntax-error 2:1"]),
        Case::file("a brace too many", [&whole, "}\n"].concat()).finds(&["syntax-error 15:1"]),
        in_upstream("a missing semicolon", "    server 10.0.0.3:80\n")
            .finds(&["syntax-error 7:12"]),
        in_upstream(
            "words glued to a quote",
            "    server \"10.0.0.3:80\"weight=2;\n",
        )
        .finds(&["mixed-default-weight 7:25", "syntax-error 7:25"]),
        Case::file("a backslash at the end", [&whole, "\\"].concat()).finds(&["syntax-error 15:1"]),
        in_http("invalid UTF-8", "  # \u{fffd}\n"),
        in_http(
            "braces in Lua strings",
            "  init_by_lua_block {\n    -- }}}\n    local a = \"}\" .. '}' .. [[ } ]]\n  }\n",
        ),
    ]
}

fn values() -> Vec<Case> {
    vec![
        in_upstream("weight=0", "    server 10.0.0.3:80 weight=0;\n")
            .finds(&["refused-at-load 7:24"]),
        in_upstream("weight=-1", "    server 10.0.0.3:80 weight=-1;\n")
            .finds(&["refused-at-load 7:24"]),
        in_upstream(
            "a weight of 23 digits",
            "    server 10.0.0.3:80 weight=99999999999999999999999;\n",
        )
        .finds(&["refused-at-load 7:24"]),
        in_upstream("port 99999", "    server 10.0.0.3:99999;\n").finds(&["refused-at-load 7:12"]),
        in_http(
            "an upstream twice",
            "  upstream auth {\n    server 10.0.0.9:80;\n  }\n",
        )
        .finds(&["refused-at-load 8:3"]),
        in_http("an upstream without servers", "  upstream e {\n  }\n")
            .finds(&["refused-at-load 8:3"]),
    ]
}

fn includes() -> Vec<Case> {
    let including = |name, what: &str| {
        let line = format!("  include {what};\n");
        Case::new(name, &["nginx.conf"]).with("nginx.conf", nginx("", &line, ""))
    };
    vec![
        including("an include of itself", "nginx.conf").finds(&["refused-at-load nginx.conf:8:3"]),
        including("an include loop by a glob", "conf.d/*.conf")
            .with("conf.d/a.conf", "include conf.d/*.conf;\n")
            .finds(&["refused-at-load conf.d/a.conf:1:1"]),
        including("an include of a folder", "conf.d")
            .and("conf.d", Thing::Folder)
            .finds(&["refused-at-load nginx.conf:8:3"]),
        including("an include that is missing", "conf.d/a.conf")
            .finds(&["refused-at-load nginx.conf:8:3"]),
        including("an include with a NUL byte in its name", "conf.d/a\0.conf")
            .finds(&["refused-at-load nginx.conf:8:3"]),
        including("a glob that matches nothing", "conf.d/*.conf"),
        including("an include of a link to nothing", "conf.d/*.conf")
            .and("conf.d/a.conf", Thing::Link("nowhere"))
            .finds(&["refused-at-load nginx.conf:8:3"]),
        including("an include of nothing", "a.inc").with("a.inc", ""),
        including("an include of a program", "a.inc")
            .with("a.inc", &b"\x7fELF\x02\x01\x01\0\0\0"[..])
            .finds(&["syntax-error a.inc:1:1"]),
        including("a block opened in an include", "a.inc")
            .with("a.inc", "server {\n")
            .finds(&["syntax-error a.inc:1:1"]),
        including("a block closed in an include", "a.inc")
            .with("a.inc", "}\n")
            .finds(&["syntax-error a.inc:1:1"]),
    ]
}

fn sizes() -> Vec<Case> {
    vec![
        Case::file(
            "100,000 nested blocks",
            ["http {\n", &"location / {\n".repeat(100_000)].concat(),
        )
        .finds(&["syntax-error 100001:1"]),
        Case::file(
            "100,000 closing braces",
            ["events {}\n", &"}".repeat(100_000)].concat(),
        )
        .finds(&first_columns(2, 50)),
        in_upstream(
            "100,000 parameters",
            &[
                "    server 10.0.0.3:80",
                &" weight=1".repeat(100_000),
                ";\n",
            ]
            .concat(),
        ),
        in_upstream(
            "a parameter of 5,000 letters",
            &format!("    server {};\n", "x".repeat(5_000)),
        )
        .finds(&["syntax-error 7:12"]),
        in_upstream("10,000 servers in one upstream", &servers(10_000)),
    ]
}

/// A syntax error in each of the first columns of a line: more than 50 are counted, not listed.
fn first_columns(line: usize, count: usize) -> Vec<String> {
    let fault = |column| format!("syntax-error {line}:{column}");
    (1..=count).map(fault).collect()
}

fn inputs() -> Vec<Case> {
    let dump = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
                nginx: configuration file /etc/nginx/nginx.conf test is successful\n\
                # configuration file /etc/nginx/nginx.conf:\n\
                events {}\nhttp {\n  include conf.d/*.conf;\n}\n\n\
                # configuration file /etc/nginx/conf.d/a.conf:\n\
                upstream auth {\n  zone auth 64k;\n  server 10.0.0.1:80 weight=0;\n  server 10.0.0.2:80;\n}\n\
                server {\n  listen 8480;\n  location / {\n    proxy_pass http://auth;\n  }\n}\n\n";
    vec![
        Case::new("a dump on standard input", &["-"])
            .input(dump)
            .finds(&["refused-at-load /etc/nginx/conf.d/a.conf:3:22"]),
        Case::new("a dump that ends in a word", &["-"])
            .input(&dump.as_bytes()[..dump.find("weight").expect("a weight") + 3])
            .finds(&[
                "syntax-error /etc/nginx/conf.d/a.conf:1:1",
                "syntax-error /etc/nginx/conf.d/a.conf:3:22",
            ]),
        in_http(
            "an escape sequence in a name",
            "  upstream \u{1b}[31mx {\n    server 10.0.0.1:80 weight=0;\n  }\n",
        )
        .finds(&["refused-at-load 9:24"]),
        in_http(
            "a secret on a broken line",
            "  proxy_set_header Authorization \"Bearer Kn0wnS3cret;\n",
        )
        .finds(&["syntax-error 8:34"]),
    ]
}

fn servers(count: usize) -> String {
    let line = |n: usize| format!("    server 10.1.{}.{}:80;\n", n / 250, n % 250 + 1);
    (0..count).map(line).collect()
}
