//! Secrets that give themselves away wherever they stand, without looking at statements.

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::names::{is_sensitive_header, is_sensitive_parameter, is_trivial};

/// What gives a secret away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hint {
    /// A name, or the statement around it.
    Name,
    /// User and password of a URL.
    Url,
    /// The word before credentials.
    Scheme,
    /// The form of the secret itself.
    Form,
    /// A function that takes a key.
    Function,
}

/// Words without which no text holds a secret that this module knows; lower case.
const TRIGGERS: &[(Hint, &[&str])] = &[
    (
        Hint::Name,
        &[
            "pass",
            "pwd",
            "pw=",
            "secret",
            "token",
            "auth",
            "cookie",
            "key",
            "credential",
            "send",
            "sess",
            "sig",
            "sid",
            "sas",
            "hash",
            "md5",
            "code",
            "access",
            "psk",
            "otp",
            "pin",
            "env",
            "-h",
        ],
    ),
    (Hint::Url, &["://"]),
    (Hint::Scheme, &["bearer", "basic", "digest"]),
    (
        Hint::Form,
        &[
            "$1$", "$2", "$5$", "$6$", "$apr1$", "$y$", "akia", "ghp_", "gho_", "glpat-", "xox",
            "eyj", "sk_", "sk-",
        ],
    ),
    (Hint::Function, &["hmac", "aes", "jwt", "secure_memcmp"]),
];

/// Finds [`TRIGGERS`].
struct Searcher {
    words: AhoCorasick,
    /// What each of its words hints at.
    hints: Vec<Hint>,
}

fn searcher() -> Option<&'static Searcher> {
    static SEARCHER: OnceLock<Option<Searcher>> = OnceLock::new();
    let build = || {
        let each = |(hint, words): &(Hint, &'static [&'static str])| {
            let hint = *hint;
            words.iter().map(move |word| (*word, hint))
        };
        let (words, hints): (Vec<_>, Vec<_>) = TRIGGERS.iter().flat_map(each).unzip();
        let mut builder = AhoCorasick::builder();
        let words = builder.ascii_case_insensitive(true).build(words).ok()?;
        Some(Searcher { words, hints })
    };
    SEARCHER.get_or_init(build).as_ref()
}

/// A cheap test that most lines fail, so that most lines cost next to nothing.
pub(super) fn may_hold_secret(text: &[u8]) -> bool {
    searcher().is_none_or(|searcher| searcher.words.is_match(text))
}

/// What hints at secrets in `text`.
fn hints(text: &[u8]) -> impl Fn(Hint) -> bool {
    let found: Option<Vec<Hint>> = searcher().map(|searcher| {
        let found = searcher.words.find_overlapping_iter(text);
        let mut hints: Vec<Hint> = found
            .filter_map(|found| searcher.hints.get(found.pattern().as_usize()).copied())
            .collect();
        hints.sort_unstable();
        hints.dedup();
        hints
    });
    move |hint| found.as_ref().is_none_or(|found| found.contains(&hint))
}

/// Adds the secrets of `text` to `found`.
pub(super) fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let hinted = hints(text);
    pairs(text, found);
    if hinted(Hint::Url) {
        user_info(text, found);
    }
    if hinted(Hint::Form) {
        known_forms(text, found);
    }
    if hinted(Hint::Scheme) {
        schemes(text, found);
    }
    if hinted(Hint::Function) {
        functions(text, found);
    }
}

/// `scheme://user:password@host`.
fn user_info(text: &[u8], found: &mut Vec<Range<usize>>) {
    for at in memchr::memmem::find_iter(text, b"://") {
        let start = at + 3;
        let rest = text.get(start..).unwrap_or_default();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';');
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        let rest = rest.get(..end).unwrap_or_default();
        let host = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        // A password may hold a slash where somebody forgot to encode it: `user:a/b@host`.
        let colon = memchr::memchr(b':', rest);
        let authority = match (host, colon) {
            (Some(slash), Some(colon)) if colon < slash && !port_follows(rest, colon) => rest,
            (Some(slash), _) => rest.get(..slash).unwrap_or_default(),
            (None, _) => rest,
        };
        if let Some(sign) = memchr::memrchr(b'@', authority) {
            found.push(start..start + sign);
        }
    }
}

