//! Sections whose lines have all been read.
//!
//! In: a [`Proxy`]. Out: its backend in the model, and what is asked of it when all sections are known.

use super::Lowering;
use super::assemble::{backend, is_backend};
use super::common::Mode;
use super::proxy::{Kind, Proxy};
use crate::model::{Backend, Server, Text};
use crate::source::Span;

/// What the other sections ask of a section. Most of it is in its backend: the rest is small.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) kind: Kind,
    pub(super) name: Text,
    pub(super) header: Span,
    /// Written `id`.
    pub(super) id: Option<(u32, Span)>,
    pub(super) mode: Mode,
    pub(super) disabled: bool,
    /// Some server tracks another or names `resolvers`.
    pub(super) refers: bool,
    /// Whether it is a backend, if not disabled.
    pub(super) is_backend: bool,
    /// Its backend.
    pub(super) backend: Option<usize>,
    /// The section, where it has listeners or no backend.
    pub(super) rest: Option<Box<Proxy>>,
}

impl Lowering {
    /// Makes the backend of a section that is one.
    pub(super) fn close(&mut self, mut proxy: Box<Proxy>) {
        let is_backend = is_backend(&proxy);
        let disabled = proxy.common.disabled;
        let index = (is_backend && !disabled).then_some(self.instance.backends.len());
        let mut closed = Closed {
            kind: proxy.kind,
            name: proxy.name.clone(),
            header: proxy.header,
            id: proxy.id,
            mode: proxy.common.mode,
            disabled,
            refers: proxy.refers,
            is_backend,
            backend: index,
            rest: None,
        };
        if index.is_some() {
            self.instance.backends.push(backend(&mut proxy));
        }
        if index.is_none() || closed.kind.has_listeners() {
            closed.rest = Some(proxy);
        }
        self.closed.push(closed);
    }
}

impl Closed {
    /// Its servers; `backends` are those of the instance.
    pub(super) fn servers<'a>(&'a self, backends: &'a [Backend]) -> &'a [Server] {
        match (self.backend_of(backends), &self.rest) {
            (Some(backend), _) => &backend.servers,
            (None, Some(proxy)) => &proxy.servers,
            (None, None) => &[],
        }
    }

    /// The servers that its `use-server` lines name.
    pub(super) fn use_server<'a>(&'a self, backends: &'a [Backend]) -> &'a [(Option<Text>, Span)] {
        match (self.backend_of(backends), &self.rest) {
            (Some(backend), _) => &backend.use_server,
            (None, Some(proxy)) => &proxy.use_server,
            (None, None) => &[],
        }
    }

    fn backend_of<'a>(&self, backends: &'a [Backend]) -> Option<&'a Backend> {
        backends.get(self.backend?)
    }
}
