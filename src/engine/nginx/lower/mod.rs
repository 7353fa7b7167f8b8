//! From trees to the model.
//!
//! In: the forest. Out: the instance, and findings for what nginx refuses at load. Blocks are walked
//! with a stack of their own, so nesting needs no recursion.

mod cursor;
mod facts;
mod not_modelled;
mod pass;
mod placement;
mod refuse;
mod scope;
mod server_block;
mod server_line;
mod split;
mod upstream;

use std::rc::Rc;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};

use cursor::{Block, Children, Item};
use scope::{Scope, ScopeBuilder};

use super::include::Forest;
use super::name::{Family, Name};
use super::tree::Directive;
use super::value;
use crate::engine::Options;
use crate::finding::Finding;
use crate::model::{
    Backend, Engine, Instance, Layer, Origin, OriginKind, ServerOptions, Setting, Text, Workers,
};

/// What is gathered on the way.
pub(super) struct Lowering<'t> {
    forest: &'t Forest,
    plus: bool,
    /// The options of a server that has none.
    plain: Arc<ServerOptions>,
    instance: Instance,
    findings: Vec<Finding>,
    /// Declared upstreams by layer and lower-case name: nginx compares names without case.
    upstreams: HashMap<(bool, Text), usize>,
    /// Backends implied by a `…_pass` to a host.
    implied: HashMap<(bool, u16, Text), usize>,
    splits: split::Collector<'t>,
    counts: not_modelled::Counts,
    /// Routes whose location has a commercial `health_check`.
    health_checks: Vec<(usize, crate::source::Span)>,
}

/// Lowers the files of `forest`; the instance is named `root`.
pub(super) fn lower(forest: &Forest, root: Text, options: &Options) -> (Instance, Vec<Finding>) {
    let mut lowering = Lowering {
        forest,
        plus: options.nginx_plus || facts::is_plus(forest),
        plain: Arc::default(),
        instance: Instance::new(Engine::Nginx, options.nginx_version, root),
        findings: Vec::new(),
        upstreams: HashMap::new(),
        implied: HashMap::new(),
        splits: split::Collector::default(),
        counts: not_modelled::Counts::default(),
        health_checks: Vec::new(),
    };
    lowering.run();
    (lowering.instance, lowering.findings)
}

/// What stands at the top of the root files.
#[derive(Default)]
struct Top<'t> {
    /// `http`, `stream` and `mail` blocks in order.
    groups: Vec<(Group, Item<'t>)>,
    /// Blocks that belong into one of them.
    stray: Vec<Item<'t>>,
    /// Whether any of the blocks is there that only whole configurations have.
    whole: bool,
}

/// The kinds of configuration that a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Http,
    Stream,
    Mail,
}

impl Group {
    fn layer(self) -> Layer {
        match self {
            Self::Http => Layer::Http,
            Self::Stream | Self::Mail => Layer::Tcp,
        }
    }
}

impl<'t> Lowering<'t> {
    fn run(&mut self) {
        let top = self.top();
        self.instance.fragment = !top.whole;
        let scope = Scope::empty();
        let stray_group = self.stray_group(&top.stray);
        if !self.forest.broken {
            let fragment = (!top.whole).then_some(stray_group);
            self.findings
                .extend(placement::check(self.forest, fragment));
        }
        for (group, item) in top.groups {
            let children = Children::of(self.forest, item.block());
            self.group(group, children, &scope);
        }
        if !top.stray.is_empty() {
            self.group(stray_group, top.stray.into_iter(), &scope);
        }
        facts::collect(self.forest, &mut self.instance);
        std::mem::take(&mut self.counts).finish(&mut self.instance);
        let collector = std::mem::take(&mut self.splits);
        collector.finish(self.forest, &mut self.instance, &mut self.findings);
        self.mark_health_checks();
        self.mark_udp();
    }

