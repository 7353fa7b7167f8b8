//! The load balancers: from files to the model.
//!
//! In: the root files of an instance. Out: its [`Instance`] and the findings made while reading it
//! (`syntax-error`, `refused-at-load`, `unset-variable`).

pub mod haproxy;
pub mod nginx;
pub mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Error;
use crate::finding::Finding;
use crate::model::{Engine, Instance, Version};
use crate::source::{SourceId, Sources};
use template::Template;

/// One root file of an instance, already read.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name it is shown by: the path as the user wrote it, or `-`.
    pub name: String,
    /// Where it was read from; `None` for standard input.
    pub path: Option<PathBuf>,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What changes how a configuration is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The HAProxy branch whose defaults apply.
    pub haproxy_version: Version,
    /// The nginx release whose defaults apply.
    pub nginx_version: Version,
    /// Commercial nginx directives are meant to be there.
    pub nginx_plus: bool,
    /// nginx: what relative paths are relative to; the root file's folder when unset.
    pub prefix: Option<PathBuf>,
    /// Environment variables.
    pub environment: Environment,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            haproxy_version: Version::HAPROXY_DEFAULT,
            nginx_version: Version::NGINX_DEFAULT,
            nginx_plus: false,
            prefix: None,
            environment: Environment::default(),
        }
    }
}

/// The environment variables that HAProxy would see.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Known values.
    pub values: BTreeMap<String, String>,
    /// Whether the user gave any values: then a variable that is missing is known to be unset, and
    /// one that changes its line is an error. Otherwise its value is unknown.
    pub given: bool,
}

/// What reading an instance yields.
#[derive(Debug)]
pub struct Loaded {
    /// One model; more where undecidable `.if` branches make variants.
    pub variants: Vec<Instance>,
    /// Findings of the loader, rule names set.
    pub findings: Vec<Finding>,
    /// Templates that the files include: without what they become the model would be wrong.
    pub templates: Vec<Template>,
}

/// Reads the files of one instance.
pub fn load(
    engine: Engine,
    sources: &Sources,
    inputs: Vec<Input>,
    options: &Options,
) -> Result<Loaded, Error> {
    let mut loaded = match engine {
        Engine::Haproxy => haproxy::load(sources, inputs, options)?,
        Engine::Nginx => nginx::load(sources, inputs, options)?,
    };
    keep_first(&mut loaded.findings);
    Ok(loaded)
}

/// The most findings of one rule that are told of one file.
const MAX_OF_RULE: usize = 50;

/// Leaves the first findings of each rule in each file, so that a file that is something else altogether
/// does not become a million findings.
fn keep_first(findings: &mut Vec<Finding>) {
    if findings.len() <= MAX_OF_RULE {
        return;
    }
    let key = |finding: &Finding| (finding.rule, finding.span.source);
    let mut all: BTreeMap<(&str, SourceId), usize> = BTreeMap::new();
    for finding in findings.iter() {
        *all.entry(key(finding)).or_default() += 1;
    }
    let mut told: BTreeMap<(&str, SourceId), usize> = BTreeMap::new();
    findings.retain_mut(|finding| {
        let told = told.entry(key(finding)).or_default();
        *told += 1;
        let all = all.get(&key(finding)).copied().unwrap_or(0);
        if *told == MAX_OF_RULE && all > MAX_OF_RULE {
            let untold = format!("; {} more in this file are not listed", all - MAX_OF_RULE);
            finding.help.to_mut().push_str(&untold);
        }
        *told <= MAX_OF_RULE
    });
}

/// Tells the engine of a file from its content: sections and directives, not its name.
pub fn detect(bytes: &[u8]) -> Option<Engine> {
    let haproxy = haproxy::looks_like(bytes);
    if haproxy >= nginx::MOST_TELLING {
        return Some(Engine::Haproxy);
    }
    match (haproxy, nginx::looks_like(bytes)) {
        (0, 0) => None,
        (haproxy, nginx) if haproxy >= nginx => Some(Engine::Haproxy),
        _ => Some(Engine::Nginx),
    }
}
