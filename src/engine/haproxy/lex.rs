//! Cuts a line into words exactly as HAProxy's `parse_line` (`src/tools.c`) does.
//!
//! In: the bytes of a line and the environment. Out: words with their spans, the comment, and what is
//! wrong with the line. Weak and strong quotes, escapes, adjacent pieces, comments glued to words and
//! variables (expanded inside weak quotes only) are resolved here.

use crate::model::Text;

use super::env::{Env, Value};
use super::plain::{end_of_line, is_ordinary, lex_plain};
use super::tree::{Cooked, Tree, Variable, Word};

/// `MAX_LINE_ARGS` of `include/haproxy/defaults.h`.
pub(crate) const MAX_WORDS: usize = 64;

/// What HAProxy refuses in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A quote that is not closed.
    Quote,
    /// `\x` without two hexadecimal digits.
    Hex,
    /// `$` inside weak quotes without a name behind it.
    VariableName,
    /// `${` without `}`.
    Brace,
    /// `${NAME[` without `*]`.
    Expansion,
    /// More than [`MAX_WORDS`] words.
    TooManyWords,
}

/// Where a line stands, for the pseudo-variables `.FILE`, `.LINE` and `.SECTION`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'p> {
    pub(super) file: &'p str,
    pub(super) line: u32,
    pub(super) section: &'p str,
}

/// What is known of a line besides its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Where its comment starts.
    pub(super) comment: Option<u32>,
    /// The first fault and its position. HAProxy drops the line then; the words before it are kept.
    pub(super) fault: Option<(Fault, u32)>,
}

/// Cuts the line that starts at `start` of the file and appends its words to the tree. The second value is
/// the end of the line.
pub(crate) fn lex(
    tree: &mut Tree<'_>,
    start: usize,
    env: &Env<'_>,
    place: Place<'_>,
) -> (Outcome, usize) {
    if let Some(text) = tree.text
        && let Some(plain) = lex_plain(text, start, &mut tree.words)
    {
        return plain;
    }
    lex_any(tree, start, env, place)
}

/// The same for a line of any kind. Kept out of the short way, which most lines take.
#[inline(never)]
fn lex_any(tree: &mut Tree<'_>, start: usize, env: &Env<'_>, place: Place<'_>) -> (Outcome, usize) {
    let bytes = tree.bytes;
    let end = end_of_line(bytes, start);
    let mut lexer = Lexer {
        line: bytes.get(..end).unwrap_or(bytes),
        at: start,
        env,
        place,
        first: tree.words.len(),
        words: &mut tree.words,
        cooked: &mut tree.cooked,
        word: start,
        special: false,
        text: Vec::new(),
        state: Cooked::default(),
        literal: false,
        quote: None,
        outcome: Outcome::default(),
    };
    lexer.run();
    (lexer.outcome, end)
}

struct Lexer<'l, 's> {
    line: &'s [u8],
    at: usize,
    env: &'l Env<'l>,
    place: Place<'l>,
    /// Number of words that belong to earlier lines.
    first: usize,
    words: &'l mut Vec<Word<'s>>,
    cooked: &'l mut Vec<Cooked>,
    /// Where the current word starts.
    word: usize,
    /// The value of the current word differs from its source text and is collected in `text`.
    special: bool,
    text: Vec<u8>,
    state: Cooked,
    /// The current word holds text that is no variable.
    literal: bool,
    /// The open quote and where it stands.
    quote: Option<(u8, usize)>,
    outcome: Outcome,
}

/// `isspace` of the C locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

