//! From the paths a user names to the instances to audit.
//!
//! In: files, folders, standard input. Out: [`Root`]s, each the root files of one instance with
//! their engine; what was skipped; what could not be read. Content decides what a file is, names
//! only decide which files of a walked folder are worth a look.

mod expand;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

pub use expand::expand;

use crate::engine::template::{self, Template};
use crate::engine::{self, Input};
use crate::error::Error;
use crate::model::Engine;
use crate::source::Sources;

/// The root files of one instance.
#[derive(Debug)]
pub struct Root {
    /// Which proxy loads them.
    pub engine: Engine,
    /// The files, in the order in which they are loaded.
    pub inputs: Vec<Input>,
    /// The real path of a file found in a walked folder: it is left out when another instance includes it.
    pub walked: Option<PathBuf>,
    /// Its name, where the settings give one.
    pub name: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The instances.
    pub roots: Vec<Root>,
    /// Candidates in walked folders that are no configuration of either engine.
    pub skipped: Vec<PathBuf>,
    /// Templates, of which nothing can be told.
    pub templates: Vec<Template>,
    /// What could not be read.
    pub errors: Vec<Error>,
}

/// An instance whose files are named one by one.
#[derive(Clone, Debug)]
pub struct Instance {
    /// What it is called in messages.
    pub name: String,
    /// Whether the settings name it, so that reports do so too.
    pub named: bool,
    /// Its engine, where it is not to be told from the content.
    pub engine: Option<Engine>,
    /// Its root files, in the order in which they are loaded.
    pub files: Vec<PathBuf>,
}

/// What to look for.
#[derive(Debug)]
pub struct Query<'a> {
    /// Files, folders or `-`.
    pub paths: &'a [PathBuf],
    /// Instances whose files are named.
    pub instances: &'a [Instance],
    /// Instances that are audited whole where a walk meets one of their files.
    pub declared: &'a [Instance],
    /// The engine, where it is not to be told from the content.
    pub engine: Option<Engine>,
    /// Globs of paths to leave out when walking.
    pub exclude: &'a [String],
    /// What those globs are relative to, besides the walked folder and the working folder.
    pub exclude_base: &'a Path,
}

/// Where configurations are looked for when no path is named.
pub const DEFAULT_PATHS: [&str; 2] = ["/etc/haproxy/haproxy.cfg", "/etc/nginx/nginx.conf"];

const LEFT_OUT_FOLDERS: [&str; 4] = [".git", "node_modules", "target", "vendor"];
const CONFIGURATION_FOLDERS: [&str; 4] =
    ["conf.d", "sites-enabled", "sites-available", "upstreams"];

/// Finds the instances that `query` names.
pub fn discover(query: &Query<'_>) -> Result<Discovery, Error> {
    let mut search = Search::new(query)?;
    for instance in query.instances {
        search.add_instance(instance);
    }
    if query.paths.is_empty() && query.instances.is_empty() {
        search.add_default_paths()?;
    }
    for path in query.paths {
        search.add_path(path);
    }
    let found = search.found;
    if found.roots.is_empty() && found.errors.is_empty() && found.templates.is_empty() {
        return Err(Error::NoInput {
            looked_for: describe_paths(query.paths),
        });
    }
    Ok(found)
}

fn describe_paths(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    format!("no HAProxy or nginx configuration in {}", names.join(", "))
}

/// What a file is, by its content.
enum What {
    Configuration(Engine),
    /// The line of the first mark.
    Template(u32),
    Unknown,
}

struct Search<'a> {
    query: &'a Query<'a>,
    exclude: GlobSet,
    seen: BTreeSet<PathBuf>,
    /// The folders of walked files, and where they really are.
    folders: HashMap<PathBuf, PathBuf>,
    /// The declared instances that were not met yet, with their real files.
    declared: Vec<(BTreeSet<PathBuf>, &'a Instance)>,
    found: Discovery,
}

impl<'a> Search<'a> {
    fn new(query: &'a Query<'a>) -> Result<Self, Error> {
        let mut exclude = GlobSetBuilder::new();
        for pattern in query.exclude {
            let fault = |fault| Error::Usage(format!("`--exclude {pattern}`: {fault}"));
            exclude.add(Glob::new(pattern).map_err(fault)?);
        }
        let exclude = exclude
            .build()
            .map_err(|fault| Error::Usage(fault.to_string()))?;
        Ok(Self {
            query,
            exclude,
            seen: BTreeSet::new(),
            folders: HashMap::new(),
            declared: (query.declared.iter())
                .map(|instance| {
                    (
                        instance.files.iter().map(|file| real(file)).collect(),
                        instance,
                    )
                })
                .collect(),
            found: Discovery::default(),
        })
    }