/// Whether what follows the colon is a port: digits up to a slash.
fn port_follows(rest: &[u8], colon: usize) -> bool {
    let rest = rest.get(colon + 1..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0
        && rest
            .get(digits)
            .is_none_or(|byte| matches!(byte, b'/' | b'?' | b'#'))
}

/// `name=value`, `name: value` and `"name":"value"`.
fn pairs(text: &[u8], found: &mut Vec<Range<usize>>) {
    for at in memchr::memchr2_iter(b'=', b':', text) {
        let Some(name) = name_before(text, at) else {
            continue;
        };
        let colon = text.get(at) == Some(&b':');
        let sensitive = if colon {
            colon_announces(text, at, name)
        } else {
            is_sensitive_parameter(name)
        };
        if !sensitive {
            continue;
        }
        let start = value_start(text, at + 1);
        let whole = colon && is_sensitive_header(name) && !quoted_name(text, at);
        let end = value_end(text, start, whole);
        push_value(text, start..end, found);
    }
}

/// `:` also separates hosts from ports and cache zones from sizes: a value counts as one only behind
/// a blank or a quote, or behind names that are never anything else.
fn colon_announces(text: &[u8], at: usize, name: &[u8]) -> bool {
    let blank_or_quote =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\' | b'$');
    let lower = name.to_ascii_lowercase();
    let never_a_host: &[&[u8]] = &[
        b"password",
        b"passwd",
        b"authorization",
        b"proxy-authorization",
        b"x-api-key",
        b"api_key",
        b"apikey",
        b"x-auth-token",
        b"set-cookie",
    ];
    is_sensitive_header(name)
        && (text.get(at + 1).is_some_and(blank_or_quote)
            || never_a_host.contains(&lower.as_slice()))
}

/// The name that ends before `at`, blanks, quotes and escapes between them allowed.
fn name_before(text: &[u8], at: usize) -> Option<&[u8]> {
    let before = text.get(..at)?;
    let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\');
    let skipped = before
        .iter()
        .rev()
        .take_while(|byte| between(byte))
        .take(4)
        .count();
    let before = before.get(..at - skipped)?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = before
        .iter()
        .rev()
        .take_while(|byte| is_name(byte))
        .take(129)
        .count();
    (length > 0).then(|| before.get(before.len() - length..))?
}

fn quoted_name(text: &[u8], at: usize) -> bool {
    matches!(
        at.checked_sub(1).and_then(|at| text.get(at)),
        Some(b'"' | b'\'')
    )
}

fn value_start(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let lead = |byte: &u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\');
    from + rest.iter().take_while(|byte| lead(byte)).take(8).count()
}

/// Where a value ends: at a delimiter, or for a `whole` one (the rest of a header) at the end of the
/// quoted string or line, escaped line ends included.
fn value_end(text: &[u8], start: usize, whole: bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        let next = rest.get(at + 1);
        let ends = match byte {
            b'\\' if whole && matches!(next, Some(b'r' | b'n')) => true,
            b'\\' if !matches!(next, Some(b'"' | b'\'')) => {
                at += 2;
                continue;
            }
            b'"' | b'\'' | b'\n' | b'\r' | b'`' => true,
            b'&' | b';' | b',' | b')' | b']' | b'}' | b' ' | b'\t' => !whole,
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    start + at.min(rest.len())
}

/// Adds a value unless it only refers to something or tells nothing.
pub(super) fn push_value(text: &[u8], range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let value = text.get(range.clone()).unwrap_or_default();
    if !is_trivial(value) && !is_reference(value) {
        found.push(range);
    }
}

/// Whether a value only names variables (`$http_authorization`, `%[req.hdr(x)]`, `"${TOKEN}"`) and
/// holds no constant beside the name of a scheme.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let text = text.trim_matches(|c| matches!(c, '"' | '\''));
    let scheme = ["Bearer", "Basic", "Token", "bearer", "basic"];
    let rest = scheme.iter().find_map(|scheme| text.strip_prefix(scheme));
    let mut rest = rest.unwrap_or(text).trim_start_matches([' ', '\\']);
    if rest.is_empty() {
        return true;
    }
    while !rest.is_empty() {
        match reference_length(rest) {
            Some(length) => rest = rest.get(length..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// The length of the reference that `text` starts with.
fn reference_length(text: &str) -> Option<usize> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(rest) = text.strip_prefix("${") {
        let end = rest.find('}')?;
        // `${NAME-default}` holds a constant.
        return rest.get(..end)?.chars().all(is_name).then_some(end + 3);
    }
    if let Some(rest) = text.strip_prefix('$') {
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let starts = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        return starts.then_some(length + 1);
    }
    let rest = text.strip_prefix("%[")?;
    let end = rest.find(']')?;
    let inside = rest.get(..end)?;
    let constant = [
        "str(", "bin(", "concat(", "hmac(", "aes_", "jwt_", "regsub(",
    ];
    (!constant.iter().any(|name| inside.contains(name))).then_some(end + 3)
}

/// The length of the shortest secret of a known form that has only characters of names.
pub(super) const SHORTEST_NAME: usize = 20;

/// Password hashes of crypt(3) and tokens that their issuers made recognisable.
pub(super) fn known_forms(text: &[u8], found: &mut Vec<Range<usize>>) {
    const FORMS: &[(&[u8], usize)] = &[
        (b"$1$", 8),
        (b"$2a$", 8),
        (b"$2b$", 8),
        (b"$2y$", 8),
        (b"$5$", 8),
        (b"$6$", 8),
        (b"$y$", 8),
        (b"$apr1$", 8),
        (b"AKIA", SHORTEST_NAME),
        (b"ghp_", SHORTEST_NAME),
        (b"gho_", SHORTEST_NAME),
        (b"glpat-", SHORTEST_NAME),
        (b"xoxb-", SHORTEST_NAME),
        (b"xoxp-", SHORTEST_NAME),
        (b"eyJ", 30),
        (b"sk_live_", SHORTEST_NAME),
        (b"sk-", 24),
    ];
    for (form, least) in FORMS {
        for start in memchr::memmem::find_iter(text, form) {
            let inside_word = start.checked_sub(1).and_then(|at| text.get(at));
            // `/$1$name` is a rewritten path.
            let joined =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'}' | b'.');
            if inside_word.is_some_and(joined) {
                continue;
            }
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_token(**byte)).count();
            if length >= *least {
                found.push(start..start + length);
            }
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'/' | b'=' | b'$' | b'~')
}

/// `Bearer xyz` and `Basic eHl6`, the blank escaped or not.
fn schemes(text: &[u8], found: &mut Vec<Range<usize>>) {
    let lower = text.to_ascii_lowercase();
    for scheme in [&b"bearer"[..], b"basic", b"digest"] {
        for at in memchr::memmem::find_iter(&lower, scheme) {
            let from = at + scheme.len();
            let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\\');
            let rest = text.get(from..).unwrap_or_default();
            let start = from + rest.iter().take_while(blank).count();
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_token(**byte)).count();
            let value = rest.get(..length).unwrap_or_default();
            if start > from && looks_random(value) && !is_reference(value) {
                found.push(start..start + length);
            }
        }
    }
}

/// Whether a word is more likely a token than prose: long enough, with digits, mixed case or padding.
fn looks_random(value: &[u8]) -> bool {
    let inner_upper = value.iter().skip(1).any(u8::is_ascii_uppercase);
    let lower = value.iter().any(u8::is_ascii_lowercase);
    value.len() >= 6
        && !value.starts_with(b"$")
        && (value.iter().any(u8::is_ascii_digit) || (inner_upper && lower) || value.ends_with(b"="))
}

/// Keys among the arguments of `hmac(…)`, `aes_gcm_dec(…)`, `jwt_verify(…)` and the like: everything
/// behind the first comma.
fn functions(text: &[u8], found: &mut Vec<Range<usize>>) {
    const NAMES: &[&[u8]] = &[
        b"hmac(",
        b"aes_gcm_dec(",
        b"aes_gcm_enc(",
        b"aes_cbc_dec(",
        b"aes_cbc_enc(",
        b"jwt_verify(",
        b"secure_memcmp(",
    ];
    for name in NAMES {
        for at in memchr::memmem::find_iter(text, name) {
            let start = at + name.len();
            let rest = text.get(start..).unwrap_or_default();
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b')' | b'\n'))
                .unwrap_or(rest.len());
            let inside = rest.get(..end).unwrap_or_default();
            let file = memchr::memmem::find(inside, b".pem").is_some();
            if let Some(comma) = memchr::memchr(b',', inside).filter(|_| !file) {
                found.push(start + comma + 1..start + end);
            }
        }
    }
}
