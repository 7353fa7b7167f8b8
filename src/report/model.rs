//! The normalized model, as JSON or for people.

use std::io::{self, Write};

use super::{Format, Style};
use crate::audit::Audit;

/// Writes the models of every instance.
pub fn write(audit: &Audit, _format: Format, _style: Style, out: &mut dyn Write) -> io::Result<()> {
    for audited in &audit.instances {
        for instance in &audited.variants {
            writeln!(out, "{instance:#?}")?;
        }
    }
    Ok(())
}
