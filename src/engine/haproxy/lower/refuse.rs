//! What HAProxy refuses although the lines can be read: rules `syntax-error` and `refused-at-load`.
//!
//! In: lines and sections. Out: findings. Only what the real proxy was seen to refuse is reported.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use foldhash::HashMap;

use super::super::address::address;
use super::super::tree::LineRef;
use super::super::words::is_of_names;
use super::Lowering;
use super::closed::Closed;
use super::proxy::{Kind, Proxy};
use crate::finding::{Finding, Severity, Words};
use crate::model::{Address, AddressKind, Backend, Port, Server, Setting};
use crate::source::Span;

impl Lowering {
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.findings.push(finding.of_rule("refused-at-load"));
    }

    pub(super) fn refused(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Words>,
    ) {
        self.refuse(Finding::new(Severity::Error, span, message, help));
    }

    pub(super) fn syntax(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Words>,
    ) {
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

    /// Most often the header of the section that the line is for is missing.
    pub(super) fn misplaced_in_global(&mut self, line: LineRef<'_>) {
        let message = format!(
            "`{}` stands in the `global` section: every version of HAProxy refuses it",
            line.word(0)
        );
        let help = "start the section that the line is for, such as `defaults`, above it";
        self.refused(line.span(0), message, help);
    }

    /// Rules and conditions of a `defaults` section need a name for it (2.5 and newer; older ones refuse any).
    pub(super) fn rule_without_name(&mut self, line: LineRef<'_>) {
        let rule = matches!(
            line.word(0),
            "acl"
                | "http-request"
                | "http-response"
                | "http-after-response"
                | "tcp-request"
                | "tcp-response"
        );
        if rule {
            let message = format!(
                "`{}` stands in a `defaults` section without a name: every version of HAProxy refuses it",
                line.word(0)
            );
            let help = "give the section a name, or move the rule to the sections that it is for";
            self.refused(line.span(0), message, help);
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
        let bad = |c: char| !u8::try_from(c).is_ok_and(is_of_names);
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
        self.header_fault = extra_address(proxy, line);
    }

    /// Names and ids that are used twice, and servers that HAProxy cannot set up.
    pub(super) fn check_sections(&mut self, sections: &[Closed], backends: &[Backend]) {
        let mut seen: [HashMap<&str, &Closed>; 2] = Default::default();
        let mut ids: BTreeMap<u32, &Closed> = BTreeMap::new();
        for proxy in sections.iter().filter(|proxy| !proxy.name.is_empty()) {
            let sides = [proxy.kind.has_listeners(), proxy.kind.has_servers()];
            let mut earlier = None;
            for (seen, _) in seen.iter_mut().zip(sides).filter(|(_, side)| *side) {
                match seen.entry(proxy.name.as_str()) {
                    Entry::Occupied(first) => earlier = earlier.or(Some(*first.get())),
                    Entry::Vacant(slot) => {
                        slot.insert(proxy);
                    }
                }
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
        self.check_references(sections, backends);
    }

    fn twice(&mut self, proxy: &Closed, earlier: &Closed) {
        let message = format!(
            "{} `{}` has the same name as a {} above: every version of HAProxy refuses the file",
            proxy.kind.word(),
            proxy.name,
            earlier.kind.word()
        );
        let finding = Finding::new(Severity::Error, proxy.header, message, "rename one of them");
        self.refuse(finding.related("the first one", earlier.header));
    }

    fn id_twice(&mut self, id: u32, span: Span, proxy: &Closed, earlier: &Closed) {
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

    pub(super) fn check_servers(&mut self, proxy: &Proxy) {
        // Once its lines are read, HAProxy does not look at a disabled section (`check_config_validity`).
        let whole = !proxy.common.disabled;
        if whole && has_twins(&proxy.servers) {
            self.check_twins(proxy);
        }
        let mut last_template = None;
        for server in proxy.servers.iter().filter(|_| whole) {
            let slot = server.template().is_some() && last_template == Some(server.span);
            last_template = Some(server.span);
            if !slot {
                self.check_ports(proxy, server);
            }
        }
        for index in &proxy.agents_without_port {
            if let Some(server) = proxy.servers.get(*index) {
                self.check_agent(proxy, server);
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
                let finding = Finding::new(
                    Severity::Error,
                    server.head(),
                    message,
                    "rename one of them",
                );
                let finding = finding.backend(&proxy.name).server(&server.name);
                self.refuse(finding.related("the first one", first));
            } else {
                names.insert(&server.name, server.head());
            }
            if let Some(written) = server.id().origin.span() {
                if let Some(&(first, span)) = ids.get(&server.id().value) {
                    let message = format!(
                        "server `{}` has the id {} of server `{first}`: every version of HAProxy refuses the file",
                        server.name,
                        server.id().value
                    );
                    let finding =
                        Finding::new(Severity::Error, written, message, "choose another id");
                    let finding = finding.backend(&proxy.name).server(&server.name);
                    self.refuse(finding.related("the first one", span));
                } else {
                    ids.insert(server.id().value, (&server.name, written));
                }
            }
        }
    }

    /// A check of an IP address needs a port (`init_srv_check` of `src/check.c`).
    fn check_ports(&mut self, proxy: &Proxy, server: &Server) {
        let options = &server.options;
        let without = |port: Port| matches!(port, Port::None | Port::Offset(_));
        let check = server.check.known() == Some(&true) && options.check_port.is_none();
        if !without(server.address.port) || !check || proxy.common.checks.connects_elsewhere() {
            return;
        }
        let own = options
            .check_addr
            .as_ref()
            .map(|it| address(&it.value, it.is_opaque()));
        let checked = own.as_ref().unwrap_or(&server.address);
        let own_port = own.as_ref().is_some_and(|own| !without(own.port));
        if !is_inet(checked, own.is_some()) || own_port {
            return;
        }
        let message = format!(
            "server `{}` has `check` but neither its address nor `port` names a port: every version of HAProxy refuses the file",
            server.name
        );
        let help = "add the port to the address";
        let finding = Finding::new(Severity::Error, server.head(), message, help);
        self.refuse(finding.backend(&proxy.name).server(&server.name));
    }

    /// `port` stands in for a missing `agent-port` (`srv_parse_check_port`).
    fn check_agent(&mut self, proxy: &Proxy, server: &Server) {
        if (server.options.agent_check.as_ref()).is_some_and(Setting::is_opaque) {
            return;
        }
        let message = format!(
            "server `{}` has `agent-check` without `agent-port`: every version of HAProxy refuses the file",
            server.name
        );
        let finding = Finding::new(Severity::Error, server.head(), message, "add `agent-port`");
        self.refuse(finding.backend(&proxy.name).server(&server.name));
    }
}

/// Whether checks go to an IP address. The name of a server is looked up after this is asked, that of a check's
/// own address before.
fn is_inet(checked: &Address, own: bool) -> bool {
    match checked.kind {
        AddressKind::Ipv4 | AddressKind::Ipv6 | AddressKind::Any => true,
        AddressKind::Name => own,
        AddressKind::Unix | AddressKind::Abstract | AddressKind::Other | AddressKind::Opaque => {
            false
        }
    }
}

/// A word behind the name that is not `from`.
fn extra_address(proxy: &Proxy, line: LineRef<'_>) -> Option<Finding> {
    let extra = line.word(2);
    if extra.is_empty() || extra == "from" {
        return None;
    }
    let (message, help, rule) = if proxy.kind == Kind::Backend {
        let message = format!("expected nothing or `from` behind the name, found `{extra}`");
        (message, "remove it", "syntax-error")
    } else {
        let message = format!(
            "`{}` has its address behind its name: HAProxy 2.1 and newer refuse the file",
            proxy.kind.word()
        );
        (
            message,
            "put the address on a `bind` line",
            "refused-at-load",
        )
    };
    let finding = Finding::new(Severity::Error, line.span(2), message, help);
    Some(finding.of_rule(rule))
}

/// Whether two servers may have one name, or one written id.
fn has_twins(servers: &[Server]) -> bool {
    if servers.iter().any(|server| server.id().is_written()) {
        return true;
    }
    // Most sections name them in order.
    if servers.is_sorted_by(|one, next| one.name < next.name) {
        return false;
    }
    let mut names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    names.sort_unstable();
    let mut pairs = names.iter().zip(names.iter().skip(1));
    pairs.any(|(one, next)| one == next)
}
