//! What the user gets to see: findings in every output format.
//!
//! In: the findings of a run, the sources they point into and what was audited ([`Report`]). Out:
//! bytes, the same ones for the same input. A format never decides the exit status.
//!
//! Everything that prints configuration text goes through `shown` or `mask`, so that secrets
//! stay in the file and control characters never reach a terminal.

pub mod catalogue;
pub mod check;
pub mod diff;
pub mod explain;
pub mod model;
pub mod picks;
pub mod settings;
pub mod traffic;

mod concise;
mod excerpt;
mod file;
mod fingerprint;
mod github;
mod gitlab;
mod json;
mod junit;
mod line;
mod locate;
mod markdown;
mod mask;
mod relative;
mod sarif;
mod schema;
mod shares;
mod shown;
mod table;
mod text;
mod view;
mod wrap;

use std::borrow::Cow;
use std::path::PathBuf;

pub use file::{write_file_atomically, write_new_file};
pub use fingerprint::{Identity, fingerprints, identities};
pub use json::{write_document, write_line};
pub use mask::mask_text;
pub use schema::{SCHEMAS, Schema};
pub use shown::plain;
pub use table::{Align, Table, bar, percent};
pub(crate) use {locate::Locator, text::LISTED, view::View};

use crate::audit::{Audit, Audited};
use crate::engine::template::Template;
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::model::Instance;
use crate::source::Sources;
use crate::suppress::Silenced;

/// Everything that `check` tells.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The files that findings point into.
    pub sources: &'a Sources,
    /// What was audited; findings name their instance by its index here.
    pub instances: Vec<InstanceSummary>,
    /// The findings in the order in which they are shown.
    pub findings: &'a [Finding],
    /// The fingerprints of the findings, where the findings are a part of a longer list: equal ones
    /// are told apart by their number in it.
    pub fingerprints: Option<&'a [String]>,
    /// Findings silenced by comments in the configuration.
    pub suppressed: usize,
    /// The silenced ones themselves, for formats that show them as such.
    pub silenced: &'a [Silenced],
    /// Findings silenced by the baseline.
    pub baselined: usize,
    /// Findings of the baseline that are gone.
    pub fixed: usize,
    /// Findings left out because their object did not change (`check --since`).
    pub unchanged: usize,
    /// Files in walked folders that are no configuration.
    pub skipped: &'a [PathBuf],
    /// Templates, which were not audited.
    pub templates: &'a [Template],
    /// What could not be audited.
    pub errors: &'a [Error],
}

/// One audited instance in a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceSummary {
    /// What it is called.
    pub name: String,
    /// Number of files read for it.
    pub files: usize,
    /// Number of backends.
    pub backends: usize,
    /// Number of servers, template slots counted one by one.
    pub servers: usize,
}

impl InstanceSummary {
    /// The summary of `instance`.
    pub fn of(instance: &Instance) -> Self {
        let servers = instance
            .backends
            .iter()
            .map(|backend| backend.servers.len());
        Self {
            name: instance.name.to_string(),
            files: instance.files.len(),
            backends: instance.backends.len(),
            servers: servers.sum(),
        }
    }
}

/// The output formats of `check`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal: excerpts, share tables, one summary line.
    #[default]
    Text,
    /// One line per finding: `file:line:column: severity[rule] message`.
    Concise,
    /// One JSON document.
    Json,
    /// One JSON object per finding and line.
    Jsonl,
}

/// How text looks. Machine formats ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours and bold.
    pub color: bool,
    /// Columns of the terminal; 0 where the output is no terminal: then messages are not wrapped.
    pub width: usize,
    /// More detail: skipped files one by one.
    pub verbose: bool,
}

impl Style {
    /// No colours, as wide as it takes.
    pub const PLAIN: Self = Self {
        color: false,
        width: 0,
        verbose: false,
    };

    /// The width that excerpts and tables are cut to.
    pub fn columns(self) -> usize {
        match self.width {
            0 => 120,
            width => width.max(40),
        }
    }
}

/// The numbers of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    files: usize,
    backends: usize,
    servers: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
}

impl<'a> Report<'a> {
    /// A report of `findings`, which `audit` gave.
    pub fn new(audit: &'a Audit, findings: &'a [Finding], suppressed: usize) -> Self {
        let summary = |audited: &Audited| audited.main().map(InstanceSummary::of);
        let instances = audit.instances.iter().map(summary);
        Self {
            sources: &audit.sources,
            instances: instances.map(Option::unwrap_or_default).collect(),
            findings,
            fingerprints: None,
            suppressed,
            silenced: &[],
            baselined: 0,
            fixed: 0,
            unchanged: 0,
            skipped: &audit.skipped,
            templates: &audit.templates,
            errors: &audit.errors,
        }
    }

    /// One fingerprint per finding.
    fn fingerprints(&self) -> Cow<'a, [String]> {
        match self.fingerprints {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(fingerprints(self.findings, self.sources)),
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for instance in &self.instances {
            totals.files += instance.files;
            totals.backends += instance.backends;
            totals.servers += instance.servers;
        }
        for finding in self.findings {
            match finding.severity {
                Severity::Error => totals.errors += 1,
                Severity::Warning => totals.warnings += 1,
                Severity::Info => totals.infos += 1,
            }
        }
        totals
    }

    /// The templates that are no errors.
    fn skipped_templates(&self) -> impl Iterator<Item = &'a Template> {
        let errors = self.errors;
        let is_error = move |template: &Template| {
            let own = |error: &Error| matches!(error, Error::Template(own) if own == template);
            errors.iter().any(own)
        };
        (self.templates.iter()).filter(move |template| !is_error(template))
    }

    /// What the instance that `finding` is of is called.
    fn instance_name(&self, finding: &Finding) -> Option<&str> {
        let instance = self.instances.get(finding.instance)?;
        Some(&instance.name)
    }
}
