//! From the bytes of a file to its tree.
//!
//! In: a source and the environment. Out: a [`Tree`] and the findings that need no meaning: lines that
//! HAProxy cannot cut into words, conditional blocks that do not match, bytes it refuses.

use super::cond::{self, Context};
use super::env::Env;
use super::lex::{self, Fault, Place};
use super::tree::{Chain, Guard, Line, LineRef, Tree};
use super::variables;
use super::words::is_section;
use crate::finding::{Finding, Severity, Words};
use crate::model::{Text, Version};
use crate::source::{Source, SourceId, Span};

/// `MAXNESTEDCONDS` of `src/cfgparse.c`: a deeper `.if` is refused, and not followed here.
const MAX_NESTING: usize = 100;

/// Reads one file. `env` carries over to the next file of the instance.
pub(crate) fn parse<'s>(
    id: SourceId,
    source: &'s Source,
    env: &mut Env<'_>,
    version: Version,
    findings: &mut Vec<Finding>,
) -> Tree<'s> {
    let mut parser = Parser {
        tree: Tree::new(id, source),
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
    parser.run();
    parser.tree
}

/// An open `.if`.
#[derive(Debug)]
struct Block {
    /// The guard around it.
    outer: u32,
    /// The guard of the branch being read.
    guard: u32,
    /// Set once a condition could not be decided.
    chain: Option<u32>,
    /// A branch that is certainly taken when no earlier one is has been seen.
    closed: bool,
    /// `.else` was seen.
    else_seen: bool,
    /// The `.if` line.
    span: Span,
}

struct Parser<'p, 'o, 's> {
    tree: Tree<'s>,
    file: &'p str,
    env: &'p mut Env<'o>,
    version: Version,
    findings: &'p mut Vec<Finding>,
    blocks: Vec<Block>,
    /// Name of the section being read, for `.SECTION`.
    section: Text,
    /// Whether it is `global`.
    in_global: bool,
    number: u32,
    /// Blocks opened below the deepest one that is followed.
    dropped_blocks: usize,
}

