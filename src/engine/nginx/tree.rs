//! The syntax tree of one nginx file.
//!
//! In: tokens, through `parse`. Out: every directive with the byte ranges of its words, in document
//! order, and every comment. The tree is flat: a block knows where its descendants end, so no depth of
//! nesting needs recursion, and a directive costs 16 bytes and 8 per word.

use std::borrow::Cow;
use std::sync::Arc;

use super::lex::{Range, cook};
use crate::model::Text;
use crate::source::{Source, SourceId, Span};

/// One directive with its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Index of its first word; its last one is before the first of the next node.
    pub(crate) first_word: u32,
    /// Offset of the `{`, or [`Node::SIMPLE`].
    pub(crate) open: u32,
    /// Offset behind its `;` or `}`.
    pub(crate) end: u32,
    /// Index of the node behind it and its descendants.
    pub(crate) next: u32,
}

impl Node {
    /// In place of `open` for a directive without a block.
    pub(crate) const SIMPLE: u32 = u32::MAX;
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
}

impl FileTree {
    /// The directive at `index`.
    pub(crate) fn directive(&self, index: u32) -> Option<Directive<'_>> {
        let node = *self.nodes.get(index as usize)?;
        Some(Directive {
            file: self,
            index,
            node,
        })
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
    /// Its words, the name first. Empty only for a `{` that stands alone.
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

    /// Whether this is its name. Most names are written plainly, so that their first letter tells.
    pub(crate) fn is(self, name: &[u8]) -> bool {
        if !self.may_begin_with(name.first()) {
            return false;
        }
        let first = self.words().first();
        let raw = first.map_or(&b""[..], |&word| self.raw(word));
        match raw.first() {
            Some(b'"' | b'\'' | b'\\') => *cook(raw) == *name,
            first if first != name.first() => false,
            _ => raw == name || (raw.contains(&b'\\') && *cook(raw) == *name),
        }
    }

    /// A glance at the byte where its first word should stand, which tells most names apart.
    fn may_begin_with(self, letter: Option<&u8>) -> bool {
        let word = self.file.words.get(self.node.first_word as usize);
        let byte = word.and_then(|word| self.file.source.bytes().get(word.start as usize));
        byte == letter || matches!(byte, None | Some(b'"' | b'\'' | b'\\'))
    }

    /// The number of words behind the name.
    pub(crate) fn arguments(self) -> usize {
        self.words().len().saturating_sub(1)
    }

    /// The content of word `index`, empty when there is none.
    pub(crate) fn bytes(self, index: usize) -> Cow<'t, [u8]> {
        match self.words().get(index) {
            Some(&word) => cook(self.raw(word)),
            None => Cow::Borrowed(b""),
        }
    }

    /// The content of word `index` as text.
    pub(crate) fn text(self, index: usize) -> Text {
        self.string(index).into()
    }

    /// The same, not copied where it is written plainly.
    pub(crate) fn string(self, index: usize) -> Cow<'t, str> {
        let Some(&word) = self.words().get(index) else {
            return Cow::Borrowed("");
        };
        if let Some(plain) = self.plain_text(word) {
            return Cow::Borrowed(plain);
        }
        match cook(self.raw(word)) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map_or_else(
                |_| String::from_utf8_lossy(bytes).into_owned().into(),
                Cow::Borrowed,
            ),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        }
    }

    /// A word without quotes and escapes in a file that is text.
    fn plain_text(self, word: Range) -> Option<&'t str> {
        let text = self.file.source.text()?;
        let text = text.get(word.start as usize..word.end as usize)?;
        let special = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\');
        (!text.as_bytes().iter().any(special)).then_some(text)
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
        self.node.open != Node::SIMPLE
    }

    /// From the name to the last word before `;` or `{`.
    pub(crate) fn head(self) -> Span {
        let words = self.words();
        let start = words.first().map_or(self.node.open, |word| word.start);
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
