//! `server` blocks: where clients connect, and the locations in them.
//!
//! In: a `server` block and the scope around it. Out: a listener, and the routes of its locations.

use std::collections::HashMap;
use std::rc::Rc;

use super::cursor::{Children, Item, misses_a_file};
use super::pass::{self, Place};
use super::refuse;
use super::scope::{Scope, ScopeBuilder};
use super::upstream::arguments;
use super::{Group, Lowering};
use crate::engine::nginx::comment;
use crate::engine::nginx::name::{Family, Name};
use crate::engine::nginx::tree::Directive;
use crate::engine::nginx::value::{bad_listen_port, listen_address};
use crate::finding::Finding;
use crate::model::{Bind, Condition, Layer, Listener, PathMatch, Port, Setting, Text};
use crate::source::Span;

/// The sockets of a group that were seen, to tell what nginx refuses.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    defaults: HashMap<(String, bool), Span>,
}

/// Lowers a `server` block.
pub(super) fn lower<'t>(
    lowering: &mut Lowering<'t>,
    group: Group,
    item: Item<'t>,
    outer: &Rc<Scope>,
    sockets: &mut Sockets,
) {
    let directive = item.directive;
    let mut listener = new_listener(directive, group);
    let mut udp = Vec::new();
    for child in Children::of(lowering.forest, item.block()) {
        let line = child.directive;
        match (line.known().name, line.is_block()) {
            (Name::Listen, false) => {
                let (bind, is_udp) = listen(line, group);
                let text = line.text(1);
                if bad_listen_port(&text) {
                    lowering
                        .findings
                        .push(refuse::listen_port(bind.span, &text));
                }
                udp.push(is_udp);
                extend(&mut listener.binds, 1, [bind]);
            }
            (Name::HostNames, false) => {
                let names = (1..=line.arguments()).map(|index| line.text(index));
                extend(&mut listener.server_names, line.arguments(), names);
            }
            _ => {}
        }
    }
    if group == Group::Stream && !udp.is_empty() && udp.iter().all(|udp| *udp) {
        listener.layer = Layer::Udp;
    }
    sockets.add(group, &listener, &udp, &mut lowering.findings);
    let is_default = group == Group::Http && listener.binds.is_empty();
    if is_default && !misses_a_file(lowering.forest, item.block()) {
        listener.binds.push(default_bind(directive));
    }
    listener.name = name(&listener);
    let index = lowering.instance.listeners.len();
    lowering.instance.listeners.push(listener);
    if group == Group::Mail {
        return;
    }
    let items = Children::of(lowering.forest, item.block());
    let scope = walk(lowering, group, items, outer, Some(index));
    if let Some(listener) = lowering.instance.listeners.get_mut(index) {
        listener.restores_client_address = scope.restores_client_address(lowering.forest);
    }
}

/// Adds `count` items; an empty list gets room for no more, since most servers have one `listen` and one name.
fn extend<T>(list: &mut Vec<T>, count: usize, items: impl IntoIterator<Item = T>) {
    if list.is_empty() {
        list.reserve_exact(count);
    }
    list.extend(items);
}

fn new_listener(directive: Directive<'_>, group: Group) -> Listener {
    Listener {
        name: Text::default(),
        layer: group.layer(),
        span: directive.head(),
        body: directive.span(),
        binds: Vec::new(),
        maxconn: Setting::engine_default(None),
        server_names: Vec::new(),
        restores_client_address: None,
        answers_itself: None,
        answers_partly: Vec::new(),
        comments: comment::of_block(directive),
    }
}

/// The first name that says something, else the first socket.
fn name(listener: &Listener) -> Text {
    let named = |name: &&Text| !name.is_empty() && *name != "_";
    let first_bind = listener.binds.first().map(|bind| &bind.address.text);
    let name = listener.server_names.iter().find(named).or(first_bind);
    name.cloned().unwrap_or_else(|| "server".into())
}

fn listen(directive: Directive<'_>, group: Group) -> (Bind, bool) {
    let count = directive.arguments();
    let has = |word: &[u8]| (2..=count).any(|at| *directive.bytes(at) == *word);
    let default = if group == Group::Http { 80 } else { 0 };
    let bind = Bind {
        address: listen_address(&directive.text(1), default),
        span: directive.word_span(1),
        tls: has(b"ssl") || has(b"quic"),
        proxy_protocol: has(b"proxy_protocol"),
        default_server: has(b"default_server") || has(b"default"),
    };
    (bind, has(b"udp") || has(b"quic"))
}

/// Without `listen` a server of `http` takes port 80 (8000 when it is not run by root).
fn default_bind(directive: Directive<'_>) -> Bind {
    let mut address = listen_address("*:80", 80);
    address.port = Port::Default(80);
    Bind {
        address,
        span: directive.head(),
        tls: false,
        proxy_protocol: false,
        default_server: false,
    }
}

impl Sockets {
    fn add(
        &mut self,
        group: Group,
        listener: &Listener,
        udp: &[bool],
        findings: &mut Vec<Finding>,
    ) {
        let is_default = |bind: &Bind| group == Group::Http && bind.default_server;
        if listener.binds.len() == 1 && !listener.binds.iter().any(is_default) {
            // Nothing that another one could contradict.
            return;
        }
        let mut own = HashMap::new();
        for (bind, udp) in std::iter::zip(&listener.binds, udp) {
            let Some(pair) = pair(bind) else { continue };
            let text = &bind.address.text;
            if let Some(first) = own.insert((pair.clone(), *udp), bind.span) {
                findings.push(refuse::duplicate_listen(bind.span, text, first));
            } else if is_default(bind) {
                let socket = (pair, *udp);
                match self.defaults.get(&socket) {
                    Some(first) => {
                        findings.push(refuse::duplicate_default_server(bind.span, text, *first));
                    }
                    None => _ = self.defaults.insert(socket, bind.span),
                }
            }
        }
    }
}

