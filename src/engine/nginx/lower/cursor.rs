//! Walking blocks with their includes in place.
//!
//! In: the forest and a block. Out: its directives in the order in which nginx reads them, those of
//! included files among them.

use crate::engine::nginx::include::Forest;
use crate::engine::nginx::tree::Directive;

/// The content of a block: a run of nodes of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    tree: usize,
    start: u32,
    end: u32,
}

impl Block {
    /// A whole file.
    pub(crate) fn file(forest: &Forest, tree: usize) -> Self {
        let end = forest
            .trees
            .get(tree)
            .map_or(0, crate::engine::nginx::tree::FileTree::len);
        Self {
            tree,
            start: 0,
            end,
        }
    }
}

/// A directive and the number of its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'t> {
    pub(crate) tree: usize,
    pub(crate) directive: Directive<'t>,
}

impl Item<'_> {
    /// Its content.
    pub(crate) fn block(self) -> Block {
        Block {
            tree: self.tree,
            start: self.directive.index + 1,
            end: self.directive.next(),
        }
    }
}

/// Whether a file that `block` includes, at any depth of files, is not there: what seems to be absent
/// may stand in it.
pub(super) fn misses_a_file(forest: &Forest, block: Block) -> bool {
    Children::of(forest, block).any(|item| forest.is_unread(item.tree, item.directive.index))
}

/// The directives of blocks; an `include` comes before what it includes.
#[derive(Debug)]
pub(crate) struct Children<'t> {
    forest: &'t Forest,
    stack: Vec<Block>,
}

impl<'t> Children<'t> {
    /// The directives of `block`.
    pub(crate) fn of(forest: &'t Forest, block: Block) -> Self {
        Self {
            forest,
            stack: vec![block],
        }
    }

    /// The directives `items` themselves.
    pub(crate) fn listed(forest: &'t Forest, items: &[Item<'t>]) -> Self {
        let alone = |item: &Item<'t>| Block {
            tree: item.tree,
            start: item.directive.index,
            end: item.directive.next(),
        };
        Self {
            forest,
            stack: items.iter().rev().map(alone).collect(),
        }
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Item<'t>;

    fn next(&mut self) -> Option<Item<'t>> {
        loop {
            let block = self.stack.last_mut()?;
            if block.start >= block.end {
                self.stack.pop();
                continue;
            }
            let tree = block.tree;
            let directive = self.forest.trees.get(tree)?.directive(block.start)?;
            block.start = directive.next();
            if !directive.is_block() && directive.is(b"include") {
                let files = self.forest.included(tree, directive.index);
                let blocks = files
                    .iter()
                    .rev()
                    .map(|&file| Block::file(self.forest, file));
                self.stack.extend(blocks);
            }
            return Some(Item { tree, directive });
        }
    }
}
