//! The hash key of a request, taken as the proxy takes it.
//!
//! In: a backend's algorithm, then requests. Out: the bytes or the address that are hashed. What
//! cannot be computed from a request alone is refused by name.

mod converters;
mod expression;
mod haproxy;
mod nginx;

use std::net::IpAddr;

use super::Key;
use crate::model::{Algorithm, Backend, HashKey, Version};
use expression::Expression;
use nginx::Pattern;

/// A request, as far as keys depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, `GET` unless told otherwise.
    pub method: String,
    /// The target as sent: path and query, or the absolute form.
    pub uri: String,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
    /// The effective client address.
    pub source: Option<IpAddr>,
    /// `http` or `https`.
    pub scheme: String,
    /// Of a remote desktop connection the name and the value of its cookie.
    pub rdp_cookie: Option<(String, String)>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".into(),
            uri: "/".into(),
            headers: Vec::new(),
            source: None,
            scheme: "http".into(),
            rdp_cookie: None,
        }
    }
}

impl Request {
    /// The values of the header lines of this name, in order.
    fn header<'s>(&'s self, name: &'s str) -> impl DoubleEndedIterator<Item = &'s str> {
        let lines = self.headers.iter();
        lines
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The client address, or why there is no key without it.
    fn source(&self) -> Result<IpAddr, Unsupported> {
        self.source.ok_or(Unsupported::NoSource)
    }

    /// The target behind scheme and authority.
    fn path_and_query(&self) -> &str {
        behind_authority(&self.uri)
    }

    /// Path without the query, and the query where there is one.
    fn path_query(&self) -> (&str, Option<&str>) {
        path_query(self.path_and_query())
    }
}

fn path_query(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

fn behind_authority(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://") else {
        return target;
    };
    if target.starts_with('/') {
        return target;
    }
    (rest.find(['/', '?']).and_then(|at| rest.get(at..))).unwrap_or("/")
}

/// Why a key cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A fetch, converter or variable.
    #[error("the hash key uses `{0}`, which cannot be computed from a request alone")]
    Element(String),
    /// What is hashed is no part of a request.
    #[error("`{0}` hashes log messages, not requests: give the key itself, behind its converters")]
    Message(&'static str),
    /// An expression that is not understood.
    #[error("the hash key `{0}` is not understood")]
    Syntax(String),
    /// The key is the client address.
    #[error("the hash key needs the client address, and the request does not give one")]
    NoSource,
    /// A key given as text is not what the algorithm hashes.
    #[error("`{0}` is not an address")]
    NotAnAddress(String),
    /// A key given as text is not the number that the expression yields.
    #[error(
        "`{0}` is not a number, which the expression of the hash key gives: requests tell its parts"
    )]
    NotANumber(String),
}

/// A key that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedKey {
    /// The request lacks it, or the algorithm needs none.
    Missing,
    /// Bytes to hash.
    Bytes(Vec<u8>),
    /// The client address.
    Address(IpAddr),
}

impl OwnedKey {
    /// A key of nginx: an empty one is none (`ngx_http_upstream_get_hash_peer`).
    fn of(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            Self::Missing
        } else {
            Self::Bytes(bytes)
        }
    }

    /// The key for a [`super::Picker`].
    pub fn borrow(&self) -> Key<'_> {
        match self {
            Self::Missing => Key::Missing,
            Self::Bytes(bytes) => Key::Bytes(bytes),
            Self::Address(address) => Key::Address(*address),
        }
    }
}

/// How the keys of a backend are taken from requests.
#[derive(Clone, Debug)]
pub struct Extractor {
    plan: Plan,
}

#[derive(Clone, Debug)]
enum Plan {
    None,
    Source,
    Uri(UriPart),
    UrlParam { name: String, check_post: bool },
    Header { name: String, domain_only: bool },
    RdpCookie(String),
    Message(&'static str),
    Expression(Expression),
    Pattern(Pattern),
}

/// What of a target `balance uri` hashes.
#[derive(Clone, Copy, Debug)]
struct UriPart {
    len: Option<u32>,
    depth: Option<u32>,
    whole: bool,
    path_only: bool,
}

impl UriPart {
    fn of<'t>(&self, target: &'t str) -> &'t [u8] {
        let target = if self.path_only {
            behind_authority(target)
        } else {
            target
        };
        haproxy::uri(target, self.len, self.depth, self.whole)
    }
}

