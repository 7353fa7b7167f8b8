//! Environment variables in nginx files, as `envsubst` puts them in before nginx starts: so does the
//! official image with `templates/*.template`.
//!
//! In: bytes and the values that are known. Out: the bytes with these in the place of `$NAME` and
//! `${NAME}`. What has no value stays, as the image leaves it. Names with small letters are left alone:
//! variables of nginx have them, `$http_proxy` too.

use crate::engine::Environment;

/// `bytes` with known values in place.
pub(crate) fn rendered(bytes: Vec<u8>, environment: &Environment) -> Vec<u8> {
    if environment.values.is_empty() {
        return bytes;
    }
    let mut text: Vec<u8> = Vec::new();
    let mut copied = 0;
    for at in memchr::memchr_iter(b'$', &bytes) {
        let Some((name, length)) = name(bytes.get(at + 1..).unwrap_or_default()) else {
            continue;
        };
        let Some(value) = environment.values.get(name) else {
            continue;
        };
        text.extend(bytes.get(copied..at).unwrap_or_default());
        text.extend(value.as_bytes());
        copied = at + 1 + length;
    }
    text.extend(bytes.get(copied..).unwrap_or_default());
    text
}

/// The name at the start of `text`, in braces or not, and the length that it takes.
fn name(text: &[u8]) -> Option<(&str, usize)> {
    let braced = text.first() == Some(&b'{');
    let inside = text.get(usize::from(braced)..)?;
    let is_part = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let end = inside.iter().position(|byte| !is_part(byte));
    let length = end.unwrap_or(inside.len());
    let closes = inside.get(length) == Some(&b'}');
    let goes_on = inside.get(length).is_some_and(u8::is_ascii_lowercase);
    if length == 0 || (braced && !closes) || goes_on {
        return None;
    }
    let name = std::str::from_utf8(inside.get(..length)?).ok()?;
    Some((name, length + if braced { 2 } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_replaced_and_variables_of_nginx_stay() {
        let values = [
            ("HOST", "a"),
            ("PORT", "80"),
            ("http_proxy", "no"),
            ("H", "no"),
        ];
        let environment = Environment {
            values: values.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            given: true,
        };
        for (text, expected) in [
            ("server ${HOST}:$PORT;", "server a:80;"),
            ("$HOST$PORT", "a80"),
            (
                "$HOSTNAME ${OTHER} $host ${http_proxy} $http_proxy",
                "$HOSTNAME ${OTHER} $host ${http_proxy} $http_proxy",
            ),
            ("$Host ${HOST", "$Host ${HOST"),
            ("$ $$ ${} $", "$ $$ ${} $"),
            ("\u{fc}${HOST}\u{fc}", "\u{fc}a\u{fc}"),
        ] {
            assert_eq!(
                rendered(text.as_bytes().to_vec(), &environment),
                expected.as_bytes()
            );
        }
    }
}
