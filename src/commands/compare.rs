//! Two audits beside each other, for `diff` and for `check --since`.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::{Outcome, input};
use crate::audit::{Audit, Terms};
use crate::cli::InputArgs;
use crate::diff::{Diff, Side};
use crate::error::Error;
use crate::finding::Finding;
use crate::git::{Checkout, Repository};
use crate::settings::Settings;
use crate::suppress::{self, Silenced};
use crate::threads;

/// One audit with what was found in it.
pub(super) struct Judged {
    pub(super) audit: Audit,
    labels: Vec<String>,
    pub(super) findings: Vec<Finding>,
    /// What a comment silenced.
    pub(super) suppressed: Vec<Silenced>,
}

impl Judged {
    /// An audit that is not judged yet, with one label per instance for comparing.
    pub(super) fn new(audit: Audit, labels: Vec<String>) -> Self {
        Self {
            audit,
            labels,
            findings: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    /// The same with its findings.
    pub(super) fn judge(mut self, terms: Terms<'_>) -> Self {
        let judged = self.audit.judge(terms);
        let found = suppress::apply(&self.audit, judged, terms.today);
        self.findings = found.kept;
        self.suppressed = found.suppressed;
        self
    }

    /// The same for comparing.
    pub(super) fn side(&self) -> Side<'_> {
        Side {
            audit: &self.audit,
            findings: &self.findings,
            labels: self.labels.clone(),
        }
    }
}

/// Both sides of a comparison.
pub(super) struct Sides {
    pub(super) old: Judged,
    pub(super) new: Judged,
}

impl Sides {
    /// Both sides with their findings.
    pub(super) fn judged(self, settings: &Settings, today: Date) -> Self {
        threads::start();
        let terms = Terms::in_full(settings, today);
        let (old, new) = rayon::join(|| self.old.judge(terms), || self.new.judge(terms));
        Self { old, new }
    }

    /// What could not be read on either side makes the status 2.
    pub(super) fn finish(mut self, diff: Diff, status: u8) -> Outcome {
        let mut errors = std::mem::take(&mut self.old.audit.errors);
        errors.append(&mut self.new.audit.errors);
        let failed = errors.iter().map(Error::exit_status).max();
        Outcome {
            status: failed.unwrap_or(status),
            errors,
            kept: vec![Box::new(self), Box::new(diff)],
        }
    }
}

/// The working tree beside `revision`.
pub(super) fn against(
    revision: &str,
    args: &InputArgs,
    settings: &Settings,
) -> Result<Sides, Error> {
    let repository = Repository::here()?;
    let mut args = relative(args, &repository)?;
    if args.paths.is_empty() && args.instance.is_empty() && settings.instances.is_empty() {
        args.paths.push(PathBuf::from("."));
    }
    let checkout = repository.checkout(revision)?;
    let old = checkout.inside(|| {
        let settings = moved(settings, repository.top(), &checkout);
        present(&args, &settings)
    })??;
    let new = present(&args, settings)?;
    missing(&args, &old, &new)?;
    let [mut old, new] = [old, new].map(|(audit, _)| {
        let labels = roots(&audit).collect();
        Judged::new(audit, labels)
    });
    // What was no configuration then is a new one now.
    let matters = |error: &Error| {
        !matches!(
            error,
            Error::Empty { .. } | Error::UnknownEngine { .. } | Error::Template(_)
        )
    };
    old.audit.errors.retain(matters);
    Ok(Sides { old, new })
}

/// The arguments with paths that mean the same file in the working tree and in a checkout. The files
/// of `--env-file` belong to where the proxy runs, not to a revision.
fn relative(args: &InputArgs, repository: &Repository) -> Result<InputArgs, Error> {
    let paths = args.paths.iter().map(|path| repository.relative(path));
    let inside = |path: &Path| {
        repository
            .relative(path)
            .unwrap_or_else(|_| path.to_owned())
    };
    let instance = |files: &String| {
        let files = files.split(',').map(|file| inside(Path::new(file)));
        let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
        files.join(",")
    };
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    Ok(InputArgs {
        paths: paths.collect::<Result<Vec<PathBuf>, Error>>()?,
        instance: args.instance.iter().map(instance).collect(),
        prefix: args.prefix.as_deref().map(inside),
        env_file: args.env_file.iter().map(absolute).collect(),
        ..args.clone()
    })
}

/// What of the paths is there, read; and which they are. A file may be new or gone.
fn present(args: &InputArgs, settings: &Settings) -> Result<(Audit, Vec<PathBuf>), Error> {
    let here = args.paths.iter().filter(|path| path.exists()).cloned();
    let here: Vec<PathBuf> = here.collect();
    if here.is_empty() && !args.paths.is_empty() {
        return Ok((Audit::default(), here));
    }
    let args = InputArgs {
        paths: here.clone(),
        ..args.clone()
    };
    match input::read(&args, settings) {
        Ok(audit) => Ok((audit, here)),
        Err(Error::NoInput { .. }) => Ok((Audit::default(), here)),
        Err(error) => Err(error),
    }
}

/// A path that is on neither side is a mistake, and so are two sides without any configuration.
fn missing(
    args: &InputArgs,
    old: &(Audit, Vec<PathBuf>),
    new: &(Audit, Vec<PathBuf>),
) -> Result<(), Error> {
    let known = |path: &&PathBuf| old.1.contains(path) || new.1.contains(path);
    if let Some(path) = args.paths.iter().find(|path| !known(path)) {
        let path = path.display();
        return Err(Error::Usage(format!(
            "`{path}` is neither in the working tree nor in the revision"
        )));
    }
    let nothing = |audit: &Audit| audit.instances.is_empty() && audit.errors.is_empty();
    if nothing(&old.0) && nothing(&new.0) {
        return Err(Error::NoInput {
            looked_for: "neither the working tree nor the revision has one here".to_owned(),
        });
    }
    Ok(())
}

/// The settings as they hold in a checkout: their paths lead into it.
fn moved(settings: &Settings, top: &Path, checkout: &Checkout) -> Settings {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real(&settings.folder);
    let inside = |path: &Path| match path.strip_prefix(top) {
        Ok(inside) => checkout.top().join(inside),
        Err(_) => path.to_owned(),
    };
    let mut moved = settings.clone();
    let files = moved.instances.iter_mut().flat_map(|it| &mut it.files);
    for file in files.filter(|file| Path::new(file).is_absolute()) {
        *file = inside(Path::new(file)).display().to_string();
    }
    moved.folder = inside(&folder);
    moved
}

/// The root files of the instances, as they are shown.
pub(super) fn roots(audit: &Audit) -> impl Iterator<Item = String> {
    let mains = audit.instances.iter().map(crate::audit::Audited::main);
    mains.map(|main| main.map(|main| main.root.to_string()).unwrap_or_default())
}