impl Lexer<'_, '_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.line.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn quoted_by(&self, quote: u8) -> bool {
        self.quote.is_some_and(|(open, _)| open == quote)
    }

    fn run(&mut self) {
        while self.line.get(self.at).is_some_and(|&byte| is_space(byte)) {
            self.at += 1;
        }
        self.word = self.at;
        while self.at < self.line.len() && self.outcome.fault.is_none() {
            if !self.step() {
                break;
            }
        }
        self.finish();
    }

    /// Reads one character, quote, escape, gap or variable. False at the end of the line.
    fn step(&mut self) -> bool {
        let byte = self.peek(0);
        match byte {
            b'\r' | b'\0' => return false,
            b'#' if self.quote.is_none() => {
                self.outcome.comment = to_u32(self.at);
                return false;
            }
            b'"' if !self.quoted_by(b'\'') => self.toggle(byte),
            b'\'' if !self.quoted_by(b'"') => self.toggle(byte),
            b'\\' if !self.quoted_by(b'\'') => self.escape(),
            b'$' if self.quoted_by(b'"') => self.variable(),
            _ if self.quote.is_none() && is_space(byte) => return self.gap(),
            _ => self.run_of_text(),
        }
        true
    }

    /// Starts collecting the value of the current word.
    fn collect(&mut self) {
        if !self.special {
            self.special = true;
            self.text.clear();
            let so_far = self.line.get(self.word..self.at).unwrap_or_default();
            self.literal = !so_far.is_empty();
            self.text.extend_from_slice(so_far);
        }
    }

    /// Takes `width` bytes of source as the character `byte`.
    fn emit(&mut self, byte: u8, width: usize) {
        if self.special {
            self.text.push(byte);
            self.literal = true;
        }
        self.at += width;
    }

    /// Takes the character here, whatever it is, and the ordinary ones behind it at once.
    fn run_of_text(&mut self) {
        let behind = self.line.get(self.at + 1..).unwrap_or_default();
        let ordinary = behind.iter().position(|&byte| !is_ordinary(byte));
        let end = self.at + 1 + ordinary.unwrap_or(behind.len());
        if self.special {
            let text = self.line.get(self.at..end).unwrap_or_default();
            self.text.extend_from_slice(text);
            self.literal = true;
        }
        self.at = end;
    }

    fn toggle(&mut self, quote: u8) {
        self.collect();
        self.quote = match self.quote {
            Some(_) => None,
            None => Some((quote, self.at)),
        };
        self.at += 1;
    }

    fn escape(&mut self) {
        self.collect();
        let next = self.peek(1);
        match next {
            b' ' | b'\\' | b'#' | b'\'' | b'"' => self.emit(next, 2),
            b't' => self.emit(b'\t', 2),
            b'n' => self.emit(b'\n', 2),
            b'r' => self.emit(b'\r', 2),
            b'$' if self.quoted_by(b'"') => self.emit(next, 2),
            b'x' => match (hex(self.peek(2)), hex(self.peek(3))) {
                (Some(high), Some(low)) => self.emit(high << 4 | low, 4),
                _ => self.fail(Fault::Hex, self.at),
            },
            _ => self.emit(b'\\', 1),
        }
    }

    fn fail(&mut self, fault: Fault, at: usize) {
        if self.outcome.fault.is_none() {
            self.outcome.fault = to_u32(at).map(|at| (fault, at));
        }
    }

    /// White space between words. False when the line has as many words as HAProxy takes.
    fn gap(&mut self) -> bool {
        let end = self.at;
        while self.line.get(self.at).is_some_and(|&byte| is_space(byte)) {
            self.at += 1;
        }
        self.push(end);
        self.word = self.at;
        let rest = self.peek(0);
        if self.words.len() - self.first >= MAX_WORDS && !matches!(rest, 0 | b'#' | b'\r') {
            self.fail(Fault::TooManyWords, self.at);
            return false;
        }
        true
    }

    /// Ends the current word at `end`.
    fn push(&mut self, end: usize) {
        let (Some(start), Some(end_at)) = (to_u32(self.word), to_u32(end)) else {
            return;
        };
        let source = self.line.get(self.word..end).unwrap_or_default();
        if !self.special
            && let Ok(text) = std::str::from_utf8(source)
        {
            self.words.push(Word::plain(text, start, end_at));
            return;
        }
        let value = if self.special { &self.text } else { source };
        let mut cooked = std::mem::take(&mut self.state);
        cooked.text = Text::from_utf8_lossy(value);
        cooked.only_variables = cooked.variable.is_some() && !self.literal;
        self.words
            .push(Word::cooked(start, end_at, self.cooked.len()));
        self.cooked.push(cooked);
        self.special = false;
        self.literal = false;
        self.text.clear();
    }

    fn finish(&mut self) {
        if let (Some((_, at)), None) = (self.quote, self.outcome.fault) {
            self.fail(Fault::Quote, at);
        }
        let end = self.at.min(self.line.len());
        let empty = if self.special {
            self.text.is_empty() && !self.state.opaque
        } else {
            end <= self.word
        };
        // `parse_line` drops a last word that is empty; one made of variables is kept for its finding.
        let kept = !empty || self.state.variable.is_some();
        if kept && self.words.len() - self.first < MAX_WORDS {
            self.push(end);
        } else if kept {
            self.fail(Fault::TooManyWords, self.word);
        }
    }

    /// `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME[*]}`.
    fn variable(&mut self) {
        let from = self.at;
        self.at += 1;
        let brace = self.peek(0) == b'{';
        if brace {
            self.at += 1;
        }
        let first = self.peek(0);
        if !(first.is_ascii_alphabetic() || matches!(first, b'_' | b'.')) {
            return self.fail(Fault::VariableName, self.at);
        }
        let name_at = self.at;
        self.at += 1;
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
            self.at += 1;
        }
        let name = self.line.get(name_at..self.at).unwrap_or_default();
        let name = std::str::from_utf8(name).unwrap_or_default();
        let mut split = false;
        let mut default = None;
        if brace {
            match self.inside_braces(from) {
                Some(tail) => (split, default) = tail,
                None => return,
            }
        }
        self.expand(name, default, split, from);
    }

    /// Reads `[*]`, the default and the closing brace; `None` after a fault.
    fn inside_braces(&mut self, from: usize) -> Option<(bool, Option<(usize, usize)>)> {
        let mut split = false;
        if self.peek(0) == b'[' {
            if (self.peek(1), self.peek(2)) != (b'*', b']') {
                self.fail(Fault::Expansion, self.at);
                return None;
            }
            split = true;
            self.at += 3;
        }
        let mut default = None;
        if self.peek(0) == b'-' {
            let rest = self.line.get(self.at + 1..).unwrap_or_default();
            let length = memchr::memchr(b'}', rest).unwrap_or(rest.len());
            default = Some((self.at + 1, self.at + 1 + length));
            self.at += 1 + length;
        }
        if self.peek(0) != b'}' {
            self.fail(Fault::Brace, from + 1);
            return None;
        }
        self.at += 1;
        Some((split, default))
    }

    fn expand(&mut self, name: &str, default: Option<(usize, usize)>, split: bool, from: usize) {
        let default = default.and_then(|(start, end)| self.line.get(start..end));
        if let Some(pseudo) = name.strip_prefix('.') {
            return self.pseudo(pseudo, from);
        }
        let (env, line) = (self.env, self.line);
        let value = env.expand(name);
        let mut missing = false;
        match (value, default) {
            (Value::Known(value), _) => self.insert(value.as_bytes(), split),
            (Value::Unset, Some(default)) => self.insert(default, split),
            (Value::Unset, None) => missing = true,
            (Value::Exists | Value::Unknown, _) => {
                self.state.opaque = true;
                let written = line.get(from..self.at).unwrap_or_default();
                self.text.extend_from_slice(written);
            }
        }
        let may_be_empty = match value {
            Value::Known(value) => value.is_empty(),
            Value::Exists => false,
            Value::Unset | Value::Unknown => default.is_none_or(<[u8]>::is_empty),
        };
        if self.state.variable.is_none() || missing {
            self.state.variable = Some(Variable {
                name: name.into(),
                may_be_empty,
                missing,
            });
        }
    }

    fn pseudo(&mut self, name: &str, from: usize) {
        match name {
            "LINE" => {
                let number = self.place.line.to_string();
                self.text.extend_from_slice(number.as_bytes());
            }
            "FILE" => self.text.extend_from_slice(self.place.file.as_bytes()),
            "SECTION" => self.text.extend_from_slice(self.place.section.as_bytes()),
            _ => return self.fail(Fault::VariableName, from + 1),
        }
        self.literal = true;
    }

    /// Adds the value of a variable; with `split`, white space in it separates words.
    fn insert(&mut self, value: &[u8], split: bool) {
        let mut bytes = value.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if !(split && is_space(byte)) {
                self.text.push(byte);
                continue;
            }
            while bytes.next_if(|&next| is_space(next)).is_some() {}
            if self.words.len() - self.first >= MAX_WORDS {
                return self.fail(Fault::TooManyWords, self.at);
            }
            self.push(self.at);
            self.special = true;
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

pub(super) fn to_u32(n: usize) -> Option<u32> {
    u32::try_from(n).ok()
}
