//! Which comments belong to which directive.
//!
//! In: the comments of a file and a directive of it. Out: the comment behind it, the lines above it,
//! those inside it.

use super::lex::{Range, offset};
use super::tree::{Directive, FileTree};
use crate::source::Span;

/// The comment of a simple directive: behind it on its line, else among its words, else the lines
/// right above it.
pub(crate) fn of_directive(directive: Directive<'_>) -> Option<Span> {
    if !directive.is_commented() && !directive.is_block() {
        return None;
    }
    let file = directive.file;
    let span = directive.span();
    // Comments are many: they are searched once.
    let from = file
        .comments
        .partition_point(|range| range.start < span.start);
    let later = file.comments.get(from..).unwrap_or_default();
    let inside = later
        .iter()
        .take_while(|range| range.start < directive.end());
    let next = from + inside.count();
    let first = later.first().filter(|range| range.start < span.end);
    behind(file, directive.end(), next)
        .or(first.copied())
        .or_else(|| above(file, span.start, from))
        .map(|range| file.span(range))
}

/// The comments of a block: the lines above its header, all inside, the one behind its `}`.
pub(crate) fn of_block(directive: Directive<'_>) -> Vec<Span> {
    let file = directive.file;
    let span = directive.span();
    let place = |at: u32| file.comments.partition_point(|range| range.start < at);
    let (from, to) = (place(span.start), place(span.end));
    let inside = file.comments.get(from..to).unwrap_or_default();
    let first = above(file, span.start, from).map(|range| file.span(range));
    let end = directive.end();
    let last = behind(file, end, place(end)).map(|range| file.span(range));
    let inside = inside.iter().map(|&range| file.span(range));
    first.into_iter().chain(inside).chain(last).collect()
}

/// The comment that follows `end` with nothing but blanks between; `next` is the first one behind it.
fn behind(file: &FileTree, end: u32, next: usize) -> Option<Range> {
    let comment = *file.comments.get(next)?;
    let gap = Range {
        start: end,
        end: comment.start,
    };
    // A long gap is not looked at byte by byte for every directive before it.
    (comment.start - end < 1024 && is_blank(gap.of(file.source.bytes()))).then_some(comment)
}

/// The lines right above the line of `start` that are comments and nothing else; `index` is the first
/// comment that is not before it.
fn above(file: &FileTree, start: u32, mut index: usize) -> Option<Range> {
    let bytes = file.source.bytes();
    let mut line = line_start(bytes, start)?;
    let mut found: Option<Range> = None;
    while let Some(comment) = index.checked_sub(1).and_then(|at| file.comments.get(at)) {
        let Some(own_line) = line_start(bytes, comment.start) else {
            break;
        };
        let gap = Range {
            start: comment.end,
            end: line,
        };
        let gap = gap.of(bytes);
        if gap != b"\n" && gap != b"\r\n" {
            break;
        }
        let end = found.map_or(comment.end, |found| found.end);
        found = Some(Range {
            start: comment.start,
            end,
        });
        line = own_line;
        index -= 1;
    }
    found
}

/// The start of the line of `at`, when there are only blanks before `at` on it.
fn line_start(bytes: &[u8], at: u32) -> Option<u32> {
    let before = bytes.get(..at as usize)?;
    let blanks = before
        .iter()
        .rev()
        .take_while(|&&byte| matches!(byte, b' ' | b'\t'))
        .count();
    let start = before.len() - blanks;
    let first = before.get(..start)?.last();
    matches!(first, None | Some(b'\n')).then(|| offset(start))
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}
