//! `bind` lines (manual 5.1).
//!
//! In: a line. Out: one [`Bind`] for each address on it.

use super::super::address::address;
use super::super::tree::LineRef;
use super::server::Refusal;
use crate::model::{AddressKind, Bind, Port};
use crate::source::Span;

/// The sockets of a `bind` line, or of the addresses behind a section's name.
pub(super) fn binds(line: LineRef<'_>, at: usize) -> Vec<Bind> {
    let tls = has_option(line, at, "ssl");
    let proxy_protocol = has_option(line, at, "accept-proxy");
    let opaque = line.is_opaque(at);
    let mut binds = Vec::new();
    let mut offset = 0_u32;
    for part in line.word(at).split(',').filter(|part| !part.is_empty()) {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        binds.push(Bind {
            address: address(part, opaque),
            span: part_span(line, at, offset, length),
            tls: tls || part.starts_with("quic"),
            proxy_protocol,
            default_server: false,
        });
        offset = offset.saturating_add(length).saturating_add(1);
    }
    binds
}

/// What is wrong with the port of an address on a `bind` line (`str2receiver` of `src/tools.c`).
pub(super) fn refusal(binds: &[Bind]) -> Option<Refusal> {
    binds.iter().find_map(|bind| match bind.address.kind {
        AddressKind::Name if bind.address.is_broken_ipv4() => Some(Refusal::NoIpv4),
        AddressKind::Opaque => Some(Refusal::Port),
        AddressKind::Unix | AddressKind::Abstract | AddressKind::Other => None,
        AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Name | AddressKind::Any => {
            match bind.address.port {
                Port::None => Some(Refusal::NoPort),
                Port::Fixed(0) | Port::Offset(_) => Some(Refusal::Port),
                Port::Range(from, to) if from > to => Some(Refusal::Port),
                Port::Fixed(_) | Port::Default(_) | Port::Range(..) => None,
            }
        }
    })
}

/// The span of one of several addresses; the whole word where quotes or variables shift it.
fn part_span(line: LineRef<'_>, at: usize, offset: u32, length: u32) -> Span {
    let word = line.span(at);
    if line.cooked(at).is_some() {
        return word;
    }
    let start = word.start.saturating_add(offset).min(word.end);
    Span::new(
        word.source,
        start,
        start.saturating_add(length).min(word.end),
    )
}

/// Whether `option` stands behind the address, not as the value of an option before it.
fn has_option(line: LineRef<'_>, at: usize, option: &str) -> bool {
    let mut before = "";
    line.rest(at + 1).any(|word| {
        let is_value = matches!(before, "name" | "crt" | "alpn" | "ciphers" | "interface");
        before = word;
        word == option && !is_value
    })
}
