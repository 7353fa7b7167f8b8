//! What active checks do: `option httpchk` and its siblings, `http-check`, `tcp-check`.
//!
//! In: their lines, in `defaults` and in proxies. Out: the [`CheckProtocol`] in effect.
//!
//! A proxy inherits the rule set of its `defaults` as a whole. Its own first `http-check` rule or
//! `option httpchk` starts a new set (`proxy_parse_httpcheck`, `proxy_parse_httpchk_opt`).

use super::super::tree::LineRef;
use super::scope::Scope;
use crate::model::{CheckProtocol, Origin, Setting, Text};

/// Which `option …` stands in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Connect,
    Http,
    Tcp,
    Protocol(Text),
    External,
}

/// The checks of a proxy or a `defaults` section.
#[derive(Clone, Debug)]
pub(super) struct Checks {
    kind: Kind,
    origin: Origin,
    http: HttpRules,
    tcp_expects: bool,
    /// A `connect` rule, which may bring a port of its own.
    connects: bool,
    /// The rules above were inherited: the first own one replaces them.
    inherited: bool,
}

#[derive(Clone, Debug, Default)]
struct HttpRules {
    /// A request is sent: there is an own `option httpchk` or `http-check send`. Other rules alone only
    /// connect, whatever `option httpchk` a `defaults` section has (seen with 2.6).
    requests: bool,
    method: Option<Text>,
    uri: Option<Text>,
    expects: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            kind: Kind::Connect,
            origin: Origin::ENGINE_DEFAULT,
            http: HttpRules::default(),
            tcp_expects: false,
            connects: false,
            inherited: false,
        }
    }
}

impl Checks {
    /// The same for a proxy that inherits them.
    pub(super) fn inherit(&self) -> Self {
        Self {
            inherited: true,
            ..self.clone()
        }
    }

    fn own_rules(&mut self) {
        if std::mem::take(&mut self.inherited) {
            self.http = HttpRules::default();
            self.tcp_expects = false;
            self.connects = false;
        }
    }

    /// Whether checks may go to a port that the rules name.
    pub(super) fn connects_elsewhere(&self) -> bool {
        self.connects
    }

    /// `option NAME …`. False for an option that is no check.
    pub(super) fn option(&mut self, line: LineRef<'_>, scope: Scope) -> bool {
        let kind = match line.word(1) {
            "httpchk" => Kind::Http,
            "tcp-check" => Kind::Tcp,
            "external-check" => Kind::External,
            "mysql-check" | "pgsql-check" | "redis-check" | "ldap-check" | "smtpchk"
            | "spop-check" | "ssl-hello-chk" => Kind::Protocol(line.word(1).into()),
            _ => return false,
        };
        if kind == Kind::Http {
            self.own_rules();
            let (method, uri) = match (line.word(2), line.word(3)) {
                ("", _) => (None, None),
                (uri, "") => (None, Some(uri)),
                (method, uri) => (Some(method), Some(uri)),
            };
            self.http.requests = true;
            self.http.method = method.map(Text::from);
            self.http.uri = uri.map(Text::from);
        }
        self.kind = kind;
        self.origin = scope.origin(line.whole());
        true
    }

    /// `no option NAME`.
    pub(super) fn no_option(&mut self, name: &str) {
        let same = match &self.kind {
            Kind::Connect => false,
            Kind::Http => name == "httpchk",
            Kind::Tcp => name == "tcp-check",
            Kind::External => name == "external-check",
            Kind::Protocol(protocol) => protocol == name,
        };
        if same {
            self.kind = Kind::Connect;
            self.origin = Origin::ENGINE_DEFAULT;
        }
    }

    /// `http-check …`.
    pub(super) fn http_check(&mut self, line: LineRef<'_>) {
        // The name of a variable stands in parentheses: `set-var(check.port)`.
        let action = line.word(1).split('(').next().unwrap_or_default();
        match action {
            "expect" => {
                self.own_rules();
                self.http.expects = true;
            }
            "send" => {
                self.own_rules();
                self.http.requests = true;
                for at in 2..line.len() {
                    match line.word(at) {
                        "meth" => self.http.method = Some(line.word(at + 1).into()),
                        "uri" | "uri-lf" => self.http.uri = Some(line.word(at + 1).into()),
                        _ => {}
                    }
                }
            }
            "connect" => {
                self.own_rules();
                self.connects = true;
            }
            "set-var" | "set-var-fmt" | "unset-var" | "comment" => self.own_rules(),
            _ => {}
        }
    }

    /// `tcp-check …`.
    pub(super) fn tcp_check(&mut self, line: LineRef<'_>) {
        self.own_rules();
        self.tcp_expects |= line.word(1) == "expect";
        self.connects |= line.word(1) == "connect";
    }

    /// What the checks look at.
    pub(super) fn protocol(&self) -> Setting<CheckProtocol> {
        let value = match &self.kind {
            Kind::Connect => CheckProtocol::Connect,
            Kind::Http if !self.http.requests && !self.http.expects => CheckProtocol::Connect,
            Kind::Http => CheckProtocol::Http {
                method: self.http.method.clone(),
                uri: self.http.uri.clone(),
                expects: self.http.expects,
            },
            Kind::Tcp => CheckProtocol::Tcp {
                expects: self.tcp_expects,
            },
            Kind::Protocol(name) => CheckProtocol::Protocol(name.clone()),
            Kind::External => CheckProtocol::External,
        };
        Setting {
            value,
            origin: self.origin,
        }
    }
}
