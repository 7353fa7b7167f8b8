//! `server` and `server-template` lines (manual 4.2).
//!
//! In: the words of a line and what the section says of all its servers. Out: the servers of the model.

use std::sync::Arc;

use super::super::address::address;
use super::super::tree::LineRef;
use super::super::words::is_of_names;
use super::proxy::{Proxy, Remarks};
use super::scope::{Scope, text};
use super::server::{Refusal, Refused, ServerSettings};
use crate::model::{Address, AddressKind, Port, Server, Setting, Template};
use crate::source::Span;

impl Proxy {
    /// Reads one line; `comment` stands above it.
    pub(super) fn server(
        &mut self,
        line: LineRef<'_>,
        comment: Option<Span>,
        slots: &mut u32,
        remarks: &mut Remarks,
    ) {
        let template = line.word(0) == "server-template";
        let address_at = if template { 3 } else { 2 };
        if line.word(1).is_empty() || line.word(address_at).is_empty() {
            remarks.incomplete = !line.is_broken();
            return;
        }
        if !self.kind.has_servers() {
            remarks.misplaced = true;
            return;
        }
        let mut settings = self.common.servers.clone();
        remarks.refused = settings.apply(line, address_at + 1, Scope::Own);
        settings.raise_maxconn();
        if line.is_broken() {
            settings.make_opaque(line.whole(), line.whole().at_start());
        }
        if settings.has_agent() && !settings.agent_port {
            self.agents_without_port.push(self.servers.len());
        }
        let comment = line.comment().or(comment);
        let mut server = build(line, address_at, settings, comment);
        refuse_head(line, address_at, &server, &mut remarks.refused);
        if line.is_broken() || lacks_address(&server) {
            server.address.kind = AddressKind::Opaque;
        }
        self.refers |= server.options.track.is_some() || server.options.resolvers.is_some();
        if template {
            self.expand(line, &server, slots);
        } else {
            self.servers.push(server);
        }
    }

    /// One server for each slot of a template (manual 4.2 `server-template`).
    fn expand(&mut self, line: LineRef<'_>, server: &Server, slots: &mut u32) {
        let (from, to) = slot_range(line.word(2));
        let count = match to.checked_sub(from) {
            None => 0,
            // A number that HAProxy refuses says nothing of how many are wanted.
            Some(_) if i32::try_from(to).is_err() => 1,
            Some(more) => more.saturating_add(1),
        };
        let template = Arc::new(Template {
            prefix: text(line, 1),
            slots: count,
            span: line.whole(),
        });
        let made = count.min(*slots);
        *slots -= made;
        for number in (from..=to).take(made as usize) {
            let mut slot = server.clone();
            if number > from {
                // A written `id` goes to the first slot only (seen with `show servers state`).
                slot.set_id(Setting::engine_default(0));
            }
            slot.name = compact_str::format_compact!("{}{number}", line.word(1));
            slot.set_template(Arc::clone(&template));
            self.servers.push(slot);
        }
    }
}

/// What HAProxy refuses in front of a server's options.
fn refuse_head(line: LineRef<'_>, address_at: usize, server: &Server, refused: &mut Vec<Refused>) {
    if !line.word(1).bytes().all(is_of_names) && !line.is_opaque(1) {
        refused.push((Refusal::ServerName, 1));
    }
    if line.word(0) == "server-template" && !line.is_opaque(2) {
        // The range is read into ints and may not run backwards (`_srv_parse_tmpl_range` of `src/server.c`).
        let (from, to) = slot_range(line.word(2));
        if from > to || to == 0 || i32::try_from(to).is_err() {
            refused.push((Refusal::Slots, 2));
        }
    }
    let refusal = if server.address.kind == AddressKind::Opaque {
        Refusal::Port
    } else if matches!(server.address.port, Port::Range(..)) {
        Refusal::PortRange
    } else if lacks_address(server) {
        Refusal::NoIpv4
    } else {
        return;
    };
    if !is_unknown(line, address_at) && !line.is_broken() {
        refused.push((refusal, address_at));
    }
}

/// Whether the address fails when HAProxy starts, unless the start does without it.
fn lacks_address(server: &Server) -> bool {
    let options = &server.options;
    server.address.is_broken_ipv4() && options.resolvers.is_none() && options.init_addr.is_none()
}

/// Whether the address at word `at` holds a variable: outside of quotes as well, where only addresses have
/// them (`env_expand` of `src/tools.c`).
pub(super) fn is_unknown(line: LineRef<'_>, at: usize) -> bool {
    line.is_opaque(at) || line.word(at).contains('$')
}

/// `5` is 1 to 5; `3-5` is itself.
fn slot_range(word: &str) -> (u32, u32) {
    let (from, to) = match word.split_once('-') {
        Some((from, to)) => (from.parse(), to.parse()),
        None => (Ok(1), word.parse()),
    };
    (from.unwrap_or(1), to.unwrap_or(0))
}

fn server_address(line: LineRef<'_>, at: usize) -> Address {
    // One without variables, as nearly all are, is not searched for them.
    match Address::of_ipv4(line.word(at)) {
        Some(address) if !line.is_opaque(at) => address,
        _ => address(line.word(at), is_unknown(line, at)),
    }
}

fn build(
    line: LineRef<'_>,
    address_at: usize,
    settings: ServerSettings,
    comment: Option<Span>,
) -> Server {
    let (address, span) = (server_address(line, address_at), line.whole());
    let head = line.span_between(0, address_at);
    let mut server = Server::new(text(line, 1), address, span, head, settings.options);
    server.weight = settings.weight;
    server.backup = settings.backup;
    server.disabled = settings.disabled;
    server.maxconn = settings.maxconn;
    server.check = settings.check;
    if let Some(id) = settings.id {
        server.set_id(id);
    }
    if let Some(cookie) = settings.cookie {
        server.set_cookie(cookie);
    }
    if let Some(comment) = comment {
        server.set_comment(comment);
    }
    server
}
