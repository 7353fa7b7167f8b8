//! How the health of a server is learned, as one value that can be compared and told.

use std::time::Duration;

use crate::model::{CheckProtocol, Engine, Server, Setting, Text};

/// Every check of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watch<'a> {
    active: Option<Active<'a>>,
    agent: bool,
    track: Option<&'a str>,
    passive: Option<(u32, Duration)>,
}

/// An active check and when it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Active<'a> {
    protocol: Option<&'a CheckProtocol>,
    inter: Option<&'a Duration>,
    fastinter: Option<Duration>,
    downinter: Option<Duration>,
    rise: Option<&'a u32>,
    fall: Option<&'a u32>,
    port: Option<u16>,
    addr: Option<&'a str>,
    ssl: bool,
}

impl<'a> Watch<'a> {
    /// The checks of `server` in a backend whose active checks speak `protocol`.
    pub(super) fn new(
        engine: Engine,
        server: &'a Server,
        protocol: Option<&'a CheckProtocol>,
    ) -> Self {
        let options = &server.options;
        let text = |setting: &'a Option<Box<Setting<Text>>>| {
            setting.as_ref().map(|setting| setting.value.as_str())
        };
        let passive = server.passive();
        let timing = &options.timing;
        let active = Active {
            protocol,
            inter: timing.inter.known(),
            fastinter: timing.fastinter.known().copied().flatten(),
            downinter: timing.downinter.known().copied().flatten(),
            rise: timing.rise.known(),
            fall: timing.fall.known(),
            port: options.check_port.as_ref().map(|port| port.value),
            addr: text(&options.check_addr),
            ssl: options.check_ssl.as_ref().is_some_and(|ssl| ssl.value),
        };
        Self {
            active: server.check.value.then_some(active),
            agent: server.has_agent(),
            track: text(&options.track),
            // HAProxy counts no failures of live traffic on its own.
            passive: (engine == Engine::Nginx)
                .then_some((passive.max_fails.value, passive.fail_timeout.value)),
        }
    }

    /// What is watched, in words; `None` where nothing is.
    fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        words.extend(self.active.map(|active| active.words()));
        words.extend(self.agent.then(|| "agent-check".to_owned()));
        words.extend(self.track.map(|track| format!("track {track}")));
        words.extend(
            self.passive.map(|(fails, timeout)| {
                format!("max_fails {fails} fail_timeout {}", time(timeout))
            }),
        );
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// The words of the last two watches that were told: those of the servers of a backend are mostly equal.
#[derive(Debug, Default)]
pub(super) struct WatchWords<'a> {
    watches: Option<(Watch<'a>, Watch<'a>)>,
    words: (Option<String>, Option<String>),
}

impl<'a> WatchWords<'a> {
    /// The words of two watches.
    pub(super) fn words(
        &mut self,
        watches: &(Watch<'a>, Watch<'a>),
    ) -> (Option<String>, Option<String>) {
        if self.watches.as_ref() != Some(watches) {
            self.words = (watches.0.words(), watches.1.words());
            self.watches = Some(*watches);
        }
        self.words.clone()
    }
}

impl Active<'_> {
    fn words(&self) -> String {
        let mut words = vec![self.protocol.map_or_else(|| "check".to_owned(), protocol)];
        let mut add = |name: &str, value: Option<String>| {
            words.extend(value.map(|value| format!("{name} {value}")));
        };
        add("inter", self.inter.map(|inter| time(*inter)));
        add("fastinter", self.fastinter.map(time));
        add("downinter", self.downinter.map(time));
        add("rise", self.rise.map(ToString::to_string));
        add("fall", self.fall.map(ToString::to_string));
        add("port", self.port.map(|port| port.to_string()));
        add("addr", self.addr.map(str::to_owned));
        words.extend(self.ssl.then(|| "check-ssl".to_owned()));
        words.join(" ")
    }
}

fn protocol(protocol: &CheckProtocol) -> String {
    match protocol {
        CheckProtocol::Connect => "connect".to_owned(),
        CheckProtocol::Http {
            method,
            uri,
            expects,
        } => {
            let part = |text: &Option<_>| {
                text.as_ref()
                    .map_or_else(String::new, |text| format!(" {text}"))
            };
            let expect = if *expects { " with expect" } else { "" };
            format!("http{}{}{expect}", part(method), part(uri))
        }
        CheckProtocol::Tcp { expects: true } => "tcp-check with expect".to_owned(),
        CheckProtocol::Tcp { expects: false } => "tcp-check".to_owned(),
        CheckProtocol::Protocol(name) => name.to_string(),
        CheckProtocol::External => "external-check".to_owned(),
    }
}

/// A time as it is written in configurations: the largest unit that divides it.
pub(super) fn time(time: Duration) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
    ];
    let milliseconds = time.as_millis();
    let unit = units
        .iter()
        .find(|(_, size)| milliseconds.is_multiple_of(*size));
    match unit {
        Some((unit, size)) if milliseconds > 0 => format!("{}{unit}", milliseconds / size),
        Some(_) => "0s".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_largest_unit_that_divides_them() {
        let words = [0, 500, 1500, 2000, 90_000, 120_000, 86_400_000]
            .map(|milliseconds| time(Duration::from_millis(milliseconds)));
        assert_eq!(words, ["0s", "500ms", "1500ms", "2s", "90s", "2m", "1d"]);
    }
}
