//! What an audit reports: findings, independent of any output format.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Engine, Text};
use crate::source::Span;

/// How bad a finding is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Asks for a review; fails no gate by default.
    Info,
    /// Will misroute or lose traffic under one likely fault.
    Warning,
    /// Misroutes or loses traffic now.
    Error,
}

impl Severity {
    /// The lower-case word used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The object that a finding is about, by the names the proxy knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Subject {
    /// HAProxy frontend or listen; nginx `server` (its first `server_name`).
    pub listener: Option<Text>,
    /// The condition of a route, as written.
    pub route: Option<Text>,
    /// HAProxy backend or listen; nginx upstream.
    pub backend: Option<Text>,
    /// HAProxy server name; nginx server address.
    pub server: Option<Text>,
}

/// Words about a finding; most are the same for every finding of a rule.
pub type Words = Cow<'static, str>;

/// A second place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What is to be seen there.
    pub message: Words,
    /// Where it is.
    pub span: Span,
}

/// One fault found by one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Name of the rule.
    pub rule: &'static str,
    /// Severity after settings were applied.
    pub severity: Severity,
    /// Engine of the instance.
    pub engine: Engine,
    /// Index of the instance in the audit.
    pub instance: usize,
    /// The object.
    pub subject: Subject,
    /// Object, fact with its number, consequence; one line, lower case, names in backticks.
    pub message: String,
    /// One step that removes the fault.
    pub help: Words,
    /// The words that do it.
    pub span: Span,
    /// Whether it says anything. A fact that is only counted has no help, label, other places and shares, and
    /// of its message no more than what joining findings adds. See [`crate::audit::Terms::worded`].
    pub worded: bool,
    /// Text beside the mark at `span`, such as ``weight 1 here``; may be empty.
    pub label: Words,
    /// Other places: the sibling that has the check, the `defaults` line that gives the value.
    pub related: Vec<Related>,
    /// The shares that the finding speaks of, for the share table; empty where it speaks of none.
    pub shares: Arc<[ServerShare]>,
}

/// One row of the share table that stands under a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerShare {
    /// The server.
    pub server: Text,
    /// Its effective weight.
    pub weight: u32,
    /// Fraction of the traffic of its tier, from 0 to 1.
    pub share: f64,
}

impl Finding {
    /// A finding with its required parts; the rest is added with the methods below.
    pub fn new(
        severity: Severity,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Words>,
    ) -> Self {
        Self::fact(severity, span).say(message, help)
    }

    /// What is found and where, without a word about it.
    pub fn fact(severity: Severity, span: Span) -> Self {
        Self {
            rule: "",
            severity,
            engine: Engine::Haproxy,
            instance: 0,
            subject: Subject::default(),
            message: String::new(),
            help: Words::default(),
            span,
            worded: false,
            label: Words::default(),
            related: Vec::new(),
            shares: Arc::default(),
        }
    }

    /// Says what it is and what removes it.
    #[must_use]
    pub fn say(mut self, message: impl Into<String>, help: impl Into<Words>) -> Self {
        self.message = message.into();
        // Formatting leaves up to half of the room unused, and findings are kept to the end.
        self.message.shrink_to_fit();
        self.help = help.into();
        self.worded = true;
        self
    }

    /// Names the backend it is about.
    #[must_use]
    pub fn backend(mut self, name: &Text) -> Self {
        self.subject.backend = Some(name.clone());
        self
    }

    /// Names the server it is about.
    #[must_use]
    pub fn server(mut self, name: &Text) -> Self {
        self.subject.server = Some(name.clone());
        self
    }

    /// Names the listener it is about.
    #[must_use]
    pub fn listener(mut self, name: &Text) -> Self {
        self.subject.listener = Some(name.clone());
        self
    }

    /// Names the route it is about.
    #[must_use]
    pub fn route(mut self, condition: &Text) -> Self {
        self.subject.route = Some(condition.clone());
        self
    }

    /// Puts text beside the primary mark.
    #[must_use]
    pub fn label(mut self, label: impl Into<Words>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn related(mut self, message: impl Into<Words>, span: Span) -> Self {
        self.related.push(Related {
            message: message.into(),
            span,
        });
        self
    }

    /// Adds the table of shares that the message speaks of.
    #[must_use]
    pub fn shares(mut self, shares: impl Into<Arc<[ServerShare]>>) -> Self {
        self.shares = shares.into();
        self
    }

    /// Names the rule, for findings that a loader makes.
    #[must_use]
    pub fn of_rule(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }
}
