//! Secrets that a statement announces: `password X`, `stats auth USER:X`, `proxy_set_header
//! Authorization X`, `acl a hdr(authorization) X`.

use std::ops::Range;

use super::names::{is_sensitive, is_sensitive_header, is_trivial};
use super::patterns::push_value;
use super::words::{Piece, Reading, Word, split};
use crate::model::Engine;

/// Quoted text is looked into this deep.
const DEPTH: u32 = 3;

/// Words behind which stands a name that somebody chose.
const NAMING: &[&[u8]] = &[
    b"server",
    b"backend",
    b"frontend",
    b"listen",
    b"upstream",
    b"use_backend",
    b"default_backend",
    b"acl",
    b"user",
    b"group",
    b"userlist",
    b"peers",
    b"peer",
    b"cache",
    b"ring",
    b"resolvers",
    b"defaults",
    b"location",
    b"server_name",
    b"use-server",
    b"server-template",
    b"table",
    b"cache-use",
    b"cache-store",
    b"from",
    b"if",
    b"unless",
    b"or",
    b"||",
    b"&&",
    b"proxy_pass_header",
    b"proxy_hide_header",
    b"del-header",
    b"track",
    b"map",
    b"proxy_pass",
    b"stats",
    b"auth_request",
    b"limit_req_zone",
    b"include",
];

/// Words whose next word is the name of a header, parameter or variable and whose rest is its value.
const SETTING: &[&[u8]] = &[
    b"set-header",
    b"add-header",
    b"replace-header",
    b"replace-value",
    b"add_header",
    b"proxy_set_header",
    b"grpc_set_header",
    b"more_set_headers",
    b"more_set_input_headers",
    b"fastcgi_param",
    b"uwsgi_param",
    b"scgi_param",
    b"auth_http_header",
    b"setenv",
    b"presetenv",
    b"set",
    b"set-param",
    b"proxy_cookie_flags",
    b"add_trailer",
    b"http-send-name-header",
    b"set-cookie",
    b"set-fmt",
    b"proxy_set_cookie",
];

/// Words whose whole rest is secret, references aside.
const WHOLLY: &[&[u8]] = &[
    b"dynamic-cookie-key",
    b"secure_link_md5",
    b"secure_link_secret",
    b"auth_basic",
    b"send-binary",
    b"send-binary-lf",
    b"send_binary",
];

/// Words that end the value of an action.
const STOPS: &[&[u8]] = &[b"if", b"unless", b"||", b"&&", b"or", b"}", b"{"];

/// Adds the secrets of `text` to `found`, read as the engine reads it and, because quotes may be
/// broken, also split at every blank.
pub(super) fn find(text: &[u8], engine: Engine, found: &mut Vec<Range<usize>>) {
    let lower = text.to_ascii_lowercase();
    let whole = Part {
        text,
        lower: &lower,
        offset: 0,
        depth: 0,
    };
    whole.read(engine, Reading::Blanks, found);
    // Without quotes and escapes both readings are the same.
    if text.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'\\')) {
        whole.read(engine, Reading::Exact, found);
    }
}

/// A part of a text that may hold statements.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a [u8],
    /// The same in lower case.
    lower: &'a [u8],
    /// Where it stands.
    offset: usize,
    /// How many quotes it is in.
    depth: u32,
}

impl<'a> Part<'a> {
    fn read(self, engine: Engine, reading: Reading, found: &mut Vec<Range<usize>>) {
        let mut words = Vec::new();
        let ends = split(self.text, engine, reading).map(Some);
        for piece in ends.chain([None]) {
            if let Some(Piece::Word(word)) = piece {
                words.push(word);
                continue;
            }
            let statement = Statement {
                part: self,
                words: &words,
            };
            let from = found.len();
            statement.find(found);
            for range in found.iter_mut().skip(from) {
                *range = range.start + self.offset..range.end + self.offset;
            }
            if self.depth < DEPTH {
                statement.look_into_quotes(engine, found);
            }
            words.clear();
        }
    }

