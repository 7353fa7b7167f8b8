//! Configuration text made safe to show, with a map of positions.
//!
//! In: bytes as they stand in a file and the runs of them that are secret. Out: text without
//! secrets, control characters, invalid UTF-8 or characters that reorder or hide others, and for
//! each byte offset the offset in that text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

/// What stands in the place of a secret. Its length says nothing about the secret's.
pub(crate) const MASK: &str = "***";

/// One line as it is shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The text.
    pub(crate) text: String,
    /// Pieces that differ from the input, in order: where they were and where they are.
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl Shown {
    /// Shows `bytes`, with the runs in `secrets` (sorted, not overlapping) masked.
    pub(crate) fn new(bytes: &[u8], secrets: &[Range<usize>]) -> Self {
        let mut shown = Self::default();
        let mut at = 0;
        for secret in secrets {
            shown.push_text(bytes, at..secret.start.max(at));
            if secret.end > at {
                shown.push_replaced(secret.start.max(at)..secret.end, MASK);
                at = secret.end;
            }
        }
        shown.push_text(bytes, at..bytes.len());
        shown
    }

    /// Where the byte at `offset` is shown; inside a replaced piece, where the piece starts.
    pub(crate) fn start_of(&self, offset: usize) -> usize {
        self.map(offset, |(_, shown)| shown.start)
    }

    /// Where text that ends before `offset` ends; inside a replaced piece, where the piece ends.
    pub(crate) fn end_of(&self, offset: usize) -> usize {
        self.map(offset, |(_, shown)| shown.end)
    }

    fn map(&self, offset: usize, inside: impl Fn(&(Range<usize>, Range<usize>)) -> usize) -> usize {
        let next = self.pieces.partition_point(|(was, _)| was.start < offset);
        let at = match next.checked_sub(1).and_then(|index| self.pieces.get(index)) {
            Some(piece) if offset < piece.0.end => inside(piece),
            Some((was, is)) => is.end + (offset - was.end),
            None => offset,
        };
        self.text.floor_char_boundary(at)
    }

    fn push_text(&mut self, bytes: &[u8], range: Range<usize>) {
        let mut at = range.start;
        for chunk in bytes.get(range).unwrap_or_default().utf8_chunks() {
            self.push_valid(chunk.valid(), at);
            at += chunk.valid().len();
            for byte in chunk.invalid() {
                self.push_replaced(at..at + 1, &format!("\\x{byte:02x}"));
                at += 1;
            }
        }
    }

    fn push_valid(&mut self, text: &str, start: usize) {
        let mut rest = text;
        while let Some(found) = rest.find(is_hidden) {
            let (before, after) = rest.split_at(found);
            self.text.push_str(before);
            let at = start + (text.len() - after.len());
            let mut chars = after.chars();
            if let Some(hidden) = chars.next() {
                self.push_replaced(at..at + hidden.len_utf8(), &visible(hidden));
            }
            rest = chars.as_str();
        }
        self.text.push_str(rest);
    }

    fn push_replaced(&mut self, was: Range<usize>, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push((was, start..self.text.len()));
    }
}

/// `text` with everything that a terminal would act on, reorder or hide made visible.
pub fn plain(text: &str) -> Cow<'_, str> {
    if is_printable_ascii(text) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            safe.push_str(&visible(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether nothing in `text` needs a second look: nearly all text is so, and its bytes tell.
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    let hides = |byte: u8| !byte.is_ascii() || byte.is_ascii_control();
    // Without a way out on the first one, many bytes are looked at together.
    !(text.bytes()).fold(false, |found, byte| found | hides(byte))
}

/// Whether a character must not be written to a terminal as it is: control characters, line and
/// paragraph separators, bidirectional controls, zero-width characters, tags, and the private-use
/// character that marks places in excerpts.
pub(crate) fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e000}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A tab is four columns of space; other ASCII controls get their control picture.
fn visible(c: char) -> String {
    match c {
        '\t' => "    ".to_owned(),
        '\u{7f}' => "\u{2421}".to_owned(),
        '\0'..='\x1f' => {
            let picture = char::from_u32(0x2400 + u32::from(c));
            picture.unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
        }
        _ => {
            let mut text = String::new();
            let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_shown_as_it_is() {
        let shown = Shown::new("größe 大".as_bytes(), &[]);
        assert_eq!(shown.text, "größe 大");
        assert_eq!(shown.start_of(4), 4);
    }

    #[test]
    fn offsets_follow_replaced_pieces() {
        let shown = Shown::new(b"\ta\xff\x1b[1m pw=x y", std::slice::from_ref(&(11..12)));
        assert_eq!(shown.text, "    a\\xff\u{241b}[1m pw=*** y");
        assert_eq!(&shown.text[shown.start_of(1)..shown.end_of(2)], "a");
        assert_eq!(&shown.text[shown.start_of(2)..shown.end_of(3)], "\\xff");
        assert_eq!(&shown.text[shown.start_of(11)..shown.end_of(12)], "***");
        assert_eq!(&shown.text[shown.start_of(13)..], "y");
    }

    #[test]
    fn text_that_reorders_or_hides_is_spelled_out() {
        assert_eq!(plain("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(plain("a\u{9b}31m\n"), "a\\u{9b}31m\u{240a}");
        assert!(matches!(plain("plain ä"), Cow::Borrowed(_)));
    }
}
