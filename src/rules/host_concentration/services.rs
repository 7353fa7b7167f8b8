//! The machine that several critical backends have in common.
//!
//! In: the backends of an instance that log people in. Out: at most one finding, on the machine that
//! carries most of them together.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt as _};

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

/// A critical backend with the machine of each member of its tier.
struct Service<'a> {
    view: BackendView<'a>,
    hosts: Vec<&'a str>,
}

/// For each machine the number of services that it is behind.
type Uses<'a> = HashMap<&'a str, u32>;

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
    let uses = uses(&services);
    if uses.values().any(|uses| *uses > 1) && differ(&services) {
        findings.extend(finding(context, &services, &uses));
    }
}

fn uses<'a>(services: &[Service<'a>]) -> Uses<'a> {
    let mut uses = Uses::new();
    let mut last_use: HashMap<&str, usize> = HashMap::new();
    for (number, service) in services.iter().enumerate() {
        for host in &service.hosts {
            if last_use.insert(host, number) != Some(number) {
                *uses.entry(host).or_default() += 1;
            }
        }
    }
    uses
}

/// Whether they have different machines. The same ones behind all of them are one service with several names.
fn differ(services: &[Service<'_>]) -> bool {
    let sets: BTreeSet<BTreeSet<&str>> = (services.iter())
        .map(|service| service.hosts.iter().copied().collect())
        .collect();
    sets.len() > 1
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
    let members = Tier::of(&view)?.members;
    let mut hosts = Vec::with_capacity(members.len());
    for (_, server) in members {
        hosts.push(host(server)?);
    }
    Some(Service { view, hosts })
}

/// What each machine behind several services has of each of them.
fn shared<'a>(services: &[Service<'a>], uses: &Uses<'a>) -> BTreeMap<&'a str, Vec<Part<'a>>> {
    let mut shared: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
    for service in services {
        let mut hosts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, host) in service.hosts.iter().enumerate() {
            if uses.get(host).is_some_and(|uses| *uses > 1) {
                hosts.entry(host).or_default().push(at);
            }
        }
        for (host, members) in hosts {
            if let Some(part) = part(service, &members) {
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
        line: first.head(),
    })
}

fn finding<'a>(
    context: &Context<'_>,
    services: &[Service<'a>],
    uses: &Uses<'a>,
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