impl Parser<'_, '_, '_> {
    fn run(&mut self) {
        let bytes = self.tree.bytes;
        self.check_bytes(bytes);
        let mut start = if bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        while start < bytes.len() {
            let rest = bytes.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.number += 1;
            self.read_line(start, start + length);
            start += length + 1;
        }
        for block in std::mem::take(&mut self.blocks) {
            self.close(&block);
            let message =
                "`.if` has no `.endif`: HAProxy reads to the end of the file and refuses it";
            self.syntax(block.span, message, "add `.endif` where the block ends");
        }
    }

    fn syntax(&mut self, span: Span, message: impl Into<String>, help: impl Into<Words>) {
        let finding = Finding::new(Severity::Error, span, message, help).of_rule("syntax-error");
        self.findings.push(finding);
    }

    fn refused(&mut self, span: Span, message: &str, help: &'static str) {
        let finding = Finding::new(Severity::Error, span, message, help).of_rule("refused-at-load");
        self.findings.push(finding);
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.tree.span(to_u32(start), to_u32(end))
    }

    /// What HAProxy refuses whatever the words say (`readcfgfile`).
    fn check_bytes(&mut self, bytes: &[u8]) {
        if bytes.starts_with(b"\xef\xbb\xbf") {
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

    fn read_line(&mut self, start: usize, end: usize) {
        let (from, cooked_from) = (self.tree.words.len(), self.tree.cooked.len());
        let place = Place {
            file: self.file,
            line: self.number,
            section: &self.section,
        };
        let (words, cooked) = (&mut self.tree.words, &mut self.tree.cooked);
        let (bytes, utf8) = (self.tree.bytes, self.tree.text.is_some());
        let outcome = lex::lex(bytes, utf8, start..end, self.env, place, words, cooked);
        if from == words.len() && outcome.comment.is_none() && outcome.fault.is_none() {
            return;
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
        self.tree.lines.push(line);
    }

    fn guard(&self) -> u32 {
        self.blocks
            .last()
            .map_or(Guard::ALWAYS, |block| block.guard)
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
        line.section = section;
        if relevant {
            self.mark_relevant();
        }
        let words = self.tree.line_ref(line);
        if line.section {
            self.in_global = words.word(0) == "global";
            let named = usize::from(!words.word(1).is_empty());
            self.section = words.word(named).into();
        } else if self.in_global {
            change_environment(self.env, words, line.guard);
        }
    }

    fn mark_relevant(&mut self) {
        for block in &self.blocks {
            let chain = block
                .chain
                .and_then(|chain| self.tree.chains.get_mut(chain as usize));
            if let Some(chain) = chain {
                chain.matters = true;
            }
        }
    }

    fn directive(&mut self, name: &str, line: &mut Line, span: Span) {
        match name {
            ".if" => self.open(line, span),
            ".elif" => self.alternative(line, span),
            ".else" => self.otherwise(line, span),
            ".endif" if self.dropped_blocks > 0 => self.dropped_blocks -= 1,
            ".endif" => match self.blocks.pop() {
                Some(block) => self.close(&block),
                None => self.lone(name, span),
            },
            ".alert" if line.guard == Guard::ALWAYS => {
                let message = "`.alert` stands outside of any condition: every version of HAProxy prints it and refuses to start";
                self.refused(span, message, "remove it, or put it inside of `.if`");
            }
            // `.diag`, `.notice`, `.warning`, and what newer versions may add.
            _ => {}
        }
    }

    fn lone(&mut self, name: &str, span: Span) {
        let message = format!("`{name}` stands outside of any `.if`");
        self.syntax(span, message, "remove it, or add the `.if` it belongs to");
    }

    fn condition(&mut self, line: &Line, outer: u32) -> Option<bool> {
        if outer == Guard::NEVER {
            return Some(false);
        }
        let words = self.tree.line_ref(line);
        let context = Context {
            env: self.env,
            version: self.version,
            opaque: words.any_opaque(1),
        };
        let text = words.joined(1);
        let span = words.span_between(1, usize::MAX);
        cond::evaluate(&text, context).unwrap_or_else(|at| {
            let rest = text.get(at..).unwrap_or_default();
            let message = if rest.is_empty() {
                "the condition ends too early".to_owned()
            } else {
                format!("expected a condition such as `defined(NAME)` or `1`, found `{rest}`")
            };
            self.syntax(
                span,
                message,
                "write a predicate with its arguments in parentheses",
            );
            None
        })
    }

    fn open(&mut self, line: &Line, span: Span) {
        if self.blocks.len() >= MAX_NESTING {
            if self.dropped_blocks == 0 {
                let message = "more than 100 `.if` stand inside of each other: every version of HAProxy refuses the file";
                self.refused(span, message, "join the conditions with `&&`");
            }
            self.dropped_blocks += 1;
            return;
        }
        let outer = self.guard();
        let mut block = Block {
            outer,
            guard: outer,
            chain: None,
            closed: false,
            else_seen: false,
            span,
        };
        let value = self.condition(line, outer);
        self.branch(&mut block, value);
        self.blocks.push(block);
    }

    /// Starts the branch of `block` whose condition has `value`.
    fn branch(&mut self, block: &mut Block, value: Option<bool>) {
        let taken_before = block.closed || block.outer == Guard::NEVER;
        block.guard = match (taken_before, value) {
            (true, _) | (false, Some(false)) => Guard::NEVER,
            (false, Some(true)) if block.chain.is_none() => block.outer,
            (false, _) => self.undecided(block),
        };
        block.closed |= value == Some(true);
    }

    fn undecided(&mut self, block: &mut Block) -> u32 {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let chain = *block.chain.get_or_insert_with(|| {
            self.tree.chains.push(Chain::default());
            to_u32(self.tree.chains.len() - 1)
        });
        let mut branch = 0;
        if let Some(chain) = self.tree.chains.get_mut(chain as usize) {
            branch = chain.branches;
            chain.branches += 1;
        }
        self.tree.guards.push(Guard {
            parent: block.outer,
            chain,
            branch,
        });
        to_u32(self.tree.guards.len() - 1)
    }

    fn alternative(&mut self, line: &mut Line, span: Span) {
        if self.dropped_blocks > 0 {
            return;
        }
        let Some(mut block) = self.blocks.pop() else {
            return self.lone(".elif", span);
        };
        if block.else_seen {
            let help = "put it before `.else`";
            self.syntax(span, "`.elif` stands behind `.else`", help);
        }
        line.guard = block.outer;
        let skip = block.closed || block.outer == Guard::NEVER;
        let value = if skip {
            Some(false)
        } else {
            self.condition(line, block.outer)
        };
        self.branch(&mut block, value);
        self.blocks.push(block);
    }

    fn otherwise(&mut self, line: &mut Line, span: Span) {
        if self.dropped_blocks > 0 {
            return;
        }
        let Some(mut block) = self.blocks.pop() else {
            return self.lone(".else", span);
        };
        if block.else_seen {
            let help = "keep one `.else` per `.if`";
            self.syntax(span, "`.else` stands behind `.else`", help);
        }
        line.guard = block.outer;
        self.branch(&mut block, Some(true));
        block.else_seen = true;
        self.blocks.push(block);
    }

    /// Ends a block: without a branch that is taken otherwise, taking none is one more choice.
    fn close(&mut self, block: &Block) {
        let chain = block
            .chain
            .and_then(|chain| self.tree.chains.get_mut(chain as usize));
        if let (Some(chain), false) = (chain, block.closed) {
            chain.branches += 1;
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
