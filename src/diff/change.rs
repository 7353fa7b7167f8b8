//! One change, and the place where changes are collected.

use super::traffic::BackendTraffic;
use crate::model::{Setting, Text};

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The instance is one of another engine.
    Engine,
    /// A setting of the whole instance.
    InstanceOption,
    /// A listener that was not there.
    ListenerAdded,
    /// A listener that is gone.
    ListenerRemoved,
    /// A socket of a listener: added, removed, or with other options.
    ListenerBind,
    /// A setting of a listener.
    ListenerOption,
    /// A backend that was not there.
    BackendAdded,
    /// A backend that is gone.
    BackendRemoved,
    /// How servers are chosen.
    Algorithm,
    /// A setting of a backend.
    BackendOption,
    /// The order of the servers, where the algorithm goes by it.
    ServerOrder,
    /// A server that was not there.
    ServerAdded,
    /// A server that is gone.
    ServerRemoved,
    /// Where a server is.
    ServerAddress,
    /// The weight of a server.
    ServerWeight,
    /// Active, backup or disabled.
    ServerRole,
    /// How the health of a server is learned.
    ServerHealthCheck,
    /// Another setting of a server.
    ServerOption,
    /// `timeout connect`, or nginx `…_connect_timeout`.
    TimeoutConnect,
    /// `timeout server`.
    TimeoutServer,
    /// `timeout queue`.
    TimeoutQueue,
    /// `timeout check`.
    TimeoutCheck,
    /// A route that was not there.
    RouteAdded,
    /// A route that is gone.
    RouteRemoved,
    /// The backend that a route leads to.
    RouteTarget,
    /// The condition of a route.
    RouteCondition,
    /// The order in which the routes of a listener are tried.
    RouteOrder,
    /// nginx `…_next_upstream` and its siblings.
    RouteRetry,
    /// nginx `split_clients`, `map` or `geo` that a target is made from.
    RouteSplit,
}

impl Kind {
    /// Whether an object came that was not there.
    pub fn is_addition(self) -> bool {
        matches!(
            self,
            Self::ListenerAdded | Self::BackendAdded | Self::ServerAdded | Self::RouteAdded
        )
    }

    /// Whether an object is gone.
    pub fn is_removal(self) -> bool {
        matches!(
            self,
            Self::ListenerRemoved | Self::BackendRemoved | Self::ServerRemoved | Self::RouteRemoved
        )
    }
}

/// One change of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Index of the compared instances in [`super::Diff::pairs`].
    pub pair: usize,
    /// What kind.
    pub kind: Kind,
    /// The backend it is about, by its newest name.
    pub backend: Option<Text>,
    /// The server it is about, by its newest name.
    pub server: Option<Text>,
    /// The listener it is about.
    pub listener: Option<Text>,
    /// The condition of the route it is about.
    pub route: Option<Text>,
    /// What it was; `None` where there was nothing, or nothing that is known.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// Collects the changes of one pair of instances.
#[derive(Debug)]
pub(super) struct Recorder {
    pair: usize,
    /// What changes are about, until it is set anew.
    pub(super) at: At,
    pub(super) changes: Vec<Change>,
    pub(super) traffic: Vec<BackendTraffic>,
}

/// An object that changes are about.
#[derive(Clone, Debug, Default)]
pub(super) struct At {
    pub(super) backend: Option<Text>,
    pub(super) server: Option<Text>,
    pub(super) listener: Option<Text>,
    pub(super) route: Option<Text>,
}

impl Recorder {
    pub(super) fn new(pair: usize) -> Self {
        Self {
            pair,
            at: At::default(),
            changes: Vec::new(),
            traffic: Vec::new(),
        }
    }

    /// Index of the instances at hand.
    pub(super) fn pair(&self) -> usize {
        self.pair
    }

    /// Keeps a change of the object at hand.
    pub(super) fn record(&mut self, kind: Kind, old: Option<String>, new: Option<String>) {
        let At {
            backend,
            server,
            listener,
            route,
        } = self.at.clone();
        self.changes.push(Change {
            pair: self.pair,
            kind,
            backend,
            server,
            listener,
            route,
            old,
            new,
        });
    }

    /// Keeps a change where two values differ.
    pub(super) fn compare<T: PartialEq>(
        &mut self,
        kind: Kind,
        (old, new): (T, T),
        show: impl Fn(T) -> Option<String>,
    ) {
        if old != new {
            self.record(kind, show(old), show(new));
        }
    }

    /// Keeps a change where two settings have different values; one that is not known equals another
    /// that is not known.
    pub(super) fn setting<T: PartialEq>(
        &mut self,
        kind: Kind,
        (old, new): (&Setting<T>, &Setting<T>),
        show: impl Fn(&T) -> Option<String>,
    ) {
        self.compare(kind, (old.known(), new.known()), |value| {
            value.and_then(&show)
        });
    }
}
