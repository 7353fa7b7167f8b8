//! Facts that hold wherever in the files a word stands.
//!
//! In: the forest. Out: where `X-Forwarded-For` is read, where resolvers are set, whether the
//! configuration is one for commercial nginx.

use crate::engine::nginx::include::Forest;
use crate::engine::nginx::name::Name;
use crate::engine::nginx::tree::{Directive, FileTree};
use crate::model::Instance;

/// Adds what the files say to `instance`.
pub(super) fn collect(forest: &Forest, instance: &mut Instance) {
    for tree in &forest.trees {
        forwarded_for(tree, instance);
        let resolvers = tree.named(b"resolver").filter(|found| !found.is_block());
        instance.resolvers.extend(resolvers.map(Directive::span));
    }
}

const FORWARDED_FOR: &[u8] = b"http_x_forwarded_for";

/// Words with `$http_x_forwarded_for`, those of log formats aside. nginx lower-cases variable names.
fn forwarded_for(tree: &FileTree, instance: &mut Instance) {
    let bytes = tree.source.bytes();
    let mut last = None;
    for at in memchr::memchr_iter(b'$', bytes) {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let name = rest.get(..FORWARDED_FOR.len()).unwrap_or_default();
        if !name.eq_ignore_ascii_case(FORWARDED_FOR) {
            continue;
        }
        let word = tree.words.partition_point(|word| word.start as usize <= at);
        let Some(index) = word.checked_sub(1) else {
            continue;
        };
        let Some(range) = tree.words.get(index).filter(|word| at < word.end as usize) else {
            continue;
        };
        if last != Some(index) && !in_log_format(tree, index) {
            instance.forwarded_for_reads.push(tree.span(*range));
        }
        last = Some(index);
    }
}

fn in_log_format(tree: &FileTree, word: usize) -> bool {
    let node = tree
        .nodes
        .partition_point(|node| node.first_word as usize <= word);
    let directive = node
        .checked_sub(1)
        .and_then(|index| u32::try_from(index).ok())
        .and_then(|index| tree.directive(index));
    directive.is_some_and(|directive| directive.is(Name::LogFormat))
}

/// Whether the files use directives of commercial nginx.
pub(super) fn is_plus(forest: &Forest) -> bool {
    let mut nodes = forest.trees.iter().flat_map(|tree| &tree.nodes);
    nodes.any(|node| node.id.known().commercial)
}
