//! HAProxy sample expressions, as far as a request alone gives their value: a fetch and converters.
//!
//! Manual chapter 7.3; the behaviour of each one was compared with HAProxy 2.6.12.

use std::net::{IpAddr, Ipv4Addr};

use super::converters::Converter;
use super::haproxy::{cookie, elements};
use super::{Request, Unsupported, parse_address};
use crate::model::HashFunction;
use crate::predict::hash::{avalanche, of_key};

/// A sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bytes(Vec<u8>),
    Number(i64),
    Address(IpAddr),
}

impl Value {
    /// The bytes that are hashed: `SMP_T_BIN`.
    pub(super) fn hashed(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => number.to_be_bytes().to_vec(),
            Self::Address(IpAddr::V4(address)) => address.octets().to_vec(),
            Self::Address(IpAddr::V6(address)) => address.octets().to_vec(),
        }
    }

    /// The sample as text: `SMP_T_STR`.
    pub(super) fn text(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Address(address) => address.to_string().into_bytes(),
        }
    }

    /// The sample as a number, `c_str2int`: the digits in front, no value from an empty text.
    pub(super) fn number(&self) -> Option<i64> {
        let bytes = match self {
            Self::Number(number) => return Some(*number),
            Self::Address(IpAddr::V4(address)) => return Some(i64::from(address.to_bits())),
            Self::Address(IpAddr::V6(_)) => return None,
            Self::Bytes(bytes) => bytes,
        };
        let (negative, digits) = match bytes.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, bytes.as_slice()),
        };
        let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
        let value = digits.fold(0i64, |value, byte| {
            value
                .saturating_mul(10)
                .saturating_add(i64::from(byte - b'0'))
        });
        Some(if negative { -value } else { value })
    }
}

/// A fetch and the converters behind it.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    fetch: Fetch,
    converters: Vec<Converter>,
}

#[derive(Clone, Debug)]
enum Fetch {
    Source,
    Header {
        name: String,
        occurrence: i64,
        full: bool,
    },
    HeaderAddress {
        name: String,
        occurrence: i64,
    },
    Path,
    PathQuery,
    Url,
    Query,
    Base,
    /// `base32`, `url32` and both with `+src`.
    BaseHash {
        with_query: bool,
        with_source: bool,
    },
    Method,
    UrlParam(String),
    Cookie(String),
    Text(String),
    Number(i64),
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, Unsupported> {
        let syntax = || Unsupported::Syntax(text.into());
        let mut words = split_top(text.trim()).into_iter();
        let (name, arguments) = call(words.next().ok_or_else(syntax)?).ok_or_else(syntax)?;
        let fetch = Fetch::new(name, &arguments)?;
        let converters = words.map(|word| {
            let (name, arguments) = call(word).ok_or_else(syntax)?;
            Converter::new(name, &arguments)
        });
        let converters = converters.collect::<Result<_, _>>()?;
        Ok(Self { fetch, converters })
    }

    pub(super) fn evaluate(&self, request: &Request) -> Result<Option<Value>, Unsupported> {
        let mut value = self.fetch.fetch(request)?;
        for converter in &self.converters {
            let Some(before) = value else { break };
            value = converter.apply(before);
        }
        Ok(value)
    }

    /// The bytes hashed for a value given as text, which is what the last converter gives. Converters
    /// that change nothing a second time are applied to it, so that it may be what the first one takes.
    pub(super) fn text_key(&self, text: &str) -> Result<Vec<u8>, Unsupported> {
        let number = || {
            let parsed = text.parse::<i64>();
            parsed.map_err(|_| Unsupported::NotANumber(text.into()))
        };
        let last = self.converters.last();
        let mut value = match last.map_or(self.fetch.yields(), Converter::yields) {
            Yields::Bytes => Value::Bytes(text.into()),
            Yields::Number => Value::Number(number()?),
            Yields::Address => Value::Address(parse_address(text)?),
        };
        if self.converters.iter().all(Converter::is_idempotent) {
            for converter in &self.converters {
                value = converter.apply(value.clone()).unwrap_or(value);
            }
        }
        Ok(value.hashed())
    }
}

