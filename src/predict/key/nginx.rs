//! nginx `hash` keys: text with variables (`ngx_http_script.c`, `ngx_http_variables.c`).

use std::net::IpAddr;

use super::converters::url_decode;
use super::{Request, Unsupported, parse_address, path_query};
use crate::model::{Backend, Layer, Version};

/// Text and variables in order.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    /// The name of the upstream, which `$proxy_host` is.
    upstream: String,
    /// Whether it is an upstream of datagrams.
    udp: bool,
    /// From 1.23 on header lines of one name are joined with commas.
    joins_headers: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Variable(Variable),
}

#[derive(Clone, Debug)]
enum Variable {
    RemoteAddress,
    BinaryRemoteAddress,
    ForwardedFor,
    Protocol,
    Https,
    RequestUri,
    Uri,
    Args,
    IsArgs,
    Arg(String),
    Cookie(String),
    Header(String),
    Host,
    Method,
    Scheme,
    ProxyHost,
}

impl Pattern {
    pub(super) fn parse(
        text: &str,
        backend: &Backend,
        version: Version,
    ) -> Result<Self, Unsupported> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            let (name, behind) = name(after).ok_or_else(|| Unsupported::Syntax(text.into()))?;
            pieces.push(Piece::Variable(Variable::new(name)?));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Self {
            pieces,
            upstream: backend.name.to_string(),
            udp: backend.layer == Layer::Udp,
            joins_headers: version >= Version::new(1, 23, 0),
        })
    }

    pub(super) fn evaluate(&self, request: &Request) -> Result<Vec<u8>, Unsupported> {
        let mut key = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => key.extend_from_slice(text.as_bytes()),
                Piece::Variable(variable) => key.extend(self.value(variable, request)?),
            }
        }
        Ok(key)
    }

    /// The key for a value given as text: addresses may be written in any form.
    pub(super) fn text_key(&self, text: &str) -> Result<Vec<u8>, Unsupported> {
        Ok(match self.pieces.as_slice() {
            [Piece::Variable(Variable::BinaryRemoteAddress)] => octets(parse_address(text)?),
            [Piece::Variable(Variable::RemoteAddress)] => {
                { parse_address(text).map_or_else(|_| text.into(), |address| address.to_string()) }
                    .into_bytes()
            }
            _ => text.into(),
        })
    }

    fn value(&self, variable: &Variable, request: &Request) -> Result<Vec<u8>, Unsupported> {
        // A fragment stays in `$request_uri` only.
        let target = request.path_and_query().split('#').next();
        let (path, query) = path_query(target.unwrap_or_default());
        let query = query.unwrap_or_default();
        let text = match variable {
            Variable::RemoteAddress => request.source()?.to_string(),
            Variable::BinaryRemoteAddress => return Ok(octets(request.source()?)),
            Variable::ForwardedFor => self.forwarded_for(request)?,
            Variable::Protocol => if self.udp { "UDP" } else { "TCP" }.into(),
            Variable::Https if request.scheme == "https" => "on".into(),
            Variable::Https => String::new(),
            Variable::RequestUri => request.path_and_query().to_owned(),
            Variable::Uri => return Ok(normal_path(path)),
            Variable::Args => query.to_owned(),
            Variable::IsArgs if query.is_empty() => String::new(),
            Variable::IsArgs => "?".into(),
            Variable::Arg(name) => value_of(query.split('&'), name),
            Variable::Cookie(name) => {
                let mut lines = request.header("cookie");
                (lines
                    .find_map(|line| cookie(line, name))
                    .unwrap_or_default())
                .to_owned()
            }
            Variable::Header(name) => self.header(request, name),
            Variable::Host => host(request),
            Variable::Method => request.method.clone(),
            Variable::Scheme => request.scheme.clone(),
            Variable::ProxyHost => self.upstream.clone(),
        };
        Ok(text.into_bytes())
    }

    /// `ngx_http_proxy_add_x_forwarded_for_variable`.
    fn forwarded_for(&self, request: &Request) -> Result<String, Unsupported> {
        let (given, source) = (self.header(request, "x_forwarded_for"), request.source()?);
        if given.is_empty() {
            return Ok(source.to_string());
        }
        Ok(format!("{given}, {source}"))
    }

    fn header(&self, request: &Request, name: &str) -> String {
        let mut lines = request.headers.iter().filter(|(header, _)| {
            let known = header.bytes().map(|byte| {
                if byte == b'-' {
                    b'_'
                } else {
                    byte.to_ascii_lowercase()
                }
            });
            known.eq(name.bytes())
        });
        let values = lines
            .by_ref()
            .map(|(_, value)| value.trim_matches([' ', '\t']));
        // Joined in every version: `ngx_http_variable_cookies` and `ngx_http_variable_headers`.
        let separator = if name == "cookie" { "; " } else { ", " };
        if self.joins_headers || matches!(name, "cookie" | "x_forwarded_for") {
            return values.collect::<Vec<_>>().join(separator);
        }
        values.take(1).collect()
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The variable's name behind `$`, and the text behind it.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('{') {
        return inside.split_once('}');
    }
    let end = text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    (!name.is_empty()).then_some((name, rest))
}

