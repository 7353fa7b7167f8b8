//! One balanced endpoint of a backend.

use std::sync::Arc;
use std::time::Duration;

use super::{Address, CheckTiming, Origin, PassiveCheck, Setting, Text};
use crate::source::Span;

/// One server of a backend after expansion: every slot of a `server-template` is one.
///
/// A model can hold very many: what few of them have is kept apart.
#[derive(Clone, Debug)]
pub struct Server {
    /// HAProxy: the server's name. nginx: its address as written, of a resolved name the address.
    pub name: Text,
    /// Where connections go.
    pub address: Address,
    /// The whole line or directive.
    pub span: Span,
    /// Behind the words that name and address it, which start the line.
    head_end: u32,
    /// HAProxy 0..=256, nginx 1 or more; 1 by default on both.
    pub weight: Setting<u32>,
    /// Takes traffic only when no primary is usable.
    pub backup: Setting<bool>,
    /// HAProxy `disabled`, nginx `down`.
    pub disabled: Setting<bool>,
    /// Most concurrent connections: HAProxy `maxconn`, nginx `max_conns`; `None` is unlimited.
    pub maxconn: Setting<Option<u32>>,
    id: u32,
    /// HAProxy `check` (with `no-check` undone), nginx an active check module's directive.
    pub check: Setting<bool>,
    /// Passive accounting, which only nginx has; `None` is its default, see [`Self::passive`].
    pub passive: Option<Box<PassiveCheck>>,
    /// The rest, shared between servers that do not differ in it.
    pub options: Arc<ServerOptions>,
    rare: Option<Box<Rare>>,
}

/// What few servers have.
#[derive(Clone, Debug, Default)]
struct Rare {
    cookie: Option<Setting<Text>>,
    id: Option<Origin>,
    template: Option<Arc<Template>>,
    comment: Option<Span>,
}

/// Settings of a server that few rules look at.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Check intervals and thresholds.
    pub timing: CheckTiming,
    /// HAProxy `agent-check`.
    pub agent_check: Option<Setting<bool>>,
    /// `track [BACKEND/]SERVER`: the state is copied from there.
    pub track: Option<Box<Setting<Text>>>,
    /// `port` of the check.
    pub check_port: Option<Setting<u16>>,
    /// `addr` of the check.
    pub check_addr: Option<Box<Setting<Text>>>,
    /// `observe layer4` or `observe layer7`.
    pub observe: Option<Box<Setting<Text>>>,
    /// `on-error`.
    pub on_error: Option<Box<Setting<Text>>>,
    /// `on-marked-down`.
    pub on_marked_down: Option<Box<Setting<Text>>>,
    /// `slowstart`.
    pub slowstart: Option<Setting<Duration>>,
    /// `maxqueue`; `None` is unlimited.
    pub maxqueue: Option<Setting<u32>>,
    /// `minconn`.
    pub minconn: Option<Setting<u32>>,
    /// TLS to the server.
    pub ssl: Option<Setting<bool>>,
    /// `check-ssl`.
    pub check_ssl: Option<Setting<bool>>,
    /// `send-proxy` or `send-proxy-v2` (the keyword as written).
    pub send_proxy: Option<Box<Setting<Text>>>,
    /// `sni`.
    pub sni: Option<Box<Setting<Text>>>,
    /// `proto`.
    pub proto: Option<Box<Setting<Text>>>,
    /// `namespace`.
    pub namespace: Option<Box<Setting<Text>>>,
    /// `source`, the local address connections come from.
    pub source: Option<Box<Setting<Text>>>,
    /// `resolvers` (HAProxy) or `resolve` (nginx): the name is looked up while running.
    pub resolvers: Option<Box<Setting<Text>>>,
    /// `init-addr`.
    pub init_addr: Option<Box<Setting<Text>>>,
    /// `init-state` (3.1).
    pub init_state: Option<Box<Setting<Text>>>,
    /// `hash-key` (3.0): `id`, `addr` or `addr-port`.
    pub hash_key: Option<Box<Setting<Text>>>,
    /// `guid`.
    pub guid: Option<Box<Setting<Text>>>,
    /// nginx `service=`: SRV records.
    pub service: Option<Box<Setting<Text>>>,
    /// nginx commercial `drain`.
    pub drain: Option<Setting<bool>>,
    /// Options that are not modelled, as written.
    pub other: Vec<Text>,
}

