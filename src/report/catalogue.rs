//! The list of rules.

use std::io::{self, Write};

use super::{Format, Style};
use crate::rules::Entry;

/// Writes the catalogue.
pub fn write(
    entries: &[Entry],
    _format: Format,
    _style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for entry in entries {
        writeln!(out, "{} {}", entry.page.name, entry.page.summary)?;
    }
    Ok(())
}
