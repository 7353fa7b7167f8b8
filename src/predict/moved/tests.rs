//! Fractions of moved keys, on models made by hand.

use super::*;
use crate::model::{
    Address, AddressKind, Algorithm, HashMethod, HashType, Layer, Port, Server, Setting,
};
use crate::source::{Sources, Span};
use std::sync::Arc;

/// A backend that hashes, its servers numbered by the text behind their names' first letter.
fn backend(engine: Engine, hash: HashMethod, servers: &[(&str, u32)]) -> Backend {
    let (source, _) = Sources::default().add("x", Vec::new(), None);
    let span = Span::new(source, 0, 0);
    let mut backend = Backend::new("b".into(), Layer::Http, span);
    let key = match engine {
        Engine::Haproxy => HashKey::Source,
        Engine::Nginx => HashKey::Variables("$request_uri".into()),
    };
    backend.algorithm = Setting::explicit(Algorithm::Hash(key), span);
    backend.hash_type.value = HashType {
        method: hash,
        ..HashType::HAPROXY_DEFAULT
    };
    backend.servers = (1..)
        .zip(servers)
        .map(|(id, (name, weight))| {
            let address = Address::new(*name, AddressKind::Ipv4, "10.0.0.1", Port::Fixed(80));
            let mut server = Server::new((*name).into(), address, span, span, Arc::default());
            server.weight = Setting::explicit(*weight, span);
            server.set_id(Setting::explicit(id, span));
            server
        })
        .collect();
    backend
}

fn state<'a>(engine: Engine, backend: &'a Backend, who: &'a [usize]) -> State<'a> {
    State {
        engine,
        version: Version::HAPROXY_DEFAULT,
        backend,
        who,
    }
}

fn between(
    engine: Engine,
    (one, who_one): (&Backend, &[usize]),
    (other, who_other): (&Backend, &[usize]),
) -> Moved {
    moved(state(engine, one, who_one), state(engine, other, who_other)).unwrap()
}

const FOUR: [(&str, u32); 4] = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];

fn assert_near(moved: Moved, fraction: f64, exact: bool) {
    assert!(
        (moved.fraction - fraction).abs() < 1e-9,
        "{moved:?} is not {fraction}"
    );
    assert_eq!(moved.exact, exact);
}

#[test]
fn a_map_that_loses_one_of_four_moves_three_quarters() {
    let engine = Engine::Haproxy;
    let old = backend(engine, HashMethod::Map, &FOUR);
    let new = backend(engine, HashMethod::Map, &FOUR[..3]);
    let found = between(engine, (&old, &[0, 1, 2, 3]), (&new, &[0, 1, 2]));
    assert_near(found, 0.75, true);
    let same = between(engine, (&old, &[0, 1, 2, 3]), (&old, &[0, 1, 2, 3]));
    assert_near(same, 0.0, true);
    let swapped = between(engine, (&old, &[0, 1, 2, 3]), (&old, &[0, 2, 1, 3]));
    assert_near(swapped, 0.5, true);
}

#[test]
fn maps_of_unlike_sizes_are_compared_by_value() {
    let engine = Engine::Haproxy;
    let old = backend(engine, HashMethod::Map, &[("a", 3), ("b", 2), ("c", 1)]);
    let new = backend(engine, HashMethod::Map, &[("a", 2), ("b", 7)]);
    let found = between(engine, (&old, &[0, 1, 2]), (&new, &[0, 1]));
    let slots = |backend: &Backend| {
        let pool = Pool::new(engine, Version::HAPROXY_DEFAULT, backend, &[]).unwrap();
        map::slots(&pool, map::divisor(&pool)).unwrap()
    };
    let (old, new) = (slots(&old), slots(&new));
    let differs = (0..54).filter(|value| old[value % 6] != new[value % 9]);
    let differs = u32::try_from(differs.count()).unwrap();
    assert_near(found, f64::from(differs) / 54.0, true);
}

