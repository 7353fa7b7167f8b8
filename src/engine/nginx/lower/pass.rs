//! `proxy_pass` and its siblings: routes, and the backends that they imply.
//!
//! In: a `…_pass` directive and its place. Out: a route, and a backend for a host that is no upstream.

use std::sync::Arc;

use super::scope::{Scope, View};
use super::server_line::new_server;
use super::upstream::new_backend;
use super::{Group, Lowering, refuse};
use crate::engine::nginx::name::Family;
use crate::engine::nginx::tree::Directive;
use crate::engine::nginx::value::server_address;
use crate::model::{Address, AddressKind, Condition, Layer, Port, Route, Setting, Target, Text};
use crate::source::Span;

/// Where a `…_pass` stands.
pub(super) struct Place<'p> {
    pub(super) group: Group,
    pub(super) listener: Option<usize>,
    pub(super) condition: &'p Condition,
    pub(super) scope: &'p Scope,
    /// Whether the block itself sets something in `scope`.
    pub(super) own: bool,
}

/// Lowers the `…_pass` of a family.
pub(super) fn lower(
    lowering: &mut Lowering<'_>,
    place: &Place<'_>,
    family: Family,
    directive: Directive<'_>,
) {
    let view = View {
        forest: lowering.forest,
        scope: place.scope,
        own: place.own,
        family,
    };
    let (next_upstream, connect_timeout) = (view.next_upstream(), view.connect_timeout());
    let target = target(lowering, place.group, family, directive);
    if let Target::Dynamic(text) = &target {
        lowering.splits.route(lowering.instance.routes.len(), text);
    }
    lowering.instance.routes.push(Route {
        listener: place.listener,
        condition: place.condition.clone(),
        target,
        span: directive.span(),
        restores_client_address: (place.scope.restores_client_address(lowering.forest)).is_some(),
        next_upstream: Some(next_upstream),
        connect_timeout: Some(connect_timeout),
    });
}

/// A destination taken apart.
struct Url<'u> {
    /// Host and port.
    authority: &'u str,
    /// Port of the scheme; `None` where there is no default.
    default_port: Option<u16>,
    tls: bool,
    /// Whether any part of the whole depends on variables.
    variables: bool,
}

fn target(
    lowering: &mut Lowering<'_>,
    group: Group,
    family: Family,
    directive: Directive<'_>,
) -> Target {
    let text = directive.text(1);
    let url = url(&text, group, family);
    if url.authority.contains('$') {
        return Target::Dynamic(text);
    }
    let http = group == Group::Http;
    let (host, port) = match url.authority.rsplit_once(':') {
        Some((host, port)) if !url.authority.ends_with(']') => (host, port.parse::<u16>().ok()),
        _ => (url.authority, None),
    };
    let span = directive.word_span(1);
    if let Some(&index) = lowering
        .upstreams
        .get(&(http, Text::from(host).to_ascii_lowercase()))
    {
        match (port, lowering.instance.backends.get(index)) {
            // Compared while running: the name with a port is not that of the upstream.
            (Some(_), _) if url.variables => return Target::Dynamic(text),
            (Some(port), Some(backend)) => {
                let finding = refuse::upstream_port(span, &backend.name, port, backend.span);
                lowering.findings.push(finding);
            }
            _ => {}
        }
        return Target::Backend(index);
    }
    let (address, fault) = server_address(url.authority, url.default_port);
    if url.variables && matches!(address.kind, AddressKind::Name | AddressKind::Opaque) {
        // Looked up while running, by a resolver.
        return Target::Dynamic(text);
    }
    if url.variables {
        // What nginx would say of it, it says while running.
    } else if http && family == Family::Proxy && url.default_port.is_none() {
        lowering.findings.push(refuse::no_scheme(span, &text));
    } else if let Some(fault) = fault {
        lowering
            .findings
            .push(refuse::address(span, &address.text, fault));
    } else if address.port == Port::None
        // A name can be an upstream that is missing here: a rule says so where all files are known.
        && !matches!(address.kind, AddressKind::Unix | AddressKind::Name)
    {
        lowering.findings.push(refuse::no_port(span, &address.text));
    }
    Target::Backend(implied(lowering, http, address, url.tls, span))
}

/// `SCHEME://AUTHORITY/PATH` for `proxy_pass` and `grpc_pass`, `AUTHORITY` for the others.
fn url(text: &str, group: Group, family: Family) -> Url<'_> {
    let mark = text.as_bytes().windows(3).position(|part| part == b"://");
    let (scheme, rest) = match mark.filter(|_| group == Group::Http) {
        Some(at) => (text.get(..at), text.get(at + 3..).unwrap_or_default()),
        None => (None, text),
    };
    let is = |name: &str| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(name));
    let default_port = if family != Family::Proxy {
        None
    } else if is("http") {
        Some(80)
    } else {
        is("https").then_some(443)
    };
    Url {
        // In `stream` there is no path.
        authority: match group {
            Group::Http => authority(rest),
            Group::Stream | Group::Mail => rest,
        },
        default_port,
        tls: is("https") || is("grpcs") || is("suwsgi"),
        variables: text.contains('$'),
    }
}

/// The part before the path. Behind a unix socket the path follows a second colon.
fn authority(rest: &str) -> &str {
    if let Some(path) = rest.strip_prefix("unix:") {
        let end = path.find(':').unwrap_or(path.len());
        return rest.get(.."unix:".len() + end).unwrap_or(rest);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or(rest);
    if !authority.contains('$') {
        return authority;
    }
    // These variables begin with the `/` of the path.
    let path = ["$request_uri", "${request_uri}", "$uri", "${uri}"]
        .iter()
        .filter_map(|variable| authority.find(variable))
        .min();
    match path {
        Some(at) if at > 0 => authority.get(..at).unwrap_or(authority),
        _ => authority,
    }
}

/// The backend for a host that is no upstream: one for each address and protocol.
fn implied(
    lowering: &mut Lowering<'_>,
    http: bool,
    address: Address,
    tls: bool,
    span: Span,
) -> usize {
    let default = match address.port {
        Port::Default(port) => port,
        Port::None | Port::Fixed(_) | Port::Offset(_) | Port::Range(..) => 0,
    };
    let key = (http, default, address.text.clone());
    if let Some(&index) = lowering.implied.get(&key) {
        return index;
    }
    let layer = if http { Layer::Http } else { Layer::Tcp };
    let mut backend = new_backend(address.text.clone(), layer, span);
    backend.declared = false;
    let mut options = Arc::clone(&lowering.plain);
    if tls {
        Arc::make_mut(&mut options).ssl = Some(Setting::explicit(true, span));
    }
    backend.servers = vec![new_server(address, span, span, &options)];
    let index = lowering.instance.backends.len();
    lowering.instance.backends.push(backend);
    lowering.implied.insert(key, index);
    index
}

/// The names of the variables in `text`, lower-case as nginx keeps them, without `$` and braces.
pub(super) fn variables(text: &str) -> Vec<Text> {
    let mut names = Vec::new();
    for part in text.split('$').skip(1) {
        let part = part.strip_prefix('{').unwrap_or(part);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = part.find(|c: char| !is_name(c)).unwrap_or(part.len());
        let name = part.get(..end).unwrap_or_default();
        if !name.is_empty() {
            names.push(Text::from(name.to_ascii_lowercase()));
        }
    }
    names
}
