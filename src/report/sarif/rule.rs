//! A rule's page as the description that code scanning shows beside its results.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde::Serialize;
use serde_json::{Value, json};

use super::level;
use crate::finding::Severity;
use crate::rules::Page;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor<'a> {
    id: &'a str,
    short_description: Value,
    full_description: Value,
    help: Help<'a>,
    default_configuration: Value,
    properties: Value,
}

#[derive(Serialize)]
struct Help<'a> {
    text: String,
    markdown: &'a str,
}

pub(super) fn descriptor(page: &Page) -> Descriptor<'_> {
    let mut tags = vec![page.category.as_str()];
    tags.extend(page.engines.iter().map(|engine| engine.as_str()));
    Descriptor {
        id: &page.name,
        short_description: json!({"text": page.summary}),
        full_description: json!({"text": plain_text(section(page, "## What"))}),
        help: Help {
            text: plain_text(&page.body),
            markdown: &page.body,
        },
        default_configuration: json!({"level": level(page.severity)}),
        properties: json!({
            "tags": tags,
            "problem.severity": problem_severity(page.severity),
        }),
    }
}

/// The words that GitHub's code scanning knows.
fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    }
}

/// The text below `heading`.
fn section<'a>(page: &'a Page, heading: &str) -> &'a str {
    let from = page.body.split_once(heading).map_or("", |(_, rest)| rest);
    from.split_once("\n## ")
        .map_or(from, |(section, _)| section)
}

/// Markdown without its marks: paragraphs on one line each, code as it is.
fn plain_text(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut in_code = false;
    let mut number = None;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::Start(Tag::List(first)) => number = first,
            Event::Start(Tag::Item) => match &mut number {
                Some(number) => {
                    let _ = write!(text, "{number}. ");
                    *number += 1;
                }
                None => text.push_str("- "),
            },
            Event::End(TagEnd::CodeBlock) => {
                in_code = false;
                text.push('\n');
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::List(_)) => {
                text.push_str("\n\n");
            }
            Event::Text(part) if in_code => {
                for line in part.lines() {
                    text.extend(["    ", line, "\n"]);
                }
            }
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak => text.push(' '),
            Event::End(TagEnd::Item) | Event::HardBreak => text.push('\n'),
            Event::Start(_)
            | Event::End(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::catalogue;

    #[test]
    fn every_rule_has_help_as_text_and_as_markdown() {
        for entry in catalogue() {
            let value = serde_json::to_value(descriptor(&entry.page)).unwrap();
            let full = value["fullDescription"]["text"].as_str().unwrap();
            assert!(full.len() > 40 && !full.contains("##"), "{full}");
            let help = value["help"]["text"].as_str().unwrap();
            assert!(help.starts_with("What\n\n"), "{help}");
            assert!(!help.contains("```"), "{help}");
            assert!(help.contains("Playbook\n\n1. "), "{help}");
        }
    }
}
