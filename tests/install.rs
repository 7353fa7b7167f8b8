//! What a package installs beside the program: completions and manual pages.

#![allow(clippy::expect_used, reason = "helpers of tests fail like the tests")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use support::{lbaudit, lbaudit_in};

/// What bash offers for the last of `words`.
fn offered(words: &[&str]) -> Vec<String> {
    let script = lbaudit(&["completions", "bash"]).stdout;
    let last = words.len() - 1;
    let script = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={last}\n_lbaudit lbaudit '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.last().expect("a word"),
        words.get(last - 1).expect("a word before it"),
    );
    let output = Command::new("bash")
        .args(["--norc", "-euo", "pipefail", "-c", &script])
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let offered = String::from_utf8_lossy(&output.stdout).into_owned();
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_rules_and_formats() {
    assert_eq!(offered(&["lbaudit", "sha"]), ["shares"]);
    let rule = ["lbaudit", "explain", "missing-h"];
    assert_eq!(offered(&rule), ["missing-health-check"]);
    let format = ["lbaudit", "check", "--format", "sa"];
    assert_eq!(offered(&format), ["sarif"]);
    assert_eq!(offered(&["lbaudit", "config", "in"]), ["init"]);
    assert!(offered(&["lbaudit", "check", "--select", "w"]).contains(&"weights".to_owned()));
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = lbaudit(&["completions", shell]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stdout.contains("metrics-file"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = lbaudit_in(folder.path(), &["man", "share/man1"], b"");
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let pages = folder.path().join("share/man1");
    let written: BTreeSet<String> = fs::read_dir(&pages)
        .expect("the folder was made")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    for page in [
        "lbaudit.1",
        "lbaudit-check.1",
        "lbaudit-config-init.1",
        "lbaudit-diff.1",
    ] {
        assert!(written.contains(page), "{page} is not in {written:?}");
    }
    for page in &written {
        let text = fs::read_to_string(pages.join(page)).expect("a page");
        assert!(text.contains(".SH NAME"), "{page}");
    }
    let main = fs::read_to_string(pages.join("lbaudit.1")).expect("a page");
    assert!(main.contains("Exit status:"), "{main}");
    assert_eq!(lbaudit(&["man"]).stdout, main);
}
