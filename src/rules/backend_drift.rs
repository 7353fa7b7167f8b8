//! `backend-drift`: copies of one service, on several load balancers, are not the same any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use num_integer::Integer;

use super::wording::{count, names, percent};
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, Backend, Server};
use crate::predict::{Basis, predict, ratio};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/backend-drift.md"),
    check: Check::Audit(check),
    options: &[],
};

/// From this many copies on, a server that only one of them knows is an error.
const MANY_COPIES: usize = 10;

/// Words in a path that tell what a file is for: copies with different ones are meant to differ.
const ROLE_WORDS: &[&str] = &[
    "prod",
    "production",
    "staging",
    "stage",
    "stg",
    "dev",
    "devel",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "int",
    "preprod",
    "sandbox",
    "demo",
    "local",
    "ci",
    "old",
    "bak",
    "backup",
    "orig",
    "original",
    "save",
    "before",
    "after",
    "example",
    "examples",
    "sample",
    "samples",
    "template",
    "templates",
    "tmpl",
    "disabled",
    "archive",
    "broken",
    "fixed",
    "bad",
    "good",
    "new",
];

/// Words that name one of several load balancers at the end of a backend's name, before a number.
const COPY_WORDS: &[&str] = &["lb", "proxy", "front", "edge", "gw"];

/// One copy of a service.
struct Copy<'a> {
    context: &'a Context<'a>,
    backend: &'a Backend,
    /// What each endpoint gets; endpoints are written the same way in all copies.
    servers: BTreeMap<String, Peer>,
}

/// A server as far as copies have to agree on it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Peer {
    /// Weight, divided by what all weights of the copy have in common.
    weight: u32,
    backup: bool,
    usable: bool,
    checked: bool,
    maxconn: Option<u32>,
}

