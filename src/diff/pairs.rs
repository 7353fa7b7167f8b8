//! Which instance of the one side is compared with which of the other.

use super::Side;
use super::matching::Matching;
use crate::model::{Engine, Instance};

/// Two instances that are compared; one of them is missing where an instance is new or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Index of the old instance.
    pub old: Option<usize>,
    /// Index of the new instance.
    pub new: Option<usize>,
    /// The name they are shown by: the new one's where there is one.
    pub label: String,
    /// The engines of both sides.
    pub engines: (Engine, Engine),
}

/// Pairs the instances: one with one whatever their names; else by name, and what is left by the
/// backends and endpoints in it, so that a renamed file is found again.
pub(super) fn pair(old: &Side<'_>, new: &Side<'_>) -> Vec<Pair> {
    let sizes = [old, new].map(|side| side.audit.instances.len());
    let [olds, news] = sizes;
    let matching = if sizes == [1, 1] {
        Matching::new(1, 1).by_key([Some(())], [Some(())])
    } else {
        let label = |side: &Side<'_>| side.labels.iter().cloned().map(Some).collect::<Vec<_>>();
        Matching::new(olds, news)
            .by_key(label(old), label(new))
            .by_overlap(|index| parts(old, index), |index| parts(new, index))
    };
    let gone = matching.only_old().into_iter().map(|one| (Some(one), None));
    let kept = matching
        .in_new_order()
        .map(|(one, other)| (one, Some(other)));
    let pairs = kept
        .chain(gone)
        .map(|(one, other)| join(old, new, one, other));
    pairs.collect()
}

fn join(old: &Side<'_>, new: &Side<'_>, one: Option<usize>, other: Option<usize>) -> Pair {
    let label = |side: &Side<'_>, index: Option<usize>| side.labels.get(index?).cloned();
    let engine = |side: &Side<'_>, index| side.instance(index).map(|instance| instance.engine);
    let (left, right) = (engine(old, one), engine(new, other));
    let any = left.or(right).unwrap_or(Engine::Haproxy);
    Pair {
        old: one,
        new: other,
        label: label(new, other)
            .or_else(|| label(old, one))
            .unwrap_or_default(),
        engines: (left.unwrap_or(any), right.unwrap_or(any)),
    }
}

/// What tells an instance from others: its backends, and the endpoints of their servers.
fn parts(side: &Side<'_>, index: usize) -> Vec<String> {
    let backends = |instance: &Instance| {
        let names = instance
            .backends
            .iter()
            .map(|backend| backend.name.to_string());
        let servers = instance
            .backends
            .iter()
            .flat_map(|backend| &backend.servers);
        let endpoints = servers.filter_map(|server| server.address.endpoint());
        names.chain(endpoints).collect()
    };
    side.instance(Some(index)).map(backends).unwrap_or_default()
}
