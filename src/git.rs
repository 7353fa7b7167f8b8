//! Configurations as a git revision has them.
//!
//! In: the working folder and the name of a revision. Out: a [`Checkout`], a temporary folder with
//! every file of that revision, so that includes, links and folder walks work as they do on disk.
//! Everything comes from the `git` program and the objects it has; nothing is fetched, no filter of
//! the repository runs, and neither its index nor its working tree is touched.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

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

/// One file of a revision.
struct Entry {
    mode: Mode,
    object: String,
    path: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    File,
    Link,
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
        let entries = entries(&run(&["ls-tree", "-r", "-z", "--full-tree", &tree])?)?;
        extract(&entries, &top)?;
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
    let name = format!("{revision}^{{tree}}");
    let output = git(&["rev-parse", "--verify", "--quiet", &name])
        .output()
        .map_err(|fault| no_git(&fault))?;
    if !output.status.success() {
        return Err(unknown());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether older revisions were left out when the repository was cloned.
fn is_shallow() -> bool {
    run(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| said.starts_with(b"true"))
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

/// What a git command prints.
fn run(arguments: &[&str]) -> Result<Vec<u8>, Error> {
    let output = git(arguments).output().map_err(|fault| no_git(&fault))?;
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

/// Reads `git ls-tree -r -z`: `mode type object<tab>path<nul>`. Submodules are left out, as they are
/// empty folders in a fresh clone.
fn entries(listing: &[u8]) -> Result<Vec<Entry>, Error> {
    let lines = listing.split(|byte| *byte == 0);
    let entries = lines.filter(|line| !line.is_empty()).map(entry);
    entries.filter_map(Result::transpose).collect()
}

fn entry(line: &[u8]) -> Result<Option<Entry>, Error> {
    let strange = || failed(b"`git ls-tree` printed a line that is not understood");
    let tab = line
        .iter()
        .position(|byte| *byte == b'\t')
        .ok_or_else(strange)?;
    let (head, name) = line.split_at(tab);
    let head = String::from_utf8_lossy(head);
    let words: Vec<&str> = head.split(' ').collect();
    let [mode, _, object] = words.as_slice() else {
        return Err(strange());
    };
    let mode = match *mode {
        "120000" => Mode::Link,
        "160000" => return Ok(None),
        _ => Mode::File,
    };
    let path = path(name.get(1..).unwrap_or_default());
    // A tree made by hand can hold `..`, which must not lead out of the folder.
    if !path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(strange());
    }
    Ok(Some(Entry {
        mode,
        object: (*object).to_owned(),
        path,
    }))
}

/// Writes every file below `top`, links last so that nothing is written through one.
fn extract(entries: &[Entry], top: &Path) -> Result<(), Error> {
    let mut child = git(&["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|fault| no_git(&fault))?;
    let (files, links): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.mode == Mode::File);
    let wanted: Vec<&Entry> = files.into_iter().chain(links).collect();
    let names: Vec<String> = wanted
        .iter()
        .map(|entry| format!("{}\n", entry.object))
        .collect();
    let (input, output) = (child.stdin.take(), child.stdout.take());
    // Asked from a thread of its own: git answers while it is still being asked.
    let asking = thread::spawn(move || {
        let mut input = input?;
        names
            .iter()
            .try_for_each(|name| input.write_all(name.as_bytes()))
            .ok()
    });
    let broken = |_| failed(b"`git cat-file` ended early");
    let mut output = BufReader::new(output.ok_or_else(|| failed(b"no output"))?);
    for entry in wanted {
        let bytes = object(&mut output).map_err(broken)?;
        let bytes = bytes.ok_or_else(|| {
            let path = entry.path.display();
            Error::Usage(format!(
                "git has no content for `{path}` of this revision here"
            ))
        })?;
        let target = top.join(&entry.path);
        place(entry, &target, &bytes).map_err(|source| write_fault(&target, source))?;
    }
    drop(output);
    let _ = asking.join();
    child.wait().map_err(|fault| no_git(&fault))?;
    Ok(())
}

/// Reads one answer of `git cat-file --batch`: `object type size`, the content and a line end;
/// `None` where the object is missing.
fn object(output: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = String::new();
    output.read_line(&mut head)?;
    let size = head.trim_end().rsplit(' ').next().map(str::parse::<u64>);
    let size = match size {
        Some(Ok(size)) => size,
        _ if head.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
        _ => return Ok(None),
    };
    let mut bytes = Vec::new();
    output.take(size).read_to_end(&mut bytes)?;
    output.read_exact(&mut [0])?;
    Ok(Some(bytes))
}

fn place(entry: &Entry, target: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    match entry.mode {
        Mode::File => fs::write(target, bytes),
        Mode::Link => link(&path(bytes), target),
    }
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

/// Where links need rights, git writes a file with the name of what is linked to.
#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    fs::write(at, to.as_os_str().as_encoded_bytes())
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

    #[test]
    fn listings_are_read_and_paths_that_lead_out_refused() {
        let listing =
            b"100644 blob 12\ta b/c\n.cfg\x00160000 commit 34\tsub\x00120000 blob 56\tl\x00";
        let found = entries(listing).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].path, Path::new("a b/c\n.cfg"));
        assert!(found[1].mode == Mode::Link);
        assert!(entries(b"100644 blob 12\t../x\x00").is_err());
    }

    #[test]
    fn objects_are_read_one_after_another() {
        let mut answers = io::Cursor::new(b"12 blob 3\na\nb\n34 missing\n56 blob 0\n\n".to_vec());
        assert_eq!(object(&mut answers).unwrap(), Some(b"a\nb".to_vec()));
        assert_eq!(object(&mut answers).unwrap(), None);
        assert_eq!(object(&mut answers).unwrap(), Some(Vec::new()));
        assert!(object(&mut answers).is_err());
    }
}
