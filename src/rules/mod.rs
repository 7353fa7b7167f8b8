//! The rules: what is judged, and the runner.
//!
//! In: models, never syntax trees. Out: findings, never formats. A rule is two files: its page
//! `rules/<name>.md` and its check `src/rules/<name>.rs`, plus its two lines in this file.

mod facts;
mod named;
mod notes;
mod order;
mod page;
mod place;
mod tier;
mod view;
mod wording;

mod backend_drift;
mod backup_shares_fate;
mod balance_first_without_maxconn;
mod capacity_after_one_loss;
mod catch_all_missing;
mod check_options_without_check;
mod check_port_differs;
mod client_ip_hash_behind_proxy;
mod cookie_coverage;
mod dangling_backend_reference;
mod default_server_too_late;
mod down_sibling_disables_single;
mod duplicate_server_address;
mod dynamic_backend_unresolved;
mod expired_ignore;
mod hash_without_avalanche;
mod host_concentration;
mod hosts;
mod id_renumber_risk;
mod ignore_without_reason;
mod implicit_algorithm;
mod l4_check_on_http_backend;
mod leastconn_blackhole;
mod low_cardinality_hash_key;
mod map_based_hash_reshuffle;
mod max_conns_not_shared;
mod max_fails_zero;
mod missing_health_check;
mod mixed_default_weight;
mod name_counts_several_times;
mod next_upstream_off;
mod no_usable_server;
mod odd_one_out;
mod only_first_backup_used;
mod persist_to_down_server;
mod redispatch_ineffective;
mod redispatch_missing;
mod refused_at_load;
mod resolve_once_hostname;
mod ring_chance;
mod server_maxconn_missing;
mod server_port_outlier;
mod single_server_backend;
mod slow_failure_detection;
mod sparse_consistent_ring;
mod split_not_total;
mod starved_server;
mod syntax_error;
mod unbalanced_weights;
mod uneven_distribution;
mod unset_variable;
mod unused_backend;
mod unused_ignore;
mod upstream_zone_missing;
mod weight_ignored_by_algorithm;
mod zero_weight_server;

use std::sync::OnceLock;

pub use named::Places;
pub use notes::Notes;
pub use order::sort;
pub use page::{Category, Example, LazyPage, Page};
pub use place::{drop_replaced, join};
pub use view::{BackendView, Context};

use crate::finding::Finding;
use crate::spelling;

/// One rule: its page and its check.
#[derive(Debug)]
pub struct Rule {
    /// `rules/<name>.md`: name, severity, reason, remedy, examples.
    pub page: &'static str,
    /// The check.
    pub check: Check,
    /// Thresholds that settings can change.
    pub options: &'static [RuleOption],
}

