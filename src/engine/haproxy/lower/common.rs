//! Settings that a proxy can inherit from a `defaults` section (manual 4).
//!
//! In: lines of `defaults`, `frontend`, `backend` and `listen` sections. Out: the settings in effect,
//! each with the place it was written at.

use super::super::tree::LineRef;
use super::super::units::{self, TimeFault};
use super::balance;
use super::check::Checks;
use super::scope::{Scope, number, text};
use super::server::{Refused, ServerSettings};
use crate::model::{
    Algorithm, Cookie, HashType, Layer, Origin, Redispatch, Setting, Text, Timeouts, Version,
};
use crate::source::Span;

/// `mode` (manual 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Tcp,
    Http,
    /// `log`, `health`, `syslog`, `spop`, `peers`, `cli`.
    Other,
}

impl Mode {
    pub(super) fn layer(self) -> Layer {
        match self {
            Self::Tcp => Layer::Tcp,
            Self::Http => Layer::Http,
            Self::Other => Layer::Log,
        }
    }
}

/// Everything a `defaults` section can hand down.
#[derive(Clone, Debug)]
pub(super) struct Common {
    /// The header of the `defaults` section these come from.
    pub(super) section: Option<Span>,
    pub(super) mode: Mode,
    pub(super) algorithm: Setting<Algorithm>,
    pub(super) hash_type: Setting<HashType>,
    pub(super) hash_balance_factor: Setting<u32>,
    pub(super) allbackups: Setting<bool>,
    pub(super) redispatch: Setting<Redispatch>,
    pub(super) retries: Setting<u32>,
    pub(super) retry_on: Setting<Vec<Text>>,
    pub(super) checks: Checks,
    pub(super) timeouts: Timeouts,
    pub(super) cookie: Option<Setting<Cookie>>,
    pub(super) persist: Setting<bool>,
    pub(super) fullconn: Option<Setting<u32>>,
    pub(super) maxconn: Setting<Option<u32>>,
    pub(super) state_file: Option<Setting<Text>>,
    pub(super) servers: ServerSettings,
    pub(super) default_backend: Option<(Text, Span, bool)>,
    pub(super) disabled: bool,
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handled {
    /// It is in the model.
    Yes,
    /// It has no place in the model.
    No,
    /// It is in the model, but HAProxy refuses values in it.
    Refused(Vec<Refused>),
    /// The time in this word is none.
    BadTime(TimeFault, usize),
}

impl Common {
    /// What HAProxy uses where nothing is written.
    pub(super) fn new(version: Version) -> Self {
        let algorithm = if version >= Version::new(3, 3, 0) {
            Algorithm::Random { draws: 2 }
        } else {
            Algorithm::RoundRobin
        };
        Self {
            section: None,
            mode: Mode::Tcp,
            algorithm: Setting::engine_default(algorithm),
            hash_type: Setting::engine_default(HashType::HAPROXY_DEFAULT),
            hash_balance_factor: Setting::engine_default(0),
            allbackups: Setting::engine_default(false),
            redispatch: Setting::engine_default(Redispatch::Off),
            retries: Setting::engine_default(3),
            retry_on: Setting::engine_default(Vec::new()),
            checks: Checks::default(),
            timeouts: Timeouts::default(),
            cookie: None,
            persist: Setting::engine_default(false),
            fullconn: None,
            maxconn: Setting::engine_default(None),
            state_file: None,
            servers: ServerSettings::default(),
            default_backend: None,
            disabled: false,
        }
    }

    /// The starting point of a proxy that uses these as its defaults.
    pub(super) fn inherit(&self) -> Self {
        Self {
            checks: self.checks.inherit(),
            ..self.clone()
        }
    }

    /// Reads one line of a proxy or `defaults` section.
    pub(super) fn line(&mut self, line: LineRef<'_>, scope: Scope) -> Handled {
        let whole = line.whole();
        match line.word(0) {
            "no" if line.word(1) == "option" => return self.reset_option(line, scope, false),
            "default" if line.word(1) == "option" => return self.reset_option(line, scope, true),
            "option" => return self.option(line, scope),
            "timeout" => return self.timeout(line, scope),
            "contimeout" => {
                let value = units::time(line.word(1)).ok();
                self.timeouts.connect = scope.read(value, line, 1, whole);
            }
            "srvtimeout" => {
                let value = units::time(line.word(1)).ok();
                self.timeouts.server = scope.read(value, line, 1, whole);
            }
            "balance" => {
                self.algorithm = scope.set(balance::algorithm(line), whole);
                if line.any_opaque(1) {
                    self.algorithm.origin = Origin::opaque(whole);
                }
            }
            "hash-type" => {
                self.hash_type = scope.set(balance::hash_type(line), whole);
                if line.any_opaque(1) {
                    self.hash_type.origin = Origin::opaque(whole);
                }
            }
            "http-check" => self.checks.http_check(line),
            "tcp-check" => self.checks.tcp_check(line),
            "cookie" => self.cookie = Some(scope.read(cookie(line), line, 1, whole)),
            "default-server" => {
                let scope = match scope {
                    Scope::Own => Scope::DefaultServer,
                    Scope::DefaultServer | Scope::Defaults => scope,
                };
                return Handled::Refused(self.servers.apply(line, 1, scope));
            }
            "default_backend" => {
                self.default_backend = Some((text(line, 1), whole, line.is_opaque(1)));
            }
            _ => return self.value(line, scope),
        }
        Handled::Yes
    }

