//! Splits configuration text of either engine into words, leniently: broken quotes end nothing.

use std::ops::Range;

use crate::model::Engine;

/// A word with its quotes, or a mark that ends a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A word.
    Word(Word),
    /// `;`, a brace, the `#` of a comment, or the end of a line
    /// (in HAProxy always, in nginx that of a comment): the byte.
    End(u8),
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// It has a quote that is never closed.
    pub(super) open: bool,
    /// It has blanks inside quotes: it may hold statements of its own.
    pub(super) blanks: bool,
}

/// How words are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As the engine does.
    Exact,
    /// At every blank: quotes and escapes of a broken line mean nothing.
    Blanks,
}

/// The pieces of `text`.
pub(super) fn split(text: &[u8], engine: Engine, reading: Reading) -> impl Iterator<Item = Piece> {
    let mut at = 0;
    let mut in_comment = false;
    std::iter::from_fn(move || {
        let ends = |at| is_end(text, at, engine) || in_comment && text.get(at) == Some(&b'\n');
        while text.get(at).is_some_and(u8::is_ascii_whitespace) && !ends(at) {
            at += 1;
        }
        let byte = *text.get(at)?;
        if ends(at) {
            at += 1;
            in_comment = byte == b'#' || in_comment && byte != b'\n';
            return Some(Piece::End(byte));
        }
        let word = read_word(text, at, engine, reading);
        at = word.range.end.max(at + 1);
        Some(Piece::Word(word))
    })
}

/// Whether the byte at `at`, where a word could start, ends a statement.
fn is_end(text: &[u8], at: usize, engine: Engine) -> bool {
    let blank_follows = || text.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    match text.get(at) {
        Some(b'#') => true,
        Some(b'\n') => engine == Engine::Haproxy,
        Some(b';') => engine == Engine::Nginx,
        Some(b'{' | b'}') => engine == Engine::Nginx || blank_follows(),
        _ => false,
    }
}

fn read_word(text: &[u8], start: usize, engine: Engine, reading: Reading) -> Word {
    let mut word = Word {
        range: start..start,
        open: false,
        blanks: false,
    };
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if reading == Reading::Exact => at += 2,
            b'"' | b'\'' if reading == Reading::Exact => {
                let end = closing(text, at, engine);
                let inside = text.get(at..end.unwrap_or(at)).unwrap_or_default();
                word.blanks |= inside.iter().any(u8::is_ascii_whitespace);
                word.open |= end.is_none();
                at = end.unwrap_or(at) + 1;
            }
            b';' if engine == Engine::Nginx => break,
            b'{' if engine == Engine::Nginx && text.get(at.wrapping_sub(1)) != Some(&b'$') => break,
            _ if byte.is_ascii_whitespace() => break,
            _ => at += 1,
        }
    }
    word.range.end = at.min(text.len());
    let bytes = text.get(word.range.clone()).unwrap_or_default();
    word.open |=
        reading == Reading::Blanks && bytes.iter().any(|byte| matches!(byte, b'"' | b'\''));
    word
}

/// The quote that closes the one at `at`. Strong quotes of HAProxy know no escapes.
fn closing(text: &[u8], at: usize, engine: Engine) -> Option<usize> {
    let quote = *text.get(at)?;
    let escapes = engine == Engine::Nginx || quote == b'"';
    let mut next = at + 1;
    while let Some(&byte) = text.get(next) {
        match byte {
            b'\\' if escapes => next += 2,
            b'\n' if engine == Engine::Haproxy => return None,
            _ if byte == quote => return Some(next),
            _ => next += 1,
        }
    }
    None
}
