//! The fraction of moved keys against a count: many keys through the pick functions, before and after.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

use std::net::{IpAddr, Ipv4Addr};

use lbaudit::engine::{self, Input, Options};
use lbaudit::model::{Engine, Instance};
use lbaudit::predict::{Key, Moved, Picker, State, moved};
use lbaudit::source::Sources;
use proptest::prelude::*;

fn load(engine: Engine, text: &str) -> Instance {
    let input = Input {
        name: "test".to_owned(),
        path: None,
        bytes: text.as_bytes().to_vec(),
    };
    let loaded = engine::load(
        engine,
        &Sources::default(),
        vec![input],
        &Options::default(),
    );
    let mut variants = loaded.unwrap().variants;
    variants.remove(0)
}

/// Number, weight and state of each server.
type Servers = [(u8, u32, bool)];

fn haproxy(servers: &Servers, hash: &str) -> Instance {
    let mut text = format!("backend b\n    balance source\n    {hash}\n");
    for (number, weight, up) in servers {
        let state = if *up { "" } else { "disabled" };
        let line = format!("    server s{number} 10.0.0.{number}:80 weight {weight} {state}\n");
        text.push_str(&line);
    }
    load(Engine::Haproxy, &text)
}

fn nginx(servers: &Servers, hash: &str) -> Instance {
    let mut text = format!("events {{}}\nhttp {{\n  upstream b {{\n    {hash}\n");
    for (number, weight, up) in servers {
        let state = if *up { "" } else { "down" };
        text.push_str(&format!(
            "    server 10.0.0.{number}:80 weight={weight} {state};\n"
        ));
    }
    text.push_str("  }\n}\n");
    load(Engine::Nginx, &text)
}

/// Servers are known by their numbers.
fn numbers(servers: &Servers) -> Vec<usize> {
    servers
        .iter()
        .map(|(number, _, _)| usize::from(*number))
        .collect()
}

fn state<'a>(instance: &'a Instance, who: &'a [usize]) -> State<'a> {
    State {
        engine: instance.engine,
        version: instance.version,
        backend: &instance.backends[0],
        who,
    }
}

const KEYS: u32 = 20_000;

/// The server of each of many keys that lie evenly in the space of hashes.
fn picks(instance: &Instance, servers: &Servers, by_address: bool) -> Vec<Option<u8>> {
    let backend = &instance.backends[0];
    let mut picker = Picker::new(instance.engine, instance.version, backend).unwrap();
    let mut pick = |number: u32| {
        let spread = number.wrapping_mul(2_654_435_761);
        let key = spread.to_string();
        let address = IpAddr::V4(Ipv4Addr::from(spread));
        let key = if by_address {
            Key::Address(address)
        } else {
            Key::Bytes(key.as_bytes())
        };
        picker.pick(key).map(|index| servers[index].0)
    };
    (0..KEYS).map(&mut pick).collect()
}

fn counted(old: &[Option<u8>], new: &[Option<u8>]) -> f64 {
    let differ = old.iter().zip(new).filter(|(old, new)| old != new).count();
    f64::from(u32::try_from(differ).unwrap()) / f64::from(KEYS)
}

/// Compares the computed fraction of two configurations with a count.
fn check(
    build: fn(&Servers, &str) -> Instance,
    hashes: [&str; 2],
    sides: [&Servers; 2],
    by_address: bool,
) -> Moved {
    let [old, new] = [0, 1].map(|side| build(sides[side], hashes[side]));
    let who = sides.map(numbers);
    let found = moved(state(&old, &who[0]), state(&new, &who[1])).unwrap();
    let count = counted(
        &picks(&old, sides[0], by_address),
        &picks(&new, sides[1], by_address),
    );
    assert!(
        (found.fraction - count).abs() < 0.02,
        "{found:?}, counted {count} for {sides:?} {hashes:?}"
    );
    found
}

const FIVE: [(u8, u32, bool); 5] = [
    (1, 3, true),
    (2, 1, true),
    (3, 2, true),
    (4, 2, true),
    (5, 1, true),
];

#[test]
fn a_removed_server_moves_its_keys_on_a_ring_and_most_on_a_map() {
    let ring = ["hash-type consistent", "hash-type consistent"];
    let on_ring = check(haproxy, ring, [&FIVE, &FIVE[..4]], true);
    let on_map = check(haproxy, ["", ""], [&FIVE, &FIVE[..4]], true);
    assert!(on_ring.exact && on_map.exact);
    assert!(
        on_ring.fraction < 0.2 && on_map.fraction > 0.6,
        "{on_ring:?} {on_map:?}"
    );
    let ketama = [
        "hash $request_uri consistent;",
        "hash $request_uri consistent;",
    ];
    let on_ketama = check(nginx, ketama, [&FIVE, &FIVE[1..]], false);
    let modulo = ["hash $request_uri;", "hash $request_uri;"];
    let on_modulo = check(nginx, modulo, [&FIVE, &FIVE[1..]], false);
    assert!(on_ketama.exact && on_modulo.exact);
    assert!(on_ketama.fraction < on_modulo.fraction);
}

#[test]
fn another_mapping_of_the_same_hash_is_compared_value_by_value() {
    let found = check(
        haproxy,
        ["", "hash-type consistent sdbm"],
        [&FIVE, &FIVE],
        true,
    );
    assert!(found.exact);
    let hashes = ["hash $request_uri;", "hash $request_uri consistent;"];
    let found = check(nginx, hashes, [&FIVE, &FIVE], false);
    assert!(found.exact);
}

#[test]
fn an_avalanche_more_is_another_hash() {
    let hashes = [
        "hash-type consistent sdbm",
        "hash-type consistent sdbm avalanche",
    ];
    let found = check(haproxy, hashes, [&FIVE, &FIVE], true);
    assert!(!found.exact);
}

#[test]
fn client_addresses_are_counted_over_every_value() {
    let hashes = ["ip_hash;", "ip_hash;"];
    assert!(check(nginx, hashes, [&FIVE, &FIVE[..4]], true).exact);
    let mut down = FIVE;
    down[0].2 = false;
    check(nginx, hashes, [&FIVE, &down], true);
}

/// Up to six servers of different numbers in any order.
fn servers() -> impl Strategy<Value = Vec<(u8, u32, bool)>> {
    let server = (1u8..8, 1u32..6, proptest::bool::weighted(0.85));
    proptest::collection::vec(server, 1..7).prop_map(|mut servers| {
        let mut known = [false; 8];
        servers.retain(|(number, _, _)| !std::mem::replace(&mut known[usize::from(*number)], true));
        servers[0].2 = true;
        servers
    })
}

fn all_up(servers: &Servers) -> Vec<(u8, u32, bool)> {
    let up = |&(number, weight, _): &(u8, u32, bool)| (number, weight, true);
    servers.iter().map(up).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_states_differ_as_counted(old in servers(), new in servers(), mapping in 0usize..4) {
        let sides = [old.as_slice(), new.as_slice()];
        match mapping {
            0 => check(haproxy, ["", ""], sides, true),
            1 => check(haproxy, ["hash-type consistent", "hash-type consistent"], sides, true),
            2 => {
                // With a server out nginx hashes again, and crc32 is linear: the second value of a key
                // depends on its first, so that a count over keys is not the expectation.
                let [old, new] = sides.map(all_up);
                check(nginx, ["hash $arg_a;", "hash $arg_a;"], [&old, &new], false)
            }
            _ => check(nginx, ["hash $arg_a consistent;", "hash $arg_a consistent;"], sides, false),
        };
    }
}