    fn add_default_paths(&mut self) -> Result<(), Error> {
        let present: Vec<&Path> = DEFAULT_PATHS
            .iter()
            .map(Path::new)
            .filter(|path| path.exists())
            .collect();
        if present.is_empty() {
            let looked_for = format!(
                "no path was named, and neither `{}` nor `{}` exists",
                DEFAULT_PATHS[0], DEFAULT_PATHS[1]
            );
            return Err(Error::NoInput { looked_for });
        }
        for path in present {
            self.add_file(path);
        }
        Ok(())
    }

    fn add_path(&mut self, path: &Path) {
        if path == Path::new("-") {
            self.add_standard_input();
        } else if path.is_dir() {
            self.walk(path);
        } else {
            self.add_file(path);
        }
    }

    fn add_standard_input(&mut self) {
        let mut bytes = Vec::new();
        match std::io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => self.add_named(Input {
                name: "-".to_owned(),
                path: None,
                bytes,
            }),
            Err(source) => self.fail(Error::Read {
                path: "-".into(),
                source,
            }),
        }
    }

    fn add_file(&mut self, path: &Path) {
        match read(path) {
            Ok(input) if self.is_new(path) => self.add_named(input),
            Ok(_) => {}
            Err(error) => self.fail(error),
        }
    }

    /// A file that the user named is never skipped.
    fn add_named(&mut self, input: Input) {
        let name = input.name.clone();
        if input.bytes.is_empty() {
            return self.fail(Error::Empty { name });
        }
        match self.judge(&input.bytes) {
            What::Configuration(engine) => self.add_root(engine, vec![input], None),
            What::Template(line) => self.add_template(name, line, false),
            What::Unknown => self.fail(Error::UnknownEngine { name }),
        }
    }

    /// What a file is.
    fn judge(&self, bytes: &[u8]) -> What {
        let engine = |bytes: &[u8]| self.query.engine.or_else(|| engine::detect(bytes));
        match template::first_mark(bytes) {
            Some(line) if engine(&template::without_marks(bytes)).is_some() => What::Template(line),
            Some(_) => What::Unknown,
            None => engine(bytes).map_or(What::Unknown, What::Configuration),
        }
    }

    fn add_instance(&mut self, instance: &Instance) {
        let mut inputs = Vec::new();
        let mut is_template = false;
        for path in &instance.files {
            self.is_new(path);
            match read(path) {
                Ok(input) => {
                    if let Some(line) = template::first_mark(&input.bytes) {
                        is_template = true;
                        self.add_template(input.name.clone(), line, false);
                    }
                    inputs.push(input);
                }
                Err(error) => return self.fail(error),
            }
        }
        if is_template {
            // Its other files depend on what the template becomes.
            return;
        }
        let detected = || inputs.iter().find_map(|input| engine::detect(&input.bytes));
        let name = instance.name.clone();
        match instance.engine.or(self.query.engine).or_else(detected) {
            _ if inputs.is_empty() => {
                let looked_for = format!("no file of the instance `{name}` exists");
                self.fail(Error::NoInput { looked_for });
            }
            Some(engine) => {
                self.add_root(engine, inputs, None);
                if let Some(root) = self.found.roots.last_mut() {
                    root.name = instance.named.then_some(name);
                }
            }
            None => self.fail(Error::UnknownEngine { name }),
        }
    }

    fn walk(&mut self, folder: &Path) {
        let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
        let exclude = self.exclude.clone();
        let base = self.query.exclude_base;
        let keep = move |entry: &DirEntry| !is_left_out(entry, [folder, base], &exclude);
        for entry in walk.into_iter().filter_entry(keep) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    // `.` names what is in it as if it had been named itself.
                    let path = entry.path();
                    let path = path.strip_prefix("./").unwrap_or(path);
                    self.add_walked(path, folder, entry.path_is_symlink());
                }
                Ok(_) => {}
                Err(error) => self.add_walk_error(error, folder),
            }
        }
    }

    fn add_walked(&mut self, path: &Path, folder: &Path, is_link: bool) {
        for instance in self.declared_with(path) {
            self.add_instance(instance);
        }
        if !is_candidate(path, folder) {
            return;
        }
        let real = if is_link {
            real(path)
        } else {
            self.real_in_folder(path)
        };
        if !self.seen.insert(real.clone()) {
            return;
        }
        let input = match read(path) {
            Ok(input) => input,
            Err(error) => return self.fail(error),
        };
        match self.judge(&input.bytes) {
            What::Configuration(engine) => self.add_root(engine, vec![input], Some(real)),
            What::Template(line) => self.add_template(input.name, line, true),
            What::Unknown => self.found.skipped.push(path.to_owned()),
        }
    }

    /// The declared instances that a file belongs to, when the first of their files is met.
    fn declared_with(&mut self, path: &Path) -> Vec<&'a Instance> {
        if self.declared.is_empty() {
            return Vec::new();
        }
        let path = real(path);
        let is_met = |(files, _): &mut (BTreeSet<PathBuf>, &'a Instance)| files.contains(&path);
        let met = self.declared.extract_if(.., is_met);
        met.map(|(_, instance)| instance).collect()
    }

    /// A link loop leads to files that are audited where they are; anything else that cannot be
    /// read counts when it could have been a configuration.
    fn add_walk_error(&mut self, error: walkdir::Error, folder: &Path) {
        let path = error.path().unwrap_or(folder).to_owned();
        let is_loop = error.loop_ancestor().is_some();
        let broken_link = path.is_symlink() && !path.exists();
        if is_loop || (broken_link && !is_candidate(&path, folder)) {
            return;
        }
        let source = error
            .into_io_error()
            .unwrap_or_else(|| std::io::ErrorKind::Other.into());
        self.fail(Error::Read { path, source });
    }

    /// Where a file or folder that is no link really is: in the real folder around it. To ask for each costs a
    /// call of the system for every part of its path.
    fn real_in_folder(&mut self, path: &Path) -> PathBuf {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return real(path);
        };
        self.real_folder(parent).join(name)
    }

    fn real_folder(&mut self, folder: &Path) -> PathBuf {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let is_plain = folder.parent().is_some_and(|it| !it.as_os_str().is_empty())
            && fs::symlink_metadata(folder).is_ok_and(|it| it.is_dir());
        let found = if is_plain {
            self.real_in_folder(folder)
        } else {
            // The folder of a relative name is the working folder.
            real(&Path::new(".").join(folder))
        };
        self.folders.insert(folder.to_owned(), found.clone());
        found
    }

    /// Whether this real file was not met before.
    fn is_new(&mut self, path: &Path) -> bool {
        self.seen.insert(real(path))
    }

    fn add_root(&mut self, engine: Engine, inputs: Vec<Input>, walked: Option<PathBuf>) {
        self.found.roots.push(Root {
            engine,
            inputs,
            walked,
            name: None,
        });
    }

    fn add_template(&mut self, name: String, line: u32, walked: bool) {
        self.found.templates.push(Template {
            name,
            line,
            included_by: None,
            walked,
        });
    }

    fn fail(&mut self, error: Error) {
        self.found.errors.push(error);
    }
}

