//! All files of an instance: the root files and what they include.
//!
//! In: the root files. Out: their trees, tied together by the includes, and findings. An include is
//! resolved as nginx does it: against the folder of the root file, never that of the including one
//! (`ngx_conf_include()`, `ngx_conf_full_name()`).

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::envsubst;
use super::fault::refused;
use super::library::{Found, Library, Resolved, disk_key};
use super::name::Name;
use super::parse::{bom_length, parse};
use super::tree::FileTree;
use crate::engine::Environment;
use crate::engine::template::{self, Template};
use crate::error::Error;
use crate::finding::Finding;
use crate::model::Text;
use crate::source::{Sources, Span};

/// The includes of one file: the index of the directive and the files it stands for.
type Includes = Vec<(u32, Vec<usize>)>;

/// Every file of an instance.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    /// The files, root files first.
    pub(crate) trees: Vec<FileTree>,
    /// The number of root files.
    pub(crate) roots: usize,
    /// Whether any file has a syntax error: then blocks may stand where they were not meant to.
    pub(crate) broken: bool,
    /// Included files that are templates.
    pub(crate) templates: Vec<Template>,
    environment: Environment,
    includes: Vec<Includes>,
    /// The `include` directives, by file and node, that name something that cannot be read.
    unread: BTreeSet<(usize, u32)>,
    by_key: HashMap<String, usize>,
    /// Root files that [`Self::by_key`] will need where anything is included: most include nothing.
    unkeyed: Vec<(PathBuf, usize)>,
}

