//! Addresses of servers and listeners, as written and as understood.

use std::fmt::Write as _;

use super::Text;

/// An address: the words as written and their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As written, prefix and port included: `ipv4@10.0.0.1:8080`, `unix:/run/app.sock`.
    pub text: Text,
    /// What kind of thing it names.
    pub kind: AddressKind,
    /// Port of the service.
    pub port: Port,
    /// A host that is not a part of the text: IPv6 in canonical form, an address that a name was resolved to.
    other_host: Option<Box<Text>>,
    /// Where the host starts in the text: nearly every one is a part of it, and a copy would cost each server.
    host_start: u16,
    host_length: u16,
}

/// What an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// An IPv4 literal.
    Ipv4,
    /// An IPv6 literal.
    Ipv6,
    /// A name that the resolver has to look up.
    Name,
    /// All addresses: `*` or an empty host on a listener, `0.0.0.0`, `::`.
    Any,
    /// A unix socket path.
    Unix,
    /// An abstract socket: `abns@`, `abnsz@`.
    Abstract,
    /// An inherited or paired socket, or a reverse connection: `fd@`, `sockpair@`, `rhttp@`.
    Other,
    /// Not known: written with a variable whose value is not known.
    Opaque,
}

/// The port part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// No port is written. HAProxy servers then use the port the client connected to.
    None,
    /// Written.
    Fixed(u16),
    /// Not written: the engine's default for the place (nginx 80, or 443 behind `https`).
    Default(u16),
    /// HAProxy `:+N` or `:-N`: relative to the port the client connected to.
    Offset(i32),
    /// HAProxy `:A-B` on a `bind` line.
    Range(u16, u16),
}

impl Port {
    /// The port connections go to, where the configuration alone says so.
    pub fn number(self) -> Option<u16> {
        match self {
            Self::Fixed(port) | Self::Default(port) => Some(port),
            Self::None | Self::Offset(_) | Self::Range(..) => None,
        }
    }
}

impl Address {
    /// An address whose words and meaning are known, see its fields and [`Self::host`].
    pub fn new(text: impl Into<Text>, kind: AddressKind, host: &str, port: Port) -> Self {
        let mut address = Self {
            text: text.into(),
            kind,
            port,
            other_host: None,
            host_start: 0,
            host_length: 0,
        };
        address.set_host(host);
        address
    }

    /// The address of a text that is nothing but an IPv4 literal and a port, as most are: both proxies read
    /// it alike. `None` for all others, and for numbers written in an unusual way.
    pub fn of_ipv4(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let mut host_length = 0;
        for (number, end) in [b'.', b'.', b'.', b':'].into_iter().enumerate() {
            let value = leading_number(&mut rest).filter(|value| *value <= 255)?;
            if number == 0 && value == 0 {
                return None;
            }
            host_length = text.len() - rest.len();
            rest = rest.strip_prefix(&[end])?;
        }
        let port = leading_number(&mut rest).and_then(|port| u16::try_from(port).ok())?;
        let host_length = u16::try_from(host_length).ok()?;
        (port > 0 && rest.is_empty()).then(|| Self {
            text: text.into(),
            kind: AddressKind::Ipv4,
            port: Port::Fixed(port),
            other_host: None,
            host_start: 0,
            host_length,
        })
    }

    /// Host without brackets, port and prefix; the path of a unix socket; the name of an abstract one.
    /// IPv6 in canonical lower-case form.
    pub fn host(&self) -> &str {
        if let Some(other) = &self.other_host {
            return other;
        }
        let start = usize::from(self.host_start);
        let range = start..start + usize::from(self.host_length);
        self.text.get(range).unwrap_or_default()
    }

