//! The syntax tree of one file, or of the part at hand: lines with their words, comments and conditional block.
//!
//! In: what [`super::parse`] found. Out: lines for lowering. Words are spans into the source and their text
//! there; only those with quotes, escapes or variables have text of their own. Nothing is dropped: unknown
//! directives are lines like any other.

use crate::model::Text;
use crate::source::{Source, SourceId, Span};

/// Marks "none" in the compact fields below.
const NONE: u32 = u32::MAX;

/// One word of a line as HAProxy's `parse_line` cuts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'s> {
    /// Its source text where that is its value.
    text: &'s str,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index into [`Tree::cooked`], or `NONE` where the source text is the value.
    cooked: u32,
}

impl<'s> Word<'s> {
    /// A word whose value is its source text.
    pub(super) fn plain(text: &'s str, start: u32, end: u32) -> Self {
        Self {
            text,
            start,
            end,
            cooked: NONE,
        }
    }

    /// A word whose value differs from its source text.
    pub(super) fn cooked(start: u32, end: u32, index: usize) -> Self {
        Self {
            text: "",
            start,
            end,
            cooked: u32::try_from(index).unwrap_or(NONE),
        }
    }
}

/// The value of a word that is not its source text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cooked {
    /// The value. Variables of unknown value are left as written.
    pub(super) text: Text,
    /// Holds a variable whose value is not known.
    pub(super) opaque: bool,
    /// The first variable in it and what is known about it.
    pub(super) variable: Option<Variable>,
    /// Nothing but variables between its quotes: it is empty when they are.
    pub(super) only_variables: bool,
}

/// A variable used in a word.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Its name.
    pub(super) name: Text,
    /// Whether it may be empty without a default value taking its place.
    pub(super) may_be_empty: bool,
    /// Values were given and it is not among them.
    pub(super) missing: bool,
}

/// A line that is not blank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// First byte of the line.
    pub(super) start: u32,
    /// Behind its last byte, the line end left out.
    pub(super) end: u32,
    /// First word in [`Tree::words`].
    pub(super) from: u32,
    /// Number of words.
    pub(super) count: u32,
    /// Where its comment starts, or `NONE`.
    comment: u32,
    /// Index into [`Tree::guards`].
    pub(super) guard: u32,
    /// It could not be cut into words as a whole.
    pub(super) broken: bool,
    /// Its first word starts a section.
    pub(super) section: bool,
}

impl Line {
    pub(super) fn new(start: u32, end: u32, words: std::ops::Range<usize>) -> Self {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(NONE);
        Self {
            start,
            end,
            from: to_u32(words.start),
            count: to_u32(words.len()),
            comment: NONE,
            guard: Guard::ALWAYS,
            broken: false,
            section: false,
        }
    }

    pub(super) fn set_comment(&mut self, at: u32) {
        self.comment = at;
    }

    pub(super) fn comment(&self) -> Option<u32> {
        (self.comment != NONE).then_some(self.comment)
    }
}

/// When a line is in force: inside which branch of which undecidable `.if`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    /// The guard around it.
    pub(super) parent: u32,
    /// Index into [`Tree::chains`].
    pub(super) chain: u32,
    /// Which branch of the chain.
    pub(super) branch: u32,
}

impl Guard {
    /// The line is always in force.
    pub(super) const ALWAYS: u32 = 0;
    /// The line stands in a branch that is known not to be taken.
    pub(super) const NEVER: u32 = 1;
}

/// An `.if … .endif` whose condition cannot be decided.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chain {
    /// Number of branches, a missing `.else` included.
    pub(super) branches: u32,
    /// Whether any line in it can change the model.
    pub(super) matters: bool,
}

/// One parsed file, or the part of it that is at hand.
#[derive(Debug)]
pub(crate) struct Tree<'s> {
    pub(super) source: SourceId,
    pub(super) bytes: &'s [u8],
    /// The same as text, where the whole file is UTF-8.
    pub(super) text: Option<&'s str>,
    pub(super) lines: Vec<Line>,
    pub(super) words: Vec<Word<'s>>,
    pub(super) cooked: Vec<Cooked>,
    pub(super) guards: Vec<Guard>,
    pub(super) chains: Vec<Chain>,
}

impl<'s> Tree<'s> {
    pub(super) fn new(id: SourceId, source: &'s Source) -> Self {
        let bytes = source.bytes();
        let outermost = Guard {
            parent: Guard::ALWAYS,
            chain: NONE,
            branch: 0,
        };
        Self {
            source: id,
            bytes,
            text: source.text(),
            lines: Vec::new(),
            words: Vec::new(),
            cooked: Vec::new(),
            guards: vec![outermost, outermost],
            chains: Vec::new(),
        }
    }

