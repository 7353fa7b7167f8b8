//! Text from a configuration in Markdown: it shows as it is, and nothing in it becomes a link, a
//! mention, markup or the end of a table cell.

use std::fmt::Write as _;

use crate::report::shown::plain;

/// A message: the parts between backticks as code, the rest as prose.
pub(in crate::report) fn message(text: &str) -> String {
    let text = plain(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A name with a backtick in it: which part is quoted cannot be told.
        return prose(&text);
    }
    let shown = parts.iter().enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            code(part)
        } else {
            prose(part)
        }
    });
    shown.collect()
}

/// A name as code.
pub(in crate::report) fn code(text: &str) -> String {
    let text = plain(text);
    if text.is_empty() {
        return String::new();
    }
    let is_simple = !text.contains(['`', '\\', '|']) && !text.trim().is_empty();
    if is_simple && !text.starts_with(' ') && !text.ends_with(' ') {
        return format!("`{text}`");
    }
    // A code span has no escapes; as an element every character can be written as an entity.
    let mut element = String::from("<code>");
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(element, "&#{};", u32::from(c));
        } else {
            element.push(c);
        }
    }
    element + "</code>"
}

/// Words.
pub(super) fn prose(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // The comment parts the sign from the name without being seen.
            '@' => safe.push_str("@<!-- -->"),
            // Addresses become links without any markup; the colon as an entity prevents it.
            ':' => safe.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '!' | '&' => {
                safe.push('\\');
                safe.push(c);
            }
            _ => safe.push(c),
        }
    }
    safe.replace("&#58; ", ": ").replace("www.", "www<!-- -->.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_the_rest_is_prose() {
        assert_eq!(
            message("server `a_b` of `x|y`: 3*4"),
            "server `a_b` of <code>x&#124;y</code>: 3\\*4"
        );
    }

    #[test]
    fn a_name_with_a_backtick_ends_no_code() {
        assert_eq!(
            message("server `a`b` [x](http://y) @ops"),
            "server \\`a\\`b\\` \\[x\\](http&#58;//y) @<!-- -->ops"
        );
        assert_eq!(code("a`<b>"), "<code>a&#96;&#60;b&#62;</code>");
    }
}
