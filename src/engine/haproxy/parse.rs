//! From the bytes of a file to its lines.
//!
//! In: a source and the environment. Out: one line after the other, or a [`Tree`] of all where lowering needs
//! them several times; and the findings that need no meaning: lines that HAProxy cannot cut into words,
//! conditional blocks that do not match, bytes it refuses.

use super::blocks::Block;
use super::env::Env;
use super::lex::{self, Fault, Place};
use super::tree::{Guard, Line, LineRef, Tree};
use super::variables;
use super::words::is_section;
use crate::finding::{Finding, Severity, Words};
use crate::model::{Text, Version};
use crate::source::{Source, SourceId, Span};

/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one file. `env` carries over to the next file of the instance.
pub(crate) fn parse<'s>(
    id: SourceId,
    source: &'s Source,
    env: &mut Env<'_>,
    version: Version,
    findings: &mut Vec<Finding>,
) -> Tree<'s> {
    let mut parser = Parser::new(id, source, env, version, findings);
    while let Some(line) = parser.next_line() {
        parser.tree.lines.push(line);
    }
    parser.tree
}

/// One file while it is read.
pub(super) struct Parser<'p, 'o, 's> {
    pub(super) tree: Tree<'s>,
    /// Where the next line starts.
    at: usize,
    file: &'s str,
    pub(super) env: &'p mut Env<'o>,
    pub(super) version: Version,
    findings: &'p mut Vec<Finding>,
    pub(super) blocks: Vec<Block>,
    /// Name of the section being read, for `.SECTION`.
    section: Text,
    /// Whether it is `global`.
    in_global: bool,
    number: u32,
    /// Blocks opened below the deepest one that is followed.
    pub(super) dropped_blocks: usize,
}

impl<'p, 'o, 's> Parser<'p, 'o, 's> {
    pub(super) fn new(
        id: SourceId,
        source: &'s Source,
        env: &'p mut Env<'o>,
        version: Version,
        findings: &'p mut Vec<Finding>,
    ) -> Self {
        let mut parser = Self {
            tree: Tree::new(id, source),
            at: 0,
            file: source.name(),
            env,
            version,
            findings,
            blocks: Vec::new(),
            section: Text::default(),
            in_global: false,
            number: 0,
            dropped_blocks: 0,
        };
        let bytes = parser.tree.bytes;
        parser.check_bytes(bytes);
        if bytes.starts_with(BYTE_ORDER_MARK) {
            parser.at = BYTE_ORDER_MARK.len();
        }
        parser
    }

    /// The next line that is not blank; its words go behind those of the lines before.
    pub(super) fn next_line(&mut self) -> Option<Line> {
        while self.at < self.tree.bytes.len() {
            if let Some(line) = self.read_line() {
                return Some(line);
            }
        }
        for block in std::mem::take(&mut self.blocks) {
            self.close(&block);
            let message =
                "`.if` has no `.endif`: HAProxy reads to the end of the file and refuses it";
            self.syntax(block.span, message, "add `.endif` where the block ends");
        }
        None
    }

    /// The line together with its words.
    pub(super) fn line_ref<'t>(&'t self, line: &'t Line) -> LineRef<'t> {
        self.tree.line_ref(line)
    }

    /// Makes room for the words of the next line, where those of the lines before are of no more use.
    pub(super) fn forget_words(&mut self) {
        self.tree.forget_words();
    }

    /// Whether the condition of an `.if` could not be decided.
    pub(super) fn is_undecided(&self) -> bool {
        !self.tree.chains.is_empty()
    }

    pub(super) fn syntax(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Words>,
    ) {
        let finding = Finding::new(Severity::Error, span, message, help).of_rule("syntax-error");
        self.findings.push(finding);
    }

    pub(super) fn refused(&mut self, span: Span, message: &str, help: &'static str) {
        let finding = Finding::new(Severity::Error, span, message, help).of_rule("refused-at-load");
        self.findings.push(finding);
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.tree.span(to_u32(start), to_u32(end))
    }

