//! A backend of the model as JSON.

use std::borrow::Cow;

use serde::Serialize;

use super::server::{ServerView, server};
use super::values::{HashTypeView, Printer, Value, algorithm_words};
use crate::model::{Backend, CheckProtocol, Cookie, Redispatch, Text};
use crate::report::json::Location;
use crate::source::Span;

#[derive(Serialize)]
pub(super) struct BackendView<'a> {
    name: Cow<'a, str>,
    layer: &'static str,
    declared: bool,
    location: Location,
    algorithm: Value<Cow<'a, str>>,
    hash_type: Option<Value<HashTypeView>>,
    hash_balance_factor: Option<Value<u32>>,
    allbackups: Option<Value<bool>>,
    redispatch: Option<Value<i32>>,
    retries: Option<Value<u32>>,
    retry_on: Option<Value<Vec<Cow<'a, str>>>>,
    check_protocol: Option<Value<ProtocolView<'a>>>,
    timeouts: Option<TimeoutsView>,
    cookie: Option<Value<CookieView<'a>>>,
    stick_rules: Vec<StickView<'a>>,
    persist: Option<Value<bool>>,
    force_persist: Vec<Location>,
    use_server: Vec<UseServerView<'a>>,
    zone: Option<Value<Cow<'a, str>>>,
    keepalive: Option<Value<u32>>,
    fullconn: Option<Value<u32>>,
    answers_itself: Option<Location>,
    state_file: Option<Value<Cow<'a, str>>>,
    servers: Vec<ServerView<'a>>,
}

#[derive(Serialize)]
struct TimeoutsView {
    connect: Value<f64>,
    server: Value<f64>,
    queue: Value<f64>,
    check: Value<f64>,
}

#[derive(Serialize)]
struct CookieView<'a> {
    name: &'a str,
    method: &'a str,
    dynamic: bool,
    bounded: bool,
}

#[derive(Serialize)]
struct StickView<'a> {
    key: Cow<'a, str>,
    location: Location,
}

#[derive(Serialize)]
struct UseServerView<'a> {
    server: Option<&'a str>,
    location: Location,
}

/// What an active check looks at.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum ProtocolView<'a> {
    Connect,
    Http {
        method: Option<&'a str>,
        uri: Option<Cow<'a, str>>,
        expects: bool,
    },
    Tcp {
        expects: bool,
    },
    Protocol {
        name: &'a str,
    },
    External,
}

impl<'a> ProtocolView<'a> {
    pub(super) fn new(printer: &Printer<'_>, protocol: &'a CheckProtocol) -> Self {
        match protocol {
            CheckProtocol::Connect => Self::Connect,
            CheckProtocol::Http {
                method,
                uri,
                expects,
            } => Self::Http {
                method: method.as_deref(),
                uri: uri.as_ref().map(|uri| printer.text(uri)),
                expects: *expects,
            },
            CheckProtocol::Tcp { expects } => Self::Tcp { expects: *expects },
            CheckProtocol::Protocol(name) => Self::Protocol { name },
            CheckProtocol::External => Self::External,
        }
    }
}

impl<'a> BackendView<'a> {
    pub(super) fn new(printer: &Printer<'_>, backend: &'a Backend) -> Self {
        let hashes = matches!(backend.algorithm.value, crate::model::Algorithm::Hash(_));
        let place = |span: &Span| printer.location(*span);
        // What nginx has no word for is `null` there.
        let haproxy = printer.is_haproxy();
        Self {
            name: printer.text(&backend.name),
            layer: backend.layer.as_str(),
            declared: backend.declared,
            location: printer.location(backend.span),
            algorithm: printer.setting(&backend.algorithm, |it| Some(algorithm_words(it))),
            hash_type: hashes
                .then(|| printer.setting(&backend.hash_type, |it| Some(HashTypeView::new(*it)))),
            hash_balance_factor: haproxy.then(|| printer.plain(&backend.hash_balance_factor)),
            allbackups: haproxy.then(|| printer.plain(&backend.allbackups)),
            redispatch: haproxy
                .then(|| printer.setting(&backend.redispatch, |it| Some(redispatch(*it)))),
            retries: haproxy.then(|| printer.plain(&backend.retries)),
            retry_on: haproxy
                .then(|| printer.setting(&backend.retry_on, |it| Some(printer.texts(it)))),
            check_protocol: haproxy.then(|| {
                printer.setting(&backend.check_protocol, |it| {
                    Some(ProtocolView::new(printer, it))
                })
            }),
            timeouts: haproxy.then(|| timeouts(printer, backend)),
            cookie: backend
                .cookie
                .as_ref()
                .map(|it| printer.setting(it, cookie)),
            stick_rules: (backend.stick_rules.iter())
                .map(|rule| StickView {
                    key: printer.text(&rule.key),
                    location: printer.location(rule.span),
                })
                .collect(),
            persist: haproxy.then(|| printer.plain(&backend.persist)),
            force_persist: backend.force_persist.iter().map(place).collect(),
            use_server: (backend.use_server.iter())
                .map(|(server, span)| UseServerView {
                    server: server.as_ref().map(Text::as_str),
                    location: printer.location(*span),
                })
                .collect(),
            zone: backend.zone.as_ref().map(|it| printer.word(it)),
            keepalive: backend.keepalive.as_ref().map(|it| printer.plain(it)),
            fullconn: backend.fullconn.as_ref().map(|it| printer.plain(it)),
            answers_itself: backend.answers_itself.as_ref().map(place),
            state_file: backend.state_file.as_ref().map(|it| printer.word(it)),
            servers: (backend.servers.iter())
                .map(|one| server(printer, backend, one))
                .collect(),
        }
    }
}

/// Every how many retries another server is tried; 0 is never.
fn redispatch(redispatch: Redispatch) -> i32 {
    match redispatch {
        Redispatch::Off => 0,
        Redispatch::On(interval) => interval,
    }
}

fn timeouts(printer: &Printer<'_>, backend: &Backend) -> TimeoutsView {
    let timeouts = &backend.timeouts;
    TimeoutsView {
        connect: printer.optional_time(&timeouts.connect),
        server: printer.optional_time(&timeouts.server),
        queue: printer.optional_time(&timeouts.queue),
        check: printer.optional_time(&timeouts.check),
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "the shape that `Printer::setting` takes"
)]
fn cookie(cookie: &Cookie) -> Option<CookieView<'_>> {
    Some(CookieView {
        name: &cookie.name,
        method: &cookie.method,
        dynamic: cookie.dynamic,
        bounded: cookie.bounded,
    })
}
