//! `check-port-differs`: the check of some servers says nothing about where their traffic goes.
//!
//! In: the checks of a HAProxy tier. Out: one finding per tier.

use super::tier::names_of;
use super::wording::names;
use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Port, Server};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/check-port-differs.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    for primary in [true, false] {
        let checked = || {
            let tier = facts::tier(view.backend, primary).map(|(_, server)| server);
            tier.filter(|server| server.check.known() == Some(&true))
        };
        let elsewhere: Vec<(&Server, Span)> = checked()
            .filter_map(|server| Some((server, elsewhere(server)?)))
            .collect();
        if elsewhere.is_empty() {
            continue;
        }
        let here =
            checked().find(|server| elsewhere.iter().all(|(it, _)| !std::ptr::eq(*it, *server)));
        let explained = (elsewhere.iter())
            .any(|(server, _)| view.server_notes(server).state_reason(view.context.today));
        if let Some(here) = here.filter(|_| !explained) {
            findings.extend(finding(view, &elsewhere, here));
        }
    }
}

/// Where it is written that a server is checked at another place than its traffic goes to.
fn elsewhere(server: &Server) -> Option<Span> {
    let options = &server.options;
    let port = options.check_port.as_ref().filter(|port| {
        let traffic = server.address.port;
        let known = !port.is_opaque() && matches!(traffic, Port::Fixed(_) | Port::Default(_));
        known && traffic.number() != Some(port.value)
    });
    let address = options
        .check_addr
        .as_ref()
        .filter(|address| !address.is_opaque() && address.value != server.address.host());
    let port = port.and_then(|port| port.origin.span());
    port.or_else(|| address?.origin.span())
}

fn finding(
    view: &BackendView<'_>,
    elsewhere: &[(&Server, Span)],
    here: &Server,
) -> Option<Finding> {
    let (first, span) = elsewhere.first()?;
    let listed = names_of(elsewhere.iter().map(|(server, _)| *server));
    let are = if elsewhere.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} of {} {are} not checked where the traffic goes, unlike `{}`: such a server stays UP when its service is gone",
        names(&listed),
        view.title(),
        here.name,
    );
    let help = "check all servers alike, with `check-ssl` where a check port is set and the servers speak TLS";
    let finding = Finding::new(Severity::Warning, *span, message, help)
        .backend(&view.backend.name)
        .label("the check goes there")
        .related(
            format!("`{}` is checked at its own port", here.name),
            here.head(),
        );
    Some(match elsewhere {
        [_] => finding.server(&first.name),
        _ => finding,
    })
}
