//! What HAProxy refuses although the lines can be read: rules `syntax-error` and `refused-at-load`.
//!
//! In: lines and proxies. Out: findings. Only what the real proxy was seen to refuse is reported.

use std::collections::BTreeMap;

use super::super::address::address;
use super::super::tree::LineRef;
use super::Lowering;
use super::proxy::{Kind, Proxy};
use super::server::{Refusal, Refused};
use crate::finding::{Finding, Severity, Words};
use crate::model::{AddressKind, Port, Server, Setting, Text};
use crate::source::Span;

impl Lowering {
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.findings.push(finding.of_rule("refused-at-load"));
    }

    fn refused(&mut self, span: Span, message: impl Into<String>, help: impl Into<Words>) {
        self.refuse(Finding::new(Severity::Error, span, message, help));
    }

    fn syntax(&mut self, span: Span, message: impl Into<String>, help: impl Into<Words>) {
        let finding = Finding::new(Severity::Error, span, message, help);
        self.findings.push(finding.of_rule("syntax-error"));
    }

    /// A directive before the first section; said once per file.
    pub(super) fn outside(&mut self, line: LineRef<'_>) {
        if !std::mem::replace(&mut self.complained_outside, true) {
            let message = format!(
                "expected a section such as `global`, `defaults` or `backend`, found `{}`",
                line.word(0)
            );
            self.syntax(line.span(0), message, "start the file with a section");
        }
    }

    pub(super) fn incomplete_server(&mut self, line: LineRef<'_>) {
        let what = if line.word(0) == "server" {
            "a name and an address"
        } else {
            "a prefix, a number of slots and an address"
        };
        let message = format!("expected {what} behind `{}`", line.word(0));
        self.syntax(line.whole(), message, "complete the line, or remove it");
    }

    pub(super) fn misplaced_server(&mut self, line: LineRef<'_>) {
        let message = format!(
            "`{}` stands in a `frontend`, which has no servers: every version of HAProxy refuses it",
            line.word(0)
        );
        self.refused(line.whole(), message, "move the line to a `backend`");
    }

    /// Lines that only a proxy may have (seen with `haproxy -c`).
    pub(super) fn misplaced_in_defaults(&mut self, line: LineRef<'_>) {
        let misplaced = matches!(
            line.word(0),
            "server"
                | "server-template"
                | "bind"
                | "use_backend"
                | "use-server"
                | "stick"
                | "stick-table"
                | "dispatch"
                | "redirect"
                | "force-persist"
                | "ignore-persist"
                | "id"
                | "description"
        );
        if misplaced {
            let message = format!(
                "`{}` stands in a `defaults` section: every version of HAProxy refuses it",
                line.word(0)
            );
            let help = "move the line to the section that it is for";
            self.refused(line.whole(), message, help);
        }
    }

    pub(super) fn bad_time(&mut self, line: LineRef<'_>, at: usize) {
        let found = match line.word(at) {
            "" => "nothing".to_owned(),
            word => format!("`{word}`"),
        };
        let message = format!("expected a time such as `5s` or `500ms`, found {found}");
        let help = "write a number with one of the units us, ms, s, m, h, d";
        self.syntax(line.span(at), message, help);
    }

    fn time_end(&mut self, line: LineRef<'_>, at: usize) {
        let message = format!(
            "`{}` has something behind its unit: HAProxy 2.6 passes over it, newer versions refuse the file",
            line.word(at)
        );
        let help = "write a number with one of the units us, ms, s, m, h, d";
        self.refused(line.span(at), message, help);
    }

    pub(super) fn refused_values(&mut self, line: LineRef<'_>, refused: &[Refused]) {
        for &(refusal, at) in refused {
            let word = line.word(at);
            let (fault, help) = match refusal {
                Refusal::Time => {
                    self.bad_time(line, at);
                    continue;
                }
                Refusal::TimeEnd => {
                    self.time_end(line, at);
                    continue;
                }
                Refusal::Misspelt(meant) => {
                    self.misspelt(line, at, meant);
                    continue;
                }
                Refusal::Weight(weight) => (
                    format!("weight {weight} is not within 0 and 256"),
                    "choose a weight from 0 to 256",
                ),
                Refusal::Zero => (
                    format!("`{} {word}` is not above 0", line.word(at - 1)),
                    "choose a number above 0, or remove the option",
                ),
                Refusal::ServerName => (
                    format!(
                        "the name `{}` of a server holds a character that names may not have",
                        word.escape_default()
                    ),
                    "use letters, digits, `-`, `_`, `.` and `:`",
                ),
                Refusal::Slots => (
                    format!("`{word}` is no number or range of servers"),
                    "write a number above 0, or a range such as `1-5`",
                ),
                Refusal::NoPort => (
                    format!("`bind {word}` names no port"),
                    "add the port to listen on",
                ),
                Refusal::Address => (
                    format!("`{word}` is no address and cannot be looked up"),
                    "write four numbers from 0 to 255",
                ),
                Refusal::Port => (
                    format!("`{word}` has no valid port"),
                    "write a port from 1 to 65535",
                ),
            };
            let message = format!("{fault}: every version of HAProxy refuses the file");
            self.refused(line.span(at), message, help);
        }
    }

    /// A condition on an ACL that its section does not define above.
    pub(super) fn undefined_acl(&mut self, line: LineRef<'_>, at: usize) {
        let name = line.word(at).trim_start_matches('!');
        let message = format!(
            "no `acl {name}` stands above in this section: every version of HAProxy refuses the file"
        );
        let help = "define the ACL above, or write the condition in `{ }`";
        self.refused(line.span(at), message, help);
    }

    /// Keywords that were removed, with the first version that refuses them.
    pub(super) fn removed_keyword(&mut self, line: LineRef<'_>) {
        let option = line.word(0) == "option";
        let keyword = line.word(usize::from(option));
        let found = if option {
            removed_option(keyword)
        } else {
            removed(keyword)
        };
        let Some((since, instead)) = found else {
            return;
        };
        let span = line.span_between(0, usize::from(option));
        let keyword = if option { "option " } else { "" }.to_owned() + keyword;
        let message = format!("`{keyword}` was removed: HAProxy {since} and newer refuse the file");
        self.refused(span, message, instead);
    }

    pub(super) fn refuse_unknown_defaults(&mut self, line: LineRef<'_>, at: usize) {
        let message = format!(
            "`defaults {}` is not defined above this line: every version of HAProxy refuses the file",
            line.word(at)
        );
        self.refused(
            line.span(at),
            message,
            "name a `defaults` section that stands above",
        );
    }

    pub(super) fn refuse_ambiguous_defaults(&mut self, line: LineRef<'_>, at: usize) {
        let message = format!(
            "several `defaults` sections are named `{}`: every version of HAProxy refuses the reference to them",
            line.word(at)
        );
        self.refused(
            line.span(at),
            message,
            "give each `defaults` section a name of its own",
        );
    }

    pub(super) fn check_header(&mut self, proxy: &Proxy, line: LineRef<'_>) {
        let word = proxy.kind.word();
        if proxy.name.is_empty() {
            let message = format!("expected a name behind `{word}`");
            return self.syntax(line.whole(), message, format!("name the {word}"));
        }
        let bad = |c: char| !(c.is_ascii_alphanumeric() || "-_.:".contains(c));
        if let Some(c) = proxy
            .name
            .chars()
            .find(|&c| bad(c))
            .filter(|_| !line.is_opaque(1))
        {
            let message = format!(
                "the name `{}` holds the character `{}`: every version of HAProxy refuses it",
                proxy.name,
                c.escape_default()
            );
            let help = "use letters, digits, `-`, `_`, `.` and `:`";
            self.refused(line.span(1), message, help);
        }
        let extra = line.word(2);
        if !extra.is_empty() && extra != "from" {
            if proxy.kind == Kind::Backend {
                let message =
                    format!("expected nothing or `from` behind the name, found `{extra}`");
                self.syntax(line.span(2), message, "remove it");
            } else {
                let message = format!(
                    "`{word}` has its address behind its name: HAProxy 2.1 and newer refuse the file"
                );
                self.refused(line.span(2), message, "put the address on a `bind` line");
            }
        }
    }

    /// Names and ids that are used twice, and servers that HAProxy cannot set up.
    pub(super) fn check_proxies(&mut self, proxies: &[Box<Proxy>]) {
        let mut seen: [BTreeMap<&Text, &Proxy>; 2] = Default::default();
        let mut ids: BTreeMap<u32, &Proxy> = BTreeMap::new();
        for proxy in proxies.iter().filter(|proxy| !proxy.name.is_empty()) {
            let sides = [proxy.kind.has_listeners(), proxy.kind.has_servers()];
            let mut earlier = None;
            for (seen, _) in seen.iter_mut().zip(sides).filter(|(_, side)| *side) {
                earlier = earlier.or(seen.get(&proxy.name).copied());
                seen.entry(&proxy.name).or_insert(proxy);
            }
            if let Some(earlier) = earlier {
                self.twice(proxy, earlier);
            }
            if let Some((id, span)) = proxy.id {
                if let Some(earlier) = ids.get(&id) {
                    self.id_twice(id, span, proxy, earlier);
                } else {
                    ids.insert(id, proxy);
                }
            }
        }
        for proxy in proxies {
            self.check_servers(proxy);
        }
        self.check_references(proxies);
    }

    fn twice(&mut self, proxy: &Proxy, earlier: &Proxy) {
        let message = format!(
            "{} `{}` has the same name as a {} above: every version of HAProxy refuses the file",
            proxy.kind.word(),
            proxy.name,
            earlier.kind.word()
        );
        let finding = Finding::new(Severity::Error, proxy.header, message, "rename one of them");
        self.refuse(finding.related("the first one", earlier.header));
    }

    fn id_twice(&mut self, id: u32, span: Span, proxy: &Proxy, earlier: &Proxy) {
        let message = format!(
            "{} `{}` has the id {id} of {} `{}`: every version of HAProxy refuses the file",
            proxy.kind.word(),
            proxy.name,
            earlier.kind.word(),
            earlier.name
        );
        let finding = Finding::new(Severity::Error, span, message, "choose another id");
        self.refuse(finding.related("the first one", earlier.header));
    }

    fn check_servers(&mut self, proxy: &Proxy) {
        if has_twins(&proxy.servers) {
            self.check_twins(proxy);
        }
        let mut last_template = None;
        for (index, server) in proxy.servers.iter().enumerate() {
            let slot = server.template.is_some() && last_template == Some(server.span);
            last_template = Some(server.span);
            if !slot {
                self.check_ports(proxy, index);
            }
        }
    }

    /// Servers of one name or one id.
    fn check_twins(&mut self, proxy: &Proxy) {
        let mut names: BTreeMap<&str, Span> = BTreeMap::new();
        let mut ids: BTreeMap<u32, (&str, Span)> = BTreeMap::new();
        for server in &proxy.servers {
            if let Some(&first) = names.get(server.name.as_str()) {
                let message = format!(
                    "server `{}` is defined twice in `{}`: every version of HAProxy refuses the file",
                    server.name, proxy.name
                );
                let finding =
                    Finding::new(Severity::Error, server.head, message, "rename one of them");
                let finding = finding.backend(&proxy.name).server(&server.name);
                self.refuse(finding.related("the first one", first));
            } else {
                names.insert(&server.name, server.head);
            }
            if let Some(written) = server.id.origin.span() {
                if let Some(&(first, span)) = ids.get(&server.id.value) {
                    let message = format!(
                        "server `{}` has the id {} of server `{first}`: every version of HAProxy refuses the file",
                        server.name, server.id.value
                    );
                    let finding =
                        Finding::new(Severity::Error, written, message, "choose another id");
                    let finding = finding.backend(&proxy.name).server(&server.name);
                    self.refuse(finding.related("the first one", span));
                } else {
                    ids.insert(server.id.value, (&server.name, written));
                }
            }
        }
    }

    /// A check needs a port (`check_config_validity` and `srv_finalize_init` of `src/server.c`).
    fn check_ports(&mut self, proxy: &Proxy, index: usize) {
        let Some(server) = proxy.servers.get(index) else {
            return;
        };
        let options = &server.options;
        let inet = match server.address.kind {
            AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Any => true,
            AddressKind::Name => !server.address.host().starts_with('_'),
            AddressKind::Unix
            | AddressKind::Abstract
            | AddressKind::Other
            | AddressKind::Opaque => false,
        };
        let check = server.check.value && !server.check.is_opaque() && options.check_port.is_none();
        let check_addr = options.check_addr.as_ref().map(|addr| addr.value.as_str());
        let own_port = check_addr.is_some_and(|addr| address(addr, false).port != Port::None);
        let no_port =
            inet && matches!(server.address.port, Port::None | Port::Offset(_)) && !own_port;
        if check && no_port && !proxy.common.checks.connects_elsewhere() {
            let message = format!(
                "server `{}` has `check` but neither its address nor `port` names a port: every version of HAProxy refuses the file",
                server.name
            );
            let finding = Finding::new(
                Severity::Error,
                server.head,
                message,
                "add the port to the address",
            );
            self.refuse(finding.backend(&proxy.name).server(&server.name));
        }
        if proxy.agents_without_port.contains(&index)
            && !(server.options.agent_check.as_ref()).is_some_and(Setting::is_opaque)
        {
            let message = format!(
                "server `{}` has `agent-check` without `agent-port`: every version of HAProxy refuses the file",
                server.name
            );
            let finding = Finding::new(Severity::Error, server.head, message, "add `agent-port`");
            self.refuse(finding.backend(&proxy.name).server(&server.name));
        }
    }
}

