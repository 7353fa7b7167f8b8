//! Conditional blocks: `.if`, `.elif`, `.else` and `.endif`.
//!
//! In: their lines. Out: the guards of the lines between them, and what HAProxy refuses.

use super::cond::{self, Context};
use super::parse::Parser;
use super::tree::{Chain, Guard, Line};
use crate::source::Span;

/// `MAXNESTEDCONDS` of `src/cfgparse.c`: a deeper `.if` is refused, and not followed here.
const MAX_NESTING: usize = 100;

/// An open `.if`.
#[derive(Debug)]
pub(super) struct Block {
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
    pub(super) span: Span,
}

impl Parser<'_, '_, '_> {
    /// The guard of the line being read.
    pub(super) fn guard(&self) -> u32 {
        self.blocks
            .last()
            .map_or(Guard::ALWAYS, |block| block.guard)
    }

    /// A line that can change the model stands inside of every open block.
    pub(super) fn mark_relevant(&mut self) {
        for block in &self.blocks {
            let chain = block
                .chain
                .and_then(|chain| self.tree.chains.get_mut(chain as usize));
            if let Some(chain) = chain {
                chain.matters = true;
            }
        }
    }

    /// A line that starts with a dot.
    pub(super) fn directive(&mut self, name: &str, line: &mut Line, span: Span) {
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

    /// The block that a line with `word` goes on with; `None` where it is dropped, or, which is a fault, there is none.
    fn opened(&mut self, word: &str, span: Span) -> Option<Block> {
        if self.dropped_blocks > 0 {
            return None;
        }
        let block = self.blocks.pop();
        if block.is_none() {
            self.lone(word, span);
        }
        block
    }

    fn alternative(&mut self, line: &mut Line, span: Span) {
        let Some(mut block) = self.opened(".elif", span) else {
            return;
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
        let Some(mut block) = self.opened(".else", span) else {
            return;
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
    pub(super) fn close(&mut self, block: &Block) {
        let chain = block
            .chain
            .and_then(|chain| self.tree.chains.get_mut(chain as usize));
        if let (Some(chain), false) = (chain, block.closed) {
            chain.branches += 1;
        }
    }
}
