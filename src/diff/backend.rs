//! Changes of backends.

use super::change::{Kind, Recorder};
use super::matching::Matching;
use super::server::{self, Surroundings};
use super::{options, traffic};
use crate::model::{Algorithm, Backend, Engine, HashMethod, HashType, Instance, Server, Text};
use crate::report::model::algorithm_words;

/// Records what differs between the backends of two instances, and tells which is which.
///
/// By name and layer, then by name; across engines also by the endpoints of their servers.
pub(super) fn compare(old: &Instance, new: &Instance, out: &mut Recorder) -> Matching {
    let matching = pair(old, new);
    for (one, other) in matching.in_new_order() {
        let Some(after) = new.backends.get(other) else {
            continue;
        };
        match one.and_then(|one| old.backends.get(one)) {
            Some(before) => both((old, before), (new, after), out),
            None => only(new, after, true, out),
        }
    }
    for one in matching.only_old() {
        if let Some(before) = old.backends.get(one) {
            only(old, before, false, out);
        }
    }
    out.at.backend = None;
    matching
}

fn pair(old: &Instance, new: &Instance) -> Matching {
    let keys = |instance: &Instance| -> Vec<Option<(Text, &'static str)>> {
        let keys = instance.backends.iter();
        keys.map(|backend| Some((backend.name.clone(), backend.layer.as_str())))
            .collect()
    };
    let names = |instance: &Instance| -> Vec<Option<Text>> {
        let keys = instance.backends.iter();
        keys.map(|backend| Some(backend.name.clone())).collect()
    };
    let matching = Matching::new(old.backends.len(), new.backends.len())
        .by_key(keys(old), keys(new))
        .by_key(names(old), names(new));
    if old.engine == new.engine {
        return matching;
    }
    let parts = |instance: &Instance, index: usize| -> Vec<String> {
        let servers = instance.backends.get(index).map(|backend| &backend.servers);
        let endpoints = servers.into_iter().flatten();
        endpoints
            .filter_map(|server| server.address.endpoint())
            .collect()
    };
    matching.by_overlap(|index| parts(old, index), |index| parts(new, index))
}

/// A backend that stands on one side only.
pub(super) fn only(instance: &Instance, backend: &Backend, added: bool, out: &mut Recorder) {
    out.at.backend = Some(backend.name.clone());
    let count = backend.servers.len();
    let plural = if count == 1 { "" } else { "s" };
    let words = Some(format!("{}, {count} server{plural}", algorithm(backend)));
    if added {
        out.record(Kind::BackendAdded, None, words);
    } else {
        out.record(Kind::BackendRemoved, words, None);
    }
    let traffic = traffic::of_one(out.pair(), instance, backend, added);
    out.traffic.push(traffic);
    out.at.backend = None;
}

fn both(
    (old_instance, old): (&Instance, &Backend),
    (new_instance, new): (&Instance, &Backend),
    out: &mut Recorder,
) {
    out.at.backend = Some(new.name.clone());
    let engines = (old_instance.engine, new_instance.engine);
    let across = engines.0 != engines.1;
    let before = out.changes.len();
    if algorithm_differs(old, new, across) {
        let words = |backend: &Backend| {
            let known = backend.algorithm.known().is_some();
            known.then(|| algorithm(backend))
        };
        out.record(Kind::Algorithm, words(old), words(new));
    }
    if !across {
        options::of_backends(old, new, out);
    }
    let matching = server::pair(old, new, across);
    let surroundings = Surroundings {
        old,
        new,
        engines,
        ids_matter: !across && ids_matter(new),
    };
    if !across && order_matters(new_instance.engine, new) && !matching.keeps_order() {
        let same = (old.servers.iter().zip(&new.servers))
            .take_while(|(old, new)| old.name == new.name)
            .count();
        let (old, new) = (names(&old.servers, same), names(&new.servers, same));
        out.record(Kind::ServerOrder, Some(old), Some(new));
    }
    server::compare(&surroundings, &matching, out);
    if out.changes.len() > before {
        let traffic = traffic::of_both(out.pair(), (old_instance, old), (new_instance, new));
        out.traffic.push(traffic);
    }
}

/// Whether servers are chosen in another way. The hashes and draws of the two engines differ even
/// where the words are the same.
fn algorithm_differs(old: &Backend, new: &Backend, across: bool) -> bool {
    let own_way = |backend: &Backend| {
        let random = matches!(backend.algorithm.known(), Some(Algorithm::Random { .. }));
        random || hash_type(backend).is_some()
    };
    old.algorithm.known() != new.algorithm.known()
        || hash_type(old) != hash_type(new)
        || (across && own_way(new))
}

/// How hashes are mapped, where there are any.
fn hash_type(backend: &Backend) -> Option<HashType> {
    let mapped = backend.algorithm.known()?.is_mapped();
    let known = backend.hash_type.known().filter(|_| mapped)?;
    // Whether the function was named says nothing about where a key goes.
    Some(HashType {
        function_named: false,
        ..*known
    })
}

/// The algorithm in words, with how its hashes are mapped.
pub(super) fn algorithm(backend: &Backend) -> String {
    let words = algorithm_words(&backend.algorithm.value);
    match hash_type(backend) {
        None => words.into_owned(),
        Some(hash) => match hash.method {
            HashMethod::Map => format!("{words}, map-based{}", function(hash)),
            HashMethod::Ring => format!("{words}, consistent{}", function(hash)),
            HashMethod::Modulo => words.into_owned(),
            HashMethod::Ketama => format!("{words} consistent"),
        },
    }
}

fn function(hash: HashType) -> String {
    use crate::model::HashFunction as F;
    let name = match hash.function {
        F::Sdbm => "sdbm",
        F::Djb2 => "djb2",
        F::Wt6 => "wt6",
        F::Crc32 => "crc32",
        F::None => "none",
    };
    let avalanche = if hash.avalanche { " avalanche" } else { "" };
    format!(" {name}{avalanche}")
}

/// Whether servers are found by their numeric ids: HAProxy's rings and `first`.
fn ids_matter(backend: &Backend) -> bool {
    let algorithm = &backend.algorithm.value;
    let on_ring =
        algorithm.hash_key().is_some() && backend.hash_type.value.method == HashMethod::Ring;
    on_ring || matches!(algorithm, Algorithm::First | Algorithm::Random { .. })
}

/// Whether the order of the lines decides which server takes what, beyond the order of the first
/// picks: maps, and HAProxy backups of which the first one serves.
fn order_matters(engine: Engine, backend: &Backend) -> bool {
    let backups = backend.servers.iter().filter(|server| !server.is_primary());
    let one_serves = engine == Engine::Haproxy && !backend.allbackups.value;
    let first_backup = one_serves && backups.count() > 1;
    let algorithm = &backend.algorithm.value;
    let dealt = matches!(
        backend.hash_type.value.method,
        HashMethod::Map | HashMethod::Modulo
    );
    first_backup
        || (algorithm.hash_key().is_some() && dealt)
        || matches!(
            algorithm,
            Algorithm::IpHash | Algorithm::LogHash | Algorithm::Sticky
        )
}

/// Names of a list of servers, a few from where it begins to differ.
fn names(servers: &[Server], same: usize) -> String {
    const SHOWN: usize = 8;
    let rest = servers.iter().skip(same);
    let mut names: Vec<&str> = rest.take(SHOWN).map(|server| &*server.name).collect();
    if same > 0 {
        names.insert(0, "…");
    }
    if servers.len() > same + SHOWN {
        names.push("…");
    }
    names.join(", ")
}
