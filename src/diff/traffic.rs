//! Where the traffic of a backend goes before and after.

use std::collections::HashMap;

use super::backend::algorithm;
use super::server;
use crate::model::{Backend, Instance, Server, Text};
use crate::predict::{Moved, Prepared, Worst, ratio};

/// The traffic of one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendTraffic {
    /// Index of the compared instances in [`super::Diff::pairs`].
    pub pair: usize,
    /// Its newest name.
    pub backend: Text,
    /// Its old name, where it has another one.
    pub old_name: Option<Text>,
    /// The algorithms, `None` where the backend was not there.
    pub algorithms: (Option<String>, Option<String>),
    /// Every server of either side, the new ones in their order and then those that are gone.
    pub servers: Vec<ServerTraffic>,
    /// The worst single failure on both sides.
    pub worst: (Option<Failure>, Option<Failure>),
    /// The fraction of keys whose server changes, for backends that hash on both sides.
    pub moved: Option<Moved>,
}

/// The share of one server. A server that is not there takes nothing; a share is `None` where it is
/// not known or the backend was not there.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerTraffic {
    /// Its newest name.
    pub server: Text,
    /// Its share before, from 0 to 1.
    pub before: Option<f64>,
    /// Its share after.
    pub after: Option<f64>,
}

impl ServerTraffic {
    /// How much of the traffic it gains, or loses where it is negative.
    pub fn shift(&self) -> Option<f64> {
        Some(self.after? - self.before?)
    }
}

/// The failure of one server that puts most on another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The server that fails.
    pub down: Text,
    /// The one that then carries most; `None` when none is left.
    pub server: Option<Text>,
    /// How much that one carries.
    pub share: Option<f64>,
}

impl BackendTraffic {
    /// Whether any share, key or failure differs.
    pub fn differs(&self) -> bool {
        let shift = |server: &ServerTraffic| server.before != server.after;
        self.servers.iter().any(shift)
            || self.worst.0 != self.worst.1
            || self.moved.is_some_and(|moved| moved.fraction > 0.0)
    }
}

/// The traffic of a backend that stands on one side only.
pub(super) fn of_one(
    pair: usize,
    instance: &Instance,
    backend: &Backend,
    added: bool,
) -> BackendTraffic {
    let side = SideTraffic::new(instance, backend);
    let servers = backend.servers.iter().zip(side.shares());
    let sided = |value| if added { (None, value) } else { (value, None) };
    let servers = servers.map(|(server, share)| {
        let (before, after) = sided(share);
        ServerTraffic {
            server: server.name.clone(),
            before,
            after,
        }
    });
    let (words, worst) = (Some(algorithm(backend)), side.worst());
    BackendTraffic {
        pair,
        backend: backend.name.clone(),
        old_name: None,
        servers: servers.collect(),
        algorithms: if added { (None, words) } else { (words, None) },
        worst: if added { (None, worst) } else { (worst, None) },
        moved: None,
    }
}

/// The traffic of a backend on both sides.
pub(super) fn of_both(
    pair: usize,
    (old_instance, old): (&Instance, &Backend),
    (new_instance, new): (&Instance, &Backend),
) -> BackendTraffic {
    let across = old_instance.engine != new_instance.engine;
    let before = SideTraffic::new(old_instance, old);
    let after = SideTraffic::new(new_instance, new);
    let renamed = (old.name != new.name).then(|| old.name.clone());
    BackendTraffic {
        pair,
        backend: new.name.clone(),
        old_name: renamed,
        algorithms: (Some(algorithm(old)), Some(algorithm(new))),
        servers: servers(&before, &after, across),
        worst: (before.worst(), after.worst()),
        moved: keys_moved(&before, &after, across),
    }
}

fn servers(before: &SideTraffic<'_>, after: &SideTraffic<'_>, across: bool) -> Vec<ServerTraffic> {
    let (olds, news) = (before.shares(), after.shares());
    let absent = |shares: &[Option<f64>]| shares.iter().all(Option::is_some).then_some(0.0);
    let matching = server::pair(before.backend, after.backend, across);
    let kept = matching.in_new_order().filter_map(|(one, other)| {
        let before = match one {
            Some(one) => olds.get(one).copied().flatten(),
            None => absent(&olds),
        };
        Some(ServerTraffic {
            server: after.backend.servers.get(other)?.name.clone(),
            before,
            after: news.get(other).copied().flatten(),
        })
    });
    let gone = matching.only_old().into_iter().filter_map(|one| {
        Some(ServerTraffic {
            server: before.backend.servers.get(one)?.name.clone(),
            before: olds.get(one).copied().flatten(),
            after: absent(&news),
        })
    });
    kept.chain(gone).collect()
}

/// A backend with its prediction.
struct SideTraffic<'a> {
    backend: &'a Backend,
    ready: Option<Prepared<'a>>,
}

impl<'a> SideTraffic<'a> {
    fn new(instance: &'a Instance, backend: &'a Backend) -> Self {
        Self {
            ready: Prepared::new(instance.engine, instance.version, backend),
            backend,
        }
    }

    /// One share per server, each `None` where they are not known.
    fn shares(&self) -> Vec<Option<f64>> {
        match self.ready.as_ref().and_then(Prepared::prediction) {
            Some(prediction) => prediction
                .shares
                .iter()
                .map(|share| Some(ratio(*share)))
                .collect(),
            None => vec![None; self.backend.servers.len()],
        }
    }

    fn worst(&self) -> Option<Failure> {
        let Worst {
            down,
            server,
            share,
        } = self.ready.as_ref()?.worst_failure()?;
        let name = |index: usize| Some(self.backend.servers.get(index)?.name.clone());
        Some(Failure {
            down: name(down)?,
            server: server.and_then(name),
            share: server.map(|_| ratio(share)),
        })
    }
}

fn keys_moved(before: &SideTraffic<'_>, after: &SideTraffic<'_>, across: bool) -> Option<Moved> {
    let mut numbers: HashMap<Text, usize> = HashMap::new();
    let mut number = |server: &Server| {
        let endpoint = across.then(|| server.address.endpoint()).flatten();
        let key = endpoint.map_or_else(|| server.name.clone(), Text::from);
        let next = numbers.len();
        *numbers.entry(key).or_insert(next)
    };
    let olds: Vec<usize> = before.backend.servers.iter().map(&mut number).collect();
    let news: Vec<usize> = after.backend.servers.iter().map(&mut number).collect();
    let (before, after) = (before.ready.as_ref()?, after.ready.as_ref()?);
    before.moved(&olds, after, &news)
}
