//! What a destination with a variable may become.
//!
//! In: the routes of nginx whose target is made while running, and the blocks and `set` directives that
//! give variables their values. Out: for each route the names that are known to come out.

use std::collections::{HashMap, HashSet};

use super::{Instance, Route, Target, Text};
use crate::source::Span;

/// Values that are followed in one instance, so that many routes beside long maps stay cheap.
const MOST_VALUES: usize = 200_000;

/// One name that a route may lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The host that comes out, in lower case, without a path behind it.
    pub host: String,
    /// The variable that has the value, with its `$`.
    pub variable: &'a Text,
    /// Where the value is given.
    pub span: Span,
}

/// Where the values of all variables come from.
#[derive(Debug)]
pub struct Flow<'a> {
    instance: &'a Instance,
    by_variable: HashMap<String, Vec<Given<'a>>>,
    left: usize,
}

/// One value of a variable.
#[derive(Clone, Copy, Debug)]
struct Given<'a> {
    variable: &'a Text,
    value: &'a Text,
    span: Span,
    /// Whether it holds in the `server` around it only.
    local: bool,
}

/// A host with one variable in it.
struct Pattern<'t> {
    before: &'t str,
    variable: &'t str,
    behind: &'t str,
}

impl<'a> Flow<'a> {
    /// The values of the variables of `instance`.
    pub fn new(instance: &'a Instance) -> Self {
        let mut by_variable: HashMap<String, Vec<Given<'a>>> = HashMap::new();
        let splits = instance.splits.iter().flat_map(|split| {
            split.parts.iter().map(|part| Given {
                variable: &split.variable,
                value: &part.value,
                span: part.span,
                local: false,
            })
        });
        let sets = instance.assignments.iter().map(|set| Given {
            variable: &set.variable,
            value: &set.value,
            span: set.span,
            local: true,
        });
        for given in splits.chain(sets) {
            let name = bare(given.variable);
            by_variable.entry(name).or_default().push(given);
        }
        Self {
            instance,
            by_variable,
            left: MOST_VALUES,
        }
    }

    /// The hosts that the target of `route` may become.
    pub fn candidates(&mut self, route: &Route) -> Vec<Candidate<'a>> {
        let Target::Dynamic(target) = &route.target else {
            return Vec::new();
        };
        let Some(pattern) = pattern(target) else {
            return Vec::new();
        };
        let listener = route
            .listener
            .and_then(|at| self.instance.listeners.get(at));
        let mut wanted = vec![bare(pattern.variable)];
        let mut seen = HashSet::new();
        let mut candidates = Vec::new();
        while let Some(name) = wanted.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            for given in self.by_variable.get(&name).into_iter().flatten() {
                if given.local && !listener.is_some_and(|it| it.body.holds(given.span)) {
                    continue;
                }
                let Some(left) = self.left.checked_sub(1) else {
                    return candidates;
                };
                self.left = left;
                let value = given.value.trim_matches(['"', '\'']);
                match value.find('$') {
                    Some(0) if is_variable(value) => wanted.push(bare(value)),
                    Some(_) => {}
                    None => candidates.extend(pattern.filled(value, given)),
                }
            }
        }
        candidates
    }
}

impl Pattern<'_> {
    /// The host with `value` for the variable. A value with a scheme is a target of its own.
    fn filled<'a>(&self, value: &str, given: &Given<'a>) -> Option<Candidate<'a>> {
        if value.contains("://") || value.starts_with("unix:") {
            return None;
        }
        let whole = [self.before, value, self.behind].concat();
        let host = whole.split('/').next().unwrap_or_default();
        (!host.is_empty()).then(|| Candidate {
            host: host.to_ascii_lowercase(),
            variable: given.variable,
            span: given.span,
        })
    }
}

/// The host of `SCHEME://BEFORE$VARIABLEBEHIND/PATH`, in which the path may be a variable too. With a port
/// behind it the variable is a host of DNS.
fn pattern(target: &str) -> Option<Pattern<'_>> {
    // Without a scheme in `stream`, and behind `fastcgi_pass` and the like.
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = authority.split('/').next()?;
    let (before, rest) = authority.split_once('$')?;
    let (variable, behind) = if let Some(braced) = rest.strip_prefix('{') {
        braced.split_once('}')?
    } else {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest.split_at_checked(end.unwrap_or(rest.len()))?
    };
    let behind = if behind.starts_with('$') { "" } else { behind };
    (!behind.contains(['$', ':'])).then_some(Pattern {
        before,
        variable,
        behind,
    })
}

/// Whether a value is one variable and nothing else.
fn is_variable(value: &str) -> bool {
    let name = value.trim_start_matches('$').trim_matches(['{', '}']);
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A variable's name without `$` and braces, in lower case.
fn bare(variable: &str) -> String {
    let name = variable.trim_start_matches('$').trim_matches(['{', '}']);
    name.to_ascii_lowercase()
}