/// What a fetch or converter gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yields {
    Bytes,
    Number,
    Address,
}

impl Fetch {
    fn new(name: &str, arguments: &[&str]) -> Result<Self, Unsupported> {
        let unknown = || Unsupported::Element(name.into());
        let first = || {
            arguments
                .first()
                .map(|name| (*name).to_owned())
                .ok_or_else(unknown)
        };
        let occurrence = || match arguments.get(1) {
            Some(count) => count.trim().parse().map_err(|_| unknown()),
            None => Ok(-1),
        };
        Ok(match name {
            "src" => Self::Source,
            "req.hdr_ip" | "hdr_ip" => Self::HeaderAddress {
                name: first()?,
                occurrence: occurrence()?,
            },
            "base32" | "base32+src" | "url32" | "url32+src" => Self::BaseHash {
                with_query: name.starts_with("url"),
                with_source: name.ends_with("+src"),
            },
            "req.hdr" | "hdr" | "req.fhdr" | "fhdr" => Self::Header {
                name: first()?,
                occurrence: occurrence()?,
                full: name.ends_with("fhdr"),
            },
            "path" => Self::Path,
            "pathq" => Self::PathQuery,
            "url" => Self::Url,
            "query" => Self::Query,
            "base" => Self::Base,
            "method" => Self::Method,
            "url_param" | "urlp" if arguments.len() == 1 => Self::UrlParam(first()?),
            "req.cook" | "cook" | "cookie" => Self::Cookie(first()?),
            "str" => Self::Text(first()?),
            "int" => Self::Number(first()?.parse().map_err(|_| unknown())?),
            _ => return Err(unknown()),
        })
    }

    fn yields(&self) -> Yields {
        match self {
            Self::Source | Self::HeaderAddress { .. } => Yields::Address,
            Self::Number(_)
            | Self::BaseHash {
                with_source: false, ..
            } => Yields::Number,
            Self::Header { .. }
            | Self::Path
            | Self::PathQuery
            | Self::Url
            | Self::Query
            | Self::Base
            | Self::BaseHash { .. }
            | Self::Method
            | Self::UrlParam(_)
            | Self::Cookie(_)
            | Self::Text(_) => Yields::Bytes,
        }
    }

    fn fetch(&self, request: &Request) -> Result<Option<Value>, Unsupported> {
        let (path, query) = request.path_query();
        let text = match self {
            Self::Source => return Ok(Some(Value::Address(request.source()?))),
            Self::Number(number) => return Ok(Some(Value::Number(*number))),
            Self::Header {
                name,
                occurrence,
                full,
            } => occurrence_of(request, name, *occurrence, *full),
            Self::Path => Some(path.to_owned()),
            Self::PathQuery => Some(request.path_and_query().to_owned()),
            Self::Url => Some(request.uri.clone()),
            Self::Query => query.map(str::to_owned),
            Self::Base => Some(format!("{}{path}", host(request))),
            Self::BaseHash {
                with_query,
                with_source,
            } => return base_hash(request, *with_query, *with_source).map(Some),
            Self::HeaderAddress { name, occurrence } => {
                let value = occurrence_of(request, name, *occurrence, false);
                return Ok(value.as_deref().and_then(address).map(Value::Address));
            }
            Self::Method => Some(request.method.clone()),
            Self::UrlParam(name) => query.and_then(|query| parameter(query, name)),
            Self::Cookie(name) => cookie(request, name).map(str::to_owned),
            Self::Text(text) => Some(text.clone()),
        };
        Ok(text.map(|text| Value::Bytes(text.into_bytes())))
    }
}

fn host(request: &Request) -> &str {
    request.header("host").next().unwrap_or("")
}

/// `smp_fetch_base32`, `smp_fetch_url32` and their variants with the client address behind the hash.
fn base_hash(request: &Request, query: bool, source: bool) -> Result<Value, Unsupported> {
    let (path, _) = request.path_query();
    let target = if query {
        request.path_and_query()
    } else {
        path
    };
    let base = format!("{}{target}", host(request));
    let hash = avalanche(of_key(HashFunction::Sdbm, base.as_bytes()));
    if !source {
        return Ok(Value::Number(i64::from(hash)));
    }
    let mut bytes = hash.to_be_bytes().to_vec();
    bytes.extend(Value::Address(request.source()?).hashed());
    Ok(Value::Bytes(bytes))
}

