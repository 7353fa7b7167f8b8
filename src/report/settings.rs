//! The settings in force, as a table or as JSON.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::json::{write_document, write_line};
use super::shown::plain;
use super::table::{Align, Table};
use super::{Format, Style};
use crate::settings::{Effective, NamedBy};
use crate::source::Position;

/// What `config show` tells.
#[derive(Debug)]
pub struct Shown {
    /// The settings file and who named it.
    pub file: Option<(PathBuf, NamedBy)>,
    /// The configuration that was asked about.
    pub path: Option<String>,
    /// Every value in force.
    pub settings: Vec<Effective>,
}

/// Writes the settings in force.
pub fn write(shown: &Shown, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut entries = shown.settings.iter().map(|value| Entry::new(value, shown));
    match format {
        Format::Text => text(shown, style, out),
        Format::Concise => {
            entries.try_for_each(|entry| writeln!(out, "{}: {}", entry.place(), entry.assignment()))
        }
        Format::Json => write_document(&Document::new(shown, entries.collect()), out),
        Format::Jsonl => entries.try_for_each(|entry| write_line(&entry, out)),
    }
}

fn text(shown: &Shown, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", file_line(shown))?;
    if let Some(path) = &shown.path {
        writeln!(out, "in force for {}", plain(path))?;
    }
    let mut table = Table::new(&[Align::Left; 2]);
    for value in &shown.settings {
        let entry = Entry::new(value, shown);
        table.row([entry.assignment(), entry.place()]);
    }
    for line in table.lines("", style.columns()) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn file_line(shown: &Shown) -> String {
    let Some((file, named_by)) = &shown.file else {
        return "no settings file".to_owned();
    };
    let named_by = match named_by {
        NamedBy::Flag => "of --config",
        NamedBy::Environment => "of LBAUDIT_CONFIG",
        NamedBy::Search => "the nearest one from the working folder upward",
    };
    format!("{} ({named_by})", plain(&file.display().to_string()))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: Option<File>,
    path: Option<&'a str>,
    settings: Vec<Entry<'a>>,
}

impl<'a> Document<'a> {
    fn new(shown: &'a Shown, settings: Vec<Entry<'a>>) -> Self {
        let file = shown.file.as_ref().map(|(path, named_by)| File {
            path: path.display().to_string(),
            named_by: *named_by,
        });
        Self {
            schema: "lbaudit/config-show/1",
            file,
            path: shown.path.as_deref(),
            settings,
        }
    }
}

#[derive(Serialize)]
struct File {
    path: String,
    named_by: NamedBy,
}

#[derive(Serialize)]
struct Entry<'a> {
    key: &'a str,
    value: &'a Value,
    origin: &'static str,
    location: Option<Location>,
}

#[derive(Serialize)]
struct Location {
    file: String,
    start: Position,
}

impl<'a> Entry<'a> {
    fn new(value: &'a Effective, shown: &Shown) -> Self {
        let file = shown.file.as_ref();
        let location = value.position.zip(file).map(|(start, (file, _))| Location {
            file: file.display().to_string(),
            start,
        });
        Self {
            key: &value.key,
            value: &value.value,
            origin: location.as_ref().map_or("default", |_| "file"),
            location,
        }
    }

    fn assignment(&self) -> String {
        let key = plain(self.key);
        if self.value.is_null() {
            return format!("{key}: as the rule decides");
        }
        format!("{key} = {}", plain(&self.value.to_string()))
    }

    fn place(&self) -> String {
        match &self.location {
            Some(Location { file, start }) => format!("{}:{}", plain(file), start.line),
            None => "default".to_owned(),
        }
    }
}
