//! The page of a rule: a TOML head between `+++` lines, then Markdown.
//!
//! ```text
//! +++
//! name = "unbalanced-weights"
//! category = "weights"
//! severity = "error"
//! engines = ["haproxy", "nginx"]
//! summary = "written weights of one tier differ without a reason"
//! marks = ["P"]
//! replaces = ["uneven-distribution"]
//! since = "0.1.0"
//! +++
//! ## What
//! ## Why
//! ## Fix
//! ## Playbook
//! ## Examples
//! ```
//!
//! An example is a fenced block whose info string is the engine and what it shows:
//! ` ```haproxy fires=1 ` or ` ```nginx clean `. A severity may follow, ` ```nginx fires=1 info `:
//! every finding then has it.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::finding::Severity;
use crate::model::Engine;

/// The facts and the text of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The rule's name, the same as its file's.
    pub name: String,
    /// Category.
    pub category: Category,
    /// The highest severity it reports by default.
    pub severity: Severity,
    /// Engines it judges.
    pub engines: Vec<Engine>,
    /// One line for the catalogue.
    pub summary: String,
    /// `P` needs shares, `X` looks at several files, `F` has a safe fix, `F?` a proposed one.
    #[serde(default)]
    pub marks: Vec<String>,
    /// Rules whose finding on the same backend this one makes superfluous: one cause, one finding.
    #[serde(default)]
    pub replaces: Vec<String>,
    /// First version that has the rule.
    pub since: String,
    /// The Markdown behind the head.
    #[serde(skip)]
    pub body: String,
}

/// A page that is read when more of it is asked for than [`Self::name`] and [`Self::judges`]: most runs
/// need few pages, and reading all of them would be most of a small run.
pub struct LazyPage {
    name: &'static str,
    haproxy: bool,
    nginx: bool,
    text: &'static str,
    page: OnceLock<Page>,
}

impl LazyPage {
    /// The page with this text. Its name stands on the first line of the head and its engines on a line
    /// of their own; a test compares both with what is read there.
    pub(super) fn new(text: &'static str) -> Self {
        let behind = |key: &str| text.split_once(key).map_or("", |(_, value)| value);
        let until = |value: &'static str, end: char| value.split(end).next().unwrap_or_default();
        let engines = until(behind("\nengines = ["), ']');
        Self {
            name: until(behind("+++\nname = \""), '"'),
            haproxy: engines.contains("\"haproxy\""),
            nginx: engines.contains("\"nginx\""),
            text,
            page: OnceLock::new(),
        }
    }

    /// [`Page::name`].
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether `engine` is among [`Page::engines`].
    pub fn judges(&self, engine: Engine) -> bool {
        match engine {
            Engine::Haproxy => self.haproxy,
            Engine::Nginx => self.nginx,
        }
    }

    fn page(&self) -> &Page {
        #[allow(
            clippy::expect_used,
            reason = "pages are part of the program and tested"
        )]
        let read = || Page::parse(self.text).expect("a rule page is well-formed");
        self.page.get_or_init(read)
    }
}

impl Deref for LazyPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        self.page()
    }
}

impl fmt::Debug for LazyPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyPage").field(&self.name()).finish()
    }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Category {
    Syntax,
    Weights,
    Distribution,
    Health,
    Failover,
    Capacity,
    Routing,
    Stickiness,
    Discovery,
    Exposure,
    Hygiene,
}

impl Category {
    /// The lower-case word used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Weights => "weights",
            Self::Distribution => "distribution",
            Self::Health => "health",
            Self::Failover => "failover",
            Self::Capacity => "capacity",
            Self::Routing => "routing",
            Self::Stickiness => "stickiness",
            Self::Discovery => "discovery",
            Self::Exposure => "exposure",
            Self::Hygiene => "hygiene",
        }
    }
}

/// A configuration on a page that the rule must fire on, or be silent about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Engine of the text.
    pub engine: Engine,
    /// Number of findings of this rule it must give; 0 for a clean one.
    pub fires: usize,
    /// The severity that they must have, where the page says it.
    pub severity: Option<Severity>,
    /// The configuration.
    pub text: String,
}

impl Page {
    /// Reads a page.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("+++\n")
            .ok_or("a page starts with `+++`")?;
        let (head, body) = rest
            .split_once("\n+++\n")
            .ok_or("the head of a page ends with `+++`")?;
        let mut page: Self = toml::from_str(head).map_err(|fault| fault.to_string())?;
        body.trim_start().clone_into(&mut page.body);
        Ok(page)
    }

    /// The examples in the order of the page.
    pub fn examples(&self) -> Result<Vec<Example>, String> {
        let mut examples = Vec::new();
        let mut lines = self.body.lines();
        while let Some(line) = lines.next() {
            let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
                continue;
            };
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if let Some(example) = parse_info(info)? {
                examples.push(Example {
                    text: text.join("\n") + "\n",
                    ..example
                });
            }
        }
        Ok(examples)
    }
}

/// What a fence says, without the text behind it; `None` for a block that is no example.
fn parse_info(info: &str) -> Result<Option<Example>, String> {
    let mut words = info.split_whitespace();
    let engine = match words.next() {
        Some("haproxy") => Engine::Haproxy,
        Some("nginx") => Engine::Nginx,
        _ => return Ok(None),
    };
    let fires = match words.next() {
        Some("clean") => Some(0),
        Some(word) => word
            .strip_prefix("fires=")
            .and_then(|count| count.parse().ok()),
        None => None,
    };
    let severity = match words.next() {
        None => Some(None),
        Some("info") => Some(Some(Severity::Info)),
        Some("warning") => Some(Some(Severity::Warning)),
        Some("error") => Some(Some(Severity::Error)),
        Some(_) => None,
    };
    match (fires, severity) {
        (Some(fires), Some(severity)) => Ok(Some(Example {
            engine,
            fires,
            severity,
            text: String::new(),
        })),
        _ => Err(format!(
            "an example says `clean`, `fires=N` or `fires=N SEVERITY`, not `{info}`"
        )),
    }
}
