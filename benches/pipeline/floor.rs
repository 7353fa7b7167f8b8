//! The least that any program must do with a configuration: read the file, split it into words as quotes
//! and comments demand, and hash the first word of each line.

use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

/// Does that, and returns a number that depends on all of it.
pub(crate) fn floor(path: &Path) -> u64 {
    let bytes = std::fs::read(path).unwrap_or_default();
    let (mut words, mut sum) = (0, 0);
    for line in bytes.split(|&byte| byte == b'\n') {
        words += split(line, |first| {
            let mut hasher = DefaultHasher::new();
            hasher.write(first);
            sum ^= hasher.finish();
        });
    }
    words.wrapping_add(sum)
}

/// Splits one line; gives the first word to `first` and returns the number of words.
fn split(line: &[u8], first: impl FnOnce(&[u8])) -> u64 {
    let mut first = Some(first);
    let (mut count, mut at) = (0, 0);
    while at < line.len() {
        if line[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if line[at] == b'#' {
            break;
        }
        let end = end_of_word(line, at);
        if let Some(first) = first.take() {
            first(&line[at..end]);
        }
        count += 1;
        at = end;
    }
    count
}

fn end_of_word(line: &[u8], from: usize) -> usize {
    let (mut at, mut quote) = (from, 0);
    while at < line.len() {
        match line[at] {
            b'\\' => at += 1,
            byte if byte == quote => quote = 0,
            byte @ (b'"' | b'\'') if quote == 0 => quote = byte,
            byte if quote == 0 && byte.is_ascii_whitespace() => break,
            _ => {}
        }
        at += 1;
    }
    at.min(line.len())
}
