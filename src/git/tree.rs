//! The files of a revision, written to a folder.
//!
//! In: a tree and where its working tree lies. Out: its files below a folder, with those of the
//! submodules that are checked out, each as the tree names it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::{failed, git, no_git, output_of, path, write_fault};
use crate::error::Error;

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
    /// A commit of another repository.
    Submodule,
}

/// Names that git gives its hooks, and that lead every git command to the outer repository.
const OF_THE_OUTER: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// One repository: that of the working folder, or a submodule.
struct Place {
    /// Its working tree.
    working: PathBuf,
    /// Where its files are to be written.
    target: PathBuf,
    is_submodule: bool,
}

impl Place {
    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = git(arguments);
        if self.is_submodule {
            command.current_dir(&self.working);
            for name in OF_THE_OUTER {
                command.env_remove(name);
            }
        }
        command
    }

    /// The submodule that `entry` is, where it is checked out: elsewhere its folder is empty.
    fn submodule(&self, entry: &Entry) -> Option<Self> {
        let working = self.working.join(&entry.path);
        let is_here = entry.mode == Mode::Submodule && working.join(".git").exists();
        is_here.then(|| Self {
            target: self.target.join(&entry.path),
            working,
            is_submodule: true,
        })
    }

    /// The files that a sparse checkout leaves out of the working tree.
    fn left_out(&self) -> Result<BTreeSet<PathBuf>, Error> {
        let mut command = self.git(&["ls-files", "-t", "-z"]);
        command.current_dir(&self.working);
        let listing = output_of(command)?;
        let lines = listing.split(|byte| *byte == 0);
        let names = lines.filter_map(|line| line.strip_prefix(b"S "));
        let absent = |name: &PathBuf| self.working.join(name).symlink_metadata().is_err();
        Ok(names.map(path).filter(absent).collect())
    }
}

/// Writes the files of `tree`, whose working tree lies at `working`, below `target`.
pub(super) fn write(tree: &str, working: &Path, target: &Path) -> Result<(), Error> {
    let outer = Place {
        working: working.to_owned(),
        target: target.to_owned(),
        is_submodule: false,
    };
    let mut places = vec![(outer, tree.to_owned())];
    while let Some((place, tree)) = places.pop() {
        real_folder(&place.target).map_err(|source| write_fault(&place.target, source))?;
        let listing = output_of(place.git(&["ls-tree", "-r", "-z", "--full-tree", &tree]))?;
        let mut entries = entries(&listing)?;
        let left_out = place.left_out()?;
        entries.retain(|entry| !left_out.contains(&entry.path));
        extract(&place, &entries)?;
        for entry in &entries {
            if let Some(inner) = place.submodule(entry) {
                let tree = tree_of(&inner, entry)?;
                places.push((inner, tree));
            }
        }
    }
    Ok(())
}

/// Makes a folder, where no link leads elsewhere: trees made by hand can hold a link and files below it.
fn real_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if folder.canonicalize()? == folder {
        return Ok(());
    }
    Err(io::Error::other("a link stands in the way"))
}

/// The tree of the commit that a submodule stands at.
fn tree_of(submodule: &Place, entry: &Entry) -> Result<String, Error> {
    let name = format!("{}^{{tree}}", entry.object);
    let output = submodule.git(&["rev-parse", "--verify", "--quiet", &name]);
    let shown = output_of(output).map_err(|_| {
        let (path, commit) = (entry.path.display(), &entry.object);
        Error::Usage(format!(
            "the submodule `{path}` lacks the commit {commit} of this revision: fetch it first"
        ))
    })?;
    Ok(String::from_utf8_lossy(&shown).trim().to_owned())
}

/// Reads `git ls-tree -r -z`: `mode type object<tab>path<nul>`.
fn entries(listing: &[u8]) -> Result<Vec<Entry>, Error> {
    let lines = listing.split(|byte| *byte == 0);
    lines.filter(|line| !line.is_empty()).map(entry).collect()
}

fn entry(line: &[u8]) -> Result<Entry, Error> {
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
        "160000" => Mode::Submodule,
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
    Ok(Entry {
        mode,
        object: (*object).to_owned(),
        path,
    })
}

/// Writes every file below `target`, links last so that nothing is written through one.
fn extract(place: &Place, entries: &[Entry]) -> Result<(), Error> {
    let mut child = place
        .git(&["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|fault| no_git(&fault))?;
    let of = |mode: Mode| entries.iter().filter(move |entry| entry.mode == mode);
    let wanted: Vec<&Entry> = of(Mode::File).chain(of(Mode::Link)).collect();
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
        let target = place.target.join(&entry.path);
        put(entry, &target, &bytes).map_err(|source| write_fault(&target, source))?;
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

fn put(entry: &Entry, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = target.parent().unwrap_or(target);
    match entry.mode {
        Mode::File => {
            fs::create_dir_all(folder)?;
            fs::write(target, bytes)
        }
        Mode::Link => {
            real_folder(folder)?;
            link(&path(bytes), target)
        }
        Mode::Submodule => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_read_and_paths_that_lead_out_refused() {
        let listing =
            b"100644 blob 12\ta b/c\n.cfg\x00160000 commit 34\tsub\x00120000 blob 56\tl\x00";
        let found = entries(listing).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].path, Path::new("a b/c\n.cfg"));
        assert!(found[1].mode == Mode::Submodule);
        assert!(found[2].mode == Mode::Link);
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
