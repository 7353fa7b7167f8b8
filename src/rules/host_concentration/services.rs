//! The machine that several critical backends have in common.
//!
//! In: the backends of an instance that log people in. Out: at most one finding, on the machine that
//! carries most of them together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::tier::Tier;
use super::super::wording::{and, percent, times};
use super::super::{BackendView, Context};
use super::{RULE, host, is_virtual, share};
use crate::finding::{Finding, Severity};
use crate::model::Text;
use crate::source::Span;

/// Parts of names of backends that everything else waits for.
const CRITICAL: &[&str] = &["auth", "login", "sso", "oauth", "token", "session", "idp"];

/// What one machine has of one backend.
struct Part<'a> {
    backend: &'a Text,
    share: f64,
    line: Span,
}

/// What each machine has of each critical backend.
type Hosts<'a> = BTreeMap<&'a str, Vec<Part<'a>>>;

pub(in super::super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut hosts: Hosts<'_> = BTreeMap::new();
    let mut sets = BTreeSet::new();
    let mut backends = 0u32;
    for (index, backend) in context.instance.backends.iter().enumerate() {
        let view = BackendView::new(context, index, backend);
        if !is_critical(&view) || !is_reached(&view) || is_virtual(&view) {
            continue;
        }
        if let Some(parts) = parts(&view) {
            sets.insert(parts.iter().map(|(host, _)| *host).collect::<BTreeSet<_>>());
            backends += 1;
            for (host, part) in parts {
                hosts.entry(host).or_default().push(part);
            }
        }
    }
    // The same machines behind all of them are one service with several names.
    if backends > 1 && sets.len() > 1 {
        findings.extend(finding(context, &hosts, backends));
    }
}

fn is_critical(view: &BackendView<'_>) -> bool {
    let mut words = view.backend.name.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| CRITICAL.iter().any(|name| word.eq_ignore_ascii_case(name)))
}

fn is_reached(view: &BackendView<'_>) -> bool {
    !view.context.instance.shows_routes() || !view.routes().is_empty()
}

/// What each machine has of a backend with several servers; `None` where one cannot be told.
fn parts<'a>(view: &BackendView<'a>) -> Option<Vec<(&'a str, Part<'a>)>> {
    let tier = Tier::of(view)?;
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (_, server)) in tier.members.iter().enumerate() {
        members.entry(host(server)?).or_default().push(at);
    }
    let part = |(host, members): (&'a str, Vec<usize>)| {
        let (_, first) = tier.members.get(*members.first()?)?;
        let part = Part {
            backend: &view.backend.name,
            share: share(&tier, &members)?,
            line: first.head,
        };
        Some((host, part))
    };
    members.into_iter().map(part).collect()
}

fn finding(context: &Context<'_>, hosts: &Hosts<'_>, backends: u32) -> Option<Finding> {
    let sum = |parts: &[Part<'_>]| parts.iter().map(|part| part.share).sum::<f64>();
    let shared = hosts.iter().filter(|(_, parts)| parts.len() > 1);
    let (host, parts) = shared.max_by(|(_, a), (_, b)| sum(a).total_cmp(&sum(b)))?;
    let mean = f64::from(backends) / f64::from(u32::try_from(hosts.len()).ok()?);
    let ratio = sum(parts) / mean;
    if ratio <= context.option(&RULE, "max-times-mean") {
        return None;
    }
    let each: Vec<String> = (parts.iter())
        .map(|part| format!("{} of `{}`", percent(part.share), part.backend))
        .collect();
    let message = format!(
        "host `{host}` carries {}: {} times as much as the mean of the {} hosts behind these services",
        and(&each),
        times(ratio),
        hosts.len()
    );
    let help = "move one of the services to other machines, or give the host smaller weights";
    let (first, others) = parts.split_first()?;
    let finding = Finding::new(Severity::Warning, first.line, message, help)
        .label(format!("`{}` on `{host}`", first.backend));
    Some(others.iter().take(3).fold(finding, |finding, part| {
        finding.related(format!("`{}` too", part.backend), part.line)
    }))
}
