//! The list of rules, as a table or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::json::{write_document, write_line};
use super::table::{Align, Table};
use super::wrap::wrapped;
use super::{Format, Style};
use crate::finding::Severity;
use crate::model::Engine;
use crate::rules::{Category, Entry, Page};

/// Writes the catalogue.
pub fn write(
    entries: &[Entry],
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut views = entries.iter().map(|entry| RuleView::new(&entry.page));
    match format {
        Format::Text => table(entries, style, out),
        Format::Concise => names(entries, out),
        Format::Json => write_document(
            &Document {
                schema: "lbaudit/rules/1",
                rules: views.collect(),
            },
            out,
        ),
        Format::Jsonl => views.try_for_each(|view| write_line(&view, out)),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    rules: Vec<RuleView<'a>>,
}

#[derive(Serialize)]
struct RuleView<'a> {
    name: &'a str,
    category: Category,
    severity: Severity,
    engines: &'a [Engine],
    summary: &'a str,
    marks: &'a [String],
}

impl<'a> RuleView<'a> {
    fn new(page: &'a Page) -> Self {
        Self {
            name: &page.name,
            category: page.category,
            severity: page.severity,
            engines: &page.engines,
            summary: &page.summary,
            marks: &page.marks,
        }
    }
}

/// Name, severity, category and engines in columns; the summary, which is too long for one, below.
fn table(entries: &[Entry], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&[Align::Left; 4]);
    for Entry { page, .. } in entries {
        table.row([
            page.name.as_str(),
            page.severity.as_str(),
            page.category.as_str(),
            &engines(&page.engines),
        ]);
    }
    let width = style.columns();
    for (line, Entry { page, .. }) in table.lines("", width).iter().zip(entries) {
        writeln!(out, "{line}")?;
        for line in wrapped(&page.summary, width, 4).lines() {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

fn names(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    let mut pages = entries.iter().map(|entry| &entry.page);
    pages.try_for_each(|page| writeln!(out, "{}: {}", page.name, page.summary))
}

/// The engines in words.
pub(crate) fn engines(engines: &[Engine]) -> String {
    let names: Vec<&str> = engines.iter().map(|engine| engine.as_str()).collect();
    names.join(", ")
}
