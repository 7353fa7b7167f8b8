//! Keys of HAProxy's own hash algorithms (`backend.c`).

use super::Request;

/// `get_server_uh`: the target up to the query, or less.
pub(super) fn uri(target: &str, len: Option<u32>, depth: Option<u32>, whole: bool) -> &[u8] {
    let bytes = target.as_bytes();
    let limit = len.map_or(bytes.len(), |len| bytes.len().min(len as usize));
    let mut slashes = 0;
    let end = bytes.iter().take(limit).position(|byte| match byte {
        b'/' => {
            slashes += 1;
            depth.is_some_and(|depth| slashes == depth.saturating_add(1))
        }
        b'?' => !whole,
        _ => false,
    });
    bytes.get(..end.unwrap_or(limit)).unwrap_or(bytes)
}

/// `get_server_ph`: the first parameter of this exact name; its value is not decoded.
pub(super) fn url_param<'r>(target: &'r str, name: &str) -> Option<&'r str> {
    let (_, query) = target.split_once('?')?;
    let mut parts = query.split('&');
    parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// `get_server_hh`: the first element of the first header of this name; none when it is empty.
pub(super) fn header<'r>(
    request: &'r Request,
    name: &'r str,
    domain_only: bool,
) -> Option<&'r str> {
    header_value(request.header(name).next()?, domain_only)
}

/// The part of a header line that is hashed.
pub(super) fn header_value(line: &str, domain_only: bool) -> Option<&str> {
    let value = elements(line).next().filter(|value| !value.is_empty())?;
    Some(if domain_only { domain(value) } else { value })
}

/// `smp_fetch_rdp_cookie`: the value of the cookie; its name is compared without case.
pub(super) fn rdp_cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let (other, value) = request.rdp_cookie.as_ref()?;
    other.eq_ignore_ascii_case(name).then_some(value.as_str())
}

/// `smp_fetch_cookie`: the last cookie of this name. Commas end cookies too, as in other headers.
pub(super) fn cookie<'r>(request: &'r Request, name: &'r str) -> Option<&'r str> {
    let parts = request.header("cookie").flat_map(elements);
    parts
        .flat_map(|part| cookies(part, name))
        .last()
        .map(|value| value.trim_matches([' ', '\t']))
}

/// `http_extract_cookie_value`: the values of the cookies of this name. A last one without a value
/// is not found where nothing else, not even a space, stands around its name.
fn cookies<'r>(part: &'r str, name: &'r str) -> impl Iterator<Item = &'r str> {
    let mut at = 0;
    unquoted(part, ';').filter_map(move |cookie| {
        let behind = part.len() - at;
        at += cookie.len() + 1;
        let (key, value) = cookie.split_once('=')?;
        let named = key.trim_matches([' ', '\t']) == name;
        (named && behind > name.len() + 1).then_some(value)
    })
}

/// The label before the last dot; all of it without a dot. As `get_server_hh` looks for it: a dot in
/// front of everything does not count, and of two dots in a row the first belongs to the label.
fn domain(value: &str) -> &str {
    let end = value.rfind('.').unwrap_or(0);
    let Some(before) = value.get(..end).filter(|before| !before.is_empty()) else {
        return value;
    };
    let inner = before.strip_suffix('.').unwrap_or(before);
    let start = inner.rfind('.').map_or(0, |dot| dot + 1);
    before.get(start..).unwrap_or(before)
}

/// The comma-separated elements of a header line, trimmed (`http_find_hdr_value_end`).
pub(super) fn elements(line: &str) -> impl Iterator<Item = &str> {
    unquoted(line, ',').map(|element| element.trim_matches([' ', '\t']))
}

/// The parts between separators; quoted ones do not separate.
fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |char: char| {
        let separates = char == separator && !quoted;
        if escaped {
            escaped = false;
        } else if char == '\\' && quoted {
            escaped = true;
        } else if char == '"' {
            quoted = !quoted;
        }
        separates
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uri_stops_at_query_length_and_depth() {
        let target = "/a/b/c/d?x=/y";
        assert_eq!(uri(target, None, None, false), b"/a/b/c/d");
        assert_eq!(uri(target, None, None, true), target.as_bytes());
        assert_eq!(uri(target, None, Some(2), false), b"/a/b");
        assert_eq!(uri(target, Some(6), Some(3), false), b"/a/b/c");
        assert_eq!(uri(target, Some(3), None, false), b"/a/");
    }

    #[test]
    fn url_param_needs_its_exact_name() {
        assert_eq!(url_param("/?kk=1&k=2&k=3", "k"), Some("2"));
        assert_eq!(url_param("/?K=1", "k"), None);
        assert_eq!(url_param("/?k=&k=1", "k"), Some(""));
        assert_eq!(url_param("/k=1", "k"), None);
    }

    #[test]
    fn domain_only_takes_the_label_before_the_last_dot() {
        assert_eq!(domain("a.example.co.uk:8080"), "co");
        assert_eq!(domain("example.com"), "example");
        assert_eq!(domain("localhost"), "localhost");
        assert_eq!(domain(".hidden"), ".hidden");
        assert_eq!(domain(".a.b"), "a");
        assert_eq!(domain("x.a..b"), "a.");
    }

    #[test]
    fn quoted_commas_do_not_separate() {
        let all: Vec<&str> = elements(r#"q, a::bb ,"z,y" "#).collect();
        assert_eq!(all, ["q", "a::bb", "\"z,y\""]);
    }
}