#[test]
fn a_ring_moves_the_keys_of_the_lost_server_only() {
    let engine = Engine::Haproxy;
    let old = backend(engine, HashMethod::Ring, &FOUR);
    let new = backend(engine, HashMethod::Ring, &FOUR[..3]);
    let pool = Pool::new(engine, Version::HAPROXY_DEFAULT, &old, &[]).unwrap();
    let arcs = pool.ring().unwrap().arcs(4);
    let found = between(engine, (&old, &[0, 1, 2, 3]), (&new, &[0, 1, 2]));
    assert_near(found, as_float(arcs[3]) / as_float(SPACE), true);
}

#[test]
fn the_runs_of_a_ring_are_its_arcs() {
    let engine = Engine::Haproxy;
    for servers in [&FOUR[..1], &FOUR[..2], &FOUR] {
        let backend = backend(engine, HashMethod::Ring, servers);
        let pool = Pool::new(engine, Version::HAPROXY_DEFAULT, &backend, &[]).unwrap();
        let ring = pool.ring().unwrap();
        let (mut arcs, mut start) = (vec![0; servers.len()], 0);
        for (end, server) in ring.runs(|end, server| (end, server)) {
            arcs[server] += end - start;
            start = end;
        }
        assert_eq!(start, SPACE);
        assert_eq!(arcs, ring.arcs(servers.len()));
    }
}

#[test]
fn ketama_moves_what_it_lost_and_from_modulo_most() {
    let engine = Engine::Nginx;
    let all = [("10.0.0.1:80", 1), ("10.0.0.2:80", 1), ("10.0.0.3:80", 2)];
    let old = backend(engine, HashMethod::Ketama, &all);
    let new = backend(engine, HashMethod::Ketama, &all[..2]);
    let found = between(engine, (&old, &[0, 1, 2]), (&new, &[0, 1]));
    let pool = Pool::new(engine, Version::NGINX_DEFAULT, &old, &[]).unwrap();
    let shares = crate::predict::ketama::shares(&pool, &[0, 1, 2]).unwrap();
    assert_near(found, ratio(shares[2]), true);
    let modulo = backend(engine, HashMethod::Modulo, &all);
    let found = between(engine, (&modulo, &[0, 1, 2]), (&old, &[0, 1, 2]));
    assert!(
        found.exact && (0.55..0.7).contains(&found.fraction),
        "{found:?}"
    );
}

#[test]
fn a_server_taken_down_moves_its_keys_and_a_deleted_line_most() {
    let engine = Engine::Nginx;
    let old = backend(engine, HashMethod::Modulo, &FOUR);
    let mut down = old.clone();
    down.servers[3].disabled.value = true;
    let found = between(engine, (&old, &[0, 1, 2, 3]), (&down, &[0, 1, 2, 3]));
    assert_near(found, 0.25, false);
    let same = between(engine, (&down, &[0, 1, 2, 3]), (&down, &[0, 1, 2, 3]));
    assert_near(same, 0.0, false);
    let deleted = backend(engine, HashMethod::Modulo, &FOUR[..3]);
    let found = between(engine, (&old, &[0, 1, 2, 3]), (&deleted, &[0, 1, 2]));
    assert!(
        found.exact && (found.fraction - 0.75).abs() < 0.001,
        "{found:?}"
    );
}

#[test]
fn another_key_is_another_draw() {
    let engine = Engine::Nginx;
    let old = backend(engine, HashMethod::Modulo, &FOUR);
    let mut new = old.clone();
    new.algorithm.value = Algorithm::Hash(HashKey::Variables("$uri".into()));
    let found = between(engine, (&old, &[0, 1, 2, 3]), (&new, &[0, 1, 2, 3]));
    assert_near(found, 0.75, false);
    new.algorithm.value = Algorithm::RoundRobin;
    let who = [0, 1, 2, 3];
    assert_eq!(
        moved(state(engine, &old, &who), state(engine, &new, &who)),
        None
    );
}
