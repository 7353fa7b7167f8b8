//! The documented JSON of `model`.
//!
//! Backends are turned into JSON one by one while they are written, so that a large model needs
//! little memory.

use std::borrow::Cow;
use std::io;

use serde::{Serialize, Serializer};

use super::backend::BackendView;
use super::values::{Printer, Value};
use crate::audit::Audit;
use crate::model::{
    Bind, Condition, Instance, Listener, PathMatch, Route, Split, SplitKind, Target, Workers,
};
use crate::report::json::{Location, write_document, write_line};
use crate::report::mask::is_sensitive_name;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    instances: Vec<Shown<'a>>,
}

/// Writes one document.
pub(super) fn write(audit: &Audit, out: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        schema: "lbaudit/model/1",
        instances: shown(audit).collect(),
    };
    write_document(&document, out)
}

/// Writes one instance per line.
pub(super) fn write_lines(audit: &Audit, out: &mut dyn io::Write) -> io::Result<()> {
    shown(audit).try_for_each(|instance| write_line(&instance, out))
}

fn shown(audit: &Audit) -> impl Iterator<Item = Shown<'_>> {
    let variants = audit.instances.iter().flat_map(|audited| &audited.variants);
    variants.map(|instance| Shown { audit, instance })
}

/// An instance that is turned into JSON when it is written.
struct Shown<'a> {
    audit: &'a Audit,
    instance: &'a Instance,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let instance = self.instance;
        let printer = &Printer::new(&self.audit.sources, instance.engine);
        let name = |file| self.audit.sources.get(file).name().to_owned();
        InstanceView {
            engine: instance.engine.as_str(),
            version: instance.version.to_string(),
            root: &instance.root,
            files: instance.files.iter().copied().map(name).collect(),
            fragment: instance.fragment,
            variant: instance.variant,
            workers: printer.setting(&instance.workers, |workers| Some(WorkersView(*workers))),
            maxconn: printer.optional(&instance.maxconn),
            listeners: Each(&instance.listeners, |one| listener(printer, one)),
            routes: Each(&instance.routes, |one| route(printer, instance, one)),
            backends: Each(&instance.backends, |one| BackendView::new(printer, one)),
            splits: Each(&instance.splits, |one| split(printer, one)),
            not_modelled: (instance.not_modelled.iter())
                .map(|(directive, seen)| NotModelledView {
                    directive,
                    count: seen.count,
                    location: printer.location(seen.first),
                })
                .collect(),
        }
        .serialize(serializer)
    }
}

/// A list whose elements are made one at a time.
struct Each<'a, T, F>(&'a [T], F);

impl<'a, T, V: Serialize, F: Fn(&'a T) -> V> Serialize for Each<'a, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

#[derive(Serialize)]
struct InstanceView<'a, L: Serialize, R: Serialize, B: Serialize, P: Serialize> {
    engine: &'static str,
    version: String,
    root: &'a str,
    files: Vec<String>,
    fragment: bool,
    variant: u32,
    workers: Value<WorkersView>,
    maxconn: Value<u32>,
    listeners: L,
    routes: R,
    backends: B,
    splits: P,
    not_modelled: Vec<NotModelledView<'a>>,
}

/// A number, or `"auto"`.
struct WorkersView(Workers);

impl Serialize for WorkersView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Workers::Auto => serializer.serialize_str("auto"),
            Workers::Count(count) => serializer.serialize_u32(count),
        }
    }
}

#[derive(Serialize)]
struct NotModelledView<'a> {
    directive: &'a str,
    count: u32,
    location: Location,
}

#[derive(Serialize)]
struct ListenerView<'a> {
    name: Cow<'a, str>,
    layer: &'static str,
    location: Location,
    binds: Vec<BindView<'a>>,
    maxconn: Value<u32>,
    server_names: Vec<Cow<'a, str>>,
    restores_client_address: Option<Location>,
}

#[derive(Serialize)]
struct BindView<'a> {
    address: &'a str,
    location: Location,
    tls: bool,
    proxy_protocol: bool,
    default_server: bool,
}

fn listener<'a>(printer: &Printer<'_>, listener: &'a Listener) -> ListenerView<'a> {
    let bind = |bind: &'a Bind| BindView {
        address: &bind.address.text,
        location: printer.location(bind.span),
        tls: bind.tls,
        proxy_protocol: bind.proxy_protocol,
        default_server: bind.default_server,
    };
    ListenerView {
        name: printer.text(&listener.name),
        layer: listener.layer.as_str(),
        location: printer.location(listener.span),
        binds: listener.binds.iter().map(bind).collect(),
        maxconn: printer.optional(&listener.maxconn),
        server_names: printer.texts(&listener.server_names),
        restores_client_address: (listener.restores_client_address)
            .map(|span| printer.location(span)),
    }
}