impl Forest {
    /// No files yet; these variables have values in them.
    pub(crate) fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            ..Self::default()
        }
    }

    /// Whether a root file has a block at its top that only a whole configuration has.
    pub(crate) fn is_whole(&self) -> bool {
        self.trees.iter().any(|tree| {
            let mut at = 0;
            while let Some(directive) = tree.directive(at) {
                if directive.is_block() && is_top(directive.known().name) {
                    return true;
                }
                at = directive.next();
            }
            false
        })
    }

    /// The files that stand in place of the `include` at `node` of the file at `tree`.
    pub(crate) fn included(&self, tree: usize, node: u32) -> &[usize] {
        let Some(includes) = self.includes.get(tree) else {
            return &[];
        };
        includes
            .binary_search_by_key(&node, |(at, _)| *at)
            .ok()
            .and_then(|at| includes.get(at))
            .map_or(&[], |(_, files)| files)
    }

    /// Whether the `include` at `node` of the file at `tree` names something that is not there.
    pub(crate) fn is_unread(&self, tree: usize, node: u32) -> bool {
        self.unread.contains(&(tree, node))
    }

    /// Parses a root file, which is at `path` of the disk or a part of a dump.
    pub(crate) fn add_root(
        &mut self,
        sources: &Sources,
        found: Found,
        path: Option<PathBuf>,
        findings: &mut Vec<Finding>,
    ) {
        let key = found.key.clone();
        let index = self.add(sources, found, None, findings);
        match path {
            Some(path) => self.unkeyed.push((path, index)),
            None => {
                self.by_key.insert(key, index);
            }
        }
    }

    /// Parses a file.
    fn add(
        &mut self,
        sources: &Sources,
        found: Found,
        from: Option<Span>,
        findings: &mut Vec<Finding>,
    ) -> usize {
        let bytes = envsubst::rendered(found.bytes, &self.environment);
        let (id, source) = sources.add(found.name, bytes, from);
        let bom = bom_length(source.bytes());
        if bom > 0 {
            findings.push(byte_order_mark(Span::new(id, 0, 3)));
        }
        let (tree, faults) = parse(id, source);
        self.broken |= faults.len() > 0;
        findings.extend(faults.into_findings(id));
        self.trees.push(tree);
        self.includes.push(Vec::new());
        self.trees.len() - 1
    }

    /// Keeps an included file; one that is a template spoils the whole instance.
    fn read(
        &mut self,
        sources: &Sources,
        found: Found,
        from: Span,
        findings: &mut Vec<Finding>,
    ) -> usize {
        if let Some(line) = template::first_mark(&found.bytes) {
            let root = self.trees.first();
            self.templates.push(Template {
                name: found.name.clone(),
                line,
                included_by: root.map(|root| root.source.name().to_owned()),
                walked: false,
            });
        }
        let key = found.key.clone();
        let index = self.add(sources, found, Some(from), findings);
        self.by_key.insert(key, index);
        index
    }

    /// The file that was read under `key`.
    fn known(&mut self, key: &str) -> Option<usize> {
        for (path, index) in self.unkeyed.drain(..) {
            self.by_key.insert(disk_key(&path), index);
        }
        self.by_key.get(key).copied()
    }

    /// Reads the includes of every file, those of included files too.
    pub(crate) fn follow(
        &mut self,
        sources: &Sources,
        library: &Library,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let mut at = 0;
        while let Some(tree) = self.trees.get(at) {
            let wanted = wanted(tree, findings);
            let mut includes = Vec::with_capacity(wanted.len());
            for (node, pattern, span) in wanted {
                let faults = findings.len();
                let files = self.include(sources, library, &pattern, span, findings)?;
                // A pattern that matches nothing is no fault: nginx reads nothing there either.
                if files.is_empty() && findings.len() > faults {
                    self.unread.insert((at, node));
                }
                includes.push((node, files));
            }
            if let Some(slot) = self.includes.get_mut(at) {
                *slot = includes;
            }
            at += 1;
        }
        Ok(())
    }

    fn include(
        &mut self,
        sources: &Sources,
        library: &Library,
        pattern: &str,
        span: Span,
        findings: &mut Vec<Finding>,
    ) -> Result<Vec<usize>, Error> {
        let mut files = Vec::new();
        for resolved in library.resolve(pattern)? {
            match resolved {
                Resolved::File(path) => {
                    let index = match self.known(&path.key) {
                        Some(index) => index,
                        None => self.read(sources, library.read(path)?, span, findings),
                    };
                    files.push(index);
                }
                Resolved::Folder(name) => findings.push(folder(span, &name)),
                Resolved::Missing(name) => findings.push(missing(span, &name)),
            }
        }
        Ok(files)
    }

    /// Cuts the includes that lead back to a file that is being included, and those that would make
    /// the whole larger than anything could read.
    pub(crate) fn cut_loops(&mut self, findings: &mut Vec<Finding>) {
        let mut search = Search::new(self);
        for root in 0..self.roots {
            search.run(self, root);
        }
        for &(tree, include, target) in &search.back_edges {
            if let Some((span, name)) = self.include_span(tree, include, target) {
                findings.push(include_loop(span, &name));
            }
        }
        let total = search.sizes.iter().take(self.roots);
        let too_large = total.fold(0_u64, |sum, size| sum.saturating_add(*size)) > MAX_NODES;
        let (mut cut, again) = (search.back_edges, search.repeated);
        if too_large {
            if let Some(&(tree, include, target)) = again.first()
                && let Some((span, name)) = self.include_span(tree, include, target)
            {
                findings.push(too_many(span, &name));
            }
            cut.extend(again);
        }
        // From the last on, so that the places of the others hold.
        cut.sort_unstable_by(|a, b| b.cmp(a));
        for (tree, include, target) in cut {
            let includes = self.includes.get_mut(tree);
            if let Some((_, files)) = includes.and_then(|list| list.get_mut(include)) {
                files.remove(target);
            }
        }
    }

    fn include_span(&self, tree: usize, include: usize, target: usize) -> Option<(Span, Text)> {
        let (node, files) = self.includes.get(tree)?.get(include)?;
        let directive = self.trees.get(tree)?.directive(*node)?;
        let file = self.trees.get(*files.get(target)?)?;
        Some((directive.span(), Text::from(file.source.name())))
    }
}

/// More directives than any real configuration has after its includes are put in place; files that
/// include each other twice would otherwise double without end.
const MAX_NODES: u64 = 20_000_000;

