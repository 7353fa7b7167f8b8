//! From lines to the model.
//!
//! In: the lines of an instance's files, in order, one by one or, where `.if` branches must be chosen, from
//! trees. Out: an [`Instance`] and the findings that need the meaning of lines.

mod acl;
mod assemble;
mod balance;
mod bind;
mod body;
mod check;
mod closed;
mod common;
mod grammar;
mod proxy;
mod references;
mod refusals;
mod refuse;
mod removed;
mod scope;
mod server;
mod server_line;
mod slips;
mod values;

use std::collections::BTreeMap;

use super::super::Options;
use super::tree::{Guard, LineRef, Tree};
use crate::finding::Finding;
use crate::model::{Engine, Instance, Server, Text};
use crate::source::{SourceId, Span};

use closed::Closed;
use common::Common;
use proxy::{Kind, Proxy};

/// The most servers that `server-template` lines of one instance add to the model.
const MAX_SLOTS: u32 = 100_000;

/// The section being read.
#[derive(Debug)]
enum Section {
    None,
    Global,
    Defaults(Box<Common>, Text),
    Proxy(Box<Proxy>),
    /// Any other.
    Other,
}

/// What was read of one variant; its model is what [`Lowering::finish`] makes of it.
pub(super) struct Lowering {
    instance: Instance,
    findings: Vec<Finding>,
    section: Section,
    /// The last `defaults` section.
    defaults: Option<Box<Common>>,
    /// Those with a name, and how many have it.
    named: BTreeMap<Text, (Box<Common>, u32)>,
    /// Sections whose lines have all been read.
    closed: Vec<Closed>,
    /// Where the line before ends.
    last_end: Option<u32>,
    /// Comment lines that no line has claimed yet, and whether each follows the line before it.
    pending: Vec<(Span, bool)>,
    /// Names of `resolvers` sections.
    resolvers: BTreeMap<Text, Span>,
    /// An empty list with room for the servers of the next section.
    servers: Vec<Server>,
    slots: u32,
    complained_outside: bool,
    /// What is wrong with the header of the section, until a line follows: 2.6 passes over one without lines.
    header_fault: Option<Finding>,
    /// A line of proxies in the `global` section was reported.
    complained_global: bool,
    /// Words that may still be compared with all known ones.
    slips_left: u32,
    /// No `.if` block is left out, so that what is not here is not defined elsewhere.
    decided: bool,
}

impl Lowering {
    /// Starts with nothing. `decided` says that no `.if` block is left out.
    pub(super) fn new(options: &Options, root: &str, variant: u32, decided: bool) -> Self {
        let mut instance = Instance::new(Engine::Haproxy, options.haproxy_version, root.into());
        instance.variant = variant;
        Self {
            instance,
            findings: Vec::new(),
            section: Section::None,
            defaults: None,
            named: BTreeMap::new(),
            closed: Vec::new(),
            last_end: None,
            pending: Vec::new(),
            resolvers: BTreeMap::new(),
            servers: Vec::new(),
            slots: MAX_SLOTS,
            complained_outside: false,
            header_fault: None,
            complained_global: false,
            slips_left: slips::BUDGET,
            decided,
        }
    }

    /// Reads a file as a whole.
    pub(super) fn file(&mut self, tree: &Tree<'_>, variant: u32) {
        self.start_file(tree.source);
        let active = active_guards(tree, variant);
        for raw in &tree.lines {
            let active = active.get(raw.guard as usize).copied().unwrap_or(true);
            self.read(tree.line_ref(raw), active);
        }
        self.end_file();
    }

    /// Every file starts outside of any section (`readcfgfile`).
    pub(super) fn start_file(&mut self, file: SourceId) {
        self.instance.files.push(file);
        self.close_section();
        self.last_end = None;
    }

    pub(super) fn end_file(&mut self) {
        self.claim_rest();
    }

    /// Reads the next line of the file. One that is not `active` only stands between others.
    pub(super) fn read(&mut self, line: LineRef<'_>, active: bool) {
        let before = self.last_end.replace(line.end());
        if !active {
            return;
        }
        // Only comments and what stands below them are asked for the line above.
        let matters = line.is_comment() || !self.pending.is_empty();
        let contiguous = matters && before.is_some_and(|end| line.follows(end));
        if line.is_comment() {
            if let Some(comment) = line.comment() {
                self.pending.push((comment, contiguous));
            }
            return;
        }
        let said = self.findings.len();
        self.line(line, contiguous);
        if line.is_broken() {
            // Its fault is reported; more about the same line follows from that.
            self.findings.truncate(said);
        }
    }

    fn line(&mut self, line: LineRef<'_>, contiguous: bool) {
        if line.word(0).starts_with('.') || line.word(0).is_empty() {
            return;
        }
        // HAProxy skips a line that it cannot cut into words; a server is kept, its values unknown.
        let kept = line.is_section() || line.word(0) == "server";
        if line.is_broken() && !kept {
            return;
        }
        let above = self.above(contiguous);
        if line.is_section() {
            let own = self.pending.split_off(self.pending.len() - above);
            self.claim_rest();
            self.close_section();
            self.open_section(line);
            self.claim(own.into_iter().map(|(span, _)| span));
        } else {
            let from = self.pending.len() - above;
            let comment = match (self.pending.get(from), self.pending.last()) {
                (Some((first, _)), Some((last, _))) => Some(first.to(*last)),
                _ => None,
            };
            self.claim_rest();
            self.body_line(line, comment);
        }
        self.claim(line.comment());
        self.extend_body(line.whole());
    }