    /// Whether its host is four numbers that are no IPv4 address: no host has such a name either.
    pub fn is_broken_ipv4(&self) -> bool {
        if self.kind != AddressKind::Name {
            return false;
        }
        let mut labels = self.host().split('.');
        let numbers = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit());
        labels.clone().count() == 4
            && labels.clone().all(numbers)
            && labels.any(|label| label.parse::<u8>().is_err())
    }

    /// Leads somewhere else, whatever its text says.
    pub fn set_host(&mut self, host: &str) {
        let start = if self.text.starts_with(host) {
            Some(0)
        } else {
            self.text.find(host)
        };
        let start = start.and_then(|start| u16::try_from(start).ok());
        let part = start.zip(u16::try_from(host.len()).ok());
        (self.host_start, self.host_length) = part.unwrap_or_default();
        self.other_host = part.is_none().then(|| Box::new(host.into()));
    }

    /// Whether it can only be reached from the same machine: loopback, `localhost` or a socket file.
    pub fn is_local(&self) -> bool {
        match self.kind {
            AddressKind::Ipv4 => self.host().starts_with("127."),
            AddressKind::Ipv6 => self.host() == "::1",
            AddressKind::Name => self.host().eq_ignore_ascii_case("localhost"),
            AddressKind::Unix | AddressKind::Abstract => true,
            AddressKind::Any | AddressKind::Other | AddressKind::Opaque => false,
        }
    }

    /// The same text for every way of writing the same endpoint, or `None` where that cannot be told
    /// from the configuration alone.
    ///
    /// `10.0.0.1` and `10.0.0.1:80` of an nginx upstream are equal, as are two spellings of one IPv6
    /// address and `localhost` beside `127.0.0.1`.
    pub fn endpoint(&self) -> Option<String> {
        let mut text = String::with_capacity(self.host().len() + 8);
        match self.kind {
            AddressKind::Unix => text.extend(["unix:", self.host()]),
            AddressKind::Abstract => text.extend(["abns@", self.host()]),
            AddressKind::Ipv6 => match mapped(self.host()) {
                Some(ipv4) => text.extend([&ipv4, ":"]),
                None => text.extend(["[", self.host(), "]:"]),
            },
            AddressKind::Ipv4 => text.extend([self.host(), ":"]),
            AddressKind::Name if self.host().eq_ignore_ascii_case("localhost") => {
                text.push_str("127.0.0.1:");
            }
            AddressKind::Name => {
                text.extend(self.host().chars().map(|c| c.to_ascii_lowercase()));
                text.push(':');
            }
            AddressKind::Any | AddressKind::Other | AddressKind::Opaque => return None,
        }
        if matches!(self.kind, AddressKind::Unix | AddressKind::Abstract) {
            return Some(text);
        }
        // Writing to a string cannot fail.
        let _ = match self.port {
            Port::Fixed(port) | Port::Default(port) => write!(text, "{port}"),
            Port::None => Ok(()),
            Port::Offset(offset) => write!(text, "{offset:+}"),
            Port::Range(..) => return None,
        };
        Some(text)
    }
}

/// The number at the start of `text`, which then starts behind it. `None` for one that is written in an unusual
/// way: with a leading zero, or with more than five digits.
fn leading_number(text: &mut &[u8]) -> Option<u32> {
    let mut rest = *text;
    let mut value = 0_u32;
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add((digit - b'0').into());
        rest = behind;
    }
    let digits = text.len() - rest.len();
    let usual = matches!(digits, 1..=5) && (digits == 1 || !text.starts_with(b"0"));
    *text = rest;
    usual.then_some(value)
}

/// The IPv4 address that an IPv6 address stands for (`::ffff:10.0.0.1`).
fn mapped(host: &str) -> Option<String> {
    if !host.starts_with("::ffff:") {
        return None;
    }
    let address: std::net::Ipv6Addr = host.parse().ok()?;
    Some(address.to_ipv4_mapped()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_kept_whether_it_is_a_part_of_the_text_or_not() {
        let long = "a".repeat(70_000);
        for (text, host) in [
            ("10.0.0.1:80", "10.0.0.1"),
            ("[2001:DB8::0:1]:80", "2001:db8::1"),
            ("unix@/run/a.sock", "/run/a.sock"),
            (":80", ""),
            (&long, &long),
        ] {
            let address = Address::new(text, AddressKind::Name, host, Port::None);
            assert_eq!(address.host(), host, "{text}");
        }
    }

    #[test]
    fn only_plain_ipv4_addresses_are_taken_at_once() {
        let plain = Address::of_ipv4("10.0.0.254:8080").unwrap();
        assert_eq!(plain.host(), "10.0.0.254");
        assert_eq!(plain.port, Port::Fixed(8080));
        for other in [
            "10.0.0.1",
            "10.0.0.1:",
            "10.0.0.1:0",
            "10.0.0.1:080",
            "10.0.0.1:65536",
            "10.0.0.1:+1",
            "10.0.0.256:80",
            "10.0.0.01:80",
            "10.0.0:80",
            "10.0.0.1.2:80",
            "0.0.0.0:80",
            "a.b.c.d:80",
            "::1:80",
            "",
        ] {
            assert_eq!(Address::of_ipv4(other), None, "{other}");
        }
    }
}
