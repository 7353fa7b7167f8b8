//! `dangling-backend-reference`: a route to a name that nothing defines.
//!
//! In: routes, and nginx's backends implied by a host name. Out: one finding per name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Backend, Engine, Instance, Port, Route, Target, Text};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/dangling-backend-reference.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

/// In names of this length one other letter is a slip, and not another word.
const SURE: usize = 5;

/// Longer names are not compared.
const LONGEST: usize = 64;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    match instance.engine {
        Engine::Haproxy if instance.fragment => {}
        Engine::Haproxy => undefined_names(instance, findings),
        Engine::Nginx => misspelt_upstreams(instance, findings),
    }
}

fn undefined_names(instance: &Instance, findings: &mut Vec<Finding>) {
    let mut routes: BTreeMap<&Text, Vec<&Route>> = BTreeMap::new();
    for route in &instance.routes {
        if let Target::Undefined(name) = &route.target {
            routes.entry(name).or_default().push(route);
        }
    }
    let defined = instance.backends.iter().map(|backend| &backend.name);
    let mut speller = Speller::new(defined.collect());
    for (name, routes) in routes {
        findings.extend(undefined(instance, name, &routes, speller.nearest(name)));
    }
}

fn undefined(
    instance: &Instance,
    name: &Text,
    routes: &[&Route],
    similar: Option<&Text>,
) -> Option<Finding> {
    let (route, others) = routes.split_first()?;
    let listener = route
        .listener
        .and_then(|index| instance.listeners.get(index));
    let from = listener.map_or_else(
        || "a route".to_owned(),
        |it| format!("frontend `{}`", it.name),
    );
    let guess = similar.map_or_else(String::new, |it| format!("; did you mean `{it}`"));
    let message = format!(
        "{from} uses backend `{name}`, which is not defined: haproxy refuses to start{guess}"
    );
    let help = match similar {
        Some(similar) => format!("write `{similar}`, or define `backend {name}`"),
        None => format!("define `backend {name}`, or add the file that does to this instance"),
    };
    let mut finding = Finding::new(Severity::Error, route.span, message, help)
        .label("no such backend")
        .backend(name);
    if let Some(listener) = listener {
        finding = finding.listener(&listener.name);
    }
    for other in others.iter().take(RELATED) {
        finding = finding.related("used here too", other.span);
    }
    Some(finding)
}

fn misspelt_upstreams(instance: &Instance, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (index, upstream) in slips(instance) {
        let host = instance.backends.get(index).and_then(bare_host);
        if let Some(host) = host.filter(|host| seen.insert(*host))
            && let Some(route) = instance.routes_to(index).next()
        {
            findings.push(misspelt(host, upstream, route));
        }
    }
}

/// The backends that are hosts of nginx whose names look like that of an upstream with a slip of the
/// keyboard, and that upstream. What a part of a configuration names may stand in another part: there
/// the upstream has to be one that nothing else uses.
pub(super) fn slips(instance: &Instance) -> Vec<(usize, &Backend)> {
    let is_used = |index| instance.routes_to(index).next().is_some();
    let mut upstreams: BTreeMap<&Text, &Backend> = BTreeMap::new();
    for (index, backend) in instance.backends.iter().enumerate() {
        if backend.declared && !(instance.fragment && is_used(index)) {
            upstreams.insert(&backend.name, backend);
        }
    }
    let mut speller = Speller::new(upstreams.keys().copied().collect());
    let backends = instance.backends.iter().enumerate();
    let slips = backends.filter_map(|(index, backend)| {
        let host = bare_host(backend)?;
        let similar = (speller.nearest(host)).filter(|similar| is_slip(host, similar))?;
        Some((index, *upstreams.get(similar)?))
    });
    slips.collect()
}

/// The host of a backend that nobody declared, if it is a single label without a port, as the name
/// of an upstream would be. With a port it is meant as a host.
fn bare_host(backend: &Backend) -> Option<&str> {
    let address = &backend
        .servers
        .first()
        .filter(|_| !backend.declared)?
        .address;
    let bare = address.kind == AddressKind::Name
        && !matches!(address.port, Port::Fixed(_))
        && !address.host().contains('.')
        && !address.host().eq_ignore_ascii_case("localhost");
    bare.then_some(address.host())
}

fn misspelt(host: &str, upstream: &Backend, route: &Route) -> Finding {
    let message = format!(
        "`{host}` is not an upstream (did you mean `{}`): nginx looks the name up in DNS when it starts",
        upstream.name
    );
    let help = format!(
        "write `{}`, or give the host its port or domain",
        upstream.name
    );
    Finding::new(Severity::Error, route.span, message, help)
        .label("no upstream of this name")
        .related(format!("upstream `{}`", upstream.name), upstream.span)
        .backend(&Text::from(host))
}

/// Finds the name that was probably meant, with a bounded amount of work for a whole file.
struct Speller<'a> {
    names: Vec<&'a Text>,
    /// Comparisons left, so that thousands of wrong names beside thousands of right ones stay cheap.
    budget: usize,
}

impl<'a> Speller<'a> {
    fn new(names: Vec<&'a Text>) -> Self {
        Self {
            names,
            budget: 300_000,
        }
    }

    /// The name that is written most like `name`, within two edits and a third of its length.
    fn nearest(&mut self, name: &str) -> Option<&'a Text> {
        if name.len() > LONGEST {
            return None;
        }
        self.budget = self.budget.checked_sub(self.names.len())?;
        let close = |other: &&Text| other.len().abs_diff(name.len()) <= 2;
        let candidates = self.names.iter().copied().filter(close);
        let (distance, other) = candidates
            .map(|other| (strsim::osa_distance(name, other), other))
            .min()?;
        let longest = name.len().max(other.len());
        (distance > 0 && distance <= 2 && distance * 3 <= longest).then_some(other)
    }
}

/// Two names that differ in their digits only, or by something appended (`api`, `api-b`), are
/// siblings, and so are short ones with another letter in one place (`api`, `app`). A letter more or
/// less, or two that changed places, is a slip.
fn is_slip(name: &str, other: &str) -> bool {
    let letters = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let extends = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let sorted = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.sort_unstable();
        bytes
    };
    let is_other_word = name.len() == other.len() && sorted(name) != sorted(other);
    let siblings = letters(name) == letters(other) || extends(name, other) || extends(other, name);
    !siblings && (name.len() >= SURE || !is_other_word)
}