    fn top(&mut self) -> Top<'t> {
        let mut top = Top::default();
        for root in 0..self.forest.roots {
            let block = Block::file(self.forest, root);
            for item in Children::of(self.forest, block) {
                self.top_directive(&mut top, item);
            }
        }
        top
    }

    fn top_directive(&mut self, top: &mut Top<'t>, item: Item<'t>) {
        let directive = item.directive;
        let name = directive.known().name;
        let same = |(_, group): &(Group, Item<'_>)| group.directive.is(name);
        if directive.is_block() && top.groups.iter().any(same) {
            let finding = refuse::duplicate_block(directive.head(), directive.known().text);
            self.findings.push(finding);
        }
        match (name, directive.is_block()) {
            (Name::Http, true) => top.groups.push((Group::Http, item)),
            (Name::Stream, true) => top.groups.push((Group::Stream, item)),
            (Name::Mail, true) => top.groups.push((Group::Mail, item)),
            (Name::WorkerProcesses, false) => self.instance.workers = workers(directive),
            (Name::Events, true) | (Name::Include | Name::LoadModule, false) => {}
            _ => {
                top.stray.push(item);
                return;
            }
        }
        top.whole |= directive.is_block();
    }

    /// What the blocks of a fragment belong to: a `proxy_pass` right in a `server` is of `stream`.
    fn stray_group(&self, stray: &[Item<'t>]) -> Group {
        let is_server = |item: &&Item<'t>| item.directive.is(Name::Server);
        let mut servers = stray.iter().filter(is_server);
        let passes = |item: Item<'t>| item.directive.is(Name::Pass(Family::Proxy));
        if servers.any(|item| Children::of(self.forest, item.block()).any(passes)) {
            Group::Stream
        } else {
            Group::Http
        }
    }

    /// The content of an `http`, `stream` or `mail` block.
    fn group(&mut self, group: Group, children: impl Iterator<Item = Item<'t>>, outer: &Rc<Scope>) {
        let mut builder = ScopeBuilder::default();
        let mut servers = Vec::new();
        let mut locations = Vec::new();
        for item in children {
            let directive = item.directive;
            match (directive.known().name, directive.is_block()) {
                (Name::Upstream, true) => upstream::lower(self, item, group.layer()),
                (Name::Server, true) => servers.push(item),
                (Name::Map | Name::Geo | Name::SplitClients, true) => self.splits.block(item),
                (Name::Include | Name::Resolver, false) => {}
                (Name::Location | Name::If, true) | (Name::Pass(_), false) => locations.push(item),
                (Name::Inherited(slot), _) => builder.take(slot, item),
                _ => self.not_modelled(directive),
            }
        }
        let scope = Scope::enter(outer, builder);
        let mut sockets = server_block::Sockets::default();
        for item in servers {
            server_block::lower(self, group, item, &scope, &mut sockets);
        }
        if !locations.is_empty() {
            server_block::lower_locations(self, group, &locations, &scope);
        }
    }

    fn not_modelled(&mut self, directive: Directive<'_>) {
        self.counts.note(directive, &mut self.instance);
    }

    /// Keeps a declared upstream.
    fn declare(&mut self, backend: Backend) {
        let key = (
            backend.layer == Layer::Http,
            backend.name.to_ascii_lowercase(),
        );
        let index = self.instance.backends.len();
        if let Some(first) = self.upstreams.get(&key).copied() {
            if let Some(first) = self.instance.backends.get(first) {
                let finding = refuse::duplicate_upstream(backend.span, &backend.name, first.span);
                self.findings.push(finding);
            }
        } else {
            self.upstreams.insert(key, index);
        }
        self.instance.backends.push(backend);
    }

    fn mark_health_checks(&mut self) {
        for &(route, span) in &self.health_checks {
            let target = self.instance.routes.get(route).map(|route| &route.target);
            let Some(crate::model::Target::Backend(index)) = target else {
                continue;
            };
            if let Some(backend) = self.instance.backends.get_mut(*index) {
                for server in &mut backend.servers {
                    server.check = Setting {
                        value: true,
                        origin: Origin::new(OriginKind::OuterScope, span),
                    };
                }
            }
        }
    }

    /// A stream upstream balances datagrams when every listener that uses it takes datagrams.
    fn mark_udp(&mut self) {
        let mut layers: HashMap<usize, bool> = HashMap::new();
        for route in &self.instance.routes {
            let listener = route
                .listener
                .and_then(|at| self.instance.listeners.get(at));
            if let (crate::model::Target::Backend(index), Some(listener)) =
                (&route.target, listener)
            {
                let udp = listener.layer == Layer::Udp;
                layers
                    .entry(*index)
                    .and_modify(|all| *all &= udp)
                    .or_insert(udp);
            }
        }
        for (index, backend) in self.instance.backends.iter_mut().enumerate() {
            if layers.get(&index) == Some(&true) {
                backend.layer = Layer::Udp;
            }
        }
    }
}

fn workers(directive: Directive<'_>) -> Setting<Workers> {
    let text = directive.text(1);
    let span = directive.span();
    match value::count(&text) {
        Some(count) => Setting::explicit(Workers::Count(count), span),
        None if text == "auto" => Setting::explicit(Workers::Auto, span),
        None => Setting {
            value: Workers::Auto,
            origin: Origin::opaque(span),
        },
    }
}
