//! `lbaudit/shares/1`.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::{Traffic, ratio};
use crate::model::{Engine, Server};
use crate::predict::{Basis, Failure, Share};
use crate::report::json::{write_document, write_line};
use crate::report::mask::mask_text;
use crate::report::model::algorithm_words;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    backends: Vec<BackendView<'a>>,
}

#[derive(Serialize)]
struct BackendView<'a> {
    instance: &'a str,
    engine: Engine,
    backend: Cow<'a, str>,
    algorithm: Option<Cow<'a, str>>,
    basis: Option<Basis>,
    servers: Vec<ServerView<'a>>,
    failures: Vec<FailureView<'a>>,
}

#[derive(Serialize)]
struct ServerView<'a> {
    server: Cow<'a, str>,
    address: Cow<'a, str>,
    weight: Option<u32>,
    tier: &'static str,
    share: Option<f64>,
    fair: Option<f64>,
}

#[derive(Serialize)]
struct FailureView<'a> {
    down: Vec<Cow<'a, str>>,
    moved: f64,
    servers: Vec<LeftView<'a>>,
}

#[derive(Serialize)]
struct LeftView<'a> {
    server: Cow<'a, str>,
    share: f64,
}

pub(super) fn write(rows: &[Traffic<'_>], out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: "lbaudit/shares/1",
        backends: rows.iter().map(view).collect(),
    };
    write_document(&document, out)
}

/// One backend a line.
pub(super) fn write_lines(rows: &[Traffic<'_>], out: &mut dyn Write) -> io::Result<()> {
    rows.iter().try_for_each(|row| write_line(&view(row), out))
}

fn view<'a>(row: &'a Traffic<'a>) -> BackendView<'a> {
    let known = row.now.is_some();
    let server = |(server, share): (&'a Server, Option<f64>)| ServerView {
        server: mask_text(&server.name, row.engine),
        address: mask_text(&server.address.text, row.engine),
        weight: server.weight.known().copied(),
        tier: row.tier(server),
        share,
        fair: known.then(|| row.fair(server)),
    };
    let algorithm = row.backend.algorithm.known();
    BackendView {
        instance: row.root,
        engine: row.engine,
        backend: mask_text(&row.backend.name, row.engine),
        algorithm: algorithm.map(|algorithm| {
            let words = algorithm_words(algorithm);
            mask_text(&words, row.engine).into_owned().into()
        }),
        basis: row.now.as_ref().map(|now| now.basis),
        servers: row.shares().map(server).collect(),
        failures: row
            .failures
            .iter()
            .map(|failure| failed(row, failure))
            .collect(),
    }
}

/// The servers that are left, as far as they take traffic or could.
fn failed<'a>(row: &'a Traffic<'a>, failure: &'a Failure) -> FailureView<'a> {
    let name = |server: &'a Server| mask_text(&server.name, row.engine);
    let servers = row
        .backend
        .servers
        .iter()
        .zip(&failure.after.shares)
        .enumerate();
    let left = servers.filter(|(index, (server, share))| {
        !failure.down.contains(index) && (**share != Share::ZERO || row.tier(server) != "none")
    });
    let down = failure
        .down
        .iter()
        .filter_map(|index| row.backend.servers.get(*index));
    FailureView {
        down: down.map(name).collect(),
        moved: ratio(failure.moved),
        servers: left
            .map(|(_, (server, share))| LeftView {
                server: name(server),
                share: ratio(*share),
            })
            .collect(),
    }
}
