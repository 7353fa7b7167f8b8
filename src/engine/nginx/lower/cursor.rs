//! Walking blocks with their includes in place.
//!
//! In: the forest and a block. Out: its directives in the order in which nginx reads them, those of
//! included files among them.

use crate::engine::nginx::directives::Id;
use crate::engine::nginx::include::Forest;
use crate::engine::nginx::name::Name;
use crate::engine::nginx::tree::{Directive, Node};

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
    /// How many directives of the same file, at any depth of its content, have this name.
    pub(crate) fn count_inside(self, id: Id) -> usize {
        let block = self.block();
        let nodes = self
            .directive
            .file
            .nodes
            .get(block.start as usize..block.end as usize);
        let named = |node: &&Node| node.id == id;
        nodes.unwrap_or_default().iter().filter(named).count()
    }

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
    /// The block being read, which may have been read to its end.
    block: Block,
    /// Blocks to go on with, the last one first. Most have no `include`, so that there are none.
    later: Vec<Block>,
}

impl<'t> Children<'t> {
    /// The directives of `block`.
    pub(crate) fn of(forest: &'t Forest, block: Block) -> Self {
        Self {
            forest,
            block,
            later: Vec::new(),
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
            block: Block {
                tree: 0,
                start: 0,
                end: 0,
            },
            later: items.iter().rev().map(alone).collect(),
        }
    }

    /// Goes on with the files that an `include` stands for.
    fn enter_files(&mut self, node: u32) {
        let files = self.forest.included(self.block.tree, node);
        if files.is_empty() {
            return;
        }
        self.later.push(self.block);
        let blocks = files
            .iter()
            .rev()
            .map(|&file| Block::file(self.forest, file));
        self.later.extend(blocks);
        // Read to its end: the first file comes next.
        self.block.start = self.block.end;
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Item<'t>;

    #[inline]
    fn next(&mut self) -> Option<Item<'t>> {
        while self.block.start >= self.block.end {
            self.block = self.later.pop()?;
        }
        let tree = self.block.tree;
        let directive = self.forest.trees.get(tree)?.directive(self.block.start)?;
        self.block.start = directive.next();
        if !directive.is_block() && directive.is(Name::Include) {
            self.enter_files(directive.index);
        }
        Some(Item { tree, directive })
    }
}