impl Variable {
    fn new(name: &str) -> Result<Self, Unsupported> {
        // Variable names have no case.
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "remote_addr" | "proxy_protocol_addr" => Self::RemoteAddress,
            "binary_remote_addr" => Self::BinaryRemoteAddress,
            "proxy_add_x_forwarded_for" => Self::ForwardedFor,
            "protocol" => Self::Protocol,
            "https" => Self::Https,
            "content_type" | "content_length" => Self::Header(lower),
            "request_uri" => Self::RequestUri,
            "uri" | "document_uri" => Self::Uri,
            "args" | "query_string" => Self::Args,
            "is_args" => Self::IsArgs,
            "host" => Self::Host,
            "request_method" => Self::Method,
            "scheme" => Self::Scheme,
            "proxy_host" => Self::ProxyHost,
            other => {
                let named =
                    |prefix: &str| other.strip_prefix(prefix).filter(|rest| !rest.is_empty());
                if let Some(name) = named("arg_") {
                    Self::Arg(name.into())
                } else if let Some(name) = named("cookie_") {
                    Self::Cookie(name.into())
                } else if let Some(name) = named("http_") {
                    Self::Header(name.into())
                } else {
                    return Err(Unsupported::Element(format!("${name}")));
                }
            }
        })
    }
}

/// The value of the first `name=value`; names have no case (`ngx_http_arg`).
fn value_of<'r>(mut pairs: impl Iterator<Item = &'r str>, name: &str) -> String {
    let found = pairs.find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    found.unwrap_or_default().to_owned()
}

/// The value of the first cookie of this name in a line (`ngx_http_parse_multi_header_lines`): a name
/// follows `;` or `,`, a value ends at `;` only, and spaces around `=` do not count.
fn cookie<'r>(line: &'r str, name: &str) -> Option<&'r str> {
    let mut rest = line.trim_matches([' ', '\t']);
    while !rest.is_empty() {
        let named = (rest.get(..name.len())).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if named {
            rest = rest.get(name.len()..)?.trim_start_matches(' ');
            if let Some(value) = rest.strip_prefix('=') {
                return value.trim_start_matches(' ').split(';').next();
            }
            // A separator directly behind the name is passed over, and what follows it with it.
            let mut behind = rest.chars();
            behind.next();
            rest = behind.as_str();
        }
        let (_, behind) = rest.split_once([';', ','])?;
        rest = behind.trim_start_matches(' ');
    }
    None
}

/// `$host`: the host of the absolute form or of the header, lower case, without port.
fn host(request: &Request) -> String {
    let absolute = (!request.uri.starts_with('/'))
        .then(|| request.uri.split_once("://"))
        .flatten()
        .map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or(rest));
    let Some(host) = absolute.or_else(|| request.header("host").next()) else {
        return String::new();
    };
    let bare = match host.rfind(']') {
        Some(end) => host.get(..=end).unwrap_or(host),
        None => host.split(':').next().unwrap_or(host),
    };
    bare.trim_end_matches('.').to_ascii_lowercase()
}

