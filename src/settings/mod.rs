//! `lbaudit.toml`, checked: what to read, which rules apply and how severe they are.
//!
//! In: the file's text and the table of rules. Out: [`Settings`], or an error that names the place
//! and the nearest known key.

mod check;
mod effective;
mod keys;
mod raw;
mod schema;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::GlobSet;

use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::model::{Engine, Version};
use crate::source::{Sources, absolute};

pub use effective::{Effective, effective};
pub use schema::schema;
pub use template::template;

/// The name of the file that is looked for from the working folder upward.
pub const FILE_NAME: &str = "lbaudit.toml";

/// Who named the settings file of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedBy {
    /// `--config`.
    Flag,
    /// `LBAUDIT_CONFIG`.
    Environment,
    /// Nobody: it is the nearest one from the working folder upward.
    Search,
}

/// What a settings file says; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The folder of the file: paths and globs are relative to it.
    pub folder: PathBuf,
    /// Lowest severity that fails a gate.
    pub fail_on: Option<Severity>,
    /// Paths to leave out when walking.
    pub exclude: Vec<String>,
    /// HAProxy branch whose defaults apply.
    pub haproxy_version: Option<Version>,
    /// nginx release whose defaults apply.
    pub nginx_version: Option<Version>,
    /// Commercial nginx.
    pub nginx_plus: bool,
    /// Settings of rules.
    pub rules: RuleSettings,
    /// Settings of rules for some files; later ones win.
    pub overrides: Vec<Override>,
    /// Instances that are audited when no path is named, or where a walked folder has one of their files.
    pub instances: Vec<InstanceFiles>,
}

/// Settings of rules, by the rule's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSettings(BTreeMap<String, RuleSetting>);

/// What is set of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSetting {
    /// Whether it reports at all.
    pub enabled: Option<bool>,
    /// The severity of all its findings.
    pub severity: Option<Severity>,
    /// Thresholds by name.
    pub options: BTreeMap<String, f64>,
}

/// `[[override]]`: rule settings for the files that match.
#[derive(Clone, Debug)]
pub struct Override {
    /// Globs relative to the settings file.
    pub files: GlobSet,
    /// What holds there.
    pub rules: RuleSettings,
}

/// `[[instance]]`: the root files of one proxy process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceFiles {
    /// What it is called in reports.
    pub name: String,
    /// Its engine, where it is not to be told from the content.
    pub engine: Option<Engine>,
    /// Globs of its files relative to the settings file, in order.
    pub files: Vec<String>,
}

impl RuleSettings {
    /// The threshold `option` of `rule`, where it is set.
    pub fn option(&self, rule: &str, option: &str) -> Option<f64> {
        self.0.get(rule)?.options.get(option).copied()
    }
}

impl Settings {
    /// Reads and checks the file at `path`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Ok(Self::read_with_text(path)?.0)
    }

    /// Reads and checks the file at `path`; the text is for [`effective`].
    pub fn read_with_text(path: &Path) -> Result<(Self, String), Error> {
        let fault = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(fault)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let settings = check::check(&text, folder);
        let settings = settings.map_err(|fault| fault.in_file(path, &text))?;
        Ok((settings, text))
    }

    /// The nearest settings file from `folder` upward.
    pub fn find(folder: &Path) -> Option<PathBuf> {
        folder
            .ancestors()
            .map(|folder| folder.join(FILE_NAME))
            .find(|path| path.is_file())
    }

    /// The threshold `option` of `rule` for an instance whose root file is `root`.
    pub fn option(&self, rule: &str, option: &str, root: &str) -> Option<f64> {
        let overridden = self
            .matching(root)
            .filter_map(|rules| rules.option(rule, option))
            .last();
        overridden.or_else(|| self.rules.option(rule, option))
    }

    /// Whether anything is set about any rule.
    pub fn sets_rules(&self) -> bool {
        !self.rules.0.is_empty() || !self.overrides.is_empty()
    }

    /// Drops the findings of rules that are off and gives the others the severity that is set.
    pub fn apply(&self, findings: &mut Vec<Finding>, sources: &Sources) {
        if !self.sets_rules() {
            return;
        }
        findings.retain_mut(|finding| {
            let source = sources.get(finding.span.source);
            let applicable = std::iter::once(&self.rules).chain(self.matching(source.name()));
            let mut enabled = true;
            for setting in applicable.filter_map(|rules| rules.0.get(finding.rule)) {
                enabled = setting.enabled.unwrap_or(enabled);
                finding.severity = setting.severity.unwrap_or(finding.severity);
            }
            enabled
        });
    }

    /// The rule settings of the overrides that match the file shown as `name`.
    fn matching<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a RuleSettings> + use<'a> {
        let path = self.path(name);
        let matching = self.overrides.iter();
        matching
            .filter(move |entry| entry.files.is_match(&path))
            .map(|entry| &entry.rules)
    }

    /// Whether `entry` is about the file shown as `name`.
    fn covers(&self, entry: &Override, name: &str) -> bool {
        entry.files.is_match(self.path(name))
    }

    /// The path of the file shown as `name` as overrides name it.
    fn path(&self, name: &str) -> PathBuf {
        // Asking for the working folder costs a system call: only where somebody wants to know.
        if self.overrides.is_empty() {
            return PathBuf::new();
        }
        let path = absolute(Path::new(name));
        path.strip_prefix(&self.folder)
            .map(Path::to_owned)
            .unwrap_or(path)
    }
}
