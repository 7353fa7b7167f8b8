//! Physical servers behind several backends: what each address carries of all traffic.
//!
//! In: instances, and how much traffic each of their backends takes. Out: the share of each address
//! and of each host over all backends that routes lead to, and the backends that do not count.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Prediction, Tier, predict, ratio};
use crate::model::{AddressKind, Backend, Instance, Server, Target};

/// Traffic by backend name, in any unit.
pub type Rates = BTreeMap<String, f64>;

/// What the addresses of some instances carry.
#[derive(Clone, Debug, Default)]
pub struct Addresses<'a> {
    /// The backends that count.
    pub demands: Vec<Demand<'a>>,
    /// The backends with servers that do not.
    pub left_out: Vec<LeftOut<'a>>,
    /// Every address of the backends that count, in the order in which they are first named.
    pub addresses: Vec<AddressShare<'a>>,
    /// The hosts of these addresses, in the same order.
    pub hosts: Vec<HostShare>,
}

/// The traffic of one backend.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// Its instance.
    pub instance: &'a Instance,
    /// The backend.
    pub backend: &'a Backend,
    /// What was asked for, 1 for equal demand.
    pub rate: f64,
    /// The fraction of all traffic.
    pub share: f64,
}

/// A backend whose servers are not counted.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut<'a> {
    /// Its instance.
    pub instance: &'a Instance,
    /// The backend.
    pub backend: &'a Backend,
    /// Why.
    pub reason: Reason,
}

/// Why a backend does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Demand is given for others only.
    NoDemand,
    /// No route leads to it.
    NoRoute,
    /// No route names it, but some names are made while running.
    OnlyDynamicRoutes,
    /// Rules answer all its requests.
    AnswersItself,
    /// None of its servers can take traffic.
    NoUsableServer,
    /// Its shares cannot be told from the configuration.
    Unknown,
}

/// One address with all server lines that lead to it.
#[derive(Clone, Debug)]
pub struct AddressShare<'a> {
    /// Host and port, or socket, in one spelling.
    pub address: String,
    /// What it names. A name may stand for several machines.
    pub kind: AddressKind,
    /// The fraction of all traffic.
    pub share: f64,
    /// The lines.
    pub lines: Vec<Line<'a>>,
}

/// One server line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Index into [`Addresses::demands`].
    pub demand: usize,
    /// The server.
    pub server: &'a Server,
    /// What this line brings, as a fraction of all traffic.
    pub share: f64,
}

/// All ports of one host.
#[derive(Clone, Debug)]
pub struct HostShare {
    /// The host.
    pub host: String,
    /// Whether it is the machine of the proxy itself.
    pub local: bool,
    /// The fraction of all traffic.
    pub share: f64,
    /// Indices into [`Addresses::addresses`].
    pub addresses: Vec<usize>,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NoDemand,
        Self::NoRoute,
        Self::OnlyDynamicRoutes,
        Self::AnswersItself,
        Self::NoUsableServer,
        Self::Unknown,
    ];
}

impl AddressShare<'_> {
    /// How many backends lead to it.
    pub fn backends(&self) -> usize {
        let demands = self.lines.iter().map(|line| line.demand);
        demands.collect::<HashSet<usize>>().len()
    }
}

/// The share of every address over all backends that take traffic: those that a route leads to and,
/// where `rates` are given, those they name instead.
pub fn addresses<'a>(
    instances: impl IntoIterator<Item = &'a Instance>,
    rates: &Rates,
) -> Addresses<'a> {
    let mut out = Addresses::default();
    let mut predictions = Vec::new();
    for instance in instances {
        let reached = Reached::new(instance);
        for (index, backend) in instance.backends.iter().enumerate() {
            if backend.servers.is_empty() {
                continue;
            }
            match traffic(instance, index, backend, &reached, rates) {
                Ok((rate, prediction)) => {
                    out.demands.push(Demand {
                        instance,
                        backend,
                        rate,
                        share: 0.0,
                    });
                    predictions.push(prediction);
                }
                Err(reason) => out.left_out.push(LeftOut {
                    instance,
                    backend,
                    reason,
                }),
            }
        }
    }
    let total: f64 = out.demands.iter().map(|demand| demand.rate).sum();
    if total > 0.0 {
        for demand in &mut out.demands {
            demand.share = demand.rate / total;
        }
    }
    out.collect(&predictions);
    out.collect_hosts();
    out
}

