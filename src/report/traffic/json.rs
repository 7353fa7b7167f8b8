//! `lbaudit/shares/1`.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::{Document, Traffic};
use crate::model::{AddressKind, Engine, Server};
use crate::predict::{
    AddressShare, Addresses, Basis, Demand, Failure, HostShare, LeftOut, Reason, Share, ratio,
};
use crate::report::json::{write_document, write_line};
use crate::report::mask::mask_text;
use crate::report::model::algorithm_words;

#[derive(Serialize)]
struct DocumentView<'a> {
    schema: &'static str,
    backends: Vec<BackendView<'a>>,
    demand: Vec<DemandView<'a>>,
    left_out: Vec<LeftOutView<'a>>,
    addresses: Vec<AddressView<'a>>,
    hosts: Vec<HostView<'a>>,
}

/// A backend that counts in the shares of addresses.
#[derive(Serialize)]
struct DemandView<'a> {
    instance: &'a str,
    backend: Cow<'a, str>,
    rate: f64,
    share: f64,
}

#[derive(Serialize)]
struct LeftOutView<'a> {
    instance: &'a str,
    backend: Cow<'a, str>,
    reason: Reason,
}

#[derive(Serialize)]
struct AddressView<'a> {
    address: Cow<'a, str>,
    kind: &'static str,
    share: f64,
    servers: Vec<LineView<'a>>,
}

#[derive(Serialize)]
struct LineView<'a> {
    instance: &'a str,
    backend: Cow<'a, str>,
    server: Cow<'a, str>,
    share: f64,
}

#[derive(Serialize)]
struct HostView<'a> {
    host: &'a str,
    share: f64,
    addresses: Vec<Cow<'a, str>>,
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

pub(super) fn write(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = &document.addresses;
    let view = DocumentView {
        schema: "lbaudit/shares/1",
        backends: document.rows.iter().map(view).collect(),
        demand: all.demands.iter().map(demand).collect(),
        left_out: all.left_out.iter().map(left_out).collect(),
        addresses: (all.addresses.iter())
            .map(|address| address_view(all, address))
            .collect(),
        hosts: all.hosts.iter().map(|host| host_view(all, host)).collect(),
    };
    write_document(&view, out)
}

/// One backend a line, and where a demand was given then one address a line.
pub(super) fn write_lines(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    for row in &document.rows {
        write_line(&view(row), out)?;
    }
    if document.asked {
        let all = &document.addresses;
        for address in &all.addresses {
            write_line(&address_view(all, address), out)?;
        }
    }
    Ok(())
}

fn demand<'a>(demand: &Demand<'a>) -> DemandView<'a> {
    DemandView {
        instance: &demand.instance.name,
        backend: mask_text(&demand.backend.name, demand.instance.engine),
        rate: demand.rate,
        share: demand.share,
    }
}

fn left_out<'a>(left: &LeftOut<'a>) -> LeftOutView<'a> {
    LeftOutView {
        instance: &left.instance.name,
        backend: mask_text(&left.backend.name, left.instance.engine),
        reason: left.reason,
    }
}

fn address_view<'a>(all: &Addresses<'a>, address: &'a AddressShare<'a>) -> AddressView<'a> {
    let lines = address.lines.iter().filter_map(|line| {
        let demand = all.demands.get(line.demand)?;
        let engine = demand.instance.engine;
        Some(LineView {
            instance: &demand.instance.name,
            backend: mask_text(&demand.backend.name, engine),
            server: mask_text(&line.server.name, engine),
            share: line.share,
        })
    });
    AddressView {
        address: address_text(all, address),
        kind: kind(address.kind),
        share: address.share,
        servers: lines.collect(),
    }
}

fn address_text<'a>(all: &Addresses<'_>, address: &'a AddressShare<'_>) -> Cow<'a, str> {
    let line = address.lines.first();
    match line.and_then(|line| all.demands.get(line.demand)) {
        Some(demand) => mask_text(&address.address, demand.instance.engine),
        None => address.address.as_str().into(),
    }
}

fn host_view<'a>(all: &'a Addresses<'_>, host: &'a HostShare) -> HostView<'a> {
    let addresses = host.addresses.iter();
    let addresses = addresses.filter_map(|at| all.addresses.get(*at));
    HostView {
        host: &host.host,
        share: host.share,
        addresses: addresses
            .map(|address| address_text(all, address))
            .collect(),
    }
}

fn kind(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Ipv4 => "ipv4",
        AddressKind::Ipv6 => "ipv6",
        AddressKind::Name => "name",
        AddressKind::Unix | AddressKind::Abstract => "socket",
        AddressKind::Any | AddressKind::Other => "other",
        AddressKind::Opaque => "unknown",
    }
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
        instance: row.instance,
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
