//! Tests of the lexer: what `haproxy -c` 2.6.12 was seen to read.

use super::env::Env;
use super::lex::{Fault, Outcome, Place, lex};
use super::tree::{Line, Tree};
use crate::engine::Environment;
use crate::source::{Sources, Span};

/// The words of a line, where they stand, and the outcome.
fn words_of(line: &[u8], given: &Environment) -> (Vec<String>, Vec<Span>, Outcome) {
    let cut = cut(line, given, false);
    if std::str::from_utf8(line).is_ok() {
        assert_eq!(self::cut(line, given, true), cut, "the short way, {line:?}");
    }
    cut
}

fn cut(line: &[u8], given: &Environment, utf8: bool) -> (Vec<String>, Vec<Span>, Outcome) {
    let sources = Sources::default();
    let (id, source) = sources.add("f.cfg", line.to_vec(), None);
    let mut tree = Tree::new(id, &source);
    let env = Env::new(given);
    let place = Place {
        file: "f.cfg",
        line: 7,
        section: "web",
    };
    tree.text = tree.text.filter(|_| utf8);
    let (outcome, end) = lex(&mut tree, 0, &env, place);
    assert_eq!(end, line.len());
    let end = u32::try_from(line.len()).unwrap();
    let line = Line::new(0, end, 0..tree.words.len());
    let line = tree.line_ref(&line);
    let texts = (0..line.len()).map(|at| line.word(at).to_owned()).collect();
    let written = (0..line.len()).map(|at| line.span(at)).collect();
    (texts, written, outcome)
}

fn given(pairs: &[(&str, &str)], given: bool) -> Environment {
    let values = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Environment {
        values: values.collect(),
        given,
    }
}

#[test]
fn words_are_cut_as_parse_line_cuts_them() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("   \t ", &[]),
        ("a b\tc  d", &["a", "b", "c", "d"]),
        ("  a \x0b\x0c b ", &["a", "b"]),
        ("a#comment", &["a"]),
        ("a\\#b #c", &["a#b"]),
        ("a'#'b", &["a#b"]),
        ("\"a b\" 'c d'", &["a b", "c d"]),
        ("a\"b c\"'d e'f", &["ab cd ef"]),
        ("\"it's\" '\"x\"'", &["it's", "\"x\""]),
        ("a\\ b c\\\\d", &["a b", "c\\d"]),
        ("\\n\\r\\t|", &["\n\r\t|"]),
        ("\\x41\\x7a", &["Az"]),
        ("\\q\\1 \"\\q\"", &["\\q\\1", "\\q"]),
        ("'\\n\\'", &["\\n\\"]),
        ("\\' \\\" \"\\'\\\"\"", &["'", "\"", "'\""]),
        ("$A \\$A '$A'", &["$A", "\\$A", "$A"]),
        ("\"\\$A\"", &["$A"]),
        ("a \"\" b", &["a", "", "b"]),
        ("a \"\"", &["a"]),
        ("a '' ''", &["a", ""]),
        ("\"a\"\"b\"", &["ab"]),
        ("a \rb", &["a", "b"]),
        ("a\rb c", &["a"]),
        ("a b\r", &["a", "b"]),
        ("a\0b c", &["a"]),
        ("h\u{e4}t", &["h\u{e4}t"]),
    ];
    for (line, wanted) in cases {
        let (found, _, outcome) = words_of(line.as_bytes(), &Environment::default());
        assert_eq!(found, *wanted, "{line:?}");
        assert_eq!(outcome.fault, None, "{line:?}");
    }
}

#[test]
fn spans_cover_what_is_written() {
    let line = "  a \"b c\"d '' e\\ f # x";
    let (_, written, outcome) = words_of(line.as_bytes(), &Environment::default());
    let texts: Vec<&str> = (written.iter())
        .map(|span| &line[span.start as usize..span.end as usize])
        .collect();
    assert_eq!(texts, ["a", "\"b c\"d", "''", "e\\ f"]);
    assert_eq!(outcome.comment, Some(19));
}

