//! One finding as a SARIF result.

use serde::Serialize;
use serde_json::{Value, json};

use super::{BASE, Message, level, text};
use crate::report::locate::{Locator, Place};
use crate::report::relative::Paths;
use crate::report::shown::plain;
use crate::report::view::View;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_field_names, reason = "the names of the format")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
}

impl Outcome<'_> {
    /// Marks it as silenced by a comment in the configuration, which may say why.
    pub(super) fn suppress(&mut self, reason: &str) {
        self.suppressions.push(Suppression {
            kind: "inSource",
            justification: (!reason.is_empty()).then(|| plain(reason).into_owned()),
        });
    }
}

/// The result of one finding. What helps is its second paragraph: viewers show the first sentence
/// where there is room for one.
pub(super) fn result<'a>(
    view: View<'a>,
    fingerprint: &str,
    paths: &Paths,
    locator: &mut Locator<'_>,
) -> Outcome<'a> {
    let finding = view.finding;
    let place = Location {
        id: None,
        physical_location: physical(&view.place, paths, locator),
        logical_locations: logical(&view),
        message: None,
    };
    let message = format!("{}.\n\nHelp: {}.", text(&view.message), text(&view.help));
    let related = view.related.into_iter().zip(1..);
    Outcome {
        rule_id: finding.rule,
        rule_index: None,
        level: level(finding.severity),
        message: Message { text: message },
        locations: [place],
        related_locations: related
            .map(|((place, message), id)| Location {
                id: Some(id),
                physical_location: physical(&place, paths, locator),
                logical_locations: Vec::new(),
                message: Some(Message {
                    text: text(&message),
                }),
            })
            .collect(),
        partial_fingerprints: json!({"lbaudit/v1": fingerprint}),
        suppressions: Vec::new(),
    }
}

fn physical(place: &Place, paths: &Paths, locator: &mut Locator<'_>) -> PhysicalLocation {
    let uri = paths.uri(place.source.name());
    let end = locator.end(place);
    PhysicalLocation {
        artifact_location: ArtifactLocation {
            uri: uri.text,
            uri_base_id: uri.is_relative.then_some(BASE),
        },
        region: Region {
            start_line: place.start.line,
            start_column: place.start.column,
            end_line: end.line,
            end_column: end.column,
        },
    }
}

/// The object that it is about: `backend/auth/server/auth3`.
fn logical(view: &View<'_>) -> Vec<LogicalLocation> {
    let subject = &view.finding.subject;
    let words = [
        ("listener", &subject.listener),
        ("route", &subject.route),
        ("backend", &subject.backend),
        ("server", &subject.server),
    ];
    let mut path = String::new();
    let mut last = None;
    for (kind, name) in words {
        let Some(name) = view.name(name.as_ref()) else {
            continue;
        };
        let name = plain(&name).into_owned();
        if !path.is_empty() {
            path.push('/');
        }
        path.extend([kind, "/", &name]);
        last = Some((kind, name));
    }
    let location = last.map(|(kind, name)| LogicalLocation {
        name,
        fully_qualified_name: path,
        kind,
    });
    location.into_iter().collect()
}
