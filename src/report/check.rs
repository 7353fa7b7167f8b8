//! The findings of `check` in any format.

use std::io::{self, Write};

use super::{Format, Report, Style, concise, github, gitlab, json, junit, markdown, sarif, text};

/// The formats of findings: those that every command has, and those of other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckFormat {
    /// A format that every command has.
    Common(Format),
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// The Code Quality report of GitLab.
    Gitlab,
    /// `JUnit` XML.
    Junit,
    /// A comment on a pull request.
    Markdown,
}

impl From<Format> for CheckFormat {
    fn from(format: Format) -> Self {
        Self::Common(format)
    }
}

/// Writes the findings in `format`.
pub fn write(
    report: &Report<'_>,
    format: impl Into<CheckFormat>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format.into() {
        CheckFormat::Common(Format::Text) => text::write(report, style, out),
        CheckFormat::Common(Format::Concise) => concise::write(report, out),
        CheckFormat::Common(Format::Json) => json::write(report, out),
        CheckFormat::Common(Format::Jsonl) => json::write_lines(report, out),
        CheckFormat::Sarif => sarif::write(report, out),
        CheckFormat::Github => github::write(report, out),
        CheckFormat::Gitlab => gitlab::write(report, out),
        CheckFormat::Junit => junit::write(report, out),
        CheckFormat::Markdown => markdown::write(report, out),
    }
}
