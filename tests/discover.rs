//! From paths to instances: what is audited, what is skipped, what is an error.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use lbaudit::audit::Audit;
use lbaudit::discover::{Discovery, Query, discover, expand};
use lbaudit::engine::Options;
use lbaudit::error::Error;
use lbaudit::model::Engine;

const HAPROXY: &str = "backend auth\n  server a 10.0.0.1:80 check\n";
const UPSTREAM: &str = "upstream auth {\n  server 10.0.0.1:80;\n}\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn find(paths: &[PathBuf], exclude: &[&str]) -> Result<Discovery, Error> {
    let exclude: Vec<String> = exclude.iter().map(|glob| (*glob).to_owned()).collect();
    discover(&Query {
        paths,
        instances: &[],
        declared: &[],
        engine: None,
        exclude: &exclude,
        exclude_base: Path::new("/nowhere"),
    })
}

/// The root files that were found, relative to `folder`.
fn names(discovery: &Discovery, folder: &Path) -> Vec<String> {
    let names = discovery
        .roots
        .iter()
        .map(|root| root.inputs[0].path.clone().unwrap());
    names
        .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
        .collect()
}

fn walk(files: &[(&str, &str)], exclude: &[&str]) -> Vec<String> {
    let folder = folder(files);
    let found = find(&[folder.path().to_owned()], exclude).unwrap();
    names(&found, folder.path())
}

#[test]
fn candidates_are_told_by_name_and_kept_by_content() {
    let files = [
        ("app.cfg", HAPROXY),
        ("conf.d/upstream", UPSTREAM),
        ("haproxy-edge", HAPROXY),
        ("notes.txt", HAPROXY),
        ("setup.cfg", "[metadata]\nname = x\n"),
        ("site.vhost", UPSTREAM),
    ];
    assert_eq!(
        walk(&files, &[]),
        ["app.cfg", "conf.d/upstream", "haproxy-edge", "site.vhost"]
    );
}

#[test]
fn tools_dependencies_and_excluded_paths_are_left_out() {
    let files = [
        (".git/a.cfg", HAPROXY),
        ("a.cfg", HAPROXY),
        ("node_modules/a.cfg", HAPROXY),
        ("old/a.cfg", HAPROXY),
        ("target/a.cfg", HAPROXY),
        ("vendor/a.cfg", HAPROXY),
    ];
    assert_eq!(walk(&files, &["old/**"]), ["a.cfg"]);
}

#[test]
fn skipped_candidates_are_remembered() {
    let folder = folder(&[("a.cfg", HAPROXY), ("setup.cfg", "[metadata]\n")]);
    let found = find(&[folder.path().to_owned()], &[]).unwrap();
    assert_eq!(found.skipped, [folder.path().join("setup.cfg")]);
}

#[test]
fn a_folder_without_configuration_is_no_input() {
    let folder = folder(&[("setup.cfg", "[metadata]\n")]);
    let error = find(&[folder.path().to_owned()], &[]).unwrap_err();
    assert_eq!(error.exit_status(), 3);
    assert!(
        error
            .to_string()
            .contains(&folder.path().display().to_string())
    );
}

#[test]
fn a_named_file_is_never_skipped() {
    let folder = folder(&[
        ("notes.txt", HAPROXY),
        ("setup.cfg", "[metadata]\n"),
        ("empty.cfg", ""),
    ]);
    let at = |name: &str| find(&[folder.path().join(name)], &[]).unwrap();
    assert_eq!(at("notes.txt").roots[0].engine, Engine::Haproxy);
    assert!(matches!(
        at("setup.cfg").errors[..],
        [Error::UnknownEngine { .. }]
    ));
    assert!(matches!(at("empty.cfg").errors[..], [Error::Empty { .. }]));
    assert!(matches!(at("missing.cfg").errors[..], [Error::Read { .. }]));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_each_real_file_is_read_once() {
    let folder = folder(&[("sites-available/a.conf", UPSTREAM)]);
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("sites-enabled")).unwrap();
    std::os::unix::fs::symlink("../sites-available/a.conf", at("sites-enabled/a.conf")).unwrap();
    std::os::unix::fs::symlink("..", at("sites-enabled/loop")).unwrap();
    let found = find(&[folder.path().to_owned()], &[]).unwrap();
    assert_eq!(names(&found, folder.path()), ["sites-available/a.conf"]);
    assert!(found.errors.is_empty());
}

