//! `lbaudit diff --format markdown`: the comment on a pull request, as a renderer reads it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag};
use support::{Run, lbaudit, lbaudit_in};

const NOVEMBER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/incidents/2023-11-10-one-server-drowns/"
);

fn incident(name: &str) -> String {
    format!("{NOVEMBER}{name}")
}

/// A folder with `old.cfg` and `new.cfg`.
fn folder(old: &str, new: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("old.cfg"), old).expect("a file");
    fs::write(folder.path().join("new.cfg"), new).expect("a file");
    folder
}

fn diff(folder: &Path, more: &[&str]) -> Run {
    let mut arguments = vec!["diff", "--no-config", "old.cfg", "new.cfg"];
    arguments.extend(more);
    lbaudit_in(folder, &arguments, b"")
}

fn backend(name: &str, algorithm: &str, weights: &[u32]) -> String {
    let mut text = format!("backend {name}\n  balance {algorithm}\n  default-server check\n");
    for (weight, number) in weights.iter().zip(1..) {
        let _ = writeln!(
            text,
            "  server {name}-{number} 10.0.0.{number}:80 weight {weight}"
        );
    }
    text
}

/// What a renderer makes of it: no link, no image, no element but our own, tables of one width.
fn assert_safe(markdown: &str) {
    let mut columns = 0;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("a link\n{markdown}"),
            Event::Html(html) | Event::InlineHtml(html) => {
                let own = ["<br>", "<code>", "</code>", "<!-- -->"];
                assert!(own.contains(&&*html), "{html}");
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => columns = 0,
            Event::Start(Tag::TableCell) => columns += 1,
            _ => {}
        }
        assert!(columns <= 6, "{markdown}");
    }
    assert!(markdown.len() < 65_536, "a comment takes no more");
}

#[test]
fn the_november_outage_is_a_table_of_shares_with_the_broken_limit_first() {
    let run = lbaudit(&[
        "diff",
        "--no-config",
        "--format",
        "markdown",
        "--max-shift",
        "10",
        &incident("haproxy/after.cfg"),
        &incident("haproxy/before.cfg"),
    ]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_safe(&run.stdout);
    let text = run.stdout.replace(env!("CARGO_MANIFEST_DIR"), "");
    insta::assert_snapshot!("diff_markdown", text);
}

#[test]
fn equal_sides_are_one_line() {
    let text = backend("auth", "roundrobin", &[1, 1, 1]);
    let run = diff(folder(&text, &text).path(), &["--format", "markdown"]);
    assert_eq!(run.status, 0);
    assert_eq!(
        run.stdout,
        "## lbaudit diff: nothing changed: the models and the findings are the same\n"
    );
}

#[test]
fn moved_keys_are_told_and_what_is_on_one_side_only_has_no_other() {
    let ring = backend("ring", "source\n  hash-type consistent", &[1, 1]);
    let more = backend("ring", "source\n  hash-type consistent", &[1, 1, 1]);
    let new = more + &backend("added", "roundrobin", &[1, 1]);
    let run = diff(
        folder(&ring, &new).path(),
        &["--format", "markdown", "--exit-zero"],
    );
    let text = run.stdout;
    assert_safe(&text);
    assert!(
        text.contains("\nKeys that change their server: **"),
        "{text}"
    );
    assert!(
        text.contains("| `added-1` | - |  | 50.0% | ████████████ |  |"),
        "{text}"
    );
    assert!(!text.contains("not known"), "{text}");
}

#[test]
fn names_stay_text() {
    let names = [
        "a|b`c<script>alert(1)</script>",
        "x](http://evil.example/)[y",
        "```",
        "@everyone",
        "]]>&amp;<!--",
        "***__~~",
    ];
    let side = |weight: u32| {
        names.iter().fold(String::new(), |text, name| {
            text + &backend(name, "roundrobin", &[1, weight])
        })
    };
    let folder = folder(&side(1), &side(90));
    let run = diff(folder.path(), &["--format", "markdown"]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_safe(&run.stdout);
    assert!(run.stdout.contains("| `@everyone-2` | 50.0% |"));
    let blocks = run.stdout.matches("\n```diff\n").count();
    assert_eq!(blocks, names.len());
}

#[test]
fn a_comment_about_thousands_of_changes_is_cut() {
    let side = |weight: u32| {
        (0..2000).fold(String::new(), |text, number| {
            text + &backend(&format!("auth{number}"), "roundrobin", &[1, 1, weight])
        })
    };
    let folder = folder(&side(1), &side(100));
    let run = diff(folder.path(), &["--format", "markdown"]);
    assert_eq!(run.status, 1);
    assert_safe(&run.stdout);
    for cut in [" more objects.\n", " more findings.\n", "#### Introduced"] {
        assert!(run.stdout.contains(cut), "{cut}");
    }
}

#[test]
fn one_run_writes_several_outputs() {
    let folder = folder(
        &backend("auth", "roundrobin", &[1, 1, 1]),
        &backend("auth", "roundrobin", &[1, 1, 100]),
    );
    let run = diff(
        folder.path(),
        &["--format", "concise", "--format", "markdown=comment.md"],
    );
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(
        run.stdout.starts_with("new.cfg: ~ backend"),
        "{}",
        run.stdout
    );
    let comment = fs::read_to_string(folder.path().join("comment.md")).expect("an output");
    assert_eq!(
        comment,
        diff(folder.path(), &["--format", "markdown"]).stdout
    );
    let refused = diff(folder.path(), &["--format", "junit"]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("markdown"), "{}", refused.stderr);
}
