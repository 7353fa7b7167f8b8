//! Shares of every algorithm against numbers that were worked out by other means.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod predict_support;

use lbaudit::model::{Algorithm, Backend, Engine, HashMethod, Setting, Version};
use lbaudit::predict::{Basis, Prediction, Share, Tier, predict, predict_idle};
use predict_support::{backend, backups, hashed, percent, total};

fn haproxy(backend: &Backend, down: &[usize]) -> Prediction {
    predict(Engine::Haproxy, Version::HAPROXY_DEFAULT, backend, down).expect("known")
}

fn nginx(backend: &Backend, down: &[usize]) -> Prediction {
    predict(Engine::Nginx, Version::NGINX_DEFAULT, backend, down).expect("known")
}

fn fractions(parts: &[(u128, u128)]) -> Vec<Share> {
    parts
        .iter()
        .map(|(up, low)| Share::new(*up, *low))
        .collect()
}

#[test]
fn round_robin_follows_weights() {
    let backend = backend(Algorithm::RoundRobin, &[10, 10, 100]);
    let expected = fractions(&[(1, 12), (1, 12), (5, 6)]);
    for prediction in [haproxy(&backend, &[]), nginx(&backend, &[])] {
        assert_eq!(prediction.shares, expected);
        assert_eq!(
            (prediction.basis, prediction.tier),
            (Basis::Sequence, Tier::Active)
        );
    }
}

#[test]
fn a_lost_servers_share_goes_to_the_others() {
    let backend = backend(Algorithm::RoundRobin, &[10, 10, 100]);
    assert_eq!(
        haproxy(&backend, &[2]).shares,
        fractions(&[(1, 2), (1, 2), (0, 1)])
    );
}

#[test]
fn backup_gets_no_share_while_primaries_are_up() {
    let backend = backups(backend(Algorithm::RoundRobin, &[1, 1, 3, 1]), &[2, 3]);
    assert_eq!(
        nginx(&backend, &[]).shares,
        fractions(&[(1, 2), (1, 2), (0, 1), (0, 1)])
    );
    let lost = nginx(&backend, &[0, 1]);
    assert_eq!(lost.shares, fractions(&[(0, 1), (0, 1), (3, 4), (1, 4)]));
    assert_eq!(lost.tier, Tier::Backup);
}

#[test]
fn haproxy_uses_the_first_backup_alone_without_allbackups() {
    let mut backend = backups(backend(Algorithm::RoundRobin, &[1, 1, 3, 1]), &[2, 3]);
    assert_eq!(
        percent(&haproxy(&backend, &[0, 1])),
        ["0.0", "0.0", "100.0", "0.0"]
    );
    assert_eq!(
        percent(&haproxy(&backend, &[0, 1, 2])),
        ["0.0", "0.0", "0.0", "100.0"]
    );
    backend.allbackups.value = true;
    assert_eq!(
        percent(&haproxy(&backend, &[0, 1])),
        ["0.0", "0.0", "75.0", "25.0"]
    );
}

#[test]
fn static_rr_spreads_over_backups_when_the_first_has_a_reduced_weight_above_one() {
    let mut backend = backups(backend(Algorithm::StaticRoundRobin, &[1, 1, 2, 2]), &[2, 3]);
    assert_eq!(
        percent(&haproxy(&backend, &[0, 1])),
        ["0.0", "0.0", "50.0", "50.0"]
    );
    backend.servers[0].weight.value = 2;
    backend.servers[1].weight.value = 2;
    assert_eq!(
        percent(&haproxy(&backend, &[0, 1])),
        ["0.0", "0.0", "100.0", "0.0"]
    );
}

#[test]
fn zero_weight_is_not_used_by_haproxy() {
    let backend = backend(Algorithm::RoundRobin, &[0, 1, 0]);
    assert_eq!(percent(&haproxy(&backend, &[])), ["0.0", "100.0", "0.0"]);
    let none = haproxy(&backend, &[1]);
    assert_eq!(none.tier, Tier::None);
    assert_eq!(total(&none), Share::ZERO);
}

#[test]
fn haproxy_ring_shares_are_exact_arcs() {
    let four = haproxy(&hashed(HashMethod::Ring, &[1; 4]), &[]);
    assert_eq!(percent(&four), ["28.9", "18.5", "24.3", "28.3"]);
    let five = haproxy(&hashed(HashMethod::Ring, &[1; 5]), &[]);
    assert_eq!(percent(&five), ["24.0", "15.3", "21.1", "19.4", "20.2"]);
    assert_eq!(total(&five), Share::from(1));
    let random = haproxy(&backend(Algorithm::Random { draws: 2 }, &[4, 3, 2, 1]), &[]);
    assert_eq!(percent(&random), ["46.0", "27.9", "17.3", "8.8"]);
}

