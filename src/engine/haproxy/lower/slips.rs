//! Words of sections that HAProxy refuses: rule `refused-at-load`.
//!
//! In: lines that nothing is made of, and those whose value is one of a few words. Out: findings that name the
//! word that was meant, or what had to stand there.

use super::super::keywords::{self, Kind, Word};
use super::super::tree::LineRef;
use super::grammar::{self, Fault};
use super::{Lowering, Section};
use crate::finding::{Finding, Severity};

/// Words of one instance that are compared with all that are known: a file of a million other words stays cheap.
pub(super) const BUDGET: u32 = 20_000;

impl Lowering {
    /// Looks at the value of a line whose value is one of a few words.
    pub(super) fn find_value_slip(&mut self, line: LineRef<'_>) {
        if matches!(
            line.word(0),
            "mode"
                | "balance"
                | "hash-type"
                | "no"
                | "default"
                | "http-check"
                | "tcp-check"
                | "stats"
        ) {
            self.find_slip(line);
        }
    }

    /// Looks at the word that says what `line` is.
    pub(super) fn find_slip(&mut self, line: LineRef<'_>) {
        let (kind, at) = match line.word(0) {
            "option" => (Kind::Option, 1),
            "no" | "default" if line.word(1) == "option" => (Kind::Option, 2),
            "timeout" => (Kind::Timeout, 1),
            "mode" => (Kind::Mode, 1),
            "balance" => (Kind::Balance, 1),
            "hash-type" => (Kind::HashType, 1),
            "stats" => (Kind::Stats, 1),
            "http-check" => (Kind::HttpCheck, 1),
            "tcp-check" => (Kind::TcpCheck, 1),
            _ => (Kind::Line, 0),
        };
        let global = matches!(self.section, Section::Global);
        if global || self.slips_left == 0 || line.is_opaque(at) {
            return;
        }
        // `balance` alone is round robin; what follows `random` does not count.
        let word = line.word(at);
        if kind == Kind::Balance && (word.is_empty() || word.starts_with("random")) {
            return;
        }
        self.slips_left -= 1;
        match keywords::look_up(kind, name(line.word(at))) {
            Word::Slip(meant) => self.misspelt(line, at, meant),
            Word::Foreign => self.foreign(line, at),
            Word::Strange if kind == Kind::Line && is_nameless_server(line) => {
                self.foreign(line, at);
            }
            Word::Known | Word::Strange => {}
        }
    }

    pub(super) fn misspelt(&mut self, line: LineRef<'_>, at: usize, meant: &str) {
        let message = format!(
            "`{}` is no keyword here (did you mean `{meant}`): HAProxy refuses the file",
            name(line.word(at)).escape_debug()
        );
        let help = format!("write `{meant}`");
        let finding = Finding::new(Severity::Error, line.span(at), message, help);
        self.refuse(finding.label("not a keyword"));
    }

    pub(super) fn foreign(&mut self, line: LineRef<'_>, at: usize) {
        let message = match name(line.word(at)) {
            "" => format!(
                "expected a keyword behind `{}`: every version of HAProxy refuses the file",
                line.word(at.saturating_sub(1)).escape_debug()
            ),
            word => format!(
                "`{}` is no keyword here: every version of HAProxy refuses the file",
                word.escape_debug()
            ),
        };
        let help = "write what the line is for, or remove it";
        let finding = Finding::new(Severity::Error, line.span(at), message, help);
        self.refuse(finding.label("not a keyword"));
    }

    /// Words that are missing or too many.
    pub(super) fn check_grammar(&mut self, line: LineRef<'_>) {
        let Some(fault) = grammar::fault(line) else {
            return;
        };
        let shown = |at: usize| line.word(at).escape_debug().to_string();
        let last = line.len().saturating_sub(1);
        let (at, fault, help) = match fault {
            Fault::Misspelt(meant, at) => return self.misspelt(line, at, meant),
            Fault::Missing(what) => (
                last,
                format!("expected {what} behind `{}`", shown(last)),
                "complete the line, or remove it",
            ),
            Fault::Extra(at) => (
                at,
                format!("expected the end of the line, found `{}`", shown(at)),
                "remove what is too much",
            ),
            Fault::Expected(what, at) => (
                at,
                format!("expected {what}, found `{}`", shown(at)),
                "correct the word, or remove it",
            ),
        };
        let message = format!("{fault}: every version of HAProxy refuses the file");
        self.refuse(Finding::new(Severity::Error, line.span(at), message, help));
    }
}

/// Whether `line` is that of a server without `server` in front: a name, an address with a port and options.
fn is_nameless_server(line: LineRef<'_>) -> bool {
    let port = line.word(1).rsplit_once(':').map(|(_, port)| port);
    let port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    port && (line.len() == 2 || keywords::is_server_option(line.word(2)))
}

/// A keyword without the argument in brackets.
fn name(word: &str) -> &str {
    word.split_once('(').map_or(word, |(name, _)| name)
}
