//! What changed between two audits: in the model, in the traffic, in the findings.
//!
//! In: two [`Side`]s, each an audit with its findings. Out: a [`Diff`]. Instances are compared pair
//! by pair, and within a pair listeners, routes, backends and servers by their names; what only moved
//! in the text is no change. Everything is matched through hash maps, so that two configurations with
//! tens of thousands of servers take as long as reading them.

mod backend;
mod change;
mod findings;
mod health;
mod listener;
mod matching;
mod options;
mod pairs;
mod route;
mod server;
mod since;
mod traffic;

pub use change::{Change, Kind};
pub use findings::FindingChanges;
pub use pairs::Pair;
pub use since::Touched;
pub use traffic::{BackendTraffic, Failure, ServerTraffic};

use crate::audit::Audit;
use crate::finding::Finding;
use crate::model::Instance;
use change::Recorder;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// What was read.
    pub audit: &'a Audit,
    /// What was found in it.
    pub findings: &'a [Finding],
    /// One name per instance, relative to what is compared: instances with equal ones are compared
    /// with each other.
    pub labels: Vec<String>,
}

impl<'a> Side<'a> {
    fn instance(&self, index: Option<usize>) -> Option<&'a Instance> {
        self.audit.instances.get(index?)?.main()
    }
}

/// Everything that changed.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// Which instances were compared.
    pub pairs: Vec<Pair>,
    /// What changed in the models, pair by pair.
    pub changes: Vec<Change>,
    /// The traffic of every backend with a change that can matter to it.
    pub traffic: Vec<BackendTraffic>,
    /// Findings that are new and those that are gone.
    pub findings: FindingChanges,
}

impl Diff {
    /// Whether nothing changed at all.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.findings.is_empty()
    }

    /// The largest move of any server's share, up or down; 0 where nothing moves.
    pub fn worst_shift(&self) -> f64 {
        let servers = self.traffic.iter().flat_map(|backend| &backend.servers);
        let shifts = servers.filter_map(ServerTraffic::shift).map(f64::abs);
        shifts.fold(0.0, f64::max)
    }

    /// The largest fraction of moved keys of any backend; 0 where none moves.
    pub fn worst_moved(&self) -> f64 {
        let moved = self.traffic.iter().filter_map(|backend| backend.moved);
        moved.map(|moved| moved.fraction).fold(0.0, f64::max)
    }
}

/// Compares two sides.
pub fn compare(old: &Side<'_>, new: &Side<'_>) -> Diff {
    let pairs = pairs::pair(old, new);
    let mut diff = Diff {
        findings: findings::compare(old, new, &pairs),
        ..Diff::default()
    };
    for (index, pair) in pairs.iter().enumerate() {
        let mut recorder = Recorder::new(index);
        let sides = (old.instance(pair.old), new.instance(pair.new));
        match sides {
            (Some(old), Some(new)) => instances(old, new, &mut recorder),
            (Some(old), None) => only(old, false, &mut recorder),
            (None, Some(new)) => only(new, true, &mut recorder),
            (None, None) => {}
        }
        diff.changes.append(&mut recorder.changes);
        diff.traffic.append(&mut recorder.traffic);
    }
    diff.pairs = pairs;
    diff
}

fn instances(old: &Instance, new: &Instance, out: &mut Recorder) {
    let across = old.engine != new.engine;
    if across {
        let words = [old, new].map(|instance| instance.engine.as_str().to_owned());
        let [old, new] = words.map(Some);
        out.record(Kind::Engine, old, new);
    } else {
        options::of_instances(old, new, out);
    }
    let listeners = listener::compare(old, new, out);
    let backends = backend::compare(old, new, out);
    route::compare((old, new), &listeners, &backends, out);
}

/// An instance that stands on one side only.
fn only(instance: &Instance, added: bool, out: &mut Recorder) {
    for one in &instance.listeners {
        listener::only(one, added, out);
    }
    for one in &instance.backends {
        backend::only(instance, one, added, out);
    }
}
