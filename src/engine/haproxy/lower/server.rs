//! Options of `server`, `server-template` and `default-server` lines (manual 5.2).
//!
//! In: the words of a line and the settings it starts from. Out: the settings in effect after it.

use std::sync::Arc;
use std::time::Duration;

use super::super::keywords::{self, Kind, Word};
use super::super::tree::LineRef;
use super::super::units::{self, TimeFault};
use super::super::words::takes_value;
use super::scope::{Scope, number, text};
use super::values;
use crate::model::{Origin, ServerOptions, Setting, Text};
use crate::source::Span;

/// What a server gets from its line and from the `default-server` lines above.
#[derive(Clone, Debug)]
pub(super) struct ServerSettings {
    pub(super) weight: Setting<u32>,
    pub(super) backup: Setting<bool>,
    pub(super) disabled: Setting<bool>,
    pub(super) maxconn: Setting<Option<u32>>,
    pub(super) id: Option<Setting<u32>>,
    pub(super) check: Setting<bool>,
    /// `agent-port` was given, or `port` in its place.
    pub(super) agent_port: bool,
    pub(super) cookie: Option<Setting<Text>>,
    pub(super) options: Arc<ServerOptions>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            weight: Setting::engine_default(1),
            backup: Setting::engine_default(false),
            disabled: Setting::engine_default(false),
            maxconn: Setting::engine_default(None),
            id: None,
            check: Setting::engine_default(false),
            agent_port: false,
            cookie: None,
            options: Arc::default(),
        }
    }
}

/// A value of an option that HAProxy refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `weight` outside of 0 to 256.
    Weight(i32),
    /// A time that is none.
    Time(TimeFault),
    /// A number or a time that is not above 0.
    Zero,
    /// An option without its value.
    Missing,
    /// A value that is none of these words.
    NoneOf(&'static [&'static str]),
    /// A character that a server's name may not hold.
    ServerName,
    /// A number or range of slots that is none.
    Slots,
    /// A port that is no number up to 65535.
    Port,
    /// An address on a `bind` line without a port.
    NoPort,
    /// Four numbers that are no address.
    NoIpv4,
    /// A range of ports on a line of a server.
    PortRange,
    /// A word that is no option but almost this one.
    Misspelt(&'static str),
    /// A word that is no option in any version.
    Foreign,
}

/// A refused value and where it stands.
pub(super) type Refused = (Refusal, usize);

impl ServerSettings {
    /// Applies the options of `line` from word `at` on.
    pub(super) fn apply(&mut self, line: LineRef<'_>, from: usize, scope: Scope) -> Vec<Refused> {
        let mut reader = Reader {
            settings: self,
            line,
            scope,
            refused: Vec::new(),
            unknown: None,
            strange: false,
        };
        let mut at = from;
        // An empty word ends the line (`parse_server`, as in all of 2.6).
        loop {
            let word = line.word(at);
            if word.is_empty() {
                break;
            }
            at += reader.option(word, at).max(1);
        }
        let (refused, unknown) = (reader.refused, reader.unknown);
        if let Some(variable) = unknown {
            self.make_opaque(line.whole(), variable);
        }
        refused
    }

    /// Whether an agent is asked.
    pub(super) fn has_agent(&self) -> bool {
        let agent = self.options.agent_check.as_ref();
        agent.is_some_and(|agent| agent.value)
    }

    /// A `minconn` above `maxconn`, or without it, is taken for both (`check_config_validity`).
    pub(super) fn raise_maxconn(&mut self) {
        if let Some(least) = &self.options.minconn
            && least.value > self.maxconn.value.unwrap_or(0)
            && !self.maxconn.is_opaque()
        {
            self.maxconn = Setting {
                value: Some(least.value),
                origin: least.origin,
            };
        }
    }

    /// A variable of unknown value stands where an option is expected: it may be any of them, or end
    /// the line. What was written before it on the same line is certain.
    pub(super) fn make_opaque(&mut self, line: Span, variable: Span) {
        let blur = |origin: &mut Origin| {
            let certain = origin.span().is_some_and(|span| {
                span.source == line.source && (line.start..variable.start).contains(&span.start)
            });
            if !certain {
                *origin = Origin::opaque(variable);
            }
        };
        blur(&mut self.weight.origin);
        blur(&mut self.backup.origin);
        blur(&mut self.disabled.origin);
        blur(&mut self.maxconn.origin);
        blur(&mut self.check.origin);
        let agent = &mut Arc::make_mut(&mut self.options).agent_check;
        let unwritten = Setting::engine_default(false);
        blur(&mut agent.get_or_insert(unwritten).origin);
    }
}