impl Extractor {
    /// The plan for `backend`; `version` is that of its engine.
    pub fn new(backend: &Backend, version: Version) -> Result<Self, Unsupported> {
        let plan = match &backend.algorithm.value {
            Algorithm::Hash(key) => Plan::new(key, backend, version)?,
            Algorithm::IpHash => Plan::Source,
            Algorithm::LogHash => Plan::Message("log-hash"),
            Algorithm::RoundRobin
            | Algorithm::StaticRoundRobin
            | Algorithm::LeastConn
            | Algorithm::LeastTime
            | Algorithm::First
            | Algorithm::Random { .. }
            | Algorithm::Sticky
            | Algorithm::Other(_) => Plan::None,
        };
        Ok(Self { plan })
    }

    /// Whether requests have keys at all.
    pub fn has_keys(&self) -> bool {
        !matches!(self.plan, Plan::None)
    }

    /// The key of a request.
    pub fn key(&self, request: &Request) -> Result<OwnedKey, Unsupported> {
        let bytes: Option<&[u8]> = match &self.plan {
            Plan::None => None,
            Plan::Source => return request.source().map(OwnedKey::Address),
            Plan::Uri(part) => Some(part.of(&request.uri)),
            Plan::UrlParam { name, check_post } => {
                let found = haproxy::url_param(&request.uri, name);
                if found.is_none() && *check_post && request.method == "POST" {
                    return Err(Unsupported::Element("url_param … check_post".into()));
                }
                found.map(str::as_bytes)
            }
            Plan::Header { name, domain_only } => {
                haproxy::header(request, name, *domain_only).map(str::as_bytes)
            }
            Plan::RdpCookie(name) => haproxy::rdp_cookie(request, name).map(str::as_bytes),
            Plan::Message(what) => return Err(Unsupported::Message(what)),
            Plan::Expression(expression) => {
                let value = expression.evaluate(request)?;
                return Ok(value.map_or(OwnedKey::Missing, |value| OwnedKey::Bytes(value.hashed())));
            }
            Plan::Pattern(pattern) => {
                return pattern.evaluate(request).map(OwnedKey::of);
            }
        };
        Ok(bytes.map_or(OwnedKey::Missing, |bytes| OwnedKey::Bytes(bytes.into())))
    }

    /// A key that the user gives as text: an address where addresses are hashed.
    pub fn key_from_text(&self, text: &str) -> Result<OwnedKey, Unsupported> {
        match &self.plan {
            Plan::None => Ok(OwnedKey::Missing),
            Plan::Source => parse_address(text).map(OwnedKey::Address),
            Plan::Expression(expression) => expression.text_key(text).map(OwnedKey::Bytes),
            Plan::Pattern(pattern) => pattern.text_key(text).map(OwnedKey::of),
            // What is cut off a whole target or header value is in no key.
            Plan::Uri(part) => Ok(OwnedKey::Bytes(part.of(text).into())),
            Plan::Header { domain_only, .. } => Ok(haproxy::header_value(text, *domain_only)
                .map_or(OwnedKey::Missing, |value| OwnedKey::Bytes(value.into()))),
            Plan::UrlParam { .. } | Plan::RdpCookie(_) | Plan::Message(_) => {
                Ok(OwnedKey::Bytes(text.into()))
            }
        }
    }
}

impl Plan {
    fn new(key: &HashKey, backend: &Backend, version: Version) -> Result<Self, Unsupported> {
        Ok(match key {
            HashKey::Source => Self::Source,
            HashKey::Uri {
                len,
                depth,
                whole,
                path_only,
            } => Self::Uri(UriPart {
                len: *len,
                depth: *depth,
                whole: *whole,
                path_only: *path_only,
            }),
            HashKey::UrlParam { name, check_post } => Self::UrlParam {
                name: name.to_string(),
                check_post: *check_post,
            },
            HashKey::Header { name, domain_only } => Self::Header {
                name: name.to_string(),
                domain_only: *domain_only,
            },
            HashKey::RdpCookie(name) => Self::RdpCookie(name.to_string()),
            HashKey::Expression(text) => Self::Expression(Expression::parse(text)?),
            HashKey::Variables(text) => Self::Pattern(Pattern::parse(text, backend, version)?),
        })
    }
}

/// An address, IPv6 also in brackets.
fn parse_address(text: &str) -> Result<IpAddr, Unsupported> {
    let bare = text.trim();
    let inside = bare
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let parsed = match inside {
        Some(inside) => inside.parse().map(IpAddr::V6),
        None => bare.parse(),
    };
    parsed.map_err(|_| Unsupported::NotAnAddress(text.into()))
}
