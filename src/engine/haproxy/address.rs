//! Addresses of servers and `bind` lines (manual 11 and `str2sa_range` of `src/tools.c`).
//!
//! In: one word. Out: an [`Address`] of the model.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::char;
use nom::combinator::{opt, success, value};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::units;
use crate::model::{Address, AddressKind, Port};

/// What a prefix such as `unix@` says about the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// An IP address or name and a port.
    Inet,
    Unix,
    Abstract,
    Other,
}

/// Reads the address `text`; `opaque` when it holds a variable of unknown value.
pub(crate) fn address(text: &str, opaque: bool) -> Address {
    if opaque {
        return opaque_address(text);
    }
    if let Some(address) = Address::of_ipv4(text) {
        return address;
    }
    // Most addresses have no prefix: what tells one is looked for first.
    let plain = memchr::memchr3(b'@', b'+', b'/', text.as_bytes()).is_none();
    let without = (text, Family::Inet);
    let (rest, family) = if plain {
        without
    } else {
        family(text).unwrap_or(without)
    };
    let whole = |kind| Address::new(text, kind, rest, Port::None);
    match family {
        Family::Inet => inet(text, rest),
        Family::Unix => whole(AddressKind::Unix),
        Family::Abstract => whole(AddressKind::Abstract),
        Family::Other => whole(AddressKind::Other),
    }
}

/// The port may still be known: `"${HOST}:8080"`.
fn opaque_address(text: &str) -> Address {
    let (host, port) = match split_port(text) {
        (host, port) if !port.is_empty() && !port.contains('$') => (host, parse_port(port)),
        _ => (text, None),
    };
    let port = port.unwrap_or(Port::None);
    Address::new(text, AddressKind::Opaque, host, port)
}

fn family(text: &str) -> IResult<&str, Family> {
    let transport = opt(alt((tag("stream+"), tag("dgram+"), tag("quic+"))));
    let inet = alt((
        alt((
            tag("ip@"),
            tag("ipv4@"),
            tag("ipv6@"),
            tag("tcp@"),
            tag("tcp4@"),
            tag("tcp6@"),
        )),
        alt((tag("udp@"), tag("udp4@"), tag("udp6@"), tag("quic@"))),
        alt((
            tag("quic4@"),
            tag("quic6@"),
            tag("mptcp@"),
            tag("mptcp4@"),
            tag("mptcp6@"),
        )),
    ));
    let other = alt((
        tag("fd@"),
        tag("sockpair@"),
        tag("rhttp@"),
        tag("rev@"),
        tag("ring@"),
    ));
    let prefix = alt((
        value(Family::Inet, inet),
        value(
            Family::Unix,
            alt((tag("unix@"), tag("uxst@"), tag("uxdg@"))),
        ),
        value(Family::Abstract, alt((tag("abns@"), tag("abnsz@")))),
        value(Family::Other, other),
    ));
    let path = nom::combinator::peek(value(Family::Unix, char('/')));
    // A transport may stand alone: `stream+127.0.0.1:80`.
    preceded(transport, alt((prefix, path, success(Family::Inet)))).parse(text)
}

/// Splits at the last colon unless a bracket closes behind it. The port is empty when none is written.
fn split_port(rest: &str) -> (&str, &str) {
    match memchr::memrchr2(b':', b']', rest.as_bytes()) {
        Some(at) if rest.get(at..).is_some_and(|tail| tail.starts_with(':')) => rest
            .split_at_checked(at)
            .map_or((rest, ""), |(host, port)| {
                (host, port.get(1..).unwrap_or(""))
            }),
        _ => (rest, ""),
    }
}

fn inet(text: &str, rest: &str) -> Address {
    let (mut host, mut port) = split_port(rest);
    let colons = memchr::memchr(b':', host.as_bytes()).is_some();
    if colons && host.parse::<Ipv6Addr>().is_err() && rest.parse::<Ipv6Addr>().is_ok() {
        (host, port) = (rest, "");
    }
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let (mut kind, host) = host_kind(host);
    let number = parse_port(port);
    if number.is_none() {
        // HAProxy refuses it: nothing is known of where it leads.
        kind = AddressKind::Opaque;
    }
    Address::new(text, kind, &host, number.unwrap_or(Port::None))
}

