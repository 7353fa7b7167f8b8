//! The short way to the words of a line without quotes, escapes and variables, as nearly all are.
//!
//! In: the text of a file and where a line starts. Out: what [`super::lex`] makes of the line.

use super::lex::{MAX_WORDS, Outcome, to_u32};
use super::tree::Word;

/// Cuts a line without quotes, escapes and variables; `None` for one that needs more than this.
pub(super) fn lex_plain<'s>(
    text: &'s str,
    start: usize,
    words: &mut Vec<Word<'s>>,
) -> Option<(Outcome, usize)> {
    let bytes = text.as_bytes();
    let first = words.len();
    let mut at = start;
    loop {
        while let Some(b' ' | b'\t') = bytes.get(at) {
            at += 1;
        }
        let start = at;
        at = end_of_ordinary(bytes, start);
        if at > start {
            let word = text.get(start..at)?;
            words.push(Word::plain(word, to_u32(start)?, to_u32(at)?));
        }
        let (comment, end) = match bytes.get(at) {
            Some(b' ' | b'\t') => continue,
            Some(b'#') => (to_u32(at), end_of_line(bytes, at)),
            Some(b'\n') | None => (None, at),
            Some(_) => break,
        };
        if words.len() - first > MAX_WORDS {
            break;
        }
        let fault = None;
        return Some((Outcome { comment, fault }, end));
    }
    words.truncate(first);
    None
}

/// Where the ordinary characters from `at` on end. Eight of them are looked at together: nearly all that are
/// ordinary are above `'` and are no backslash.
fn end_of_ordinary(bytes: &[u8], mut at: usize) -> usize {
    while let Some((eight, _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) {
        let rare = below_bracket_or_backslash(u64::from_le_bytes(*eight));
        if rare == 0 {
            at += 8;
            continue;
        }
        at += rare.trailing_zeros() as usize / 8;
        if !bytes.get(at).is_some_and(|&byte| is_ordinary(byte)) {
            return at;
        }
        at += 1;
    }
    while bytes.get(at).is_some_and(|&byte| is_ordinary(byte)) {
        at += 1;
    }
    at
}

/// Sets the highest bit of the first of eight bytes that is below `(` or is a backslash; bits above that one
/// mean nothing.
fn below_bracket_or_backslash(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below =
        |bytes: u64, least: u8| bytes.wrapping_sub(ONES * u64::from(least)) & !bytes & (ONES << 7);
    below(eight, b'(') | below(eight ^ (ONES * u64::from(b'\\')), 1)
}

/// Whether a character never ends a word, opens or closes a quote, or starts a variable or comment.
pub(super) fn is_ordinary(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing, reason = "checked when the constant is made")]
    const ORDINARY: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = b'!';
        while byte < u8::MAX {
            table[byte as usize] = !matches!(byte, b'"' | b'\'' | b'\\' | b'#' | b'$');
            byte += 1;
        }
        table[u8::MAX as usize] = true;
        table
    };
    ORDINARY.get(usize::from(byte)).copied().unwrap_or(false)
}

/// Where the line feed behind `at` stands, or the end of the file.
pub(super) fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |length| at + length)
}
