//! The values that the model consists of, as JSON: every inheritable one with its origin.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Algorithm, Engine, HashFunction, HashKey, HashMethod, HashType, Setting, Text};
use crate::report::json::Location;
use crate::report::locate::Locator;
use crate::report::mask::mask_text;
use crate::report::shown::MASK;
use crate::source::{Sources, Span};

/// A value with where it comes from. Its value is `null` when it is unknown or unset.
#[derive(Debug, Serialize)]
#[allow(clippy::struct_field_names, reason = "the documented names")]
pub(super) struct Value<T> {
    value: Option<T>,
    origin: &'static str,
    location: Option<Location>,
}

/// What is needed to show any part of one instance.
pub(super) struct Printer<'a> {
    locator: RefCell<Locator<'a>>,
    engine: Engine,
}

impl<'a> Printer<'a> {
    pub(super) fn new(sources: &'a Sources, engine: Engine) -> Self {
        Self {
            locator: RefCell::new(Locator::new(sources)),
            engine,
        }
    }

    /// Where `span` is.
    pub(super) fn location(&self, span: Span) -> Location {
        let mut locator = self.locator.borrow_mut();
        let place = locator.place(span);
        Location::new(&place, &mut locator)
    }

    /// Text of the configuration without secrets.
    pub(super) fn text<'b>(&self, text: &'b str) -> Cow<'b, str> {
        mask_text(text, self.engine)
    }

    /// A key or value of a map, which is a secret where its variable `announces` one.
    pub(super) fn entry<'b>(&self, text: &'b str, secret: bool) -> Cow<'b, str> {
        const WORDS: [&str; 7] = ["default", "hostnames", "volatile", "*", "", "0", "1"];
        if secret && !WORDS.contains(&text) {
            return MASK.into();
        }
        self.text(text)
    }

    pub(super) fn is_haproxy(&self) -> bool {
        self.engine == Engine::Haproxy
    }

    /// Several of them.
    pub(super) fn texts<'b>(&self, texts: &'b [Text]) -> Vec<Cow<'b, str>> {
        texts.iter().map(|text| self.text(text)).collect()
    }

    /// A setting whose value is shown as `show` makes it; `None` there is unset.
    pub(super) fn setting<'b, T, V>(
        &self,
        setting: &'b Setting<T>,
        show: impl FnOnce(&'b T) -> Option<V>,
    ) -> Value<V> {
        Value {
            value: setting.known().and_then(show),
            origin: setting.origin.as_str(),
            location: setting.origin.span().map(|span| self.location(span)),
        }
    }

    /// A setting that is shown as it is.
    pub(super) fn plain<T: Copy>(&self, setting: &Setting<T>) -> Value<T> {
        self.setting(setting, |value| Some(*value))
    }

    /// A setting that may be unset.
    pub(super) fn optional<T: Copy>(&self, setting: &Setting<Option<T>>) -> Value<T> {
        self.setting(setting, |value| *value)
    }

    /// A setting of configuration text.
    pub(super) fn word<'b>(&self, setting: &'b Setting<Text>) -> Value<Cow<'b, str>> {
        self.setting(setting, |value| Some(self.text(value)))
    }

    /// A time.
    pub(super) fn time(&self, setting: &Setting<Duration>) -> Value<f64> {
        self.setting(setting, |value| Some(seconds(*value)))
    }

    /// A time that may be unset.
    pub(super) fn optional_time(&self, setting: &Setting<Option<Duration>>) -> Value<f64> {
        self.setting(setting, |value| value.map(seconds))
    }
}

/// A time in seconds, exact to the millisecond.
#[allow(
    clippy::cast_precision_loss,
    reason = "2^53 milliseconds are 285,000 years"
)]
pub fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

/// How an algorithm is called, the same words for both engines where they mean the same.
pub fn algorithm_words(algorithm: &Algorithm) -> Cow<'_, str> {
    match algorithm {
        Algorithm::RoundRobin => "roundrobin".into(),
        Algorithm::StaticRoundRobin => "static-rr".into(),
        Algorithm::LeastConn => "leastconn".into(),
        Algorithm::LeastTime => "least_time".into(),
        Algorithm::First => "first".into(),
        Algorithm::Random { draws } => format!("random({draws})").into(),
        Algorithm::Hash(key) => key_words(key).into(),
        Algorithm::IpHash => "ip_hash".into(),
        Algorithm::Sticky => "sticky".into(),
        Algorithm::LogHash => "log-hash".into(),
        Algorithm::Other(name) => name.as_str().into(),
    }
}

fn key_words(key: &HashKey) -> String {
    match key {
        HashKey::Source => "source".to_owned(),
        HashKey::Uri {
            len,
            depth,
            whole,
            path_only,
        } => {
            let mut words = "uri".to_owned();
            for (name, value) in [(" len ", len), (" depth ", depth)] {
                if let Some(value) = value {
                    words.push_str(name);
                    words.push_str(&value.to_string());
                }
            }
            words.push_str(if *whole { " whole" } else { "" });
            words.push_str(if *path_only { " path-only" } else { "" });
            words
        }
        HashKey::UrlParam { name, check_post } => {
            format!(
                "url_param {name}{}",
                if *check_post { " check_post" } else { "" }
            )
        }
        HashKey::Header { name, domain_only } => {
            format!(
                "hdr({name}){}",
                if *domain_only { " use_domain_only" } else { "" }
            )
        }
        HashKey::RdpCookie(name) => format!("rdp-cookie({name})"),
        HashKey::Expression(text) | HashKey::Variables(text) => format!("hash {text}"),
    }
}

/// How hashes map to servers.
#[derive(Debug, Serialize)]
pub(super) struct HashTypeView {
    method: &'static str,
    function: &'static str,
    avalanche: bool,
}

impl HashTypeView {
    pub(super) fn new(hash: HashType) -> Self {
        Self {
            method: match hash.method {
                HashMethod::Map => "map-based",
                HashMethod::Ring => "consistent",
                HashMethod::Modulo => "modulo",
                HashMethod::Ketama => "ketama",
            },
            function: match hash.function {
                HashFunction::Sdbm => "sdbm",
                HashFunction::Djb2 => "djb2",
                HashFunction::Wt6 => "wt6",
                HashFunction::Crc32 => "crc32",
                HashFunction::None => "none",
            },
            avalanche: hash.avalanche,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_named_as_they_are_written() {
        let uri = HashKey::Uri {
            len: None,
            depth: Some(2),
            whole: true,
            path_only: false,
        };
        assert_eq!(algorithm_words(&Algorithm::Hash(uri)), "uri depth 2 whole");
        assert_eq!(
            algorithm_words(&Algorithm::Random { draws: 2 }),
            "random(2)"
        );
        assert!((seconds(Duration::from_millis(1500)) - 1.5).abs() < f64::EPSILON);
    }
}
