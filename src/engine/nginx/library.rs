//! Where included files come from: the disk, or the dump that they stand in.
//!
//! In: the pattern of an `include`. Out: the files that it stands for, and their content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::glob;
use crate::error::Error;
use crate::source::Sources;

/// A file that can be read.
#[derive(Debug)]
pub(crate) struct FilePath {
    /// The same for every way of naming the file.
    pub(crate) key: String,
    /// The name it is shown by.
    pub(crate) name: String,
    /// Where it is; unused in a dump.
    path: PathBuf,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Found {
    /// As in [`FilePath`].
    pub(crate) key: String,
    /// As in [`FilePath`].
    pub(crate) name: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// What an `include` leads to.
#[derive(Debug)]
pub(crate) enum Resolved {
    /// A file.
    File(FilePath),
    /// A folder, which nginx cannot read as a file.
    Folder(String),
    /// A name without a wildcard that does not exist.
    Missing(String),
}

/// A folder that relative paths start from.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How it is shown: as the user knows it.
    pub(crate) shown: PathBuf,
}

impl Base {
    /// The folder around this one, as far as the paths themselves tell it.
    fn parent(&self) -> Option<Self> {
        Some(Self {
            path: self.path.parent()?.to_owned(),
            shown: self.shown.parent()?.to_owned(),
        })
    }
}

/// The files that can be included.
#[derive(Debug)]
pub(crate) enum Library {
    /// The folders that relative paths can start from, the likeliest first.
    Disk(Vec<Base>),
    /// The files of a dump.
    Dump {
        /// The folder of its first file.
        base: String,
        /// Path and content of each file.
        files: Vec<(String, Vec<u8>)>,
    },
}

/// How far above a fragment the folder of its main file is looked for: `sites/app/x.conf`.
const LEVELS: usize = 3;

impl Library {
    /// Where the includes of a fragment start is not known: it is a part of a configuration whose main
    /// file lies in its folder or in one above.
    pub(crate) fn look_above(&mut self) {
        if let Self::Disk(bases) = self {
            let parents = std::iter::successors(bases.first().cloned(), Base::parent);
            *bases = parents.take(LEVELS).collect();
        }
    }

    /// What `pattern` stands for, in the order in which nginx reads it.
    pub(crate) fn resolve(&self, pattern: &str) -> Result<Vec<Resolved>, Error> {
        match self {
            Self::Disk(bases) => disk(bases, pattern),
            Self::Dump { base, files } => Ok(dumped(base, files, pattern)),
        }
    }

    /// Reads a file that [`Self::resolve`] gave.
    pub(crate) fn read(&self, path: FilePath) -> Result<Found, Error> {
        let FilePath { key, name, path } = path;
        let bytes = match self {
            Self::Disk(_) => read_file(&path)?,
            Self::Dump { files, .. } => {
                let own = files.iter().find(|(path, _)| *path == key);
                own.map(|(_, bytes)| bytes.clone()).unwrap_or_default()
            }
        };
        Ok(Found { key, name, bytes })
    }
}

/// The same text for every path to one file.
pub(super) fn disk_key(path: &Path) -> String {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real.to_string_lossy().into_owned()
}

/// What `pattern` stands for in the first folder that has it.
fn disk(bases: &[Base], pattern: &str) -> Result<Vec<Resolved>, Error> {
    let mut first = None;
    for base in bases {
        let resolved = in_base(base, pattern)?;
        let found = |one: &Resolved| !matches!(one, Resolved::Missing(_));
        if resolved.iter().any(found) {
            return Ok(resolved);
        }
        first.get_or_insert(resolved);
    }
    Ok(first.unwrap_or_default())
}

fn in_base(base: &Base, pattern: &str) -> Result<Vec<Resolved>, Error> {
    let fault = |path: &Path, source| Error::Read {
        path: base.shown.join(path),
        source,
    };
    let look = |path: &Path| {
        let (own, shown) = (base.path.join(path), base.shown.join(path));
        look_at(&own, &shown).map_err(|error| fault(path, error))
    };
    if !glob::is_pattern(pattern) {
        return Ok(vec![look(Path::new(pattern))?]);
    }
    let found = glob::expand(&base.path, pattern);
    let found = found.map_err(|error| fault(Path::new(pattern), error))?;
    found.iter().map(|path| look(path)).collect()
}

fn look_at(path: &Path, shown: &Path) -> io::Result<Resolved> {
    let name = shown.to_string_lossy().into_owned();
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => Ok(Resolved::Folder(name)),
        Ok(_) => Ok(Resolved::File(FilePath {
            key: disk_key(path),
            name,
            path: path.to_owned(),
        })),
        Err(error) if is_absent(&error) => Ok(Resolved::Missing(name)),
        Err(error) => Err(error),
    }
}

/// Whether there is no such file, as opposed to one that cannot be looked at.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        // No file has a NUL byte in its name.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    )
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let fault = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let data = fs::metadata(path).map_err(fault)?;
    if path == Path::new("/dev/null") {
        return Ok(Vec::new());
    }
    if !data.is_file() {
        // A pipe or a device might never end.
        return Err(fault(io::Error::other("not a regular file")));
    }
    if data.len() > Sources::MAX_BYTES as u64 {
        return Err(Error::TooLarge {
            path: path.to_owned(),
        });
    }
    fs::read(path).map_err(fault)
}

fn dumped(base: &str, files: &[(String, Vec<u8>)], pattern: &str) -> Vec<Resolved> {
    let full = if pattern.starts_with('/') {
        pattern.to_owned()
    } else {
        format!("{base}{pattern}")
    };
    let file = |path: &str| {
        Resolved::File(FilePath {
            key: path.to_owned(),
            name: path.to_owned(),
            path: PathBuf::new(),
        })
    };
    let paths = files.iter().map(|(path, _)| path.as_str());
    if glob::is_pattern(pattern) {
        let mut found: Vec<&str> = paths.filter(|path| glob::matches(&full, path)).collect();
        found.sort_unstable();
        return found.into_iter().map(file).collect();
    }
    let mut paths = paths;
    match paths.find(|path| *path == full) {
        Some(path) => vec![file(path)],
        None => vec![Resolved::Missing(full)],
    }
}
