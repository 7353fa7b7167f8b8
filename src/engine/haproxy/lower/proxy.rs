//! One `frontend`, `backend` or `listen` section.
//!
//! In: its lines in order. Out: a [`Proxy`] with its listeners, servers and routes, names not yet
//! resolved.

use super::super::tree::LineRef;
use super::super::units::TimeFault;
use super::acl::{self, Acls};
use super::bind;
use super::common::{Common, Handled};
use super::scope::{Scope, text};
use super::server::Refused;
use super::server_line::is_unknown;
use crate::model::{Bind, Condition, DefaultServer, Server, StickRule, Text};
use crate::source::Span;

/// The kind of a proxy section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Frontend,
    Backend,
    Listen,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::Listen => "listen",
        }
    }

    pub(super) fn has_servers(self) -> bool {
        self != Self::Frontend
    }

    pub(super) fn has_listeners(self) -> bool {
        self != Self::Backend
    }
}

/// A route whose target is still a name.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) condition: Condition,
    pub(super) target: Text,
    /// The name is made while running.
    pub(super) dynamic: bool,
    pub(super) span: Span,
}

/// A section as it is read.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) kind: Kind,
    pub(super) name: Text,
    pub(super) header: Span,
    pub(super) body: Span,
    pub(super) comments: Vec<Span>,
    pub(super) common: Common,
    pub(super) binds: Vec<Bind>,
    pub(super) servers: Vec<Server>,
    /// Ids given on server lines, by index of the server.
    pub(super) agents_without_port: Vec<usize>,
    pub(super) ways: Vec<Way>,
    pub(super) stick_rules: Vec<StickRule>,
    pub(super) force_persist: Vec<Span>,
    pub(super) use_server: Vec<(Option<Text>, Span)>,
    pub(super) default_servers: Vec<DefaultServer>,
    pub(super) answers_itself: Option<Span>,
    pub(super) answers_partly: Vec<Span>,
    pub(super) restores_client_address: Option<Span>,
    /// Written `id`.
    pub(super) id: Option<(u32, Span)>,
    /// Some server tracks another or names `resolvers`.
    pub(super) refers: bool,
    acls: Acls,
}

/// What a line of a section yields besides its place in the model.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Nothing in the model stands for it.
    pub(super) not_modelled: bool,
    /// Values that HAProxy refuses.
    pub(super) refused: Vec<Refused>,
    /// A word that should name an ACL.
    pub(super) undefined_acl: Option<usize>,
    /// A word that should be a time.
    pub(super) bad_time: Option<(TimeFault, usize)>,
    /// A `server` line without name or address.
    pub(super) incomplete: bool,
    /// A `server` line in a `frontend`.
    pub(super) misplaced: bool,
}

impl Proxy {
    pub(super) fn new(kind: Kind, header: LineRef<'_>, common: Common) -> Self {
        Self {
            kind,
            name: text(header, 1),
            header: header.whole(),
            body: header.whole(),
            comments: Vec::new(),
            common,
            binds: Vec::new(),
            servers: Vec::new(),
            agents_without_port: Vec::new(),
            ways: Vec::new(),
            stick_rules: Vec::new(),
            force_persist: Vec::new(),
            use_server: Vec::new(),
            default_servers: Vec::new(),
            answers_itself: None,
            answers_partly: Vec::new(),
            restores_client_address: None,
            id: None,
            refers: false,
            acls: Acls::default(),
        }
    }

    /// Reads one line. `slots` is the number of servers that templates may still add.
    pub(super) fn line(
        &mut self,
        line: LineRef<'_>,
        comment: Option<Span>,
        slots: &mut u32,
    ) -> Remarks {
        let mut remarks = Remarks::default();
        match line.word(0) {
            "server" | "server-template" => {
                self.server(line, comment, slots, &mut remarks);
                return remarks;
            }
            "bind" => self.bind(line, &mut remarks),
            "acl" => acl::define(&mut self.acls, line),
            "use_backend" => self.way(line),
            "use-server" => {
                let dynamic = line.word(1).contains('%') || line.is_opaque(1);
                let name = (!dynamic).then(|| text(line, 1));
                self.use_server.push((name, line.whole()));
            }
            "stick" => self.stick(line, &mut remarks),
            "persist" => self.stick_rules.push(StickRule {
                key: line.joined(1).into(),
                span: line.whole(),
            }),
            "force-persist" | "ignore-persist" => self.force_persist.push(line.whole()),
            "id" => self.id = Some((super::scope::number(line, 1), line.whole())),
            "description" => {}
            "default-server" => {
                self.default_servers.push(DefaultServer {
                    span: line.whole(),
                    words: line.rest(1).map(Text::from).collect(),
                });
                self.inheritable(line, &mut remarks);
            }
            _ => self.inheritable(line, &mut remarks),
        }
        remarks.undefined_acl = acl::undefined(&self.acls, line);
        remarks
    }

