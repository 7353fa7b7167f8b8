//! `client-ip-hash-behind-proxy`: servers are chosen by the address of the connection's peer, and the
//! peer is a proxy.

use std::collections::{BTreeMap, BTreeSet};

use super::tier::Tier;
use super::wording::names;
use super::{BackendView, Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{
    Address, AddressKind, Algorithm, Backend, Engine, HashKey, Instance, Layer, Listener,
    SplitKind, Text,
};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/client-ip-hash-behind-proxy.md"),
    check: Check::Instance(check),
    options: &[],
};

/// Something that is decided by the peer's address.
struct Keyed<'a> {
    /// The backend, or the variable of a `split_clients`.
    name: &'a Text,
    /// Whether `name` is a backend's.
    is_backend: bool,
    /// Whether requests are told apart, not only connections.
    is_http: bool,
    /// As written, for the message.
    how: String,
    /// The words that do it.
    span: Span,
    /// What speaks for a proxy in front.
    evidence: Evidence,
}

/// What speaks for a proxy in front, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Evidence {
    sign: Sign,
    span: Option<Span>,
}

/// A sign of a proxy in front, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    /// There is none.
    None,
    /// Clients can only come from private networks.
    PrivateOnly,
    /// Every connection is from this machine.
    LocalOnly,
    /// The PROXY protocol is spoken and its address is not used.
    ProxyProtocol,
    /// A header that only proxies set is read.
    ForwardedFor,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut places: BTreeMap<(Span, Evidence), Vec<Keyed<'_>>> = BTreeMap::new();
    let facts = Facts::new(context.instance);
    for keyed in backends(context, &facts).chain(splits(context, &facts)) {
        let place = (keyed.span, keyed.evidence);
        places.entry(place).or_default().push(keyed);
    }
    for ((span, evidence), keyed) in places {
        findings.extend(finding(context.instance.engine, span, evidence, &keyed));
    }
}

/// What is needed for each backend, found once.
struct Facts {
    /// How requests come to each backend.
    reached: Vec<Reach>,
    /// Reads of `X-Forwarded-For`, sorted.
    reads: Vec<Span>,
    /// One of them that belongs to no listener or backend: it is for all.
    read_for_all: Option<Span>,
}

/// How requests come to a backend.
#[derive(Clone, Default)]
struct Reach {
    /// Through these listeners, with the address of the peer.
    listeners: BTreeSet<usize>,
    /// On a route that takes over what a proxy says of the client.
    restored: bool,
}

impl Facts {
    fn new(instance: &Instance) -> Self {
        let reach = |index| {
            let mut reach = Reach::default();
            for route in instance.routes_to(index) {
                if route.restores_client_address {
                    reach.restored = true;
                } else {
                    reach.listeners.extend(route.listener);
                }
            }
            reach
        };
        let reached = (0..instance.backends.len()).map(reach).collect();
        let mut reads = instance.forwarded_for_reads.clone();
        reads.sort_unstable();
        let mut bodies: Vec<Span> = (instance.listeners.iter().map(|one| one.body))
            .chain(instance.backends.iter().map(|one| one.body))
            .collect();
        bodies.sort_unstable();
        let outside = |read: &&Span| {
            let before = bodies.partition_point(|body| body <= *read);
            let body = before.checked_sub(1).and_then(|last| bodies.get(last));
            body.is_none_or(|body| body.source != read.source || body.end <= read.start)
        };
        let read_for_all = reads.iter().find(outside).copied();
        Self {
            reached,
            reads,
            read_for_all,
        }
    }

    /// A place inside `body` that reads `X-Forwarded-For`.
    fn read_within(&self, body: Span) -> Option<Span> {
        let from = self.reads.partition_point(|read| *read < body.at_start());
        let read = self.reads.get(from).copied();
        read.filter(|read| read.source == body.source && read.end <= body.end)
    }
}

fn backends<'a>(context: &'a Context<'_>, facts: &'a Facts) -> impl Iterator<Item = Keyed<'a>> {
    let instance = context.instance;
    let backends = instance.backends.iter().enumerate();
    backends.filter_map(move |(index, backend)| {
        let (how, span) = peer_key(context, index, backend)?;
        let reach = facts.reached.get(index)?;
        if reach.restored && reach.listeners.is_empty() {
            return None;
        }
        let listeners = reach.listeners.iter().copied();
        let is_http = backend.layer == Layer::Http;
        let evidence = evidence(instance, facts, listeners, Some(backend), is_http)?;
        Some(Keyed {
            name: &backend.name,
            is_backend: true,
            is_http,
            how,
            span,
            evidence,
        })
    })
}

