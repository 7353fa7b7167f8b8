//! HAProxy configurations: lexer, tree, parser and lowering to the model.
//!
//! In: the files of one instance, in order. Out: one model per choice of undecidable `.if` branches,
//! and the findings made on the way.

mod address;
mod blocks;
mod cond;
mod detect;
mod env;
mod keywords;
mod lex;
#[cfg(test)]
mod lex_tests;
mod lower;
mod parse;
mod plain;
mod tree;
mod units;
mod variables;
mod words;

use std::sync::Arc;

use super::{Input, Loaded, Options};
use crate::error::Error;
use crate::finding::Finding;
use crate::model::Instance;
use crate::source::{Source, SourceId, Sources};

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
    let files: Files = inputs
        .into_iter()
        .map(|input| sources.add(input.name, input.bytes, None))
        .collect();
    let (variants, findings) =
        decided(&files, options, &root).unwrap_or_else(|| undecided(&files, options, &root));
    Ok(Loaded {
        variants,
        findings,
        templates: Vec::new(),
    })
}

type Files = Vec<(SourceId, Arc<Source>)>;
type Read = (Vec<Instance>, Vec<Finding>);

/// Lowers every line as soon as it is parsed, so that no tree of a whole file is needed. `None` when an `.if`
/// cannot be decided.
fn decided(files: &Files, options: &Options, root: &str) -> Option<Read> {
    let mut env = env::Env::new(&options.environment);
    let mut findings = Vec::new();
    let mut lowering = lower::Lowering::new(options, root, 0, true);
    for (id, source) in files {
        let version = options.haproxy_version;
        let mut parser = parse::Parser::new(*id, source, &mut env, version, &mut findings);
        lowering.start_file(*id);
        while let Some(line) = parser.next_line() {
            if parser.is_undecided() {
                return None;
            }
            lowering.read(parser.line_ref(&line), line.guard != tree::Guard::NEVER);
            parser.forget_words();
        }
        lowering.end_file();
    }
    let (instance, found) = lowering.finish();
    findings.extend(found);
    Some((vec![instance], findings))
}

/// Parses the files as a whole and lowers them once for each choice of `.if` branches.
fn undecided(files: &Files, options: &Options, root: &str) -> Read {
    let mut findings = Vec::new();
    let mut env = env::Env::new(&options.environment);
    let version = options.haproxy_version;
    let trees: Vec<_> = files
        .iter()
        .map(|(id, source)| parse::parse(*id, source, &mut env, version, &mut findings))
        .collect();
    let count = lower::variants(&trees).min(MAX_VARIANTS);
    let mut variants = Vec::new();
    for variant in 0..count {
        let mut lowering = lower::Lowering::new(options, root, variant, count == 1);
        for tree in &trees {
            lowering.file(tree, variant);
        }
        let (instance, found) = lowering.finish();
        add_new(&mut findings, found, variant > 0);
        variants.push(instance);
    }
    (variants, findings)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What both ways of reading find; `None` for a way that is not taken.
    fn both(texts: &[&str]) -> (Option<String>, String) {
        let sources = Sources::default();
        let files: Files = texts
            .iter()
            .map(|text| sources.add("f.cfg".to_owned(), text.as_bytes().to_vec(), None))
            .collect();
        let options = Options::default();
        let shown = |read: &Read| format!("{read:#?}");
        let once = decided(&files, &options, "f.cfg");
        let whole = undecided(&files, &options, "f.cfg");
        (once.as_ref().map(shown), shown(&whole))
    }

    #[test]
    fn lines_mean_the_same_read_at_once_or_from_trees() {
        let main = "\n# first\ndefaults\n mode http\n\nfrontend f # a\n bind :80\n acl a path /a # b\n\
            .if 0\n use_backend nowhere if a\n.else\n use_backend b if a\n.endif\n\
            # not above\n\n# above b\nbackend b\n server a 10.0.0.1:80 weight \"2\" trak b/c\n\
            # above s\n server s 10.0.0.1 track b/none\n use-server none if TRUE\n# last";
        let other =
            "server x\nbackend b\n server 'open\nlisten l\n bind :81\n server r a:1 resolvers q";
        let (once, whole) = both(&[main, other]);
        assert_eq!(once.unwrap(), whole);
    }

    #[test]
    fn files_with_undecided_blocks_are_read_as_a_whole() {
        let text = "backend b\n server a a:1\n.if defined(A)\n server b b:1\n.endif\n";
        assert_eq!(both(&[text]).0, None);
    }
}