fn check(contexts: &[Context<'_>], findings: &mut Vec<Finding>) {
    let mut named: BTreeMap<&str, Vec<(&Context<'_>, &Backend)>> = BTreeMap::new();
    // Variants of one file are not copies of each other.
    let first = |context: &&Context<'_>| context.instance.variant == 0;
    for context in contexts.iter().filter(first) {
        for backend in &context.instance.backends {
            let copies = named.entry(service(&backend.name)).or_default();
            // A name that says nothing about load balancers stands for one copy in a file.
            let again = service(&backend.name) == backend.name
                && copies
                    .last()
                    .is_some_and(|(other, _)| other.index == context.index);
            if !again {
                copies.push((context, backend));
            }
        }
    }
    for copies in named.into_values().filter(|copies| copies.len() > 1) {
        let copies = copies.into_iter();
        let copies = copies.filter_map(|(context, backend)| Copy::new(context, backend));
        for group in related(copies.collect()) {
            compare(&group, findings);
        }
    }
}

/// The name of the service that a backend is a copy of: `auth` for `auth_lb2`.
fn service(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == name.len() {
        return name;
    }
    (COPY_WORDS.iter())
        .filter_map(|word| stem.strip_suffix(word))
        .filter_map(|stem| stem.strip_suffix(['-', '_', '.']))
        .find(|stem| !stem.is_empty())
        .unwrap_or(name)
}

/// Lower-case words of a path, without the digits behind them.
fn words(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| {
            word.trim_end_matches(|c: char| c.is_ascii_digit())
                .to_ascii_lowercase()
        })
}

impl<'a> Copy<'a> {
    /// `None` where a copy cannot be compared: endpoints of this machine mean another one in the next
    /// file, and slots or unknown values are filled elsewhere.
    fn new(context: &'a Context<'a>, backend: &'a Backend) -> Option<Self> {
        let opaque = |server: &Server| {
            server.weight.is_opaque()
                || server.disabled.is_opaque()
                || server.backup.is_opaque()
                || server.maxconn.is_opaque()
        };
        let common = (backend.servers.iter())
            .map(|server| server.weight.value)
            .fold(0, |common: u32, weight| common.gcd(&weight))
            .max(1);
        let mut servers = BTreeMap::new();
        for server in &backend.servers {
            if opaque(server) || server.template().is_some() || server.address.is_local() {
                return None;
            }
            let peer = Peer {
                weight: server.weight.value / common,
                backup: server.backup.value,
                usable: server.is_usable(),
                checked: server.check.value,
                maxconn: server.maxconn.value,
            };
            servers.insert(server.address.endpoint()?, peer);
        }
        (backend.declared && !servers.is_empty()).then_some(Self {
            context,
            backend,
            servers,
        })
    }

    /// The file, as short as its name is enough.
    fn file(&self) -> &str {
        &self.context.instance.root
    }

    /// The role that the path or an annotation gives it.
    fn role(&self) -> BTreeSet<String> {
        let annotated = self.backend.comments.iter().filter_map(|span| {
            let value = |key| self.context.annotation(*span, key);
            value("role").or_else(|| value("region"))
        });
        let by_path = words(self.file()).filter(|word| ROLE_WORDS.contains(&word.as_str()));
        let saved = self.file().ends_with('~').then(|| "old".to_owned());
        by_path.chain(saved).chain(annotated).collect()
    }
}

/// Splits copies of one name into groups that are one service: of one role, with at least half of
/// the smaller one's endpoints in common with the first of the group.
fn related(copies: Vec<Copy<'_>>) -> Vec<Vec<Copy<'_>>> {
    let mut groups: Vec<Vec<Copy<'_>>> = Vec::new();
    // The groups that know an endpoint, so that not every group is looked at.
    let mut by_endpoint: BTreeMap<(BTreeSet<String>, String), usize> = BTreeMap::new();
    for copy in copies {
        let role = copy.role();
        let known = |endpoint: &String| by_endpoint.get(&(role.clone(), endpoint.clone())).copied();
        let candidates: BTreeSet<usize> = copy.servers.keys().filter_map(known).collect();
        let fits = |group: &usize| {
            (groups.get(*group).and_then(|group| group.first()))
                .is_some_and(|first| overlap(first, &copy))
        };
        let index = candidates.into_iter().find(fits).unwrap_or(groups.len());
        for endpoint in copy.servers.keys() {
            let key = (role.clone(), endpoint.clone());
            by_endpoint.entry(key).or_insert(index);
        }
        match groups.get_mut(index) {
            Some(group) => group.push(copy),
            None => groups.push(vec![copy]),
        }
    }
    groups
}

fn overlap(a: &Copy<'_>, b: &Copy<'_>) -> bool {
    let common = a.servers.keys().filter(|key| b.servers.contains_key(*key));
    let common = common.count();
    common * 2 >= a.servers.len().min(b.servers.len())
}

/// Reports every copy that differs from what most copies say.
fn compare(group: &[Copy<'_>], findings: &mut Vec<Finding>) {
    let Some(usual) = usual(group) else { return };
    for copy in group.iter().filter(|copy| !std::ptr::eq(*copy, usual)) {
        findings.extend(finding(copy, usual, group.len()));
    }
}

/// The copy that most others agree with; of two, the one that knows more servers.
fn usual<'g, 'a>(group: &'g [Copy<'a>]) -> Option<&'g Copy<'a>> {
    let mut votes: BTreeMap<Vec<&String>, (usize, usize)> = BTreeMap::new();
    for (index, copy) in group.iter().enumerate() {
        let (count, _) = votes
            .entry(copy.servers.keys().collect())
            .or_insert((0, index));
        *count += 1;
    }
    let best = votes
        .iter()
        .max_by_key(|(keys, (count, index))| (*count, keys.len(), usize::MAX - *index));
    best.and_then(|(_, (_, index))| group.get(*index))
}

fn finding(copy: &Copy<'_>, usual: &Copy<'_>, copies: usize) -> Option<Finding> {
    let differences = differences(copy, usual);
    let first = differences.first()?;
    let more = match differences.len() {
        1 => String::new(),
        number => format!(" (and {})", count(number - 1, "more difference")),
    };
    let message = format!(
        "{} of {} differs from {}: {first}{more}{}",
        title(copy),
        short(copy, usual),
        whose(copy, usual),
        combined(copy, usual).map_or(String::new(), |text| format!("; {text}"))
    );
    let extra = copy
        .servers
        .keys()
        .any(|key| !usual.servers.contains_key(key));
    let severity = if extra && copies >= MANY_COPIES {
        Severity::Error
    } else {
        Severity::Warning
    };
    let help = "find out which copy is right, generate both from one source and apply it again";
    let mut finding = Finding::new(severity, copy.backend.span, message, help)
        .backend(&copy.backend.name)
        .label("this copy")
        .related("the other copy", usual.backend.span);
    finding.engine = copy.context.instance.engine;
    finding.instance = copy.context.index;
    Some(finding)
}

fn title(copy: &Copy<'_>) -> String {
    let word = copy.context.instance.engine.backend_word();
    format!("{word} `{}`", copy.backend.name)
}

/// The name of the file, with its folder where both files have the same name.
fn short<'c>(copy: &'c Copy<'_>, other: &Copy<'_>) -> std::borrow::Cow<'c, str> {
    let name = |path: &'c str| {
        Path::new(path)
            .file_name()
            .map(std::ffi::OsStr::to_string_lossy)
    };
    let same = Path::new(copy.file()).file_name() == Path::new(other.file()).file_name();
    let short = name(copy.file()).filter(|_| !same);
    short.unwrap_or_else(|| copy.file().into())
}

