//! From the bytes of one file to its tree.
//!
//! In: a source. Out: the [`FileTree`] and what is wrong with it. Every fault leaves the rest of the
//! file readable: a missing `;` or `}` is put where it most likely belongs, a surplus one is skipped.

use std::sync::Arc;

use super::cook::cook;
use super::directives::Id;
use super::fault::{Fault, Faults};
use super::grammar;
use super::lex::{LexFault, Lexer, Range, Token, offset};
use super::lua;
use super::tree::{FileTree, Marks, Node};
use crate::source::{Source, SourceId};

/// Parses one file.
pub(crate) fn parse(id: SourceId, source: Arc<Source>) -> (FileTree, Faults) {
    let start = bom_length(source.bytes());
    let mut first = Parser::new(source.bytes(), start, false);
    first.run();
    if first.ending == Ending::InBlock {
        // Once more, closing blocks where one opens that cannot stand in them.
        let mut second = Parser::new(source.bytes(), start, true);
        second.run();
        if second.faults.len() <= first.faults.len() {
            first = second;
        }
    }
    let Parser {
        nodes,
        words,
        comments,
        faults,
        ..
    } = first;
    let tree = FileTree {
        id,
        source,
        nodes,
        words,
        comments,
    };
    (tree, faults)
}

/// The length of a UTF-8 byte order mark, which nginx takes for a part of the first word.
pub(crate) fn bom_length(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    }
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// With every block closed.
    Whole,
    /// Inside a block.
    InBlock,
    /// Inside a Lua block, which took the rest of the file.
    InLua,
}

