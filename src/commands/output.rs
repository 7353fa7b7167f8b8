//! Where the output goes: any number of `--format NAME=FILE`, and one format for standard output or
//! the file of `--output`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Run, written};
use crate::cli::{FormatName, Global};
use crate::error::Error;
use crate::report::check::{self, CheckFormat};
use crate::report::{Format, Report, Style, write_file_atomically};

/// The outputs of one run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outputs {
    /// The format of standard output; `None` where every format goes to a file.
    main: Option<CheckFormat>,
    files: Vec<(CheckFormat, PathBuf)>,
}

impl Outputs {
    /// The outputs that the arguments name.
    pub(super) fn new(global: &Global) -> Result<Self, Error> {
        let mut outputs = Self {
            main: None,
            files: Vec::new(),
        };
        for output in &global.format {
            let format = named(output.format);
            match &output.file {
                Some(file) => outputs.files.push((format, file.clone())),
                None if outputs.main.is_some() => {
                    return Err(usage("only one `--format` can do without a `=FILE`"));
                }
                None => outputs.main = Some(format),
            }
        }
        if global.format.is_empty() {
            outputs.main = Some(Format::Text.into());
        }
        if outputs.main.is_none() && global.output.is_some() {
            return Err(usage(
                "`--output` is of no use where every `--format` names a file",
            ));
        }
        Ok(outputs)
    }

    /// Whether any of them is `format`.
    pub(super) fn has(&self, format: CheckFormat) -> bool {
        let files = self.files.iter().map(|(format, _)| format);
        files.chain(&self.main).any(|known| *known == format)
    }

    /// Writes the findings: to the files, and to standard output unless that is to be `quiet`.
    pub(super) fn write(
        &self,
        report: &Report<'_>,
        quiet: bool,
        run: &mut Run<'_>,
    ) -> Result<(), Error> {
        for (format, path) in &self.files {
            let bytes = rendered(report, *format, run.style)?;
            write_file_atomically(path, &bytes)?;
        }
        match self.main {
            Some(format) if !quiet => written(check::write(report, format, run.style, run.out)),
            Some(_) | None => Ok(()),
        }
    }
}

/// The one format of a command that writes to standard output only.
pub(super) fn single(global: &Global) -> Result<Format, Error> {
    let outputs = Outputs::new(global)?;
    match outputs.main {
        Some(CheckFormat::Common(format)) if outputs.files.is_empty() => Ok(format),
        Some(CheckFormat::Common(_)) | None => Err(usage(
            "only `check` takes `--format NAME=FILE`; use `--output FILE`",
        )),
        Some(
            CheckFormat::Sarif
            | CheckFormat::Github
            | CheckFormat::Gitlab
            | CheckFormat::Junit
            | CheckFormat::Markdown,
        ) => Err(usage(
            "only `check` writes this format; the others are text, concise, json and jsonl",
        )),
    }
}

/// Appends the report as Markdown to the summary of a job of GitHub Actions.
pub(super) fn append_summary(report: &Report<'_>, path: &Path) -> Result<(), Error> {
    let bytes = rendered(report, CheckFormat::Markdown, Style::PLAIN)?;
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

fn rendered(report: &Report<'_>, format: CheckFormat, style: Style) -> Result<Vec<u8>, Error> {
    let style = Style {
        color: false,
        ..style
    };
    let mut bytes = Vec::new();
    written(check::write(report, format, style, &mut bytes))?;
    Ok(bytes)
}

fn named(name: FormatName) -> CheckFormat {
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
