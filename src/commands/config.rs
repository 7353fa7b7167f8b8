//! `lbaudit config init|show|schema`: the settings file itself.

use std::path::Path;

use super::{Outcome, Run, input, written};
use crate::cli::ConfigCommand;
use crate::error::Error;
use crate::report::settings::{Shown, write};
use crate::report::{write_document, write_file_atomically, write_new_file};
use crate::settings::{self, Settings};

pub(super) fn run(command: &ConfigCommand, run: &mut Run<'_>) -> Result<Outcome, Error> {
    match command {
        ConfigCommand::Init { file, force } => init(file, *force, run),
        ConfigCommand::Show { path } => show(path.as_deref(), run),
        ConfigCommand::Schema => schema(run),
    }
}

fn init(file: &Path, force: bool, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let text = settings::template();
    if force {
        write_file_atomically(file, text.as_bytes())?;
    } else if !write_new_file(file, text.as_bytes())? {
        let file = file.display();
        let fault = format!("`{file}` exists and was left as it is; `--force` overwrites it");
        return Err(Error::Usage(fault));
    }
    if !run.global.quiet {
        written(writeln!(run.out, "wrote {}", file.display()))?;
    }
    Ok(Outcome::default())
}

fn show(path: Option<&Path>, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let format = run.format()?;
    let file = input::settings_file(run.global);
    let (settings, text) = match &file {
        Some((file, _)) => Settings::read_with_text(file)?,
        None => (Settings::default(), String::new()),
    };
    let path = path.map(|path| path.display().to_string());
    let shown = Shown {
        file,
        settings: settings::effective(&settings, &text, path.as_deref()),
        path,
    };
    written(write(&shown, format, run.style, run.out))?;
    Ok(Outcome::default())
}

/// Writes the JSON Schema of the settings file.
pub(super) fn schema(run: &mut Run<'_>) -> Result<Outcome, Error> {
    written(write_document(&settings::schema(), run.out))?;
    Ok(Outcome::default())
}