struct Parser<'a> {
    bytes: &'a [u8],
    lexer: Lexer<'a>,
    nodes: Vec<Node>,
    words: Vec<Range>,
    comments: Vec<Range>,
    faults: Faults,
    /// Nodes whose block is open.
    stack: Vec<u32>,
    /// Index of the first word of the directive being read.
    first_word: usize,
    /// Whether one of its other words is the first on its line.
    spans_lines: bool,
    /// The name that was looked up last and its number: directives of one name often follow each other.
    last_name: (&'a [u8], Id),
    /// What was seen of it so far, and of the comments before it.
    marks: Marks,
    /// Blocks that were never opened; the `}` of each is one too many.
    unopened: usize,
    /// Whether blocks are closed where one opens that cannot stand in them.
    closes_early: bool,
    ending: Ending,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8], start: usize, closes_early: bool) -> Self {
        Self {
            bytes,
            lexer: Lexer::new(bytes, start),
            // About what a file of upstreams has.
            nodes: Vec::with_capacity(bytes.len() / 40),
            unopened: 0,
            words: Vec::with_capacity(bytes.len() / 16),
            comments: Vec::new(),
            faults: Faults::default(),
            stack: Vec::new(),
            first_word: 0,
            spans_lines: false,
            last_name: (b"", Id::UNKNOWN),
            marks: Marks::default(),
            closes_early,
            ending: Ending::Whole,
        }
    }

    fn run(&mut self) {
        loop {
            match self.lexer.next() {
                Token::Word(word) => {
                    self.spans_lines |= word.new_line && self.in_directive();
                    self.marks = self.marks.with(Marks::COOKED, word.cooked);
                    self.words.push(word.range);
                }
                Token::Comment(range) => self.comment(range),
                Token::Semicolon(at) => self.semicolon(at),
                Token::Open(at) => self.open(at),
                Token::Close(at) => self.close(at),
                Token::Fault(fault, range) => self.lex_fault(fault, range),
                Token::End => return self.end_of_file(),
            }
        }
    }

    fn in_directive(&self) -> bool {
        self.words.len() > self.first_word
    }

    fn comment(&mut self, range: Range) {
        self.comments.push(range);
        self.marks = self.marks.with(Marks::COMMENTED, true);
        if let Some(before) = self.nodes.last_mut() {
            before.marks = before.marks.with(Marks::COMMENTED, true);
        }
    }

    /// Adds the directive whose words were just read; `end` is the offset behind it.
    fn push(&mut self, block: bool, end: u32) {
        if std::mem::take(&mut self.spans_lines) {
            self.split_lines(block);
        }
        self.add(block, end);
        self.first_word = self.words.len();
        self.marks = Marks::default();
    }

    /// Adds the directive whose words begin with the first one that is in none.
    fn add(&mut self, block: bool, end: u32) {
        let name = self.words.get(self.first_word);
        let name = name.map_or(&b""[..], |word| word.of(self.bytes));
        let id = if self.marks.has(Marks::COOKED) {
            Id::of(&cook(name))
        } else {
            if self.last_name.0 != name {
                self.last_name = (name, Id::of(name));
            }
            self.last_name.1
        };
        self.nodes.push(Node {
            first_word: offset(self.first_word),
            end,
            next: offset(self.nodes.len() + 1),
            id,
            marks: self.marks.with(Marks::BLOCK, block),
        });
    }

    /// Divides the words of a directive where a `;` is missing at the end of a line.
    fn split_lines(&mut self, block: bool) {
        while let Some(at) = grammar::missing_semicolon(
            self.bytes,
            self.words.get(self.first_word..).unwrap_or_default(),
            block,
        ) {
            let second = self.first_word + at;
            let Some(&last) = self.words.get(second - 1) else {
                return;
            };
            self.faults.push(Fault::missing_semicolon(self.bytes, last));
            self.add(false, last.end);
            self.first_word = second;
        }
    }

    fn semicolon(&mut self, at: u32) {
        if !self.in_directive() {
            self.faults.push(Fault::surplus_semicolon(at));
            return;
        }
        self.push(false, at + 1);
        self.check_has_block();
    }

    /// A directive that needs a block and ends with `;`.
    fn check_has_block(&mut self) {
        if !self
            .nodes
            .last()
            .is_some_and(|node| node.id.known().needs_block)
        {
            return;
        }
        let Some(&name) = self.last_words().first() else {
            return;
        };
        // One that is written in an unusual way is left alone.
        if grammar::needs_block(name.of(self.bytes)) {
            self.faults.push(Fault::no_block(self.bytes, name));
            self.unopened += 1;
        }
    }

    fn last_words(&self) -> &[Range] {
        let first = self.nodes.last().map_or(0, |node| node.first_word as usize);
        self.words.get(first..).unwrap_or_default()
    }

    fn open(&mut self, at: u32) {
        if self.glue_repetition(at) {
            return;
        }
        let nameless = !self.in_directive();
        if nameless {
            self.faults.push(Fault::nameless_block(at));
        }
        if self.closes_early {
            self.close_impossible_parents();
        }
        self.check_place(at);
        if nameless {
            self.words.push(Range { start: at, end: at });
        }
        self.push(true, at + 1);
        self.check_may_have_block();
        let index = offset(self.nodes.len() - 1);
        let name = self.last_words().first().map(|name| name.of(self.bytes));
        if name.is_some_and(|name| name.ends_with(b"_by_lua_block")) {
            self.lua_block(at);
        } else {
            self.stack.push(index);
        }
    }

    /// A repetition of a regular expression that is not quoted, `^/[0-9]{2}$`: nginx opens a block at
    /// its `{` and refuses what follows. The word is taken as it was meant.
    fn glue_repetition(&mut self, at: u32) -> bool {
        let start = at as usize;
        let Some(word) = self.words.last_mut().filter(|word| word.end == at) else {
            return false;
        };
        if !grammar::is_repetition(self.bytes.get(start..).unwrap_or_default()) {
            return false;
        }
        let rest = self.bytes.get(start..).unwrap_or_default();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
        let end = start + rest.iter().position(ends).unwrap_or(rest.len());
        word.end = offset(end);
        // It may have anything in it.
        self.marks = self.marks.with(Marks::COOKED, true);
        self.faults.push(Fault::unquoted_brace(self.bytes, *word));
        self.lexer.jump(end);
        true
    }

    /// A block among the entries of a `map` and the like.
    fn check_place(&mut self, at: u32) {
        let parent = self
            .stack
            .last()
            .map_or(&b""[..], |&node| self.block_name(node));
        if grammar::holds_entries(parent) {
            self.faults.push(Fault::block_among_entries(parent, at));
        }
    }

    /// A directive that ends with `;` and has a block.
    fn check_may_have_block(&mut self) {
        let Some((&name, last)) = self.last_words().split_first() else {
            return;
        };
        let last = last.last().copied().unwrap_or(name);
        if grammar::is_simple(name.of(self.bytes)) {
            self.faults.push(Fault::missing_semicolon(self.bytes, last));
        }
    }

    fn lua_block(&mut self, open: u32) {
        let start = open as usize + 1;
        let mut end = lua::block_end(self.bytes, start);
        if end.is_none()
            && let Some(&name) = self.last_words().first()
        {
            self.faults.push(Fault::unclosed_block(self.bytes, name));
            end = lua::likely_end(self.bytes, name.start as usize, start);
            if end.is_none() {
                self.ending = Ending::InLua;
            }
        }
        let end = end.map_or(self.bytes.len(), |end| end + 1);
        if let Some(node) = self.nodes.last_mut() {
            node.end = offset(end);
        }
        self.lexer.jump(end);
    }

    /// Closes the open blocks in which the block about to open cannot stand.
    fn close_impossible_parents(&mut self) {
        let Some(&child) = self.words.get(self.first_word) else {
            return;
        };
        let child = child.of(self.bytes);
        let parent = |&node: &u32| self.block_name(node);
        let keep = grammar::parents_to_keep(child, self.stack.iter().map(parent));
        while self.stack.len() > keep {
            let Some(node) = self.stack.pop() else { return };
            let words = self.first_word_of(node);
            if let Some(name) = words {
                self.faults.push(Fault::unclosed_block(self.bytes, name));
            }
            let before = self.words.get(self.first_word).map_or(0, |word| word.start);
            self.finish(node, before);
        }
    }

    fn first_word_of(&self, node: u32) -> Option<Range> {
        let node = self.nodes.get(node as usize)?;
        let word = *self.words.get(node.first_word as usize)?;
        (word.start < word.end).then_some(word)
    }

    fn block_name(&self, node: u32) -> &'a [u8] {
        self.first_word_of(node)
            .map_or(b"", |word| word.of(self.bytes))
    }

    /// Ends the block of `node` at offset `end`; its descendants are the nodes read so far.
    fn finish(&mut self, node: u32, end: u32) {
        let next = offset(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.end = end;
            node.next = next;
        }
    }

    fn close(&mut self, at: u32) {
        if self.in_directive() {
            self.missing_semicolon_before();
        }
        match self.stack.pop() {
            Some(node) => self.finish(node, at + 1),
            None if self.unopened > 0 => self.unopened -= 1,
            None => self.faults.push(Fault::surplus_brace(at)),
        }
    }

    fn missing_semicolon_before(&mut self) {
        let Some(&last) = self.words.last() else {
            return;
        };
        self.faults.push(Fault::missing_semicolon(self.bytes, last));
        self.push(false, last.end);
    }

    fn end_of_file(&mut self) {
        if self.in_directive() {
            self.missing_semicolon_before();
        }
        let end = offset(self.bytes.len());
        // That the blocks around an open Lua block are not closed either goes without saying.
        if self.ending == Ending::Whole
            && let Some(&innermost) = self.stack.last()
        {
            self.ending = Ending::InBlock;
            self.faults.push(match self.first_word_of(innermost) {
                Some(name) => Fault::unclosed_block(self.bytes, name),
                None => Fault::unclosed_file(end),
            });
        }
        while let Some(node) = self.stack.pop() {
            self.finish(node, end);
        }
    }

    fn lex_fault(&mut self, fault: LexFault, range: Range) {
        self.faults.push(match fault {
            LexFault::Unterminated => Fault::unterminated(self.bytes, range),
            LexFault::AfterQuote => Fault::after_quote(self.bytes, range),
            LexFault::TooLong => Fault::too_long(self.bytes, range),
        });
    }
}
