//! The servers that compete for the traffic of a backend, and what is said about their weights.
//!
//! In: a backend's view. Out: its usable primaries with their shares, and whether a difference of
//! their weights is explained by a comment or by their names.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::wording::{and, count, names, percent};
use super::{BackendView, Context, Notes, Rule, hosts};
use crate::finding::{ServerShare, Severity};
use crate::model::{Algorithm, Backend, Engine, Layer, Server, Text};
use crate::predict::{Basis, ratio};
use crate::source::Span;

/// The usable primaries of a backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tier<'v, 'a> {
    /// The backend.
    pub(super) view: &'v BackendView<'a>,
    /// The servers with their index in the backend, in declaration order; at least two.
    pub(super) members: &'v [(usize, &'a Server)],
    known: &'v Members<'a>,
}

/// The servers of a tier and what is found out about them once for all rules.
#[derive(Debug)]
pub(super) struct Members<'a> {
    servers: Vec<(usize, &'a Server)>,
    /// The smallest and the largest weight.
    weights: (u32, u32),
    shares: OnceCell<Option<Vec<f64>>>,
    weights_explained: OnceCell<bool>,
    hosts_differ: OnceCell<bool>,
}

/// Words in a comment that speak about sizes or shares.
const WEIGHT_WORDS: &[&str] = &[
    "weight", "share", "capacit", "size", "cores", "core ", "cpu", " ram", "gb", "memory",
    "bigger", "larger", "smaller", "stronger", "weaker", "faster", "slower", "powerful", "traffic",
    "percent", "%", "twice", "half", "canary",
];

/// Words in a comment that say that nothing differs.
const EQUAL_WORDS: &[&str] = &["equal", "same", "identical", "alike"];

/// Words in a server's name or comment that set it apart from its siblings on purpose.
const GROUP_WORDS: &[&str] = &[
    "canary",
    "beta",
    "staging",
    "stage",
    "preview",
    "preprod",
    "experiment",
    "pilot",
    "blue",
    "green",
];

/// The length of the shortest of [`GROUP_WORDS`].
const SHORTEST_GROUP_WORD: usize = 4;

impl<'a> Members<'a> {
    /// The servers that compete in `backend`, if it is known who does.
    pub(super) fn of(backend: &'a Backend) -> Option<Self> {
        if backend.algorithm.is_opaque() {
            return None;
        }
        let mut servers = Vec::with_capacity(backend.servers.len());
        for (index, server) in backend.servers.iter().enumerate() {
            if server.weight.is_opaque() || server.disabled.is_opaque() || server.backup.is_opaque()
            {
                return None;
            }
            if server.is_primary() && server.is_usable() {
                servers.push((index, server));
            }
        }
        let weights = || servers.iter().map(|(_, server)| server.weight.value);
        let weights = (weights().min()?, weights().max()?);
        (servers.len() >= 2).then(|| Self {
            servers,
            weights,
            shares: OnceCell::new(),
            weights_explained: OnceCell::new(),
            hosts_differ: OnceCell::new(),
        })
    }
}

impl<'v, 'a> Tier<'v, 'a> {
    /// The tier that takes the traffic while every server is up. `None` where fewer than two servers
    /// compete, or where an unknown variable decides who does or with which weight.
    pub(super) fn of(view: &'v BackendView<'a>) -> Option<Self> {
        let known = view.members()?;
        Some(Self {
            view,
            members: &known.servers,
            known,
        })
    }

