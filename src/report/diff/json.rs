//! The documented JSON of `diff`.

use std::borrow::Cow;

use serde::Serialize;

use super::DiffReport;
use crate::diff::{BackendTraffic, Failure, Kind};
use crate::report::json::chosen;

/// The whole document. Its findings are of a type that only this module's caller knows.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    summary: Summary,
    changes: Vec<ChangeView<'a>>,
    traffic: Vec<ServerView<'a>>,
    backends: Vec<BackendView<'a>>,
    findings: serde_json::Value,
}

#[derive(Serialize)]
struct Summary {
    changes: usize,
    backends: usize,
    introduced: usize,
    resolved: usize,
    worst_shift: f64,
    worst_moved: f64,
    templates: usize,
}

#[derive(Serialize)]
struct ChangeView<'a> {
    kind: Kind,
    instance: &'a str,
    backend: Option<Cow<'a, str>>,
    server: Option<Cow<'a, str>>,
    listener: Option<Cow<'a, str>>,
    route: Option<Cow<'a, str>>,
    old: Option<Cow<'a, str>>,
    new: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct ServerView<'a> {
    instance: &'a str,
    backend: Cow<'a, str>,
    server: Cow<'a, str>,
    before: Option<f64>,
    after: Option<f64>,
    shift: Option<f64>,
}

#[derive(Serialize)]
struct BackendView<'a> {
    instance: &'a str,
    backend: Cow<'a, str>,
    old_name: Option<Cow<'a, str>>,
    algorithm: Sides<Cow<'a, str>>,
    worst_failure: Sides<FailureView<'a>>,
    moved: Option<f64>,
    moved_exact: Option<bool>,
}

#[derive(Serialize)]
struct Sides<T> {
    before: Option<T>,
    after: Option<T>,
}

#[derive(Serialize)]
struct FailureView<'a> {
    down: Cow<'a, str>,
    server: Option<Cow<'a, str>>,
    share: Option<f64>,
}

impl<'a> Document<'a> {
    pub(super) fn new(report: &'a DiffReport<'a>) -> Self {
        let diff = report.diff;
        let findings = &diff.findings;
        let (old, new) = (report.old_report(), report.new_report());
        let introduced = chosen(&new, &findings.introduced);
        let resolved = chosen(&old, &findings.resolved);
        Self {
            schema: "lbaudit/diff/1",
            version: env!("CARGO_PKG_VERSION"),
            summary: Summary {
                changes: diff.changes.len(),
                backends: diff.traffic.len(),
                introduced: introduced.len(),
                resolved: resolved.len(),
                worst_shift: diff.worst_shift(),
                worst_moved: diff.worst_moved(),
                templates: report.templates(),
            },
            changes: changes(report),
            traffic: diff
                .traffic
                .iter()
                .flat_map(|one| servers(report, one))
                .collect(),
            backends: diff
                .traffic
                .iter()
                .map(|one| backend(report, one))
                .collect(),
            findings: serde_json::json!({"introduced": introduced, "resolved": resolved}),
        }
    }
}

fn changes<'a>(report: &'a DiffReport<'a>) -> Vec<ChangeView<'a>> {
    let view = |change: &'a crate::diff::Change| {
        let name = |name: &'a Option<crate::model::Text>| {
            name.as_ref().map(|name| report.name(change.pair, name))
        };
        let (old, new) = report.values(change);
        ChangeView {
            kind: change.kind,
            instance: report.label(change.pair),
            backend: name(&change.backend),
            server: name(&change.server),
            listener: name(&change.listener),
            route: name(&change.route),
            old,
            new,
        }
    };
    report.diff.changes.iter().map(view).collect()
}

fn servers<'a>(
    report: &'a DiffReport<'a>,
    traffic: &'a BackendTraffic,
) -> impl Iterator<Item = ServerView<'a>> {
    let backend = report.name(traffic.pair, &traffic.backend);
    traffic.servers.iter().map(move |server| ServerView {
        instance: report.label(traffic.pair),
        backend: backend.clone(),
        server: report.name(traffic.pair, &server.server),
        before: server.before,
        after: server.after,
        shift: server.shift(),
    })
}

fn backend<'a>(report: &'a DiffReport<'a>, traffic: &'a BackendTraffic) -> BackendView<'a> {
    let name = |name: &'a str| report.name(traffic.pair, name);
    let failure = |failure: &'a Option<Failure>| {
        failure.as_ref().map(|failure| FailureView {
            down: name(&failure.down),
            server: failure.server.as_deref().map(name),
            share: failure.share,
        })
    };
    BackendView {
        instance: report.label(traffic.pair),
        backend: name(&traffic.backend),
        old_name: traffic.old_name.as_deref().map(name),
        algorithm: Sides {
            before: traffic.algorithms.0.as_deref().map(name),
            after: traffic.algorithms.1.as_deref().map(name),
        },
        worst_failure: Sides {
            before: failure(&traffic.worst.0),
            after: failure(&traffic.worst.1),
        },
        moved: traffic.moved.map(|moved| moved.fraction),
        moved_exact: traffic.moved.map(|moved| moved.exact),
    }
}
