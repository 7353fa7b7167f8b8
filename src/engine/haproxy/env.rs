//! Environment variables as HAProxy sees them while it reads a file.
//!
//! In: the values that the user gave, and `setenv` and its siblings of `global` sections. Out: what
//! is known about a variable at that point.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::super::Environment;

/// How many bytes of values are put into lines of one instance. `setenv A "$A$A"` doubles with every
/// line; what comes later is left as written, its value unknown.
const MAX_EXPANDED: usize = 16 << 20;

/// Set by HAProxy itself before it reads a file (manual 2.3).
const BUILT_IN: &[&str] = &[
    "HAPROXY_LOCALPEER",
    "HAPROXY_CFGFILES",
    "HAPROXY_MWORKER",
    "HAPROXY_CLI",
    "HAPROXY_MASTER_CLI",
    "HAPROXY_STARTUP_VERSION",
    "HAPROXY_HTTP_LOG_FMT",
    "HAPROXY_HTTPS_LOG_FMT",
    "HAPROXY_TCP_LOG_FMT",
    "HAPROXY_HTTP_CLF_LOG_FMT",
    "HAPROXY_TCP_CLF_LOG_FMT",
    "HAPROXY_KEYLOG_FC_LOG_FMT",
    "HAPROXY_KEYLOG_BC_LOG_FMT",
    "HAPROXY_BRANCH",
];

/// What is known about a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'e> {
    /// Its value.
    Known(&'e str),
    /// It does not exist.
    Unset,
    /// It exists; its value is not known.
    Exists,
    /// Nothing.
    Unknown,
}

/// What a line of the file did to a variable.
#[derive(Clone, Debug)]
enum Change {
    Set(String),
    Removed,
    /// Set to something that is not known, or in a branch that may not be taken.
    Unclear,
}

/// The environment at one point of the file.
#[derive(Debug)]
pub(crate) struct Env<'o> {
    given: &'o Environment,
    changes: BTreeMap<String, Change>,
    /// `resetenv` was seen: only what was named there is left of the outer environment.
    reset: Option<Vec<String>>,
    /// Bytes of values that were put into lines.
    expanded: Cell<usize>,
}

impl<'o> Env<'o> {
    pub(super) fn new(given: &'o Environment) -> Self {
        Self {
            given,
            changes: BTreeMap::new(),
            reset: None,
            expanded: Cell::new(0),
        }
    }

    /// What is to be put in the place of `name`.
    pub(super) fn expand(&self, name: &str) -> Value<'_> {
        let value = self.get(name);
        if let Value::Known(text) = value {
            let total = self.expanded.get().saturating_add(text.len());
            self.expanded.set(total);
            if total > MAX_EXPANDED {
                return Value::Exists;
            }
        }
        value
    }

    /// What is known about `name` here.
    pub(super) fn get(&self, name: &str) -> Value<'_> {
        match self.changes.get(name) {
            Some(Change::Set(value)) => return Value::Known(value),
            Some(Change::Removed) => return Value::Unset,
            Some(Change::Unclear) => return Value::Exists,
            None => {}
        }
        if (self.reset.as_ref()).is_some_and(|kept| !kept.iter().any(|it| it == name)) {
            return Value::Unset;
        }
        if let Some(value) = self.given.values.get(name) {
            return Value::Known(value);
        }
        if BUILT_IN.contains(&name) {
            return Value::Exists;
        }
        if self.given.given {
            Value::Unset
        } else {
            Value::Unknown
        }
    }

    /// `setenv NAME VALUE`; `None` for a value that is not known.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        let change = value.map_or(Change::Unclear, |value| Change::Set(value.to_owned()));
        self.changes.insert(name.to_owned(), change);
    }

    /// `presetenv NAME VALUE`: only where it does not exist yet.
    pub(super) fn preset(&mut self, name: &str, value: Option<&str>) {
        match self.get(name) {
            Value::Known(_) | Value::Exists => {}
            Value::Unset => self.set(name, value),
            Value::Unknown => self.set(name, None),
        }
    }

    /// `unsetenv NAME`.
    pub(super) fn remove(&mut self, name: &str) {
        self.changes.insert(name.to_owned(), Change::Removed);
    }

    /// `resetenv NAME…`.
    pub(super) fn reset<'n>(&mut self, kept: impl Iterator<Item = &'n str>) {
        let kept: Vec<String> = kept.map(str::to_owned).collect();
        self.changes
            .retain(|name, _| kept.iter().any(|it| it == name));
        self.reset = Some(kept);
    }
}