    /// The servers in declaration order.
    pub(super) fn servers(&self) -> impl Iterator<Item = &'a Server> + use<'v, 'a> {
        self.members.iter().map(|(_, server)| *server)
    }

    /// Whether weights steer the algorithm at all; where they do not, `weight-ignored-by-algorithm`
    /// says so.
    pub(super) fn honours_weights(&self) -> bool {
        let nginx = self.view.context.instance.engine == Engine::Nginx;
        self.view.backend.layer != Layer::Log
            && match &self.view.backend.algorithm.value {
                // nginx `random two` turns weights round.
                Algorithm::Random { draws: 2.. } if nginx => false,
                Algorithm::RoundRobin
                | Algorithm::StaticRoundRobin
                | Algorithm::LeastConn
                | Algorithm::LeastTime
                | Algorithm::Random { .. }
                | Algorithm::Hash(_)
                | Algorithm::IpHash => true,
                Algorithm::First | Algorithm::Sticky | Algorithm::LogHash | Algorithm::Other(_) => {
                    false
                }
            }
    }

    /// Largest weight over smallest weight.
    pub(super) fn weight_ratio(&self) -> f64 {
        let (least, most) = self.known.weights;
        f64::from(most) / f64::from(least.max(1))
    }

    /// The weight that most servers have; `None` where no weight is more frequent than any other.
    pub(super) fn usual_weight(&self) -> Option<u32> {
        let mut weights: Vec<u32> = self.servers().map(|server| server.weight.value).collect();
        weights.sort_unstable();
        let mut runs: Vec<(usize, u32)> = weights
            .chunk_by(|a, b| a == b)
            .filter_map(|run| Some((run.len(), *run.first()?)))
            .collect();
        runs.sort_unstable();
        match runs.as_slice() {
            [.., (second, _), (most, weight)] => (most > second).then_some(*weight),
            [(_, weight)] => Some(*weight),
            [] => None,
        }
    }

    /// The servers that stand out: those whose weight is farthest from the usual one, or the
    /// heaviest where no weight is usual.
    pub(super) fn outliers(&self) -> Vec<&'a Server> {
        let (lightest, heaviest) = self.known.weights;
        let outlying = match self.usual_weight() {
            // Compared as ratios: lightest is farther below than heaviest is above.
            Some(usual)
                if u64::from(usual) * u64::from(usual)
                    > u64::from(heaviest) * u64::from(lightest) =>
            {
                lightest
            }
            Some(_) | None => heaviest,
        };
        let stands_out = |server: &&Server| server.weight.value == outlying;
        self.servers().filter(stands_out).collect()
    }

    /// Whether somebody explained why weights differ: a reason at a server that stands out, a
    /// comment in the section that speaks about weights, or names that set two groups apart.
    pub(super) fn weights_are_explained(&self) -> bool {
        let explained = || self.has_reason() || self.are_groups();
        *self.known.weights_explained.get_or_init(explained)
    }

    /// Whether every weight that is not the usual one has a reason: at a server that has it, or in a
    /// comment of the section, which is about the servers that it names or about all. Where no weight
    /// is usual, one of them needs none.
    fn has_reason(&self) -> bool {
        let has_comment = |server: &Server| server.comment().is_some();
        if self.view.backend.comments.is_empty() && !self.servers().any(has_comment) {
            return false;
        }
        let usual = self.usual_weight();
        let deviates = |server: &&Server| Some(server.weight.value) != usual;
        let deviating: Vec<&Server> = self.servers().filter(deviates).collect();
        let states = |notes: &Notes| notes.state_reason(self.view.context.today);
        let own = |server: &&&Server| {
            server.comment().is_some() && states(&self.view.reason_notes(server))
        };
        let mut explained: BTreeSet<u32> = (deviating.iter().filter(own))
            .map(|server| server.weight.value)
            .collect();
        let comments = deviating.iter().filter_map(|server| server.comment());
        let owned: BTreeSet<Span> = comments.collect();
        let is_own = |comment: &Span| {
            let last = Span {
                end: u32::MAX,
                ..*comment
            };
            let around = owned.range(..=last).next_back();
            around.is_some_and(|own| own.holds(*comment))
        };
        for comment in &self.view.backend.comments {
            let notes = self.view.context.notes(Some(*comment));
            let is_general = notes.are_general() || !is_own(comment);
            if !states(&notes) || !is_general || notes.mention(EQUAL_WORDS) {
                continue;
            }
            let named = self.view.named_in(&notes);
            if named.is_empty() && notes.mention(WEIGHT_WORDS) {
                return true;
            }
            let is_named = |server: &&&Server| named.contains(&&server.name);
            let weights = deviating.iter().filter(is_named);
            explained.extend(weights.map(|server| server.weight.value));
        }
        let weights: BTreeSet<u32> = deviating.iter().map(|it| it.weight.value).collect();
        let unexplained = weights.difference(&explained).count();
        !explained.is_empty() && unexplained <= usize::from(usual.is_none())
    }

    /// Whether the servers are two groups by name or comment, such as canary and the rest, with one
    /// weight in each.
    fn are_groups(&self) -> bool {
        let set_apart = |server: &Server| {
            names_a_group(&server.name)
                || server.comment().is_some()
                    && names_a_group(self.view.server_notes(server).text())
        };
        let (mut apart, mut rest) = (None, None);
        for server in self.servers() {
            let group = if set_apart(server) {
                &mut apart
            } else {
                &mut rest
            };
            if *group.get_or_insert(server.weight.value) != server.weight.value {
                return false;
            }
        }
        apart.is_some() && rest.is_some()
    }

    /// Whether it is plain that every server is on a host of its own.
    pub(super) fn hosts_differ(&self) -> bool {
        let addresses = || self.servers().map(|server| &server.address);
        *(self.known.hosts_differ).get_or_init(|| hosts::differ(addresses))
    }

    /// The predicted share of each member, where the configuration alone decides it.
    pub(super) fn shares(&self) -> Option<&'v [f64]> {
        self.known
            .shares
            .get_or_init(|| self.predicted())
            .as_deref()
    }

    fn predicted(&self) -> Option<Vec<f64>> {
        let prediction = self.view.prediction()?;
        if prediction.basis == Basis::Load {
            return None;
        }
        let mut shares = Vec::with_capacity(self.members.len());
        for (index, _) in self.members {
            shares.push(ratio(*prediction.shares.get(*index)?));
        }
        Some(shares)
    }

    /// The share table, where the shares do not depend on load.
    pub(super) fn share_table(&self) -> Arc<[ServerShare]> {
        match self.view.prediction() {
            Some(prediction) if prediction.basis != Basis::Load => self.view.share_table(),
            _ => Arc::default(),
        }
    }

    /// The other servers and their shares: `` `a` and `b`: 8.3 % each ``.
    pub(super) fn rest(&self, shares: &[f64], is_rest: impl Fn(&Server) -> bool) -> String {
        let rest: Vec<(&Server, f64)> = (self.servers().zip(shares.iter().copied()))
            .filter(|(server, _)| is_rest(server))
            .collect();
        let listed = names(&names_of(rest.iter().map(|(server, _)| *server)));
        let shares = || rest.iter().map(|(_, share)| *share);
        let least = percent(shares().fold(f64::INFINITY, f64::min));
        let most = percent(shares().fold(0.0, f64::max));
        match rest.len() {
            0 => String::new(),
            1 => format!("{listed}: {most}"),
            _ if least == most => format!("{listed}: {most} each"),
            _ => format!("{listed}: {least} to {most}"),
        }
    }

    /// The share of one member.
    pub(super) fn share_of(&self, shares: &[f64], wanted: &Server) -> f64 {
        let mut all = self.servers().zip(shares);
        all.find(|(server, _)| std::ptr::eq(*server, wanted))
            .map_or(0.0, |(_, share)| *share)
    }

    /// The share of each member as its weight says.
    pub(super) fn by_weight(&self) -> Vec<f64> {
        let weights = || self.servers().map(|server| f64::from(server.weight.value));
        let total: f64 = weights().sum();
        weights().map(|weight| weight / total).collect()
    }

    /// The share that each server would have if all were equal.
    pub(super) fn fair(&self) -> f64 {
        // A backend has far fewer servers than 2^52.
        #[allow(clippy::cast_precision_loss, reason = "a number of servers")]
        let servers = self.members.len() as f64;
        1.0 / servers
    }
}

