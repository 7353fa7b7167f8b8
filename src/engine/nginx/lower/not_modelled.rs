//! Directives that have no place in the model.
//!
//! In: one after another. Out: how often each stands in the files, and where first.

use crate::engine::nginx::directives::Id;
use crate::engine::nginx::tree::Directive;
use crate::model::{Instance, NotModelled};

/// Counts by the number of the name: there are many of few names.
#[derive(Debug, Default)]
pub(super) struct Counts {
    by_id: Vec<Option<NotModelled>>,
}

impl Counts {
    /// Counts a directive; in `instance` at once when its name has no number.
    pub(super) fn note(&mut self, directive: Directive<'_>, instance: &mut Instance) {
        if directive.id() == Id::UNKNOWN {
            let name = directive.name();
            instance.note_not_modelled(&String::from_utf8_lossy(&name), directive.head());
            return;
        }
        let index = directive.id().index();
        if index >= self.by_id.len() {
            self.by_id.resize(index + 1, None);
        }
        match self.by_id.get_mut(index) {
            Some(Some(known)) => known.count += 1,
            Some(none) => {
                *none = Some(NotModelled {
                    count: 1,
                    first: directive.head(),
                });
            }
            None => {}
        }
    }

    /// Tells `instance` what was counted.
    pub(super) fn finish(self, instance: &mut Instance) {
        for (id, count) in std::iter::zip(Id::all(), self.by_id) {
            if let Some(count) = count {
                instance.not_modelled.insert(id.known().text.into(), count);
            }
        }
    }
}
