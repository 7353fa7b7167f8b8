//! The rules: what is judged, and the runner.
//!
//! In: models, never syntax trees. Out: findings, never formats. A rule is two files: its page
//! `rules/<name>.md` and its check `src/rules/<name>.rs`, plus its two lines in this file.

mod notes;
mod page;
mod view;

mod refused_at_load;
mod syntax_error;
mod unset_variable;

use std::sync::OnceLock;

pub use notes::Notes;
pub use page::{Category, Example, Page};
pub use view::{BackendView, Context, ratio};

use crate::finding::Finding;

/// One rule: its page and its check.
#[derive(Debug)]
pub struct Rule {
    /// `rules/<name>.md`: name, severity, reason, remedy, examples.
    pub page: &'static str,
    /// The check.
    pub check: Check,
    /// Thresholds that settings can change.
    pub options: &'static [RuleOption],
}

/// What a check looks at.
#[derive(Debug)]
pub enum Check {
    /// Found while reading the configuration; there is nothing to run.
    Loader,
    /// One backend at a time.
    Backend(fn(&BackendView<'_>, &mut Vec<Finding>)),
    /// One instance at a time.
    Instance(fn(&Context<'_>, &mut Vec<Finding>)),
    /// All instances together; a finding must set its `instance`.
    Audit(fn(&[Context<'_>], &mut Vec<Finding>)),
}

/// A threshold of a rule.
#[derive(Debug)]
pub struct RuleOption {
    /// Key in `lbaudit.toml` below `[rules.<name>]`.
    pub name: &'static str,
    /// Value when nothing is set.
    pub default: f64,
    /// What it limits, with its unit.
    pub summary: &'static str,
}

/// A rule with its page read.
#[derive(Debug)]
pub struct Entry {
    /// The page.
    pub page: Page,
    /// The check and its options.
    pub rule: &'static Rule,
}

/// Every rule, in the order of the catalogue.
pub static ALL: &[&Rule] = &[
    // Found while reading
    &syntax_error::RULE,
    &refused_at_load::RULE,
    &unset_variable::RULE,
];

/// The catalogue: every rule with its page read.
///
/// # Panics
/// When a page of this program is malformed; a test reads them all.
pub fn catalogue() -> &'static [Entry] {
    static CATALOGUE: OnceLock<Vec<Entry>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let entry = |rule: &&'static Rule| {
            #[allow(
                clippy::expect_used,
                reason = "pages are part of the program and tested"
            )]
            let page = Page::parse(rule.page).expect("a rule page is well-formed");
            Entry { page, rule }
        };
        ALL.iter().map(entry).collect()
    })
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    catalogue().iter().find(|entry| entry.page.name == name)
}

/// Runs every rule on one instance. Findings have rule, engine and instance set.
pub fn check_instance(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let views: Vec<BackendView<'_>> = (context.instance.backends.iter().enumerate())
        .map(|(index, backend)| BackendView::new(context, index, backend))
        .collect();
    for entry in applicable(context) {
        let from = findings.len();
        match entry.rule.check {
            Check::Loader | Check::Audit(_) => {}
            Check::Backend(check) => views.iter().for_each(|view| check(view, &mut findings)),
            Check::Instance(check) => check(context, &mut findings),
        }
        for finding in findings.iter_mut().skip(from) {
            finding.rule = &entry.page.name;
            finding.engine = context.instance.engine;
            finding.instance = context.index;
        }
    }
    findings
}

/// Runs the rules that compare instances.
pub fn check_audit(contexts: &[Context<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in catalogue() {
        let Check::Audit(check) = entry.rule.check else {
            continue;
        };
        let from = findings.len();
        check(contexts, &mut findings);
        for finding in findings.iter_mut().skip(from) {
            finding.rule = &entry.page.name;
        }
    }
    findings
}

fn applicable<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'static Entry> + 'a {
    catalogue()
        .iter()
        .filter(|entry| entry.page.engines.contains(&context.instance.engine))
}

/// Leaves one finding per cause: drops those that a more specific rule replaces on the same backend
/// (and the same server, where both name one).
pub fn without_replaced(findings: Vec<Finding>) -> Vec<Finding> {
    let replaced: Vec<bool> = findings
        .iter()
        .map(|umbrella| findings.iter().any(|specific| replaces(specific, umbrella)))
        .collect();
    let kept = findings.into_iter().zip(replaced);
    kept.filter_map(|(finding, replaced)| (!replaced).then_some(finding))
        .collect()
}

fn replaces(specific: &Finding, umbrella: &Finding) -> bool {
    let (theirs, ours) = (&umbrella.subject, &specific.subject);
    ours.backend.is_some()
        && specific.instance == umbrella.instance
        && ours.backend == theirs.backend
        && (ours.server.is_none() || theirs.server.is_none() || ours.server == theirs.server)
        && find(specific.rule)
            .is_some_and(|entry| entry.page.replaces.iter().any(|name| name == umbrella.rule))
}

/// The order in which findings are shown: by file, then position, then rule.
pub fn sort(findings: &mut [Finding], sources: &crate::source::Sources) {
    findings.sort_by_cached_key(|finding| {
        let source = sources.get(finding.span.source);
        (
            source.name().to_owned(),
            finding.span.start,
            finding.rule,
            finding.message.clone(),
        )
    });
}