/// The demand of a backend and its shares, or why it does not count.
fn traffic(
    instance: &Instance,
    index: usize,
    backend: &Backend,
    reached: &Reached,
    rates: &Rates,
) -> Result<(f64, Prediction), Reason> {
    let rate = if rates.is_empty() {
        reached.reason(index).map_or(Ok(1.0), Err)?
    } else {
        let rate = rates.get(backend.name.as_str());
        *rate.ok_or(Reason::NoDemand)?
    };
    if backend.answers_itself.is_some() {
        return Err(Reason::AnswersItself);
    }
    let prediction = predict(instance.engine, instance.version, backend, &[]);
    match prediction {
        None => Err(Reason::Unknown),
        Some(Prediction {
            tier: Tier::None, ..
        }) => Err(Reason::NoUsableServer),
        Some(prediction) => Ok((rate, prediction)),
    }
}

/// The backends that routes of an instance lead to.
struct Reached {
    /// `None` where only a part of the configuration is there, so that nothing follows from it.
    backends: Option<HashSet<usize>>,
    dynamic: bool,
}

impl Reached {
    fn new(instance: &Instance) -> Self {
        // A listener that answers every request itself takes none of its routes.
        let answers = |listener: usize| {
            let listener = instance.listeners.get(listener);
            listener.is_some_and(|listener| listener.answers_itself.is_some())
        };
        let routes = (instance.routes.iter()).filter(|route| !route.listener.is_some_and(answers));
        let mut backends = HashSet::new();
        let mut dynamic = false;
        for route in routes {
            match route.target {
                Target::Backend(index) => _ = backends.insert(index),
                Target::Dynamic(_) => dynamic = true,
                Target::Undefined(_) => {}
            }
        }
        Self {
            backends: instance.shows_routes().then_some(backends),
            dynamic,
        }
    }

    fn reason(&self, index: usize) -> Option<Reason> {
        let backends = self.backends.as_ref()?;
        match (backends.contains(&index), self.dynamic) {
            (true, _) => None,
            (false, true) => Some(Reason::OnlyDynamicRoutes),
            (false, false) => Some(Reason::NoRoute),
        }
    }
}

impl<'a> Addresses<'a> {
    /// Sums the lines of the backends, whose predictions are given, by address.
    fn collect(&mut self, predictions: &[Prediction]) {
        let mut places: HashMap<(String, Option<&'a str>), usize> = HashMap::new();
        for (number, (demand, prediction)) in self.demands.iter().zip(predictions).enumerate() {
            let servers = demand.backend.servers.iter().zip(&prediction.shares);
            // What is out stands behind nothing; an idle backup does.
            for (server, share) in servers.filter(|(server, _)| server.is_usable()) {
                let next = self.addresses.len();
                let key = place(demand.instance, server);
                let at = *places.entry(key).or_insert(next);
                if at == next {
                    self.addresses.push(AddressShare {
                        address: place(demand.instance, server).0,
                        kind: server.address.kind,
                        share: 0.0,
                        lines: Vec::new(),
                    });
                }
                if let Some(address) = self.addresses.get_mut(at) {
                    let share = ratio(*share) * demand.share;
                    address.share += share;
                    address.lines.push(Line {
                        demand: number,
                        server,
                        share,
                    });
                }
            }
        }
    }

    /// Sums the addresses by host.
    fn collect_hosts(&mut self) {
        let mut places: HashMap<(String, Option<&'a str>), usize> = HashMap::new();
        for (at, address) in self.addresses.iter().enumerate() {
            let Some(line) = address.lines.first() else {
                continue;
            };
            let (Some(host), Some(demand)) = (host(line.server), self.demands.get(line.demand))
            else {
                continue;
            };
            let next = self.hosts.len();
            let own = line.server.address.is_local();
            let key = (host.clone(), own.then(|| demand.instance.root.as_str()));
            let place = *places.entry(key).or_insert(next);
            if place == next {
                self.hosts.push(HostShare {
                    host,
                    local: line.server.address.is_local(),
                    share: 0.0,
                    addresses: Vec::new(),
                });
            }
            if let Some(host) = self.hosts.get_mut(place) {
                host.share += address.share;
                host.addresses.push(at);
            }
        }
    }
}

/// The address in one spelling, as written where it has no other; and its instance, where the same
/// text means another machine in another one.
fn place<'a>(instance: &'a Instance, server: &Server) -> (String, Option<&'a str>) {
    let own = Some(instance.root.as_str());
    let Some(mut endpoint) = server.address.endpoint() else {
        return (server.address.text.to_string(), own);
    };
    if endpoint.ends_with(':') {
        // Without a port the connection goes to the one the client used.
        endpoint.pop();
    }
    (endpoint, own.filter(|_| server.address.is_local()))
}

/// The host in one spelling; `None` where there is none or it is not known.
fn host(server: &Server) -> Option<String> {
    let address = &server.address;
    match address.kind {
        AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Name if address.is_local() => {
            Some("localhost".to_owned())
        }
        AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Name => {
            Some(address.host().to_ascii_lowercase())
        }
        AddressKind::Any
        | AddressKind::Unix
        | AddressKind::Abstract
        | AddressKind::Other
        | AddressKind::Opaque => None,
    }
}
