//! References between proxies that HAProxy refuses when they lead nowhere: `track`, `use-server`,
//! `resolvers`, and routes from `mode http` to `mode tcp`. (Routes to a backend that does not exist are
//! a rule of their own.)
//!
//! In: the proxies of an instance. Out: findings of `refused-at-load`.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::Lowering;
use super::closed::Closed;
use super::common::Mode;
use super::proxy::Proxy;
use crate::finding::{Finding, Severity};
use crate::model::{Backend, Server, Text};
use crate::source::Span;

impl Lowering {
    /// References of every proxy.
    pub(super) fn check_references(&mut self, proxies: &[Closed], backends: &[Backend]) {
        self.check_tracks(proxies, backends);
        let modes: HashMap<&str, Mode> = (proxies.iter().rev())
            .filter(|proxy| proxy.kind.has_servers() && !proxy.disabled)
            .map(|proxy| (proxy.name.as_str(), proxy.mode))
            .collect();
        for proxy in proxies.iter().filter(|proxy| !proxy.disabled) {
            self.check_use_server(proxy, backends);
            if proxy.refers && !self.instance.fragment {
                self.check_resolvers(proxy, backends);
            }
            let front = proxy.rest.as_deref().filter(|it| it.kind.has_listeners());
            if let (Some(front), Mode::Http) = (front, proxy.mode) {
                self.check_modes(front, &modes);
            }
        }
    }

    fn check_use_server(&mut self, proxy: &Closed, backends: &[Backend]) {
        let use_server = proxy.use_server(backends);
        if use_server.is_empty() {
            return;
        }
        let servers = proxy.servers(backends).iter();
        let names: BTreeSet<&Text> = servers.map(|server| &server.name).collect();
        for (name, span) in use_server {
            let Some(name) = name.as_ref().filter(|name| !names.contains(name)) else {
                continue;
            };
            let message = format!(
                "`use-server` names server `{name}`, which `{}` does not have: every version of HAProxy refuses the file",
                proxy.name
            );
            let help = "name a server of this section";
            let finding = Finding::new(Severity::Error, *span, message, help);
            self.refuse(finding.backend(&proxy.name));
        }
    }

    /// The section `default` is made by HAProxy itself (since 2.6).
    fn check_resolvers(&mut self, proxy: &Closed, backends: &[Backend]) {
        let mut said: BTreeSet<Span> = BTreeSet::new();
        for server in proxy.servers(backends) {
            let Some(resolvers) = &server.options.resolvers else {
                continue;
            };
            let name = &resolvers.value;
            let span = resolvers.origin.span().unwrap_or(server.head());
            let known = resolvers.is_opaque() || name == "default";
            if known || self.resolvers.contains_key(name) || !said.insert(span) {
                continue;
            }
            let message = format!(
                "server `{}` uses resolvers `{name}`, which are not defined: every version of HAProxy refuses the file",
                server.name
            );
            let help = format!("add a section `resolvers {name}`");
            let finding = Finding::new(Severity::Error, span, message, help);
            self.refuse(finding.backend(&proxy.name).server(&server.name));
        }
    }

    /// HTTP requests cannot be handed to a backend in `mode tcp`; the other way round works since 2.2.
    fn check_modes(&mut self, proxy: &Proxy, modes: &HashMap<&str, Mode>) {
        let ways = proxy.ways.iter().filter(|way| !way.dynamic);
        let ways = ways.map(|way| (&way.target, way.span));
        let default = (proxy.common.default_backend.iter())
            .filter(|(_, _, dynamic)| !dynamic)
            .map(|(name, span, _)| (name, *span));
        for (target, span) in ways.chain(default) {
            if modes.get(target.as_str()) != Some(&Mode::Tcp) {
                continue;
            }
            let message = format!(
                "{} `{}` in mode http uses backend `{target}` in mode tcp: every version of HAProxy refuses the file",
                proxy.kind.word(),
                proxy.name
            );
            let help = "give both the same `mode`";
            let finding = Finding::new(Severity::Error, span, message, help);
            self.refuse(finding.listener(&proxy.name).backend(target));
        }
    }

    /// `track` must lead to a server with a check (`srv_apply_track`).
    fn check_tracks(&mut self, proxies: &[Closed], backends: &[Backend]) {
        if !proxies.iter().any(|proxy| proxy.refers) {
            return;
        }
        let index = index(proxies, backends);
        for proxy in proxies.iter().filter(|it| it.refers && !it.disabled) {
            for server in proxy.servers(backends) {
                let Some(track) = server
                    .options
                    .track
                    .as_ref()
                    .filter(|track| !track.is_opaque())
                else {
                    continue;
                };
                let (backend, name) = match track.value.split_once('/') {
                    Some((backend, name)) => (backend, name),
                    None => (proxy.name.as_str(), track.value.as_str()),
                };
                let fault = track_fault(&index, backend, name, server.check.known() == Some(&true));
                let Some(fault) =
                    fault.filter(|_| !self.instance.fragment || backend == proxy.name)
                else {
                    continue;
                };
                let message = format!(
                    "server `{}` tracks `{}`, {fault}: every version of HAProxy refuses the file",
                    server.name, track.value
                );
                let span = track.origin.span().unwrap_or(server.head());
                let help = "track a server that has `check`";
                let finding = Finding::new(Severity::Error, span, message, help);
                self.refuse(finding.backend(&proxy.name).server(&server.name));
            }
        }
    }
}

/// Servers by backend and name, for references to them.
type Index<'p> = BTreeMap<&'p str, BTreeMap<&'p str, &'p Server>>;

fn index<'p>(proxies: &'p [Closed], backends: &'p [Backend]) -> Index<'p> {
    let mut index = Index::new();
    for proxy in proxies.iter().filter(|proxy| proxy.kind.has_servers()) {
        let servers = index.entry(&proxy.name).or_default();
        for server in proxy.servers(backends) {
            servers.entry(&server.name).or_insert(server);
        }
    }
    index
}

fn track_fault(
    index: &Index<'_>,
    backend: &str,
    name: &str,
    checked: bool,
) -> Option<&'static str> {
    if checked {
        return Some("and has `check` of its own as well");
    }
    let Some(servers) = index.get(backend) else {
        return Some("but there is no such backend");
    };
    let Some(server) = servers.get(name) else {
        return Some("but there is no such server");
    };
    let known_off = |setting: &crate::model::Setting<bool>| setting.known() == Some(&false);
    let dead_end = known_off(&server.check)
        && (server.options.agent_check.as_ref()).is_none_or(known_off)
        && server.options.track.is_none();
    dead_end.then_some("which has no check")
}