/// The same text for the same socket; `None` where it cannot be told.
fn pair(bind: &Bind) -> Option<String> {
    use crate::model::AddressKind;
    let address = &bind.address;
    let host = match address.kind {
        AddressKind::Any if address.host() == "::" => "[::]",
        AddressKind::Any => "*",
        AddressKind::Opaque => return None,
        AddressKind::Ipv4
        | AddressKind::Ipv6
        | AddressKind::Name
        | AddressKind::Unix
        | AddressKind::Abstract
        | AddressKind::Other => address.host(),
    };
    match address.port {
        Port::Fixed(port) | Port::Default(port) => Some(format!("{host}:{port}")),
        Port::None => Some(host.to_owned()),
        Port::Range(..) | Port::Offset(_) => None,
    }
}

/// Lowers locations that stand in no `server`: those of a fragment.
pub(super) fn lower_locations<'t>(
    lowering: &mut Lowering<'t>,
    group: Group,
    items: &[Item<'t>],
    outer: &Rc<Scope>,
) {
    let items = Children::listed(lowering.forest, items);
    walk(lowering, group, items, outer, None);
}

/// A block that is still to be looked at.
struct Pending<'t> {
    items: Children<'t>,
    scope: Rc<Scope>,
    condition: Condition,
}

/// Walks the directives of a `server` and the blocks in it; the scope of the server is returned.
fn walk<'t>(
    lowering: &mut Lowering<'t>,
    group: Group,
    items: Children<'t>,
    outer: &Rc<Scope>,
    listener: Option<usize>,
) -> Rc<Scope> {
    let mut own = None;
    let mut content = Content::default();
    let mut stack = vec![Pending {
        items,
        scope: Rc::clone(outer),
        condition: Condition::Always,
    }];
    while let Some(pending) = stack.pop() {
        for item in pending.items {
            content.sort(lowering, item);
        }
        let has_own = !content.scope.is_empty();
        let scope = Scope::enter(&pending.scope, std::mem::take(&mut content.scope));
        let place = Place {
            group,
            listener,
            condition: &pending.condition,
            scope: &scope,
            own: has_own,
        };
        for (family, directive) in content.passes.drain(..) {
            pass::lower(lowering, &place, family, directive);
        }
        note_health_check(lowering, content.health_check.take());
        for block in content.blocks.drain(..).rev() {
            stack.push(Pending {
                items: Children::of(lowering.forest, block.block()),
                scope: Rc::clone(&scope),
                condition: condition(block.directive),
            });
        }
        own.get_or_insert(scope);
    }
    own.unwrap_or_else(|| Rc::clone(outer))
}

/// A `health_check` counts for the route of its location, which is the last one made.
fn note_health_check(lowering: &mut Lowering<'_>, span: Option<Span>) {
    if let (Some(span), Some(route)) = (span, lowering.instance.routes.len().checked_sub(1)) {
        lowering.health_checks.push((route, span));
    }
}

/// The directives of one block by what they are for.
#[derive(Default)]
struct Content<'t> {
    scope: ScopeBuilder,
    passes: Vec<(Family, Directive<'t>)>,
    blocks: Vec<Item<'t>>,
    /// The first `health_check`.
    health_check: Option<Span>,
}

impl<'t> Content<'t> {
    fn sort(&mut self, lowering: &mut Lowering<'t>, item: Item<'t>) {
        let directive = item.directive;
        match (directive.known().name, directive.is_block()) {
            (Name::Location | Name::LimitExcept, true) => self.blocks.push(item),
            (Name::If, true) => {
                lowering.splits.condition(directive);
                self.blocks.push(item);
            }
            (Name::Set, false) => lowering.splits.set(directive),
            (Name::HealthCheck, false) => {
                self.health_check.get_or_insert_with(|| directive.span());
            }
            (Name::Listen | Name::HostNames | Name::Include | Name::Resolver, false) => {}
            (Name::Pass(family), false) => self.passes.push((family, directive)),
            (Name::Inherited(slot), _) => self.scope.take(slot, item),
            _ => lowering.not_modelled(directive),
        }
    }
}

/// When a block applies.
fn condition(directive: Directive<'_>) -> Condition {
    if !directive.is(Name::Location) {
        let name = String::from_utf8_lossy(&directive.name()).into_owned();
        return Condition::Opaque(Text::from(format!("{name} {}", arguments(directive))));
    }
    let (modifier, path) = if directive.arguments() >= 2 {
        (directive.text(1), directive.text(2))
    } else {
        split_modifier(&directive.text(1))
    };
    Condition::Path(match modifier.as_str() {
        "=" => PathMatch::Exact(path),
        "~" => PathMatch::Regex(path),
        "~*" => PathMatch::Regex(Text::from(format!("(?i){path}"))),
        _ if path.starts_with('@') => PathMatch::Named(path),
        _ => PathMatch::Prefix(path),
    })
}

/// The modifier that is written without a space before the path.
fn split_modifier(text: &Text) -> (Text, Text) {
    for modifier in ["=", "^~", "~*", "~"] {
        if let Some(path) = text.strip_prefix(modifier) {
            return (modifier.into(), path.into());
        }
    }
    (Text::default(), text.clone())
}
