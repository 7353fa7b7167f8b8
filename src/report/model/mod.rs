//! The normalized model, as JSON or for people.

mod backend;
mod json;
mod server;
mod text;
mod values;

use std::io::{self, Write};

use super::{Format, Style};
use crate::audit::Audit;

pub use values::{algorithm_words, seconds};

/// Writes the models of every instance.
pub fn write(audit: &Audit, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text | Format::Concise => text::write(audit, style, out),
        Format::Json => json::write(audit, out),
        Format::Jsonl => json::write_lines(audit, out),
    }
}
