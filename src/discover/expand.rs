//! From a glob to files.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::{DirEntry, WalkDir};

use crate::error::Error;

/// The file `pattern` in `folder`, or else those that it matches as a glob, hidden ones left out, in
/// lexical order. Only folders in which a match can lie are read, and one of them that cannot be read
/// is an error.
pub fn expand(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let named = folder.join(pattern);
    if named.is_file() {
        return Ok(vec![named]);
    }
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !is_special(part))
        .collect();
    let root = folder.join(&fixed);
    if !root.exists() {
        return Ok(Vec::new());
    }
    let rest = Path::new(pattern).components();
    let rest: PathBuf = rest.skip(fixed.components().count()).collect();
    let mut files = Matches::new(root, &rest)?.files()?;
    files.sort();
    Ok(files)
}

fn is_special(part: &Component<'_>) -> bool {
    let part = part.as_os_str().to_string_lossy();
    part.contains(['*', '?', '[', '{'])
}

fn compiled(pattern: &Path) -> Result<GlobMatcher, Error> {
    let glob = GlobBuilder::new(&pattern.to_string_lossy())
        .literal_separator(true)
        .build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|fault| Error::Usage(fault.to_string()))
}

/// A glob below a folder that exists.
struct Matches {
    root: PathBuf,
    glob: GlobMatcher,
    /// A glob for each level of folders, as far as the pattern goes level by level.
    levels: Vec<GlobMatcher>,
    /// The deepest level of a match.
    depth: usize,
}

impl Matches {
    fn new(root: PathBuf, pattern: &Path) -> Result<Self, Error> {
        let mut path = PathBuf::new();
        let mut levels = Vec::new();
        let mut depth = pattern.components().count();
        for level in pattern.components() {
            path.push(level);
            // `**`, and alternatives that span levels (half of one is no glob), may lead anywhere.
            let spans = level.as_os_str().to_string_lossy().contains("**");
            match compiled(&path) {
                Ok(glob) if !spans => levels.push(glob),
                Ok(_) | Err(_) => {
                    depth = usize::MAX;
                    break;
                }
            }
        }
        Ok(Self {
            root,
            glob: compiled(pattern)?,
            levels,
            depth,
        })
    }

    fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let walk = WalkDir::new(&self.root)
            .follow_links(true)
            .max_depth(self.depth);
        let mut files = Vec::new();
        for entry in walk
            .into_iter()
            .filter_entry(|entry| self.is_on_the_way(entry))
        {
            match entry {
                Ok(entry) if entry.file_type().is_file() && self.has(entry.path()) => {
                    files.push(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => self.fault(error).map_or(Ok(()), Err)?,
            }
        }
        Ok(files)
    }

    fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    fn has(&self, path: &Path) -> bool {
        self.glob.is_match(self.relative(path))
    }

    fn is_on_the_way(&self, entry: &DirEntry) -> bool {
        let Some(level) = entry.depth().checked_sub(1) else {
            return true;
        };
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let leads_there = || {
            let glob = self.levels.get(level);
            glob.is_none_or(|glob| glob.is_match(self.relative(entry.path())))
        };
        !hidden && (!entry.file_type().is_dir() || leads_there())
    }

    /// A link loop leads to files that are met where they are, and a broken link counts where its
    /// name matches.
    fn fault(&self, error: walkdir::Error) -> Option<Error> {
        let path = error.path().unwrap_or(&self.root).to_owned();
        let is_broken_link = path.is_symlink() && !path.exists();
        if error.loop_ancestor().is_some() || (is_broken_link && !self.has(&path)) {
            return None;
        }
        let source = error.into_io_error();
        let source = source.unwrap_or_else(|| std::io::ErrorKind::Other.into());
        Some(Error::Read { path, source })
    }
}
