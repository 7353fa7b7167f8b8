//! SARIF 2.1.0 (OASIS), for code scanning: one run with the rules that found something and one result
//! per finding; findings that a comment silences are results with a suppression.
//!
//! Only what readers use is written. Columns are Unicode scalar values, and the run says so
//! (`columnKind`).

mod result;
mod rule;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::{Value, json};

use super::Report;
use super::json::write_document;
use super::locate::Locator;
use super::mask::mask_text;
use super::relative::Paths;
use super::shown::plain;
use super::text::template_words;
use super::view::View;
use crate::engine::template::Template;
use crate::finding::{Finding, Severity};
use crate::rules;
use crate::suppress::Silenced;
use result::{Outcome, result};
use rule::{Descriptor, descriptor};

/// Where the schema of this version is found.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The name of the folder that relative URIs are relative to.
const BASE: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    original_uri_base_ids: Value,
    column_kind: &'static str,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

/// A message as plain text.
#[derive(Serialize)]
struct Message {
    text: String,
}

/// Writes the log.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let rules = Rules::of(report);
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "lbaudit",
                version: env!("CARGO_PKG_VERSION"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: rules.descriptors,
            },
        },
        invocations: [invocation(report)],
        original_uri_base_ids: json!({
            BASE: {"description": {"text": "the checkout of the CI job, else the folder that lbaudit was run in"}}
        }),
        column_kind: "unicodeCodePoints",
        results: results(report, &rules.indices),
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    };
    write_document(&log, out)
}

/// The rules that found something, in the order of the catalogue.
struct Rules {
    descriptors: Vec<Descriptor<'static>>,
    indices: BTreeMap<&'static str, usize>,
}

impl Rules {
    fn of(report: &Report<'_>) -> Self {
        let silenced = report.silenced.iter().map(|silenced| &silenced.finding);
        let all = report.findings.iter().chain(silenced);
        let named: std::collections::BTreeSet<&str> = all.map(|finding| finding.rule).collect();
        let mut rules = Self {
            descriptors: Vec::new(),
            indices: BTreeMap::new(),
        };
        let used = |entry: &&rules::Entry| named.contains(entry.page.name());
        for entry in rules::catalogue().iter().filter(used) {
            rules
                .indices
                .insert(&entry.page.name, rules.descriptors.len());
            rules.descriptors.push(descriptor(&entry.page));
        }
        rules
    }
}

fn results<'a>(report: &'a Report<'_>, indices: &BTreeMap<&str, usize>) -> Vec<Outcome<'a>> {
    let mut locator = Locator::new(report.sources);
    let paths = Paths::here();
    let fingerprints = report.fingerprints();
    let silenced: Vec<Finding> = (report.silenced.iter())
        .map(|silenced| silenced.finding.clone())
        .collect();
    let silenced = super::fingerprints(&silenced, report.sources);
    let mut one = |finding: &'a Finding, fingerprint: &str| {
        let view = View::new(finding, &mut locator);
        let mut result = result(view, fingerprint, &paths, &mut locator);
        result.rule_index = indices.get(finding.rule).copied();
        result
    };
    let mut results = Vec::with_capacity(report.findings.len() + report.silenced.len());
    for (finding, fingerprint) in report.findings.iter().zip(fingerprints.iter()) {
        results.push(one(finding, fingerprint));
    }
    for (Silenced { finding, reason }, fingerprint) in report.silenced.iter().zip(&silenced) {
        let mut result = one(finding, fingerprint);
        result.suppress(&mask_text(reason, finding.engine));
        results.push(result);
    }
    results
}

/// A file that could not be read makes the run no success.
fn invocation(report: &Report<'_>) -> Invocation {
    let notification = |error: &crate::error::Error| Notification {
        level: "error",
        message: Message {
            text: text(&error.to_string()),
        },
    };
    Invocation {
        execution_successful: report.errors.is_empty(),
        tool_execution_notifications: (report.errors.iter().map(notification))
            .chain(report.skipped_templates().map(template))
            .collect(),
    }
}

/// A template that is skipped is no failure.
fn template(template: &Template) -> Notification {
    Notification {
        level: "note",
        message: Message {
            text: text(&template_words(template)),
        },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Text of a plain message. `[text](target)` would be a link there (3.11.6), so that a bracket which
/// could start one is escaped.
fn text(text: &str) -> String {
    let text = plain(text);
    if text.contains("](") {
        text.replace('[', "\\[").replace(']', "\\]")
    } else {
        text.into_owned()
    }
}
