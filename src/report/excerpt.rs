//! The excerpt of a finding: the marked lines of the sources, drawn by `annotate-snippets`.
//!
//! Only the marked lines are handed to that crate, never a whole file, and only as safe text. It
//! would compute columns from that text; the true ones are put in afterwards at [`PLACE`].

use std::fmt::Write as _;
use std::rc::Rc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::Style;
use super::line::Line;
use super::locate::{Locator, Place};
use super::shown::plain;
use crate::finding::Severity;
use crate::model::Engine;

/// Stands for the path of an excerpt until the true place is put in; no safe text contains it.
const PLACE: char = '\u{e000}';
/// Marks of one file that are at most this many lines apart share one excerpt.
const NEAR: u32 = 40;

/// A place to mark.
pub(crate) struct Mark {
    /// Where.
    pub(crate) place: Place,
    /// Text beside the mark, safe.
    pub(crate) label: String,
}

/// The heading of a finding: its severity, rule and message, all safe.
pub(crate) struct Heading<'a> {
    pub(crate) severity: Severity,
    pub(crate) rule: &'a str,
    pub(crate) message: &'a str,
}

/// Draws the heading and below it the marks, the first of which is the primary one. Returns the text
/// and the width of its gutter.
pub(crate) fn draw(
    heading: &Heading<'_>,
    marks: &[Mark],
    engine: Engine,
    style: Style,
    locator: &mut Locator<'_>,
) -> (String, usize) {
    let windows = windows(marks, engine, locator);
    let level = match heading.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(heading.message).id(heading.rule);
    let snippets = windows.iter().map(Window::snippet);
    let group = Group::with_title(title).elements(snippets);
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let drawn = renderer.term_width(style.columns()).render(&[group]);
    let last = windows.iter().map(Window::last_line).max().unwrap_or(0);
    (with_places(&drawn, &windows), last.to_string().len())
}

/// Marked lines that are near each other.
struct Window<'a> {
    marks: Vec<(usize, &'a Mark)>,
    lines: Vec<Rc<Line>>,
}

/// Groups `marks` into windows, that of the primary mark first.
fn windows<'a>(marks: &'a [Mark], engine: Engine, locator: &mut Locator<'_>) -> Vec<Window<'a>> {
    let mut windows: Vec<Window<'a>> = Vec::new();
    for (index, mark) in marks.iter().enumerate() {
        match windows.iter_mut().find(|window| window.takes(mark)) {
            Some(window) => window.marks.push((index, mark)),
            None => windows.push(Window {
                marks: vec![(index, mark)],
                lines: Vec::new(),
            }),
        }
    }
    for window in &mut windows {
        window.read(engine, locator);
    }
    windows
}

impl Window<'_> {
    fn takes(&self, mark: &Mark) -> bool {
        self.marks.iter().all(|(_, other)| {
            other.place.span.source == mark.place.span.source
                && other.place.start.line.abs_diff(mark.place.start.line) <= NEAR
        })
    }

    /// Reads the marked lines, and those that stand alone between two of them: the crate shows them.
    fn read(&mut self, engine: Engine, locator: &mut Locator<'_>) {
        let mut marks: Vec<&Mark> = self.marks.iter().map(|(_, mark)| *mark).collect();
        marks.sort_by_key(|mark| (mark.place.start.line, mark.place.span.start));
        marks.dedup_by_key(|mark| mark.place.start.line);
        for Mark { place, .. } in marks {
            let number = place.start.line;
            if self.last_line() + 2 == number && !self.lines.is_empty() {
                self.lines
                    .push(locator.line_at(place, number - 1, 0, engine));
            }
            self.lines.push(locator.line(place, engine));
        }
    }

    fn last_line(&self) -> u32 {
        self.lines.last().map_or(0, |line| line.number)
    }

    /// The lines as one text, empty ones between them, and the marks at their places in it.
    fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        let mut text = String::new();
        let mut annotations = Vec::new();
        let first = self.lines.first().map_or(1, |line| line.number);
        let mut number = first;
        for line in &self.lines {
            while number < line.number {
                text.push('\n');
                number += 1;
            }
            let start = text.len();
            text.push_str(&line.shown().text);
            let here = |mark: &&(usize, &Mark)| mark.1.place.start.line == line.number;
            annotations.extend(self.marks.iter().filter(here).map(|(index, mark)| {
                let span = mark.place.span;
                let range = line.range(span.start, span.end);
                let kind = match index {
                    0 => AnnotationKind::Primary,
                    _ => AnnotationKind::Context,
                };
                let label = (!mark.label.is_empty()).then_some(mark.label.as_str());
                kind.span(start + range.start..start + range.end)
                    .label(label)
            }));
        }
        Snippet::source(text)
            .line_start(first as usize)
            .path(PLACE.to_string())
            .annotations(annotations)
    }

    /// `file:line:column` of the mark that comes first.
    fn place(&self) -> String {
        let mark = self.marks.iter().min_by_key(|(index, _)| *index);
        mark.map_or_else(String::new, |(_, mark)| {
            let Place { source, start, .. } = &mark.place;
            format!("{}:{}:{}", plain(source.name()), start.line, start.column)
        })
    }
}

/// Puts the true places where the crate wrote [`PLACE`] with its own line and column.
fn with_places(drawn: &str, windows: &[Window<'_>]) -> String {
    let mut parts = drawn.split(PLACE);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (part, window) in parts.zip(windows) {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        let _ = write!(text, "{}{rest}", window.place());
    }
    text
}
