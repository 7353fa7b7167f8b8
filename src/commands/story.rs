//! One line of `pick --events`: a request, or something that happens to a server.

use std::net::IpAddr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::predict::{Request, WeightChange};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A request, this many times.
    Request(Request, u64),
    /// A request that stays open under a name.
    Open(Request, String),
    /// The open request of this name ends.
    Close(String),
    /// Time passes.
    Wait(Duration),
    /// A server goes out.
    Down(String),
    /// A server comes back.
    Up(String),
    /// A server's weight changes.
    Weight(String, WeightChange),
}

/// A line as written; which fields there are decides what it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    uri: Option<String>,
    method: Option<String>,
    scheme: Option<String>,
    headers: Option<Map<String, Value>>,
    src: Option<IpAddr>,
    rdp: Option<Map<String, Value>>,
    repeat: Option<u64>,
    open: Option<String>,
    close: Option<String>,
    wait: Option<Value>,
    down: Option<String>,
    up: Option<String>,
    weight: Option<String>,
    value: Option<Value>,
}

impl Line {
    fn is_request(&self) -> bool {
        self.uri.is_some()
            || self.method.is_some()
            || self.scheme.is_some()
            || self.headers.is_some()
            || self.src.is_some()
            || self.rdp.is_some()
            || self.repeat.is_some()
            || self.open.is_some()
    }
}

impl Line {
    fn into_request(self) -> Result<Step, Error> {
        let default = Request::default();
        let request = Request {
            method: self.method.unwrap_or(default.method),
            uri: self.uri.unwrap_or(default.uri),
            scheme: self.scheme.unwrap_or(default.scheme),
            headers: headers(self.headers.unwrap_or_default())?,
            source: self.src,
            rdp_cookie: rdp_cookie(self.rdp.unwrap_or_default())?,
        };
        Ok(match self.open {
            Some(name) => Step::Open(request, name),
            None => Step::Request(request, self.repeat.unwrap_or(1)),
        })
    }
}

impl Step {
    /// Reads one line.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let line: Line = serde_json::from_str(text).map_err(|fault| usage(&fault.to_string()))?;
        let events = [&line.down, &line.up, &line.weight, &line.close];
        let events = events.iter().filter(|event| event.is_some()).count();
        let events = events + usize::from(line.wait.is_some());
        if events > 1 || (events == 1 && line.is_request()) {
            return Err(usage("a line is one request or one event"));
        }
        if line.value.is_some() && line.weight.is_none() {
            return Err(usage("`value` belongs to `weight`"));
        }
        if line.open.is_some() && line.repeat.is_some() {
            return Err(usage("a request that stays `open` is one request"));
        }
        Ok(match line {
            Line {
                down: Some(server), ..
            } => Self::Down(server),
            Line {
                up: Some(server), ..
            } => Self::Up(server),
            Line {
                close: Some(name), ..
            } => Self::Close(name),
            Line {
                wait: Some(time), ..
            } => Self::Wait(duration(&time)?),
            Line {
                weight: Some(server),
                value,
                ..
            } => Self::Weight(server, change(value.as_ref())?),
            line => line.into_request()?,
        })
    }
}

/// `"10s"`, `"1500ms"`, or seconds as a number.
fn duration(value: &Value) -> Result<Duration, Error> {
    let parsed = match value {
        Value::Number(number) => {
            (number.as_f64()).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        }
        Value::String(text) => {
            (text.parse::<SignedDuration>().ok()).and_then(|time| Duration::try_from(time).ok())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    parsed.ok_or_else(|| {
        usage(&format!(
            "`wait` needs a time such as \"10s\" or 0.5, not {value}"
        ))
    })
}

fn usage(fault: &str) -> Error {
    Error::Usage(fault.to_owned())
}

/// The one cookie that a remote desktop client sends.
fn rdp_cookie(given: Map<String, Value>) -> Result<Option<(String, String)>, Error> {
    let mut cookies = headers(given)?.into_iter();
    match (cookies.next(), cookies.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(usage("`rdp` has one cookie at most")),
    }
}

/// Header lines; an array gives several of one name.
fn headers(given: Map<String, Value>) -> Result<Vec<(String, String)>, Error> {
    let mut lines = Vec::new();
    for (name, value) in given {
        let values = if let Value::Array(values) = value {
            values
        } else {
            vec![value]
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(usage(&format!("the value of header `{name}` is not text")));
                }
            };
            lines.push((name.clone(), text));
        }
    }
    Ok(lines)
}

/// `"50%"`, `"7"` or `7`.
fn change(value: Option<&Value>) -> Result<WeightChange, Error> {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            return Err(usage("`weight` needs a `value` such as 7 or \"50%\""));
        }
    };
    let number = |text: &str| {
        let parsed = text.parse();
        parsed.map_err(|_| usage(&format!("`{text}` is not a weight such as 7 or \"50%\"")))
    };
    Ok(match text.strip_suffix('%') {
        Some(percent) => WeightChange::Percent(number(percent)?),
        None => WeightChange::To(number(&text)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_requests_or_events() {
        let line =
            r#"{"uri":"/login?k=7","headers":{"X-User":["7","8"]},"src":"10.1.2.3","repeat":5}"#;
        let Step::Request(request, 5) = Step::parse(line).unwrap() else {
            panic!("a request five times");
        };
        assert_eq!(
            request.headers,
            [("X-User".into(), "7".into()), ("X-User".into(), "8".into())]
        );
        assert_eq!(request.source, Some(IpAddr::from([10, 1, 2, 3])));
        assert_eq!(
            Step::parse("{}").unwrap(),
            Step::Request(Request::default(), 1)
        );
        assert_eq!(
            Step::parse(r#"{"down":"a"}"#).unwrap(),
            Step::Down("a".into())
        );
        let weight = Step::parse(r#"{"weight":"a","value":"50%"}"#).unwrap();
        assert_eq!(weight, Step::Weight("a".into(), WeightChange::Percent(50)));
    }

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        for (line, milliseconds) in [
            (r#"{"wait":"10s"}"#, 10_000),
            (r#"{"wait":"1m 500ms"}"#, 60_500),
            (r#"{"wait":0.5}"#, 500),
            (r#"{"wait":3}"#, 3_000),
        ] {
            let expected = Step::Wait(Duration::from_millis(milliseconds));
            assert_eq!(Step::parse(line).unwrap(), expected);
        }
    }

    #[test]
    fn mixed_or_misspelt_lines_are_refused() {
        for line in [
            r#"{"down":"a","uri":"/"}"#,
            r#"{"downn":"a"}"#,
            r#"{"weight":"a"}"#,
            r#"{"wait":"soon"}"#,
            r#"{"rdp":{"a":"1","b":"2"}}"#,
            r#"{"wait":-1}"#,
            r#"{"wait":1,"down":"a"}"#,
            r#"{"open":"a","repeat":2}"#,
            r#"{"close":"a","uri":"/"}"#,
            "[]",
            "{",
        ] {
            assert!(Step::parse(line).is_err(), "{line}");
        }
    }
}