    /// What HAProxy refuses whatever the words say (`readcfgfile`).
    fn check_bytes(&mut self, bytes: &[u8]) {
        if bytes.starts_with(BYTE_ORDER_MARK) {
            let message = "the file starts with a UTF-8 byte order mark: every version of HAProxy takes it for part of the first word and refuses the file";
            self.refused(
                self.span(0, 3),
                message,
                "save the file as UTF-8 without byte order mark",
            );
        }
        if let Some(at) = memchr::memchr(0, bytes) {
            let message = "the file holds a NUL byte: HAProxy 2.3 and newer refuse the file";
            self.refused(self.span(at, at + 1), message, "remove the NUL byte");
        } else if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            let last = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
            let message = "the last line has no line feed: HAProxy 2.3 and newer take the file for truncated and refuse it";
            self.refused(
                self.span(last, bytes.len()),
                message,
                "end the last line with a line feed",
            );
        }
    }

    /// Reads the line at hand; `None` for a blank one.
    fn read_line(&mut self) -> Option<Line> {
        let (from, cooked_from) = (self.tree.words.len(), self.tree.cooked.len());
        self.number += 1;
        let place = Place {
            file: self.file,
            line: self.number,
            section: &self.section,
        };
        let start = self.at;
        let (outcome, end) = lex::lex(&mut self.tree, start, self.env, place);
        self.at = end + 1;
        if from == self.tree.words.len() && outcome.comment.is_none() && outcome.fault.is_none() {
            return None;
        }
        let text = self.tree.bytes.get(start..end).unwrap_or_default();
        let end = end - usize::from(text.ends_with(b"\r"));
        let span = self.span(start, end);
        let mut line = Line::new(span.start, span.end, from..self.tree.words.len());
        if let Some(at) = outcome.comment {
            line.set_comment(at);
        }
        line.guard = self.guard();
        if let Some((fault, at)) = outcome.fault {
            line.broken = fault != Fault::TooManyWords;
            self.report(fault, at, span);
        }
        if self.tree.cooked.len() > cooked_from {
            let found = variables::check(self.tree.line_ref(&line));
            self.findings.extend(found);
        }
        self.interpret(&mut line);
        Some(line)
    }

    fn report(&mut self, fault: Fault, at: u32, line: Span) {
        let span = self.tree.span(at, (at + 1).min(line.end).max(at));
        let to_end = self.tree.span(at, line.end);
        match fault {
            Fault::Quote => self.syntax(
                to_end,
                "the quote is not closed before the end of the line",
                "close the quote, or escape it with `\\`",
            ),
            Fault::Hex => self.syntax(
                span,
                "`\\x` needs two hexadecimal digits",
                "write two digits, or `\\\\x` for a backslash",
            ),
            Fault::VariableName => self.syntax(
                span,
                "expected the name of an environment variable behind `$`",
                "start the name with a letter or `_`, or write `\\$` for a dollar sign",
            ),
            Fault::Brace => self.syntax(
                to_end,
                "expected `}` behind the name of the environment variable",
                "close the brace",
            ),
            Fault::Expansion => self.syntax(
                span,
                "expected `[*]` behind the name of the environment variable",
                "write `[*]` to expand the variable into several words",
            ),
            Fault::TooManyWords => {
                let message =
                    "the line has more than 64 words: every version of HAProxy refuses it";
                self.refused(to_end, message, "split the line");
            }
        }
    }

    /// Conditional blocks, sections and changes of the environment.
    fn interpret(&mut self, line: &mut Line) {
        let words = self.tree.line_ref(line);
        let first = words.word(0);
        if first.starts_with('.') {
            let (first, span) = (Text::from(first), words.whole());
            return self.directive(&first, line, span);
        }
        if first.is_empty() {
            return;
        }
        let section = is_section(first);
        let changes = ["setenv", "presetenv", "unsetenv", "resetenv", "maxconn"];
        let relevant = section || !self.in_global || changes.contains(&first);
        if section {
            self.in_global = first == "global";
            let named = usize::from(!words.word(1).is_empty());
            self.section = words.word(named).into();
        } else if self.in_global {
            change_environment(self.env, words, line.guard);
        }
        line.section = section;
        if relevant {
            self.mark_relevant();
        }
    }
}

/// `setenv`, `presetenv`, `unsetenv` and `resetenv` of a `global` section.
fn change_environment(env: &mut Env<'_>, words: LineRef<'_>, guard: u32) {
    let name = words.word(1);
    let certain = guard == Guard::ALWAYS;
    let value = (certain && !words.is_opaque(2)).then(|| words.word(2));
    match words.word(0) {
        _ if guard == Guard::NEVER || name.is_empty() && words.word(0) != "resetenv" => {}
        "setenv" => env.set(name, value),
        "presetenv" => env.preset(name, value),
        "unsetenv" => {
            for name in words.rest(1) {
                if certain {
                    env.remove(name);
                } else {
                    env.set(name, None);
                }
            }
        }
        "resetenv" if certain => env.reset(words.rest(1)),
        _ => {}
    }
}