/// An address as `req.hdr_ip` reads it: IPv4 may have a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.split_once(':').map_or(text, |(host, _)| host);
    (text.parse().ok()).or_else(|| bare.parse::<Ipv4Addr>().ok().map(IpAddr::V4))
}

/// `http_get_htx_hdr`: the n-th value of a header, from the end when negative.
fn occurrence_of(request: &Request, name: &str, occurrence: i64, full: bool) -> Option<String> {
    let lines = request.header(name);
    let values: Vec<&str> = if full {
        lines.map(|line| line.trim_matches([' ', '\t'])).collect()
    } else {
        lines.flat_map(elements).collect()
    };
    let distance = usize::try_from(occurrence.unsigned_abs()).ok()?.max(1);
    let index = if occurrence > 0 {
        distance - 1
    } else {
        values.len().checked_sub(distance)?
    };
    values.get(index).map(|value| (*value).to_owned())
}

/// `smp_fetch_url_param`: `&`, `;` and another `?` all separate parameters.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut parts = query.split(['&', ';', '?']);
    let value = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.to_owned())
}

/// Splits at commas outside parentheses.
fn split_top(text: &str) -> Vec<&str> {
    let mut depth = 0u32;
    text.split(|char: char| {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    })
    .collect()
}

/// `name` or `name(argument,…)`.
fn call(word: &str) -> Option<(&str, Vec<&str>)> {
    let word = word.trim();
    let Some((name, rest)) = word.split_once('(') else {
        return (!word.is_empty()).then(|| (word, Vec::new()));
    };
    let inside = rest.strip_suffix(')')?;
    let arguments = if inside.is_empty() {
        Vec::new()
    } else {
        inside.split(',').collect()
    };
    Some((name, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Request {
            uri: uri.into(),
            headers: headers.collect(),
            source: Some(IpAddr::from([127, 0, 0, 1])),
            ..Request::default()
        }
    }

    fn text(expression: &str, request: &Request) -> Option<String> {
        let expression = Expression::parse(expression).unwrap();
        let value = expression.evaluate(request).unwrap()?;
        Some(String::from_utf8(value.text()).unwrap())
    }

    /// Every expected value was printed by HAProxy 2.6.12.
    #[test]
    fn expressions_give_what_haproxy_prints() {
        let first = request(
            "/A%41b/c;d?K=0&k=1;k=2&z=3&k=5",
            &[
                ("Host", "127.0.0.1:28999"),
                ("X", "a:bb:ccc:dd"),
                ("Y", "45x"),
                ("Cookie", "c=1; d=2; c=3"),
            ],
        );
        for (expression, expected) in [
            ("req.hdr(x)", "a:bb:ccc:dd"),
            ("path", "/A%41b/c;d"),
            ("query", "K=0&k=1;k=2&z=3&k=5"),
            ("base", "127.0.0.1:28999/A%41b/c;d"),
            ("method", "GET"),
            ("url_param(k)", "1"),
            ("req.cook(c)", "3"),
            ("req.hdr(x),field(2,:)", "bb"),
            ("req.hdr(x),word(2,:)", "bb"),
            ("req.hdr(x),word(-1,:)", "dd"),
            ("req.hdr(x),field(-2,:)", "ccc"),
            ("req.hdr(x),field(2,:,2)", "bb:ccc"),
            ("req.hdr(x),bytes(1,3)", ":bb"),
            ("req.hdr(x),bytes(90)", ""),
            ("req.hdr(x),crc32", "1922522429"),
            ("req.hdr(x),crc32(1)", "1211569677"),
            ("req.hdr(x),xxh32", "3277139459"),
            ("req.hdr(x),xxh32(7)", "1722322523"),
            ("req.hdr(x),sdbm", "3264307128"),
            ("req.hdr(x),djb2(1)", "2464022347"),
            ("req.hdr(x),wt6", "937960537"),
            ("req.hdr(y),add(3)", "48"),
            ("req.hdr(y),mod(7)", "3"),
            ("req.hdr(y),neg", "-45"),
            ("src,ipmask(24)", "127.0.0.0"),
            ("req.hdr(x),length", "11"),
            ("req.hdr(x),hex", "613A62623A6363633A6464"),
            ("req.hdr(x),base64", "YTpiYjpjY2M6ZGQ="),
            ("path,url_dec", "/AAb/c;d"),
            ("path,lower", "/a%41b/c;d"),
            ("path,word(3,/)", ""),
            ("path,word(1,/,9)", "A%41b/c;d"),
            ("req.hdr(x),word(-1,:,9)", "a:bb:ccc:dd"),
            ("base32", "2530782586"),
            ("url32", "2404756302"),
            ("base32+src,hex", "96D8AD7A7F000001"),
            ("req.hdr_ip(host)", "127.0.0.1"),
        ] {
            assert_eq!(
                text(expression, &first).as_deref(),
                Some(expected),
                "{expression}"
            );
        }
    }

    #[test]
    fn missing_values_have_no_key() {
        let second = request(
            "/?x=1;k=2?k=7",
            &[
                ("X", "q, a::bb, \"z,y\" "),
                ("x", "1,  z  "),
                ("Y", "-x45"),
                ("Cookie", "d=2; C=3;c=\"q r\""),
            ],
        );
        assert_eq!(text("req.hdr(x)", &second).as_deref(), Some("z"));
        assert_eq!(text("req.hdr(x,1)", &second).as_deref(), Some("q"));
        assert_eq!(text("req.fhdr(x)", &second).as_deref(), Some("1,  z"));
        assert_eq!(text("url_param(k)", &second).as_deref(), Some("2"));
        assert_eq!(text("req.cook(c)", &second).as_deref(), Some("\"q r\""));
        assert_eq!(text("req.hdr(x),field(2,:)", &second), None);
        assert_eq!(text("req.hdr(x),word(-1,:)", &second).as_deref(), Some("z"));
        assert_eq!(text("req.hdr(y),add(3)", &second).as_deref(), Some("3"));
        let third = request("/nothing", &[("X", " ")]);
        assert_eq!(text("req.hdr(x)", &third).as_deref(), Some(""));
        assert_eq!(text("req.hdr(x),length", &third).as_deref(), Some("0"));
        assert_eq!(text("req.hdr(x),add(1)", &third), None);
        assert_eq!(text("req.hdr(y),crc32", &third), None);
        assert_eq!(text("url_param(k)", &third), None);
        assert_eq!(text("query", &third), None);
        assert_eq!(text("query", &request("/?", &[])).as_deref(), Some(""));
        assert_eq!(text("req.hdr_ip(x)", &second), None);
    }

    /// The last cookie counts; HAProxy 2.6.12 printed each value.
    #[test]
    fn cookies_are_found_as_haproxy_does() {
        for (line, expected) in [
            ("sid=2; sid=", Some("")),
            ("sid=2; sid", Some("2")),
            ("sid=22,sid=333", Some("333")),
            ("sid=a,b", Some("a")),
            ("sid=", None),
            ("b=1; sid=", Some("")),
            ("b=1;sid= ", None),
            ("sid=,b", None),
            ("sid=;b=1", Some("")),
            (" sid = 3 ", Some("3")),
            ("SID=3", None),
            ("sid=\"a;b\"", Some("\"a;b\"")),
            ("a=\"x;sid=4\"; sid=5", Some("5")),
            ("sid=a b", Some("a b")),
        ] {
            let request = request("/", &[("Cookie", line)]);
            let found = text("req.cook(sid)", &request);
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn what_a_request_does_not_tell_is_refused_by_name() {
        for (expression, element) in [
            ("ssl_fc_sni", "ssl_fc_sni"),
            ("var(txn.key)", "var"),
            ("req.hdr(x),regsub(a,b)", "regsub"),
            ("req.body", "req.body"),
        ] {
            let refused = Expression::parse(expression).unwrap_err();
            assert_eq!(refused, Unsupported::Element(element.into()));
        }
    }
}
