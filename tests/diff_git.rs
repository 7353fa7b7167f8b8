//! `lbaudit diff --git` as a user runs it: the real program, real git repositories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts the tests themselves only"
)]

mod diff_support;

use std::fs;
use std::path::Path;

use diff_support::{changes, git, haproxy, json, lbaudit, repository, rules, run, servers, write};
use serde_json::Value;

#[test]
fn the_working_tree_is_compared_with_a_revision_through_includes() {
    let main = "events {}\nhttp {\n    include conf.d/*.conf;\n}\n";
    let part = "upstream auth {\n    server 10.0.0.1:80;\n    server 10.0.0.2:80;\n}\nserver {\n    listen 127.0.0.1:8080;\n    location / { proxy_pass http://auth; }\n}\n";
    let folder = repository(&[("lb/nginx.conf", main), ("lb/conf.d/auth.conf", part)]);
    let here = folder.path();
    assert!(changes(&json(here, &["diff", "--git", "HEAD", "lb"])).is_empty());
    write(
        here,
        "lb/conf.d/auth.conf",
        &part.replace("10.0.0.2:80;", "10.0.0.2:80 weight=4;"),
    );
    let expected = ["server-weight auth/10.0.0.2:80: 1 -> 4"];
    let inside = here.join("lb");
    let absolute = here.join("lb/nginx.conf");
    let runs: [(&Path, &[&str]); 5] = [
        (here, &["diff", "--git", "HEAD"]),
        (here, &["diff", "--git", "HEAD", "lb/nginx.conf"]),
        (here, &["diff", "--git", "HEAD", absolute.to_str().unwrap()]),
        (&inside, &["diff", "--git", "HEAD", "nginx.conf"]),
        (&inside, &["diff", "--git", "HEAD"]),
    ];
    for (folder, arguments) in runs {
        assert_eq!(changes(&json(folder, arguments)), expected, "{arguments:?}");
    }
    // Names are those of the repository, also for what was found in the revision.
    let back = json(here, &["diff", "--git", "HEAD", "lb"]);
    assert!(!back.to_string().contains("/tmp"), "{back}");
    assert_eq!(back["changes"][0]["instance"], "lb/nginx.conf");
    git(here, &["commit", "-q", "-a", "-m", "second"]);
    assert_eq!(
        run(here, &["diff", "--git", "HEAD", "lb", "--fail-on", "error"]).1,
        "nothing changed: the models and the findings are the same\n"
    );
    assert_eq!(
        changes(&json(here, &["diff", "--git", "HEAD~1", "lb"])),
        expected
    );
}

#[test]
fn files_that_come_go_and_are_renamed_are_followed() {
    let one = haproxy(&servers(1..=2, "check"));
    let other = one
        .replace("auth", "api")
        .replace("10.0.0.", "10.0.1.")
        .replace(":8080\n", ":8081\n");
    let folder = repository(&[("a/haproxy.cfg", &one), ("b/haproxy.cfg", &other)]);
    let here = folder.path();
    fs::rename(here.join("b"), here.join("c")).unwrap();
    assert!(changes(&json(here, &["diff", "--git", "HEAD"])).is_empty());
    write(
        here,
        "d/haproxy.cfg",
        &one.replace("auth", "new")
            .replace("10.0.0.", "10.0.2.")
            .replace("8080", "9090"),
    );
    let found = changes(&json(here, &["diff", "--git", "HEAD", "a", "c", "d"]));
    assert!(
        found.contains(&"backend-added new/-: - -> roundrobin, 2 servers".to_owned()),
        "{found:?}"
    );
    assert_eq!(
        changes(&json(
            here,
            &["diff", "--git", "HEAD", "a", "d/haproxy.cfg"]
        ))
        .len(),
        2
    );
    fs::remove_dir_all(here.join("a")).unwrap();
    let found = changes(&json(here, &["diff", "--git", "HEAD", "a/haproxy.cfg"]));
    assert!(
        found.contains(&"backend-removed auth/-: roundrobin, 2 servers -> -".to_owned()),
        "{found:?}"
    );
}

#[test]
fn links_of_a_revision_lead_into_it() {
    let folder = repository(&[("sites/one.cfg", &haproxy(&servers(1..=2, "check")))]);
    let here = folder.path();
    std::os::unix::fs::symlink("sites/one.cfg", here.join("haproxy.cfg")).unwrap();
    git(here, &["add", "-A"]);
    git(here, &["commit", "-q", "-m", "link"]);
    write(here, "sites/one.cfg", &haproxy(&servers(1..=3, "check")));
    let found = changes(&json(here, &["diff", "--git", "HEAD", "haproxy.cfg"]));
    assert_eq!(found, ["server-added auth/auth3: - -> 10.0.0.3:8080"]);
}