/// `$uri`: decoded, without dot segments, slashes merged (`ngx_http_parse_complex_uri`).
fn normal_path(path: &str) -> Vec<u8> {
    let decoded = url_decode(path.as_bytes());
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut last: &[u8] = b"";
    for segment in decoded.split(|byte| *byte == b'/') {
        last = segment;
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let mut normal = Vec::with_capacity(decoded.len());
    for segment in &segments {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    if normal.is_empty() || matches!(last, b"" | b"." | b"..") {
        normal.push(b'/');
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Sources, Span};

    fn parse(pattern: &str) -> Result<Pattern, Unsupported> {
        let (source, _) = Sources::default().add("test", Vec::new(), None);
        let backend = Backend::new("auth".into(), Layer::Http, Span::new(source, 0, 0));
        Pattern::parse(pattern, &backend, Version::NGINX_DEFAULT)
    }

    fn key(pattern: &str, request: &Request) -> String {
        let pattern = parse(pattern).unwrap();
        String::from_utf8(pattern.evaluate(request).unwrap()).unwrap()
    }

    #[test]
    fn variables_and_text_are_joined() {
        let request = Request {
            uri: "/a//b/../%41?K=1&k=2&empty=".into(),
            headers: vec![
                ("Host".into(), "Example.COM:81".into()),
                ("X-User".into(), "7".into()),
                ("Cookie".into(), "a=1; Sid=x=y".into()),
            ],
            source: Some(IpAddr::from([10, 0, 0, 7])),
            ..Request::default()
        };
        for (pattern, expected) in [
            (
                "$scheme$proxy_host$request_uri",
                "httpauth/a//b/../%41?K=1&k=2&empty=",
            ),
            ("${uri}-$arg_k", "/a/A-1"),
            ("$host$is_args$args", "example.com?K=1&k=2&empty="),
            ("$http_x_user|$cookie_sid", "7|x=y"),
            ("$remote_addr", "10.0.0.7"),
            ("$arg_none$cookie_none$http_none", ""),
            ("$request_method", "GET"),
            ("$proxy_add_x_forwarded_for$https", "10.0.0.7"),
            ("$protocol", "TCP"),
        ] {
            assert_eq!(key(pattern, &request), expected, "{pattern}");
        }
    }

    /// nginx 1.22.1 printed each value.
    #[test]
    fn targets_are_taken_apart_as_nginx_does() {
        for (uri, expected) in [
            ("http://example.com:81/a?b", "/a?b|/a|b|example.com"),
            ("http://example.com?b=/c", "?b=/c|/|b=/c|example.com"),
            ("/a%2fb/../c%3Fd?k=1#f", "/a%2fb/../c%3Fd?k=1#f|/a/c?d|k=1|"),
            ("/a#b", "/a#b|/a||"),
            ("/a/..%2fb", "/a/..%2fb|/b||"),
        ] {
            let request = Request {
                uri: uri.into(),
                ..Request::default()
            };
            assert_eq!(key("$request_uri|$uri|$args|$host", &request), expected);
        }
    }

    /// nginx 1.22.1 printed each value.
    #[test]
    fn cookies_are_found_as_nginx_does() {
        for (line, expected) in [
            ("a=1; sid=2; sid=3", "2"),
            ("sid = x y ;b=1", "x y "),
            ("a=1,SID=2,b", "2,b"),
            ("xsid=1; sidx=2", ""),
            ("sid; sid=4", ""),
            ("sidsid=5; sid=6", "6"),
            (";;sid==7", "=7"),
        ] {
            let request = Request {
                headers: vec![("Cookie".into(), line.into())],
                ..Request::default()
            };
            assert_eq!(key("$cookie_sid", &request), expected, "{line}");
        }
    }

    #[test]
    fn addresses_are_given_as_text() {
        let keys = |pattern: &str, text: &str| parse(pattern).unwrap().text_key(text);
        let binary = keys("$binary_remote_addr", "10.0.0.7");
        assert_eq!(binary.unwrap(), [10, 0, 0, 7]);
        assert!(keys("$binary_remote_addr", "seven").is_err());
        let text = keys("$remote_addr", "2001:DB8:0::1");
        assert_eq!(text.unwrap(), b"2001:db8::1");
        let bracketed = keys("$remote_addr", "[2001:db8::1]");
        assert_eq!(bracketed.unwrap(), b"2001:db8::1");
    }

    #[test]
    fn variables_of_the_configuration_are_refused_by_name() {
        let refused = parse("$request_uri$tenant");
        assert_eq!(refused.unwrap_err(), Unsupported::Element("$tenant".into()));
        let broken = parse("$");
        assert_eq!(broken.unwrap_err(), Unsupported::Syntax("$".into()));
    }

    #[test]
    fn paths_are_normalized_as_nginx_does() {
        for (path, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/./b/", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/../x", "/x"),
        ] {
            assert_eq!(normal_path(path), expected.as_bytes(), "{path}");
        }
    }
}
