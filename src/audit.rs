//! The pipeline: from instances on disk to sorted findings.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use foldhash::{HashMap, HashMapExt as _};
use jiff::civil::Date;
use rayon::prelude::*;

use crate::discover::{Discovery, Root};
use crate::engine::template::Template;
use crate::engine::{self, Loaded, Options};
use crate::error::Error;
use crate::finding::Finding;
use crate::model::{Engine, Instance};
use crate::rules::{self, Context};
use crate::settings::Settings;
use crate::source::Sources;
use crate::threads;

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Audit {
    /// Every file.
    pub sources: Sources,
    /// The instances, in the order in which they were named or found.
    pub instances: Vec<Audited>,
    /// Files in walked folders that are no configuration.
    pub skipped: Vec<PathBuf>,
    /// Templates, which were not audited.
    pub templates: Vec<Template>,
    /// What could not be audited; then the exit status is not 0.
    pub errors: Vec<Error>,
}

/// What findings are judged by, besides the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Thresholds, severities and rules that are off.
    pub settings: &'a Settings,
    /// The day by which dates in comments are judged.
    pub today: Date,
    /// How many findings of each rule need words, for a report that shows no more. Where an instance has more
    /// of a rule, they may be bare facts until [`Audit::word`] is asked; [`usize::MAX`] has all worded.
    pub worded: usize,
}

impl<'a> Terms<'a> {
    /// Everything is said in full.
    pub fn in_full(settings: &'a Settings, today: Date) -> Self {
        Self {
            settings,
            today,
            worded: usize::MAX,
        }
    }
}

/// One instance as it was read.
#[derive(Debug)]
pub struct Audited {
    /// Its model; more than one where undecidable `.if` branches make variants.
    pub variants: Vec<Instance>,
    /// What was found while reading it.
    pub findings: Vec<Finding>,
}

impl Audited {
    /// The model that stands for the instance in counts and comparisons.
    pub fn main(&self) -> Option<&Instance> {
        self.variants.first()
    }
}

impl Audit {
    /// Reads every instance of `discovery`.
    pub fn load(discovery: Discovery, options: &Options) -> Self {
        let sources = Sources::default();
        let mut slots: Vec<Slot> = discovery.roots.into_iter().map(Slot::new).collect();
        // Files that others may include wait, so that those that are included are read once only.
        load_slots(&mut slots, &sources, options, Slot::can_be_whole);
        drop_included(&mut slots, &sources);
        load_slots(&mut slots, &sources, options, |_| true);
        drop_included(&mut slots, &sources);
        let mut audit = Self {
            errors: discovery.errors,
            skipped: discovery.skipped,
            templates: discovery.templates,
            ..Self::default()
        };
        for slot in slots {
            let Some(loaded) = slot.loaded else { continue };
            match loaded {
                Ok(loaded) if !loaded.templates.is_empty() => {
                    audit.add_templates(loaded.templates);
                }
                Ok(Loaded {
                    mut variants,
                    findings,
                    ..
                }) => {
                    if let Some(name) = slot.root.name {
                        let names = variants.iter_mut().map(|variant| &mut variant.name);
                        names.for_each(|known| *known = name.as_str().into());
                    }
                    audit.instances.push(Audited { variants, findings });
                }
                Err(error) => audit.errors.push(error),
            }
        }
        audit.sources = sources;
        audit
    }

    /// Takes templates that an instance includes in the place of those that the walk found.
    fn add_templates(&mut self, included: Vec<Template>) {
        let real = |template: &Template| fs::canonicalize(&template.name).ok();
        let known: BTreeSet<_> = included.iter().filter_map(real).collect();
        self.templates
            .retain(|template| real(template).is_none_or(|path| !known.contains(&path)));
        self.templates.extend(included);
    }

    /// Judges everything: what the loaders found and what the rules find, one finding per cause,
    /// in the order in which findings are shown.
    pub fn judge(&mut self, terms: Terms<'_>) -> Vec<Finding> {
        let loader: Vec<Vec<Finding>> = self
            .instances
            .iter_mut()
            .map(|audited| std::mem::take(&mut audited.findings))
            .collect();
        let judged = map_all(&self.instances, |index, audited| {
            self.judge_instance(index, audited, terms)
        });
        let mut findings = Vec::new();
        for (index, (loader, judged)) in loader.into_iter().zip(judged).enumerate() {
            let main = self.instances.get(index).and_then(Audited::main);
            let found = main.filter(|_| !loader.is_empty());
            let places = found.map(|main| rules::Places::new(&self.sources, main));
            findings.extend(loader.into_iter().map(|mut finding| {
                finding.instance = index;
                finding.engine = main.map_or(finding.engine, |main| main.engine);
                if let Some(places) = &places {
                    places.name(&mut finding);
                }
                finding
            }));
            // With one instance alone, its long list is taken as it is.
            if findings.is_empty() {
                findings = judged;
            } else {
                findings.extend(judged);
            }
        }
        let mains = self.instances.iter().enumerate();
        let contexts: Vec<Context<'_>> = mains
            .filter_map(|(index, audited)| Some(self.context(index, audited.main()?, terms)))
            .collect();
        findings.extend(rules::check_audit(&contexts));
        terms.settings.apply(&mut findings, &self.sources);
        rules::drop_replaced(&mut findings);
        rules::join(&mut findings);
        rules::sort(&mut findings, &self.sources);
        findings
    }

