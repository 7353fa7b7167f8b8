//! Why an audit could not be done. Faults in an audited configuration are findings instead.

use std::path::PathBuf;

use crate::engine::template::Template;

/// A reason for exit status 2 or 3.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than offsets can address.
    #[error("`{}` is larger than 4 GiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file that the user named is neither an HAProxy nor an nginx configuration.
    #[error(
        "`{name}` is neither an HAProxy nor an nginx configuration; name the engine with `--engine haproxy` or `--engine nginx`"
    )]
    UnknownEngine {
        /// The file.
        name: String,
    },
    /// A template, of which nothing can be told before it is rendered.
    #[error(
        "`{}` is a template (line {}): {} not audited; audit what it becomes, or pass `--templates skip`",
        .0.name, .0.line, spoiled(.0)
    )]
    Template(Template),
    /// An empty file or empty standard input.
    #[error("`{name}` is empty: nothing was audited")]
    Empty {
        /// The file.
        name: String,
    },
    /// No configuration was found at all (exit status 3).
    #[error("no configuration found: {looked_for}")]
    NoInput {
        /// Where it was looked for.
        looked_for: String,
    },
    /// A request that cannot be answered: an unknown rule, backend or option value.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// The exit status of the process.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NoInput { .. } => 3,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::TooLarge { .. }
            | Self::UnknownEngine { .. }
            | Self::Template(_)
            | Self::Empty { .. }
            | Self::Usage(_) => 2,
        }
    }
}

/// What else is not audited for the sake of a template.
fn spoiled(template: &Template) -> String {
    match &template.included_by {
        Some(root) => format!("it and `{root}`, which includes it, were"),
        None => "it was".to_owned(),
    }
}
