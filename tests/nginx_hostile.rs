//! Hostile input: whatever the bytes are, the loader ends, in time that grows with the size, and its
//! spans lie in the files.

mod nginx_support;

use lbaudit::model::Instance;
use lbaudit::source::Span;
use nginx_support::{Load, load_text};
use proptest::prelude::*;

/// Every span of the model and the findings is in its file.
fn assert_spans(load: &Load) {
    for finding in &load.loaded.findings {
        assert_in_range(load, finding.span);
        for related in &finding.related {
            assert_in_range(load, related.span);
        }
    }
    for span in spans(load.instance()) {
        assert_in_range(load, span);
    }
}

fn spans(instance: &Instance) -> Vec<Span> {
    let mut spans = Vec::new();
    for listener in &instance.listeners {
        spans.extend([listener.span, listener.body]);
        spans.extend(listener.binds.iter().map(|bind| bind.span));
        spans.extend(&listener.comments);
    }
    for backend in &instance.backends {
        spans.extend([backend.span, backend.body]);
        spans.extend(&backend.comments);
        for server in &backend.servers {
            spans.extend([server.span, server.head()]);
            spans.extend(server.comment());
            spans.extend(server.weight.origin.span());
        }
    }
    spans.extend(instance.routes.iter().map(|route| route.span));
    for split in &instance.splits {
        spans.push(split.span);
        spans.extend(split.parts.iter().map(|part| part.span));
    }
    spans.extend(&instance.forwarded_for_reads);
    spans.extend(&instance.resolvers);
    spans
}

fn assert_in_range(load: &Load, span: Span) {
    let length = load.sources.get(span.source).bytes().len();
    assert!(span.start <= span.end, "{span:?}");
    assert!(span.end as usize <= length, "{span:?} of {length}");
}

/// Pieces that mean something to nginx, so that random texts come close to configurations.
const PIECES: &[&str] = &[
    "http",
    "stream",
    "server",
    "upstream a",
    "location /",
    "if ($a)",
    "map $a $b",
    "split_clients $a $b",
    "geo $b",
    "server 10.0.0.1:80 weight=2",
    "listen 80",
    "proxy_pass http://a",
    "proxy_pass http://$b",
    "include x*",
    "backup",
    "50%",
    "*",
    "$http_x_forwarded_for",
    "{",
    "}",
    "{",
    "}",
    ";",
    ";",
    " ",
    "\n",
    "\r\n",
    "\t",
    "#",
    "# c\n",
    "\"",
    "'",
    "\\",
    "${",
    "$",
    "weight=0",
    "a",
    "content_by_lua_block",
    "[[",
    "]]",
    "--",
    "\0",
    "\u{feff}",
    "\u{e4}",
    "100",
    "unix:",
    ":",
    "[::1]",
];

fn configuration() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.join(""))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        assert_spans(&load_text(&bytes));
        lbaudit::engine::nginx::looks_like(&bytes);
    }

    #[test]
    fn any_pieces_are_read(text in configuration()) {
        assert_spans(&load_text(&text));
    }

    /// Whatever stands before it, a whole upstream behind a closed one is found.
    #[test]
    fn blocks_in_any_layout_are_read(blanks in prop::collection::vec("[ \t\n]{1,3}|\n# x ; }\n", 9)) {
        let [a, b, c, d, e, f, g, h, i] = <[String; 9]>::try_from(blanks).unwrap();
        let text = format!("upstream{a}u{b}{{{c}server{d}10.0.0.1:80{e}weight=3{f};{g}}}{h}server{i}{{}}");
        let load = load_text(&text);
        prop_assert_eq!(load.findings("syntax-error").len(), 0);
        prop_assert_eq!(load.instance().backends[0].servers[0].weight.value, 3);
    }
}

