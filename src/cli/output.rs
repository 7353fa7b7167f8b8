//! `--format NAME[=FILE]`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};

/// Names of output formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For a terminal, with source excerpts.
    #[default]
    Text,
    /// One line per finding: <file:line:column>.
    Concise,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// SARIF 2.1.0, for code scanning (check only).
    Sarif,
    /// Annotations of GitHub Actions, and the summary of the job (check only).
    Github,
    /// The Code Quality report of GitLab (check only).
    Gitlab,
    #[value(help = "JUnit XML (check only)")]
    /// `JUnit` XML (check only).
    Junit,
    /// A comment on a pull request (check and diff).
    Markdown,
}

/// One `--format NAME[=FILE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg {
    /// The format.
    pub format: FormatName,
    /// Where to; standard output, or the file of `--output`, where there is none.
    pub file: Option<PathBuf>,
}

/// Reads [`OutputArg`]s, and tells help and shell completion which names there are.
#[derive(Clone, Debug)]
pub(super) struct OutputParser;

impl TypedValueParser for OutputParser {
    type Value = OutputArg;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<OutputArg, clap::Error> {
        let (name, file) = match value.to_str().and_then(|text| text.split_once('=')) {
            // As elsewhere, `-` stands for standard output.
            Some((name, "-")) => (OsStr::new(name), None),
            Some((name, file)) => (OsStr::new(name), Some(PathBuf::from(file))),
            None => (value, None),
        };
        let format = EnumValueParser::<FormatName>::new().parse_ref(command, argument, name)?;
        if file.as_deref() == Some(Path::new("")) {
            let fault = clap::Error::raw(
                clap::error::ErrorKind::InvalidValue,
                "a file name is missing behind `=` of `--format`\n",
            );
            return Err(fault.with_cmd(command));
        }
        Ok(OutputArg { format, file })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = FormatName::value_variants().iter();
        Some(Box::new(names.filter_map(ValueEnum::to_possible_value)))
    }
}