/// Whether two servers may have one name, or one written id.
fn has_twins(servers: &[Server]) -> bool {
    let mut names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    names.sort_unstable();
    let mut pairs = names.iter().zip(names.iter().skip(1));
    pairs.any(|(one, next)| one == next) || servers.iter().any(|server| server.id.is_written())
}

/// Since when a keyword is refused, and what to write instead. Seen with `haproxy -c`.
fn removed(keyword: &str) -> Option<(&'static str, &'static str)> {
    let http_request = "use `http-request` rules instead";
    let http_response = "use `http-response` rules instead";
    Some(match keyword {
        "reqadd" | "reqallow" | "reqdel" | "reqdeny" | "reqiallow" | "reqidel" | "reqideny"
        | "reqipass" | "reqirep" | "reqitarpit" | "reqpass" | "reqrep" | "reqtarpit" => {
            ("2.1", http_request)
        }
        "rspadd" | "rspdel" | "rspdeny" | "rspidel" | "rspideny" | "rspirep" | "rsprep" => {
            ("2.1", http_response)
        }
        "cliexp" => ("2.1", http_request),
        "srvexp" => ("2.1", http_response),
        "appsession" => ("1.6", "use `cookie` or `stick on` instead"),
        "monitor-net" => ("2.6", "use `http-request return` with a condition on `src`"),
        "grace" => ("2.5", "remove the line"),
        "block" => ("2.1", "use `http-request deny` instead"),
        "clitimeout" => ("2.1", "use `timeout client` instead"),
        "contimeout" => ("2.1", "use `timeout connect` instead"),
        "srvtimeout" => ("2.1", "use `timeout server` instead"),
        "redispatch" => ("2.1", "use `option redispatch` instead"),
        "nbproc" => ("2.5", "remove the line: threads do the work"),
        _ => return None,
    })
}

fn removed_option(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "forceclose" => ("2.0", "remove the line, or use `option httpclose`"),
        "http-tunnel" => ("2.1", "remove the line"),
        "http_proxy" => ("2.5", "use `http-request do-resolve` and `set-dst` instead"),
        _ => return None,
    })
}