#[test]
fn variables_are_expanded_inside_weak_quotes_only() {
    let env = given(&[("A", "x y"), ("E", "")], true);
    let cases: &[(&str, &[&str])] = &[
        ("\"$A\"", &["x y"]),
        ("p\"${A}\"s", &["px ys"]),
        ("\"${A[*]}\" z", &["x", "y", "z"]),
        ("\"p${A[*]}s\"", &["px", "ys"]),
        ("\"${B-d e}\" f", &["d e", "f"]),
        ("\"${B[*]-d e}\" f", &["d", "e", "f"]),
        ("\"${E-d}\" f", &["", "f"]),
        ("\"${B}\" f", &["", "f"]),
        ("\"$A.b\"", &["x y.b"]),
        ("\"${.LINE}:${.FILE}:${.SECTION}\"", &["7:f.cfg:web"]),
        ("$A ${A} '${A}'", &["$A", "${A}", "${A}"]),
    ];
    for (line, wanted) in cases {
        let (found, ..) = words_of(line.as_bytes(), &env);
        assert_eq!(found, *wanted, "{line:?}");
    }
}

#[test]
fn unknown_variables_stay_as_written() {
    let (found, ..) = words_of(b"\"${A}:80\" \"$B\" c", &Environment::default());
    assert_eq!(found, ["${A}:80", "$B", "c"]);
}

#[test]
fn faults_are_found_where_haproxy_finds_them() {
    for (line, fault, at) in [
        ("a \"b", Fault::Quote, 2),
        ("a 'b\" c", Fault::Quote, 2),
        ("a \"b\rc\"", Fault::Quote, 2),
        ("a\\x2 b", Fault::Hex, 1),
        ("a \"$9\"", Fault::VariableName, 4),
        ("a \"$\"", Fault::VariableName, 4),
        ("a \"${.NOPE}\"", Fault::VariableName, 4),
        ("a \"${B\"", Fault::Brace, 4),
        ("a \"${B-x\"", Fault::Brace, 4),
        ("a \"${B[1]}\"", Fault::Expansion, 6),
    ] {
        let (.., outcome) = words_of(line.as_bytes(), &Environment::default());
        assert_eq!(outcome.fault, Some((fault, at)), "{line:?}");
    }
}

#[test]
fn the_64th_word_is_the_last() {
    let many = "w ".repeat(64);
    assert_eq!(
        words_of(many.as_bytes(), &Environment::default()).2.fault,
        None
    );
    let (found, _, outcome) = words_of(format!("{many}x").as_bytes(), &Environment::default());
    assert_eq!(found.len(), 64);
    assert_eq!(outcome.fault, Some((Fault::TooManyWords, 128)));
    let spread = given(&[("A", &many)], true);
    let (found, _, outcome) = words_of(b"\"${A[*]}x\"", &spread);
    assert_eq!((found.len(), outcome.fault.is_some()), (64, true));
}

proptest::proptest! {
    #[test]
    fn any_bytes_can_be_cut(line: Vec<u8>) {
        let line: Vec<u8> = line.into_iter().filter(|&byte| byte != b'\n').collect();
        check_spans(&line);
    }

    #[test]
    fn any_quoting_can_be_cut(line in "[ab $\\\\\"'#{}x0A\\[\\]*\r\t-]{0,40}") {
        check_spans(line.as_bytes());
    }

    /// Words that need no quoting come back as they are.
    #[test]
    fn plain_words_round_trip(words in proptest::collection::vec("[a-z0-9_:.,/()%-]{1,12}", 1..20)) {
        let (found, ..) = words_of(words.join(" ").as_bytes(), &Environment::default());
        assert_eq!(found, words);
    }

    /// Any text in strong quotes comes back as it is.
    #[test]
    fn strong_quotes_keep_everything(text in "[^'\r\n\0]{1,40}") {
        let (found, ..) = words_of(format!("x '{text}'").as_bytes(), &Environment::default());
        assert_eq!(found, ["x", text.as_str()]);
    }
}

/// Spans are in order and inside of the line, and only white space stands between them.
fn check_spans(line: &[u8]) {
    let (words, written, outcome) = words_of(line, &Environment::default());
    let mut at = 0;
    for (word, span) in words.iter().zip(&written) {
        assert!(span.start >= at && span.end as usize <= line.len());
        let gap = &line[at as usize..span.start as usize];
        assert!(
            gap.iter().all(|&byte| super::lex::is_space(byte)),
            "{line:?}"
        );
        assert!(word.is_empty() || span.start < span.end);
        at = span.end;
    }
    assert!(outcome.comment.is_none_or(|it| line[it as usize] == b'#'));
    assert!(
        outcome
            .fault
            .is_none_or(|(_, it)| it as usize <= line.len())
    );
}
