//! What must never come out of a report: secrets and control characters, whatever the file holds
//! and wherever the spans of its findings point.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use lbaudit::finding::{Finding, Severity};
use lbaudit::model::Engine;
use lbaudit::report::{Format, Report, Style, check};
use lbaudit::source::{SourceId, Sources, Span};
use proptest::prelude::*;

const FORMATS: [(Format, bool); 5] = [
    (Format::Text, false),
    (Format::Concise, false),
    (Format::Json, false),
    (Format::Jsonl, false),
    (Format::Text, true),
];

/// All formats of `findings`, text in both styles.
fn outputs(sources: &Sources, findings: &[Finding]) -> Vec<String> {
    let report = Report {
        sources,
        instances: Vec::new(),
        findings,
        fingerprints: None,
        suppressed: 0,
        silenced: &[],
        baselined: 0,
        fixed: 0,
        unchanged: 0,
        templates: &[],
        skipped: &[],
        errors: &[],
    };
    let output = |(format, color)| {
        let style = Style {
            color,
            width: 80,
            verbose: true,
        };
        let mut out = Vec::new();
        check::write(&report, format, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    FORMATS.into_iter().map(output).collect()
}

/// Asserts that only line ends and, where it is coloured, colour codes control the terminal.
fn assert_calm(output: &str) {
    let plain = anstream::adapter::strip_str(output).to_string();
    // The stripper would also take codes of a configuration: none but SGR may be in the output.
    for (at, _) in output.match_indices('\u{1b}') {
        let code = output[at + 1..]
            .trim_start_matches(|c: char| c == '[' || c == ';' || c.is_ascii_digit());
        assert!(
            output[at + 1..].starts_with('[') && code.starts_with('m'),
            "{output:?}"
        );
    }
    for c in plain.chars() {
        let control = c.is_control() && c != '\n';
        let bidi = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
        assert!(!control && !bidi, "{c:?} in {plain:?}");
    }
}

fn finding(engine: Engine, span: Span, message: &str) -> Finding {
    let words = || message.to_owned();
    let mut finding = Finding::new(Severity::Error, span, message, words())
        .of_rule("syntax-error")
        .label(words())
        .related(words(), span.at_start());
    finding.engine = engine;
    finding
}

fn span(id: SourceId, start: usize, end: usize) -> Span {
    Span::new(
        id,
        u32::try_from(start).unwrap(),
        u32::try_from(end).unwrap(),
    )
}

/// Lines whose secrets are spelled with `S3CR`.
const HAPROXY: &[&str] = &[
    "    user bob password $5$S3CR$S3CRhash",
    "\tuser bob insecure-password S3CRet",
    "    user bob insecure-password 'S3CR et'",
    "    user bob insecure-password \"S3CR et",
    "    user bob insecure-password S3CR\\ et",
    "    user \"bob insecure-password S3CRet",
    "    user 'bob' groups g insecure-password S3CRet\r",
    "    # user bob insecure-password S3CRet",
    "    stats auth admin:S3CRet",
    "    stats auth \"admin:S3CRet",
    "    stats auth admin:S3CR#et",
    "    stats  auth\tadmin:S3CR\\ et",
    "    tcp-check send AUTH\\ S3CRet\\r\\n",
    "    tcp-check send \"AUTH S3CRet\\r\\n\"",
    "    tcp-check send *2\\r\\n$4\\r\\nAUTH\\r\\n$7\\r\\nS3CRet1\\r\\n",
    "    tcp-check send-binary S3CR4155544820",
    "    http-check send hdr Authorization \"Basic S3CRet\"",
    "    http-check send meth POST uri / hdr X-Api-Key S3CRet body x",
    "    http-check send body '{\"password\":\"S3CRet\"}'",
    "    http-check send body user=x&password=S3CRet&y=1",
    "    option httpchk GET / HTTP/1.1\\r\\nAuthorization:\\ Basic\\ S3CRet==",
    "    option httpchk GET /health?token=S3CRet",
    "    http-request set-header Authorization \"Basic S3CRet\"",
    "    http-request set-header Authorization Basic\\ S3CRet if x",
    "    http-request set-header \"Authorization\" 'S3CRet'",
    "    http-request set-header X-Auth-Token S3CRet unless { path / }",
    "    http-request add-header Cookie \"session=S3CRet\"",
    "    http-response set-header Set-Cookie \"a=S3CRet; path=/\"",
    "    http-request set-header Authorization \"Basic %[str(S3CRet)]\"",
    "    http-request replace-header Cookie (.*) \"\\1; auth=S3CRet\"",
    "    http-request set-var(txn.secret) str(S3CRet)",
    "    http-request set-query api_key=S3CRet&%[query]",
    "    http-request redirect location https://u:S3CRet@host/x",
    "    http-request deny unless { req.hdr(X-Token) -m str S3CRet }",
    "    http-request deny if ! { req.hdr(authorization) S3CRet S3CRet2 }",
    "    acl ok url_param(key_token) -m str S3CRet",
    "    acl ok req.cook(sessionid) -i S3CRet",
    "    acl ok http_auth_bearer -m str S3CRet99",
    "    dynamic-cookie-key S3CRet",
    "    setenv DB_PASSWORD S3CRet",
    "    presetenv API_TOKEN \"S3CR et\"",
    "    http-request set-var(txn.j) req.hdr(x),jwt_verify(txn.alg,\"S3CRet\")",
    "    http-request set-var(txn.j) req.hdr(x),aes_gcm_dec(128,txn.n,S3CRet,txn.t)",
    "    http-request set-header X-K %[req.hdr(x),hmac(sha256,S3CRet)]",
    "    command /bin/agent --password S3CRet",
    "    command /bin/agent --password=S3CRet",
    "    log-format \"%ci token=S3CRet\"",
    "    server a 10.0.0.1:80 check #password: S3CRet",
];

const NGINX: &[&str] = &[
    "    proxy_set_header Authorization \"Basic S3CRet\";",
    "    proxy_set_header Authorization 'Bearer S3CRet';",
    "    proxy_set_header Authorization \"Basic S3CRet",
    "    proxy_set_header Authorization Basic S3CRet",
    "    proxy_set_header X-Api-Key S3CRet;",
    "    proxy_set_header X-Auth-Token S3CRet; proxy_pass http://x;",
    "    proxy_set_header Cookie \"session=S3CRet; $http_cookie\";",
    "    proxy_set_header Authorization\n        \"Basic S3CRet\";",
    "    proxy_set_header\n  # why\n  Authorization\n\n  \"Basic\n S3CRet\n\";",
    "    grpc_set_header authorization S3CRet;",
    "    add_header Set-Cookie \"id=S3CRet; HttpOnly; Secure\" always;",
    "    more_set_input_headers 'Authorization: Basic S3CRet';",
    "    fastcgi_param DB_PASSWORD S3CRet;",
    "    uwsgi_param API_SECRET 'S3CR et';",
    "    auth_basic \"S3CRet\";",
    "    set $api_key \"S3CRet\";",
    "    set $backend_token S3CRet;",
    "    if ($http_x_api_key != \"S3CRet\") { return 403; }",
    "    if ($arg_token = S3CRet) { return 403; }",
    "    if ($http_authorization !~ \"^Basic S3CRet$\") { return 401; }",
    "    secure_link_md5 \"$secure_link_expires$uri S3CRet\";",
    "    secure_link_secret S3CRet;",
    "    proxy_pass http://user:S3CRet@10.0.0.1:8080/x;",
    "    proxy_pass \"http://user:S3CR/et@10.0.0.1/\";",
    "    proxy_pass http://S3CRet@10.0.0.1/;",
    "    proxy_pass http://a/x?a=1&access_token=S3CRet&b=2;",
    "    rewrite ^ /x?apikey=S3CRet? last;",
    "    return 302 https://x/cb?sig=S3CRet;",
    "    auth_http_header X-Auth-Key \"S3CRet\";",
    "    env DATABASE_PASSWORD=S3CRet;",
    "    redis2_query auth S3CRet;",
    "    access_by_lua_block { local password = \"S3CRet\" }",
    "    access_by_lua_block { ngx.req.set_header(\"Authorization\", \"Basic S3CRet=\") }",
    "    js_content x; # token: S3CRet",
    "    sticky cookie srv hmac=md5 hmac_key=S3CRet;",
    "    drizzle_server 1.1.1.1 user=x password=S3CRet;",
    "    map $http_x_api_key $client { default \"\"; \"S3CRet\" one; S3CR2 two; }",
    "map $http_x_api_key $client {\n    default 0;\n    # first\n    \"S3CRet\" one;\n    S3CRetTwo two;\n}",
    "map $host $backend_token {\n    a.example S3CRet;\n    default 'S3CR et';\n}",
    "proxy_set_header X-Key \"-----\"; set $jwt eyJhbGciOiJIUzI1NiJ9.eyJS3CRetS3CRetS3CRet;",
];

#[test]
fn no_secret_comes_out_of_any_excerpt_or_message() {
    let cases = (HAPROXY.iter().map(|line| (Engine::Haproxy, line)))
        .chain(NGINX.iter().map(|line| (Engine::Nginx, line)));
    for (engine, line) in cases {
        let sources = Sources::default();
        let text = format!("# first line\n{line}\n    server s1 10.0.0.1:80\n");
        let (id, source) = sources.add("x.conf", text.clone().into_bytes(), None);
        let bytes = text.as_bytes();
        let message = format!("cannot read `{line}`");
        let words: Vec<usize> = (0..bytes.len())
            .filter(|&at| !bytes[at].is_ascii_whitespace())
            .filter(|&at| at == 0 || bytes[at - 1].is_ascii_whitespace())
            .collect();
        let mut findings = Vec::new();
        for &start in &words {
            findings.push(finding(engine, span(id, start, start), &message));
            findings.push(finding(
                engine,
                span(id, start, (start + 9).min(bytes.len())),
                "x",
            ));
            // A message that quotes the word alone, quotes and escapes taken off.
            let end = bytes[start..].iter().position(u8::is_ascii_whitespace);
            let word = source.slice(span(id, start, start + end.unwrap_or(0)));
            let word = String::from_utf8_lossy(word).replace(['"', '\'', '\\', ';'], "");
            let quoting = format!("unexpected `{word}` here");
            findings.push(finding(engine, span(id, start, start + 1), &quoting));
        }
        for output in outputs(&sources, &findings) {
            let leak = output.lines().find(|line| line.contains("S3CR"));
            assert_eq!(leak, None, "of `{line}`");
        }
    }
}

#[test]
fn control_characters_are_shown_and_marks_stay_aligned() {
    let text = "\x1b[31mred\x1b[0m \u{202e}evil\u{202c} \u{9b}31m \u{200b}\0\x7f\u{feff} tab\there \
                \u{5927}\u{5bb6} e\u{301} \u{fffd} here\r\n";
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend(b"bad \xff\xfe \xc3 utf8 mark\r\n");
    let sources = Sources::default();
    let mark = bytes.len() - 6;
    let (id, _) = sources.add("na\u{1b}me.cfg", bytes.clone(), None);
    let here = text.find("here\r").unwrap();
    let message = "control \u{1b}[2J `\u{202e}x` \n next";
    let findings = [
        finding(Engine::Haproxy, span(id, here, here + 4), message),
        finding(Engine::Haproxy, span(id, mark, mark + 4), "m"),
    ];
    for output in outputs(&sources, &findings) {
        assert_calm(&output);
    }
    let mut alone = findings[1].clone();
    alone.related.clear();
    let shown = &outputs(&sources, &[alone])[0];
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("utf8 mark"))
        .unwrap();
    let column = |line: &str, what: &str| line[..line.find(what).unwrap()].chars().count();
    assert_eq!(
        column(lines[at], "mark"),
        column(lines[at + 1], "^"),
        "{shown}"
    );
    assert!(
        lines[at].contains("bad \\xff\\xfe \\xc3 utf8 mark"),
        "{shown}"
    );
    insta::assert_snapshot!(outputs(&sources, &findings[..1])[0]);
}

#[test]
fn odd_places_are_shown_without_a_fault() {
    let long = format!("{}MARK{}", "x ".repeat(50_000), " y".repeat(50_000));
    let cases: [(&[u8], usize, usize); 8] = [
        (b"", 0, 0),
        (b"", 5, 9),
        (b"\n", 1, 1),
        (b"backend a", 9, 9),
        (b"backend a\n", 10, 10),
        (b"a\r\nb {\r\n c\r\n}\r\n", 3, 13),
        ("\u{5927}\u{5bb6}".as_bytes(), 1, 4),
        (long.as_bytes(), 100_000, 100_004),
    ];
    for (text, start, end) in cases {
        let sources = Sources::default();
        let (id, _) = sources.add("x.cfg", text.to_vec(), None);
        let findings = [finding(Engine::Nginx, span(id, start, end), "m")];
        let outputs = outputs(&sources, &findings);
        for output in &outputs {
            assert_calm(output);
        }
        for line in outputs[0].lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        if text.len() > 1000 {
            assert!(
                outputs[0].contains("MARK") && outputs[0].contains("^^^"),
                "{}",
                outputs[0]
            );
            assert!(outputs[1].starts_with("x.cfg:1:100001: "), "{}", outputs[1]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes_and_spans_come_out_calm(
        text in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b" \t\r\n\"'\\#;{}$:=@/&?ab\x1b\xc2\x9b\xe2\x80\xae".to_vec()),
            ],
            0..300,
        ),
        spans in prop::collection::vec((0usize..320, 0usize..320), 1..6),
        nginx: bool,
    ) {
        let engine = if nginx { Engine::Nginx } else { Engine::Haproxy };
        let sources = Sources::default();
        let (id, _) = sources.add("x", text.clone(), None);
        let message = String::from_utf8_lossy(&text).into_owned();
        let findings: Vec<Finding> = (spans.iter())
            .map(|&(start, end)| finding(engine, span(id, start, end), &message))
            .collect();
        for output in outputs(&sources, &findings) {
            assert_calm(&output);
        }
    }

    #[test]
    fn a_password_never_comes_out(
        before in "[a-z \"'\\\\#]{0,12}",
        keyword in prop::sample::select(vec!["password ", "insecure-password ", "stats auth admin:", "Authorization: Basic ", "http://u:", "token="]),
        secret in "S3CR[a-zA-Z0-9+]{0,12}",
        after in "( [a-z0-9:.\"']{0,10}){0,3}",
    ) {
        let tail = if keyword == "http://u:" { "@h" } else { "" };
        let text = format!("{before} {keyword}{secret}{tail}{after}\n");
        for engine in [Engine::Haproxy, Engine::Nginx] {
            let sources = Sources::default();
            let (id, _) = sources.add("x", text.clone().into_bytes(), None);
            let findings = [finding(engine, span(id, 0, text.len()), &format!("cannot read `{text}`"))];
            for output in outputs(&sources, &findings) {
                prop_assert!(!output.contains("S3CR"), "of {text:?}: {output}");
            }
        }
    }
}
