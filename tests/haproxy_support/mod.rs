//! HAProxy texts read for tests.
//!
//! In: texts. Out: what the loader makes of them, and its findings as lines.

#![allow(dead_code, reason = "each test uses a part of it")]

use lbaudit::engine::{Environment, Input, Loaded, Options, haproxy};
use lbaudit::model::Instance;
use lbaudit::source::Sources;

/// Reads the files of one instance.
pub(crate) fn load_with(files: &[&str], options: &Options) -> (Sources, Loaded) {
    let sources = Sources::default();
    let inputs = files.iter().enumerate().map(|(number, text)| Input {
        name: format!("{number}.cfg"),
        path: None,
        bytes: text.as_bytes().to_vec(),
    });
    let loaded = haproxy::load(&sources, inputs.collect(), options).unwrap();
    (sources, loaded)
}

/// Reads one file without an environment.
pub(crate) fn load(text: &str) -> (Sources, Loaded) {
    load_with(&[text], &Options::default())
}

/// The model of a text that has no fault.
pub(crate) fn instance(text: &str) -> Instance {
    let (sources, mut loaded) = load(text);
    assert_eq!(report(&sources, &loaded), Vec::<String>::new(), "{text}");
    loaded.variants.remove(0)
}

/// `severity rule line:column marked text | message` of every finding.
pub(crate) fn report(sources: &Sources, loaded: &Loaded) -> Vec<String> {
    let line = |finding: &lbaudit::finding::Finding| {
        let (_, at) = sources.locate(finding.span);
        format!(
            "{} {} {}:{} {} | {}",
            finding.severity.as_str(),
            finding.rule,
            at.line,
            at.column,
            sources.text(finding.span),
            finding.message
        )
    };
    loaded.findings.iter().map(line).collect()
}

/// Options with these variables and no others.
pub(crate) fn environment(pairs: &[(&str, &str)]) -> Options {
    let values = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Options {
        environment: Environment {
            values: values.collect(),
            given: true,
        },
        ..Options::default()
    }
}
