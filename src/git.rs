//! Configurations as a git revision has them.
//!
//! In: the working folder and the name of a revision. Out: a [`Checkout`], a temporary folder with
//! every file of that revision, so that includes, links and folder walks work as they do on disk;
//! submodules that are checked out are those of the revision too.
//! Everything comes from the `git` program and the objects it has; nothing is fetched, no filter of
//! the repository runs, and neither its index nor its working tree is touched.

mod tree;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::error::Error;

/// A repository with a working tree, and where in it the program runs.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The top folder of the working tree.
    top: PathBuf,
    /// The working folder, relative to it.
    prefix: PathBuf,
}

/// The files of one revision in a temporary folder, which goes away with it.
#[derive(Debug)]
pub struct Checkout {
    _folder: TempDir,
    top: PathBuf,
    prefix: PathBuf,
}

impl Repository {
    /// The repository that the working folder is in.
    pub fn here() -> Result<Self, Error> {
        let shown = run(&["rev-parse", "--show-toplevel"])?;
        let top = path(shown.strip_suffix(b"\n").unwrap_or(&shown));
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let here = env::current_dir().map_err(|source| read_fault(Path::new("."), source))?;
        let (top, here) = (real(&top), real(&here));
        let prefix = here.strip_prefix(&top).unwrap_or(Path::new("")).to_owned();
        Ok(Self { top, prefix })
    }

    /// The top folder of the working tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// `path` relative to the working folder, where it lies in the working tree.
    pub fn relative(&self, path: &Path) -> Result<PathBuf, Error> {
        let outside = || {
            let (path, top) = (path.display(), self.top.display());
            Error::Usage(format!("`{path}` is outside of the repository `{top}`"))
        };
        if path.is_absolute() {
            let inside = below(path, &self.top).ok_or_else(outside)?;
            return Ok(from(&self.prefix, &inside));
        }
        let mut depth = self.prefix.components().count();
        for part in path.components() {
            match part {
                Component::Normal(_) => depth += 1,
                Component::ParentDir => depth = depth.checked_sub(1).ok_or_else(outside)?,
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        Ok(path.to_owned())
    }

    /// Writes the files of `revision` to a temporary folder.
    pub fn checkout(&self, revision: &str) -> Result<Checkout, Error> {
        let tree = tree_of(revision)?;
        let folder = tempfile::tempdir().map_err(|source| write_fault(&env::temp_dir(), source))?;
        let top = folder.path().canonicalize();
        let top = top.map_err(|source| read_fault(folder.path(), source))?;
        tree::write(&tree, &self.top, &top)?;
        let here = top.join(&self.prefix);
        fs::create_dir_all(&here).map_err(|source| write_fault(&here, source))?;
        Ok(Checkout {
            _folder: folder,
            top,
            prefix: self.prefix.clone(),
        })
    }
}

impl Checkout {
    /// The folder that stands for the top of the working tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Does `work` with the folder that stands for the working folder as the working folder: so
    /// relative paths mean the same file in the revision, and are shown by the same name.
    pub fn inside<T>(&self, work: impl FnOnce() -> T) -> Result<T, Error> {
        let before = env::current_dir().map_err(|source| read_fault(Path::new("."), source))?;
        let here = self.top.join(&self.prefix);
        let enter = |folder: &Path| {
            env::set_current_dir(folder).map_err(|source| read_fault(folder, source))
        };
        enter(&here)?;
        let result = work();
        enter(&before)?;
        Ok(result)
    }
}

/// `path` relative to `top`, which may be reached through links.
fn below(path: &Path, top: &Path) -> Option<PathBuf> {
    if let Ok(inside) = path.strip_prefix(top) {
        return Some(inside.to_owned());
    }
    // The path itself may be gone from the working tree: the nearest folder that is there counts.
    let known = path.ancestors().find(|folder| folder.exists())?;
    let rest = path.strip_prefix(known).ok()?;
    let real = known.canonicalize().ok()?.join(rest);
    real.strip_prefix(top).ok().map(Path::to_owned)
}

/// The path from the folder `prefix` to `path`, both relative to one folder.
fn from(prefix: &Path, path: &Path) -> PathBuf {
    let common = (prefix.components().zip(path.components()))
        .take_while(|(one, other)| one == other)
        .count();
    let up = prefix
        .components()
        .skip(common)
        .map(|_| Component::ParentDir);
    let down = path.components().skip(common);
    let parts: PathBuf = up.chain(down).collect();
    if parts.as_os_str().is_empty() {
        return PathBuf::from(".");
    }
    parts
}

/// The tree that `revision` names.
fn tree_of(revision: &str) -> Result<String, Error> {
    let unknown = || {
        let more = if is_shallow() {
            ": the clone is shallow, fetch more of its history first"
        } else {
            ""
        };
        Error::Usage(format!("git knows no revision `{revision}` here{more}"))
    };
    if revision.is_empty() || revision.starts_with('-') {
        return Err(unknown());
    }
    // One after the other: behind `:/words` of a commit, `^{tree}` would be more words.
    let object = object_of(revision)?.ok_or_else(unknown)?;
    object_of(&format!("{object}^{{tree}}"))?.ok_or_else(unknown)
}

/// The object that `name` names, if any.
fn object_of(name: &str) -> Result<Option<String>, Error> {
    let output = git(&["rev-parse", "--verify", "--quiet", name])
        .output()
        .map_err(|fault| no_git(&fault))?;
    let shown = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success().then_some(shown))
}

/// Whether older revisions were left out when the repository was cloned.
fn is_shallow() -> bool {
    run(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| said.starts_with(b"true"))
}

/// What a git command prints.
fn run(arguments: &[&str]) -> Result<Vec<u8>, Error> {
    output_of(git(arguments))
}

/// A git command that asks nobody and fetches nothing.
fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["--no-replace-objects", "--literal-pathspecs"])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    command
}