/// How bad a ratio is, by the two limits that the rules on distribution have.
pub(super) fn severity(rule: &Rule, context: &Context<'_>, ratio: f64) -> Option<Severity> {
    // Asking for settings costs more than most backends need.
    if ratio <= 1.0 {
        None
    } else if ratio > context.option(rule, "error-ratio") {
        Some(Severity::Error)
    } else if ratio > context.option(rule, "max-ratio") {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// Names of servers for a message.
pub(super) fn names_of<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Vec<&'a Text> {
    servers.into_iter().map(|server| &server.name).collect()
}

/// Each weight where there are few, else how many servers have it.
pub(super) fn listed_weights(tier: &Tier<'_, '_>) -> String {
    let mut weights: Vec<u32> = tier.servers().map(|server| server.weight.value).collect();
    if weights.len() <= 6 {
        return and(&weights.iter().map(u32::to_string).collect::<Vec<_>>());
    }
    weights.sort_unstable();
    let runs: Vec<(u32, usize)> = weights
        .chunk_by(|a, b| a == b)
        .filter_map(|run| Some((*run.first()?, run.len())))
        .collect();
    match (runs.as_slice(), runs.first(), runs.last()) {
        ([_, _, _, _, ..], Some((least, _)), Some((most, _))) => format!("from {least} to {most}"),
        (few, ..) => {
            let text = |(weight, number): &(u32, usize)| {
                format!("{weight} ({})", count(*number, "server"))
            };
            and(&few.iter().map(text).collect::<Vec<_>>())
        }
    }
}

/// Whether a part of `text` between separators is one of [`GROUP_WORDS`], digits behind it aside:
/// `auth-canary2`.
pub(super) fn names_a_group(text: &str) -> bool {
    // nginx servers are mostly called by their address, which has no letters.
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let mut tokens = (text.as_bytes()).split(|byte| !byte.is_ascii_alphanumeric());
    tokens.any(|token| {
        let mut word = token;
        while let [rest @ .., b'0'..=b'9'] = word {
            word = rest;
        }
        word.len() >= SHORTEST_GROUP_WORD
            && GROUP_WORDS
                .iter()
                .any(|group| word.eq_ignore_ascii_case(group.as_bytes()))
    })
}