/// The `include` directives of a file: index, pattern and place.
fn wanted(tree: &FileTree, findings: &mut Vec<Finding>) -> Vec<(u32, String, Span)> {
    let mut wanted = Vec::new();
    for directive in tree.named(b"include").filter(|found| !found.is_block()) {
        if directive.arguments() == 1 {
            let pattern = String::from_utf8_lossy(&directive.bytes(1)).into_owned();
            wanted.push((directive.index, pattern, directive.span()));
        } else {
            findings.push(refused(
                directive.span(),
                format!(
                    "`include` has {} arguments: nginx refuses to start with any number but 1",
                    directive.arguments()
                ),
                "write one `include` per file, or a pattern",
            ));
        }
    }
    wanted
}

/// Whether only the top of a main file has such blocks.
fn is_top(name: Name) -> bool {
    matches!(name, Name::Http | Name::Stream | Name::Mail | Name::Events)
}

/// An include: the file, its number among the includes of that file, the number of the target.
type Edge = (usize, usize, usize);

/// A walk over the includes, each file once.
struct Search {
    /// 0 not seen, 1 being included, 2 done.
    state: Vec<u8>,
    /// Directives of a file with its includes in place.
    sizes: Vec<u64>,
    back_edges: Vec<Edge>,
    /// Includes of a file that was included before.
    repeated: Vec<Edge>,
}

impl Search {
    fn new(forest: &Forest) -> Self {
        let nodes = |tree: &FileTree| u64::from(tree.len()) + 1;
        Self {
            state: vec![0; forest.trees.len()],
            sizes: forest.trees.iter().map(nodes).collect(),
            back_edges: Vec::new(),
            repeated: Vec::new(),
        }
    }

    fn run(&mut self, forest: &Forest, root: usize) {
        let mut stack = vec![(root, 0, 0)];
        self.set(root, 1);
        while let Some((tree, include, target)) = stack.last_mut() {
            let edge = (*tree, *include, *target);
            let list = forest.includes.get(*tree);
            let Some((_, files)) = list.and_then(|list| list.get(*include)) else {
                let (tree, ..) = edge;
                stack.pop();
                self.set(tree, 2);
                if let Some(&(parent, ..)) = stack.last() {
                    self.grow(parent, tree);
                }
                continue;
            };
            let Some(&file) = files.get(*target) else {
                (*include, *target) = (*include + 1, 0);
                continue;
            };
            *target += 1;
            match self.state.get(file) {
                Some(0) => {
                    self.set(file, 1);
                    stack.push((file, 0, 0));
                }
                Some(1) => self.back_edges.push(edge),
                _ => {
                    self.repeated.push(edge);
                    self.grow(edge.0, file);
                }
            }
        }
    }

    fn set(&mut self, file: usize, state: u8) {
        if let Some(slot) = self.state.get_mut(file) {
            *slot = state;
        }
    }

    fn grow(&mut self, tree: usize, by: usize) {
        let more = self.sizes.get(by).copied().unwrap_or(0);
        if let Some(size) = self.sizes.get_mut(tree) {
            *size = size.saturating_add(more);
        }
    }
}

fn byte_order_mark(span: Span) -> Finding {
    refused(
        span,
        "the file begins with a UTF-8 byte order mark: nginx takes it for a part of the first directive and refuses to start",
        "save the file as UTF-8 without byte order mark",
    )
    .label("byte order mark")
}

fn missing(span: Span, name: &str) -> Finding {
    refused(
        span,
        format!("`include` of `{name}`, which does not exist: nginx refuses to start"),
        "create the file or correct the path; it is relative to the folder of the main file",
    )
}

fn folder(span: Span, name: &str) -> Finding {
    refused(
        span,
        format!("`include` of `{name}`, which is a folder: nginx refuses to start"),
        format!("include the files in it: `{name}/*.conf`"),
    )
}

fn include_loop(span: Span, name: &str) -> Finding {
    refused(
        span,
        format!(
            "`include` of `{name}` leads back to a file that is being included: nginx opens files until it has none left and refuses to start"
        ),
        "remove one `include` of the loop",
    )
}

fn too_many(span: Span, name: &str) -> Finding {
    refused(
        span,
        format!(
            "with `{name}` included again and again the configuration has more than {MAX_NODES} directives: each file is audited once"
        ),
        "include each file where it is needed only",
    )
}