fn whose(copy: &Copy<'_>, usual: &Copy<'_>) -> String {
    let file = short(usual, copy);
    if copy.context.index == usual.context.index {
        format!("`{}`", usual.backend.name)
    } else if copy.backend.name == usual.backend.name {
        format!("the one of {file}")
    } else {
        format!("`{}` of {file}", usual.backend.name)
    }
}

/// What differs, the gravest first.
fn differences(copy: &Copy<'_>, usual: &Copy<'_>) -> Vec<String> {
    let only = |here: &Copy<'_>, there: &Copy<'_>| -> Vec<String> {
        let keys = here.servers.keys();
        keys.filter(|key| !there.servers.contains_key(*key))
            .cloned()
            .collect()
    };
    let mut all = Vec::new();
    let (missing, extra) = (only(usual, copy), only(copy, usual));
    if !missing.is_empty() {
        all.push(format!("it lacks {}", names(&missing)));
    }
    if !extra.is_empty() {
        all.push(format!("only it has {}", names(&extra)));
    }
    for (endpoint, here) in &copy.servers {
        if let Some(there) = usual.servers.get(endpoint) {
            all.extend(peer_difference(endpoint, *here, *there, copy, usual));
        }
    }
    let (here, there) = (
        &copy.backend.algorithm.value,
        &usual.backend.algorithm.value,
    );
    if here != there && copy.context.instance.engine == usual.context.instance.engine {
        all.push("its balancing algorithm is another".to_owned());
    }
    if missing.is_empty() && extra.is_empty() && positions_differ(copy, usual) {
        all.push("its servers have other ids, so keys go to other servers".to_owned());
    }
    all
}

fn peer_difference(
    endpoint: &str,
    here: Peer,
    there: Peer,
    copy: &Copy<'_>,
    usual: &Copy<'_>,
) -> Option<String> {
    let yes = |is: bool, what: &str| format!("{}{what}", if is { "" } else { "not " });
    let text = if here.usable != there.usable {
        let (here, there) = (yes(here.usable, "in use"), yes(there.usable, "in use"));
        format!("`{endpoint}` is {here} here and {there} there")
    } else if here.backup != there.backup {
        let (here, there) = (yes(here.backup, "a backup"), yes(there.backup, "a backup"));
        format!("`{endpoint}` is {here} here and {there} there")
    } else if here.weight != there.weight && copy.servers.len() == usual.servers.len() {
        let shares = |weight| if weight == 1 { "share" } else { "shares" };
        let (here, there) = (here.weight, there.weight);
        format!(
            "`{endpoint}` has {here} {} here and {there} there",
            shares(here)
        )
    } else if copy.context.instance.engine != usual.context.instance.engine {
        return None;
    } else if here.checked != there.checked {
        let (here, there) = (yes(here.checked, "checked"), yes(there.checked, "checked"));
        format!("`{endpoint}` is {here} here and {there} there")
    } else if here.maxconn != there.maxconn {
        let limit = |limit: Option<u32>| limit.map_or("no limit".to_owned(), |n| n.to_string());
        let (here, there) = (limit(here.maxconn), limit(there.maxconn));
        format!("`{endpoint}` has a connection limit of {here} here and {there} there")
    } else {
        return None;
    };
    Some(text)
}

/// Whether equal servers have different HAProxy ids where keys or the order depend on them.
fn positions_differ(copy: &Copy<'_>, usual: &Copy<'_>) -> bool {
    let ids = |copy: &Copy<'_>| -> BTreeMap<Option<String>, u32> {
        let servers = copy.backend.servers.iter();
        servers
            .map(|server| (server.address.endpoint(), server.id().value))
            .collect()
    };
    let by_id = matches!(
        copy.backend.algorithm.value,
        Algorithm::Hash(_) | Algorithm::First
    );
    by_id
        && copy.backend.algorithm.value == usual.backend.algorithm.value
        && ids(copy) != ids(usual)
}

/// The share of the endpoint that gets most when both copies have the same traffic.
fn combined(copy: &Copy<'_>, usual: &Copy<'_>) -> Option<String> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for one in [copy, usual] {
        let instance = one.context.instance;
        let prediction = predict(instance.engine, instance.version, one.backend, &[])?;
        if prediction.basis == Basis::Load {
            return None;
        }
        for (server, share) in one.backend.servers.iter().zip(&prediction.shares) {
            *sums.entry(server.address.endpoint()?).or_default() += ratio(*share) / 2.0;
        }
    }
    let (endpoint, most) = sums.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
    let least = sums.values().copied().fold(f64::INFINITY, f64::min);
    (most / least > 1.01).then(|| format!("over both `{endpoint}` gets {}", percent(*most)))
}
