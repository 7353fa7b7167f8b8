//! The tokens of one nginx file.
//!
//! In: the bytes of a file. Out: words, `;`, `{`, `}`, comments and faults, one after another. The
//! rules are those of `ngx_conf_read_token()` (`src/core/ngx_conf_file.c`); where nginx stops, a fault
//! is given and reading goes on.

/// A run of bytes in the file being read. Of a quoted word the quotes are a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// Offset of the first byte.
    pub(crate) start: u32,
    /// Offset behind the last byte.
    pub(crate) end: u32,
}

impl Range {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: offset(start),
            end: offset(end),
        }
    }

    /// The bytes of the range.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// Files are never larger than offsets can tell, see [`crate::source::Sources::MAX_BYTES`].
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word.
    Word(Word),
    /// `;` at this offset.
    Semicolon(u32),
    /// `{` at this offset.
    Open(u32),
    /// `}` at this offset.
    Close(u32),
    /// A comment from its `#` to the end of the line.
    Comment(Range),
    /// Something nginx refuses.
    Fault(LexFault, Range),
    /// Nothing is left.
    End,
}

/// A word and what was seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Where it is.
    pub(crate) range: Range,
    /// It is the first one after a line end.
    pub(crate) new_line: bool,
    /// It has quotes around it or a backslash in it.
    pub(crate) cooked: bool,
}

/// What nginx's reader refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexFault {
    /// A quoted word is not closed; the range is its first line.
    Unterminated,
    /// Something follows a closing quote without a space.
    AfterQuote,
    /// A word or comment does not fit nginx's buffer.
    TooLong,
}

/// `NGX_CONF_BUFFER`: a word, with the quote that closes it, must be shorter.
const BUFFER: usize = 4096;

/// Reads one file.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    bytes: &'a [u8],
    pos: usize,
    new_line: bool,
    pending: Option<Token>,
    /// From here on there is no such quote (`"`, `'`) that could close a word: searched once.
    no_quote_from: [usize; 2],
}

impl<'a> Lexer<'a> {
    /// A reader that starts at `pos`.
    pub(crate) fn new(bytes: &'a [u8], pos: usize) -> Self {
        Self {
            bytes,
            pos,
            new_line: true,
            pending: None,
            no_quote_from: [usize::MAX; 2],
        }
    }

    /// Goes on reading at `pos`.
    pub(crate) fn jump(&mut self, pos: usize) {
        self.pos = pos;
        self.pending = None;
    }

