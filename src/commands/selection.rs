//! Which findings a run is about: `--select`, `--ignore`, `--min-severity`.

use crate::cli::SelectionArgs;
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::rules;

/// The findings that are wanted.
pub(super) struct Selection<'a> {
    select: &'a [String],
    ignore: &'a [String],
    min_severity: Severity,
}

impl<'a> Selection<'a> {
    /// A selection from arguments that name existing rules or categories.
    pub(super) fn new(args: &'a SelectionArgs) -> Result<Self, Error> {
        let names = args.select.iter().chain(&args.ignore);
        if let Some(name) = names
            .into_iter()
            .find(|name| !rules::catalogue().iter().any(|entry| is(entry, name)))
        {
            let hint = rules::did_you_mean(name);
            return Err(Error::Usage(format!(
                "`{name}` is neither a rule nor a category: {hint}"
            )));
        }
        let min_severity = args.min_severity.unwrap_or(Severity::Info);
        Ok(Self {
            select: &args.select,
            ignore: &args.ignore,
            min_severity,
        })
    }

    /// Whether `finding` is wanted.
    pub(super) fn keeps(&self, finding: &Finding) -> bool {
        self.covers(finding.rule, finding.severity)
    }

    /// Whether findings of this rule and severity are wanted.
    pub(super) fn covers(&self, rule: &str, severity: Severity) -> bool {
        let Some(entry) = rules::find(rule) else {
            return true;
        };
        let named = |names: &[String]| names.iter().any(|name| is(entry, name));
        severity >= self.min_severity
            && (self.select.is_empty() || named(self.select))
            && !named(self.ignore)
    }
}

/// Whether `name` is that of the rule or of its category.
fn is(entry: &rules::Entry, name: &str) -> bool {
    entry.page.name() == name || entry.page.category.as_str() == name
}
