//! Hostile and broken input: what exactly comes of it. No row may crash, hang, leak a secret or send a control
//! character to a terminal, and a fault never hides the rest.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail like the tests"
)]

mod case;
mod files;
mod haproxy;
mod nginx;
#[path = "../support/mod.rs"]
mod support;

use case::Case;

#[test]
fn files_that_are_not_what_they_should_be() {
    hold(&files::cases());
}

#[test]
fn haproxy_configurations() {
    hold(&haproxy::cases());
}

#[test]
fn nginx_configurations() {
    hold(&nginx::cases());
}

/// Runs every case and fails with all that is wrong.
fn hold(cases: &[Case]) {
    let faults: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let faults = case.faults().into_iter();
            faults.map(|fault| format!("{}: {fault}", case.name))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