#[test]
fn equal_names_in_two_instances_are_kept_apart() {
    let good = haproxy(&servers(1..=3, "weight 10 check"));
    let bad = good.replace("10.0.0.3:8080 weight 10", "10.0.0.3:8080");
    let folder = repository(&[("a/haproxy.cfg", &good), ("b/haproxy.cfg", &bad)]);
    let here = folder.path();
    write(here, "a/haproxy.cfg", &bad);
    write(here, "b/haproxy.cfg", &good);
    let document = json(here, &["diff", "--git", "HEAD"]);
    let instances: Vec<&Value> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["instance"])
        .collect();
    assert_eq!(instances, ["a/haproxy.cfg", "b/haproxy.cfg"]);
    let findings = &document["findings"];
    let (introduced, resolved) = (rules(&findings["introduced"]), rules(&findings["resolved"]));
    assert!(!introduced.is_empty());
    assert_eq!(introduced, resolved);
    assert_eq!(findings["introduced"][0]["instance"], "a/haproxy.cfg");
    assert_eq!(findings["resolved"][0]["instance"], "b/haproxy.cfg");
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let folder = repository(&[("haproxy.cfg", &haproxy(&servers(1..=2, "check")))]);
    let here = folder.path();
    let complaint = |folder: &Path, arguments: &[&str]| {
        let output = lbaudit(folder, arguments);
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (status, words) = complaint(here, &["diff", "--git", "v1.0", "haproxy.cfg"]);
    assert_eq!(
        (status, words.as_str()),
        (2, "error: git knows no revision `v1.0` here\n")
    );
    let (status, words) = complaint(here, &["diff", "--git=--output=x", "haproxy.cfg"]);
    assert_eq!(
        (status, words.contains("knows no revision")),
        (2, true),
        "{words}"
    );
    let (status, words) = complaint(here, &["diff", "--git", "HEAD", "nothing.cfg"]);
    assert_eq!(
        (
            status,
            words.contains("neither in the working tree nor in the revision")
        ),
        (2, true),
        "{words}"
    );
    let (status, words) = complaint(here, &["diff", "--git", "HEAD", "../x.cfg"]);
    assert_eq!(
        (status, words.contains("outside of the repository")),
        (2, true),
        "{words}"
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let (status, words) = complaint(elsewhere.path(), &["diff", "--git", "HEAD"]);
    assert_eq!(
        (status, words.contains("not a git repository")),
        (2, true),
        "{words}"
    );
    assert_eq!(complaint(here, &["diff", "haproxy.cfg"]).0, 2);
    assert_eq!(complaint(here, &["diff", "haproxy.cfg", "gone.cfg"]).0, 2);
    assert_eq!(
        complaint(
            here,
            &["diff", "haproxy.cfg", "haproxy.cfg", "--max-shift", "-1"]
        )
        .0,
        2
    );
}

#[test]
fn revisions_are_named_in_every_way_that_git_knows() {
    let one = haproxy(&servers(1..=2, "check"));
    let folder = repository(&[("haproxy.cfg", &one)]);
    let here = folder.path();
    git(here, &["tag", "-a", "v1", "-m", "first"]);
    write(here, "haproxy.cfg", &haproxy(&servers(1..=3, "check")));
    git(here, &["commit", "-q", "-a", "-m", "one more"]);
    git(here, &["checkout", "-q", "--detach"]);
    let hash = git(here, &["rev-parse", "v1^{commit}"]);
    for revision in ["v1", "HEAD^", "HEAD~1", "v1^{tree}", ":/first", hash.trim()] {
        let found = changes(&json(here, &["diff", "--git", revision]));
        assert_eq!(
            found,
            ["server-added auth/auth3: - -> 10.0.0.3:8080"],
            "{revision}"
        );
    }
    assert!(changes(&json(here, &["diff", "--git", ":/one more"])).is_empty());
    let blob = git(here, &["rev-parse", "HEAD:haproxy.cfg"]);
    assert_eq!(run(here, &["diff", "--git", blob.trim()]).0, 2);
}

#[test]
fn the_gate_counts_introduced_findings_only() {
    let bad = haproxy(&servers(1..=3, "weight 10 check").replacen("weight 10", "", 1));
    let folder = repository(&[("haproxy.cfg", &bad)]);
    let here = folder.path();
    assert_eq!(run(here, &["check", "haproxy.cfg"]).0, 1);
    write(
        here,
        "haproxy.cfg",
        &format!("# a comment that moves every line\n\n{bad}"),
    );
    assert_eq!(run(here, &["diff", "--git", "HEAD", "haproxy.cfg"]).0, 0);
    write(
        here,
        "haproxy.cfg",
        &bad.replace("10.0.0.3:8080 weight 10 check", "10.0.0.3:8080 weight 10"),
    );
    assert_eq!(run(here, &["diff", "--git", "HEAD", "haproxy.cfg"]).0, 1);
    let quiet = run(
        here,
        &[
            "diff",
            "--git",
            "HEAD",
            "haproxy.cfg",
            "--exit-zero",
            "-q",
            "--fail-on",
            "error",
        ],
    );
    assert_eq!(quiet.0, 0);
}

#[test]
fn templates_are_counted_and_not_compared() {
    let folder = repository(&[
        ("haproxy.cfg", &haproxy(&servers(1..=2, "check"))),
        ("edge.cfg.j2", "backend {{ name }}\n  mode http\n"),
    ]);
    let here = folder.path();
    let (status, text) = run(here, &["diff", "--git", "HEAD"]);
    assert_eq!(status, 0);
    assert_eq!(
        text,
        "nothing changed: the models and the findings are the same; 1 template not compared\n"
    );
    let document = json(here, &["diff", "--git", "HEAD"]);
    assert_eq!(document["summary"]["templates"], 1);
    let status = run(here, &["diff", "--git", "HEAD", "--templates", "error"]).0;
    assert_eq!(status, 2);
}

/// A repository with one in it as a submodule, and the inner one's folder.
fn with_submodule() -> (tempfile::TempDir, std::path::PathBuf, tempfile::TempDir) {
    let inner = repository(&[("haproxy.cfg", &haproxy(&servers(1..=2, "check")))]);
    let outer = repository(&[("README", "edge")]);
    let here = outer.path();
    let url = inner.path().to_str().unwrap();
    let allow = "protocol.file.allow=always";
    git(here, &["-c", allow, "submodule", "add", "-q", url, "lb"]);
    git(here, &["commit", "-q", "-m", "submodule"]);
    let submodule = here.join("lb");
    (outer, submodule, inner)
}

#[test]
fn a_submodule_is_compared_with_the_commit_of_the_revision() {
    let (outer, submodule, _inner) = with_submodule();
    let here = outer.path();
    let compare = || changes(&json(here, &["diff", "--git", "HEAD"]));
    assert!(compare().is_empty());
    let more = haproxy(&servers(1..=3, "check"));
    write(&submodule, "haproxy.cfg", &more);
    let expected = ["server-added auth/auth3: - -> 10.0.0.3:8080"];
    assert_eq!(compare(), expected);
    git(&submodule, &["commit", "-q", "-a", "-m", "third"]);
    assert_eq!(compare(), expected);
    assert!(changes(&json(&submodule, &["diff", "--git", "HEAD"])).is_empty());
    // A hook of the outer repository has its folder in the environment.
    let mut command = diff_support::command(here);
    command.args(["diff", "--git", "HEAD", "--format", "json"]);
    let output = command.env("GIT_DIR", ".git").output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(changes(&document), expected);
    git(here, &["commit", "-q", "-a", "-m", "third"]);
    assert!(compare().is_empty());
}

#[test]
fn a_commit_that_a_submodule_lacks_is_an_error_and_no_change() {
    let (outer, submodule, _inner) = with_submodule();
    let here = outer.path();
    let missing = "160000,1111111111111111111111111111111111111111,lb";
    git(here, &["update-index", "--cacheinfo", missing]);
    git(here, &["commit", "-q", "-m", "elsewhere"]);
    let output = lbaudit(here, &["diff", "--git", "HEAD"]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains("the submodule `lb` lacks the commit 1111"),
        "{words}"
    );
    // Where it is not checked out it is an empty folder on both sides.
    fs::remove_dir_all(&submodule).unwrap();
    fs::create_dir(&submodule).unwrap();
    write(here, "haproxy.cfg", &haproxy(&servers(1..=2, "check")));
    assert_eq!(changes(&json(here, &["diff", "--git", "HEAD"])).len(), 2);
}

#[test]
fn what_a_sparse_checkout_leaves_out_is_not_gone() {
    let text = haproxy(&servers(1..=2, "check"));
    let folder = repository(&[("here/haproxy.cfg", &text), ("there/haproxy.cfg", &text)]);
    let here = folder.path();
    git(here, &["sparse-checkout", "set", "here"]);
    assert!(!here.join("there").exists());
    assert!(changes(&json(here, &["diff", "--git", "HEAD"])).is_empty());
    fs::remove_file(here.join("here/haproxy.cfg")).unwrap();
    write(here, "here/edge.cfg", &haproxy(&servers(1..=3, "check")));
    let found = changes(&json(&here.join("here"), &["diff", "--git", "HEAD"]));
    assert_eq!(found, ["server-added auth/auth3: - -> 10.0.0.3:8080"]);
}

#[test]
fn a_tree_made_by_hand_writes_nothing_through_its_links() {
    let folder = repository(&[("haproxy.cfg", &haproxy(&servers(1..=2, "check")))]);
    let here = folder.path();
    let outside = tempfile::tempdir().unwrap();
    let object = |kind: &str, bytes: &[u8]| {
        let file = outside.path().join("object");
        fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let arguments = ["hash-object", "-t", kind, "--literally", "-w", &file];
        git(here, &arguments).trim().to_owned()
    };
    let raw = |hash: &str| -> Vec<u8> {
        let pair = |at: usize| u8::from_str_radix(&hash[at..at + 2], 16).unwrap();
        (0..hash.len()).step_by(2).map(pair).collect()
    };
    let entry = |mode: &str, name: &str, hash: &str| {
        [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &raw(hash)].concat()
    };
    let link = object("blob", outside.path().to_str().unwrap().as_bytes());
    let inner = object("tree", &entry("120000", "planted", &link));
    let both = [entry("120000", "a", &link), entry("40000", "a", &inner)].concat();
    let tree = object("tree", &both);
    let output = lbaudit(here, &["diff", "--git", &tree]);
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::symlink_metadata(outside.path().join("planted")).is_err());
}
