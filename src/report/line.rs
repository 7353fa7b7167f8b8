//! One line of a source as it may be shown.
//!
//! In: a source, the number of a line and the part of it that matters. Out: safe text with the map
//! from file offsets to it. Of a very long line only a part around the marks is looked at.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::mask::{known_secrets, merged, secrets};
use super::shown::Shown;
use crate::model::Engine;
use crate::source::Source;

/// Longer lines are cut to this many bytes around the first mark.
const LONGEST: usize = 1024;
/// How far before a line or a cut a statement may start that makes the line's words secret.
const CONTEXT: usize = 4096;
/// The same in lines.
const CONTEXT_LINES: u32 = 8;

/// A line made safe.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// The secrets on it that a message could repeat.
    pub(crate) secrets: Vec<String>,
    source: Arc<Source>,
    /// The part of the file that is shown.
    cut: Range<usize>,
    /// What is secret of it.
    found: Vec<Range<usize>>,
    shown: OnceCell<Shown>,
}

impl Line {
    /// Reads line `number` of `source`, whose marks start at the file offset `mark`. `in_maps` are
    /// the secrets in the source's map blocks.
    pub(super) fn read(
        source: &Arc<Source>,
        number: u32,
        mark: u32,
        engine: Engine,
        in_maps: &[Range<usize>],
    ) -> Self {
        let cut = cut(source, number, mark);
        let mut found = scan(
            source,
            context_start(source, number, cut.start, engine),
            &cut,
            engine,
        );
        if let Some(from) = broken_before(source, number).filter(|_| engine == Engine::Haproxy) {
            // Read on as if the quote went on: the rest of a secret may stand here.
            found.extend(scan(source, from, &cut, Engine::Nginx));
        }
        let first = in_maps.partition_point(|range| range.end <= cut.start);
        let in_maps = in_maps
            .iter()
            .skip(first)
            .take_while(|range| range.start < cut.end);
        found.extend(in_maps.map(|range| {
            range.start.saturating_sub(cut.start)..range.end.min(cut.end) - cut.start
        }));
        let found = merged(found);
        let bytes = source.bytes().get(cut.clone()).unwrap_or_default();
        Self {
            number,
            secrets: known_secrets(bytes, &found),
            source: Arc::clone(source),
            cut,
            found,
            shown: OnceCell::new(),
        }
    }

    /// What is shown of it.
    pub(crate) fn shown(&self) -> &Shown {
        self.shown.get_or_init(|| {
            let bytes = self.source.bytes().get(self.cut.clone());
            Shown::new(bytes.unwrap_or_default(), &self.found)
        })
    }

    /// Where the file's bytes from `start` to `end` are shown, cut to the line.
    pub(crate) fn range(&self, start: u32, end: u32) -> Range<usize> {
        let within = |offset: u32| {
            (offset as usize)
                .saturating_sub(self.cut.start)
                .min(self.cut.len())
        };
        let shown = self.shown();
        let start = shown.start_of(within(start));
        start..shown.end_of(within(end)).max(start)
    }
}

/// The part of the file that is shown of line `number` when its first mark starts at `mark`.
///
/// Cuts of a long line start at multiples of half their length, so that neighbouring marks share one.
pub(super) fn cut(source: &Source, number: u32, mark: u32) -> Range<usize> {
    let (start, text) = source.line(number).unwrap_or_default();
    let start = start as usize;
    if text.len() <= LONGEST {
        return start..start + text.len();
    }
    let mark = (mark as usize).saturating_sub(start).min(text.len());
    let from = (mark / (LONGEST / 2)).saturating_sub(1) * (LONGEST / 2);
    let until = (from + 2 * LONGEST).min(text.len());
    start + boundary(text, from)..start + boundary(text, until)
}

/// The secrets between `from` and the end of `cut`, as far as they are in `cut`, relative to it.
fn scan(source: &Source, from: usize, cut: &Range<usize>, engine: Engine) -> Vec<Range<usize>> {
    let text = source.bytes().get(from..cut.end).unwrap_or_default();
    let skip = cut.start - from;
    let found = secrets(text, engine)
        .into_iter()
        .filter(|range| range.end > skip);
    found
        .map(|range| range.start.saturating_sub(skip)..range.end - skip)
        .collect()
}

/// Where the line before `number` starts, if it has a quote that is not closed.
fn broken_before(source: &Source, number: u32) -> Option<usize> {
    let (start, text) = source.line(number.checked_sub(1)?)?;
    let open = |quote| memchr::memchr_iter(quote, text).count() % 2 == 1;
    (text.len() <= CONTEXT && (open(b'"') || open(b'\''))).then_some(start as usize)
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
