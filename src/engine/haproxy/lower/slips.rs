//! Keywords of sections that are written almost right: rule `refused-at-load`.
//!
//! In: lines that nothing is made of, and those whose value is one of a few words. Out: findings that name the
//! word that was meant.

use super::super::keywords::{self, Kind, Word};
use super::super::tree::LineRef;
use super::{Lowering, Section};
use crate::finding::{Finding, Severity};

/// Words of one instance that are compared with all that are known: a file of a million other words stays cheap.
pub(super) const BUDGET: u32 = 20_000;

impl Lowering {
    /// Looks for a slip in the word that says what `line` is.
    pub(super) fn find_slip(&mut self, line: LineRef<'_>) {
        let (kind, at) = match line.word(0) {
            "option" => (Kind::Option, 1),
            "no" | "default" if line.word(1) == "option" => (Kind::Option, 2),
            "timeout" => (Kind::Timeout, 1),
            "mode" => (Kind::Mode, 1),
            "balance" => (Kind::Balance, 1),
            "hash-type" => (Kind::HashType, 1),
            _ => (Kind::Line, 0),
        };
        let global = matches!(self.section, Section::Global);
        if global || self.slips_left == 0 || line.is_opaque(at) {
            return;
        }
        self.slips_left -= 1;
        if let Word::Slip(meant) = keywords::look_up(kind, name(line.word(at))) {
            self.misspelt(line, at, meant);
        }
    }

    pub(super) fn misspelt(&mut self, line: LineRef<'_>, at: usize, meant: &str) {
        let message = format!(
            "`{}` is no keyword here (did you mean `{meant}`): HAProxy refuses the file",
            name(line.word(at))
        );
        let help = format!("write `{meant}`");
        let finding = Finding::new(Severity::Error, line.span(at), message, help);
        self.refuse(finding.label("not a keyword"));
    }
}

/// A keyword without the argument in brackets.
fn name(word: &str) -> &str {
    word.split_once('(').map_or(word, |(name, _)| name)
}
