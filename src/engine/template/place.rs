//! Whether a place in a file is read as configuration, before anything is parsed: a template cannot be.
//!
//! In: bytes and an offset. Out: no for comments, Lua and Perl, and text that only passes through.

use std::ops::Range;

use memchr::memmem;

use crate::engine::nginx;

/// The places of one file.
pub(super) struct Places<'a> {
    bytes: &'a [u8],
    /// Code of another language; looked for when the first mark is found.
    code: Option<Vec<Range<usize>>>,
}

/// Directives of both engines with text that is sent, logged or matched, not acted on.
const TEXT: &[&[u8]] = &[
    b"add_header",
    b"add_trailer",
    b"description",
    b"echo",
    b"fastcgi_param",
    b"http-after-response",
    b"http-error",
    b"http-request",
    b"http-response",
    b"if",
    b"location",
    b"log-format",
    b"log-format-sd",
    b"log_format",
    b"more_set_headers",
    b"proxy_set_body",
    b"proxy_set_header",
    b"return",
    b"rewrite",
    b"set",
    b"sub_filter",
    b"subs_filter",
    b"tcp-request",
    b"tcp-response",
    b"unique-id-format",
];

/// Formats of HAProxy, in which percent signs and braces are common without quotes.
const FORMATS: &[&[u8]] = &[b"log-format", b"log-format-sd", b"unique-id-format"];

/// What the beginning of a line makes of the rest of it.
#[derive(PartialEq, Eq)]
enum State {
    Plain,
    Comment,
    Quoted(u8),
}

impl<'a> Places<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, code: None }
    }

    /// Whether the proxy would read configuration at `at`.
    pub(super) fn is_configuration(&mut self, at: usize) -> bool {
        let before = self.bytes.get(..at).unwrap_or_default();
        let line = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let before = before.get(line..).unwrap_or_default();
        let (state, statement) = read(before);
        let words = [first_word(before), first_word(statement)];
        let is_of = |list: &[&[u8]]| words.iter().any(|word| list.contains(word));
        let is_text = match state {
            State::Comment => true,
            State::Plain => is_of(FORMATS),
            // A line that begins with a quote goes on with the text of the line before.
            State::Quoted(_) => is_of(TEXT) || words.iter().any(|word| is_quoted(word)),
        };
        !is_text && !self.is_code(at)
    }

    fn is_code(&mut self, at: usize) -> bool {
        let bytes = self.bytes;
        let code = self.code.get_or_insert_with(|| code(bytes));
        code.iter().any(|range| range.contains(&at))
    }
}

fn is_quoted(word: &[u8]) -> bool {
    word.starts_with(b"'") || word.starts_with(b"\"")
}

/// The state at the end of the beginning of a line, and the last statement of nginx in it.
fn read(before: &[u8]) -> (State, &[u8]) {
    let mut state = State::Plain;
    let mut statement = 0;
    let mut bytes = before.iter().copied().enumerate();
    let mut last = b' ';
    while let Some((at, byte)) = bytes.next() {
        match (&state, byte) {
            (_, b'\\') => {
                bytes.next();
            }
            (State::Quoted(quote), _) if byte == *quote => state = State::Plain,
            (State::Plain, b'"' | b'\'') => state = State::Quoted(byte),
            (State::Plain, b'#') if last.is_ascii_whitespace() => return (State::Comment, before),
            (State::Plain, b'{' | b'}' | b';') => statement = at + 1,
            _ => {}
        }
        last = byte;
    }
    (state, before.get(statement..).unwrap_or_default())
}

fn first_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace);
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Lua blocks, and Lua and Perl in quotes.
fn code(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = nginx::lua_blocks(bytes);
    for name in [&b"_by_lua"[..], b"perl_set", b"perl"] {
        let ends = memmem::find_iter(bytes, name).map(|at| at + name.len());
        ranges.extend(ends.filter_map(|end| quoted(bytes, end)));
    }
    ranges
}

/// The quoted word behind `at`, on the same line or with a variable in front (`perl_set $x '…'`).
fn quoted(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?;
    let open = memchr::memchr3(b'\'', b'"', b'\n', rest)?;
    let quote = *rest.get(open).filter(|&&byte| byte != b'\n')?;
    let mut end = open + 1;
    while let Some(&byte) = rest.get(end) {
        if byte == quote {
            break;
        }
        end += if byte == b'\\' { 2 } else { 1 };
    }
    Some(at + open..at + end)
}
