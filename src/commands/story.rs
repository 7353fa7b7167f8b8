//! One line of `pick --events`: a request, or something that happens to a server.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::predict::{Request, WeightChange};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A request, this many times.
    Request(Request, u64),
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
    repeat: Option<u64>,
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
            || self.repeat.is_some()
    }
}

impl Step {
    /// Reads one line.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let line: Line = serde_json::from_str(text).map_err(|fault| usage(&fault.to_string()))?;
        let events = [&line.down, &line.up, &line.weight];
        let events = events.iter().filter(|event| event.is_some()).count();
        if events > 1 || (events == 1 && line.is_request()) {
            return Err(usage("a line is one request or one event"));
        }
        if line.value.is_some() && line.weight.is_none() {
            return Err(usage("`value` belongs to `weight`"));
        }
        match (line.down, line.up, line.weight) {
            (Some(server), _, _) => Ok(Self::Down(server)),
            (_, Some(server), _) => Ok(Self::Up(server)),
            (_, _, Some(server)) => Ok(Self::Weight(server, change(line.value.as_ref())?)),
            (None, None, None) => {
                let default = Request::default();
                let request = Request {
                    method: line.method.unwrap_or(default.method),
                    uri: line.uri.unwrap_or(default.uri),
                    scheme: line.scheme.unwrap_or(default.scheme),
                    headers: headers(line.headers.unwrap_or_default())?,
                    source: line.src,
                };
                Ok(Self::Request(request, line.repeat.unwrap_or(1)))
            }
        }
    }
}

fn usage(fault: &str) -> Error {
    Error::Usage(fault.to_owned())
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
    fn mixed_or_misspelt_lines_are_refused() {
        for line in [
            r#"{"down":"a","uri":"/"}"#,
            r#"{"downn":"a"}"#,
            r#"{"weight":"a"}"#,
            "[]",
            "{",
        ] {
            assert!(Step::parse(line).is_err(), "{line}");
        }
    }
}
