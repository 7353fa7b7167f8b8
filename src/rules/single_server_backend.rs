//! `single-server-backend`: a service that stands on one server.
//!
//! In: the servers of each routed backend. Out: at most one finding per backend.

use super::{BackendView, Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{AddressKind, Backend, Layer, Server};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/single-server-backend.md"),
    check: Check::Backend(check),
    options: &[],
};

/// Parts of names of backends that nobody needs twice.
const ALONE: [&str; 10] = [
    "acme",
    "letsencrypt",
    "certbot",
    "stats",
    "exporter",
    "metrics",
    "debug",
    "monitor",
    "health",
    "maint",
];

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    if let Some(server) = only_server(view) {
        findings.push(finding(view.context, view.backend, server));
    }
}

/// The one server that a routed backend depends on.
fn only_server<'a>(view: &BackendView<'a>) -> Option<&'a Server> {
    let (context, backend) = (view.context, view.backend);
    let mut usable = backend.usable_primaries().chain(backend.usable_backups());
    let server = usable.next()?;
    if usable.next().is_some() {
        return None;
    }
    let in_use = !context.instance.shows_routes() || !view.routes().is_empty();
    let name = backend.name.to_lowercase();
    let counts = in_use
        && backend.declared
        && backend.layer != Layer::Log
        && server.template().is_none()
        && is_one_machine(server)
        && !ALONE.iter().any(|word| name.contains(word));
    counts.then_some(server)
}

/// Whether the address is that of one other machine: a name may stand for several, a local address is
/// the machine itself.
fn is_one_machine(server: &Server) -> bool {
    matches!(server.address.kind, AddressKind::Ipv4 | AddressKind::Ipv6)
        && !server.address.is_local()
}

fn finding(context: &Context<'_>, backend: &Backend, server: &Server) -> Finding {
    let word = context.instance.engine.backend_word();
    let others = match backend.servers.len() {
        0 | 1 => "its only server".to_owned(),
        number => format!("the only usable one of its {number} servers"),
    };
    let message = format!(
        "{word} `{}` depends on `{}`, {others}: when it is down the service is down",
        backend.name, server.name
    );
    let help = "add a second server or a backup";
    Finding::new(Severity::Info, backend.span, message, help)
        .label("one server")
        .related("all traffic goes here", server.head())
        .backend(&backend.name)
}
