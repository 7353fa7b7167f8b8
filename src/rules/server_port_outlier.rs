//! `server-port-outlier`: one server of a tier listens elsewhere than all of its siblings.
//!
//! In: the addresses of each tier, and for HAProxy the ports that clients connect to. Out: one
//! finding per outlier.

use std::collections::{BTreeMap, BTreeSet};

use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Engine, Port, Route, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/server-port-outlier.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    for primary in [true, false] {
        if !listen_apart(view, primary) {
            continue;
        }
        let tier = facts::tier(view.backend, primary).collect();
        let Some((common, outliers)) = comparable(tier).and_then(|tier| outliers(view, &tier))
        else {
            continue;
        };
        let routes = view.routes();
        for outlier in outliers {
            findings.extend(judge(view, outlier, common, &routes));
        }
    }
}

/// The fewest servers that can differ.
const PAIR: usize = 2;

/// Whether there is any difference at all, which most tiers do not have.
fn listen_apart(view: &BackendView<'_>, primary: bool) -> bool {
    let mut tier = facts::tier(view.backend, primary);
    let first = tier.next().map(|(_, first)| listening(first));
    tier.any(|(_, server)| Some(listening(server)) != first)
}

/// A tier of at least three servers on as many hosts, or of two and one has no port: servers that share
/// a host need ports of their own. Slots get their port from discovery, and sockets have none.
fn comparable(tier: Vec<(usize, &Server)>) -> Option<Vec<(usize, &Server)>> {
    let mut hosts = BTreeSet::new();
    let plain = |server: &Server| {
        matches!(
            server.address.kind,
            AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Name
        ) && server.template().is_none()
            && server.options.service.is_none()
            && matches!(
                server.address.port,
                Port::None | Port::Fixed(_) | Port::Default(_)
            )
    };
    let portless = |(_, server): &(usize, &Server)| server.address.port == Port::None;
    let many = tier.len() > PAIR || tier.len() == PAIR && tier.iter().any(portless);
    let all = many
        && (tier.iter()).all(|(_, server)| plain(server) && hosts.insert(server.address.host()));
    all.then_some(tier)
}

/// What a port depends on: servers that differ in TLS listen elsewhere by design.
type Listening = (Option<u16>, bool);

fn listening(server: &Server) -> Listening {
    let tls = server.options.ssl.as_ref().is_some_and(|ssl| ssl.value);
    (server.address.port.number(), tls)
}

/// One server to report, and one that listens where the others do.
type Outlier<'a> = ((usize, &'a Server), &'a Server);

/// The port that at least two and all but one of the servers with a port share, and those that differ
/// without a stated reason: the one with another port, and any without a port.
fn outliers<'a>(
    view: &BackendView<'_>,
    tier: &[(usize, &'a Server)],
) -> Option<(u16, Vec<Outlier<'a>>)> {
    let mut users: BTreeMap<Listening, usize> = BTreeMap::new();
    for (_, server) in tier {
        *users.entry(listening(server)).or_default() += 1;
    }
    let written = |listening: &Listening| listening.0.is_some();
    let (common, most) = (users.iter())
        .filter(|(listening, _)| written(listening))
        .max_by_key(|(_, users)| **users)?;
    let others: usize = users
        .iter()
        .filter(|(it, _)| *it != common && written(it))
        .map(|(_, n)| n)
        .sum();
    let portless = tier.len() - most - others;
    let is_pair = tier.len() == PAIR && portless == 1;
    let agree = *most >= 2 && others <= 1 && others + portless > 0 && portless < *most;
    if !is_pair && !agree {
        return None;
    }
    let same = tier
        .iter()
        .find(|(_, server)| listening(server) == *common)?
        .1;
    let differs = |server: &Server| {
        let (port, tls) = listening(server);
        port != common.0
            && tls == common.1
            && !view.reason_notes(server).state_reason(view.context.today)
    };
    let odd = tier.iter().filter(|(_, server)| differs(server));
    Some((common.0?, odd.map(|odd| (*odd, same)).collect()))
}

fn judge(
    view: &BackendView<'_>,
    ((index, server), sibling): Outlier<'_>,
    common: u16,
    routes: &[&Route],
) -> Option<Finding> {
    let engine = view.context.instance.engine;
    let (severity, fact) = match server.address.port {
        Port::None => {
            let clients = client_ports(view, routes);
            let same = (clients.as_ref()).map(|ports| *ports == [common].into());
            // Of two, one alone does not tell which port is right; what clients use does.
            let is_pair = view.backend.servers.len() == PAIR;
            if same == Some(true) || is_pair && same.is_none() {
                return None;
            }
            (Severity::Error, portless(clients.as_ref()))
        }
        Port::Fixed(port) => (Severity::Warning, format!("uses port {port}")),
        Port::Default(port) => (
            Severity::Warning,
            format!("has no port and so uses {port}, the default"),
        ),
        Port::Offset(_) | Port::Range(..) => return None,
    };
    let lost = facts::share(view, index).map_or_else(String::new, |share| {
        let traffic = facts::traffic(view.backend.layer);
        format!(
            ": if nothing listens there, {} of {traffic} are lost",
            super::wording::percent(share)
        )
    });
    let message = format!(
        "server `{}` of {} `{}` {fact}; the others use {common}{lost}",
        server.name,
        engine.backend_word(),
        view.backend.name
    );
    let help = format!(
        "write `{}`, or say in a comment why it differs",
        with_port(server, common)
    );
    let finding = Finding::new(severity, server.head(), message, help)
        .label(format!("the others use {common}"))
        .related(format!("`{}` uses {common}", sibling.name), sibling.head());
    Some(finding.backend(&view.backend.name).server(&server.name))
}

/// The ports on which clients reach a backend; `None` where they are not all known. Ranges map ports
/// through by design, so they count as unknown.
fn client_ports(view: &BackendView<'_>, routes: &[&Route]) -> Option<BTreeSet<u16>> {
    if view.context.instance.engine != Engine::Haproxy || routes.is_empty() {
        return None;
    }
    let listeners = &view.context.instance.listeners;
    let binds = routes
        .iter()
        .map(|route| Some(&listeners.get(route.listener?)?.binds));
    let binds: Option<Vec<_>> = binds.collect();
    let ports = binds?
        .into_iter()
        .flatten()
        .map(|bind| bind.address.port.number());
    ports.collect()
}

fn portless(clients: Option<&BTreeSet<u16>>) -> String {
    match clients.and_then(BTreeSet::first) {
        Some(port) if clients.is_some_and(|ports| ports.len() == 1) => {
            format!("has no port and so uses {port}, the one that clients connect to")
        }
        Some(_) | None => "has no port and so uses the one that the client connected to".to_owned(),
    }
}

fn with_port(server: &Server, port: u16) -> String {
    match server.address.kind {
        AddressKind::Ipv6 => format!("[{}]:{port}", server.address.host()),
        AddressKind::Ipv4
        | AddressKind::Name
        | AddressKind::Any
        | AddressKind::Unix
        | AddressKind::Abstract
        | AddressKind::Other
        | AddressKind::Opaque => format!("{}:{port}", server.address.host()),
    }
}
