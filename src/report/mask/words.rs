//! Splits configuration text of either engine into words, leniently: broken quotes end nothing.

use std::ops::Range;

use crate::model::Engine;

/// A word with its quotes, or a mark that ends a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A word.
    Word(Word),
    /// `;`, a brace, the `#` of a comment, or (HAProxy) the end of a line.
    End,
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

/// The pieces of `text`.
pub(super) fn split(text: &[u8], engine: Engine) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if is_end(text, at, engine) {
            pieces.push(Piece::End);
            at += 1;
        } else if byte.is_ascii_whitespace() {
            at += 1;
        } else {
            let word = read_word(text, at, engine);
            at = word.range.end.max(at + 1);
            pieces.push(Piece::Word(word));
        }
    }
    pieces
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

fn read_word(text: &[u8], start: usize, engine: Engine) -> Word {
    let mut word = Word {
        range: start..start,
        open: false,
        blanks: false,
    };
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' | b'\'' => {
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