#[derive(Serialize)]
struct RouteView<'a> {
    listener: Option<Cow<'a, str>>,
    condition: ConditionView<'a>,
    target: TargetView<'a>,
    location: Location,
    next_upstream: Option<NextUpstreamView<'a>>,
    connect_timeout: Option<Value<f64>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum ConditionView<'a> {
    Always,
    Path {
        #[serde(rename = "match")]
        how: &'static str,
        value: Cow<'a, str>,
    },
    Host {
        names: Vec<Cow<'a, str>>,
    },
    Random {
        range: u32,
        from: u32,
        below: u32,
    },
    Opaque {
        text: Cow<'a, str>,
    },
}

#[derive(Serialize)]
struct TargetView<'a> {
    kind: &'static str,
    name: Cow<'a, str>,
}

#[derive(Serialize)]
struct NextUpstreamView<'a> {
    conditions: Value<Vec<Cow<'a, str>>>,
    tries: Value<u32>,
    timeout: Value<f64>,
}

fn route<'a>(printer: &Printer<'_>, instance: &'a Instance, route: &'a Route) -> RouteView<'a> {
    let listener = route
        .listener
        .and_then(|index| instance.listeners.get(index));
    RouteView {
        listener: listener.map(|listener| printer.text(&listener.name)),
        condition: condition(printer, &route.condition),
        target: target(printer, instance, &route.target),
        location: printer.location(route.span),
        next_upstream: (route.next_upstream.as_ref()).map(|next| NextUpstreamView {
            conditions: printer.setting(&next.conditions, |words| Some(printer.texts(words))),
            tries: printer.plain(&next.tries),
            timeout: printer.time(&next.timeout),
        }),
        connect_timeout: (route.connect_timeout.as_ref()).map(|timeout| printer.time(timeout)),
    }
}

fn condition<'a>(printer: &Printer<'_>, condition: &'a Condition) -> ConditionView<'a> {
    match condition {
        Condition::Always => ConditionView::Always,
        Condition::Path(path) => {
            let (how, value) = match path {
                PathMatch::Exact(path) => ("exact", path),
                PathMatch::Prefix(path) => ("prefix", path),
                PathMatch::Regex(path) => ("regex", path),
                PathMatch::Named(path) => ("named", path),
            };
            let value = printer.text(value);
            ConditionView::Path { how, value }
        }
        Condition::Host(names) => ConditionView::Host {
            names: printer.texts(names),
        },
        Condition::Random(draw) => ConditionView::Random {
            range: draw.range,
            from: draw.from,
            below: draw.below,
        },
        Condition::Opaque(text) => ConditionView::Opaque {
            text: printer.text(text),
        },
    }
}

fn target<'a>(printer: &Printer<'_>, instance: &'a Instance, target: &'a Target) -> TargetView<'a> {
    let (kind, name) = match target {
        Target::Backend(index) => {
            let backend = instance.backends.get(*index);
            ("backend", backend.map_or("", |backend| &backend.name))
        }
        Target::Undefined(name) => ("undefined", name.as_str()),
        Target::Dynamic(name) => ("dynamic", name.as_str()),
    };
    TargetView {
        kind,
        name: printer.text(name),
    }
}

#[derive(Serialize)]
struct SplitView<'a> {
    kind: &'static str,
    variable: &'a str,
    key: Cow<'a, str>,
    location: Location,
    parts: Vec<SplitPartView<'a>>,
}

#[derive(Serialize)]
struct SplitPartView<'a> {
    pattern: Cow<'a, str>,
    value: Cow<'a, str>,
    share: Option<f64>,
}

fn split<'a>(printer: &Printer<'_>, split: &'a Split) -> SplitView<'a> {
    // The entries of a map over `$http_x_api_key` are keys, those of a map to `$token` are tokens.
    let keys = is_sensitive_name(&split.key);
    let values = is_sensitive_name(&split.variable);
    let parts = split.parts.iter().map(|part| SplitPartView {
        pattern: printer.entry(&part.pattern, keys),
        value: printer.entry(&part.value, values),
        share: part
            .hundredths
            .map(|hundredths| f64::from(hundredths) / 10_000.0),
    });
    SplitView {
        kind: match split.kind {
            SplitKind::SplitClients => "split_clients",
            SplitKind::Map => "map",
            SplitKind::Geo => "geo",
        },
        variable: &split.variable,
        key: printer.text(&split.key),
        location: printer.location(split.span),
        parts: parts.collect(),
    }
}