#[test]
fn random_follows_weights_from_haproxy_3_4() {
    let backend = backend(Algorithm::Random { draws: 2 }, &[4, 3, 2, 1]);
    let new = predict(Engine::Haproxy, Version::new(3, 4, 0), &backend, &[]).expect("known");
    assert_eq!(percent(&new), ["40.0", "30.0", "20.0", "10.0"]);
}

#[test]
fn nginx_random_two_flattens_weights() {
    let two = |weights: &[u32]| {
        percent(&nginx(
            &backend(Algorithm::Random { draws: 2 }, weights),
            &[],
        ))
    };
    assert_eq!(two(&[4, 3, 2, 1]), ["31.6", "30.8", "24.1", "13.5"]);
    assert_eq!(two(&[1, 1, 3, 5]), ["15.4", "15.4", "36.7", "32.5"]);
    assert_eq!(two(&[5, 1]), ["18.2", "81.8"]);
    let one = nginx(&backend(Algorithm::Random { draws: 1 }, &[3, 1]), &[]);
    assert_eq!(percent(&one), ["75.0", "25.0"]);
}

#[test]
fn ip_hash_leaves_slots_beyond_its_values_unreachable() {
    let backend = backend(Algorithm::IpHash, &[6271, 100]);
    assert_eq!(percent(&nginx(&backend, &[])), ["100.0", "0.0"]);
    let lost = nginx(&backend, &[0]);
    assert_eq!(percent(&lost), ["0.0", "100.0"]);
}

#[test]
fn nginx_hash_counts_its_fifteen_bits() {
    let backend = hashed(HashMethod::Modulo, &[1, 1, 1]);
    let expected = fractions(&[(10923, 32768), (10923, 32768), (10922, 32768)]);
    assert_eq!(nginx(&backend, &[]).shares, expected);
    assert_eq!(percent(&nginx(&backend, &[1])), ["50.0", "0.0", "50.0"]);
    assert_eq!(total(&nginx(&backend, &[1])), Share::from(1));
    let heavy = hashed(HashMethod::Modulo, &[32768, 100]);
    assert_eq!(percent(&nginx(&heavy, &[])), ["100.0", "0.0"]);
}

#[test]
fn ketama_merges_lines_with_the_same_text() {
    let mut backend = hashed(HashMethod::Ketama, &[1, 1, 1, 2]);
    backend.servers[3].address = backend.servers[0].address.clone();
    let shares = nginx(&backend, &[]).shares;
    assert_eq!(shares[0] * 2, shares[3]);
    assert_eq!(shares.iter().sum::<Share>(), Share::from(1));
    assert!(
        shares[0] + shares[3] < Share::new(6, 10),
        "the name is not counted twice"
    );
}

#[test]
fn ketama_falls_back_to_round_robin_beyond_twenty_points() {
    let backend = hashed(HashMethod::Ketama, &[60, 1, 1]);
    let lost = nginx(&backend, &[0]);
    assert_eq!(total(&lost), Share::from(1));
    assert_eq!(lost.shares[0], Share::ZERO);
}

#[test]
fn least_connections_show_weights_under_load_and_none_when_idle() {
    let backend = backend(Algorithm::LeastConn, &[1, 9]);
    let load = haproxy(&backend, &[]);
    assert_eq!(
        (load.basis, percent(&load)),
        (Basis::Load, vec!["10.0".into(), "90.0".into()])
    );
    let idle = predict_idle(Engine::Haproxy, Version::HAPROXY_DEFAULT, &backend, &[]);
    assert_eq!(percent(&idle.expect("known")), ["50.0", "50.0"]);
    let idle = predict_idle(Engine::Nginx, Version::NGINX_DEFAULT, &backend, &[]);
    assert_eq!(percent(&idle.expect("known")), ["10.0", "90.0"]);
}

#[test]
fn first_fills_the_lowest_id() {
    let mut backend = backend(Algorithm::First, &[1, 1, 1]);
    backend.servers[0].set_id(Setting::engine_default(30));
    assert_eq!(percent(&haproxy(&backend, &[])), ["0.0", "100.0", "0.0"]);
}

#[test]
fn sticky_moves_to_the_next_server() {
    let backend = backend(Algorithm::Sticky, &[1, 1, 1]);
    assert_eq!(percent(&haproxy(&backend, &[])), ["100.0", "0.0", "0.0"]);
    assert_eq!(percent(&haproxy(&backend, &[0])), ["0.0", "100.0", "0.0"]);
}

#[test]
fn what_is_not_modelled_or_not_known_has_no_prediction() {
    let other = backend(Algorithm::Other("balancer_by_lua_block".into()), &[1]);
    assert_eq!(
        predict(Engine::Nginx, Version::NGINX_DEFAULT, &other, &[]),
        None
    );
    let mut opaque = backend(Algorithm::RoundRobin, &[1, 1]);
    let span = opaque.span;
    opaque.servers[1].weight.origin = lbaudit::model::Origin::opaque(span);
    assert_eq!(
        predict(Engine::Haproxy, Version::HAPROXY_DEFAULT, &opaque, &[]),
        None
    );
}