    /// The next token.
    #[allow(
        clippy::inline_always,
        reason = "a token is taken apart where it is asked for: it is never put together then"
    )]
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Token {
        if self.pending.is_some() {
            return self.pending.take().unwrap_or(Token::End);
        }
        self.skip_space();
        let start = self.pos;
        match self.bytes.get(start) {
            None => Token::End,
            Some(&first) if is(first, OPENS) => self.marked(start, first),
            Some(_) => self.bare(start),
        }
    }

    /// What begins with a byte that no unquoted word begins with. Kept apart, so that the rest becomes a
    /// part of what reads the tokens.
    #[inline(never)]
    fn marked(&mut self, start: usize, first: u8) -> Token {
        match first {
            b';' => self.single(Token::Semicolon(offset(start))),
            b'{' => self.single(Token::Open(offset(start))),
            b'}' => self.single(Token::Close(offset(start))),
            b'#' => self.comment(start),
            _ => self.quoted(start, first),
        }
    }

    fn single(&mut self, token: Token) -> Token {
        self.pos += 1;
        token
    }

    #[inline]
    fn skip_space(&mut self) {
        let mut at = self.pos;
        loop {
            while let Some(b' ' | b'\t' | b'\r') = self.bytes.get(at) {
                at += 1;
            }
            if self.bytes.get(at) != Some(&b'\n') {
                break;
            }
            self.new_line = true;
            at = self.skip_indent(at) + 1;
        }
        self.pos = at;
    }

    /// The last of the blanks behind the line end at `at` that come eight by eight: half of the space in
    /// a file is indentation.
    #[inline]
    fn skip_indent(&self, mut at: usize) -> usize {
        while self.bytes.get(at + 1..at + 9) == Some(b"        ") {
            at += 8;
        }
        at
    }

    fn comment(&mut self, start: usize) -> Token {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |at| start + at);
        self.pos = end;
        let text = self.bytes.get(start..end).unwrap_or_default();
        let trimmed = text.strip_suffix(b"\r").unwrap_or(text);
        let range = Range::new(start, start + trimmed.len());
        if text.len() >= BUFFER {
            self.pending = Some(Token::Comment(range));
            return Token::Fault(LexFault::TooLong, range);
        }
        Token::Comment(range)
    }

    #[inline]
    fn bare(&mut self, start: usize) -> Token {
        let (end, cooked) = bare_end(self.bytes, start);
        self.pos = end;
        self.word(start, end - start >= BUFFER, cooked)
    }

    fn word(&mut self, start: usize, too_long: bool, cooked: bool) -> Token {
        let range = Range::new(start, self.pos);
        let word = self.word_of(range, cooked);
        if too_long {
            self.pending = Some(word);
            return Token::Fault(LexFault::TooLong, range);
        }
        word
    }

    fn word_of(&mut self, range: Range, cooked: bool) -> Token {
        Token::Word(Word {
            range,
            new_line: std::mem::take(&mut self.new_line),
            cooked,
        })
    }

    fn quoted(&mut self, start: usize, quote: u8) -> Token {
        let Some(close) = self.closing_quote(start, quote) else {
            return self.unterminated(start);
        };
        self.pos = close + 1;
        let next = self.bytes.get(self.pos).copied();
        // `}` is left to the parser, which misses the `;` there.
        if matches!(
            next,
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')' | b'}')
        ) {
            return self.word(start, close - start >= BUFFER, true);
        }
        let text = self.bytes.get(start..close).unwrap_or_default();
        if memchr::memchr(b'\n', text).is_some() {
            // The quote that seems to close it opens the next word: the one at `start` lacks its end.
            return self.unterminated(start);
        }
        let stray = Range::new(self.pos, self.pos + 1);
        let word = self.word(start, false, true);
        self.pending = Some(Token::Fault(LexFault::AfterQuote, stray));
        word
    }

    /// The offset of the quote that closes the word opened at `start`.
    fn closing_quote(&mut self, start: usize, quote: u8) -> Option<usize> {
        let known = self.no_quote_from.get_mut(usize::from(quote == b'\''))?;
        if start >= *known {
            return None;
        }
        let mut at = start + 1;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(quote, b'\\', rest) else {
                *known = start;
                return None;
            };
            at += found;
            if self.bytes.get(at) == Some(&quote) {
                return Some(at);
            }
            at += 2;
        }
    }

    /// Takes the rest of the line, without a `;` or `{` at its end, for the word that is not closed.
    fn unterminated(&mut self, start: usize) -> Token {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let text = rest.get(..line).unwrap_or_default().trim_ascii_end();
        let text = match text.split_last() {
            Some((b';' | b'{', before)) => before.trim_ascii_end(),
            _ => text,
        };
        self.pos = start + text.len().max(1);
        let range = Range::new(start, self.pos);
        self.pending = Some(self.word_of(range, true));
        Token::Fault(LexFault::Unterminated, range)
    }
}

/// The end of the unquoted word at `start`, and whether it has a backslash: quotes inside it are
/// ordinary characters, a backslash takes the next byte along, and `{` behind `$` does not open a block.
#[inline]
fn bare_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut at = start;
    let mut cooked = false;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let ordinary = rest.iter().position(|&byte| is(byte, ENDS));
        at += ordinary.unwrap_or(rest.len());
        match bytes.get(at) {
            Some(b'\\') => {
                cooked = true;
                at += 2;
            }
            Some(b'$') => {
                at += 1;
                while bytes.get(at) == Some(&b'{') {
                    at += 1;
                }
            }
            _ => return (at.min(bytes.len()), cooked),
        }
    }
}

/// Kind of a byte: it may end an unquoted word, or not be a plain part of one.
const ENDS: u8 = 1;
/// Kind of a byte: no unquoted word begins with it.
const OPENS: u8 = 2;

/// The kinds of each byte: most of a file is read by asking for them.
static KINDS: [u8; 256] = with_kind(
    with_kind([0; 256], b" \t\r\n;{\\$", ENDS),
    b";{}#\"'",
    OPENS,
);

#[allow(clippy::indexing_slicing, reason = "evaluated while compiling")]
const fn with_kind(mut kinds: [u8; 256], mut bytes: &[u8], kind: u8) -> [u8; 256] {
    while let Some((&byte, rest)) = bytes.split_first() {
        kinds[byte as usize] |= kind;
        bytes = rest;
    }
    kinds
}