    fn context<'a>(
        &'a self,
        index: usize,
        instance: &'a Instance,
        terms: Terms<'a>,
    ) -> Context<'a> {
        let Terms {
            settings,
            today,
            worded,
        } = terms;
        Context {
            sources: &self.sources,
            instance,
            index,
            settings,
            today,
            worded,
        }
    }

    /// Gives words to those of `findings` that a report shows: the first ones of each rule, as many as
    /// `terms` say.
    pub fn word(&self, findings: &mut [Finding], terms: Terms<'_>) {
        let mut met: HashMap<&str, usize> = HashMap::new();
        for finding in findings {
            let number = met.entry(finding.rule).or_default();
            *number += 1;
            if *number <= terms.worded && !finding.worded {
                self.word_one(finding, terms);
            }
        }
    }

    fn word_one(&self, fact: &mut Finding, terms: Terms<'_>) {
        let variants = self.instances.get(fact.instance).map(|it| &it.variants);
        let known = variants.into_iter().flatten().find_map(|variant| {
            let context = self.context(fact.instance, variant, terms);
            rules::worded(&context, fact)
        });
        debug_assert!(known.is_some(), "a rule finds the same again: {fact:?}");
        if let Some(known) = known {
            *fact = Finding {
                severity: fact.severity,
                // What was added when findings were joined.
                message: known.message + &fact.message,
                ..known
            };
        }
    }

    /// The findings of all variants of an instance, each fault once.
    fn judge_instance(&self, index: usize, audited: &Audited, terms: Terms<'_>) -> Vec<Finding> {
        let judge = |instance| rules::check_instance(&self.context(index, instance, terms));
        if let [only] = audited.variants.as_slice() {
            return judge(only);
        }
        let fault = |finding: &Finding| (finding.rule, finding.span, finding.subject.clone());
        let mut known = BTreeSet::new();
        let mut findings = Vec::new();
        for instance in &audited.variants {
            let fresh = judge(instance);
            let new = |finding: &Finding| !known.contains(&fault(finding));
            let new: Vec<Finding> = fresh.into_iter().filter(new).collect();
            known.extend(new.iter().map(fault));
            findings.extend(new);
        }
        findings
    }
}

/// Applies `work` to every instance, on all cores where there is more than one instance.
fn map_all<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    match items {
        [] => Vec::new(),
        [item] => vec![work(0, item)],
        several => {
            threads::start();
            let numbered = several.par_iter().enumerate();
            numbered.map(|(index, item)| work(index, item)).collect()
        }
    }
}

/// An instance on its way from root files to model.
struct Slot {
    root: Root,
    loaded: Option<Result<Loaded, Error>>,
    included_elsewhere: bool,
}

impl Slot {
    fn new(root: Root) -> Self {
        Self {
            root,
            loaded: None,
            included_elsewhere: false,
        }
    }

    /// Whether no other file is expected to include it.
    fn can_be_whole(&self) -> bool {
        let nginx_part = |bytes| !engine::nginx::has_main_block(bytes);
        let part = self.root.engine == Engine::Nginx
            && self
                .root
                .inputs
                .first()
                .is_some_and(|input| nginx_part(&input.bytes));
        self.root.walked.is_none() || !part
    }

    fn load(&mut self, sources: &Sources, options: &Options) {
        let inputs = std::mem::take(&mut self.root.inputs);
        self.loaded = Some(engine::load(self.root.engine, sources, inputs, options));
    }

    /// The files it reads besides its own root.
    fn included<'a>(&'a self, sources: &'a Sources) -> impl Iterator<Item = PathBuf> + 'a {
        let loaded = self.loaded.as_ref().and_then(|loaded| loaded.as_ref().ok());
        let main = loaded.and_then(|loaded| loaded.variants.first());
        let files = main
            .map(|main| main.files.iter().skip(1))
            .into_iter()
            .flatten();
        files.filter_map(|file| fs::canonicalize(sources.get(*file).name()).ok())
    }
}

fn load_slots(
    slots: &mut [Slot],
    sources: &Sources,
    options: &Options,
    which: impl Fn(&Slot) -> bool + Sync,
) {
    let mut chosen: Vec<&mut Slot> = slots
        .iter_mut()
        .filter(|slot| slot.loaded.is_none() && !slot.included_elsewhere && which(slot))
        .collect();
    match chosen.as_mut_slice() {
        // Threads are not started for nothing.
        [] => {}
        [slot] => slot.load(sources, options),
        several => {
            threads::start();
            several
                .par_iter_mut()
                .for_each(|slot| slot.load(sources, options));
        }
    }
}

/// Takes out walked files that are reached through the include of another instance.
fn drop_included(slots: &mut [Slot], sources: &Sources) {
    let included: BTreeSet<PathBuf> = slots
        .iter()
        .filter(|slot| slot.root.engine == Engine::Nginx)
        .flat_map(|slot| slot.included(sources))
        .collect();
    if included.is_empty() {
        return;
    }
    for slot in slots.iter_mut() {
        if (slot.root.walked.as_ref()).is_some_and(|real| included.contains(real)) {
            slot.included_elsewhere = true;
            slot.loaded = None;
        }
    }
}