    /// The value of a word.
    #[inline]
    fn value(&self, word: Word<'s>) -> &str {
        if word.cooked == NONE {
            return word.text;
        }
        self.cooked(word).map_or("", |cooked| &cooked.text)
    }

    fn cooked(&self, word: Word<'_>) -> Option<&Cooked> {
        self.cooked.get(word.cooked as usize)
    }

    /// Makes room for the words of the next line.
    pub(super) fn forget_words(&mut self) {
        self.words.clear();
        self.cooked.clear();
    }

    pub(super) fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.source, start, end)
    }

    pub(super) fn line_ref<'t>(&'t self, line: &'t Line) -> LineRef<'t> {
        let from = line.from as usize;
        let words = self.words.get(from..from + line.count as usize);
        let words = words.unwrap_or_default();
        LineRef {
            tree: self,
            line,
            words,
            first: words.first().map_or("", |&word| self.value(word)),
        }
    }
}

/// A line together with the tree it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineRef<'t> {
    tree: &'t Tree<'t>,
    line: &'t Line,
    words: &'t [Word<'t>],
    /// The value of the first word, which everybody asks for.
    first: &'t str,
}

impl<'t> LineRef<'t> {
    /// Whether the line could not be cut into words as a whole: what its words say is not certain.
    pub(super) fn is_broken(&self) -> bool {
        self.line.broken
    }

    /// Whether the line starts a section.
    pub(super) fn is_section(&self) -> bool {
        self.line.section
    }

    /// Number of words.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The value of word `index`; empty behind the last, as in HAProxy.
    pub(super) fn word(&self, index: usize) -> &'t str {
        if index == 0 {
            return self.first;
        }
        self.words
            .get(index)
            .map_or("", |&word| self.tree.value(word))
    }

    /// The words from `index` on.
    pub(super) fn rest(&self, index: usize) -> impl Iterator<Item = &'t str> + use<'t> {
        let tree = self.tree;
        let words = self.words.get(index..).unwrap_or_default();
        words.iter().map(move |&word| tree.value(word))
    }

    /// The words from `index` on, joined by single spaces.
    pub(super) fn joined(&self, index: usize) -> String {
        let mut text = String::new();
        for word in self.rest(index) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// Where word `index` stands; the whole line where there is none.
    pub(super) fn span(&self, index: usize) -> Span {
        match self.words.get(index) {
            Some(word) => self.tree.span(word.start, word.end),
            None => self.whole(),
        }
    }

    /// From word `from` to word `to`, or to the last one.
    pub(super) fn span_between(&self, from: usize, to: usize) -> Span {
        let to = to.min(self.words.len().saturating_sub(1));
        self.span(from).to(self.span(to))
    }

    /// All words of the line.
    pub(super) fn whole(&self) -> Span {
        match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) => self.tree.span(first.start, last.end),
            _ => self.tree.span(self.line.start, self.line.end),
        }
    }

    /// Details of a word with quotes, escapes or variables.
    pub(super) fn cooked(&self, index: usize) -> Option<&'t Cooked> {
        self.words
            .get(index)
            .and_then(|&word| self.tree.cooked(word))
    }

    /// Whether word `index` holds a variable whose value is not known.
    pub(super) fn is_opaque(&self, index: usize) -> bool {
        self.cooked(index).is_some_and(|cooked| cooked.opaque)
    }

    /// Whether any word from `index` on is opaque.
    pub(super) fn any_opaque(&self, index: usize) -> bool {
        (index..self.len()).any(|at| self.is_opaque(at))
    }

    /// Whether some word may hold this character.
    pub(super) fn may_hold(&self, byte: u8) -> bool {
        let written = self.line.start as usize..self.line.end as usize;
        let written = self.tree.bytes.get(written).unwrap_or_default();
        memchr::memchr(byte, written).is_some() || self.words.iter().any(|it| it.cooked != NONE)
    }

    /// The comment on the line.
    pub(super) fn comment(&self) -> Option<Span> {
        let at = self.line.comment()?;
        Some(self.tree.span(at, self.line.end))
    }

    /// Whether there is nothing but a comment.
    pub(super) fn is_comment(&self) -> bool {
        self.words.is_empty() && self.line.comment().is_some()
    }

    /// Behind its last byte, the line end left out.
    pub(super) fn end(&self) -> u32 {
        self.line.end
    }

    /// Whether this line follows the one that ends at `end` without a blank line between them.
    pub(super) fn follows(&self, end: u32) -> bool {
        let between = end as usize..self.line.start as usize;
        let between = self.tree.bytes.get(between).unwrap_or_default();
        memchr::memchr_iter(b'\n', between).count() == 1
    }
}
