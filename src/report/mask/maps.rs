//! Secrets in nginx `map` and `geo` blocks: the entries of `map $http_x_api_key $client { … }` are
//! keys, though nothing on their own line says so.

use std::ops::Range;

use super::merged;
use super::names::{is_sensitive_header, is_trivial};
use super::patterns::is_reference;
use super::words::{Piece, Reading, Word, split};
use crate::model::Engine;

/// A block that is longer than this is looked at up to here.
const LONGEST: usize = 1 << 18;

/// Words in a block that are no entry.
const SPECIAL: [&[u8]; 6] = [
    b"default",
    b"hostnames",
    b"volatile",
    b"include",
    b"ranges",
    b"delete",
];

/// The secrets in the blocks of a whole nginx file.
pub(crate) fn find(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for word in [b"map", b"geo"] {
        let mut from = 0;
        for at in memchr::memmem::find_iter(text, word) {
            if at >= from && starts_directive(text, at) {
                let end = text.len().min(at + LONGEST);
                let block = text.get(at..end).unwrap_or_default();
                from = at + read_block(block, at, &mut found);
            }
        }
    }
    merged(found)
}

/// Whether the three letters at `at` are a word that can begin a directive.
fn starts_directive(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    before.is_none_or(|byte| byte.is_ascii_whitespace() || b";{}".contains(byte))
        && text.get(at + 3).is_some_and(u8::is_ascii_whitespace)
}

/// Reads one block, which starts at `offset` of the file. Returns the length of what was read.
fn read_block(text: &[u8], offset: usize, found: &mut Vec<Range<usize>>) -> usize {
    let mut pieces = split(text, Engine::Nginx, Reading::Exact);
    let word = |word: &Word| text.get(word.range.clone()).unwrap_or_default();
    let mut head: Vec<&[u8]> = Vec::new();
    loop {
        match pieces.next() {
            Some(Piece::Word(next)) if head.len() < 3 => head.push(word(&next)),
            Some(Piece::End(b'{')) if head.len() > 1 => break,
            _ => return 0,
        }
    }
    let keys = head.len() == 3 && head.get(1).is_some_and(|name| is_sensitive_header(name));
    let values = head.last().is_some_and(|name| is_sensitive_header(name));
    if !keys && !values {
        return 0;
    }
    let mut entry: Vec<Word> = Vec::new();
    let mut in_comment = false;
    let mut read = 0;
    for piece in pieces {
        match piece {
            Piece::Word(_) if in_comment => {}
            Piece::Word(next) => {
                read = next.range.end;
                entry.push(next);
            }
            Piece::End(byte @ (b'#' | b'\n')) => in_comment = byte == b'#',
            Piece::End(_) if in_comment => {}
            Piece::End(byte) => {
                let special = (entry.first()).is_some_and(|first| SPECIAL.contains(&word(first)));
                for (part, secret) in entry.drain(..).zip([keys && !special, values]) {
                    if secret && !is_trivial(word(&part)) && !is_reference(word(&part)) {
                        found.push(offset + part.range.start..offset + part.range.end);
                    }
                }
                if byte == b'}' {
                    break;
                }
            }
        }
    }
    read
}