    fn bind(&mut self, line: LineRef<'_>, remarks: &mut Remarks) {
        let binds = bind::binds(line, 1);
        if !is_unknown(line, 1) && !line.is_broken() {
            remarks
                .refused
                .extend(bind::refusal(&binds).map(|refusal| (refusal, 1)));
        }
        self.binds.extend(binds);
    }

    fn inheritable(&mut self, line: LineRef<'_>, remarks: &mut Remarks) {
        match self.common.line(line, Scope::Own) {
            Handled::Yes => {}
            Handled::Refused(refused) => remarks.refused = refused,
            Handled::BadTime(fault, at) => remarks.bad_time = Some((fault, at)),
            Handled::No => remarks.not_modelled = !self.rule(line),
        }
    }

    /// Rules that answer or change requests.
    fn rule(&mut self, line: LineRef<'_>) -> bool {
        let action = line.word(1);
        let known = match line.word(0) {
            "http-request" => match action {
                "return" | "deny" | "redirect" | "tarpit" | "reject" | "use-service" | "auth"
                | "silent-drop" => self.answers(line, 2),
                "set-src" => self.restores(line),
                _ => false,
            },
            "tcp-request" => match (action, line.word(2)) {
                ("connection" | "content", "reject" | "use-service" | "silent-drop") => {
                    self.answers(line, 3)
                }
                ("connection" | "session" | "content", "set-src") => self.restores(line),
                _ => false,
            },
            "redirect" => self.answers(line, 1),
            "stats" => action != "auth" && self.answered_partly(line),
            "monitor-uri" | "monitor" => self.answered_partly(line),
            "dispatch" => self.answered(line),
            "errorfile" if action == "503" => self.answered(line),
            "http-error" if line.word(2) == "503" => self.answered(line),
            _ => false,
        };
        if let (true, "option") = (matches!(action, "transparent" | "http_proxy"), line.word(0)) {
            return self.answered(line);
        }
        known
    }

    fn answered(&mut self, line: LineRef<'_>) -> bool {
        self.answers_itself.get_or_insert(line.whole());
        true
    }

    /// A page of the proxy's own beside what the servers answer.
    fn answered_partly(&mut self, line: LineRef<'_>) -> bool {
        self.answers_partly.push(line.whole());
        true
    }

    /// A final action, which answers everything when no condition stands behind it.
    fn answers(&mut self, line: LineRef<'_>, from: usize) -> bool {
        let condition = (from..line.len()).find(|&at| matches!(line.word(at), "if" | "unless"));
        let condition =
            condition.map_or(Condition::Always, |at| acl::condition(&self.acls, line, at));
        if condition == Condition::Always {
            self.answers_itself.get_or_insert(line.whole());
        } else {
            self.answers_partly.push(line.whole());
        }
        true
    }

    fn restores(&mut self, line: LineRef<'_>) -> bool {
        self.restores_client_address.get_or_insert(line.whole());
        true
    }

    fn way(&mut self, line: LineRef<'_>) {
        self.ways.push(Way {
            condition: acl::condition(&self.acls, line, 2),
            target: text(line, 1),
            dynamic: line.word(1).contains('%') || line.is_opaque(1),
            span: line.whole(),
        });
    }

    fn stick(&mut self, line: LineRef<'_>, remarks: &mut Remarks) {
        if !matches!(line.word(1), "on" | "match") {
            remarks.not_modelled = true;
            return;
        }
        let key: Vec<&str> = (line.rest(2))
            .take_while(|word| !matches!(*word, "table" | "if" | "unless"))
            .collect();
        self.stick_rules.push(StickRule {
            key: key.join(" ").into(),
            span: line.whole(),
        });
    }
}