/// Whether `byte` is of this kind.
fn is(byte: u8, kind: u8) -> bool {
    KINDS
        .get(usize::from(byte))
        .is_some_and(|kinds| kinds & kind != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::nginx::cook::cook;

    /// The tokens of `text`: words cooked and in `<>`, comments in `()`, faults by their first letter.
    fn tokens(text: &[u8]) -> String {
        let mut lexer = Lexer::new(text, 0);
        let mut out = String::new();
        loop {
            let token = match lexer.next() {
                Token::Word(Word { range, .. }) => {
                    format!("<{}>", String::from_utf8_lossy(&cook(range.of(text))))
                }
                Token::Comment(range) => format!("({})", String::from_utf8_lossy(range.of(text))),
                Token::Semicolon(_) => ";".to_owned(),
                Token::Open(_) => "{".to_owned(),
                Token::Close(_) => "}".to_owned(),
                Token::Fault(LexFault::Unterminated, _) => "!U".to_owned(),
                Token::Fault(LexFault::AfterQuote, _) => "!A".to_owned(),
                Token::Fault(LexFault::TooLong, _) => "!L".to_owned(),
                Token::End => return out,
            };
            out.push_str(&token);
        }
    }

    /// Each line was tried with nginx 1.22.1; `tests/nginx_real.rs` compares random ones.
    #[test]
    fn words_are_cut_as_nginx_cuts_them() {
        for (text, expected) in [
            ("a b;", "<a><b>;"),
            ("a{b}", "<a>{<b}>"),
            ("a{b;}", "<a>{<b>;}"),
            ("a\tb\r\n;", "<a><b>;"),
            ("a # b ; }\n c;", "<a>(# b ; })<c>;"),
            ("a#b;", "<a#b>;"),
            ("#a\r\nb;", "(#a)<b>;"),
            ("\"a b\" 'c;d' ;", "<a b><c;d>;"),
            ("a\"b c\";", "<a\"b><c\">;"),
            ("\"a'b\" 'a\"b'", "<a'b><a\"b>"),
            ("'' \"\";", "<><>;"),
            (r#""a\"b" 'a\'b' a\"b;"#, r#"<a"b><a'b><a"b>;"#),
            (r"a\tb\rc\nd;", "<a\tb\rc\nd>;"),
            (r"a\\b \d+ \.;", r"<a\b><\d+><\.>;"),
            (r"a\;b a\ b \{;", r"<a\;b><a\ b><\{>;"),
            ("a\\", "<a\\>"),
            ("${a}b $a{", "<${a}b><$a>{"),
            ("a${b}{", "<a${b}>{"),
            ("${{a;", "<${{a>;"),
            ("\"${a}\";", "<${a}>;"),
            ("^/a{2}$;", "<^/a>{<2}$>;"),
            ("\"^/a{2}$\" {", "<^/a{2}$>{"),
            ("($a = \"b\") {", "<($a><=><b><)>{"),
            ("\"a\"{\"b\"}", "<a>{<b>}"),
            ("\"a\"b;", "<a>!A<b>;"),
            ("\"a\"#b\n;", "<a>!A(#b);"),
            ("a \"b;\nc d;", "<a>!U<b>;<c><d>;"),
            ("a \"b;\nc \"d\";", "<a>!U<b>;<c><d>;"),
            ("a \"b {\nc;", "<a>!U<b>{<c>;"),
            ("a \"", "<a>!U<>"),
            ("a\0b;", "<a\0b>;"),
            ("", ""),
        ] {
            assert_eq!(tokens(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(tokens(b"a\xff\xc3 \xe4;"), "<a\u{fffd}\u{fffd}><\u{fffd}>;");
    }

    #[test]
    fn a_word_fills_less_than_the_buffer() {
        let long = |count: usize| "a".repeat(count);
        let cut = |text: String| tokens(text.as_bytes()).replace('a', "");
        assert_eq!(cut(format!("{};", long(4095))), "<>;");
        assert_eq!(cut(format!("{};", long(4096))), "!L<>;");
        assert_eq!(cut(format!("\"{}\";", long(4094))), "<>;");
        assert_eq!(cut(format!("\"{}\";", long(4095))), "!L<>;");
        assert_eq!(cut(format!("#{}\n", long(4094))), "(#)");
        assert_eq!(cut(format!("#{}\n", long(4095))), "!L(#)");
    }
}
