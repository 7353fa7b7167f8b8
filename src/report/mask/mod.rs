//! Finds secrets in configuration text: passwords, tokens, keys, authorization and cookie values,
//! user info and query tokens of URLs.
//!
//! In: a piece of configuration (a line, a statement that spans lines, a fragment quoted in a
//! message), of either engine. Out: the runs of bytes that must not be shown. It works on words, not
//! on a syntax tree, because broken lines must not give a secret away either; in doubt it masks.

pub(crate) mod maps;
mod names;
mod patterns;
mod statement;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use crate::model::Engine;
use crate::report::shown::MASK;

/// Whether what a variable, header or parameter of this name holds is a secret.
pub(crate) fn is_sensitive_name(name: &str) -> bool {
    names::is_sensitive_header(name.as_bytes())
}

/// The secrets in `text`, sorted and without overlaps.
pub(crate) fn secrets(text: &[u8], engine: Engine) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if is_name(text) {
        // There is nothing whose value it could be: a name is secret by its own form or not at all.
        if text.len() >= patterns::SHORTEST_NAME {
            patterns::known_forms(text, &mut found);
        }
        return merged(found);
    }
    if !patterns::may_hold_secret(text) {
        return found;
    }
    patterns::find(text, &mut found);
    statement::find(text, engine, &mut found);
    if engine == Engine::Nginx {
        found.extend(maps::find(text));
    }
    merged(found)
}

/// Whether `text` is one word of letters, digits and what joins them in names.
fn is_name(text: &[u8]) -> bool {
    (text.iter()).all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// `text` (a value of the configuration, or a message that quotes some) without secrets.
///
/// Control characters are left to the output format.
pub fn mask_text(text: &str, engine: Engine) -> Cow<'_, str> {
    let found = secrets(text.as_bytes(), engine);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for range in found {
        masked.push_str(text.get(at..range.start).unwrap_or_default());
        masked.push_str(MASK);
        at = range.end;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Masks what a message quotes: the parts between backticks as configuration, and what is `known` to
/// be secret from the lines the message is about; of that, short words between backticks only.
pub(crate) fn mask_message<'a>(message: &'a str, known: &[String], engine: Engine) -> Cow<'a, str> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let is_clean = |part: &str| secrets(part.as_bytes(), engine).is_empty();
    if known.is_empty() && quoted.all(is_clean) {
        return Cow::Borrowed(message);
    }
    let mut masked = String::with_capacity(message.len());
    for (index, part) in message.split('`').enumerate() {
        let quoted = index % 2 == 1;
        let mut part = if quoted {
            mask_text(part, engine)
        } else {
            Cow::Borrowed(part)
        };
        for secret in known {
            if secret.len() >= LONG || quoted && has_word(&part, secret) {
                part = part.replace(secret.as_str(), MASK).into();
            }
        }
        if index > 0 {
            masked.push('`');
        }
        masked.push_str(&part);
    }
    Cow::Owned(masked)
}

/// A secret of this many bytes is masked wherever it occurs; a shorter one could be a part of prose.
const LONG: usize = 6;

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !inside(before) && !inside(after)
    })
}

/// The secrets of a line as text that a message could repeat: as written, with quotes and escapes
/// taken off, and word by word.
pub(crate) fn known_secrets(line: &[u8], found: &[Range<usize>]) -> Vec<String> {
    let is_mark = |c: char| matches!(c, '"' | '\'' | '\\');
    let mut known: Vec<String> = Vec::new();
    for range in found {
        let written = String::from_utf8_lossy(line.get(range.clone()).unwrap_or_default());
        let trimmed = written.trim_matches(is_mark);
        let cooked: String = trimmed.chars().filter(|c| !is_mark(*c)).collect();
        let whole = [written.trim(), trimmed, &cooked];
        let words = cooked.split(|c: char| c.is_whitespace() || c == ';');
        let texts = whole.into_iter().chain(words);
        known.extend(texts.filter(|text| !text.is_empty()).map(str::to_owned));
    }
    // Longest first, so that a part of a secret does not spoil the match of the whole.
    known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    known.dedup();
    known
}

/// Sorts `found` and joins what overlaps.
pub(crate) fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.retain(|range| range.start < range.end);
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