/// How a backend with a choice depends on the peer's address, and where that is written.
fn peer_key(context: &Context<'_>, index: usize, backend: &Backend) -> Option<(String, Span)> {
    let algorithm = &backend.algorithm.value;
    let by_algorithm = if *algorithm == Algorithm::IpHash {
        Some("`ip_hash`".to_owned())
    } else {
        algorithm.hash_key().and_then(peer_hash)
    };
    let at_algorithm = by_algorithm.map(|how| {
        let span = backend.algorithm.origin.span().unwrap_or(backend.span);
        (how, span)
    });
    let by_stick = || {
        let rule = backend.stick_rules.iter().find(|rule| is_src(&rule.key))?;
        Some((format!("`stick on {}`", rule.key), rule.span))
    };
    let key = at_algorithm.or_else(by_stick)?;
    Tier::of(&BackendView::new(context, index, backend)).map(|_| key)
}

/// A hash of nothing but the peer's address, as written.
fn peer_hash(key: &HashKey) -> Option<String> {
    match key {
        HashKey::Source => Some("`balance source`".to_owned()),
        HashKey::Expression(key) => is_src(key).then(|| format!("`balance hash {key}`")),
        HashKey::Variables(key) => is_peer_variable(key).then(|| format!("`hash {key}`")),
        HashKey::Uri { .. }
        | HashKey::UrlParam { .. }
        | HashKey::Header { .. }
        | HashKey::RdpCookie(_) => None,
    }
}

fn splits<'a>(context: &'a Context<'_>, facts: &'a Facts) -> impl Iterator<Item = Keyed<'a>> {
    let instance = context.instance;
    let by_peer = instance
        .splits
        .iter()
        .filter(|split| split.kind == SplitKind::SplitClients && is_peer_variable(&split.key));
    by_peer.filter_map(move |split| {
        let route = instance.routes.get(split.used_by?)?;
        if route.restores_client_address {
            return None;
        }
        let listener = route.listener.and_then(|at| instance.listeners.get(at));
        let is_http = listener.is_none_or(|listener| listener.layer == Layer::Http);
        let listeners = route.listener.into_iter();
        Some(Keyed {
            name: &split.variable,
            is_backend: false,
            is_http,
            how: format!("`split_clients {}`", split.key),
            span: split.span,
            evidence: evidence(instance, facts, listeners, None, is_http)?,
        })
    })
}

/// Whether a HAProxy expression is the peer's address, perhaps masked: `src`, `src,ipmask(24)`.
fn is_src(expression: &str) -> bool {
    expression.split([',', '(', ' ']).next() == Some("src")
}

/// Whether nothing but the peer's address varies in an nginx text.
fn is_peer_variable(text: &str) -> bool {
    let mut variables = text.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    });
    let is_peer = |name: &str| matches!(name, "remote_addr" | "binary_remote_addr");
    variables.next().is_some_and(is_peer) && variables.all(is_peer)
}

/// What speaks for a proxy in front of these listeners; `None` where the rule has nothing to say.
fn evidence(
    instance: &Instance,
    facts: &Facts,
    listeners: impl Iterator<Item = usize>,
    backend: Option<&Backend>,
    is_http: bool,
) -> Option<Evidence> {
    let listeners: Vec<&Listener> = listeners
        .filter_map(|index| instance.listeners.get(index))
        .collect();
    let exposed: Vec<&Listener> = (listeners.iter().copied())
        .filter(|listener| !restores(instance.engine, listener))
        .collect();
    if exposed.is_empty() && !listeners.is_empty() {
        return None;
    }
    let by_listener = exposed.iter().map(|one| by_listener(one));
    let by_header = forwarded_for_read(facts, &exposed, backend).filter(|_| is_http);
    let evidence = match by_header {
        Some(_) => Evidence {
            sign: Sign::ForwardedFor,
            span: by_header,
        },
        None => by_listener.max()?,
    };
    // Below HTTP a peer that is the client is the normal case.
    (is_http || evidence.sign > Sign::PrivateOnly).then_some(evidence)
}

/// Whether the address that is hashed is the client's although a proxy stands in front.
fn restores(engine: Engine, listener: &Listener) -> bool {
    let by_protocol = engine == Engine::Haproxy
        && !listener.binds.is_empty()
        && listener.binds.iter().all(|bind| bind.proxy_protocol);
    by_protocol || listener.restores_client_address.is_some()
}

/// What the sockets of a listener say.
fn by_listener(listener: &Listener) -> Evidence {
    let binds = &listener.binds;
    let all =
        |is: fn(&Address) -> bool| !binds.is_empty() && binds.iter().all(|bind| is(&bind.address));
    let spoken = binds.iter().find(|bind| bind.proxy_protocol);
    let (sign, span) = match (spoken, binds.first()) {
        (Some(bind), _) => (Sign::ProxyProtocol, Some(bind.span)),
        (None, Some(bind)) if all(Address::is_local) => (Sign::LocalOnly, Some(bind.span)),
        (None, Some(bind)) if all(is_private) => (Sign::PrivateOnly, Some(bind.span)),
        (None, _) => (Sign::None, None),
    };
    Evidence { sign, span }
}

