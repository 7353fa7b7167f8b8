//! Lines of sections.
//!
//! In: each line that starts no section. Out: its place in what is read of the section, and what is to be said
//! of it.

use super::super::keywords;
use super::super::tree::LineRef;
use super::common::Handled;
use super::proxy::Remarks;
use super::scope::{self, Scope};
use super::{Lowering, Section};
use crate::source::Span;

impl Lowering {
    /// A line that starts no section, and the comment that belongs to it.
    pub(super) fn body_line(&mut self, line: LineRef<'_>, comment: Option<Span>) {
        if let Some(fault) = self.header_fault.take() {
            self.findings.push(fault);
        }
        match &mut self.section {
            Section::None => {
                self.find_value_slip(line);
                self.outside(line);
            }
            Section::Global => self.global(line),
            Section::Other => self.find_value_slip(line),
            Section::Defaults(..) => self.defaults_line(line),
            // Nearly every line is one of a server.
            Section::Proxy(proxy) if line.word(0) == "server" => {
                let remarks = proxy.line(line, comment, &mut self.slots);
                self.remarks(line, &remarks);
            }
            Section::Proxy(_) => self.proxy_line(line, comment),
        }
    }

    /// A line of a proxy that is none of a server.
    fn proxy_line(&mut self, line: LineRef<'_>, comment: Option<Span>) {
        self.find_value_slip(line);
        self.check_grammar(line);
        let Section::Proxy(proxy) = &mut self.section else {
            return;
        };
        let remarks = proxy.line(line, comment, &mut self.slots);
        self.remarks(line, &remarks);
        self.removed_keyword(line);
        self.forwarded_for(line);
    }

    fn defaults_line(&mut self, line: LineRef<'_>) {
        self.find_value_slip(line);
        self.check_grammar(line);
        let Section::Defaults(common, name) = &mut self.section else {
            return;
        };
        let anonymous = name.is_empty();
        let handled = common.line(line, Scope::Defaults);
        if anonymous {
            self.rule_without_name(line);
        }
        self.removed_keyword(line);
        match handled {
            Handled::Yes => {}
            Handled::No => {
                self.misplaced_in_defaults(line);
                self.not_modelled(line);
            }
            Handled::Refused(refused) => self.refused_values(line, &refused),
            Handled::BadTime(fault, at) => self.bad_time(line, at, fault),
        }
        self.forwarded_for(line);
    }

    fn remarks(&mut self, line: LineRef<'_>, remarks: &Remarks) {
        if !remarks.refused.is_empty() {
            self.refused_values(line, &remarks.refused);
        }
        if let Some((fault, at)) = remarks.bad_time {
            self.bad_time(line, at, fault);
        }
        if let Some(at) = remarks.undefined_acl.filter(|_| self.decided) {
            self.undefined_acl(line, at);
        }
        if remarks.incomplete {
            self.incomplete_server(line);
        }
        if remarks.misplaced {
            self.misplaced_server(line);
        }
        if remarks.not_modelled {
            self.not_modelled(line);
        }
    }

    fn global(&mut self, line: LineRef<'_>) {
        let proxies = self.decided && keywords::is_of_proxies(line.word(0));
        if proxies && !self.complained_global {
            self.complained_global = true;
            self.misplaced_in_global(line);
        }
        self.removed_keyword(line);
        match line.word(0) {
            "maxconn" => {
                let count = Some(scope::number(line, 1)).filter(|&n| n > 0);
                self.instance.maxconn = Scope::Own.read(count, line, 1, line.whole());
            }
            "setenv" | "presetenv" | "unsetenv" | "resetenv" => {}
            _ => self.not_modelled(line),
        }
    }

    fn not_modelled(&mut self, line: LineRef<'_>) {
        self.find_slip(line);
        let (first, second) = (line.word(0), line.word(1));
        let two = matches!(
            first,
            "option"
                | "timeout"
                | "http-request"
                | "http-response"
                | "http-after-response"
                | "tcp-request"
                | "tcp-response"
                | "stats"
                | "stick"
                | "no"
        );
        if two && !second.is_empty() {
            let name = compact_str::format_compact!("{first} {second}");
            self.instance.note_not_modelled(&name, line.whole());
        } else {
            self.instance.note_not_modelled(first, line.whole());
        }
    }

    /// Reads of `X-Forwarded-For`: a fetch such as `req.hdr_ip(x-forwarded-for,-1)` in any rule. The
    /// option that writes the header, and logs, are none.
    fn forwarded_for(&mut self, line: LineRef<'_>) {
        const NAME: &str = "x-forwarded-for";
        let reads = |word: &str| {
            word.match_indices('(').any(|(at, _)| {
                let (before, behind) = (word.get(..at), word.get(at + 1..));
                let name = behind.unwrap_or_default().trim_start().get(..NAME.len());
                name.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
                    && before.is_some_and(|before| before.contains("hdr"))
            })
        };
        if !line.may_hold(b'(') || !line.rest(1).any(reads) {
            return;
        }
        let logs = matches!(
            line.word(0),
            "log-format"
                | "log-format-sd"
                | "error-log-format"
                | "capture"
                | "unique-id-format"
                | "default-server"
                | "timeout"
        );
        if !logs && line.word(1) != "capture" && line.word(2) != "capture" {
            self.instance.forwarded_for_reads.push(line.whole());
        }
    }
}
