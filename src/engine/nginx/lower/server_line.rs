//! One `server` of an upstream, and the servers that a `…_pass` to a host implies.
//!
//! In: the directive. Out: a server of the model, and findings for what nginx refuses
//! (`ngx_http_upstream_server()` in `src/http/ngx_http_upstream.c` and its twin in `src/stream`).

use std::borrow::Cow;
use std::sync::Arc;

use super::refuse;
use crate::engine::nginx::comment;
use crate::engine::nginx::tree::Directive;
use crate::engine::nginx::value::{self, AddressFault, server_address};
use crate::finding::Finding;
use crate::model::{Address, Backend, Layer, Origin, PassiveCheck, Server, ServerOptions, Setting};
use crate::source::Span;
use crate::spelling;

/// What a `server` may have at its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// Of the upstream.
    pub(super) layer: Layer,
    /// Whether commercial parameters are fine.
    pub(super) plus: bool,
    /// No method without backups stands above it.
    pub(super) backup: bool,
}

/// A server with everything at nginx's defaults.
pub(super) fn new_server(
    address: Address,
    span: Span,
    head: Span,
    plain: &Arc<ServerOptions>,
) -> Server {
    let name = address.text.clone();
    Server::new(name, address, span, head, Arc::clone(plain))
}

/// Reads one `server` directive into `backend`.
pub(super) fn lower(
    directive: Directive<'_>,
    allowed: Allowed,
    plain: &Arc<ServerOptions>,
    backend: &mut Backend,
    findings: &mut Vec<Finding>,
) {
    let default_port = (allowed.layer == Layer::Http).then_some(80);
    let (words, span) = (directive.words(), directive.span());
    let (text, address_span) = match words.get(1) {
        Some(&word) => (directive.content(word), directive.file.span(word)),
        None => (Cow::Borrowed(""), span),
    };
    let (address, fault) = server_address(&text, default_port);
    let Backend { name, servers, .. } = backend;
    servers.push(new_server(address, span, span.to(address_span), plain));
    let Some(server) = servers.last_mut() else {
        return;
    };
    if let Some(comment) = comment::of_directive(directive) {
        server.set_comment(comment);
    }
    let mut line = Line {
        server,
        allowed,
        options: None,
        refused: Vec::new(),
    };
    // What is looked up while running may fail then, and not at the start.
    let resolved = || (2..=directive.arguments()).any(|at| directive.string(at) == "resolve");
    if let Some(fault) = fault.filter(|it| !(*it == AddressFault::Number && resolved())) {
        line.refused
            .push(refuse::address(address_span, &line.server.name, fault));
    }
    for &word in words.get(2..).unwrap_or_default() {
        line.parameter(&directive.content(word), directive.file.span(word));
    }
    // The ports of `service=` come from SRV records.
    let service = (line.options.as_ref()).is_some_and(|options| options.service.is_some());
    if fault.is_none() && !service && allowed.layer != Layer::Http && lacks_port(line.server) {
        line.refused
            .push(refuse::no_port(address_span, &line.server.name));
    }
    let Line {
        server,
        options,
        refused,
        ..
    } = line;
    if let Some(options) = options {
        server.options = Arc::new(options);
    }
    let told = |finding: Finding| finding.backend(name).server(&server.name);
    findings.extend(refused.into_iter().map(told));
}

/// The name before the first `=`, and what is behind it. Both are short.
fn assigned(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b'=')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn lacks_port(server: &Server) -> bool {
    use crate::model::{AddressKind, Port};
    server.address.port == Port::None
        && !matches!(server.address.kind, AddressKind::Unix | AddressKind::Opaque)
}

struct Line<'s> {
    server: &'s mut Server,
    allowed: Allowed,
    options: Option<ServerOptions>,
    refused: Vec<Finding>,
}

