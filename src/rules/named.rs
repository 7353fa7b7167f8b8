//! Which backend and server a fault is in that was found while reading.
//!
//! In: a finding that knows its place only, and the model of its file. Out: the same with its subject.

use crate::finding::Finding;
use crate::model::{Instance, Server};
use crate::source::{Sources, Span};

/// The sections of an instance by their place.
pub struct Places<'a> {
    sources: &'a Sources,
    instance: &'a Instance,
    /// The bodies of backends, sorted, each with its index.
    backends: Vec<(Span, usize)>,
}

impl<'a> Places<'a> {
    /// The places of `instance`.
    pub fn new(sources: &'a Sources, instance: &'a Instance) -> Self {
        let declared = instance.backends.iter().enumerate();
        let mut backends: Vec<(Span, usize)> = declared
            .filter(|(_, backend)| backend.declared)
            .map(|(index, backend)| (backend.body, index))
            .collect();
        backends.sort_unstable();
        Self {
            sources,
            instance,
            backends,
        }
    }

    /// Names the backend around the finding, and the server that is on its line, where it names none.
    pub fn name(&self, finding: &mut Finding) {
        let span = finding.span;
        if finding.subject.backend.is_some() || self.is_last_line(span) {
            return;
        }
        let before = self
            .backends
            .partition_point(|(body, _)| (body.source, body.start) <= (span.source, span.start));
        let around = before.checked_sub(1).and_then(|at| self.backends.get(at));
        let Some((_, index)) = around.filter(|(body, _)| body.holds(span)) else {
            return;
        };
        let Some(backend) = self.instance.backends.get(*index) else {
            return;
        };
        let on_line = |server: &&Server| server.span.holds(span);
        finding.subject.backend = Some(backend.name.clone());
        finding.subject.server = (backend.servers.iter().find(on_line))
            .filter(|server| server.template().is_none())
            .map(|server| server.name.clone());
    }

    /// A line without an end is a fault of the file and of nothing that is on it.
    fn is_last_line(&self, span: Span) -> bool {
        let source = self.sources.get(span.source);
        let bytes = source.bytes();
        let start = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        (start, bytes.len()) == (span.start as usize, span.end as usize)
    }
}
