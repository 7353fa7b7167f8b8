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

/// The files that can be included.
#[derive(Debug)]
pub(crate) enum Library {
    /// Files in and below the folder that relative paths start from.
    Disk(PathBuf),
    /// The files of a dump.
    Dump {
        /// The folder of its first file.
        base: String,
        /// Path and content of each file.
        files: Vec<(String, Vec<u8>)>,
    },
}

impl Library {
    /// What `pattern` stands for, in the order in which nginx reads it.
    pub(crate) fn resolve(&self, pattern: &str) -> Result<Vec<Resolved>, Error> {
        match self {
            Self::Disk(base) => disk(base, pattern),
            Self::Dump { base, files } => Ok(dumped(base, files, pattern)),
        }
    }

    /// Reads a file that [`Self::resolve`] gave.
    pub(crate) fn read(&self, path: FilePath) -> Result<Found, Error> {
        let FilePath { key, name } = path;
        let bytes = match self {
            Self::Disk(_) => read_file(Path::new(&name))?,
            Self::Dump { files, .. } => {
                let own = files.iter().find(|(path, _)| *path == key);
                own.map(|(_, bytes)| bytes.clone()).unwrap_or_default()
            }
        };
        Ok(Found { key, name, bytes })
    }
}

/// The same text for every path to one file.
pub(crate) fn disk_key(path: &Path) -> String {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real.to_string_lossy().into_owned()
}

fn disk(base: &Path, pattern: &str) -> Result<Vec<Resolved>, Error> {
    let fault = |path: &Path, source| Error::Read {
        path: path.to_owned(),
        source,
    };
    if !glob::is_pattern(pattern) {
        let path = base.join(pattern);
        return Ok(vec![look_at(&path).map_err(|error| fault(&path, error))?]);
    }
    let found = glob::expand(base, pattern).map_err(|error| fault(&base.join(pattern), error))?;
    let look = |path: PathBuf| {
        let path = base.join(path);
        look_at(&path).map_err(|error| fault(&path, error))
    };
    found.into_iter().map(look).collect()
}

fn look_at(path: &Path) -> io::Result<Resolved> {
    let name = path.to_string_lossy().into_owned();
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => Ok(Resolved::Folder(name)),
        Ok(_) => Ok(Resolved::File(FilePath {
            key: disk_key(path),
            name,
        })),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Resolved::Missing(name))
        }
        Err(error) => Err(error),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let fault = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let size = fs::metadata(path).map_err(fault)?.len();
    if size > Sources::MAX_BYTES as u64 {
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