fn host_kind(host: &str) -> (AddressKind, Cow<'_, str>) {
    if host.is_empty() || host == "*" {
        return (AddressKind::Any, host.into());
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        let kind = if address.is_unspecified() {
            AddressKind::Any
        } else {
            AddressKind::Ipv4
        };
        return (kind, host.into());
    }
    match host.parse::<Ipv6Addr>() {
        Ok(address) if address.is_unspecified() => (AddressKind::Any, host.into()),
        Ok(address) => (AddressKind::Ipv6, address.to_string().into()),
        Err(_) => (AddressKind::Name, host.into()),
    }
}

/// A port, an offset or a range, read with `atoi`: what stands behind the digits does not count
/// (`str2sa_range`). Port 0 is the same as none (`SRV_F_MAPPORTS`).
fn parse_port(text: &str) -> Option<Port> {
    let number = |text: &str| u16::try_from(units::int(text)).ok();
    match text.as_bytes().first() {
        None => Some(Port::None),
        Some(b'+') => Some(Port::Offset(units::int(text.get(1..)?))),
        Some(b'-') => Some(Port::Offset(units::int(text.get(1..)?).wrapping_neg())),
        Some(b'0'..=b'9') => match text.split_once('-') {
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                (from <= to).then_some(Port::Range(from, to))
            }
            None => Some(match number(text)? {
                0 => Port::None,
                port => Port::Fixed(port),
            }),
        },
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_is_understood() {
        use AddressKind::{Abstract, Any, Ipv4, Ipv6, Name, Opaque, Other, Unix};
        for (text, kind, host, port) in [
            ("10.0.0.1:80", Ipv4, "10.0.0.1", Port::Fixed(80)),
            ("10.0.0.1", Ipv4, "10.0.0.1", Port::None),
            ("10.0.0.1:", Ipv4, "10.0.0.1", Port::None),
            ("10.0.0.1:0", Ipv4, "10.0.0.1", Port::None),
            ("10.0.0.1:+8000", Ipv4, "10.0.0.1", Port::Offset(8000)),
            ("10.0.0.1:-1", Ipv4, "10.0.0.1", Port::Offset(-1)),
            (":10000-20000", Any, "", Port::Range(10000, 20000)),
            ("*:80", Any, "*", Port::Fixed(80)),
            ("0.0.0.0:80", Any, "0.0.0.0", Port::Fixed(80)),
            ("app.example:80", Name, "app.example", Port::Fixed(80)),
            ("::1:80", Ipv6, "::1", Port::Fixed(80)),
            ("[2001:DB8::0:1]:80", Ipv6, "2001:db8::1", Port::Fixed(80)),
            ("[2001:db8::1]", Ipv6, "2001:db8::1", Port::None),
            ("2001:db8::1:", Ipv6, "2001:db8::1", Port::None),
            ("1:2:3:4:5:6:7:8", Ipv6, "1:2:3:4:5:6:7:8", Port::None),
            (":::443", Any, "::", Port::Fixed(443)),
            ("stream+127.0.0.1:80", Ipv4, "127.0.0.1", Port::Fixed(80)),
            ("ipv4@host:1", Name, "host", Port::Fixed(1)),
            ("udp6@[::2]:53", Ipv6, "::2", Port::Fixed(53)),
            ("unix@/run/a.sock", Unix, "/run/a.sock", Port::None),
            ("/run/a:b.sock", Unix, "/run/a:b.sock", Port::None),
            ("abns@name", Abstract, "name", Port::None),
            ("abnsz@name", Abstract, "name", Port::None),
            ("fd@3", Other, "3", Port::None),
            ("rhttp@be/srv", Other, "be/srv", Port::None),
            ("10.0.0.1:99999", Opaque, "10.0.0.1", Port::None),
            ("10.0.0.1:http", Opaque, "10.0.0.1", Port::None),
            ("10.0.0.1:80x", Ipv4, "10.0.0.1", Port::Fixed(80)),
            ("10.0.0.1:4294967376", Ipv4, "10.0.0.1", Port::Fixed(80)),
            ("10.0.0.1:+99999", Ipv4, "10.0.0.1", Port::Offset(99999)),
            ("10.0.0.1:9-8", Opaque, "10.0.0.1", Port::None),
            ("ip@10.0.0.1:80", Ipv4, "10.0.0.1", Port::Fixed(80)),
        ] {
            let found = address(text, false);
            let found = (found.kind, found.host(), found.port);
            assert_eq!(found, (kind, host, port), "{text}");
        }
    }

    #[test]
    fn an_unknown_host_may_have_a_known_port() {
        let found = address("${HOST}:8080", true);
        assert_eq!(
            (found.kind, found.port),
            (AddressKind::Opaque, Port::Fixed(8080))
        );
        assert_eq!(address("${HOST}:${PORT}", true).port, Port::None);
    }
}