/// Addresses of RFC 1918 and RFC 4193, and local ones.
fn is_private(address: &Address) -> bool {
    let private = match address.kind {
        AddressKind::Ipv4 => {
            (address.host().parse()).is_ok_and(|ip: std::net::Ipv4Addr| ip.is_private())
        }
        AddressKind::Ipv6 => {
            (address.host().parse()).is_ok_and(|ip: std::net::Ipv6Addr| ip.is_unique_local())
        }
        AddressKind::Name
        | AddressKind::Any
        | AddressKind::Unix
        | AddressKind::Abstract
        | AddressKind::Other
        | AddressKind::Opaque => false,
    };
    private || address.is_local()
}

/// A place that reads `X-Forwarded-For` for this traffic: in its listeners or its backend, or in a
/// scope around all of them.
fn forwarded_for_read(
    facts: &Facts,
    listeners: &[&Listener],
    backend: Option<&Backend>,
) -> Option<Span> {
    let bodies = (listeners.iter().map(|one| one.body)).chain(backend.map(|backend| backend.body));
    (bodies.into_iter())
        .find_map(|body| facts.read_within(body))
        .or(facts.read_for_all)
}

fn finding(engine: Engine, span: Span, evidence: Evidence, keyed: &[Keyed<'_>]) -> Option<Finding> {
    let first = keyed.first()?;
    let all: Vec<&Text> = keyed.iter().map(|one| one.name).collect();
    let who = match (first.is_backend, all.as_slice()) {
        (true, [one]) => format!("{} `{one}` is", engine.backend_word()),
        (true, many) => format!("{}s {} are", engine.backend_word(), names(many)),
        (false, many) => format!("{} is", names(many)),
    };
    let verb = if first.is_backend {
        "balanced"
    } else {
        "split"
    };
    let message = format!(
        "{who} {verb} by the address of the peer ({}), {}",
        first.how,
        consequence(evidence.sign, first.is_backend)
    );
    let help = help(engine, first);
    let mut finding =
        Finding::new(severity(evidence.sign), span, message, help).label("the peer's address");
    if let (true, [one]) = (first.is_backend, all.as_slice()) {
        finding = finding.backend(one);
    }
    if let Some(span) = evidence.span {
        finding = finding.related(sign(evidence.sign), span);
    }
    Some(finding)
}

fn severity(sign: Sign) -> Severity {
    match sign {
        Sign::None => Severity::Info,
        Sign::PrivateOnly => Severity::Warning,
        Sign::LocalOnly | Sign::ProxyProtocol | Sign::ForwardedFor => Severity::Error,
    }
}

fn consequence(sign: Sign, is_backend: bool) -> String {
    let way = if is_backend {
        "to one server"
    } else {
        "the same way"
    };
    match sign {
        Sign::None => format!(
            "which is the client only while no proxy or NAT stands in front: then all clients \
             behind it go {way}"
        ),
        Sign::PrivateOnly => {
            format!("and only private networks can connect: all clients of a proxy there go {way}")
        }
        Sign::LocalOnly => format!(
            "and only this machine can connect: every request has the same address and goes {way}"
        ),
        Sign::ProxyProtocol | Sign::ForwardedFor => {
            format!("and clients come through a proxy: every request of one proxy goes {way}")
        }
    }
}

fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::None => "no sign of a proxy",
        Sign::PrivateOnly => "listens on private addresses only",
        Sign::LocalOnly => "listens on this machine only",
        Sign::ProxyProtocol => "a proxy names the client here, and nothing takes the name over",
        Sign::ForwardedFor => "reads the header that a proxy sets",
    }
}

fn help(engine: Engine, keyed: &Keyed<'_>) -> &'static str {
    match (engine, keyed.is_http, keyed.is_backend) {
        (Engine::Haproxy, ..) => {
            "restore the client address (`accept-proxy`, `http-request set-src`) or hash \
             `req.hdr_ip(x-forwarded-for,-1)`"
        }
        (Engine::Nginx, true, true) => {
            "restore the client address with `set_real_ip_from` and `real_ip_header`, then \
             `hash $remote_addr consistent`"
        }
        (Engine::Nginx, true, false) => {
            "restore the client address with `set_real_ip_from` and `real_ip_header`, or split by \
             what tells clients apart, such as a cookie"
        }
        (Engine::Nginx, false, _) => {
            "let the proxy in front speak the PROXY protocol, then `listen … proxy_protocol` and \
             `set_real_ip_from`"
        }
    }
}
