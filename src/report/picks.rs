//! The output of `pick`: the server of each request.

use std::io::{self, Write};

use serde::Serialize;

use super::json::{write_document, write_line};
use super::mask::mask_text;
use super::model::algorithm_words;
use super::shown::plain;
use super::table::{Align, Table, percent};
use super::{Format, Style};
use crate::model::{Backend, Engine};

/// The picks of one backend.
#[derive(Debug)]
pub struct Picks<'a> {
    /// Its engine.
    pub engine: Engine,
    /// The backend.
    pub backend: &'a Backend,
    /// One entry per request.
    pub picks: Vec<Pick>,
    /// Whether people see only how many each server got.
    pub counts_only: bool,
}

/// What one request got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Its key as text; `None` when it has none.
    pub key: Option<String>,
    /// Index of the server; `None` when no server can take it.
    pub server: Option<usize>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    backend: String,
    algorithm: String,
    picks: Vec<PickView<'a>>,
}

#[derive(Serialize)]
struct PickView<'a> {
    key: Option<&'a str>,
    server: Option<&'a str>,
}

/// Writes the picks.
pub fn write(
    picks: &Picks<'_>,
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names: Vec<String> = (picks.backend.servers.iter())
        .map(|server| mask_text(&server.name, picks.engine).into_owned())
        .collect();
    let mut views = picks.picks.iter().map(|pick| PickView {
        key: pick.key.as_deref(),
        server: pick
            .server
            .and_then(|server| names.get(server))
            .map(String::as_str),
    });
    match format {
        Format::Text => text(picks, &names, style, out),
        Format::Concise => views
            .try_for_each(|view| writeln!(out, "{}", plain(view.server.unwrap_or("no server")))),
        Format::Json => write_document(
            &Document {
                schema: "lbaudit/pick/1",
                backend: mask_text(&picks.backend.name, picks.engine).into_owned(),
                algorithm: algorithm(picks),
                picks: views.collect(),
            },
            out,
        ),
        Format::Jsonl => views.try_for_each(|view| write_line(&view, out)),
    }
}

fn algorithm(picks: &Picks<'_>) -> String {
    let words = algorithm_words(&picks.backend.algorithm.value);
    mask_text(&words, picks.engine).into_owned()
}

/// The picks in order, then how many each server got.
fn text(picks: &Picks<'_>, names: &[String], style: Style, out: &mut dyn Write) -> io::Result<()> {
    if !picks.counts_only {
        in_order(picks, names, out)?;
        writeln!(out)?;
    }
    let counts = counts(picks, names);
    (counts.lines("", style.columns()).iter()).try_for_each(|line| writeln!(out, "{line}"))
}

fn in_order(picks: &Picks<'_>, names: &[String], out: &mut dyn Write) -> io::Result<()> {
    let keyed = picks.picks.iter().any(|pick| pick.key.is_some());
    let digits = picks.picks.len().to_string().len();
    for (number, pick) in (1usize..).zip(&picks.picks) {
        let name = pick.server.and_then(|server| names.get(server));
        let name = plain(name.map_or("no server", String::as_str));
        match &pick.key {
            Some(key) => writeln!(out, "{number:digits$}  {name}  {}", plain(key))?,
            None if keyed => writeln!(out, "{number:digits$}  {name}  (no key)")?,
            None => writeln!(out, "{number:digits$}  {name}")?,
        }
    }
    Ok(())
}

fn counts(picks: &Picks<'_>, names: &[String]) -> Table {
    let mut counts = vec![0u64; names.len()];
    let mut refused = 0u64;
    for pick in &picks.picks {
        match pick.server.and_then(|server| counts.get_mut(server)) {
            Some(count) => *count += 1,
            None => refused += 1,
        }
    }
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right]);
    let total = picks.picks.len().max(1);
    for (name, count) in names.iter().zip(&counts) {
        table.row([name, &count.to_string(), &percent(part(*count, total))]);
    }
    if refused > 0 {
        table.row([
            "no server",
            &refused.to_string(),
            &percent(part(refused, total)),
        ]);
    }
    table
}

#[allow(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn part(count: u64, total: usize) -> f64 {
    count as f64 / total as f64
}