    /// How many pending comment lines stand right above this line.
    fn above(&self, contiguous: bool) -> usize {
        if !contiguous {
            return 0;
        }
        let mut count = 0;
        for (_, follows) in self.pending.iter().rev() {
            count += 1;
            if !follows {
                break;
            }
        }
        count
    }

    fn claim(&mut self, spans: impl IntoIterator<Item = Span>) {
        if let Section::Proxy(proxy) = &mut self.section {
            proxy.comments.extend(spans);
        }
    }

    fn claim_rest(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        self.claim(pending.iter().map(|(span, _)| *span));
    }

    fn extend_body(&mut self, span: Span) {
        if let Section::Proxy(proxy) = &mut self.section {
            proxy.body = proxy.body.to(span);
        }
    }

    fn open_section(&mut self, line: LineRef<'_>) {
        self.header_fault = None;
        self.complained_global = false;
        let kind = match line.word(0) {
            "frontend" => Kind::Frontend,
            "backend" => Kind::Backend,
            "listen" => Kind::Listen,
            "global" => {
                self.section = Section::Global;
                return;
            }
            "defaults" => {
                let mut common = self.start(line);
                common.section = Some(line.whole());
                let name = if line.word(1) == "from" {
                    ""
                } else {
                    line.word(1)
                };
                self.section = Section::Defaults(Box::new(common), name.into());
                return;
            }
            other => {
                if other == "resolvers" {
                    self.resolvers.insert(line.word(1).into(), line.whole());
                    self.instance.resolvers.push(line.whole());
                }
                self.section = Section::Other;
                return;
            }
        };
        let common = self.start(line);
        let mut proxy = Proxy::new(kind, line, common);
        proxy.servers = std::mem::take(&mut self.servers);
        self.check_header(&proxy, line);
        let addresses = line.word(2);
        if kind.has_listeners() && !addresses.is_empty() && addresses != "from" {
            proxy.binds = bind::binds(line, 2);
        }
        self.section = Section::Proxy(Box::new(proxy));
    }

    /// The settings a section starts from: those of the section named behind `from`; else a proxy
    /// uses the last `defaults` and a `defaults` section starts from nothing.
    fn start(&mut self, line: LineRef<'_>) -> Common {
        let from = (1..line.len()).find(|&at| line.word(at) == "from");
        let from = from.map(|at| at + 1).filter(|&at| at < line.len());
        if let Some(at) = from {
            if let Some((common, count)) = self.named.get(line.word(at)) {
                let (common, count) = (common.inherit(), *count);
                if count > 1 {
                    self.refuse_ambiguous_defaults(line, at);
                }
                return common;
            }
            self.refuse_unknown_defaults(line, at);
        }
        match &self.defaults {
            Some(defaults) if line.word(0) != "defaults" => defaults.inherit(),
            _ => Common::new(self.instance.version),
        }
    }

    fn close_section(&mut self) {
        match std::mem::replace(&mut self.section, Section::None) {
            Section::None | Section::Global | Section::Other => {}
            Section::Defaults(common, name) => {
                if !name.is_empty() {
                    let count = self.named.get(&name).map_or(0, |(_, count)| *count);
                    self.named.insert(name, (common.clone(), count + 1));
                }
                self.defaults = Some(common);
            }
            Section::Proxy(mut proxy) => {
                // A copy of the right size: shrinking the list would leave a hole behind each.
                let servers = proxy.servers.drain(..).collect();
                self.servers = std::mem::replace(&mut proxy.servers, servers);
                // What is asked of each server is asked while it is at hand.
                assemble::give_ids(&mut proxy.servers);
                self.check_servers(&proxy);
                self.close(proxy);
            }
        }
    }
}

/// Which guards of a file are in force when branch `variant` of every undecidable block is taken.
fn active_guards(tree: &Tree<'_>, variant: u32) -> Vec<bool> {
    let mut active = vec![true; tree.guards.len()];
    if let Some(never) = active.get_mut(Guard::NEVER as usize) {
        *never = false;
    }
    for (index, guard) in tree.guards.iter().enumerate().skip(2) {
        // A guard is made after the one around it.
        let parent = active.get(guard.parent as usize).copied().unwrap_or(true);
        let chain = tree.chains.get(guard.chain as usize);
        let last = chain.map_or(0, |chain| chain.branches.saturating_sub(1));
        if let Some(slot) = active.get_mut(index) {
            *slot = parent && guard.branch == variant.min(last);
        }
    }
    active
}

/// How many variants the undecidable blocks of these files make.
pub(super) fn variants(trees: &[Tree<'_>]) -> u32 {
    let chains = trees.iter().flat_map(|tree| &tree.chains);
    let matter = chains.filter(|chain| chain.matters);
    matter.map(|chain| chain.branches).max().unwrap_or(1).max(1)
}
