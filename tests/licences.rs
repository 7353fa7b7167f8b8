//! The licences of everything that is linked in, against the list in `deny.toml`.
//!
//! `cargo deny check` reads the same file; this test needs no further tool, so that it runs
//! wherever the other tests run.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// What `deny.toml` allows.
struct Policy {
    licences: BTreeSet<String>,
    exceptions: Vec<(String, BTreeSet<String>)>,
    registries: BTreeSet<String>,
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let policy = policy();
    let packages = packages();
    assert!(packages.len() > 20, "cargo metadata lists the dependencies");
    let faults: Vec<String> = packages
        .iter()
        .flat_map(|package| faults(package, &policy))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn alternatives_and_conjunctions_of_licences_are_read() {
    let allowed: BTreeSet<String> = ["MIT", "Apache-2.0", "Unicode-3.0"]
        .map(String::from)
        .into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT/GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND OpenSSL", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}

fn policy() -> Policy {
    let text = include_str!("../deny.toml");
    let policy: Value = toml::from_str(text).expect("deny.toml is TOML");
    let exceptions = policy["licenses"]["exceptions"].as_array();
    Policy {
        licences: words(&policy["licenses"]["allow"]),
        exceptions: (exceptions.into_iter().flatten())
            .map(|entry| {
                let name = entry["crate"].as_str().expect("an exception names a crate");
                (name.to_owned(), words(&entry["allow"]))
            })
            .collect(),
        registries: words(&policy["sources"]["allow-registry"]),
    }
}

fn words(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().expect("a list in deny.toml").iter();
    list.map(|word| word.as_str().expect("a string").to_owned())
        .collect()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
        ])
        .arg("x86_64-unknown-linux-gnu")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn faults(package: &Value, policy: &Policy) -> Vec<String> {
    let name = package["name"].as_str().expect("a name");
    let Some(source) = package["source"].as_str() else {
        return Vec::new();
    };
    let mut allowed = policy.licences.clone();
    for (of, licences) in &policy.exceptions {
        if of == name {
            allowed.extend(licences.iter().cloned());
        }
    }
    let licence = package["license"].as_str().unwrap_or_default();
    let mut faults = Vec::new();
    if !satisfied(licence, &allowed) {
        faults.push(format!(
            "`{name}`: licence `{licence}` is not in deny.toml's list"
        ));
    }
    let registry = source.strip_prefix("registry+").unwrap_or(source);
    if !policy.registries.contains(registry) {
        faults.push(format!("`{name}` comes from `{source}`"));
    }
    faults
}

/// Whether a licence expression can be met with the `allowed` licences. `AND` binds stronger than `OR`.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    !words.is_empty() && either(&mut rest, allowed) && rest.is_empty()
}

fn either(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = both(words, allowed);
    while let Some(rest) = after(words, "OR") {
        *words = rest;
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, allowed);
    while let Some(rest) = after(words, "AND") {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    if let Some(rest) = after(words, "(") {
        *words = rest;
        let met = either(words, allowed);
        *words = after(words, ")").unwrap_or_default();
        return met;
    }
    let Some((name, rest)) = words.split_first() else {
        return false;
    };
    *words = rest;
    let mut name = (*name).to_owned();
    if let Some(["WITH", exception, rest @ ..]) = Some(*words) {
        name = format!("{name} WITH {exception}");
        *words = rest;
    }
    allowed.contains(&name)
}

fn after<'a, 'w>(words: &&'a [&'w str], word: &str) -> Option<&'a [&'w str]> {
    let (first, rest) = words.split_first()?;
    (*first == word).then_some(rest)
}
