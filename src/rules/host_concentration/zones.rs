//! The zone that most of a backend's traffic depends on.
//!
//! In: a tier. Out: at most one finding, an information: zones are guessed from names and networks
//! where no annotation names them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::tier::Tier;
use super::super::wording::{count, percent};
use super::{RULE, is_virtual, share};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Engine, Server};

/// With fewer servers, two in one network are all it takes.
const LEAST_OF_NETWORKS: usize = 4;

/// The members of each zone.
type Zones<'a> = BTreeMap<Cow<'a, str>, Vec<usize>>;

/// What sets the zones of a tier apart.
#[derive(Clone, Copy)]
enum Label {
    Annotation,
    Name,
    Network,
}

pub(super) fn check(tier: &Tier<'_, '_>) -> Option<Finding> {
    let (label, zones) = zones(tier)?;
    let limit = tier.view.context.option(&RULE, "max-zone-share");
    let shares = |members: &[usize]| share(tier, members).unwrap_or_default();
    let (zone, members) =
        (zones.iter()).max_by(|(_, a), (_, b)| shares(a).total_cmp(&shares(b)))?;
    let share = shares(members);
    // Of a zone with one server the rules on weights have more to say.
    if members.len() < 2 || share <= limit || is_virtual(tier.view) {
        return None;
    }
    let (_, first) = *tier.members.get(*members.first()?)?;
    let what = match label {
        Label::Annotation | Label::Name => format!("zone `{zone}`"),
        Label::Network => format!("network `{zone}.0/24`"),
    };
    let message = format!(
        "{what} carries {} of the {} of {} over {}: losing it takes them all",
        percent(share),
        tier.view.unit(),
        tier.view.title(),
        count(members.len(), "server")
    );
    let help = "spread the servers over the zones, or name the zones: `# lbaudit: zone=NAME` at each server";
    let finding = Finding::new(Severity::Info, first.head(), message, help)
        .backend(&tier.view.backend.name)
        .label(format!("in {what}"))
        .shares(tier.share_table());
    Some(finding)
}

/// The members of each zone, where every server shows its own in the same way and there are several.
fn zones<'a>(tier: &Tier<'_, 'a>) -> Option<(Label, Zones<'a>)> {
    [Label::Annotation, Label::Name, Label::Network]
        .into_iter()
        .filter(|label| !matches!(label, Label::Network) || tier.members.len() >= LEAST_OF_NETWORKS)
        .filter_map(|label| Some((label, labelled(tier, label)?)))
        .find(|(_, zones)| zones.len() > 1)
}

fn labelled<'a>(tier: &Tier<'_, 'a>, label: Label) -> Option<Zones<'a>> {
    let zone = |server: &'a Server| match label {
        Label::Annotation => {
            let zone = tier.view.context.annotation(server.comment()?, "zone");
            zone.map(Cow::Owned)
        }
        Label::Name => suffix(tier.view.context.instance.engine, server).map(Cow::Borrowed),
        Label::Network => network(server).map(Cow::Borrowed),
    };
    // In most tiers nobody shows a zone, or all show the same one.
    let mut servers = tier.servers();
    let first = zone(servers.next()?)?;
    if servers.all(|server| zone(server).as_ref() == Some(&first)) {
        return None;
    }
    let mut zones = Zones::new();
    for (at, server) in tier.servers().enumerate() {
        zones.entry(zone(server)?).or_default().push(at);
    }
    Some(zones)
}

/// The end of a name that looks like a zone: a letter, with or without a number before it, as in
/// `auth1-a` and `auth1-1a`.
fn suffix(engine: Engine, server: &Server) -> Option<&str> {
    let name = match engine {
        Engine::Haproxy => server.name.as_str(),
        Engine::Nginx => server.address.host().split('.').next()?,
    };
    let (_, end) = name.rsplit_once(['-', '_', '.'])?;
    let letter = end.trim_start_matches(|c: char| c.is_ascii_digit());
    (letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(end)
}

/// The first three numbers of an IPv4 server, which are its network of 256 addresses.
fn network(server: &Server) -> Option<&str> {
    if server.address.kind != AddressKind::Ipv4 || server.address.is_local() {
        return None;
    }
    let host = server.address.host();
    host.get(..host.bytes().rposition(|byte| byte == b'.')?)
}
