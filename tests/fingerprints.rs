//! Moving lines changes no fingerprint, for every rule: the examples on the rules' pages with lines between
//! theirs.

#![allow(clippy::expect_used, reason = "helpers of tests fail like the tests")]

use std::collections::BTreeSet;

use lbaudit::audit::{Audit, Terms};
use lbaudit::discover::{Discovery, Root};
use lbaudit::engine::{Input, Options};
use lbaudit::report::fingerprints;
use lbaudit::rules::{self, Example};
use lbaudit::settings::Settings;
use lbaudit::suppress;
use proptest::prelude::*;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 22);

/// The rules that fire on an example, and the fingerprints of what they say.
fn judged(example: &Example, text: &str) -> (BTreeSet<&'static str>, Vec<String>) {
    let input = Input {
        name: "example".to_owned(),
        path: None,
        bytes: text.as_bytes().to_vec(),
    };
    let root = Root {
        engine: example.engine,
        inputs: vec![input],
        walked: None,
        name: None,
    };
    let found = Discovery {
        roots: vec![root],
        ..Discovery::default()
    };
    let mut audit = Audit::load(found, &Options::default());
    let settings = Settings::default();
    let findings = audit.judge(Terms::in_full(&settings, TODAY));
    let kept = suppress::apply(&audit, findings, TODAY).kept;
    let mut prints = fingerprints(&kept, &audit.sources);
    prints.sort();
    (kept.iter().map(|finding| finding.rule).collect(), prints)
}

/// The text with blank lines in front of lines. What a comment is about is the line below it, and a line
/// can go on behind a backslash: nothing comes between those.
fn moved(text: &str, blanks: &[usize]) -> String {
    let mut out = String::new();
    let mut sticks = false;
    for (line, blanks) in text.lines().zip(blanks.iter().cycle()) {
        if !sticks {
            out.push_str(&"\n".repeat(*blanks));
        }
        sticks = line.trim_start().starts_with('#') || line.ends_with('\\');
        out.extend([line, "\n"]);
    }
    out
}

fn examples() -> Vec<Example> {
    let pages = rules::catalogue().iter().map(|entry| &entry.page);
    let examples = pages.map(|page| page.examples().expect("the page is right"));
    examples.flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn moving_lines_changes_no_fingerprint(blanks in prop::collection::vec(0usize..4, 40)) {
        let mut fired = BTreeSet::new();
        for example in examples() {
            let (rules, before) = judged(&example, &example.text);
            fired.extend(rules);
            let text = moved(&example.text, &blanks);
            let (_, after) = judged(&example, &text);
            prop_assert_eq!(after, before, "{}", text);
        }
        let all = rules::catalogue().len();
        prop_assert!(fired.len() * 10 >= all * 9, "only {fired:?} fired");
    }
}
