//! The page of a rule for a terminal.

use std::io::{self, Write};

use super::Style;
use crate::rules::Page;

/// Writes the page.
pub fn write(page: &Page, _style: Style, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}", page.body)
}