/// What it is, the text, the number of syntax errors told, the number of servers read.
type Case = (&'static str, Vec<u8>, usize, usize);

const DEEP: usize = 100_000;

fn odd_bytes() -> Vec<Case> {
    vec![
        ("nothing", b"".to_vec(), 0, 0),
        (
            "NUL in a word",
            b"upstream a { server b\0c; }".to_vec(),
            0,
            1,
        ),
        ("NUL only", vec![0; DEEP], 2, 0),
        (
            "carriage returns",
            b"upstream a {\r\n server b;\r\n}\r\n".to_vec(),
            0,
            1,
        ),
        (
            "no UTF-8",
            b"upstream \xff { server \xfe; } # \xfd".to_vec(),
            0,
            1,
        ),
        (
            "no line end",
            b"upstream a { server b; } # c".to_vec(),
            0,
            1,
        ),
    ]
}

fn deep() -> Vec<Case> {
    let open = |text: &str, count: usize| text.repeat(count);
    let nested = |text: &str, count: usize| {
        let (open, close) = (text.repeat(count), "}".repeat(count));
        format!("server {{ {open}proxy_pass http://b;{close} }}").into_bytes()
    };
    let braces = open("a {", DEEP) + &open("}", DEEP);
    vec![
        ("open braces", open("a {", DEEP).into_bytes(), 1, 0),
        ("nested braces", braces.into_bytes(), 0, 0),
        ("closing braces", open("}", DEEP).into_bytes(), 50, 0),
        ("nested locations", nested("location / {", DEEP), 0, 1),
        (
            "nested locations with settings",
            nested("location / { proxy_next_upstream off;", 9_000),
            0,
            1,
        ),
    ]
}

fn long_words() -> Vec<Case> {
    vec![
        ("quotes", "\"".repeat(DEEP + 1).into_bytes(), 50, 0),
        ("backslashes", "\\".repeat(DEEP).into_bytes(), 2, 0),
        ("dollars", "$".repeat(DEEP).into_bytes(), 2, 0),
        (
            "quotes on every line",
            "a \"b\nc 'd\n".repeat(DEEP).into_bytes(),
            50,
            0,
        ),
        (
            "lua that never ends",
            "a_by_lua_block { [[".repeat(DEEP).into_bytes(),
            1,
            0,
        ),
        (
            "lua comments",
            format!("a_by_lua_block {{{}}}", "--[==[".repeat(DEEP)).into_bytes(),
            1,
            0,
        ),
    ]
}

fn many() -> Vec<Case> {
    let upstream = |content: String| format!("upstream a {{\n{content}}} # c").into_bytes();
    let blanks = format!("server b;{}", " ".repeat(500));
    let mut maps = String::from("server { location / { proxy_pass http://$v0; } }");
    for number in 0..20_000 {
        maps += &["map $k $v", &number.to_string(), " { a $v"].concat();
        maps += &[&(number + 1).to_string(), "; b $v0; }\n"].concat();
    }
    vec![
        (
            "one line",
            upstream("server b weight=2; ".repeat(DEEP)),
            0,
            DEEP,
        ),
        (
            "blanks behind every server",
            upstream(blanks.repeat(2_000)),
            0,
            2_000,
        ),
        (
            "comments above every server",
            upstream("# c\n# d\nserver b;\n".repeat(20_000)),
            0,
            20_000,
        ),
        (
            "servers without `;`",
            upstream("server b\n".repeat(20_000)),
            50,
            20_000,
        ),
        ("a chain of maps", maps.into_bytes(), 0, 0),
    ]
}

#[test]
fn hostile_files_end_as_they_should() {
    let cases = [odd_bytes(), deep(), long_words(), many()].concat();
    for (what, text, faults, servers) in cases {
        let load = load_text(&text);
        assert_spans(&load);
        assert_eq!(load.findings("syntax-error").len(), faults, "{what}");
        let backends = load.instance().backends.iter();
        let count: usize = backends.map(|backend| backend.servers.len()).sum();
        assert_eq!(count, servers, "{what}");
    }
}
