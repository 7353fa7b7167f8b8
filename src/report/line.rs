//! One line of a source as it may be shown.
//!
//! In: a source, the number of a line and the part of it that matters. Out: safe text with the map
//! from file offsets to it. Of a very long line only a part around the marks is looked at.

use std::ops::Range;

use super::mask::{known_secrets, secrets};
use super::shown::Shown;
use crate::model::Engine;
use crate::source::Source;

/// Longer lines are cut to this many bytes around the first mark.
const LONGEST: usize = 4096;
/// How far before a line or a cut a statement may start that makes the line's words secret.
const CONTEXT: usize = 4096;
/// The same in lines.
const CONTEXT_LINES: u32 = 8;

/// A line made safe.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// What is shown of it.
    pub(crate) shown: Shown,
    /// The secrets on it that a message could repeat.
    pub(crate) secrets: Vec<String>,
    /// File offset where the shown part starts.
    start: usize,
    /// Length of the shown part in the file.
    length: usize,
}

impl Line {
    /// Reads line `number` of `source`, whose marks start at the file offset `mark`.
    pub(crate) fn read(source: &Source, number: u32, mark: u32, engine: Engine) -> Self {
        let (start, text) = source.line(number).unwrap_or_default();
        let start = start as usize;
        let cut = cut_around(text, (mark as usize).saturating_sub(start));
        let (cut_start, cut_end) = (start + cut.start, start + cut.end);
        let from = context_start(source, number, cut_start, engine);
        let scanned = source.bytes().get(from..cut_end).unwrap_or_default();
        let skip = cut_start - from;
        let found: Vec<Range<usize>> = (secrets(scanned, engine).into_iter())
            .filter(|range| range.end > skip)
            .map(|range| range.start.saturating_sub(skip)..range.end - skip)
            .collect();
        let bytes = source.bytes().get(cut_start..cut_end).unwrap_or_default();
        Self {
            number,
            shown: Shown::new(bytes, &found),
            secrets: known_secrets(bytes, &found),
            start: cut_start,
            length: bytes.len(),
        }
    }

    /// Where the file's bytes from `start` to `end` are shown, cut to the line.
    pub(crate) fn range(&self, start: u32, end: u32) -> Range<usize> {
        let within = |offset: u32| {
            (offset as usize)
                .saturating_sub(self.start)
                .min(self.length)
        };
        let start = self.shown.start_of(within(start));
        start..self.shown.end_of(within(end)).max(start)
    }
}

/// The part of `text` that is looked at when the mark starts at byte `mark`.
fn cut_around(text: &[u8], mark: usize) -> Range<usize> {
    if text.len() <= LONGEST {
        return 0..text.len();
    }
    let start = mark.min(text.len()).saturating_sub(LONGEST / 2);
    let end = (start + LONGEST).min(text.len());
    boundary(text, start)..boundary(text, end)
}

/// Moves `at` back to the start of a UTF-8 character, if it is in one.
fn boundary(text: &[u8], at: usize) -> usize {
    let continues = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|at| !continues(at))
        .unwrap_or(at)
}

/// Where to start looking for the words that make those of the cut secret: before the cut on the
/// same line; for nginx, whose statements span lines, also on the lines before.
fn context_start(source: &Source, number: u32, cut_start: usize, engine: Engine) -> usize {
    let floor = cut_start.saturating_sub(CONTEXT);
    let mut from = source
        .line(number)
        .map_or(0, |(start, _)| start as usize)
        .max(floor);
    if engine == Engine::Haproxy {
        return from;
    }
    for before in (number.saturating_sub(CONTEXT_LINES).max(1)..number).rev() {
        let Some((start, text)) = source.line(before) else {
            break;
        };
        let text = text.trim_ascii_end();
        if text.ends_with(b";") || text.ends_with(b"{") || text.ends_with(b"}") {
            break;
        }
        if (start as usize) < floor {
            break;
        }
        from = start as usize;
    }
    from
}
