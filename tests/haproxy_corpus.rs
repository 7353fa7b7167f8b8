//! Real configurations: those that HAProxy accepts are read without `syntax-error`, with the number of
//! backends and servers that the manifest states.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, with helpers outside of its functions"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lbaudit::engine::{Input, Loaded, Options, haproxy};
use lbaudit::source::Sources;

/// A row of the manifest.
struct Row {
    path: String,
    verdict: String,
    backends: usize,
    servers: usize,
}

/// The manifest's HAProxy rows; `None` where the corpus is not there.
fn rows() -> Option<(PathBuf, Vec<Row>)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus"));
    let Ok(manifest) = std::fs::read_to_string(root.join("MANIFEST.tsv")) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no corpus");
        println!("skipped: ../shared is not here (the corpus of real configurations)");
        return None;
    };
    let rows = manifest.lines().skip(1).filter_map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        (columns[1] == "haproxy").then(|| Row {
            path: columns[0].to_owned(),
            verdict: columns[6].to_owned(),
            backends: columns[7].parse().unwrap(),
            servers: columns[8].parse().unwrap(),
        })
    });
    Some((root.to_owned(), rows.collect()))
}

fn load(root: &Path, row: &Row) -> Loaded {
    let input = Input {
        name: row.path.clone(),
        path: None,
        bytes: std::fs::read(root.join(&row.path)).unwrap(),
    };
    haproxy::load(&Sources::default(), vec![input], &Options::default()).unwrap()
}

/// Backends with servers, and server lines, over all variants.
fn count(loaded: &Loaded) -> (usize, usize) {
    let (mut backends, mut servers) = (BTreeSet::new(), BTreeSet::new());
    for backend in loaded
        .variants
        .iter()
        .flat_map(|instance| &instance.backends)
    {
        for server in &backend.servers {
            backends.insert(backend.span);
            servers.insert(server.span);
        }
    }
    (backends.len(), servers.len())
}

#[test]
fn accepted_files_have_no_syntax_error() {
    let Some((root, rows)) = rows() else { return };
    let mut faults = Vec::new();
    for row in rows.iter().filter(|row| row.verdict != "reject") {
        let loaded = load(&root, row);
        for finding in loaded
            .findings
            .iter()
            .filter(|it| it.rule != "unset-variable")
        {
            let newer = row.verdict == "newer-syntax" && finding.rule == "refused-at-load";
            if !newer {
                faults.push(format!(
                    "{}: {} {}",
                    row.path, finding.rule, finding.message
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Files whose numbers differ from the manifest's, and why: path, backends, servers, reason.
const DIFFERENT: &[(&str, usize, usize, &str)] = &[];

#[test]
fn backends_and_servers_are_those_of_the_manifest() {
    let Some((root, rows)) = rows() else { return };
    let mut faults = Vec::new();
    for row in rows.iter().filter(|row| row.verdict != "reject") {
        let found = count(&load(&root, row));
        let explained = DIFFERENT.iter().find(|(path, ..)| *path == row.path);
        let wanted = explained.map_or((row.backends, row.servers), |(_, b, s, _)| (*b, *s));
        if found != wanted {
            faults.push(format!("{}: found {found:?}, wanted {wanted:?}", row.path));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rejected_files_are_read_to_the_end() {
    let Some((root, rows)) = rows() else { return };
    for row in rows.iter().filter(|row| row.verdict == "reject") {
        assert!(!load(&root, row).variants.is_empty(), "{}", row.path);
    }
}

#[test]
fn content_tells_the_engine() {
    let Some((root, rows)) = rows() else { return };
    let mut faults = Vec::new();
    for row in &rows {
        let bytes = std::fs::read(root.join(&row.path)).unwrap();
        if lbaudit::engine::detect(&bytes) != Some(lbaudit::model::Engine::Haproxy) {
            faults.push(row.path.clone());
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
