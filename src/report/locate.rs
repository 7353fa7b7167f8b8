//! Lines and columns of many places, without counting a long line again for each.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::line::{Line, cut};
use super::mask::maps;
use crate::model::Engine;
use crate::source::{Position, Source, SourceId, Sources, Span};

/// How far apart remembered columns of one line are.
const STEP: u32 = 16 * 1024;

/// How many lines are kept.
const REMEMBERED: usize = 64;

/// Finds lines and columns.
///
/// [`Source::position`] counts from the start of the line, which takes quadratic time where a whole
/// configuration is one line with thousands of findings. This one remembers columns on the way.
pub(crate) struct Locator<'a> {
    sources: &'a Sources,
    /// Columns at offsets inside long lines.
    columns: BTreeMap<(SourceId, u32), u32>,
    /// Lines read last, by file and offset: formats ask for the same ones again.
    lines: BTreeMap<(SourceId, usize, u32), Rc<Line>>,
    /// Secrets in the map blocks of nginx files.
    maps: BTreeMap<SourceId, Rc<[Range<usize>]>>,
}

/// A span with everything needed to show it.
pub(crate) struct Place {
    /// The file.
    pub(crate) source: Arc<Source>,
    /// The span, cut to the file.
    pub(crate) span: Span,
    /// Position of its first byte.
    pub(crate) start: Position,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            columns: BTreeMap::new(),
            lines: BTreeMap::new(),
            maps: BTreeMap::new(),
        }
    }

    /// The file and position of `span`.
    pub(crate) fn place(&mut self, span: Span) -> Place {
        let source = self.sources.get(span.source);
        let length = u32::try_from(source.bytes().len()).unwrap_or(u32::MAX);
        let span = Span {
            start: span.start.min(length),
            end: span.end.clamp(span.start.min(length), length),
            ..span
        };
        let start = self.position(&source, span.source, span.start);
        Place {
            source,
            span,
            start,
        }
    }

    /// The position behind the last byte of `place`.
    pub(crate) fn end(&mut self, place: &Place) -> Position {
        self.position(&place.source, place.span.source, place.span.end)
    }

    /// The line that `place` starts on, safe to show.
    pub(crate) fn line(&mut self, place: &Place, engine: Engine) -> Rc<Line> {
        self.line_at(place, place.start.line, place.span.start, engine)
    }

    /// Line `number` of the file of `place`; `mark` is the file offset that matters on it.
    pub(crate) fn line_at(
        &mut self,
        place: &Place,
        number: u32,
        mark: u32,
        engine: Engine,
    ) -> Rc<Line> {
        let id = place.span.source;
        let key = (id, cut(&place.source, number, mark).start, number);
        if let Some(line) = self.lines.get(&key) {
            return Rc::clone(line);
        }
        let maps = match engine {
            Engine::Haproxy => Rc::from([]),
            Engine::Nginx => Rc::clone(
                (self.maps.entry(id)).or_insert_with(|| maps::find(place.source.bytes()).into()),
            ),
        };
        let line = Rc::new(Line::read(&place.source, number, mark, engine, &maps));
        if self.lines.len() >= REMEMBERED {
            self.lines.clear();
        }
        self.lines.insert(key, Rc::clone(&line));
        line
    }

    fn position(&mut self, source: &Source, id: SourceId, offset: u32) -> Position {
        let line = source.line_of(offset);
        let line_start = source.line(line).map_or(0, |(start, _)| start);
        let (mut from, mut column) =
            match self.columns.range((id, line_start)..=(id, offset)).last() {
                Some((&(_, at), &column)) => (at, column),
                None => (line_start, 1),
            };
        while offset - from > STEP {
            let until = ascii_boundary(source, from + STEP, offset);
            column += chars(source, from, until);
            from = until;
            self.columns.insert((id, from), column);
        }
        column += chars(source, from, offset);
        Position { line, column }
    }
}

/// The first offset from `at` on, at most `limit`, where no multi-byte character can be in the
/// middle: counting the parts then gives the same as counting the whole.
fn ascii_boundary(source: &Source, at: u32, limit: u32) -> u32 {
    let bytes = source
        .bytes()
        .get(at as usize..limit as usize)
        .unwrap_or_default();
    match bytes.iter().position(u8::is_ascii) {
        Some(skip) => at + u32::try_from(skip).unwrap_or(0),
        None => limit,
    }
}

fn chars(source: &Source, start: u32, end: u32) -> u32 {
    let bytes = source
        .bytes()
        .get(start as usize..end as usize)
        .unwrap_or_default();
    u32::try_from(crate::source::count_chars(bytes)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_columns_equal_counted_ones() {
        let sources = Sources::default();
        let text = "ä\u{1f600}x ".repeat(20_000) + "\nend";
        let (id, source) = sources.add("x", text.into_bytes(), None);
        let mut locator = Locator::new(&sources);
        for offset in [0, 2, 6, 40_000, 100_003, 39_999, 99_000, 160_000, 160_002] {
            let place = locator.place(Span::new(id, offset, offset));
            assert_eq!(place.start, source.position(offset), "at {offset}");
        }
    }

    #[test]
    fn a_span_behind_the_end_is_cut_to_the_file() {
        let sources = Sources::default();
        let (id, _) = sources.add("x", b"a\n".to_vec(), None);
        let place = Locator::new(&sources).place(Span::new(id, 7, 9));
        assert_eq!((place.span.start, place.span.end), (2, 2));
        assert_eq!(place.start, Position { line: 2, column: 1 });
    }
}
