//! What a check is given to look at.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use foldhash::HashSet;

use super::tier::Members;
use super::{Notes, Rule};
use crate::finding::{Finding, ServerShare};
use crate::model::{Backend, Instance, Layer, Route, Server, Text};
use crate::predict::{Prediction, Share, predict, ratio};
use crate::settings::Settings;
use crate::source::{Sources, Span};

/// An instance under audit with what checks need to judge it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The files, for comments and excerpts.
    pub sources: &'a Sources,
    /// The model.
    pub instance: &'a Instance,
    /// Index of the instance in the audit.
    pub index: usize,
    /// Thresholds that the user set.
    pub settings: &'a Settings,
    /// The day of the audit, for dates in comments.
    pub today: jiff::civil::Date,
    /// How many findings of a rule need words, see [`crate::audit::Terms::worded`].
    pub worded: usize,
}

impl Context<'_> {
    /// The value of a rule's threshold: as set for this instance, else its default.
    pub fn option(&self, rule: &Rule, name: &str) -> f64 {
        let option = rule.options.iter().find(|option| option.name == name);
        debug_assert!(
            option.is_some(),
            "a rule asks for `{name}` of its own table"
        );
        let default = option.map_or(f64::NAN, |option| option.default);
        if !self.settings.sets_rules() {
            return default;
        }
        let set = |rule| (self.settings).option(rule, name, &self.instance.root);
        super::name_of(rule).and_then(set).unwrap_or(default)
    }

    /// The value of an annotation in a comment, `lbaudit: KEY=VALUE`.
    pub fn annotation(&self, comment: Span, key: &str) -> Option<String> {
        let source = self.sources.get(comment.source);
        // Most comments have none; there is no need to read them as text.
        memchr::memmem::find(source.slice(comment), b"lbaudit:")?;
        let notes = self.notes(Some(comment));
        notes.annotation(key).map(str::to_owned)
    }

    /// The notes in a comment.
    pub fn notes(&self, comment: Option<Span>) -> Notes {
        comment
            .map(|span| {
                let source = self.sources.get(span.source);
                Notes::new(&String::from_utf8_lossy(source.slice(span)))
            })
            .unwrap_or_default()
    }
}

/// One backend under audit. What several rules ask is found once, when the first one asks.
#[derive(Debug)]
pub struct BackendView<'a> {
    /// The instance around it.
    pub context: &'a Context<'a>,
    /// Its index in the instance.
    pub index: usize,
    /// The backend.
    pub backend: &'a Backend,
    prediction: OnceCell<Option<Prediction>>,
    members: OnceCell<Option<Members<'a>>>,
    share_table: OnceCell<Arc<[ServerShare]>>,
    described: OnceCell<bool>,
    wants_words: Cell<bool>,
}

impl<'a> BackendView<'a> {
    /// The view of the backend at `index`.
    pub fn new(context: &'a Context<'a>, index: usize, backend: &'a Backend) -> Self {
        Self {
            context,
            index,
            backend,
            prediction: OnceCell::new(),
            members: OnceCell::new(),
            share_table: OnceCell::new(),
            described: OnceCell::new(),
            wants_words: Cell::new(true),
        }
    }

    /// Whether what is found from now on is shown; else a rule may leave the words of it out.
    pub(super) fn set_wants_words(&self, wants: bool) {
        self.wants_words.set(wants);
    }

    /// A finding on this backend whose words come from `say` where they are wanted. What else it has, its
    /// severity, place and subject, must be in `fact`: it is known again by them when words are wanted later.
    pub(super) fn finding(&self, fact: Finding, say: impl FnOnce(Finding) -> Finding) -> Finding {
        let fact = fact.backend(&self.backend.name);
        if self.wants_words.get() {
            say(fact)
        } else {
            fact
        }
    }

    /// What it is, for messages: `` backend `auth` ``, `` upstream `auth` ``.
    pub fn title(&self) -> String {
        let word = self.context.instance.engine.backend_word();
        [word, " `", &self.backend.name, "`"].concat()
    }

