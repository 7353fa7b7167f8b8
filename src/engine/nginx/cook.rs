//! What the quotes and escapes of a word stand for.
//!
//! In: a word as written. Out: its text as nginx passes it to a directive.

use std::borrow::Cow;

/// The text of a word as nginx passes it to a directive: without quotes, escapes resolved.
pub(crate) fn cook(raw: &[u8]) -> Cow<'_, [u8]> {
    let inner = unquote(raw);
    // Words are short: a search made for long texts would take longer to begin.
    let Some(first) = inner.iter().position(|&byte| byte == b'\\') else {
        return Cow::Borrowed(inner);
    };
    let mut text = inner.get(..first).unwrap_or_default().to_vec();
    let mut rest = inner.get(first..).unwrap_or_default();
    while let Some((&byte, tail)) = rest.split_first() {
        let (cooked, tail) = match (byte, tail.split_first()) {
            (b'\\', Some((&escaped, tail))) if matches!(escaped, b'"' | b'\'' | b'\\') => {
                (escaped, tail)
            }
            (b'\\', Some((b't', tail))) => (b'\t', tail),
            (b'\\', Some((b'r', tail))) => (b'\r', tail),
            (b'\\', Some((b'n', tail))) => (b'\n', tail),
            _ => (byte, tail),
        };
        text.push(cooked);
        rest = tail;
    }
    Cow::Owned(text)
}

fn unquote(raw: &[u8]) -> &[u8] {
    match raw.split_first() {
        Some((quote @ (b'"' | b'\''), inner)) => match inner.split_last() {
            Some((last, text)) if last == quote => text,
            _ => inner,
        },
        _ => raw,
    }
}
