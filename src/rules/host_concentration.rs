//! `host-concentration`: one machine, or one zone, carries most of a service.
//!
//! In: the tiers of backends. Out: the machine behind several lines of one backend; the zone that most
//! of its traffic depends on; the machine that several critical backends have in common.

mod services;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

use super::tier::Tier;
use super::wording::{count, percent};
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Server};
use crate::predict::{Basis, ratio};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/host-concentration.md"),
    check: Check::Both(check, services::check),
    options: &[
        RuleOption {
            name: "max-share",
            default: 0.5,
            summary: "share of a backend's traffic that one machine may carry",
        },
        RuleOption {
            name: "max-zone-share",
            default: 0.6,
            summary: "share of a backend's traffic that one zone may carry",
        },
        RuleOption {
            name: "max-times-mean",
            default: 1.5,
            summary: "what one machine may carry over all critical backends, in times of the mean machine",
        },
    ],
};

/// Fewer server lines than this make no statement about where they run.
const LEAST_SERVERS: usize = 3;

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(tier) = Tier::of(view).filter(|tier| tier.members.len() >= LEAST_SERVERS) else {
        return;
    };
    let before = findings.len();
    if !tier.hosts_differ() {
        check_hosts(&tier, findings);
    }
    if findings.len() == before {
        findings.extend(zones::check(&tier));
    }
}

fn check_hosts(tier: &Tier<'_, '_>, findings: &mut Vec<Finding>) {
    let mut hosts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (_, server)) in tier.members.iter().enumerate() {
        // One address that cannot be told apart makes the sums of all others doubtful.
        let Some(host) = host(server) else { return };
        hosts.entry(host).or_default().push(at);
    }
    if hosts.len() == tier.members.len() {
        return;
    }
    let share = |members: &[usize]| share(tier, members).unwrap_or_default();
    let most = (hosts.iter()).max_by(|(_, a), (_, b)| share(a).total_cmp(&share(b)));
    if let Some((host, members)) = most {
        findings.extend(finding(tier, host, members));
    }
}

/// The machine behind a server; `None` where it is this one or cannot be told.
pub(super) fn host(server: &Server) -> Option<&str> {
    let known = matches!(
        server.address.kind,
        AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Name
    );
    // A name that is looked up while running, or fills the slots of a template, is many machines.
    let one = server.template().is_none() && server.options.resolvers.is_none();
    let host = server.address.host();
    // How containers name the machine that they run on.
    let own = matches!(host, "172.17.0.1" | "host.docker.internal");
    (known && one && !own && !server.address.is_local()).then_some(host)
}

fn finding(tier: &Tier<'_, '_>, host: &str, members: &[usize]) -> Option<Finding> {
    let servers: Vec<&Server> = (members.iter())
        .filter_map(|at| tier.members.get(*at))
        .map(|(_, server)| *server)
        .collect();
    // The same endpoint again is `duplicate-server-address`.
    let endpoints: BTreeSet<Option<u16>> = (servers.iter())
        .map(|server| server.address.port.number())
        .collect();
    let share = share(tier, members)?;
    let limit = tier.view.context.option(&RULE, "max-share");
    if endpoints.len() < 2 || share <= limit || is_virtual(tier.view) {
        return None;
    }
    let alone = servers.len() == tier.members.len();
    let (severity, message) = if alone {
        let all = count(servers.len(), "server line");
        let title = tier.view.title();
        let text = format!("all {all} of {title} are on host `{host}`: losing it is losing all");
        (Severity::Info, text)
    } else {
        (Severity::Warning, carries(tier, host, share, servers.len()))
    };
    let first = *servers.first()?;
    let help = "spread the lines over more machines, or weight them so that the host has one share";
    let mut finding = Finding::new(severity, first.head(), message, help)
        .backend(&tier.view.backend.name)
        .label(format!("on `{host}`"))
        .shares(tier.share_table());
    for server in servers.iter().skip(1).take(3) {
        finding = finding.related(format!("`{}` is there too", server.name), server.head());
    }
    Some(finding)
}

fn carries(tier: &Tier<'_, '_>, host: &str, share: f64, lines: usize) -> String {
    let basis = tier.view.prediction().map(|prediction| prediction.basis);
    let when = if basis == Some(Basis::Load) {
        " under load"
    } else {
        ""
    };
    format!(
        "host `{host}` carries {} of the {} of {}{when} over {}: losing it takes them all",
        percent(share),
        tier.view.unit(),
        tier.view.title(),
        count(lines, "server line")
    )
}

/// The share of all traffic that these members take; a share at equal load will do.
fn share(tier: &Tier<'_, '_>, members: &[usize]) -> Option<f64> {
    let prediction = tier.view.prediction()?;
    let taken = (members.iter())
        .filter_map(|at| tier.members.get(*at))
        .filter_map(|(index, _)| prediction.shares.get(*index));
    Some(taken.copied().map(ratio).sum())
}

/// Whether a comment says that the address is a load balancer of its own: `# lbaudit: kind=vip`.
pub(super) fn is_virtual(view: &BackendView<'_>) -> bool {
    let mut comments = view.backend.comments.iter();
    comments.any(|span| view.context.annotation(*span, "kind").as_deref() == Some("vip"))
}
