//! Where a Lua block ends.
//!
//! In: the bytes behind the `{` of a `…_by_lua_block`. Out: the offset of its `}`. `OpenResty` reads
//! such a block with a Lua lexer of its own, so braces in strings and comments do not count.

use std::ops::Range;

/// The offset of the `}` that closes the block whose content starts at `start`.
pub(crate) fn block_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'{' => depth += 1,
            b'"' | b'\'' => at = string_end(bytes, at, byte),
            b'[' => at = long_bracket_end(bytes, at).unwrap_or(at),
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = comment_end(bytes, at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The content of every block of Lua in `bytes`, found without reading the rest of them.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<Range<usize>> {
    let name = b"_by_lua_block";
    let opened = memchr::memmem::find_iter(bytes, name).filter_map(|at| {
        let behind = at + name.len();
        let open = memchr::memchr2(b'{', b'\n', bytes.get(behind..)?)? + behind;
        (bytes.get(open) == Some(&b'{')).then_some(open + 1)
    });
    opened
        .filter_map(|start| Some(start..block_end(bytes, start)?))
        .collect()
}

/// Where a block that is never closed was most likely meant to end: at the first line behind `start`
/// that is a `}` indented like the line of the directive, which begins at `name`.
pub(crate) fn likely_end(bytes: &[u8], name: usize, start: usize) -> Option<usize> {
    let before = bytes.get(..name)?;
    let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let indent = before
        .get(line..)?
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let mut close = b"\n".to_vec();
    close.extend(before.get(line..line + indent)?);
    close.push(b'}');
    let found = memchr::memmem::find(bytes.get(start..)?, &close)?;
    Some(start + found + close.len() - 1)
}

/// The offset of the last byte of the string that opens at `at`. A Lua string ends with its line.
fn string_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            _ if byte == quote => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The offset of the last byte of `[[…]]` or `[=[…]=]`, when one opens at `at`.
fn long_bracket_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at + 1..)?;
    let level = rest.iter().take_while(|&&byte| byte == b'=').count();
    if rest.get(level) != Some(&b'[') {
        return None;
    }
    let mut close = vec![b'='; level + 2];
    *close.first_mut()? = b']';
    *close.last_mut()? = b']';
    let body = rest.get(level + 1..)?;
    let found = memchr::memmem::find(body, &close).unwrap_or(body.len());
    Some((at + 2 + level + found + close.len() - 1).min(bytes.len()))
}

/// The offset of the last byte of the comment whose `--` stands at `at`.
fn comment_end(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 2) == Some(&b'[')
        && let Some(end) = long_bracket_end(bytes, at + 2)
    {
        return end;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        for (text, end) in [
            ("}", Some(0)),
            ("{}}", Some(2)),
            ("'}' }", Some(4)),
            (r#""\"}" }"#, Some(6)),
            ("[[}]] }", Some(6)),
            ("[==[ ]] } ]==] }", Some(15)),
            ("-- }\n}", Some(5)),
            ("--[[ }\n]] }", Some(10)),
            ("--[=[ } ]=]}", Some(11)),
            ("a[1] = {2} }", Some(11)),
            ("{", None),
            ("'", None),
            ("[[", None),
            ("--", None),
        ] {
            assert_eq!(block_end(text.as_bytes(), 0), end, "{text}");
        }
    }
}
