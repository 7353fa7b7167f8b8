//! HAProxy configurations: lexer, tree, parser and lowering to the model.
//!
//! In: the files of one instance, in order. Out: one model per choice of undecidable `.if` branches,
//! and the findings made on the way.

mod address;
mod cond;
mod detect;
mod env;
mod keywords;
mod lex;
#[cfg(test)]
mod lex_tests;
mod lower;
mod parse;
mod tree;
mod units;
mod variables;
mod words;

use super::{Input, Loaded, Options};
use crate::error::Error;
use crate::finding::Finding;
use crate::source::Sources;

/// More variants than this are not made: a generated file could ask for any number.
const MAX_VARIANTS: u32 = 16;

/// How much `bytes` look like a HAProxy configuration: the number of telling words found, 0 for none.
pub fn looks_like(bytes: &[u8]) -> u32 {
    detect::looks_like(bytes)
}

/// Reads the files of one instance.
pub fn load(sources: &Sources, inputs: Vec<Input>, options: &Options) -> Result<Loaded, Error> {
    let root = inputs.first().map(|input| input.name.clone());
    let root = root.unwrap_or_default();
    let files: Vec<_> = inputs
        .into_iter()
        .map(|input| sources.add(input.name, input.bytes, None))
        .collect();
    let mut findings = Vec::new();
    let mut env = env::Env::new(&options.environment);
    let version = options.haproxy_version;
    let mut trees: Vec<_> = files
        .iter()
        .map(|(id, source)| parse::parse(*id, source, &mut env, version, &mut findings))
        .collect();
    let mut variants = Vec::new();
    let count = lower::variants(&trees).min(MAX_VARIANTS);
    for variant in 0..count {
        let lowering = lower::read(&trees, options, &root, variant);
        if variant + 1 == count {
            // The model grows from here on: the trees make room for it.
            trees = Vec::new();
        }
        let (instance, found) = lowering.finish();
        add_new(&mut findings, found, variant > 0);
        variants.push(instance);
    }
    Ok(Loaded {
        variants,
        findings,
        templates: Vec::new(),
    })
}

/// Adds findings; with `again`, only those that no earlier variant had.
fn add_new(findings: &mut Vec<Finding>, found: Vec<Finding>, again: bool) {
    if !again {
        findings.extend(found);
        return;
    }
    let key = |finding: &Finding| (finding.rule, finding.span, finding.message.clone());
    let mut known: std::collections::BTreeSet<_> = findings.iter().map(key).collect();
    findings.extend(
        found
            .into_iter()
            .filter(|finding| known.insert(key(finding))),
    );
}
