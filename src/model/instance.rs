//! Everything that one proxy process loads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use super::route_index::RouteIndex;
use super::{Assignment, Backend, Listener, NextUpstream, Route, Setting, Split, Text};
use crate::source::{SourceId, Span};

/// The load balancers that can be audited.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// HAProxy.
    Haproxy,
    /// nginx.
    Nginx,
}

impl Engine {
    /// The lower-case word used on the command line and in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// What the engine calls a group of servers.
    pub fn backend_word(self) -> &'static str {
        match self {
            Self::Haproxy => "backend",
            Self::Nginx => "upstream",
        }
    }
}

/// A release of an engine, as far as defaults depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number, 0 for HAProxy branches.
    pub patch: u16,
}

impl Version {
    /// The HAProxy branch assumed when none is named.
    pub const HAPROXY_DEFAULT: Self = Self::new(2, 6, 0);
    /// The nginx release assumed when none is named.
    pub const NGINX_DEFAULT: Self = Self::new(1, 22, 1);

    /// A version from its numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || format!("`{text}` is not a version such as 2.6 or 1.22.1");
        let mut parts = text.split('.').map(str::parse::<u16>);
        let mut next = || parts.next().transpose().map_err(|_| fault());
        let major = next()?.ok_or_else(fault)?;
        let minor = next()?.ok_or_else(fault)?;
        let patch = next()?.unwrap_or(0);
        if next()?.is_some() {
            return Err(fault());
        }
        Ok(Self::new(major, minor, patch))
    }
}

/// How many workers share the load (nginx `worker_processes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// One per core.
    Auto,
    /// This many.
    Count(u32),
}

/// One proxy process: its files and what they say.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Which proxy.
    pub engine: Engine,
    /// The version whose defaults were applied.
    pub version: Version,
    /// The root file as the user named it.
    pub root: Text,
    /// What reports call it: its name in the settings, else the root file.
    pub name: Text,
    /// Every file read for it, the root first.
    pub files: Vec<SourceId>,
    /// Only a part of a configuration (an `upstream` block or a `backend` section alone): rules that
    /// need the whole are off.
    pub fragment: bool,
    /// nginx `worker_processes`, 1 by default; HAProxy is always one process with shared state.
    pub workers: Setting<Workers>,
    /// HAProxy global `maxconn`.
    pub maxconn: Setting<Option<u32>>,
    /// Where clients connect.
    pub listeners: Vec<Listener>,
    /// Which traffic goes where, in the order in which it is evaluated.
    pub routes: Vec<Route>,
    /// Groups of servers, in declaration order.
    pub backends: Vec<Backend>,
    /// nginx blocks that choose among values.
    pub splits: Vec<Split>,
    /// nginx `set` directives, in order.
    pub assignments: Vec<Assignment>,
    /// Places that read `X-Forwarded-For` (log formats aside): evidence of a proxy in front.
    pub forwarded_for_reads: Vec<Span>,
    /// nginx `resolver` in any scope, HAProxy `resolvers` sections.
    pub resolvers: Vec<Span>,
    /// Directives that are read but not modelled: how often, and where first.
    pub not_modelled: BTreeMap<Text, NotModelled>,
    /// Which choice among undecidable `.if` branches this model shows; 0 for the first.
    pub variant: u32,
    route_index: OnceLock<RouteIndex>,
}

/// A directive that is kept in the tree and has no place in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotModelled {
    /// Number of occurrences.
    pub count: u32,
    /// The first one.
    pub first: Span,
}

impl Instance {
    /// An instance with nothing in it.
    pub fn new(engine: Engine, version: Version, root: Text) -> Self {
        Self {
            engine,
            version,
            name: root.clone(),
            root,
            files: Vec::new(),
            fragment: false,
            workers: Setting::engine_default(Workers::Count(1)),
            maxconn: Setting::engine_default(None),
            listeners: Vec::new(),
            routes: Vec::new(),
            backends: Vec::new(),
            splits: Vec::new(),
            assignments: Vec::new(),
            forwarded_for_reads: Vec::new(),
            resolvers: Vec::new(),
            not_modelled: BTreeMap::new(),
            variant: 0,
            route_index: OnceLock::new(),
        }
    }

    /// Whether its routes are here to be seen, so that their absence means something.
    pub fn shows_routes(&self) -> bool {
        !self.fragment && !self.listeners.is_empty()
    }

    /// The routes that lead to the backend at `index`, and those that may: with a value that a split
    /// is known to give, or with a name made while running that begins and ends as its own does.
    pub fn routes_to(&self, index: usize) -> impl Iterator<Item = &Route> {
        self.indexed(self.route_index().at_backend(index))
    }

    /// What the routes to `backend`, one of this instance, say of further tries; nothing where they
    /// differ.
    pub fn next_upstream(&self, backend: &Backend) -> Option<&NextUpstream> {
        let mut backends = self.backends.iter();
        let index = backends.position(|other| std::ptr::eq(other, backend))?;
        let mut said = (self.routes_to(index)).filter_map(|route| route.next_upstream.as_ref());
        let first = said.next()?;
        let agrees = |other: &NextUpstream| {
            other.conditions.value == first.conditions.value
                && other.tries.value == first.tries.value
        };
        said.all(agrees).then_some(first)
    }

    /// The routes that start at the listener at `index`.
    pub fn routes_from(&self, index: usize) -> impl Iterator<Item = &Route> {
        self.indexed(self.route_index().at_listener(index))
    }

    fn indexed<'a>(&'a self, numbers: &'a [usize]) -> impl Iterator<Item = &'a Route> {
        numbers.iter().filter_map(|number| self.routes.get(*number))
    }

    /// Made when first asked for: by then the routes are complete.
    fn route_index(&self) -> &RouteIndex {
        self.route_index.get_or_init(|| RouteIndex::new(self))
    }

    /// Counts a directive that is not modelled.
    pub fn note_not_modelled(&mut self, directive: &str, span: Span) {
        if let Some(entry) = self.not_modelled.get_mut(directive) {
            entry.count += 1;
        } else {
            let entry = NotModelled {
                count: 1,
                first: span,
            };
            self.not_modelled.insert(directive.into(), entry);
        }
    }
}
