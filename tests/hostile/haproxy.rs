//! HAProxy configurations. What is refused, and where, is what HAProxy 2.6.12 refuses.

use crate::case::{Case, HAPROXY};

/// The rows.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = bytes_and_quotes();
    cases.extend(numbers());
    cases.extend(structure());
    cases.extend(sizes());
    cases.extend(terminals_and_secrets());
    cases
}

fn bytes_and_quotes() -> Vec<Case> {
    vec![
        Case::file("a byte order mark", ["\u{feff}", HAPROXY].concat())
            .finds(&["refused-at-load 1:1"]),
        Case::file("CR LF line ends", HAPROXY.replace('\n', "\r\n")),
        Case::file("no final line end", HAPROXY.trim_end()).finds(&["refused-at-load 15:1"]),
        Case::haproxy("a NUL in a word", "  server c 10.0.0.3:80 we\0ight 3\n")
            .finds(&["refused-at-load 16:26"]),
        Case::haproxy("a NUL in a comment", "  # a\0b\n").finds(&["refused-at-load 16:6"]),
        Case::haproxy("an unclosed quote", "  server c \"10.0.0.3:80\n")
            .finds(&["syntax-error 16:12"]),
        Case::haproxy("an unclosed strong quote", "  server c '10.0.0.3:80\n")
            .finds(&["syntax-error 16:12"]),
        Case::haproxy(
            "an unclosed quote before a fault",
            "  server c \"x\n  weight\n  server a 10.0.0.9:80\n",
        )
        .finds(&[
            "syntax-error 16:12",
            "refused-at-load 17:3",
            "refused-at-load 18:3",
        ]),
        Case::haproxy("a broken escape", "  server c\\xZZ 10.0.0.3:80\n")
            .finds(&["syntax-error 16:11"]),
        Case::haproxy("invalid UTF-8 in a comment", b"  # \xff\xfe\n"),
        Case::haproxy(
            "invalid UTF-8 in a name",
            b"  server \xff\xfe 10.0.0.3:80\n",
        )
        .finds(&["refused-at-load 16:10"]),
        Case::haproxy(
            "a vertical tab between words",
            "  server c\x0b10.0.0.3:80\n",
        ),
    ]
}

fn numbers() -> Vec<Case> {
    let server =
        |name, options: &str| Case::haproxy(name, format!("  server c 10.0.0.3:80 {options}\n"));
    vec![
        server("weight 257", "weight 257").finds(&["refused-at-load 16:31"]),
        server("a negative weight", "weight -1").finds(&["refused-at-load 16:31"]),
        server("a weight of 20 digits", "weight 99999999999999999999")
            .finds(&["refused-at-load 16:31"]),
        server("a weight that is no number", "weight heavy").finds(&["zero-weight-server 16:24"]),
        server("a check interval of a million years", "inter 99999999999d")
            .finds(&["refused-at-load 16:30"]),
        server("a negative check interval", "inter -1").finds(&["syntax-error 16:30"]),
        server("fall 0", "fall 0").finds(&["refused-at-load 16:29"]),
        Case::haproxy("port 99999", "  server c 10.0.0.3:99999\n")
            .finds(&["refused-at-load 16:12"]),
        Case::haproxy(
            "a template of 4,000,000,000",
            "  server-template t 1-4000000000 10.0.0.3:80\n",
        )
        .finds(&["refused-at-load 16:21"]),
        Case::haproxy(
            "a template that runs backwards",
            "  server-template t 9-1 10.0.0.3:80\n",
        )
        .finds(&["refused-at-load 16:21"]),
    ]
}

