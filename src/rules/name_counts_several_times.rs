//! `name-counts-several-times`: one server line is several servers, or several lines are one.

use super::tier::Tier;
use super::wording::{count, percent};
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
        Engine::Nginx => names(&tier, findings),
        Engine::Haproxy => findings.extend(slots(&tier)),
    }
}

/// nginx makes one server of every address of a name, each with the full weight.
fn names(tier: &Tier<'_, '_>, findings: &mut Vec<Finding>) {
    for server in tier.servers().filter(|one| one.options.resolvers.is_none()) {
        let Some(addresses) = addresses(server) else {
            continue;
        };
        let message = format!(
            "`{}` in {} can have several addresses ({addresses}): nginx then gives this line as many \
             shares",
            server.name,
            tier.view.title()
        );
        let help = if server.address.is_local() {
            "write the address: `127.0.0.1`"
        } else {
            "write addresses, or use `resolve` for every server of the upstream"
        };
        let finding = Finding::new(Severity::Info, server.head, message, help)
            .backend(&tier.view.backend.name)
            .server(&server.name)
            .label("one share for each address");
        findings.push(finding);
    }
}

/// What is known about the addresses of a name without asking; `None` where nothing is.
fn addresses(server: &Server) -> Option<&'static str> {
    if server.address.kind != AddressKind::Name {
        return None;
    }
    let name = server
        .address
        .host
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
fn slots(tier: &Tier<'_, '_>) -> Option<Finding> {
    let mut templates = tier.servers().filter_map(|server| {
        let fixed = server.options.resolvers.is_none();
        server.template.as_ref().filter(|_| fixed)
    });
    let template: &Template = templates.find(|template| template.slots > 1)?;
    let of_template = |server: &Server| {
        (server.template.as_ref()).is_some_and(|other| other.span == template.span)
    };
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
        first.address.host,
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
