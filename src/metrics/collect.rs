//! From an audit to samples: the few that say most first, as many as there is room for.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher24;

use super::{Name, Sample};
use crate::audit::Audit;
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Engine, Instance, Server};
use crate::predict::{self, ratio};
use crate::report::{mask_text, plain};
use crate::source::Sources;

/// The samples of `audit`, which gave `findings`; at most `limit` of them, and one that says how many
/// more there were.
pub fn samples(audit: &Audit, findings: &[Finding], limit: usize) -> Vec<Sample> {
    let instances = instances(audit);
    let mut collector = Collector {
        samples: Vec::new(),
        limit,
        left_out: 0,
    };
    collector.infos(&audit.sources, &instances);
    collector.findings(findings, &instances);
    for about in [Collector::backend, Collector::servers] {
        for labelled in instances.iter().flatten() {
            for (name, backend) in named_backends(labelled.instance) {
                about(&mut collector, labelled, &name, backend);
            }
        }
    }
    let left_out = count(collector.left_out);
    let mut samples = collector.samples;
    samples.push(Sample {
        name: Name::SeriesLeftOut,
        labels: Vec::new(),
        value: left_out,
    });
    samples
}

/// An instance with the text of its label.
struct Labelled<'a> {
    label: String,
    instance: &'a Instance,
}

/// The instances of the audit; `None` where nothing was read.
fn instances(audit: &Audit) -> Vec<Option<Labelled<'_>>> {
    let mut names = Names::default();
    let labelled = audit.instances.iter().map(|audited| {
        let instance = audited.main()?;
        let label = names.unique(plain(&instance.name).into_owned());
        Some(Labelled { label, instance })
    });
    labelled.collect()
}

/// The backends that have servers. Two of one name, such as an nginx upstream of `http` and one of
/// `stream`, are told apart by a number.
fn named_backends(instance: &Instance) -> impl Iterator<Item = (String, &Backend)> {
    let mut names = Names::default();
    let backends = instance.backends.iter();
    let with_servers = backends.filter(|backend| !backend.servers.is_empty());
    with_servers.map(move |backend| {
        let name = names.unique(shown(&backend.name, instance.engine));
        (name, backend)
    })
}

/// Names that are in use.
#[derive(Default)]
struct Names {
    used: BTreeSet<String>,
    next: BTreeMap<String, usize>,
}

impl Names {
    /// `name`, with a number behind it where it is in use.
    fn unique(&mut self, name: String) -> String {
        if self.used.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(2);
        loop {
            let numbered = format!("{name}#{next}");
            *next += 1;
            if self.used.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

/// Text of the configuration without secrets and control characters.
fn shown(text: &str, engine: Engine) -> String {
    plain(&mask_text(text, engine)).into_owned()
}

/// Takes samples until the limit is reached.
struct Collector {
    samples: Vec<Sample>,
    limit: usize,
    left_out: usize,
}

impl Collector {
    fn add(&mut self, name: Name, labels: &[(&str, &str)], value: f64) {
        if self.samples.len() >= self.limit {
            self.left_out += 1;
            return;
        }
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.samples.push(Sample {
            name,
            labels: labels.iter().map(owned).collect(),
            value,
        });
    }

    fn infos(&mut self, sources: &Sources, instances: &[Option<Labelled<'_>>]) {
        for Labelled { label, instance } in instances.iter().flatten() {
            let hash = hash(sources, instance);
            self.add(
                Name::ConfigInfo,
                &[("hash", &hash), ("instance", label)],
                1.0,
            );
        }
    }

    fn findings(&mut self, findings: &[Finding], instances: &[Option<Labelled<'_>>]) {
        let mut counts: BTreeMap<(usize, &str, Severity), usize> = BTreeMap::new();
        for finding in findings {
            let key = (finding.instance, finding.rule, finding.severity);
            *counts.entry(key).or_default() += 1;
        }
        for ((instance, rule, severity), number) in counts {
            let labelled = instances.get(instance).and_then(Option::as_ref);
            let labels = [
                ("instance", labelled.map_or("", |it| &it.label)),
                ("rule", rule),
                ("severity", severity.as_str()),
            ];
            self.add(Name::Findings, &labels, count(number));
        }
    }

    fn backend(&mut self, of: &Labelled<'_>, name: &str, backend: &Backend) {
        let labels = [("backend", name), ("instance", &*of.label)];
        let Instance {
            engine, version, ..
        } = *of.instance;
        if let Some(worst) = predict::worst_failure(engine, version, backend) {
            let share = ratio(worst.share);
            self.add(Name::BackendWorstFailureShare, &labels, share);
        }
        let unchecked = backend.servers.iter();
        let unchecked = unchecked.filter(|server| is_unchecked(engine, server));
        let number = count(unchecked.count());
        self.add(Name::ServersUnchecked, &labels, number);
    }

    /// Shares and weights. Lines that name one server twice are one series with their sum.
    fn servers(&mut self, of: &Labelled<'_>, name: &str, backend: &Backend) {
        let Instance {
            engine, version, ..
        } = *of.instance;
        let now = predict::predict(engine, version, backend, &[]);
        let mut rows: BTreeMap<String, (Option<f64>, Option<f64>)> = BTreeMap::new();
        for (index, server) in backend.servers.iter().enumerate() {
            let share = now.as_ref().and_then(|now| now.shares.get(index));
            let (shares, weights) = rows.entry(shown(&server.name, engine)).or_default();
            add_to(shares, share.map(|share| ratio(*share)));
            add_to(
                weights,
                server.weight.known().map(|weight| f64::from(*weight)),
            );
        }
        for (server, (share, weight)) in rows {
            let labels = [
                ("backend", name),
                ("instance", &*of.label),
                ("server", &server),
            ];
            if let Some(share) = share {
                self.add(Name::ServerShare, &labels, share);
            }
            if let Some(weight) = weight {
                self.add(Name::ServerWeight, &labels, weight);
            }
        }
    }
}

fn add_to(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0.0) + value);
    }
}

/// Whether nothing takes it out: no check of its own or tracked one (an agent that is gone is no
/// failure, HAProxy manual 5.2 `agent-check`), nor, in nginx, the count of failed requests. What
/// depends on an unknown variable counts as watched.
fn is_unchecked(engine: Engine, server: &Server) -> bool {
    let counts_failures = engine == Engine::Nginx && server.passive().max_fails.known() != Some(&0);
    server.is_usable()
        && server.check.known() == Some(&false)
        && server.options.track.is_none()
        && !counts_failures
}

/// `SipHash` over the content of every file of the instance, each behind its length.
fn hash(sources: &Sources, instance: &Instance) -> String {
    let mut hasher = SipHasher24::new();
    for file in &instance.files {
        let source = sources.get(*file);
        hasher.write(&(source.bytes().len() as u64).to_le_bytes());
        hasher.write(source.bytes());
    }
    format!("{:016x}", hasher.finish())
}

/// A metric is a floating point number. Nothing that is counted here comes near 2^32.
fn count(number: usize) -> f64 {
    u32::try_from(number).unwrap_or(u32::MAX).into()
}
