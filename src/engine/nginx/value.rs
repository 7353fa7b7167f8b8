//! The values inside words: addresses, times, percentages, numbers.
//!
//! In: the text of a word. Out: its meaning, or `None` or a fault where nginx refuses it.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{char, digit0, digit1, space0};
use nom::combinator::{all_consuming, map_res, opt};
use nom::multi::many1;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::model::{Address, AddressKind, Port};

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressFault {
    /// No host before the port.
    NoHost,
    /// The port is no number from 1 to 65535.
    Port,
    /// The host cannot be one: a URL or a path.
    Host,
    /// Four numbers that are no address.
    Number,
}

/// The address of a server or of a `…_pass`; `default` is the port of one that names none.
///
/// `ngx_parse_url()` in `src/core/ngx_inet.c`.
pub(crate) fn server_address(text: &str, default: Option<u16>) -> (Address, Option<AddressFault>) {
    if let Some(address) = Address::of_ipv4(text) {
        return (address, None);
    }
    if let Some(path) = strip_prefix_ignore_case(text, "unix:") {
        return (unix(text, path), None);
    }
    let (host, port) = split_port(text);
    let (port, port_fault) = match port {
        Some(port) => number_port(port),
        None => (default.map_or(Port::None, Port::Default), None),
    };
    let (kind, host) = host_kind(host);
    let fault = if kind == AddressKind::Opaque || text.bytes().any(|byte| byte == b'$') {
        None
    } else if host.is_empty() {
        Some(AddressFault::NoHost)
    } else if host.bytes().any(|byte| matches!(byte, b'/' | b'?')) {
        Some(AddressFault::Host)
    } else {
        port_fault
    };
    let mut address = Address::new(text, kind, &host, port);
    let fault = fault.or_else(|| address.is_broken_ipv4().then_some(AddressFault::Number));
    // nginx refuses it: nothing is known of where it leads.
    if fault.is_some() {
        address.kind = AddressKind::Opaque;
    }
    (address, fault)
}

/// The address of a `listen`: a port alone, an address alone, both, a range of ports or a socket.
pub(crate) fn listen_address(text: &str, default: u16) -> Address {
    if let Some(path) = strip_prefix_ignore_case(text, "unix:") {
        return unix(text, path);
    }
    let (host, port) = match split_port(text) {
        (port, None) if !port.is_empty() && port.starts_with(|c: char| c.is_ascii_digit()) => {
            match listen_port(port) {
                Some(port) => ("*", Some(port)),
                None => (port, None),
            }
        }
        (host, port) => (host, port.and_then(listen_port)),
    };
    let (kind, host) = host_kind(host);
    Address::new(text, kind, &host, port.unwrap_or(Port::Default(default)))
}

/// Whether the port of a `listen` is none (`ngx_parse_inet_url()`).
pub(crate) fn bad_listen_port(text: &str) -> bool {
    if text.contains('$') || strip_prefix_ignore_case(text, "unix:").is_some() {
        return false;
    }
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let port = match split_port(text) {
        (alone, None) if digits(alone) => alone,
        (_, None) => return false,
        (_, Some(port)) => port,
    };
    match listen_port(port) {
        Some(Port::Range(first, last)) => first == 0 || first > last,
        found => found.is_none(),
    }
}

fn strip_prefix_ignore_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| text.get(prefix.len()..))
        .flatten()
}

fn unix(text: &str, path: &str) -> Address {
    Address::new(text, AddressKind::Unix, path, Port::None)
}

/// Host and port; brackets of IPv6 stay with the host.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let from = if text.starts_with('[') {
        text.find(']').unwrap_or(0)
    } else {
        0
    };
    let tail = text.get(from..).unwrap_or_default();
    match tail.bytes().position(|byte| byte == b':') {
        Some(at) => (
            text.get(..from + at).unwrap_or_default(),
            text.get(from + at + 1..),
        ),
        None => (text, None),
    }
}

fn number_port(text: &str) -> (Port, Option<AddressFault>) {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && text.starts_with(|c: char| c.is_ascii_digit()) => {
            (Port::Fixed(port), None)
        }
        _ => (Port::None, Some(AddressFault::Port)),
    }
}

fn listen_port(text: &str) -> Option<Port> {
    if let Some((first, last)) = text.split_once('-') {
        return Some(Port::Range(first.parse().ok()?, last.parse().ok()?));
    }
    number_port(text).0.number().map(Port::Fixed)
}