    /// What it balances, for messages.
    pub fn unit(&self) -> &'static str {
        match self.backend.layer {
            Layer::Http => "requests",
            Layer::Tcp => "connections",
            Layer::Udp => "datagrams",
            Layer::Log => "messages",
        }
    }

    /// The servers that compete for its traffic, for [`super::tier::Tier`].
    pub(super) fn members(&self) -> Option<&Members<'a>> {
        let members = || Members::of(self.backend);
        self.members.get_or_init(members).as_ref()
    }

    /// Where the traffic goes while every server is up.
    pub fn prediction(&self) -> Option<&Prediction> {
        let instance = self.context.instance;
        self.prediction
            .get_or_init(|| predict(instance.engine, instance.version, self.backend, &[]))
            .as_ref()
    }

    /// The routes that lead to it.
    pub fn routes(&self) -> Vec<&'a Route> {
        self.context.instance.routes_to(self.index).collect()
    }

    /// The notes that can say why a server is not like its siblings. Where every server has a comment,
    /// one says what the server is, and not what is different about it unless it tells so.
    pub fn reason_notes(&self, server: &Server) -> Notes {
        let notes = self.server_notes(server);
        if self.are_described() && !notes.tell_a_difference() {
            return Notes::default();
        }
        notes
    }

    /// The notes on the line of a server or right above it. Those above are about it unless they are
    /// the heading of a group that it begins, or name others.
    pub fn server_notes(&self, server: &Server) -> Notes {
        let Some(comment) = server.comment() else {
            return Notes::default();
        };
        if comment.source != server.span.source || comment.start < server.span.start {
            return self.notes_above(server, comment);
        }
        let mut notes = self.context.notes(Some(comment));
        if let Some(above) = self.comment_above(server) {
            notes.add(&self.notes_above(server, above));
        }
        notes
    }

    fn notes_above(&self, server: &Server, comment: Span) -> Notes {
        let notes = self.context.notes(Some(comment));
        let about_others = notes.are_heading() && self.begins_a_group(server) || {
            let named = self.named_in(&notes);
            !named.is_empty() && !named.contains(&&server.name)
        };
        if about_others {
            Notes::default()
        } else {
            notes
        }
    }

    /// The lines right above a server that are comments and nothing else.
    fn comment_above(&self, server: &Server) -> Option<Span> {
        let Span { source, start, .. } = server.span;
        let file = self.context.sources.get(source);
        let comments = &self.backend.comments;
        let before = comments.partition_point(|it| it.source != source || it.end <= start);
        let (mut found, mut end) = (None, start);
        for comment in comments.get(..before)?.iter().rev() {
            let gap = file.slice(Span::new(source, comment.end, end));
            let is_next =
                gap.trim_ascii().is_empty() && memchr::memchr_iter(b'\n', gap).count() == 1;
            let (line, _) = file.line(file.line_of(comment.start))?;
            let margin = file.slice(Span::new(source, line, comment.start));
            if comment.source != source || !is_next || !margin.trim_ascii().is_empty() {
                break;
            }
            let last = found.map_or(comment.end, |found: Span| found.end);
            found = Some(Span::new(source, comment.start, last));
            end = comment.start;
        }
        found
    }

    /// Whether there are several servers and each has a comment of its own.
    fn are_described(&self) -> bool {
        let servers = &self.backend.servers;
        let described = || servers.len() > 1 && servers.iter().all(|it| it.comment().is_some());
        *self.described.get_or_init(described)
    }

    /// Whether the next server has no comment of its own.
    fn begins_a_group(&self, server: &Server) -> bool {
        let mut servers = self.backend.servers.iter();
        servers.any(|other| std::ptr::eq(other, server))
            && servers.next().is_some_and(|next| next.comment().is_none())
    }

    /// The servers whose names stand in `notes`, in any case. One letter that is a word is no name.
    pub(super) fn named_in(&self, notes: &Notes) -> Vec<&'a Text> {
        let is_name = |word: &&str| !matches!(*word, "a" | "A" | "i" | "I");
        let words: Vec<&str> = notes.words().filter(is_name).collect();
        // Most names are of another length than all words.
        let bit = |text: &str| 1u128 << text.len().min(127);
        let lengths = words.iter().fold(0, |bits, word| bits | bit(word));
        let may_stand_there = |name: &&Text| !name.is_ascii() || lengths & bit(name) != 0;
        let names = self.backend.servers.iter().map(|server| &server.name);
        let mut names: Vec<&Text> = names.filter(may_stand_there).collect();
        if !names.is_empty() {
            let folded: HashSet<String> = words.iter().map(|word| word.to_lowercase()).collect();
            names.retain(|name| folded.contains(name.to_lowercase().as_str()));
        }
        names
    }

    /// The rows of the share table: the servers that take traffic, in declaration order.
    pub fn share_table(&self) -> Arc<[ServerShare]> {
        Arc::clone(self.share_table.get_or_init(|| self.rows().into()))
    }

    fn rows(&self) -> Vec<ServerShare> {
        let Some(prediction) = self.prediction() else {
            return Vec::new();
        };
        let servers = self.backend.servers.iter().zip(&prediction.shares);
        let active = servers.filter(|(server, share)| server.is_usable() || **share != Share::ZERO);
        let mut rows = Vec::with_capacity(self.backend.servers.len());
        rows.extend(active.map(|(server, share)| ServerShare {
            server: server.name.clone(),
            weight: server.weight.value,
            share: ratio(*share),
        }));
        rows
    }
}
