//! From the arguments of a command and the settings file to what was read.

use std::path::{Path, PathBuf};

use super::environment::environment;
use super::shares::unknown;
use crate::audit::{Audit, Audited};
use crate::cli::{Global, InputArgs, NameArgs, Templates};
use crate::discover::{self, Query};
use crate::engine::Options;
use crate::engine::template::Template;
use crate::error::Error;
use crate::model::{AddressKind, Answers, Version};
use crate::settings::{NamedBy, Settings};

/// The settings that hold for this run.
pub(super) fn settings(global: &Global) -> Result<Settings, Error> {
    match settings_file(global) {
        Some((path, _)) => Settings::read(&path),
        None => Ok(Settings::default()),
    }
}

/// The settings file of this run and who named it: `--config`, else `LBAUDIT_CONFIG`, else the nearest
/// one from the working folder upward.
pub(super) fn settings_file(global: &Global) -> Option<(PathBuf, NamedBy)> {
    if global.no_config {
        return None;
    }
    let flag = || Some((global.config.clone()?, NamedBy::Flag));
    let variable = || {
        let path = std::env::var_os("LBAUDIT_CONFIG").filter(|path| !path.is_empty())?;
        Some((PathBuf::from(path), NamedBy::Environment))
    };
    let nearest = || {
        let working = std::env::current_dir().ok()?;
        let path = Settings::find(&working)?;
        // Below the working folder the name alone says where it is.
        let path = path
            .strip_prefix(&working)
            .map(Path::to_owned)
            .unwrap_or(path);
        Some((path, NamedBy::Search))
    };
    flag().or_else(variable).or_else(nearest)
}

/// Finds and reads the configurations that the arguments name.
pub(super) fn read(args: &InputArgs, settings: &Settings) -> Result<Audit, Error> {
    let instances = instances(args, settings)?;
    let declared = declared(args, settings)?;
    let exclude: Vec<String> = args
        .exclude
        .iter()
        .chain(&settings.exclude)
        .cloned()
        .collect();
    let query = Query {
        paths: &args.paths,
        instances: &instances,
        declared: &declared,
        engine: args.engine.fixed(),
        exclude: &exclude,
        exclude_base: &settings.folder,
    };
    let discovery = discover::discover(&query)?;
    let mut audit = Audit::load(discovery, &options(args, settings)?);
    judge_templates(args, &mut audit)?;
    Ok(audit)
}

/// Makes errors of the templates that are not to be skipped. Where there is nothing else, nothing was
/// audited.
fn judge_templates(args: &InputArgs, audit: &mut Audit) -> Result<(), Error> {
    let is_error = |template: &&Template| match args.templates {
        Some(Templates::Skip) => false,
        Some(Templates::Error) => true,
        None => !template.walked,
    };
    let errors = audit.templates.iter().filter(is_error).cloned();
    let errors: Vec<Error> = errors.map(Error::Template).collect();
    audit.errors.extend(errors);
    let is_empty = audit.instances.is_empty() && audit.errors.is_empty();
    match (args.templates, audit.templates.first()) {
        (None, Some(first)) if is_empty => {
            let number = audit.templates.len();
            let looked_for = format!(
                "only templates were found ({number}, such as `{}`), which cannot be audited",
                first.name
            );
            Err(Error::NoInput { looked_for })
        }
        _ => Ok(()),
    }
}

/// Puts the addresses of `--resolve` in the place of names. A name that no server has is an error.
pub(super) fn resolve(audit: &mut Audit, args: &NameArgs) -> Result<(), Error> {
    let mut answers = Answers::new();
    for (name, addresses) in &args.resolve {
        if answers.insert(name.clone(), addresses.clone()).is_some() {
            return Err(Error::Usage(format!("`--resolve` names `{name}` twice")));
        }
    }
    for name in answers.keys() {
        let named = || audit.instances.iter().flat_map(host_names);
        if !named().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(unknown("server with the host name", name, named()));
        }
    }
    let variants = audit
        .instances
        .iter_mut()
        .flat_map(|audited| &mut audited.variants);
    variants.for_each(|instance| instance.resolve(&answers));
    Ok(())
}

/// The names that servers of an instance are reached by.
fn host_names(audited: &Audited) -> impl Iterator<Item = &str> {
    let backends = audited
        .variants
        .iter()
        .flat_map(|instance| &instance.backends);
    let servers = backends.flat_map(|backend| &backend.servers);
    let named = servers.filter(|server| server.address.kind == AddressKind::Name);
    named.map(|server| server.address.host())
}

fn options(args: &InputArgs, settings: &Settings) -> Result<Options, Error> {
    let defaults = Options::default();
    let version = |argument: Option<Version>, setting: Option<Version>, default| {
        argument.or(setting).unwrap_or(default)
    };
    Ok(Options {
        haproxy_version: version(
            args.haproxy_version,
            settings.haproxy_version,
            defaults.haproxy_version,
        ),
        nginx_version: version(
            args.nginx_version,
            settings.nginx_version,
            defaults.nginx_version,
        ),
        nginx_plus: args.nginx_plus || settings.nginx_plus,
        prefix: args.prefix.clone(),
        environment: environment(args)?,
    })
}

/// The instances of `--instance`, and those of the settings where no path is named at all.
fn instances(args: &InputArgs, settings: &Settings) -> Result<Vec<discover::Instance>, Error> {
    if !args.instance.is_empty() {
        return args
            .instance
            .iter()
            .map(|text| from_argument(text))
            .collect();
    }
    if args.paths.is_empty() {
        from_settings(settings)
    } else {
        Ok(Vec::new())
    }
}

/// The instances of the settings that a walk may meet.
fn declared(args: &InputArgs, settings: &Settings) -> Result<Vec<discover::Instance>, Error> {
    let walks = args.paths.iter().any(|path| path.is_dir());
    if walks && args.instance.is_empty() {
        from_settings(settings)
    } else {
        Ok(Vec::new())
    }
}

fn from_settings(settings: &Settings) -> Result<Vec<discover::Instance>, Error> {
    let instances = settings.instances.iter().map(|instance| {
        let mut files = Vec::new();
        for pattern in &instance.files {
            files.extend(discover::expand(&settings.folder, pattern)?);
        }
        let name = instance.name.clone();
        Ok(discover::Instance {
            name,
            named: true,
            engine: instance.engine,
            files: relative(files),
        })
    });
    instances.collect()
}

/// `--instance`: the `*.cfg` files of a folder in lexical order, as HAProxy loads a folder
/// (management guide, `-f`), or comma-separated files in order.
fn from_argument(text: &str) -> Result<discover::Instance, Error> {
    let files = if Path::new(text).is_dir() {
        discover::expand(Path::new(text), "*.cfg")?
    } else {
        text.split(',').map(PathBuf::from).collect()
    };
    Ok(discover::Instance {
        name: text.to_owned(),
        named: false,
        engine: None,
        files,
    })
}

/// Paths below the working folder are shown relative to it.
fn relative(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let short = |path: PathBuf| path.strip_prefix(&here).map(Path::to_owned).unwrap_or(path);
    paths.into_iter().map(short).collect()
}
