//! What is wrong with the syntax of a file, in words.
//!
//! In: the place and kind of a fault. Out: `syntax-error` findings, at most [`Faults::MAX`] per file.

use super::lex::Range;
use crate::finding::{Finding, Severity, Words};
use crate::model::Engine;
use crate::source::{SourceId, Span};

/// A fault in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    range: Range,
    message: String,
    help: Words,
    label: &'static str,
}

/// The faults of one file. Their number is bounded: a binary file must not become a million findings.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    count: usize,
}

impl Faults {
    /// The most faults that are told of one file.
    const MAX: usize = 50;

    pub(crate) fn push(&mut self, fault: Fault) {
        self.count += 1;
        if self.kept.len() < Self::MAX {
            self.kept.push(fault);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The findings, in the order of the file.
    pub(crate) fn into_findings(mut self, source: SourceId) -> Vec<Finding> {
        let untold = self.count - self.kept.len();
        if let Some(last) = self.kept.last_mut()
            && untold > 0
        {
            last.help = format!(
                "{}; {untold} more syntax errors of this file are not listed",
                last.help
            )
            .into();
        }
        self.kept.sort_by_key(|fault| fault.range.start);
        let finding = |fault: Fault| fault.into_finding(source);
        self.kept.into_iter().map(finding).collect()
    }
}

/// Makes a finding of the rule `refused-at-load`.
pub(crate) fn refused(span: Span, message: impl Into<String>, help: impl Into<Words>) -> Finding {
    let mut finding = Finding::new(Severity::Error, span, message, help).of_rule("refused-at-load");
    finding.engine = Engine::Nginx;
    finding
}

/// The most characters of a word that a message shows.
const SHOWN: usize = 40;

fn shown(bytes: &[u8], range: Range) -> String {
    let text = String::from_utf8_lossy(range.of(bytes));
    let mut first: String = text.chars().take(SHOWN).collect();
    if first.len() < text.len() {
        first.push('…');
    }
    first.replace('`', "'").replace(char::is_control, " ")
}

impl Fault {
    fn new(range: Range, message: String, help: impl Into<Words>, label: &'static str) -> Self {
        Self {
            range,
            message,
            help: help.into(),
            label,
        }
    }

    fn into_finding(self, source: SourceId) -> Finding {
        let span = Span::new(source, self.range.start, self.range.end);
        let mut finding = Finding::new(Severity::Error, span, self.message, self.help)
            .label(self.label)
            .of_rule("syntax-error");
        finding.engine = Engine::Nginx;
        finding
    }

    pub(crate) fn missing_semicolon(bytes: &[u8], last: Range) -> Self {
        Self::new(
            last,
            format!("`;` expected after `{}`", shown(bytes, last)),
            "end the directive with `;`",
            "`;` missing behind this",
        )
    }

    pub(crate) fn surplus_semicolon(at: u32) -> Self {
        Self::new(
            one(at),
            "unexpected `;`: a directive was expected".to_owned(),
            "remove this `;`",
            "no directive before it",
        )
    }

    pub(crate) fn surplus_brace(at: u32) -> Self {
        Self::new(
            one(at),
            "unexpected `}`: no block is open here".to_owned(),
            "remove this `}`, or the one that closes a block too early above",
            "closes nothing",
        )
    }

    pub(crate) fn nameless_block(at: u32) -> Self {
        Self::new(
            one(at),
            "unexpected `{`: the name of a block was expected".to_owned(),
            "write the directive before its `{`",
            "block without a name",
        )
    }

    pub(crate) fn unclosed_block(bytes: &[u8], name: Range) -> Self {
        Self::new(
            name,
            format!(
                "block `{}` is not closed: `}}` expected",
                shown(bytes, name)
            ),
            "add the missing `}`",
            "this block is not closed",
        )
    }

    pub(crate) fn unclosed_file(end: u32) -> Self {
        Self::new(
            Range { start: end, end },
            "unexpected end of file: `}` expected".to_owned(),
            "add the missing `}`",
            "file ends here",
        )
    }

    pub(crate) fn no_block(bytes: &[u8], name: Range) -> Self {
        Self::new(
            name,
            format!("`{{` expected: `{}` needs a block", shown(bytes, name)),
            "write `{ … }` in place of the `;`",
            "ends with `;`",
        )
    }

    pub(crate) fn block_among_entries(parent: &[u8], at: u32) -> Self {
        let parent = String::from_utf8_lossy(parent);
        Self::new(
            one(at),
            format!("unexpected `{{` in `{parent}`: an entry ends with `;`"),
            "write `;` behind the entry, or the missing `}` before the block",
            "no block can stand here",
        )
    }

    pub(crate) fn unterminated(bytes: &[u8], word: Range) -> Self {
        let quote = shown(
            bytes,
            Range {
                end: word.start + 1,
                ..word
            },
        );
        Self::new(
            word,
            format!("closing quote `{quote}` expected"),
            "close the quoted word",
            "this quote is not closed",
        )
    }

    pub(crate) fn unquoted_brace(bytes: &[u8], word: Range) -> Self {
        Self::new(
            word,
            format!(
                "unexpected `{{` in `{}`: outside of quotes it opens a block",
                shown(bytes, word)
            ),
            "put the whole regular expression into quotes",
            "not quoted",
        )
    }

    pub(crate) fn after_quote(bytes: &[u8], stray: Range) -> Self {
        Self::new(
            stray,
            format!(
                "unexpected `{}`: a space, `;` or `{{` was expected behind a closing quote",
                shown(bytes, stray)
            ),
            "put the whole word into quotes, or a space behind the quote",
            "follows a quote",
        )
    }

    pub(crate) fn too_long(bytes: &[u8], word: Range) -> Self {
        let what = if word.of(bytes).starts_with(b"#") {
            "comment"
        } else {
            "word"
        };
        Self::new(
            word,
            format!(
                "this {what} of {} bytes is too long: nginx reads at most 4095",
                word.end - word.start
            ),
            format!("divide the {what}"),
            "too long",
        )
    }
}

fn one(at: u32) -> Range {
    Range {
        start: at,
        end: at + 1,
    }
}
