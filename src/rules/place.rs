//! One cause, one finding, at its place: what a more specific rule says is not said again, and what
//! one line does to many backends is said once.
//!
//! In: the findings of a run. Out: the same without those that are replaced, and with those joined
//! that point at the same words.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt as _, HashSet};

use super::catalogue;
use super::wording::names;
use crate::finding::Finding;
use crate::model::Text;
use crate::source::Span;

/// Leaves one finding per cause: drops those that a more specific rule replaces on the same backend
/// (and the same server, where both name one).
pub fn drop_replaced(findings: &mut Vec<Finding>) {
    let mut replaced = replaced(findings).into_iter();
    findings.retain(|_| !replaced.next().unwrap_or_default());
}

/// Of each finding, whether a more specific one replaces it.
fn replaced(findings: &[Finding]) -> Vec<bool> {
    let found: HashSet<&str> = findings.iter().map(|finding| finding.rule).collect();
    let specific: HashMap<&str, &[String]> = (catalogue().iter())
        .filter(|entry| found.contains(entry.page.name()))
        .map(|entry| (entry.page.name(), entry.page.replaces.as_slice()))
        .collect();
    let umbrellas: HashSet<&str> = (specific.values().copied().flatten())
        .map(String::as_str)
        .collect();
    let mut covers: HashMap<(usize, &Text), Covers<'_>> = HashMap::new();
    for finding in findings {
        let replaced = specific.get(finding.rule).copied().unwrap_or_default();
        if let (Some(backend), [_, ..]) = (&finding.subject.backend, replaced) {
            let covers = covers.entry((finding.instance, backend)).or_default();
            covers.add(finding, replaced);
        }
    }
    let is_replaced = |finding: &Finding| {
        let backend = finding.subject.backend.as_ref();
        let backend = backend.filter(|_| umbrellas.contains(finding.rule));
        backend
            .and_then(|backend| covers.get(&(finding.instance, backend)))
            .is_some_and(|covers| covers.cover(finding))
    };
    findings.iter().map(is_replaced).collect()
}

/// What the specific findings on one backend say instead of each of a few rules.
#[derive(Default)]
struct Covers<'a>(Vec<(&'a str, Cover<'a>)>);

impl<'a> Covers<'a> {
    fn add(&mut self, specific: &'a Finding, replaced: &'a [String]) {
        for rule in replaced {
            let known = self.0.iter().position(|(known, _)| known == rule);
            let at = known.unwrap_or_else(|| {
                self.0.push((rule, Cover::default()));
                self.0.len() - 1
            });
            if let Some((_, cover)) = self.0.get_mut(at) {
                cover.add(specific);
            }
        }
    }

    fn cover(&self, umbrella: &Finding) -> bool {
        let mut covers = self.0.iter();
        covers.any(|(rule, cover)| *rule == umbrella.rule && cover.covers(umbrella))
    }
}

/// What they speak of: all of it, or some servers.
#[derive(Default)]
struct Cover<'a> {
    whole: bool,
    servers: BTreeSet<&'a Text>,
}

impl<'a> Cover<'a> {
    fn add(&mut self, specific: &'a Finding) {
        match &specific.subject.server {
            None => self.whole = true,
            Some(server) => {
                self.servers.insert(server);
            }
        }
    }

    fn covers(&self, umbrella: &Finding) -> bool {
        match &umbrella.subject.server {
            None => true,
            Some(server) => self.whole || self.servers.contains(server),
        }
    }
}

/// Joins findings of one rule that mark the same words for different backends: a `balance` line in
/// `defaults`, an option in an outer scope. The first one stays and names the others.
pub fn join(findings: &mut Vec<Finding>) {
    let mut first_at: HashMap<(usize, &str, Span), usize> = HashMap::with_capacity(findings.len());
    // For each one that another stands for, the number of that one.
    let mut joined: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        let place = (finding.instance, finding.rule, finding.span);
        let first = *first_at.entry(place).or_insert(at);
        if findings
            .get(first)
            .is_some_and(|first| is_other(first, finding))
        {
            joined.insert(at, first);
        }
    }
    let mut others: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
    for (at, first) in &joined {
        let backend = findings.get(*at).and_then(|it| it.subject.backend.clone());
        others.entry(*first).or_default().extend(backend);
    }
    for (first, backends) in others {
        if let Some(finding) = findings.get_mut(first) {
            let also = format!("; the same goes for {}", names(&backends));
            finding.message.push_str(&also);
        }
    }
    let mut at = 0..;
    findings.retain(|_| at.next().is_none_or(|at| !joined.contains_key(&at)));
}

fn is_other(first: &Finding, finding: &Finding) -> bool {
    let backends = first
        .subject
        .backend
        .as_ref()
        .zip(finding.subject.backend.as_ref());
    backends.is_some_and(|(known, backend)| known != backend)
}