#[cfg(unix)]
#[test]
fn a_broken_link_where_a_configuration_should_be_is_an_error() {
    let folder = folder(&[("a.cfg", HAPROXY)]);
    std::os::unix::fs::symlink("gone", folder.path().join("b.cfg")).unwrap();
    std::os::unix::fs::symlink("gone", folder.path().join("readme")).unwrap();
    let found = find(&[folder.path().to_owned()], &[]).unwrap();
    assert_eq!(found.roots.len(), 1);
    assert!(matches!(found.errors[..], [Error::Read { .. }]));
}

#[test]
fn a_file_that_another_includes_is_not_audited_a_second_time() {
    let root = "events {}\nhttp {\n  include conf.d/*.conf;\n}\n";
    let folder = folder(&[
        ("conf.d/auth.conf", UPSTREAM),
        (
            "lonely/web.conf",
            "upstream web {\n  server 10.0.0.2:80;\n}\n",
        ),
        ("nginx.conf", root),
    ]);
    let found = find(&[folder.path().to_owned()], &[]).unwrap();
    let audit = Audit::load(found, &Options::default());
    let roots = audit
        .instances
        .iter()
        .map(|audited| audited.main().unwrap().root.to_string());
    let short = roots.map(|root| root.rsplit('/').next().unwrap().to_owned());
    assert_eq!(short.collect::<Vec<_>>(), ["web.conf", "nginx.conf"]);
}

#[test]
fn globs_expand_in_lexical_order_without_hidden_files() {
    let folder = folder(&[
        ("[a]/b.cfg", ""),
        ("[a]/a.cfg", ""),
        ("[a]/.c.cfg", ""),
        ("[a]/d/e.cfg", ""),
        ("[a]/d/f/g.cfg", ""),
        ("[a]/h/e.cfg", ""),
    ]);
    let folder = folder.path().join("[a]");
    for (pattern, expected) in [
        ("*.cfg", vec!["a.cfg", "b.cfg"]),
        ("b.cfg", vec!["b.cfg"]),
        ("d/*.cfg", vec!["d/e.cfg"]),
        ("*/e.cfg", vec!["d/e.cfg", "h/e.cfg"]),
        (
            "**/*.cfg",
            vec!["a.cfg", "b.cfg", "d/e.cfg", "d/f/g.cfg", "h/e.cfg"],
        ),
        ("{d/f,h}/*.cfg", vec!["d/f/g.cfg", "h/e.cfg"]),
        ("../[[]a]/d/*.cfg", vec!["d/e.cfg"]),
        ("no/*.cfg", vec![]),
        ("no.cfg", vec![]),
    ] {
        let files = expand(&folder, pattern).unwrap();
        let files = files.iter().map(|file| fs::canonicalize(file).unwrap());
        let expected = expected
            .iter()
            .map(|name| fs::canonicalize(folder.join(name)).unwrap());
        assert!(files.eq(expected), "{pattern}");
    }
    let absolute = folder.parent().unwrap().join("*/b.cfg");
    let files = expand(Path::new("/nowhere"), absolute.to_str().unwrap()).unwrap();
    assert_eq!(files, [folder.join("b.cfg")]);
}

#[cfg(unix)]
#[test]
fn a_glob_meets_what_cannot_be_read_only_where_a_match_could_be() {
    let folder = folder(&[("conf.d/a.cfg", HAPROXY)]);
    std::os::unix::fs::symlink("gone", folder.path().join("conf.d/notes")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("conf.d/loop")).unwrap();
    assert_eq!(expand(folder.path(), "**/*.cfg").unwrap().len(), 1);
    std::os::unix::fs::symlink("gone", folder.path().join("conf.d/b.cfg")).unwrap();
    let error = expand(folder.path(), "*/*.cfg").unwrap_err();
    assert!(error.to_string().contains("conf.d/b.cfg"), "{error}");
    assert!(expand(folder.path(), "*.d/a.cfg").is_ok());
    assert!(expand(folder.path(), "*.cfg").is_ok());
}
