//! Where the output goes: any number of `--format NAME=FILE`, and one format for standard output or
//! the file of `--output`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Run, written};
use crate::cli::{FormatName, Global};
use crate::error::Error;
use crate::report::check::{self, CheckFormat};
use crate::report::diff::DiffFormat;
use crate::report::{Format, Report, Style, write_file_atomically};

/// The outputs of one run, in the formats `F` of its command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outputs<F> {
    /// The format of standard output; `None` where every format goes to a file.
    main: Option<F>,
    files: Vec<(F, PathBuf)>,
}

impl<F: Copy + PartialEq> Outputs<F> {
    /// The outputs that the arguments name, of which `format` knows those of the command.
    pub(super) fn new(
        global: &Global,
        format: impl Fn(FormatName) -> Result<F, Error>,
    ) -> Result<Self, Error> {
        let mut outputs = Self {
            main: None,
            files: Vec::new(),
        };
        for output in &global.format {
            let format = format(output.format)?;
            match &output.file {
                Some(file) if outputs.files.iter().any(|(_, known)| known == file) => {
                    let file = file.display();
                    return Err(usage(&format!("two `--format`s name the file `{file}`")));
                }
                Some(file) => outputs.files.push((format, file.clone())),
                None if outputs.main.is_some() => {
                    return Err(usage("only one `--format` can do without a `=FILE`"));
                }
                None => outputs.main = Some(format),
            }
        }
        if global.format.is_empty() {
            outputs.main = Some(format(FormatName::Text)?);
        }
        if outputs.main.is_none() && global.output.is_some() {
            return Err(usage(
                "`--output` is of no use where every `--format` names a file",
            ));
        }
        Ok(outputs)
    }

    /// Whether any of them is `format`.
    pub(super) fn has(&self, format: F) -> bool {
        let files = self.files.iter().map(|(format, _)| format);
        files.chain(&self.main).any(|known| *known == format)
    }

    /// Whether each of them is `format`.
    pub(super) fn are_all(&self, format: F) -> bool {
        let files = self.files.iter().map(|(format, _)| format);
        files.chain(&self.main).all(|known| *known == format)
    }

    /// Writes what `render` gives: to the files, and to standard output unless that is to be `quiet`.
    pub(super) fn write(
        &self,
        quiet: bool,
        run: &mut Run<'_>,
        render: impl Fn(F, Style, &mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let plain = Style {
            color: false,
            ..run.style
        };
        for (format, path) in &self.files {
            let mut bytes = Vec::new();
            written(render(*format, plain, &mut bytes))?;
            write_file_atomically(path, &bytes)?;
        }
        match self.main {
            Some(format) if !quiet => written(render(format, run.style, run.out)),
            Some(_) | None => Ok(()),
        }
    }
}

/// The one format of a command that writes to standard output only.
pub(super) fn single(global: &Global) -> Result<Format, Error> {
    let outputs = Outputs::new(global, common)?;
    match outputs.main {
        Some(format) if outputs.files.is_empty() => Ok(format),
        Some(_) | None => Err(usage(
            "only `check` and `diff` take `--format NAME=FILE`; use `--output FILE`",
        )),
    }
}

fn common(name: FormatName) -> Result<Format, Error> {
    match of_check(name) {
        CheckFormat::Common(format) => Ok(format),
        CheckFormat::Sarif
        | CheckFormat::Github
        | CheckFormat::Gitlab
        | CheckFormat::Junit
        | CheckFormat::Markdown => Err(usage(
            "this command has no such format: its formats are text, concise, json and jsonl",
        )),
    }
}

/// The format of `diff` that is named so.
pub(super) fn of_diff(name: FormatName) -> Result<DiffFormat, Error> {
    match of_check(name) {
        CheckFormat::Common(format) => Ok(DiffFormat::Common(format)),
        CheckFormat::Markdown => Ok(DiffFormat::Markdown),
        CheckFormat::Sarif | CheckFormat::Github | CheckFormat::Gitlab | CheckFormat::Junit => {
            Err(usage(
                "`diff` has no such format: its formats are text, concise, json, jsonl and markdown",
            ))
        }
    }
}

/// Appends the report as Markdown to the summary of a job of GitHub Actions.
pub(super) fn append_summary(report: &Report<'_>, path: &Path) -> Result<(), Error> {
    let mut bytes = Vec::new();
    let format = CheckFormat::Markdown;
    written(check::write(report, format, Style::PLAIN, &mut bytes))?;
    let append = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)?;
        file.write_all(&bytes)
    };
    append().map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// The format of `check` that is named so.
pub(super) fn of_check(name: FormatName) -> CheckFormat {
    match name {
        FormatName::Text => Format::Text.into(),
        FormatName::Concise => Format::Concise.into(),
        FormatName::Json => Format::Json.into(),
        FormatName::Jsonl => Format::Jsonl.into(),
        FormatName::Sarif => CheckFormat::Sarif,
        FormatName::Github => CheckFormat::Github,
        FormatName::Gitlab => CheckFormat::Gitlab,
        FormatName::Junit => CheckFormat::Junit,
        FormatName::Markdown => CheckFormat::Markdown,
    }
}

fn usage(fault: &str) -> Error {
    Error::Usage(fault.to_owned())
}
