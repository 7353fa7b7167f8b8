//! Wraps prose at blanks.

use unicode_width::UnicodeWidthStr;

/// `text` in lines that fit `width` columns, `hanging` of which are taken on every line. A `width`
/// of 0 leaves the text alone; so does one that leaves too little room.
pub(crate) fn wrapped(text: &str, width: usize, hanging: usize) -> String {
    let room = width.saturating_sub(hanging);
    if width == 0 || room < 20 || text.width() <= room {
        return text.to_owned();
    }
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let width = word.width();
        if used > 0 && used + 1 + width > room {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += width;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_long_words_stay_whole() {
        let text = "one two threethreethreethreethree four five six seven";
        assert_eq!(
            wrapped(text, 24, 4),
            "one two\nthreethreethreethreethree\nfour five six seven"
        );
        assert_eq!(wrapped(text, 0, 4), text);
    }
}