/// A `server-template` line (HAProxy manual 4.2).
#[derive(Clone, Debug)]
pub struct Template {
    /// Prefix of the slots' names.
    pub prefix: Text,
    /// Number of slots.
    pub slots: u32,
    /// The line.
    pub span: Span,
}

impl Server {
    /// A server with everything at the engine's defaults. `head` starts `span`.
    pub fn new(
        name: Text,
        address: Address,
        span: Span,
        head: Span,
        options: Arc<ServerOptions>,
    ) -> Self {
        Self {
            name,
            address,
            span,
            head_end: head.end,
            weight: Setting::engine_default(1),
            backup: Setting::engine_default(false),
            disabled: Setting::engine_default(false),
            maxconn: Setting::engine_default(None),
            id: 0,
            check: Setting::engine_default(false),
            passive: None,
            options,
            rare: None,
        }
    }

    /// The words that name and address it, for marks in reports.
    pub fn head(&self) -> Span {
        Span {
            end: self.head_end,
            ..self.span
        }
    }

    /// HAProxy numeric id, written or given by position; 0 for nginx.
    pub fn id(&self) -> Setting<u32> {
        let written = self.rare.as_ref().and_then(|rare| rare.id);
        Setting {
            value: self.id,
            origin: written.unwrap_or(Origin::ENGINE_DEFAULT),
        }
    }

    /// HAProxy `cookie` value of this server.
    pub fn cookie(&self) -> Option<&Setting<Text>> {
        self.rare.as_ref()?.cookie.as_ref()
    }

    /// The `server-template` it came from.
    pub fn template(&self) -> Option<&Template> {
        self.rare.as_ref()?.template.as_deref()
    }

    /// The comment behind it on its line, else the comment lines right above it.
    pub fn comment(&self) -> Option<Span> {
        self.rare.as_ref()?.comment
    }

    /// Sets [`Self::id`].
    pub fn set_id(&mut self, id: Setting<u32>) {
        self.id = id.value;
        let written = id.is_written().then_some(id.origin);
        if written.is_some() || self.rare.is_some() {
            self.rare_mut().id = written;
        }
    }

    /// Sets [`Self::cookie`].
    pub fn set_cookie(&mut self, cookie: Setting<Text>) {
        self.rare_mut().cookie = Some(cookie);
    }

    /// Sets [`Self::template`].
    pub fn set_template(&mut self, template: Arc<Template>) {
        self.rare_mut().template = Some(template);
    }

    /// Sets [`Self::comment`].
    pub fn set_comment(&mut self, comment: Span) {
        self.rare_mut().comment = Some(comment);
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whether the algorithm may choose it while every server is healthy: not disabled and weight
    /// above 0. An opaque setting counts as not hindering.
    pub fn is_usable(&self) -> bool {
        !self.disabled.known().copied().unwrap_or(false) && self.weight.known() != Some(&0)
    }

    /// How failures of live traffic take it out.
    pub fn passive(&self) -> &PassiveCheck {
        self.passive.as_deref().unwrap_or(&PassiveCheck::DEFAULT)
    }

    /// Whether an agent is asked for its weight and state (HAProxy `agent-check`).
    pub fn has_agent(&self) -> bool {
        let agent = self.options.agent_check.as_ref();
        agent.is_some_and(|agent| agent.value)
    }

    /// Whether it belongs to the primary tier.
    pub fn is_primary(&self) -> bool {
        !self.backup.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_small() {
        assert!(size_of::<Server>() <= 176, "{}", size_of::<Server>());
    }
}
