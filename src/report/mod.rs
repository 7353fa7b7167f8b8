//! Reports: one model of what is reported, many formats.
//!
//! In: an [`Audit`] and its findings. Out: bytes. A format never changes the exit status.

pub mod catalogue;
pub mod check;
pub mod explain;
pub mod model;

use std::io::Write;
use std::path::Path;

use crate::audit::Audit;
use crate::error::Error;
use crate::finding::Finding;

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal, with source excerpts.
    Text,
    /// One line per finding.
    Concise,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Use ANSI colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Say more.
    pub verbose: bool,
}

/// What is reported of an audit.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The files and models.
    pub audit: &'a Audit,
    /// The findings, in the order in which they are shown.
    pub findings: &'a [Finding],
    /// How many more a comment silenced.
    pub suppressed: usize,
}

impl<'a> Report<'a> {
    /// A report of `findings`.
    pub fn new(audit: &'a Audit, findings: &'a [Finding], suppressed: usize) -> Self {
        Self {
            audit,
            findings,
            suppressed,
        }
    }
}

/// Writes a file whole or not at all: into a temporary file beside it, which then takes its place.
pub fn write_file_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fault = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fault)?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(fault)?;
    file.persist(path).map_err(|error| fault(error.error))?;
    Ok(())
}