impl Line<'_> {
    fn options(&mut self) -> &mut ServerOptions {
        self.options.get_or_insert_with(ServerOptions::default)
    }

    fn passive(&mut self) -> &mut PassiveCheck {
        self.server.passive.get_or_insert_default()
    }

    fn parameter(&mut self, text: &str, span: Span) {
        if let Some((name, value)) = assigned(text) {
            return self.named(name, value, span);
        }
        match text {
            "backup" => self.backup(span),
            "down" => self.server.disabled = Setting::explicit(true, span),
            "drain" => self.options().drain = Some(Setting::explicit(true, span)),
            "resolve" => {
                self.options().resolvers = Some(Box::new(Setting::explicit(text.into(), span)));
            }
            _ => self.unknown(text, text, span),
        }
    }

    fn named(&mut self, name: &str, value: &str, span: Span) {
        match name {
            "weight" => {
                let weight = self.number(value, span, |number| number > 0);
                self.server.weight = weight;
            }
            "max_conns" => {
                let limit = self.number(value, span, |_| true);
                self.server.maxconn = Setting {
                    value: Some(limit.value).filter(|&limit| limit > 0),
                    origin: limit.origin,
                };
            }
            "max_fails" => {
                let fails = self.number(value, span, |_| true);
                self.passive().max_fails = fails;
            }
            "fail_timeout" => {
                let timeout = self.time(value, span);
                self.passive().fail_timeout = timeout;
            }
            "slow_start" => self.slow_start(value, span),
            "service" => {
                let service = Setting::explicit(value.into(), span);
                self.options().service = Some(Box::new(service));
            }
            "route" => self
                .options()
                .other
                .push(compact_str::format_compact!("route={value}")),
            _ => self.unknown(name, &compact_str::format_compact!("{name}={value}"), span),
        }
    }

    /// A parameter that this version does not have: a slip, or one of a patched or newer nginx.
    fn unknown(&mut self, name: &str, text: &str, span: Span) {
        let with_value = [
            "weight",
            "max_conns",
            "max_fails",
            "fail_timeout",
            "slow_start",
            "service",
            "route",
        ];
        let flags = ["backup", "down", "drain", "resolve"];
        let known = with_value.iter().chain(&flags).copied();
        let meant = known
            .clone()
            .find(|known| *known == name)
            .or_else(|| spelling::meant(name, known.clone()))
            .or_else(|| known.clone().find(|known| known.eq_ignore_ascii_case(name)));
        if let Some(meant) = meant {
            let form = if with_value.contains(&meant) {
                "=VALUE"
            } else {
                ""
            };
            self.refused.push(refuse::unknown_parameter(
                span,
                &self.server.name,
                text,
                &format!("{meant}{form}"),
            ));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte);
        if meant.is_none() && !name.bytes().all(allowed) {
            let refused = refuse::no_parameter(span, &self.server.name, text);
            self.refused.push(refused);
        }
        self.options().other.push(text.into());
    }

    fn backup(&mut self, span: Span) {
        self.server.backup = Setting::explicit(true, span);
        if !self.allowed.backup {
            self.refused.push(refuse::backup(span, &self.server.name));
        }
    }

    /// A number that nginx takes when `valid`; one with a variable is not known.
    fn number(&mut self, value: &str, span: Span, valid: impl Fn(u32) -> bool) -> Setting<u32> {
        match value::count(value) {
            Some(number) if valid(number) => Setting::explicit(number, span),
            number => {
                self.refuse_value(value, span, number == Some(0));
                Setting {
                    value: 1,
                    origin: Origin::opaque(span),
                }
            }
        }
    }

    fn time(&mut self, value: &str, span: Span) -> Setting<std::time::Duration> {
        if let Some(time) = value::time(value, false) {
            return Setting::explicit(time, span);
        }
        self.refuse_value(value, span, false);
        Setting {
            value: std::time::Duration::ZERO,
            origin: Origin::opaque(span),
        }
    }

    fn refuse_value(&mut self, value: &str, span: Span, zero_weight: bool) {
        if zero_weight {
            self.refused
                .push(refuse::zero_weight(span, &self.server.name));
        } else if !value.contains('$') {
            self.refused
                .push(refuse::parameter(span, &self.server.name, value));
        }
    }

    fn slow_start(&mut self, value: &str, span: Span) {
        let time = self.time(value, span);
        self.options().slowstart = Some(time);
        if !self.allowed.plus {
            self.refused
                .push(refuse::slow_start(span, &self.server.name));
        }
    }
}