/// What a command prints where it succeeds.
fn output_of(mut command: Command) -> Result<Vec<u8>, Error> {
    let output = command.output().map_err(|fault| no_git(&fault))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(&output.stderr))
}

fn no_git(fault: &io::Error) -> Error {
    Error::Usage(format!("cannot run `git`: {fault}"))
}

fn failed(said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let line = said.lines().next().unwrap_or("it did not say why");
    let line = line.strip_prefix("fatal: ").unwrap_or(line);
    Error::Usage(format!("git: {line}"))
}

fn read_fault(path: &Path, source: io::Error) -> Error {
    Error::Read {
        path: path.to_owned(),
        source,
    }
}

fn write_fault(path: &Path, source: io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::new(&*String::from_utf8_lossy(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(prefix: &str) -> Repository {
        Repository {
            top: "/srv/repo".into(),
            prefix: prefix.into(),
        }
    }

    #[test]
    fn paths_are_made_relative_to_the_working_folder() {
        let inside = repository("lb/edge");
        let relative = |path: &str| inside.relative(Path::new(path)).unwrap();
        assert_eq!(relative("haproxy.cfg"), Path::new("haproxy.cfg"));
        assert_eq!(relative("../../x"), Path::new("../../x"));
        assert_eq!(relative("/srv/repo/lb/edge/a.cfg"), Path::new("a.cfg"));
        assert_eq!(
            relative("/srv/repo/lb/core/a.cfg"),
            Path::new("../core/a.cfg")
        );
        assert_eq!(relative("/srv/repo/lb/edge"), Path::new("."));
    }

    #[test]
    fn paths_that_leave_the_repository_are_refused() {
        let inside = repository("lb");
        assert!(inside.relative(Path::new("../../etc/haproxy.cfg")).is_err());
        assert!(inside.relative(Path::new("/etc/haproxy.cfg")).is_err());
    }
}