fn host_kind(host: &str) -> (AddressKind, Cow<'_, str>) {
    if host.bytes().any(|byte| byte == b'$') {
        return (AddressKind::Opaque, host.into());
    }
    if host == "*" {
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
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner.map(str::parse::<Ipv6Addr>) {
        Some(Ok(address)) if address.is_unspecified() => (AddressKind::Any, "::".into()),
        Some(Ok(address)) => (AddressKind::Ipv6, address.to_string().into()),
        _ => (AddressKind::Name, host.into()),
    }
}

fn number(input: &str) -> IResult<&str, u64> {
    map_res(digit1, str::parse::<u64>).parse(input)
}

/// The units of a time, from large to small, in milliseconds. A number without unit counts seconds.
const UNITS: [u64; 9] = [
    365 * DAY,
    30 * DAY,
    7 * DAY,
    DAY,
    60 * 60_000,
    60_000,
    SECOND,
    1,
    SECOND,
];
const DAY: u64 = 24 * 60 * 60_000;
const SECOND: u64 = 1000;
/// Places in [`UNITS`].
const WEEKS: usize = 2;
const SECONDS: usize = 6;
const MILLISECONDS: usize = 7;
const NO_UNIT: usize = 8;

/// One part of a time: a number and the place of its unit. A unit without a number has none of it.
fn time_part(input: &str) -> IResult<&str, (u64, usize)> {
    let counted = (number, opt(unit)).map(|(count, unit)| (count, unit.unwrap_or(NO_UNIT)));
    let alone = unit.map(|unit| (0, unit));
    terminated(alt((counted, alone)), space0).parse(input)
}

/// The place of a unit.
fn unit(input: &str) -> IResult<&str, usize> {
    alt((
        tag("ms").map(|_| MILLISECONDS),
        char('y').map(|_| 0),
        char('M').map(|_| 1),
        char('w').map(|_| WEEKS),
        char('d').map(|_| 3),
        char('h').map(|_| 4),
        char('m').map(|_| 5),
        char('s').map(|_| SECONDS),
    ))
    .parse(input)
}

/// A time such as `10s`, `1m30s` or `75`, units from large to small (`ngx_parse_time()`). Where nginx
/// counts seconds, milliseconds are refused; where it counts milliseconds, months and years are.
pub(crate) fn time(text: &str, milliseconds: bool) -> Option<Duration> {
    // Nearly every time is seconds alone, with or without their unit.
    if let Some(seconds) = digits(text.strip_suffix('s').unwrap_or(text)) {
        // It is kept in milliseconds.
        seconds.checked_mul(SECOND)?;
        return Some(Duration::from_secs(seconds));
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (_, parts) = all_consuming(many1(time_part)).parse(text).ok()?;
    let (last, before) = parts.split_last()?;
    // A last number without unit may follow anything.
    let ends_plain = last.1 == NO_UNIT && text.ends_with(|c: char| c.is_ascii_digit());
    let ordered = if ends_plain { before } else { &parts };
    let mut smallest = if milliseconds { 1 } else { -1 };
    for &(_, unit) in ordered {
        let place = i32::try_from(unit).ok()?;
        let limit = if unit == NO_UNIT { 6 } else { place };
        if smallest >= limit || (!milliseconds && unit == MILLISECONDS) {
            return None;
        }
        smallest = place;
    }
    let total = parts.iter().try_fold(0_u64, |total, &(count, unit)| {
        total.checked_add(count.checked_mul(*UNITS.get(unit)?)?)
    })?;
    Some(Duration::from_millis(total))
}

/// `12.34%` in hundredths of a percent, as `split_clients` reads it; at least one.
pub(crate) fn percentage(text: &str) -> Option<u32> {
    let is_digit = |c: char| c.is_ascii_digit();
    let fraction = preceded(char('.'), take_while_m_n(0, 2, is_digit));
    let mut percentage = all_consuming(terminated((digit0, opt(fraction)), char('%')));
    let parsed: IResult<&str, (&str, Option<&str>)> = percentage.parse(text);
    let (_, (whole, fraction)) = parsed.ok()?;
    let fraction = format!("{:0<2}", fraction.unwrap_or_default());
    let hundredths: i64 = format!("{whole}{fraction}").parse().ok()?;
    // It is kept in 32 bits, so that the high ones are lost.
    let kept = u32::try_from(hundredths & i64::from(u32::MAX)).ok()?;
    (hundredths > 0).then_some(kept)
}

/// A number as `ngx_atoi()` reads it: digits only.
pub(crate) fn count(text: &str) -> Option<u32> {
    let count = digits(text).filter(|&count| i64::try_from(count).is_ok())?;
    Some(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The number that `text` is when it is digits and nothing else.
fn digits(text: &str) -> Option<u64> {
    let add = |number: u64, byte: u8| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    };
    let number = text.bytes().try_fold(0, add);
    number.filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_nginx_reads_them() {
        for (text, milliseconds, expected) in [
            ("10", false, Some(10_000)),
            ("10s", false, Some(10_000)),
            ("1m30s", false, Some(90_000)),
            ("1h 30m", false, Some(5_400_000)),
            ("30m1h", false, None),
            ("1s1s", false, None),
            ("100ms", false, None),
            ("100ms", true, Some(100)),
            ("1M", true, None),
            ("1M", false, Some(2_592_000_000)),
            ("1w", true, Some(604_800_000)),
            ("1s500ms", true, Some(1_500)),
            ("5 10ms", true, None),
            ("10 20", false, Some(30_000)),
            ("1m 30", false, Some(90_000)),
            ("1m ", false, Some(60_000)),
            (" 1m", false, None),
            ("1 m", false, None),
            ("1m 1m", false, None),
            ("1.5s", false, None),
            ("", true, None),
            ("s", true, None),
            ("h1", true, Some(1_000)),
            ("hs2ms", true, Some(2)),
            ("-1", true, None),
            ("99999999999999999999", true, None),
            ("9999999999999999999y", true, None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(time(text, milliseconds), expected, "{text}");
        }
    }

    #[test]
    fn percentages_have_at_most_two_decimals() {
        for (text, expected) in [
            ("50%", Some(5000)),
            ("0.5%", Some(50)),
            ("0.05%", Some(5)),
            ("33.33%", Some(3333)),
            ("50.%", Some(5000)),
            (".5%", Some(50)),
            ("2147483648.2%", Some(20)),
            (".%", None),
            ("0%", None),
            ("0.123%", None),
            ("50", None),
            ("%", None),
            ("*", None),
        ] {
            assert_eq!(percentage(text), expected, "{text}");
        }
    }

    #[test]
    fn server_addresses() {
        let (ipv4, ipv6, name) = (AddressKind::Ipv4, AddressKind::Ipv6, AddressKind::Name);
        let (fixed, default) = (Port::Fixed(80), Port::Default(80));
        for (text, kind, host, port) in [
            ("127.0.0.1:80", ipv4, "127.0.0.1", fixed),
            ("app", name, "app", default),
            ("[::1]:80", ipv6, "::1", fixed),
            ("[0:0::1]", ipv6, "::1", default),
            ("unix:/run/a", AddressKind::Unix, "/run/a", Port::None),
            ("${APP}:80", AddressKind::Opaque, "${APP}", fixed),
        ] {
            let (address, fault) = server_address(text, Some(80));
            let seen = (address.kind, address.host(), address.port, fault);
            assert_eq!(seen, (kind, host, port, None), "{text}");
        }
    }

    #[test]
    fn addresses_that_nginx_refuses() {
        for (text, fault) in [
            (":80", AddressFault::NoHost),
            ("a:0", AddressFault::Port),
            ("a:70000", AddressFault::Port),
            ("a:80-81", AddressFault::Port),
            ("::1", AddressFault::NoHost),
            ("http://a", AddressFault::Port),
            ("127.0.0.1/x", AddressFault::Host),
        ] {
            assert_eq!(server_address(text, Some(80)).1, Some(fault), "{text}");
        }
    }

    #[test]
    fn ports_that_no_listen_can_have() {
        for text in [
            "99999",
            "0",
            "*:0",
            "127.0.0.1:",
            "[::]:0",
            "90-80",
            "80-99999",
            "0-5",
            "localhost:x",
        ] {
            assert!(bad_listen_port(text), "{text}");
        }
        assert!(!bad_listen_port("$port"));
    }

    #[test]
    fn listen_addresses() {
        for (text, kind, host, port) in [
            ("8080", AddressKind::Any, "*", Port::Fixed(8080)),
            ("*:8080", AddressKind::Any, "*", Port::Fixed(8080)),
            (
                "127.0.0.1",
                AddressKind::Ipv4,
                "127.0.0.1",
                Port::Default(80),
            ),
            ("[::]:443", AddressKind::Any, "::", Port::Fixed(443)),
            (
                "localhost:1",
                AddressKind::Name,
                "localhost",
                Port::Fixed(1),
            ),
            ("8000-8010", AddressKind::Any, "*", Port::Range(8000, 8010)),
            ("unix:/a", AddressKind::Unix, "/a", Port::None),
        ] {
            assert!(!bad_listen_port(text), "{text}");
            let address = listen_address(text, 80);
            let seen = (address.kind, address.host(), address.port);
            assert_eq!(seen, (kind, host, port), "{text}");
        }
    }
}
