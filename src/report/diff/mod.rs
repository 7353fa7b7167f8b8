//! What changed, in any format.
//!
//! In: a [`Diff`] with both its sides, and the limits of the gate. Out: bytes, and whether the gate
//! fails, which no format has a say in.

mod json;
mod markdown;
mod objects;
mod text;
mod words;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use super::mask::mask_text;
use super::{Format, Report, Style};
use crate::diff::{Change, Diff, Side};
use crate::finding::Severity;
use crate::model::Engine;

/// What fails a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Lowest severity of an introduced finding.
    pub fail_on: Severity,
    /// Most that any server's share may move, as a fraction of its backend.
    pub max_shift: Option<f64>,
    /// Most keys of a backend that may change their server, as a fraction.
    pub max_moved: Option<f64>,
}

/// Everything that `diff` tells.
#[derive(Clone, Debug)]
pub struct DiffReport<'a> {
    /// What changed.
    pub diff: &'a Diff,
    /// What it was.
    pub old: &'a Side<'a>,
    /// What it is.
    pub new: &'a Side<'a>,
    /// What fails.
    pub limits: Limits,
}

/// Shares are computed exactly and shown as floating point numbers; this much is their noise.
const NOISE: f64 = 1e-9;

impl<'a> DiffReport<'a> {
    /// Whether anything is beyond its limit.
    pub fn fails(&self) -> bool {
        self.shift_fails() || self.moved_fails() || self.findings_fail()
    }

    fn shift_fails(&self) -> bool {
        let limit = self.limits.max_shift;
        limit.is_some_and(|limit| self.diff.worst_shift() > limit + NOISE)
    }

    fn moved_fails(&self) -> bool {
        let limit = self.limits.max_moved;
        limit.is_some_and(|limit| self.diff.worst_moved() > limit + NOISE)
    }

    fn findings_fail(&self) -> bool {
        let introduced = self.diff.findings.introduced.iter();
        let mut introduced = introduced.filter_map(|index| self.new.findings.get(*index));
        introduced.any(|finding| finding.severity >= self.limits.fail_on)
    }

    fn old_report(&self) -> Report<'a> {
        Report::new(self.old.audit, self.old.findings, 0)
    }

    fn new_report(&self) -> Report<'a> {
        Report::new(self.new.audit, self.new.findings, 0)
    }

    /// How many files of either side are templates, of which nothing can be compared.
    fn templates(&self) -> usize {
        let sides = [self.old, self.new].into_iter();
        let templates = sides.flat_map(|side| &side.audit.templates);
        let names: BTreeSet<&str> = templates.map(|it| it.name.as_str()).collect();
        names.len()
    }

    fn engines(&self, pair: usize) -> (Engine, Engine) {
        let engines = self.diff.pairs.get(pair).map(|pair| pair.engines);
        engines.unwrap_or((Engine::Haproxy, Engine::Haproxy))
    }

    fn label(&self, pair: usize) -> &'a str {
        self.diff.pairs.get(pair).map_or("", |pair| &pair.label)
    }

    /// What a change was and is, without secrets.
    fn values<'c>(&self, change: &'c Change) -> (Option<Cow<'c, str>>, Option<Cow<'c, str>>) {
        let (old, new) = self.engines(change.pair);
        let safe = |value: &'c Option<String>, engine| {
            value.as_deref().map(|value| mask_text(value, engine))
        };
        (safe(&change.old, old), safe(&change.new, new))
    }

    /// A name of the configuration, without secrets.
    fn name<'n>(&self, pair: usize, name: &'n str) -> Cow<'n, str> {
        mask_text(name, self.engines(pair).1)
    }
}

/// The formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffFormat {
    /// A format that every command has.
    Common(Format),
    /// A comment on a pull request.
    Markdown,
}

/// Writes the report in `format`.
pub fn write(
    report: &DiffReport<'_>,
    format: DiffFormat,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        DiffFormat::Common(Format::Text) => text::write(report, style, out),
        DiffFormat::Common(Format::Concise) => text::write_lines(report, out),
        DiffFormat::Common(Format::Json) => {
            super::write_document(&json::Document::new(report), out)
        }
        DiffFormat::Common(Format::Jsonl) => {
            super::json::write_line(&json::Document::new(report), out)
        }
        DiffFormat::Markdown => markdown::write(report, out),
    }
}
