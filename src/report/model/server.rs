//! A server of the model as JSON.

use std::borrow::Cow;

use serde::Serialize;

use super::backend::ProtocolView;
use super::values::{Printer, Value};
use crate::model::{Backend, Server, ServerOptions, Setting, Text};
use crate::report::json::Location;

#[derive(Serialize)]
pub(super) struct ServerView<'a> {
    name: Cow<'a, str>,
    address: Cow<'a, str>,
    host: Cow<'a, str>,
    port: Option<u16>,
    location: Location,
    role: &'static str,
    weight: Value<u32>,
    backup: Value<bool>,
    disabled: Value<bool>,
    maxconn: Value<u32>,
    id: Option<Value<u32>>,
    check: Value<bool>,
    health_check: Option<HealthCheckView<'a>>,
    agent_check: Value<bool>,
    passive_check: Option<PassiveCheckView<'a>>,
    cookie: Option<Value<Cow<'a, str>>>,
    options: OptionsView<'a>,
    template: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct HealthCheckView<'a> {
    protocol: Value<ProtocolView<'a>>,
    inter: Value<f64>,
    fastinter: Value<f64>,
    downinter: Value<f64>,
    rise: Value<u32>,
    fall: Value<u32>,
    port: Option<Value<u16>>,
    addr: Option<Value<Cow<'a, str>>>,
}

/// How failures of live traffic take a server out: nginx by counting, HAProxy by `observe`.
#[derive(Serialize)]
#[serde(untagged)]
enum PassiveCheckView<'a> {
    Counting {
        max_fails: Value<u32>,
        fail_timeout: Value<f64>,
    },
    Observing {
        observe: Value<Cow<'a, str>>,
        on_error: Option<Value<Cow<'a, str>>>,
    },
}

/// The options that are `null` on most servers.
#[derive(Serialize)]
struct OptionsView<'a> {
    track: Option<Value<Cow<'a, str>>>,
    on_marked_down: Option<Value<Cow<'a, str>>>,
    slowstart: Option<Value<f64>>,
    maxqueue: Option<Value<u32>>,
    minconn: Option<Value<u32>>,
    ssl: Option<Value<bool>>,
    check_ssl: Option<Value<bool>>,
    send_proxy: Option<Value<Cow<'a, str>>>,
    sni: Option<Value<Cow<'a, str>>>,
    proto: Option<Value<Cow<'a, str>>>,
    namespace: Option<Value<Cow<'a, str>>>,
    source: Option<Value<Cow<'a, str>>>,
    resolvers: Option<Value<Cow<'a, str>>>,
    init_addr: Option<Value<Cow<'a, str>>>,
    init_state: Option<Value<Cow<'a, str>>>,
    hash_key: Option<Value<Cow<'a, str>>>,
    guid: Option<Value<Cow<'a, str>>>,
    service: Option<Value<Cow<'a, str>>>,
    drain: Option<Value<bool>>,
    other: Vec<Cow<'a, str>>,
}

/// The role of a server while everything is healthy.
pub(super) fn role(server: &Server) -> &'static str {
    if server.disabled.known() == Some(&true) {
        "disabled"
    } else if server.backup.value {
        "backup"
    } else {
        "active"
    }
}

/// The view of `one`.
pub(super) fn server<'a>(
    printer: &Printer<'_>,
    backend: &'a Backend,
    one: &'a Server,
) -> ServerView<'a> {
    let unwritten = Setting::engine_default(false);
    let agent = one.options.agent_check.unwrap_or(unwritten);
    ServerView {
        name: printer.text(&one.name),
        address: printer.text(&one.address.text),
        host: printer.text(one.address.host()),
        port: one.address.port.number(),
        location: printer.location(one.span),
        role: role(one),
        weight: printer.plain(&one.weight),
        backup: printer.plain(&one.backup),
        disabled: printer.plain(&one.disabled),
        maxconn: printer.optional(&one.maxconn),
        id: printer.is_haproxy().then(|| printer.plain(&one.id())),
        check: printer.plain(&one.check),
        health_check: (one.check.known() == Some(&true))
            .then(|| health_check(printer, backend, &one.options)),
        agent_check: printer.plain(&agent),
        passive_check: passive_check(printer, one),
        cookie: one.cookie().map(|it| printer.word(it)),
        options: options(printer, &one.options),
        template: one.template().map(|it| printer.text(&it.prefix)),
    }
}

fn health_check<'a>(
    printer: &Printer<'_>,
    backend: &'a Backend,
    options: &'a ServerOptions,
) -> HealthCheckView<'a> {
    let timing = &options.timing;
    HealthCheckView {
        protocol: printer.setting(&backend.check_protocol, |it| {
            Some(ProtocolView::new(printer, it))
        }),
        inter: printer.time(&timing.inter),
        fastinter: printer.optional_time(&timing.fastinter),
        downinter: printer.optional_time(&timing.downinter),
        rise: printer.plain(&timing.rise),
        fall: printer.plain(&timing.fall),
        port: options.check_port.as_ref().map(|it| printer.plain(it)),
        addr: options.check_addr.as_ref().map(|it| printer.word(it)),
    }
}

fn passive_check<'a>(printer: &Printer<'_>, one: &'a Server) -> Option<PassiveCheckView<'a>> {
    if !printer.is_haproxy() {
        return Some(PassiveCheckView::Counting {
            max_fails: printer.plain(&one.passive().max_fails),
            fail_timeout: printer.time(&one.passive().fail_timeout),
        });
    }
    let observe = one.options.observe.as_ref()?;
    Some(PassiveCheckView::Observing {
        observe: printer.word(observe),
        on_error: one.options.on_error.as_ref().map(|it| printer.word(it)),
    })
}

fn options<'a>(printer: &Printer<'_>, options: &'a ServerOptions) -> OptionsView<'a> {
    let word = |it: &'a Option<Box<Setting<Text>>>| it.as_ref().map(|it| printer.word(it));
    let flag = |it: &Option<Setting<bool>>| it.as_ref().map(|it| printer.plain(it));
    let number = |it: &Option<Setting<u32>>| it.as_ref().map(|it| printer.plain(it));
    OptionsView {
        track: word(&options.track),
        on_marked_down: word(&options.on_marked_down),
        slowstart: options.slowstart.as_ref().map(|it| printer.time(it)),
        maxqueue: number(&options.maxqueue),
        minconn: number(&options.minconn),
        ssl: flag(&options.ssl),
        check_ssl: flag(&options.check_ssl),
        send_proxy: word(&options.send_proxy),
        sni: word(&options.sni),
        proto: word(&options.proto),
        namespace: word(&options.namespace),
        source: word(&options.source),
        resolvers: word(&options.resolvers),
        init_addr: word(&options.init_addr),
        init_state: word(&options.init_state),
        hash_key: word(&options.hash_key),
        guid: word(&options.guid),
        service: word(&options.service),
        drain: flag(&options.drain),
        other: printer.texts(&options.other),
    }
}