/// The file that `path` leads to.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Reads a file, refusing what is too large for 32-bit offsets.
fn read(path: &Path) -> Result<Input, Error> {
    let bytes = fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() > Sources::MAX_BYTES {
        return Err(Error::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(Input {
        name: path.display().to_string(),
        path: Some(path.to_owned()),
        bytes,
    })
}

/// Whether a walk passes over `entry`: a folder of tools and dependencies, or one that an exclude
/// glob matches, as it is shown or relative to one of `bases`.
fn is_left_out(entry: &DirEntry, bases: [&Path; 2], exclude: &GlobSet) -> bool {
    if entry.depth() == 0 {
        return false;
    }
    let name = entry.file_name();
    let left_out = entry.file_type().is_dir() && LEFT_OUT_FOLDERS.iter().any(|left| name == *left);
    let excluded = || {
        let absolute = std::path::absolute(entry.path()).unwrap_or_default();
        let relative = |path: &Path, base: &Path| {
            path.strip_prefix(base)
                .is_ok_and(|relative| exclude.is_match(relative))
        };
        let path = entry.path();
        exclude.is_match(path)
            || bases
                .iter()
                .any(|base| relative(path, base) || relative(&absolute, base))
    };
    left_out || (!exclude.is_empty() && excluded())
}

/// Whether the name or folder of a walked file makes it worth a look. A template has the name of the
/// file that it becomes.
fn is_candidate(path: &Path, folder: &Path) -> bool {
    let target = template::target(path);
    let name = target
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let suffix = target
        .extension()
        .is_some_and(|e| e == "cfg" || e == "conf" || e == "vhost");
    let relative = path.strip_prefix(folder).unwrap_or(path);
    let inside = |part: &std::ffi::OsStr| CONFIGURATION_FOLDERS.iter().any(|name| part == *name);
    let folders = || {
        folder
            .file_name()
            .into_iter()
            .chain(relative.parent().into_iter().flatten())
    };
    suffix || name.starts_with("haproxy") || name.starts_with("nginx") || folders().any(inside)
}
