//! Finds secrets in configuration text: passwords, tokens, keys, authorization and cookie values,
//! user info and query tokens of URLs.
//!
//! In: a piece of configuration (a line, a statement that spans lines, a fragment quoted in a
//! message), of either engine. Out: the runs of bytes that must not be shown. It works on words, not
//! on a syntax tree, because broken lines must not give a secret away either; in doubt it masks.

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
    if !patterns::may_hold_secret(text) {
        return Vec::new();
    }
    let mut found = Vec::new();
    patterns::find(text, &mut found);
    statement::find(text, 0, engine, 0, &mut found);
    merged(found)
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

/// Masks what a message quotes: the parts between backticks as configuration, and anywhere what is
/// known to be secret from the lines the message is about.
pub(crate) fn mask_message<'a>(message: &'a str, known: &[String], engine: Engine) -> Cow<'a, str> {
    let mut masked = Cow::Borrowed(message);
    if patterns::may_hold_secret(message.as_bytes()) {
        let parts: Vec<Cow<'_, str>> = (message.split('`').enumerate())
            .map(|(index, part)| match index % 2 {
                0 => Cow::Borrowed(part),
                _ => mask_text(part, engine),
            })
            .collect();
        if parts.iter().any(|part| matches!(part, Cow::Owned(_))) {
            masked = Cow::Owned(parts.join("`"));
        }
    }
    for secret in known {
        if masked.contains(secret.as_str()) {
            masked = Cow::Owned(masked.replace(secret.as_str(), MASK));
        }
    }
    masked
}

/// The secrets of a line as text that a message could repeat: as written, and with quotes and
/// escapes taken off. Very short ones are left out: they would mask half of any message.
pub(crate) fn known_secrets(line: &[u8], found: &[Range<usize>]) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for range in found {
        let written = String::from_utf8_lossy(line.get(range.clone()).unwrap_or_default());
        let is_mark = |c: char| matches!(c, '"' | '\'' | '\\');
        let trimmed = written.trim_matches(is_mark);
        let cooked: String = trimmed.chars().filter(|c| !is_mark(*c)).collect();
        for text in [written.trim(), trimmed, &cooked] {
            if text.chars().count() > 2 && !known.iter().any(|one| one == text) {
                known.push(text.to_owned());
            }
        }
        for word in cooked.split_whitespace().filter(|word| word.len() > 5) {
            known.push(word.to_owned());
        }
    }
    // Longest first, so that a part of a secret does not spoil the match of the whole.
    known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    known
}

fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
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
