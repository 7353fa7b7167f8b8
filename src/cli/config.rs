//! `lbaudit config`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::settings::FILE_NAME;

/// What can be done with settings files.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Writes a settings file with every key and its default, commented out
    Init {
        /// The file to write
        #[arg(default_value = FILE_NAME)]
        file: PathBuf,
        /// Overwrite the file where it exists
        #[arg(long)]
        force: bool,
    },
    /// Prints every setting in force and where it was written
    Show {
        /// The configuration that is asked about: overrides that match it count
        path: Option<PathBuf>,
    },
    /// Prints the JSON Schema of the settings file
    Schema,
}