    /// Lines of a keyword and a single value.
    fn value(&mut self, line: LineRef<'_>, scope: Scope) -> Handled {
        let whole = line.whole();
        let count = scope.read(number(line, 1), line, 1, whole);
        match line.word(0) {
            "mode" => {
                self.mode = match line.word(1) {
                    "tcp" => Mode::Tcp,
                    "http" => Mode::Http,
                    _ => Mode::Other,
                }
            }
            "hash-balance-factor" => self.hash_balance_factor = count,
            "retries" => self.retries = count,
            "fullconn" => self.fullconn = Some(count),
            "maxconn" => {
                self.maxconn = Setting {
                    value: Some(count.value).filter(|&n| n > 0),
                    origin: count.origin,
                }
            }
            "retry-on" => self.retry_on = scope.set(line.rest(1).map(Text::from).collect(), whole),
            "disabled" => self.disabled = true,
            "enabled" => self.disabled = false,
            "load-server-state-from-file" => {
                let file = scope.read(text(line, 1), line, 1, whole);
                self.state_file = Some(file).filter(|file| file.value != "none");
            }
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn timeout(&mut self, line: LineRef<'_>, scope: Scope) -> Handled {
        let value = units::time(line.word(2));
        let setting = scope.read(value.ok(), line, 2, line.whole());
        let known = match line.word(1) {
            "connect" => Some(&mut self.timeouts.connect),
            "server" => Some(&mut self.timeouts.server),
            "queue" => Some(&mut self.timeouts.queue),
            "check" => Some(&mut self.timeouts.check),
            _ => None,
        };
        let handled = if known.is_some() {
            Handled::Yes
        } else {
            Handled::No
        };
        if let Some(known) = known {
            *known = setting;
        }
        match value {
            Err(fault) if !line.is_opaque(2) => Handled::BadTime(fault, 2),
            _ => handled,
        }
    }

    fn option(&mut self, line: LineRef<'_>, scope: Scope) -> Handled {
        let whole = line.whole();
        if self.checks.option(line, scope) {
            return Handled::Yes;
        }
        match line.word(1) {
            "allbackups" => self.allbackups = scope.set(true, whole),
            "persist" => self.persist = scope.set(true, whole),
            "redispatch" => {
                let interval = match line.word(2) {
                    "" => -1,
                    text => units::int(text),
                };
                // An interval of 0 turns it off (`cfg_parse_listen`, "redispatch").
                let value = Redispatch::On(interval);
                self.redispatch = scope.read(value, line, 2, whole);
            }
            _ => return Handled::No,
        }
        Handled::Yes
    }

    /// `no option NAME` and `default option NAME`, both of which fall back to off.
    fn reset_option(&mut self, line: LineRef<'_>, scope: Scope, to_default: bool) -> Handled {
        let whole = line.whole();
        let origin = if to_default {
            Origin::ENGINE_DEFAULT
        } else {
            scope.origin(whole)
        };
        match line.word(2) {
            "allbackups" => {
                self.allbackups = Setting {
                    value: false,
                    origin,
                }
            }
            "persist" => {
                self.persist = Setting {
                    value: false,
                    origin,
                }
            }
            "redispatch" => {
                self.redispatch = Setting {
                    value: Redispatch::Off,
                    origin,
                }
            }
            name => self.checks.no_option(name),
        }
        Handled::Yes
    }
}

fn cookie(line: LineRef<'_>) -> Cookie {
    let mut cookie = Cookie {
        name: text(line, 1),
        method: Text::default(),
        dynamic: false,
        bounded: false,
    };
    for word in line.rest(2) {
        match word {
            "insert" | "prefix" | "rewrite" => cookie.method = word.into(),
            "dynamic" => cookie.dynamic = true,
            "maxidle" | "maxlife" => cookie.bounded = true,
            _ => {}
        }
    }
    cookie
}
