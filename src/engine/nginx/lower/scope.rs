//! Directives that inner blocks inherit.
//!
//! In: the directives of a block and the scope around it. Out: which directive is in effect, and
//! whether the block has it itself. nginx inherits a value when the inner block does not set it
//! (`ngx_conf_merge_value` and its siblings).

use std::rc::Rc;
use std::time::Duration;

use super::cursor::Item;
use crate::engine::nginx::include::Forest;
use crate::engine::nginx::name::{Family, Inheritance, Slot};
use crate::engine::nginx::tree::Directive;
use crate::engine::nginx::value;
use crate::model::{NextUpstream, Origin, OriginKind, Setting, Text};
use crate::source::Span;

/// A directive in effect.
#[derive(Clone, Copy, Debug)]
struct Entry {
    tree: usize,
    node: u32,
    /// The number of the block that has it.
    block: u32,
}

/// The directives in effect in one block.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    entries: [Option<Entry>; Slot::COUNT],
    block: u32,
}

impl Scope {
    /// A scope in which nothing is set.
    pub(crate) fn empty() -> Rc<Self> {
        Rc::new(Self {
            entries: [None; Slot::COUNT],
            block: 0,
        })
    }

    /// The same scope, one block deeper.
    pub(crate) fn enter(scope: &Rc<Self>, builder: ScopeBuilder) -> Rc<Self> {
        if builder.own.is_empty() {
            return Rc::clone(scope);
        }
        let mut inner = Self::clone(scope);
        inner.block += 1;
        for (slot, tree, node) in builder.own {
            if let Some(entry) = inner.entries.get_mut(slot.index()) {
                *entry = Some(Entry {
                    tree,
                    node,
                    block: inner.block,
                });
            }
        }
        Rc::new(inner)
    }

    fn get<'t>(&self, forest: &'t Forest, slot: Slot) -> Option<(Directive<'t>, Entry)> {
        let entry = (*self.entries.get(slot.index())?)?;
        let directive = forest.trees.get(entry.tree)?.directive(entry.node)?;
        Some((directive, entry))
    }

    /// Where the client address is taken from a header or the PROXY protocol: `set_real_ip_from` must
    /// be there, the header has a default.
    pub(crate) fn restores_client_address(&self, forest: &Forest) -> Option<Span> {
        let (from, _) = self.get(forest, Slot::REAL_IP_FROM)?;
        let header = self.get(forest, Slot::REAL_IP_HEADER);
        Some(header.map_or(from, |(header, _)| header).span())
    }
}

/// Collects what one block sets itself.
#[derive(Debug, Default)]
pub(crate) struct ScopeBuilder {
    own: Vec<(Slot, usize, u32)>,
}

impl ScopeBuilder {
    /// Whether the block sets nothing of its own.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Keeps a directive that is inherited.
    pub(crate) fn take(&mut self, slot: Slot, item: Item<'_>) {
        self.own.push((slot, item.tree, item.directive.index));
    }
}

/// A scope seen from a block that has a `…_pass`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'t> {
    pub(crate) forest: &'t Forest,
    pub(crate) scope: &'t Scope,
    /// Whether the scope's own entries are those of the block itself.
    pub(crate) own: bool,
    pub(crate) family: Family,
}

impl<'t> View<'t> {
    fn get(&self, kind: Inheritance) -> Option<(Directive<'t>, Origin)> {
        let slot = Slot::of_family(self.family, kind);
        let (directive, entry) = self.scope.get(self.forest, slot)?;
        let span = directive.span();
        let origin = if self.own && entry.block == self.scope.block {
            Origin::explicit(span)
        } else {
            Origin::new(OriginKind::OuterScope, span)
        };
        Some((directive, origin))
    }

    fn setting<T>(
        &self,
        kind: Inheritance,
        default: T,
        read: impl Fn(&str) -> Option<T>,
    ) -> Setting<T> {
        let Some((directive, origin)) = self.get(kind) else {
            return Setting::engine_default(default);
        };
        match read(&directive.text(1)) {
            Some(value) => Setting { value, origin },
            None => Setting {
                value: default,
                origin: Origin::opaque(directive.span()),
            },
        }
    }

    /// When another server is tried; `error timeout` by default.
    pub(crate) fn next_upstream(&self) -> NextUpstream {
        let conditions = match self.get(Inheritance::Conditions) {
            None => Setting::engine_default(vec!["error".into(), "timeout".into()]),
            Some((directive, origin)) => Setting {
                value: (1..=directive.arguments())
                    .map(|index| directive.text(index))
                    .collect::<Vec<Text>>(),
                origin,
            },
        };
        NextUpstream {
            conditions,
            tries: self.setting(Inheritance::Tries, 0, value::count),
            timeout: self.setting(Inheritance::Timeout, Duration::ZERO, |text| {
                value::time(text, true)
            }),
        }
    }

    /// The connect timeout, 60 s by default in every family.
    pub(crate) fn connect_timeout(&self) -> Setting<Duration> {
        let default = Duration::from_mins(1);
        self.setting(Inheritance::Connect, default, |text| {
            value::time(text, true)
        })
    }
}
