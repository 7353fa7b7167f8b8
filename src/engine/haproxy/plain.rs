//! The short way to the words of a line without quotes, escapes and variables, as nearly all are.
//!
//! In: the text of a file and where a line starts. Out: what [`super::lex`] makes of the line.

use super::lex::{MAX_WORDS, Outcome, to_u32};
use super::tree::Word;

/// Cuts a line without quotes, escapes and variables; `None` for one that needs more than this, as lines that
/// end in `\r\n` do.
///
/// Eight characters are looked at together, and of them only those that may be no part of a word.
pub(super) fn lex_plain<'s>(
    text: &'s str,
    start: usize,
    words: &mut Vec<Word<'s>>,
) -> Option<(Outcome, usize)> {
    let bytes = text.as_bytes();
    let first = words.len();
    let mut word = start;
    let mut at = start;
    let (comment, end) = 'line: loop {
        let eight = eight_from(bytes, at);
        let mut candidates = low_or_backslash(u64::from_le_bytes(eight));
        while candidates != 0 {
            let offset = candidates.trailing_zeros() as usize / 8;
            candidates &= candidates - 1;
            let byte = *eight.get(offset)?;
            if is_ordinary(byte) {
                continue;
            }
            let here = at + offset;
            if here > word {
                let value = text.get(word..here)?;
                words.push(Word::plain(value, to_u32(word)?, to_u32(here)?));
            }
            if byte == b' ' || byte == b'\t' {
                word = here + 1;
                continue;
            }
            match byte {
                b'\n' => break 'line (None, here),
                b'#' => break 'line (to_u32(here), end_of_line(bytes, here)),
                _ => {
                    words.truncate(first);
                    return None;
                }
            }
        }
        at += eight.len();
    };
    if words.len() - first > MAX_WORDS {
        words.truncate(first);
        return None;
    }
    let fault = None;
    Some((Outcome { comment, fault }, end))
}

/// The eight characters from `at` on; behind the end of the file stand line feeds.
fn eight_from(bytes: &[u8], at: usize) -> [u8; 8] {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some((eight, _)) = rest.split_first_chunk() {
        return *eight;
    }
    let mut eight = [b'\n'; 8];
    for (slot, byte) in eight.iter_mut().zip(rest) {
        *slot = *byte;
    }
    eight
}

/// Sets the highest bit of each of eight bytes that is below `(` or is a backslash: all that end a word are. A
/// byte that is neither may be marked too, but only behind one that is.
fn low_or_backslash(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below =
        |bytes: u64, least: u8| bytes.wrapping_sub(ONES * u64::from(least)) & !bytes & (ONES << 7);
    below(eight, b'(') | below(eight ^ (ONES * u64::from(b'\\')), 1)
}

/// Whether a character never ends a word, opens or closes a quote, or starts a variable or comment.
pub(super) fn is_ordinary(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | b'"' | b'\'' | b'\\' | b'#' | b'$')
}

/// Where the line feed behind `at` stands, or the end of the file.
pub(super) fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |length| at + length)
}
