//! `name-counts-several-times`: one server line is several servers, or several lines are one.

use super::tier::{Tier, names_of};
use super::wording::{self, count, percent};
use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Engine, Server, Template};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/name-counts-several-times.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(tier) = Tier::of(view) else { return };
    match view.context.instance.engine {
        Engine::Nginx => findings.extend(names(&tier)),
        Engine::Haproxy => findings.extend(slots(&tier)),
    }
}

/// nginx makes one server of every address of a name, each with the full weight.
fn names(tier: &Tier<'_, '_>) -> Option<Finding> {
    let known = |server: &&Server| addresses(server);
    let of_first = tier.servers().next().as_ref().and_then(known);
    if tier.servers().all(|server| addresses(server) == of_first) {
        // All of them count alike.
        return None;
    }
    let several: Vec<&Server> = tier.servers().filter(|one| known(one).is_some()).collect();
    let first = *several.first()?;
    let message = format!(
        "{} in {} can stand for several addresses{}: nginx gives a full share to each of them",
        wording::names(&names_of(several.iter().copied())),
        tier.view.title(),
        match several.as_slice() {
            [one] => format!(" ({})", addresses(one)?),
            _ => String::new(),
        }
    );
    let help = if first.address.is_local() {
        "write the address: `127.0.0.1`"
    } else {
        "write addresses, or use `resolve` for every server of the upstream"
    };
    Some(
        Finding::new(Severity::Info, first.head(), message, help)
            .backend(&tier.view.backend.name)
            .label("one share for each address"),
    )
}

/// What is known about the addresses of a name without asking; `None` where nothing is.
fn addresses(server: &Server) -> Option<&'static str> {
    if server.address.kind != AddressKind::Name || server.options.resolvers.is_some() {
        return None;
    }
    let name = server
        .address
        .host()
        .trim_end_matches('.')
        .to_ascii_lowercase();
    let ends = |suffix: &str| name.ends_with(suffix);
    if name == "localhost" {
        Some("127.0.0.1 and ::1")
    } else if ends(".elb.amazonaws.com") {
        Some("one for each zone of the load balancer")
    } else if ends(".svc") || ends(".svc.cluster.local") {
        Some("one for each pod of a headless service")
    } else {
        None
    }
}

/// HAProxy gives all slots of a template without `resolvers` the first address of the name.
fn slots(tier: &Tier<'_, '_>) -> Vec<Finding> {
    let mut templates: Vec<&Template> = (tier.servers())
        .filter(|server| server.options.resolvers.is_none())
        .filter_map(|server| server.template())
        .filter(|template| template.slots > 1)
        .collect();
    templates.dedup_by_key(|template| template.span);
    let findings = templates.iter().map(|template| slots_of(tier, template));
    findings.flatten().collect()
}

fn slots_of(tier: &Tier<'_, '_>, template: &Template) -> Option<Finding> {
    let of_template =
        |server: &Server| (server.template()).is_some_and(|other| other.span == template.span);
    let lines = tier.servers().filter(|server| of_template(server)).count();
    if lines == tier.members.len() {
        // Alone in its backend it skews nothing; `template-slots` judges it.
        return None;
    }
    let share = tier.shares().map(|shares| {
        let all = tier.servers().zip(shares);
        let sum: f64 = (all.filter(|(server, _)| of_template(server)))
            .map(|(_, share)| share)
            .sum();
        format!(": together {} of {}", percent(sum), tier.view.unit())
    });
    let first = tier.servers().find(|server| of_template(server))?;
    let message = format!(
        "all {} of `{}` in {} get the first address of `{}`{}",
        count(lines, "slot"),
        template.prefix,
        tier.view.title(),
        first.address.host(),
        share.unwrap_or_default()
    );
    let help = "add `resolvers` to the template, or write one `server` line";
    Some(
        Finding::new(Severity::Warning, template.span, message, help)
            .backend(&tier.view.backend.name)
            .label("no `resolvers`: one address for all slots")
            .shares(tier.share_table()),
    )
}
