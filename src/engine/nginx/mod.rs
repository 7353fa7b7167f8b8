//! nginx configurations: from files to the model.
//!
//! In: the bytes of the root files. Out: the [`Instance`](crate::model::Instance) and findings. `lex`
//! makes words, `parse` trees, `include` ties the files together, `lower` makes the model; trees are
//! dropped when it is made.

mod comment;
mod cook;
mod detect;
mod directives;
mod dump;
mod envsubst;
mod fault;
mod glob;
mod grammar;
mod include;
mod lex;
mod library;
mod lower;
mod lua;
mod name;
mod parse;
mod tree;
mod value;

use std::path::{Path, PathBuf};

use super::{Input, Loaded, Options};
use crate::error::Error;
use crate::finding::Finding;
use crate::model::Text;
use crate::source::Sources;
use include::Forest;
use library::{Base, Found, Library};

pub use detect::{MOST_TELLING, looks_like};
pub(crate) use lua::blocks as lua_blocks;

/// Whether a block that only a root file has (`events`, `http`, `stream`, `mail`) seems to stand in
/// `bytes`. A cheap look that decides which files of a folder are read first.
pub fn has_main_block(bytes: &[u8]) -> bool {
    let first_word = |line: &[u8]| {
        let line = line.trim_ascii_start();
        let end = line
            .iter()
            .position(|&byte| !byte.is_ascii_alphabetic())
            .unwrap_or(line.len());
        let (word, rest) = line.split_at_checked(end).unwrap_or_default();
        let opens = rest
            .trim_ascii_start()
            .first()
            .is_none_or(|&byte| byte == b'{');
        opens && matches!(word, b"events" | b"http" | b"stream" | b"mail")
    };
    bytes.split(|&byte| byte == b'\n').any(first_word)
}

/// Reads the files of one instance.
pub fn load(sources: &Sources, inputs: Vec<Input>, options: &Options) -> Result<Loaded, Error> {
    let mut findings = Vec::new();
    let mut forest = Forest::new(&options.environment);
    let mut root = Text::default();
    let mut library = None;
    for input in inputs {
        if forest.trees.is_empty() {
            root = Text::from(&input.name);
        }
        let path = input.path.clone();
        let (found, files) = open(input, options);
        let path = path.filter(|_| matches!(files, Library::Disk(_)));
        library.get_or_insert(files);
        forest.add_root(sources, found, path, &mut findings);
    }
    forest.roots = forest.trees.len();
    if let Some(mut library) = library {
        if options.prefix.is_none() && !forest.is_whole() {
            library.look_above();
        }
        forest.follow(sources, &library, &mut findings)?;
    }
    forest.cut_loops(&mut findings);
    Ok(finish(forest, root, options, findings))
}

fn finish(forest: Forest, root: Text, options: &Options, mut findings: Vec<Finding>) -> Loaded {
    let (mut instance, refused) = lower::lower(&forest, root, options);
    instance.files = forest.trees.iter().map(|tree| tree.id).collect();
    findings.extend(refused);
    Loaded {
        variants: vec![instance],
        findings,
        templates: forest.templates,
    }
}

/// The first file of an input, and where its includes come from.
fn open(input: Input, options: &Options) -> (Found, Library) {
    if let Some(files) = dump::split(&input.bytes) {
        return open_dump(&input.bytes, files);
    }
    let base = match &options.prefix {
        Some(prefix) => Base {
            path: prefix.clone(),
            shown: prefix.clone(),
        },
        None => Base {
            path: folder(input.path.as_deref()),
            shown: folder(Some(Path::new(&input.name))),
        },
    };
    let found = Found {
        key: input.name.clone(),
        name: input.name,
        bytes: input.bytes,
    };
    (found, Library::Disk(vec![base]))
}

/// The folder of a file; the working folder for standard input.
fn folder(path: Option<&Path>) -> PathBuf {
    path.and_then(Path::parent)
        .map(Path::to_owned)
        .unwrap_or_default()
}

fn open_dump(bytes: &[u8], files: Vec<dump::DumpedFile>) -> (Found, Library) {
    let content = |file: dump::DumpedFile| {
        let own = bytes.get(file.start..file.end).unwrap_or_default().to_vec();
        (file.path, own)
    };
    let mut files: Vec<_> = files.into_iter().map(content).collect();
    let (path, content) = if files.is_empty() {
        Default::default()
    } else {
        files.remove(0)
    };
    let end = path.rfind('/').map_or(0, |at| at + 1);
    let base = path.get(..end).unwrap_or_default().to_owned();
    let found = Found {
        key: path.clone(),
        name: path,
        bytes: content,
    };
    (found, Library::Dump { base, files })
}