    /// The part of it that stands at `range`, inside one more quote.
    fn inside(self, range: Range<usize>) -> Part<'a> {
        Part {
            text: self.text.get(range.clone()).unwrap_or_default(),
            lower: self.lower.get(range.clone()).unwrap_or_default(),
            offset: self.offset + range.start,
            depth: self.depth + 1,
        }
    }
}

/// The words of one statement, or of what is left of one.
struct Statement<'a> {
    part: Part<'a>,
    words: &'a [Word],
}

impl<'a> Statement<'a> {
    fn raw(&self, index: usize) -> &'a [u8] {
        let word = self.words.get(index);
        word.and_then(|word| self.part.text.get(word.range.clone()))
            .unwrap_or_default()
    }

    /// The word in lower case without marks around it.
    fn bare(&self, index: usize) -> &'a [u8] {
        let word = self.words.get(index);
        let lower = word.and_then(|word| self.part.lower.get(word.range.clone()));
        let mark = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b',' | b'(' | b')');
        let mut bare = lower.unwrap_or_default();
        while let [first, rest @ ..] = bare
            && mark(first)
        {
            bare = rest;
        }
        while let [rest @ .., last] = bare
            && mark(last)
        {
            bare = rest;
        }
        bare
    }

    fn find(&self, found: &mut Vec<Range<usize>>) {
        let mut index = 0;
        while index < self.words.len() {
            index = self.find_at(index, found).max(index + 1);
        }
    }

    /// Masks what the word at `index` announces. Returns where to go on: what one word announces is
    /// not looked at again, which keeps the work linear.
    fn find_at(&self, index: usize, found: &mut Vec<Range<usize>>) -> usize {
        let word = self.bare(index);
        let previous = index
            .checked_sub(1)
            .map_or(&[][..], |before| self.bare(before));
        let credentials = word == b"auth" && matches!(previous, b"stats" | b"redis2_query");
        if credentials || WHOLLY.contains(&word) {
            return self.mask_rest(index + 1, found);
        }
        // `tcp-check send …`, also inside quotes of a broken line.
        if index < 3 && matches!(word, b"send" | b"send-lf") {
            self.mask_auth_command(index + 1, found);
        }
        if previous == b"hdr" && is_sensitive_header(word) {
            return self.mask_word(index + 1, found);
        }
        if SETTING.contains(&previous) && is_sensitive_header(word) {
            return self.mask_rest(index + 1, found);
        }
        if memchr::memchr(b'(', word).is_some() {
            return self.mask_compared(index, word, found);
        }
        if is_sensitive(word) && (word.starts_with(b"$") || !NAMING.contains(&previous)) {
            return self.mask_named(index, word, found);
        }
        index + 1
    }

    /// Masks the value behind a name such as `password` or `$api_key`.
    fn mask_named(&self, index: usize, word: &[u8], found: &mut Vec<Range<usize>>) -> usize {
        let next = self.bare(index + 1);
        let compares = matches!(
            next,
            b"=" | b"!=" | b"~" | b"~*" | b"!~" | b"!~*" | b"==" | b":" | b"eq"
        );
        if is_flag(next) {
            self.mask_patterns(index + 1, found)
        } else if compares {
            self.mask_word(index + 2, found)
        } else if !word.starts_with(b"$") && !word.contains(&b'=') {
            self.mask_word(index + 1, found)
        } else {
            index + 1
        }
    }

    /// Masks what a sample such as `hdr(authorization)` is compared with or set to.
    fn mask_compared(&self, index: usize, word: &[u8], found: &mut Vec<Range<usize>>) -> usize {
        let inside = word.split(|byte| matches!(byte, b'(' | b')' | b','));
        let fetches: &[&[u8]] = &[b"hdr", b"fhdr", b"url_param", b"urlp", b"cook", b"var"];
        let fetches = fetches
            .iter()
            .any(|name| memchr::memmem::find(word, name).is_some());
        let arguments = || inside.clone().skip(1);
        let sensitive = if fetches {
            arguments().any(is_sensitive_header)
        } else {
            arguments().any(is_sensitive)
        };
        if !sensitive {
            return index + 1;
        }
        self.mask_patterns(index + 1, found)
    }

    /// Masks the values that a sample is compared with; flags stay.
    fn mask_patterns(&self, from: usize, found: &mut Vec<Range<usize>>) -> usize {
        let mut at = from;
        while at < self.words.len() {
            let next = self.bare(at);
            if STOPS.contains(&next) {
                break;
            }
            at = match next {
                b"-m" | b"-f" | b"-M" | b"-u" => at + 2,
                _ if is_flag(next) || is_sample(next) => at + 1,
                _ => self.mask_word(at, found).max(at + 1),
            };
        }
        at
    }

    /// Masks what follows `AUTH` or `PASS` in the rest of a `tcp-check send`.
    fn mask_auth_command(&self, from: usize, found: &mut Vec<Range<usize>>) {
        let Some(start) = self.words.get(from).map(|word| word.range.start) else {
            return;
        };
        let end = self.end();
        let rest = self.part.text.get(start..end).unwrap_or_default();
        let upper = rest.to_ascii_uppercase();
        for command in [&b"AUTH"[..], b"PASS", b"LOGIN"] {
            if let Some(at) = memchr::memmem::find(&upper, command) {
                let at = at + command.len();
                if rest
                    .get(at)
                    .is_some_and(|byte| !byte.is_ascii_alphanumeric())
                {
                    found.push(start + at + 1..end);
                }
            }
        }
    }

    /// Masks the words from `from` on, up to a condition.
    fn mask_rest(&self, from: usize, found: &mut Vec<Range<usize>>) -> usize {
        let mut index = from;
        while index < self.words.len() {
            if index > from && STOPS.contains(&self.raw(index)) {
                break;
            }
            index = self.mask_word(index, found).max(index + 1);
        }
        index
    }

    /// Masks one word; where a quote is open in it, all up to the closing one or else the rest of
    /// the statement.
    fn mask_word(&self, index: usize, found: &mut Vec<Range<usize>>) -> usize {
        let Some(word) = self.words.get(index) else {
            return index + 1;
        };
        if word.open {
            let end = self.closing(word).unwrap_or(self.end());
            push_value(self.part.text, word.range.start..end, found);
            return self.words.partition_point(|word| word.range.start < end);
        }
        if !is_trivial(self.raw(index)) {
            let closing = match self.raw(index) {
                [.., b'"' | b'\'', b')'] => 1,
                _ => 0,
            };
            push_value(
                self.part.text,
                word.range.start..word.range.end - closing,
                found,
            );
        }
        index + 1
    }

    /// Behind the quote that closes the first one of `word`.
    fn closing(&self, word: &Word) -> Option<usize> {
        let text = self.part.text.get(word.range.start..self.end())?;
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let open = text.iter().position(is_quote)?;
        let inside = text.get(open + 1..)?;
        let close = memchr::memchr(*text.get(open)?, inside)?;
        let end = word.range.start + open + 1 + close + 1;
        let bracket = word.range.end == end + 1 && self.part.text.get(end) == Some(&b')');
        Some(if bracket {
            end
        } else {
            end.max(word.range.end)
        })
    }

    fn end(&self) -> usize {
        self.words.last().map_or(0, |word| word.range.end)
    }

    /// A quoted word can hold a statement: a request to send, a script, a fragment of a broken line.
    fn look_into_quotes(&self, engine: Engine, found: &mut Vec<Range<usize>>) {
        for word in self.words.iter().filter(|word| word.blanks) {
            let raw = self.part.text.get(word.range.clone()).unwrap_or_default();
            let mut at = word.range.start;
            for quoted in raw.split(|byte| matches!(byte, b'"' | b'\'')) {
                let inside = self.part.inside(at..at + quoted.len());
                inside.read(engine, Reading::Exact, found);
                at += quoted.len() + 1;
            }
        }
    }
}

/// Whether a word is a flag of an ACL.
fn is_flag(word: &[u8]) -> bool {
    word.len() == 2 && word.starts_with(b"-")
}

/// Whether a word is a sample expression, `req.hdr(x),lower`, and holds no constant.
fn is_sample(word: &[u8]) -> bool {
    let constant: &[&[u8]] = &[b"str(", b"bin(", b"concat("];
    word.contains(&b'(')
        && !constant
            .iter()
            .any(|name| memchr::memmem::find(word, name).is_some())
}