struct Reader<'r, 't> {
    settings: &'r mut ServerSettings,
    line: LineRef<'t>,
    scope: Scope,
    refused: Vec<Refused>,
    /// The first variable of unknown value that stands for an option.
    unknown: Option<Span>,
    /// A word that no version knows was met.
    strange: bool,
}

impl Reader<'_, '_> {
    fn flag(&self, value: bool, at: usize) -> Setting<bool> {
        self.scope.set(value, self.line.span(at))
    }

    /// Span of an option and its value.
    fn pair(&self, at: usize) -> Span {
        self.line.span_between(at, at + 1)
    }

    /// The value of the option at word `at`. What HAProxy refuses says nothing about the value that is wanted.
    fn value<T>(&self, value: T, at: usize) -> Setting<T> {
        if self.refused.last().is_some_and(|&(_, place)| place >= at) {
            return Setting {
                value,
                origin: Origin::opaque(self.pair(at)),
            };
        }
        self.scope.read(value, self.line, at + 1, self.pair(at))
    }

    fn word(&self, at: usize) -> Setting<Text> {
        self.value(text(self.line, at + 1), at)
    }

    fn time(&self, at: usize) -> Setting<Duration> {
        self.value(units::time(self.line.word(at + 1)).unwrap_or_default(), at)
    }

    fn count(&self, at: usize) -> Setting<u32> {
        self.value(number(self.line, at + 1), at)
    }

    /// Reads the option `word` at `at`; the number of words it takes.
    #[inline]
    fn option(&mut self, word: &str, at: usize) -> usize {
        if self.line.is_opaque(at) {
            self.unknown.get_or_insert(self.line.span(at));
            return 1;
        }
        // What stands on most lines comes first; none of it has a value that is refused.
        match word {
            "check" => self.settings.check = self.flag(true, at),
            "weight" => return self.weight(at),
            "maxconn" => return self.maxconn(at),
            "backup" => self.settings.backup = self.flag(true, at),
            "disabled" => self.settings.disabled = self.flag(true, at),
            "enabled" => self.settings.disabled = self.flag(false, at),
            "no-check" => self.settings.check = self.flag(false, at),
            "no-backup" => self.settings.backup = self.flag(false, at),
            _ => return self.checked_option(at),
        }
        1
    }

    /// An option whose value HAProxy may refuse.
    fn checked_option(&mut self, at: usize) -> usize {
        self.check_value(at);
        match self.line.word(at) {
            "cookie" => self.settings.cookie = Some(self.word(at)),
            "id" => self.id(at),
            "agent-port" => self.settings.agent_port = number(self.line, at + 1) != 0,
            _ => return self.rare(at),
        }
        2
    }

    /// What HAProxy says of the value of the option at word `at`. Behind a word that is no option nothing is
    /// certain.
    fn check_value(&mut self, at: usize) {
        let passed_over = self.line.word(at) == "id" && self.scope != Scope::Own;
        if self.unknown.is_some() || self.line.is_opaque(at + 1) || passed_over {
            return;
        }
        let value = self.line.word(at + 1);
        if let Some(refusal) = values::refusal(self.line.word(at), value) {
            let place = if value.is_empty() { at } else { at + 1 };
            self.refused.push((refusal, place));
        }
    }

    /// An id on a `default-server` line is passed over with an alert (`_srv_parse_kw`).
    fn id(&mut self, at: usize) {
        if self.scope == Scope::Own {
            self.settings.id = Some(self.count(at));
        }
    }

    /// 0 stands for no limit.
    fn maxconn(&mut self, at: usize) -> usize {
        let count = number(self.line, at + 1);
        self.settings.maxconn = self.value(Some(count).filter(|&count| count > 0), at);
        2
    }

    fn weight(&mut self, at: usize) -> usize {
        let written = units::int(self.line.word(at + 1));
        if !(0..=256).contains(&written) && !self.line.is_opaque(at + 1) {
            self.refused.push((Refusal::Weight(written), at + 1));
        }
        let weight = u32::try_from(written).unwrap_or(256).min(256);
        self.settings.weight = self.value(weight, at);
        2
    }