/// What a check looks at.
#[derive(Debug)]
pub enum Check {
    /// Found while reading the configuration or applying suppressions; there is nothing to run.
    Loader,
    /// One backend at a time.
    Backend(fn(&BackendView<'_>, &mut Vec<Finding>)),
    /// The same behind all others, and only where none that replaces it speaks: one that is nearly always
    /// replaced need not be asked. Of two umbrellas the later one in [`ALL`] may replace the earlier one, and
    /// who replaces an umbrella replaces all that it replaces. It speaks of backends, not of servers.
    Umbrella(fn(&BackendView<'_>, &mut Vec<Finding>)),
    /// One instance at a time.
    Instance(fn(&Context<'_>, &mut Vec<Finding>)),
    /// One backend at a time, then all backends of the instance together.
    Both(
        fn(&BackendView<'_>, &mut Vec<Finding>),
        fn(&Context<'_>, &mut Vec<Finding>),
    ),
    /// All instances together; a finding must set its `instance`.
    Audit(fn(&[Context<'_>], &mut Vec<Finding>)),
}

/// A threshold of a rule.
#[derive(Debug)]
pub struct RuleOption {
    /// Key in `lbaudit.toml` below `[rules.<name>]`.
    pub name: &'static str,
    /// Value when nothing is set.
    pub default: f64,
    /// What it limits, with its unit.
    pub summary: &'static str,
}

/// A rule with its page.
#[derive(Debug)]
pub struct Entry {
    /// The page.
    pub page: LazyPage,
    /// The check and its options.
    pub rule: &'static Rule,
}

/// Every rule, in the order of the catalogue.
pub static ALL: &[&Rule] = &[
    // Found while reading
    &syntax_error::RULE,
    &refused_at_load::RULE,
    &unset_variable::RULE,
    // Found while applying suppressions
    &expired_ignore::RULE,
    &ignore_without_reason::RULE,
    &unused_ignore::RULE,
    // A. Distribution
    &unbalanced_weights::RULE,
    &uneven_distribution::RULE,
    &mixed_default_weight::RULE,
    &duplicate_server_address::RULE,
    &starved_server::RULE,
    &host_concentration::RULE,
    &zero_weight_server::RULE,
    &client_ip_hash_behind_proxy::RULE,
    &upstream_zone_missing::RULE,
    &balance_first_without_maxconn::RULE,
    &low_cardinality_hash_key::RULE,
    &map_based_hash_reshuffle::RULE,
    &weight_ignored_by_algorithm::RULE,
    &sparse_consistent_ring::RULE,
    &name_counts_several_times::RULE,
    &implicit_algorithm::RULE,
    &backend_drift::RULE,
    &hash_without_avalanche::RULE,
    // B. Health
    &missing_health_check::RULE,
    &l4_check_on_http_backend::RULE,
    &leastconn_blackhole::RULE,
    &check_options_without_check::RULE,
    &default_server_too_late::RULE,
    &slow_failure_detection::RULE,
    &max_fails_zero::RULE,
    &down_sibling_disables_single::RULE,
    &check_port_differs::RULE,
    // C. Failover
    &redispatch_missing::RULE,
    &redispatch_ineffective::RULE,
    &next_upstream_off::RULE,
    &only_first_backup_used::RULE,
    &no_usable_server::RULE,
    &single_server_backend::RULE,
    &backup_shares_fate::RULE,
    &persist_to_down_server::RULE,
    // D. Capacity
    &capacity_after_one_loss::RULE,
    &server_maxconn_missing::RULE,
    &max_conns_not_shared::RULE,
    // E. Routing
    &dangling_backend_reference::RULE,
    &catch_all_missing::RULE,
    &unused_backend::RULE,
    &split_not_total::RULE,
    &dynamic_backend_unresolved::RULE,
    &server_port_outlier::RULE,
    // F. Stickiness
    &cookie_coverage::RULE,
    // G. Discovery
    &resolve_once_hostname::RULE,
    // I. Hygiene
    &odd_one_out::RULE,
    &id_renumber_risk::RULE,
];

/// The catalogue: every rule with its page. A page that is malformed panics where it is read; a test
/// reads them all.
pub fn catalogue() -> &'static [Entry] {
    static CATALOGUE: OnceLock<Vec<Entry>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let entry = |rule: &&'static Rule| Entry {
            page: LazyPage::new(rule.page),
            rule,
        };
        ALL.iter().map(entry).collect()
    })
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    catalogue().iter().find(|entry| entry.page.name() == name)
}

/// The name on the page of `rule`.
fn name_of(rule: &Rule) -> Option<&'static str> {
    let entry = catalogue()
        .iter()
        .find(|entry| std::ptr::eq(entry.rule, rule))?;
    Some(entry.page.name())
}

/// What to say when there is no rule `name`.
pub fn did_you_mean(name: &str) -> String {
    let names = catalogue().iter().map(|entry| entry.page.name());
    let hint = spelling::nearest(name, names).map(|nearest| format!("did you mean `{nearest}`; "));
    format!(
        "{}`lbaudit rules` lists the rules",
        hint.unwrap_or_default()
    )
}

/// Runs every rule on one instance. Findings have rule, engine and instance set.
pub fn check_instance(context: &Context<'_>) -> Vec<Finding> {
    // Room that is not used costs nothing; a list that grows leaves its former places behind.
    let mut findings = Vec::with_capacity(8 * context.instance.backends.len());
    let entries: Vec<&'static Entry> = applicable(context).collect();
    // All rules on one backend before the next: its servers stay in the cache of the processor.
    let mut asked: Vec<Asked> = entries.iter().copied().map(Asked::new).collect();
    asked.sort_by_key(|asked| asked.is_umbrella);
    let from = asked.partition_point(|asked| !asked.is_umbrella);
    asked.get_mut(from..).unwrap_or_default().reverse();
    for view in views(context) {
        check_view(&mut asked, &view, &mut findings);
    }
    for entry in &entries {
        check_whole(entry, context, &mut findings);
    }
    findings
}

/// A rule on backends, and how much it found so far.
struct Asked {
    entry: &'static Entry,
    is_umbrella: bool,
    found: usize,
}

impl Asked {
    fn new(entry: &'static Entry) -> Self {
        Self {
            entry,
            is_umbrella: matches!(entry.rule.check, Check::Umbrella(_)),
            found: 0,
        }
    }
}

/// The finding of which only the fact is known, with its words; `None` where no backend has it.
pub fn worded(context: &Context<'_>, fact: &Finding) -> Option<Finding> {
    let entry = find(fact.rule)?;
    let is_it = |view: &BackendView<'_>| fact.subject.backend.as_ref() == Some(&view.backend.name);
    let mut findings = Vec::new();
    views(context)
        .filter(is_it)
        .for_each(|view| check_backend(entry, &view, &mut findings));
    let same = |finding: &Finding| finding.span == fact.span && finding.subject == fact.subject;
    findings.into_iter().find(same)
}

/// Runs the rules that compare instances.
pub fn check_audit(contexts: &[Context<'_>]) -> Vec<Finding> {
    let compare = |entry: &&Entry| matches!(entry.rule.check, Check::Audit(_));
    let findings = |entry| run(entry, contexts);
    catalogue()
        .iter()
        .filter(compare)
        .flat_map(findings)
        .collect()
}

/// Runs one rule on the instances that it judges. Findings have rule, engine and instance set.
pub fn run(entry: &'static Entry, contexts: &[Context<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Check::Audit(check) = entry.rule.check {
        check(contexts, &mut findings);
        for finding in &mut findings {
            finding.rule = entry.page.name();
        }
        return findings;
    }
    for context in contexts {
        if entry.page.judges(context.instance.engine) {
            views(context).for_each(|view| check_backend(entry, &view, &mut findings));
            check_whole(entry, context, &mut findings);
        }
    }
    findings
}

fn views<'a>(context: &'a Context<'a>) -> impl Iterator<Item = BackendView<'a>> {
    let backends = context.instance.backends.iter().enumerate();
    backends.map(|(index, backend)| BackendView::new(context, index, backend))
}

/// Runs every rule on one backend, in the order given.
fn check_view(asked: &mut [Asked], view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    // What settings take out cannot stand in for anything.
    let can_replace = !view.context.settings.sets_rules();
    let mut spoke: Vec<&Entry> = Vec::new();
    for asked in asked {
        let entry = asked.entry;
        if asked.is_umbrella && spoke.iter().any(|spoke| replaces(spoke, entry)) {
            continue;
        }
        let from = findings.len();
        view.set_wants_words(asked.found < view.context.worded);
        check_backend(entry, view, findings);
        asked.found += findings.len() - from;
        let made = findings.get(from..).unwrap_or_default();
        debug_assert!(
            !asked.is_umbrella || made.iter().all(|it| it.subject.server.is_none()),
            "what an umbrella says of one server would only be replaced if that one is meant"
        );
        if can_replace && !made.is_empty() {
            spoke.push(entry);
        }
    }
}

fn replaces(specific: &Entry, umbrella: &Entry) -> bool {
    let mut replaced = specific.page.replaces.iter();
    replaced.any(|replaced| replaced == umbrella.page.name())
}

fn check_backend(entry: &'static Entry, view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    if let Check::Backend(check) | Check::Umbrella(check) | Check::Both(check, _) = entry.rule.check
    {
        let from = findings.len();
        check(view, findings);
        sign(entry, view.context, findings, from);
    }
}

fn check_whole(entry: &'static Entry, context: &Context<'_>, findings: &mut Vec<Finding>) {
    if let Check::Instance(check) | Check::Both(_, check) = entry.rule.check {
        let from = findings.len();
        check(context, findings);
        sign(entry, context, findings, from);
    }
}

/// Says of the findings behind `from` which rule made them and where.
fn sign(entry: &'static Entry, context: &Context<'_>, findings: &mut [Finding], from: usize) {
    for finding in findings.iter_mut().skip(from) {
        finding.rule = entry.page.name();
        finding.engine = context.instance.engine;
        finding.instance = context.index;
    }
}

fn applicable<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'static Entry> + 'a {
    catalogue()
        .iter()
        .filter(|entry| entry.page.judges(context.instance.engine))
}
