//! A group of servers that traffic is balanced over.

use std::time::Duration;

use super::{Algorithm, CheckProtocol, HashType, Server, Setting, Text};
use crate::source::Span;

/// A HAProxy `backend` or `listen`, an nginx `upstream`, or the single server implied by a
/// `proxy_pass` to a host.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub name: Text,
    /// False for a backend implied by a `proxy_pass` to a host.
    pub declared: bool,
    /// Protocol layer it balances on.
    pub layer: Layer,
    /// The header: `backend NAME`, `upstream NAME`, or the address in `proxy_pass`.
    pub span: Span,
    /// The whole section or block.
    pub body: Span,
    /// HAProxy: the header of the `defaults` section it inherits from.
    pub defaults: Option<Span>,
    /// The comments above the header and inside the block, in order.
    pub comments: Vec<Span>,
    /// How servers are chosen.
    pub algorithm: Setting<Algorithm>,
    /// How hashes map to servers.
    pub hash_type: Setting<HashType>,
    /// HAProxy `hash-balance-factor`; 0 is off.
    pub hash_balance_factor: Setting<u32>,
    /// Servers in declaration order.
    pub servers: Vec<Server>,
    /// HAProxy `default-server` lines of the section itself, in order.
    pub default_servers: Vec<DefaultServer>,
    /// HAProxy `option allbackups`; nginx always uses all of them.
    pub allbackups: Setting<bool>,
    /// HAProxy `option redispatch`.
    pub redispatch: Setting<Redispatch>,
    /// HAProxy `retries`, 3 by default.
    pub retries: Setting<u32>,
    /// HAProxy `retry-on` conditions; empty for its default `conn-failure`.
    pub retry_on: Setting<Vec<Text>>,
    /// What active checks look at.
    pub check_protocol: Setting<CheckProtocol>,
    /// Timeouts.
    pub timeouts: Timeouts,
    /// HAProxy `cookie` persistence.
    pub cookie: Option<Setting<Cookie>>,
    /// HAProxy `stick on`, `stick match` and the like; nginx `sticky`.
    pub stick_rules: Vec<StickRule>,
    /// HAProxy `option persist`.
    pub persist: Setting<bool>,
    /// HAProxy `force-persist` and `ignore-persist` rules.
    pub force_persist: Vec<Span>,
    /// Servers named by HAProxy `use-server` rules; `None` for a dynamic name.
    pub use_server: Vec<(Option<Text>, Span)>,
    /// nginx `zone`: state is shared between workers.
    pub zone: Option<Setting<Text>>,
    /// nginx `keepalive`: idle connections kept per worker.
    pub keepalive: Option<Setting<u32>>,
    /// HAProxy `fullconn`.
    pub fullconn: Option<Setting<u32>>,
    /// Where requests are answered or diverted by rules without any server: an unconditional
    /// `http-request return`, `deny`, `redirect`, a stats page, a Lua service.
    pub answers_itself: Option<Span>,
    /// Where some requests are answered or diverted by rules: the same with a condition.
    pub answers_partly: Option<Span>,
    /// HAProxy `load-server-state-from-file` other than `none`.
    pub state_file: Option<Setting<Text>>,
}

/// A HAProxy `default-server` line, which is for the servers below it only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultServer {
    /// The line.
    pub span: Span,
    /// Its options and their values, as written.
    pub words: Vec<Text>,
}

/// What is balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Requests.
    Http,
    /// Connections.
    Tcp,
    /// Datagrams (nginx `listen … udp`).
    Udp,
    /// Log messages (HAProxy `mode log`), and other modes that carry no client traffic.
    Log,
}

impl Layer {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Log => "log",
        }
    }
}

/// HAProxy manual 4.2 `option redispatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redispatch {
    /// Retries stay on the same server.
    Off,
    /// A retry may go to another server. The number is the interval as written: 0 is none, positive
    /// every N-th retry, negative N retries before the last; -1 when bare.
    On(i32),
}

/// HAProxy manual 4.2 `cookie`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Name of the cookie.
    pub name: Text,
    /// `insert`, `prefix`, `rewrite`, or empty for passive use.
    pub method: Text,
    /// `dynamic`: values are computed, servers need none.
    pub dynamic: bool,
    /// Whether `maxidle` or `maxlife` bounds it.
    pub bounded: bool,
}

/// One rule that pins clients to servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StickRule {
    /// The key: an expression such as `src`, as written.
    pub key: Text,
    /// The line.
    pub span: Span,
}

/// Timeouts of a backend; `None` is unset, which HAProxy takes as infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// `timeout connect`.
    pub connect: Setting<Option<Duration>>,
    /// `timeout server`.
    pub server: Setting<Option<Duration>>,
    /// `timeout queue`; `timeout connect` when unset.
    pub queue: Setting<Option<Duration>>,
    /// `timeout check`.
    pub check: Setting<Option<Duration>>,
}

impl Default for Timeouts {
    fn default() -> Self {
        let unset = Setting::engine_default(None);
        Self {
            connect: unset,
            server: unset,
            queue: unset,
            check: unset,
        }
    }
}

impl Backend {
    /// A backend with nothing in it and every setting at HAProxy 2.6's default.
    pub fn new(name: Text, layer: Layer, span: Span) -> Self {
        Self {
            name,
            declared: true,
            layer,
            span,
            body: span,
            defaults: None,
            comments: Vec::new(),
            algorithm: Setting::engine_default(Algorithm::RoundRobin),
            hash_type: Setting::engine_default(HashType::HAPROXY_DEFAULT),
            hash_balance_factor: Setting::engine_default(0),
            servers: Vec::new(),
            default_servers: Vec::new(),
            allbackups: Setting::engine_default(false),
            redispatch: Setting::engine_default(Redispatch::Off),
            retries: Setting::engine_default(3),
            retry_on: Setting::engine_default(Vec::new()),
            check_protocol: Setting::engine_default(CheckProtocol::Connect),
            timeouts: Timeouts::default(),
            cookie: None,
            stick_rules: Vec::new(),
            persist: Setting::engine_default(false),
            force_persist: Vec::new(),
            use_server: Vec::new(),
            zone: None,
            keepalive: None,
            fullconn: None,
            answers_itself: None,
            answers_partly: None,
            state_file: None,
        }
    }

    /// The primaries that may be chosen while everything is healthy.
    pub fn usable_primaries(&self) -> impl Iterator<Item = &Server> {
        self.servers
            .iter()
            .filter(|server| server.is_primary() && server.is_usable())
    }

    /// The backups that may be chosen when no primary can.
    pub fn usable_backups(&self) -> impl Iterator<Item = &Server> {
        self.servers
            .iter()
            .filter(|server| !server.is_primary() && server.is_usable())
    }
}
