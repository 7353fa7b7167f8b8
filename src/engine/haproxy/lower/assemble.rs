//! The end of lowering: proxies become listeners, backends and routes.
//!
//! In: the proxies of an instance. Out: its [`Instance`], names resolved and server ids given.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::Lowering;
use super::balance;
use super::common::Mode;
use super::proxy::{Kind, Proxy, Way};
use crate::finding::Finding;
use crate::model::{
    Algorithm, Backend, Condition, Instance, Listener, Route, Server, Setting, Target, Text,
};

/// The backends by their names; `None` for one that is disabled.
type Names = HashMap<Text, Option<usize>>;

impl Lowering {
    /// The model, and the findings that need the meaning of lines.
    pub(in super::super) fn finish(mut self) -> (Instance, Vec<Finding>) {
        self.close_section();
        let closed = std::mem::take(&mut self.closed);
        self.instance.fragment = !closed.iter().any(|section| section.kind.has_listeners());
        let backends = std::mem::take(&mut self.instance.backends);
        self.check_sections(&closed, &backends);
        self.instance.backends = backends;
        let mut names = Names::default();
        for section in closed.iter().filter(|section| section.is_backend) {
            names.entry(section.name.clone()).or_insert(section.backend);
        }
        let fronts = (closed.into_iter())
            .filter(|section| section.kind.has_listeners() && !section.disabled)
            .filter_map(|section| section.rest);
        for proxy in fronts {
            self.instance.routes.reserve(proxy.ways.len() + 1);
            self.listener(*proxy, &names);
        }
        (self.instance, self.findings)
    }

    fn listener(&mut self, proxy: Proxy, names: &Names) {
        let index = self.instance.listeners.len();
        let mut route = |condition, target, span| {
            self.instance.routes.push(Route {
                listener: Some(index),
                condition,
                target,
                span,
                restores_client_address: false,
                next_upstream: None,
                connect_timeout: None,
            });
        };
        for way in proxy.ways {
            let target = target(&way, names);
            route(way.condition, target, way.span);
        }
        if let Some((name, span, dynamic)) = proxy.common.default_backend {
            let way = Way {
                condition: Condition::Always,
                target: name,
                dynamic,
                span,
            };
            let target = target(&way, names);
            route(Condition::Always, target, span);
        } else if proxy.kind == Kind::Listen
            && let Some(Some(own)) = names.get(&proxy.name)
        {
            route(Condition::Always, Target::Backend(*own), proxy.header);
        }
        self.instance.listeners.push(Listener {
            name: proxy.name,
            layer: proxy.common.mode.layer(),
            span: proxy.header,
            body: proxy.body,
            binds: proxy.binds,
            maxconn: proxy.common.maxconn,
            server_names: Vec::new(),
            restores_client_address: proxy.restores_client_address,
            answers_itself: proxy.answers_itself,
            answers_partly: proxy.answers_partly,
            comments: proxy.comments,
        });
    }
}

/// A `listen` is a backend too when it has servers, or nowhere else to send traffic.
pub(super) fn is_backend(proxy: &Proxy) -> bool {
    match proxy.kind {
        Kind::Frontend => false,
        Kind::Backend => true,
        Kind::Listen => {
            let elsewhere = proxy.common.default_backend.is_some() || !proxy.ways.is_empty();
            !proxy.servers.is_empty() || !elsewhere
        }
    }
}

fn target(way: &Way, names: &Names) -> Target {
    if way.dynamic {
        return Target::Dynamic(way.target.clone());
    }
    match names.get(&way.target) {
        Some(Some(index)) => Target::Backend(*index),
        Some(None) => Target::Dynamic(way.target.clone()),
        None => Target::Undefined(way.target.clone()),
    }
}

/// The backend of a section that is one.
pub(super) fn backend(proxy: &mut Proxy) -> Backend {
    let common = &proxy.common;
    let mut backend = Backend::new(proxy.name.clone(), common.mode.layer(), proxy.header);
    backend.body = proxy.body;
    backend.defaults = common.section;
    backend.comments.clone_from(&proxy.comments);
    backend.default_servers = std::mem::take(&mut proxy.default_servers);
    backend.algorithm = common.algorithm.clone();
    if common.mode != Mode::Http && balance::needs_http(&backend.algorithm.value) {
        backend.algorithm.value = Algorithm::RoundRobin;
    }
    backend.hash_type = common.hash_type;
    backend.hash_balance_factor = common.hash_balance_factor;
    backend.servers = std::mem::take(&mut proxy.servers);
    backend.allbackups = common.allbackups;
    backend.redispatch = common.redispatch;
    backend.retries = common.retries;
    backend.retry_on = common.retry_on.clone();
    backend.check_protocol = common.checks.protocol();
    backend.timeouts = common.timeouts;
    backend.cookie.clone_from(&common.cookie);
    backend.stick_rules = std::mem::take(&mut proxy.stick_rules);
    backend.persist = common.persist;
    backend.force_persist = std::mem::take(&mut proxy.force_persist);
    backend.use_server = std::mem::take(&mut proxy.use_server);
    backend.fullconn = common.fullconn;
    backend.answers_itself = proxy.answers_itself;
    backend.answers_partly = proxy.answers_partly.first().copied();
    backend.state_file.clone_from(&common.state_file);
    backend
}

/// Gives servers without `id` the smallest unused one; the counter moves on past every server
/// (`check_config_validity`, "assign automatic UIDs to servers").
pub(super) fn give_ids(servers: &mut [Server]) {
    let written = servers.iter().filter(|server| server.id().is_written());
    let used: BTreeSet<u32> = written.map(|server| server.id().value).collect();
    let mut next = 1_u32;
    for server in servers {
        if !server.id().is_written() {
            while used.contains(&next) {
                next = next.saturating_add(1);
            }
            server.set_id(Setting::engine_default(next));
        }
        next = next.saturating_add(1);
    }
}
