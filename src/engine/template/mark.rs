//! The marks of template languages, wherever they stand.
//!
//! In: bytes. Out: ranges that have the form of a mark: an opening, something that the language would
//! accept behind it, and the closing on the same line (comments and blocks of code may be longer).

use std::ops::Range;

use memchr::memmem;

/// One mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where it is.
    pub(super) range: Range<usize>,
    /// Whether text comes into its place: `{{ x }}`, but not `{% if x %}`.
    pub(super) is_value: bool,
}

/// The longest mark over several lines.
const LONGEST: usize = 64 * 1024;

/// Every mark of `bytes`, in their order.
pub(super) fn marks(bytes: &[u8]) -> impl Iterator<Item = Mark> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += memchr::memchr2(b'{', b'<', bytes.get(at..)?)?;
            if let Some(mark) = mark(bytes, at) {
                at = mark.range.end;
                return Some(mark);
            }
            at += 1;
        }
    })
}

/// The mark that opens at `at`.
fn mark(bytes: &[u8], at: usize) -> Option<Mark> {
    let rest = bytes.get(at..)?;
    let (length, is_value) = match rest {
        [b'{', b'{', ..] => go(rest)?,
        [b'{', b'%', ..] => (jinja(rest)?, false),
        [b'{', b'#', ..] if starts_line(bytes, at) => (close(window(rest), b"#}")?, false),
        [b'<', b'%', ..] => erb(rest, starts_line(bytes, at))?,
        _ => return None,
    };
    Some(Mark {
        range: at..at + length,
        is_value,
    })
}

/// `{{ … }}` of Go templates, Jinja and Mustache. In Go the words of statements stand in it too.
fn go(rest: &[u8]) -> Option<(usize, bool)> {
    let inside = trimmed(rest);
    if inside.starts_with(b"/*") || inside.starts_with(b"!") {
        return Some((close(window(rest), b"}}")?, false));
    }
    let first = *inside.first()?;
    let opens = first.is_ascii_alphabetic() || b"_.$\"'(/#^>{&".contains(&first);
    let mut length = opens.then(|| close(line(rest), b"}}")).flatten()?;
    length += usize::from(rest.get(length) == Some(&b'}'));
    let word = first_word(inside);
    let is_statement = STATEMENTS.contains(&word) || b"/#^>".contains(&first);
    Some((length, !is_statement))
}

/// Words that start statements: of Go templates and of Jinja.
const STATEMENTS: &[&[u8]] = &[
    b"if",
    b"else",
    b"elif",
    b"end",
    b"endif",
    b"range",
    b"with",
    b"define",
    b"block",
    b"template",
    b"include",
    b"for",
    b"endfor",
    b"set",
    b"endset",
    b"endblock",
    b"extends",
    b"import",
    b"from",
    b"macro",
    b"endmacro",
    b"call",
    b"endcall",
    b"filter",
    b"endfilter",
    b"raw",
    b"endraw",
    b"do",
    b"autoescape",
    b"endwith",
];

/// `{% if … %}`. Log formats of HAProxy have `{%hr}`: only the words of Jinja count.
fn jinja(rest: &[u8]) -> Option<usize> {
    let word = first_word(trimmed(rest));
    let known = STATEMENTS.contains(&word);
    known.then(|| close(line(rest), b"%}")).flatten()
}

/// `<%= … %>` is a value, `<% … %>` code, which may take several lines where it begins one.
fn erb(rest: &[u8], starts_line: bool) -> Option<(usize, bool)> {
    let first = *rest.get(2)?;
    let opens =
        first.is_ascii_alphabetic() || first.is_ascii_whitespace() || b"=-#%@".contains(&first);
    let within = if starts_line {
        window(rest)
    } else {
        line(rest)
    };
    let empty = trimmed(rest).starts_with(b"%>");
    let length = (opens && !empty).then(|| close(within, b"%>")).flatten()?;
    Some((length, first == b'='))
}

/// What stands behind the two characters of the opening and its sign for white space.
fn trimmed(rest: &[u8]) -> &[u8] {
    let inside = rest.get(2..).unwrap_or_default();
    let signed = matches!(inside.first(), Some(b'-' | b'~' | b'+'));
    let inside = inside.get(usize::from(signed)..).unwrap_or_default();
    inside.trim_ascii_start()
}

fn first_word(inside: &[u8]) -> &[u8] {
    let end = inside.iter().position(|byte| !byte.is_ascii_alphabetic());
    inside
        .get(..end.unwrap_or(inside.len()))
        .unwrap_or_default()
}

/// The length of the mark that `closing` ends.
fn close(within: &[u8], closing: &[u8]) -> Option<usize> {
    let inside = within.get(2..)?;
    Some(memmem::find(inside, closing)? + 2 + closing.len())
}

fn line(rest: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn window(rest: &[u8]) -> &[u8] {
    rest.get(..LONGEST).unwrap_or(rest)
}

fn starts_line(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let before = before.get(line..).unwrap_or_default();
    before.iter().all(u8::is_ascii_whitespace)
}
