//! `duplicate-server-address`: two servers of one tier are the same endpoint.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt as _};

use super::tier::Tier;
use super::wording::{names, percent};
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Algorithm, Engine, HashMethod, Server, Setting, Text};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/duplicate-server-address.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    // The same endpoint is on the same host.
    let Some(tier) = Tier::of(view).filter(|tier| !tier.hosts_differ()) else {
        return;
    };
    // Lines that `use-server` rules choose from differ in what the rules do with them.
    let by_rule: BTreeSet<Option<&Text>> = (view.backend.use_server.iter())
        .map(|(name, _)| name.as_ref())
        .collect();
    for group in groups(&tier) {
        let chosen = |member: &Member<'_>| by_rule.contains(&Some(&member.server.name));
        if !by_rule.contains(&None) && !group.iter().any(chosen) {
            findings.extend(finding(&tier, &group));
        }
    }
}

/// A server and its position in the tier.
#[derive(Clone, Copy)]
struct Member<'a> {
    position: usize,
    server: &'a Server,
}

/// The servers that are one endpoint, in declaration order; only groups of two and more.
fn groups<'a>(tier: &Tier<'_, 'a>) -> Vec<Vec<Member<'a>>> {
    let mut first_of: HashMap<String, Member<'a>> = HashMap::new();
    let mut groups: BTreeMap<usize, Vec<Member<'a>>> = BTreeMap::new();
    for (position, server) in tier.servers().enumerate() {
        let member = Member { position, server };
        let Some(endpoint) = endpoint(tier.view.context.instance.engine, server) else {
            continue;
        };
        let first = *first_of.entry(endpoint).or_insert(member);
        if first.position != position {
            let group = groups.entry(first.position).or_insert_with(|| vec![first]);
            group.push(member);
        }
    }
    groups.into_values().collect()
}

/// What makes two servers the same one. Servers that reach the same socket in a different way (other
/// SNI, other source address) can be two services behind it.
fn endpoint(engine: Engine, server: &Server) -> Option<String> {
    let options = &server.options;
    // HAProxy hands out different answers of one name to different servers (manual 5.3); slots of a
    // template are `name-counts-several-times`.
    let looked_up = engine == Engine::Haproxy
        && server.address.kind == AddressKind::Name
        && options.resolvers.is_some();
    if looked_up || server.template().is_some() {
        return None;
    }
    let mut endpoint = server.address.endpoint()?;
    if server.address.kind == AddressKind::Name && !is_host_name(server.address.host()) {
        return None;
    }
    let ways: [&Option<Box<Setting<Text>>>; 5] = [
        &options.sni,
        &options.send_proxy,
        &options.namespace,
        &options.source,
        &options.proto,
    ];
    for way in ways.into_iter().flatten() {
        endpoint.push(' ');
        endpoint.push_str(&way.value);
    }
    // Certificates, ALPN and the like.
    for option in &options.other {
        endpoint.push(' ');
        endpoint.push_str(option);
    }
    Some(endpoint)
}

/// Whether it can be a name at all: files that are filled in later have `<ip>` or `{{ host }}`.
fn is_host_name(host: &str) -> bool {
    host.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn finding(tier: &Tier<'_, '_>, group: &[Member<'_>]) -> Option<Finding> {
    let (first, last) = (group.first()?.server, group.last()?.server);
    let (total, same) = (tier.members.len(), group.len());
    let merges = merges(tier, group);
    let severity = if merges {
        Severity::Info
    } else if first.address.kind == AddressKind::Name && !first.address.is_local() {
        // One name can stand for several addresses: then the lines need not be one machine.
        Severity::Warning
    } else {
        Severity::Error
    };
    let consequence = if merges {
        "their points on the ring coincide, so together they get the share of one server".to_owned()
    } else if same == total {
        format!("these {total} lines are one server, and losing it is losing all")
    } else {
        let share = share(tier, group).map_or(String::new(), |share| {
            format!("it receives {share} of {}, and ", tier.view.unit())
        });
        format!("{share}losing it removes {same} of {total} servers")
    };
    let message = format!("{}: {consequence}", subject(tier, group));
    let help = "correct the address or remove the line: the right address is usually another one";
    let mut finding = Finding::new(severity, last.head(), message, help)
        .backend(&tier.view.backend.name)
        .server(&last.name)
        .label("the same endpoint again")
        .shares(tier.share_table());
    for Member { server, .. } in group.iter().rev().skip(1).rev().take(3) {
        finding = finding.related(format!("`{}` is it too", server.name), server.head());
    }
    Some(finding)
}

fn subject(tier: &Tier<'_, '_>, group: &[Member<'_>]) -> String {
    let mut written: Vec<&Text> = group.iter().map(|member| &member.server.name).collect();
    let all = written.len();
    written.dedup();
    let title = tier.view.title();
    match (written.as_slice(), group.first()) {
        ([one], _) => format!("`{one}` stands {all} times in {title}"),
        (_, Some(first)) => format!(
            "{} in {title} are the same endpoint `{}`",
            names(&written),
            first.server.address.text
        ),
        (_, None) => title,
    }
}

fn share(tier: &Tier<'_, '_>, group: &[Member<'_>]) -> Option<String> {
    let shares = tier.shares()?;
    let each = group
        .iter()
        .filter_map(|member| shares.get(member.position));
    Some(percent(each.sum()))
}

/// nginx `hash … consistent` computes the points of a server from its text: equal texts have equal
/// points, and the server is on the ring once.
fn merges(tier: &Tier<'_, '_>, group: &[Member<'_>]) -> bool {
    let backend = tier.view.backend;
    matches!(backend.algorithm.value, Algorithm::Hash(_))
        && backend.hash_type.value.method == HashMethod::Ketama
        && group.windows(2).all(|pair| match pair {
            [a, b] => a.server.address.text == b.server.address.text,
            _ => true,
        })
}
