//! `lbaudit completions SHELL` and `lbaudit man [FOLDER]`: what a package installs beside the program.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Outcome, Run, written};
use crate::cli::Cli;
use crate::error::Error;
use crate::report::write_file_atomically;

/// Writes the completions of `shell`.
pub(super) fn completions(shell: Shell, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // The generator takes a failed write for a mistake of the program.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    written(run.out.write_all(&script))?;
    Ok(Outcome::default())
}

/// Writes the manual page of the program, or those of all commands to `folder`.
pub(super) fn man(folder: Option<&Path>, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let Some(folder) = folder else {
        written(Man::new(program).render(run.out))?;
        return Ok(Outcome::default());
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::Write {
        path: folder.to_owned(),
        source,
    })?;
    pages(&program, folder)?;
    Ok(Outcome::default())
}

/// The page of `command` and those of its subcommands. Commands nest two deep: no input deepens this.
fn pages(command: &clap::Command, folder: &Path) -> Result<(), Error> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    written(page.render(&mut text))?;
    write_file_atomically(&folder.join(page.get_filename()), &text)?;
    let mut commands = command.get_subcommands();
    commands.try_for_each(|command| pages(command, folder))
}
