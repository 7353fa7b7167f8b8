//! `upstream` blocks and the servers in them.
//!
//! In: an `upstream` block. Out: a backend, and findings for what nginx refuses in it.

use std::sync::Arc;

use super::Lowering;
use super::cursor::{Children, Item};
use super::refuse;
use super::server_line::{self, Allowed};
use crate::engine::nginx::comment;
use crate::engine::nginx::directives::{Id, Known};
use crate::engine::nginx::name::Name;
use crate::engine::nginx::tree::Directive;
use crate::engine::nginx::value;
use crate::model::{
    Algorithm, Backend, HashFunction, HashKey, HashMethod, HashType, Layer, Server, ServerOptions,
    Setting, StickRule, Text,
};

/// nginx hashes with crc32; the method counts only where the algorithm is a hash.
pub(super) const HASH_TYPE: HashType = HashType {
    method: HashMethod::Modulo,
    function: HashFunction::Crc32,
    avalanche: false,
    function_named: false,
};

/// A backend at nginx's defaults.
pub(super) fn new_backend(name: Text, layer: Layer, span: crate::source::Span) -> Backend {
    let mut backend = Backend::new(name, layer, span);
    backend.hash_type = Setting::engine_default(HASH_TYPE);
    backend
}

/// What is known while the directives of an upstream are read.
struct State {
    allowed: Allowed,
    /// A directive that may bring servers of its own.
    may_be_filled: bool,
    /// An active check module's directive.
    check: Option<crate::source::Span>,
}

/// Lowers an `upstream` block into the model.
pub(super) fn lower(lowering: &mut Lowering<'_>, item: Item<'_>, layer: Layer) {
    let directive = item.directive;
    let mut backend = new_backend(directive.text(1), layer, directive.head());
    backend.body = directive.span();
    backend.comments = comment::of_block(directive);
    // Servers are most of what is kept: no room is made for more than there are.
    backend.servers = Vec::with_capacity(item.count_inside(Id::of(b"server")));
    let mut state = State {
        allowed: Allowed {
            layer,
            plus: lowering.plus,
            backup: true,
        },
        may_be_filled: false,
        check: None,
    };
    let plain = Arc::clone(&lowering.plain);
    for child in Children::of(lowering.forest, item.block()) {
        read(lowering, &mut backend, &mut state, child.directive, &plain);
    }
    if let Some(span) = state.check {
        for server in &mut backend.servers {
            server.check = Setting::explicit(true, span);
        }
    }
    refuse_empty(lowering, &backend, &state);
    lowering.declare(backend);
}

fn read(
    lowering: &mut Lowering<'_>,
    backend: &mut Backend,
    state: &mut State,
    directive: Directive<'_>,
    plain: &Arc<ServerOptions>,
) {
    let known = directive.known();
    if known.name == Name::Server {
        server_line::lower(
            directive,
            state.allowed,
            plain,
            backend,
            &mut lowering.findings,
        );
        return;
    }
    if let Some(algorithm) = algorithm(directive, known) {
        if matches!(
            algorithm,
            Algorithm::Hash(_) | Algorithm::IpHash | Algorithm::Random { .. }
        ) {
            state.allowed.backup = false;
        }
        backend.hash_type = hash_type(directive, &algorithm);
        backend.algorithm = Setting::explicit(algorithm, directive.span());
        return;
    }
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "most directives mean nothing here"
    )]
    match known.name {
        Name::Zone => backend.zone = Some(Setting::explicit(directive.text(1), directive.span())),
        Name::Keepalive => {
            let count = value::count(&directive.string(1)).unwrap_or(0);
            backend.keepalive = Some(Setting::explicit(count, directive.span()));
        }
        Name::Sticky => backend.stick_rules.push(StickRule {
            key: arguments(directive),
            span: directive.span(),
        }),
        Name::Check => state.check = Some(directive.span()),
        Name::Resolver => {}
        Name::Include => state.may_be_filled = true,
        Name::UpstreamDetail => lowering.not_modelled(directive),
        _ => {
            state.may_be_filled = true;
            lowering.not_modelled(directive);
        }
    }
}

/// The arguments of a directive as written.
pub(super) fn arguments(directive: Directive<'_>) -> Text {
    let words = directive.words().iter().skip(1);
    let words: Vec<_> = words
        .map(|&word| String::from_utf8_lossy(directive.raw(word)))
        .collect();
    Text::from(words.join(" "))
}

/// The algorithm that a directive selects.
fn algorithm(directive: Directive<'_>, known: &Known) -> Option<Algorithm> {
    #[allow(clippy::wildcard_enum_match_arm, reason = "all others select none")]
    Some(match known.name {
        Name::IpHash => Algorithm::IpHash,
        Name::LeastConn => Algorithm::LeastConn,
        Name::LeastTime => Algorithm::LeastTime,
        Name::Random => Algorithm::Random {
            draws: if *directive.bytes(1) == *b"two" { 2 } else { 1 },
        },
        Name::Hash => Algorithm::Hash(HashKey::Variables(directive.text(1))),
        Name::ForeignMethod => Algorithm::Other(known.text.into()),
        _ => return None,
    })
}

fn hash_type(directive: Directive<'_>, algorithm: &Algorithm) -> Setting<HashType> {
    let consistent =
        (2..=directive.arguments()).any(|index| *directive.bytes(index) == *b"consistent");
    if matches!(algorithm, Algorithm::Hash(_)) && consistent {
        let hash_type = HashType {
            method: HashMethod::Ketama,
            ..HASH_TYPE
        };
        return Setting::explicit(hash_type, directive.span());
    }
    Setting::engine_default(HASH_TYPE)
}

/// An upstream that nginx refuses because nothing can take a request.
fn refuse_empty(lowering: &mut Lowering<'_>, backend: &Backend, state: &State) {
    // Commercial nginx fills an upstream with a `zone` through its API.
    if state.may_be_filled || (lowering.plus && backend.zone.is_some()) {
        return;
    }
    if backend.servers.is_empty() {
        lowering.findings.push(refuse::no_servers(backend));
    } else if backend
        .servers
        .iter()
        .all(|server: &Server| server.backup.value)
    {
        lowering.findings.push(refuse::only_backups(backend));
    }
}