    fn rare(&mut self, at: usize) -> usize {
        if let Some(taken) = self.timing(at) {
            return taken;
        }
        let word = self.line.word(at);
        let (flag, text) = (self.flag(true, at), self.word(at));
        let off = self.flag(false, at);
        let count = self.count(at);
        let options = Arc::make_mut(&mut self.settings.options);
        match word {
            "agent-check" => options.agent_check = Some(flag),
            "no-agent-check" => options.agent_check = Some(off),
            "ssl" => options.ssl = Some(flag),
            "no-ssl" => options.ssl = Some(off),
            "check-ssl" => options.check_ssl = Some(flag),
            "no-check-ssl" => options.check_ssl = Some(off),
            "send-proxy" | "send-proxy-v2" | "send-proxy-v2-ssl" | "send-proxy-v2-ssl-cn" => {
                let span = self.line.span(at);
                options.send_proxy = Some(self.scope.set(word.into(), span).into());
            }
            "no-send-proxy"
            | "no-send-proxy-v2"
            | "no-send-proxy-v2-ssl"
            | "no-send-proxy-v2-ssl-cn" => options.send_proxy = None,
            "track" => options.track = Some(text.into()),
            "addr" => options.check_addr = Some(text.into()),
            "observe" => options.observe = Some(text.into()),
            "on-error" => options.on_error = Some(text.into()),
            "on-marked-down" => options.on_marked_down = Some(text.into()),
            "sni" => options.sni = Some(text.into()),
            "proto" => options.proto = Some(text.into()),
            "namespace" => options.namespace = Some(text.into()),
            "resolvers" => options.resolvers = Some(text.into()),
            "init-addr" => options.init_addr = Some(text.into()),
            "init-state" => options.init_state = Some(text.into()),
            "hash-key" => options.hash_key = Some(text.into()),
            "guid" => options.guid = Some(text.into()),
            "maxqueue" => options.maxqueue = Some(count),
            "minconn" => options.minconn = Some(count),
            "port" => {
                let port = u16::try_from(count.value).unwrap_or(0);
                options.check_port = Some(Setting {
                    value: port,
                    origin: count.origin,
                });
                self.settings.agent_port |= port != 0;
            }
            "source" => return self.source(at),
            _ => return self.unmodelled(at),
        }
        1 + usize::from(takes_value(word))
    }

    /// Intervals and thresholds.
    fn timing(&mut self, at: usize) -> Option<usize> {
        let word = self.line.word(at);
        match word {
            "inter" | "fastinter" | "downinter" | "slowstart" => {
                let time = self.time(at);
                let maybe = Setting {
                    value: Some(time.value),
                    origin: time.origin,
                };
                let options = Arc::make_mut(&mut self.settings.options);
                match word {
                    "inter" => options.timing.inter = time,
                    "fastinter" => options.timing.fastinter = maybe,
                    "downinter" => options.timing.downinter = maybe,
                    _ => options.slowstart = Some(time),
                }
            }
            "rise" | "fall" => {
                let count = self.count(at);
                let timing = &mut Arc::make_mut(&mut self.settings.options).timing;
                if word == "rise" {
                    timing.rise = count;
                } else {
                    timing.fall = count;
                }
            }
            _ => return None,
        }
        Some(2)
    }

    /// `source ADDRESS [usesrc WHAT] [interface NAME]`.
    fn source(&mut self, at: usize) -> usize {
        let source = Some(self.word(at).into());
        Arc::make_mut(&mut self.settings.options).source = source;
        let mut taken = 2;
        while matches!(self.line.word(at + taken), "usesrc" | "interface") {
            taken += 2;
        }
        taken
    }

    /// What stands behind a misspelt option belongs to it, so that nothing is certain from there on. Behind a
    /// strange one stands perhaps its value.
    fn look_up(&mut self, at: usize) {
        let word = self.line.word(at);
        // An option may have an argument in brackets: `set-proxy-v2-tlv-fmt(0x20)`.
        let name = word.split_once('(').map_or(word, |(name, _)| name);
        if takes_value(word) {
            return;
        }
        let refusal = match keywords::look_up(Kind::Server, name) {
            Word::Known => return,
            Word::Strange => {
                self.strange = true;
                return;
            }
            Word::Slip(meant) => Refusal::Misspelt(meant),
            Word::Foreign => Refusal::Foreign,
        };
        self.refused.push((refusal, at));
        self.unknown = Some(self.line.span(at));
    }

    fn unmodelled(&mut self, at: usize) -> usize {
        let word = self.line.word(at);
        if self.unknown.is_none() && !self.strange {
            self.look_up(at);
        }
        let taken = 1 + usize::from(takes_value(word));
        let end = (at + taken).min(self.line.len());
        let words: Vec<&str> = (at..end).map(|at| self.line.word(at)).collect();
        let options = Arc::make_mut(&mut self.settings.options);
        options.other.push(words.join(" ").into());
        taken
    }
}