fn structure() -> Vec<Case> {
    vec![
        Case::haproxy("an unterminated .if", ".if defined(X)\n").finds(&["syntax-error 16:1"]),
        Case::haproxy("an .endif alone", ".endif\n").finds(&["syntax-error 16:1"]),
        Case::haproxy(
            ".if in 1,000 levels",
            [".if 1\n".repeat(1000), ".endif\n".repeat(1000)].concat(),
        )
        .finds(&["refused-at-load 116:1"]),
        Case::haproxy("an unreadable condition", ".if whatever(\n.endif\n")
            .finds(&["syntax-error 16:5"]),
        Case::haproxy("a section twice", "backend auth\n  balance roundrobin\n")
            .finds(&["refused-at-load 16:1"]),
        Case::haproxy("a server twice", "  server a 10.0.0.9:80\n")
            .finds(&["refused-at-load 16:3"]),
        Case::haproxy("a server without an address", "  server c\n").finds(&["syntax-error 16:3"]),
        Case::haproxy(
            "a section without a name",
            "backend\n  server a 10.0.0.9:80\n",
        )
        .finds(&["syntax-error 16:1"]),
        Case::file(
            "a server outside of any section",
            ["server z 10.0.0.9:80\n", HAPROXY].concat(),
        )
        .finds(&["syntax-error 1:1"]),
    ]
}

fn sizes() -> Vec<Case> {
    let long = "x".repeat(100_000);
    vec![
        Case::haproxy(
            "50 MB on one line",
            [b"  # ", vec![b'x'; 50_000_000].as_slice(), b"\n"].concat(),
        ),
        Case::haproxy(
            "a name of 100,000 letters",
            format!("  server {long} 10.0.0.3:80\n"),
        ),
        Case::haproxy("10,000 servers in one backend", servers(10_000, |n| n)),
        Case::haproxy("100,000 broken lines", "  server c \"\n".repeat(100_000))
            .finds(&first_lines("syntax-error", 16, 12)),
        Case::haproxy(
            "20,000 servers with options of their own below a comment with as many words",
            [
                "  # weights",
                &" m1234".repeat(20_000),
                "\n",
                &servers(20_000, |n| n).replace(":80\n", ":80 check inter 2s weight 5\n"),
            ]
            .concat(),
        ),
        Case::haproxy("10,000 servers with one address", servers(10_000, |_| 1))
            .finds(&["duplicate-server-address 10015:3"]),
        Case::haproxy("100,000 sections", "backend b\n".repeat(100_000)).finds(&first_lines(
            "refused-at-load",
            17,
            1,
        )),
        Case::haproxy(
            "100,000 words on a line",
            ["  server c 10.0.0.3:80", &" check".repeat(100_000), "\n"].concat(),
        )
        .finds(&["refused-at-load 16:390"]),
    ]
}

fn terminals_and_secrets() -> Vec<Case> {
    vec![
        Case::haproxy(
            "an escape sequence in a name",
            "  server \u{1b}[31mc 10.0.0.3:80\n",
        )
        .finds(&["refused-at-load 16:10"]),
        Case::haproxy(
            "an escape sequence in a comment",
            "  # \u{1b}]0;owned\u{7}\n  server a 10.0.0.9:80\n",
        )
        .finds(&["refused-at-load 17:3"]),
        Case::haproxy(
            "a secret on a broken line",
            "  stats auth admin:Kn0wnS3cret \"\n",
        )
        .finds(&["syntax-error 16:32"]),
        Case::haproxy(
            "a secret in an unclosed quote",
            "  http-request set-header Authorization \"Basic Kn0wnS3cret\n",
        )
        .finds(&["syntax-error 16:41"]),
        Case::haproxy(
            "a secret beside a fault",
            "userlist u\n  user admin insecure-password Kn0wnS3cret \"\n",
        )
        .finds(&["syntax-error 17:44"]),
    ]
}

/// The first 50 findings of a rule, one on each line from `line` on: more are counted, not listed.
fn first_lines(rule: &str, line: usize, column: usize) -> Vec<String> {
    let finding = |line| format!("{rule} {line}:{column}");
    (line..line + 50).map(finding).collect()
}

fn servers(count: usize, address: fn(usize) -> usize) -> String {
    let line = |n: usize| {
        let at = address(n);
        format!("  server s{n} 10.1.{}.{}:80\n", at / 250, at % 250 + 1)
    };
    (0..count).map(line).collect()
}
