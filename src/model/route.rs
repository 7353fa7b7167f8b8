//! Which traffic of a listener goes to which backend.

use std::time::Duration;

use super::{Setting, Text};
use crate::source::Span;

/// One way from a listener to a backend: HAProxy `use_backend` or `default_backend` (also the one a
/// `listen` has to itself), an nginx `…_pass` in its location.
#[derive(Clone, Debug)]
pub struct Route {
    /// Index into [`super::Instance::listeners`]; `None` in a fragment without listener.
    pub listener: Option<usize>,
    /// When it is taken.
    pub condition: Condition,
    /// Where it leads.
    pub target: Target,
    /// The line or directive.
    pub span: Span,
    /// nginx: the client address is taken over from what a trusted proxy says (`set_real_ip_from` in
    /// effect where the request is passed on).
    pub restores_client_address: bool,
    /// nginx: when and how often another server is tried.
    pub next_upstream: Option<NextUpstream>,
    /// nginx `…_connect_timeout` in effect.
    pub connect_timeout: Option<Setting<Duration>>,
}

/// When a route is taken, as far as it can be decided from the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Whenever no earlier route was.
    Always,
    /// The path of the request.
    Path(PathMatch),
    /// One of these host names.
    Host(Vec<Text>),
    /// A random draw, new for every evaluation.
    Random(RandomDraw),
    /// Not decidable here; the condition as written.
    Opaque(Text),
}

/// A condition on the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// Exactly this path.
    Exact(Text),
    /// This prefix.
    Prefix(Text),
    /// A regular expression.
    Regex(Text),
    /// An nginx named location.
    Named(Text),
}

/// HAProxy `rand(RANGE)` compared with a number: true for `from <= draw < below`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomDraw {
    /// Number of values: `rand(100)` draws 0..100.
    pub range: u32,
    /// Lowest value that matches.
    pub from: u32,
    /// One above the highest value that matches.
    pub below: u32,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Index into [`super::Instance::backends`].
    Backend(usize),
    /// A name that no audited file defines.
    Undefined(Text),
    /// A name made while running (`use_backend %[…]`, a variable in `proxy_pass`), as written.
    Dynamic(Text),
}

/// nginx `proxy_next_upstream` and its siblings, in effect for a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextUpstream {
    /// The conditions as written: `error timeout http_502 …`, or `off`.
    pub conditions: Setting<Vec<Text>>,
    /// Most tries; 0 is no limit.
    pub tries: Setting<u32>,
    /// Most time for all tries; zero is no limit.
    pub timeout: Setting<Duration>,
}

/// An nginx block that gives a variable one of several values.
#[derive(Clone, Debug)]
pub struct Split {
    /// What kind of block it is.
    pub kind: SplitKind,
    /// The variable it sets, with its `$`.
    pub variable: Text,
    /// What it looks at, as written.
    pub key: Text,
    /// Its values in order.
    pub parts: Vec<SplitPart>,
    /// The header of the block.
    pub span: Span,
    /// The index of a route whose target uses the variable, if any does.
    pub used_by: Option<usize>,
    /// Whether the empty value is dealt with elsewhere: an `if ($v = "")`, a chained `map`; or may be,
    /// in a file of entries that is not there.
    pub empty_handled: bool,
}

/// An nginx `set` of a variable.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The variable, with its `$`.
    pub variable: Text,
    /// Its value as written.
    pub value: Text,
    /// The directive.
    pub span: Span,
}

/// The kinds of [`Split`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitKind {
    /// `split_clients`.
    SplitClients,
    /// `map`.
    Map,
    /// `geo`.
    Geo,
}

/// One value of a [`Split`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPart {
    /// The pattern as written: a percentage, a map source, `*`, `default`.
    pub pattern: Text,
    /// The value given.
    pub value: Text,
    /// For `split_clients` the share in hundredths of a percent; `None` for `*`.
    pub hundredths: Option<u32>,
    /// The entry.
    pub span: Span,
}
