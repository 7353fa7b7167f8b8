//! The syntax tree of one nginx file.
//!
//! In: tokens, through `parse`. Out: every directive with the byte ranges of its words, in document
//! order, and every comment. The tree is flat: a block knows where its descendants end, so no depth of
//! nesting needs recursion, and a directive costs 16 bytes and 8 per word.

use std::borrow::Cow;
use std::sync::Arc;

use super::cook::cook;
use super::directives::{Id, Known};
use super::lex::Range;
use super::name::Name;
use crate::model::Text;
use crate::source::{Source, SourceId, Span};

/// One directive with its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Index of its first word; its last one is before the first of the next node.
    pub(crate) first_word: u32,
    /// Offset behind its `;` or `}`.
    pub(crate) end: u32,
    /// Index of the node behind it and its descendants.
    pub(crate) next: u32,
    /// Which directive it is.
    pub(crate) id: Id,
    /// What else is known of it.
    pub(crate) marks: Marks,
}

/// What was seen when a directive was read, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// It has a block.
    pub(crate) const BLOCK: Self = Self(1);
    /// One of its words has quotes around it or a backslash in it.
    pub(crate) const COOKED: Self = Self(2);
    /// A comment stands among its words, or next before or behind it.
    pub(crate) const COMMENTED: Self = Self(4);

    /// These marks, and `other` where `is_so`.
    pub(crate) fn with(self, other: Self, is_so: bool) -> Self {
        Self(self.0 | if is_so { other.0 } else { 0 })
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A file that was parsed.
#[derive(Debug)]
pub(crate) struct FileTree {
    /// Its id.
    pub(crate) id: SourceId,
    /// Its content.
    pub(crate) source: Arc<Source>,
    /// Directives, each before those in its block.
    pub(crate) nodes: Vec<Node>,
    /// The words of all directives in order.
    pub(crate) words: Vec<Range>,
    /// Comments in order.
    pub(crate) comments: Vec<Range>,
}

/// A directive in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directive<'t> {
    pub(crate) file: &'t FileTree,
    pub(crate) index: u32,
    node: Node,
    known: &'static Known,
}

impl FileTree {
    /// The directive at `index`.
    #[inline]
    pub(crate) fn directive(&self, index: u32) -> Option<Directive<'_>> {
        let node = *self.nodes.get(index as usize)?;
        Some(Directive {
            file: self,
            index,
            node,
            known: node.id.known(),
        })
    }

    /// The directives of this name, of which the table has one.
    pub(crate) fn named(&self, name: &[u8]) -> impl Iterator<Item = Directive<'_>> {
        let id = Id::of(name);
        let nodes = self.nodes.iter().zip(0..);
        let same = nodes.filter(move |(node, _)| node.id == id);
        same.filter_map(|(_, index)| self.directive(index))
    }

    /// The number of nodes.
    pub(crate) fn len(&self) -> u32 {
        super::lex::offset(self.nodes.len())
    }

    /// A range of this file.
    pub(crate) fn span(&self, range: Range) -> Span {
        Span::new(self.id, range.start, range.end)
    }
}

impl<'t> Directive<'t> {
    /// Its words, the name first. That of a `{` that stands alone is empty.
    pub(crate) fn words(self) -> &'t [Range] {
        let next = self.file.nodes.get(self.index as usize + 1);
        let end = next.map_or(self.file.words.len(), |node| node.first_word as usize);
        self.file
            .words
            .get(self.node.first_word as usize..end)
            .unwrap_or_default()
    }

    /// Its name as nginx compares it.
    pub(crate) fn name(self) -> Cow<'t, [u8]> {
        self.bytes(0)
    }

    /// What is known of directives of its name.
    pub(crate) fn known(self) -> &'static Known {
        self.known
    }

    /// The number of its name.
    pub(crate) fn id(self) -> Id {
        self.node.id
    }

    /// Whether this is its name.
    pub(crate) fn is(self, name: Name) -> bool {
        self.known.name == name
    }

    /// Whether a comment may be its own.
    pub(crate) fn is_commented(self) -> bool {
        self.node.marks.has(Marks::COMMENTED)
    }

    /// The number of words behind the name.
    pub(crate) fn arguments(self) -> usize {
        self.words().len().saturating_sub(1)
    }

    /// The content of word `index`, empty when there is none.
    pub(crate) fn bytes(self, index: usize) -> Cow<'t, [u8]> {
        let raw = self
            .words()
            .get(index)
            .map_or(&b""[..], |&word| self.raw(word));
        if self.node.marks.has(Marks::COOKED) {
            cook(raw)
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// The content of word `index` as text.
    pub(crate) fn text(self, index: usize) -> Text {
        self.string(index).into()
    }

    /// The same, not copied where it is written plainly.
    pub(crate) fn string(self, index: usize) -> Cow<'t, str> {
        self.words()
            .get(index)
            .map_or(Cow::Borrowed(""), |&word| self.content(word))
    }

    /// The content of `word`, one of its own.
    pub(crate) fn content(self, word: Range) -> Cow<'t, str> {
        if !self.node.marks.has(Marks::COOKED)
            && let Some(text) = self.file.source.text()
        {
            let range = word.start as usize..word.end as usize;
            return Cow::Borrowed(text.get(range).unwrap_or_default());
        }
        match cook(self.raw(word)) {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        }
    }

    /// The bytes of `word` as written.
    pub(crate) fn raw(self, word: Range) -> &'t [u8] {
        word.of(self.file.source.bytes())
    }

    /// The place of word `index`; of the whole directive when there is none.
    pub(crate) fn word_span(self, index: usize) -> Span {
        match self.words().get(index) {
            Some(&word) => self.file.span(word),
            None => self.span(),
        }
    }

    /// Whether it has a block.
    pub(crate) fn is_block(self) -> bool {
        self.node.marks.has(Marks::BLOCK)
    }

    /// From the name to the last word before `;` or `{`.
    pub(crate) fn head(self) -> Span {
        let words = self.words();
        let start = words.first().map_or(0, |word| word.start);
        let end = words.last().map_or(start, |word| word.end);
        Span::new(self.file.id, start, end)
    }

    /// From the name to the last word of a simple directive, to the closing brace of a block.
    pub(crate) fn span(self) -> Span {
        let head = self.head();
        if self.is_block() {
            Span::new(self.file.id, head.start, self.node.end.max(head.end))
        } else {
            head
        }
    }

    /// The offset behind its `;` or `}`.
    pub(crate) fn end(self) -> u32 {
        self.node.end
    }

    /// Index of the node behind its descendants.
    pub(crate) fn next(self) -> u32 {
        self.node.next
    }
}
