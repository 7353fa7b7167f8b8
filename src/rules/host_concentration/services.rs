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

/// How many backends a message names.
const NAMED: usize = 3;

/// A critical backend with the members of its tier on each machine.
struct Service<'a> {
    view: BackendView<'a>,
    hosts: BTreeMap<&'a str, Vec<usize>>,
}

/// What one machine has of one backend.
struct Part<'a> {
    backend: &'a Text,
    share: f64,
    line: Span,
}

pub(in super::super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let backends = context.instance.backends.iter().enumerate();
    let critical = backends.filter(|(_, backend)| is_critical(&backend.name));
    let services: Vec<Service<'_>> = critical
        .filter_map(|(index, backend)| service(BackendView::new(context, index, backend)))
        .collect();
    let mut uses: BTreeMap<&str, u32> = BTreeMap::new();
    for host in services.iter().flat_map(|service| service.hosts.keys()) {
        *uses.entry(host).or_default() += 1;
    }
    // The same machines behind all of them are one service with several names.
    let sets: BTreeSet<Vec<&str>> = (services.iter())
        .map(|service| service.hosts.keys().copied().collect())
        .collect();
    if sets.len() > 1 && uses.values().any(|uses| *uses > 1) {
        findings.extend(finding(context, &services, &uses));
    }
}

fn is_critical(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| CRITICAL.iter().any(|name| word.eq_ignore_ascii_case(name)))
}

fn is_reached(view: &BackendView<'_>) -> bool {
    !view.context.instance.shows_routes() || !view.routes().is_empty()
}

/// A backend with several servers that takes traffic; `None` where a machine cannot be told.
fn service(view: BackendView<'_>) -> Option<Service<'_>> {
    if !is_reached(&view) || is_virtual(&view) {
        return None;
    }
    let mut hosts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (_, server)) in Tier::of(&view)?.members.iter().enumerate() {
        hosts.entry(host(server)?).or_default().push(at);
    }
    Some(Service { view, hosts })
}

/// What each machine behind several services has of each of them.
fn shared<'a>(
    services: &[Service<'a>],
    uses: &BTreeMap<&'a str, u32>,
) -> BTreeMap<&'a str, Vec<Part<'a>>> {
    let mut shared: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
    for service in services {
        let hosts = service.hosts.iter();
        for (host, members) in hosts.filter(|(host, _)| uses.get(*host).is_some_and(|it| *it > 1)) {
            if let Some(part) = part(service, members) {
                shared.entry(host).or_default().push(part);
            }
        }
    }
    shared
}

fn part<'a>(service: &Service<'a>, members: &[usize]) -> Option<Part<'a>> {
    let tier = Tier::of(&service.view)?;
    let (_, first) = tier.members.get(*members.first()?)?;
    Some(Part {
        backend: &service.view.backend.name,
        share: share(&tier, members)?,
        line: first.head,
    })
}

fn finding<'a>(
    context: &Context<'_>,
    services: &[Service<'a>],
    uses: &BTreeMap<&'a str, u32>,
) -> Option<Finding> {
    let sum = |parts: &[Part<'_>]| parts.iter().map(|part| part.share).sum::<f64>();
    let shared = shared(services, uses).into_iter();
    let (host, parts) = shared.max_by(|(_, a), (_, b)| sum(a).total_cmp(&sum(b)))?;
    let count = |number: usize| u32::try_from(number).map(f64::from);
    let mean = count(services.len()).ok()? / count(uses.len()).ok()?;
    let ratio = sum(&parts) / mean;
    if ratio <= context.option(&RULE, "max-times-mean") {
        return None;
    }
    let mut each: Vec<String> = (parts.iter().take(NAMED))
        .map(|part| format!("{} of `{}`", percent(part.share), part.backend))
        .collect();
    if let Some(more) = parts.len().checked_sub(NAMED).filter(|more| *more > 0) {
        each.push(format!("a part of {more} more"));
    }
    let message = format!(
        "host `{host}` carries {}: {} times as much as the mean of the {} hosts behind these services",
        and(&each),
        times(ratio),
        uses.len()
    );
    let help = "move one of the services to other machines, or give the host smaller weights";
    let (first, others) = parts.split_first()?;
    let finding = Finding::new(Severity::Warning, first.line, message, help)
        .label(format!("`{}` on `{host}`", first.backend));
    Some(others.iter().take(NAMED).fold(finding, |finding, part| {
        finding.related(format!("`{}` too", part.backend), part.line)
    }))
}
