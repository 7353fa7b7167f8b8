//! `split_clients`, `map` and `geo`: blocks that give a variable one of several values.
//!
//! In: the blocks, the `set` and `if` directives, and the routes whose target has variables. Out: the
//! splits of the model. A `geo` can have a million entries, so the entries of a `map` or `geo` are
//! kept only when a route depends on its variable.

use std::collections::{HashMap, HashSet, VecDeque};

use super::cursor::{Children, Item, misses_a_file};
use super::pass::variables;
use super::refuse;
use super::upstream::arguments;
use crate::engine::nginx::include::Forest;
use crate::engine::nginx::name::Name;
use crate::engine::nginx::tree::Directive;
use crate::engine::nginx::value;
use crate::finding::Finding;
use crate::model::{Assignment, Instance, Split, SplitKind, SplitPart, Text};

/// Gathers what the splits of an instance depend on.
#[derive(Debug, Default)]
pub(super) struct Collector<'t> {
    blocks: Vec<Item<'t>>,
    /// Variables in the value of a `set`, by the variable it sets.
    sets: HashMap<Text, Vec<Text>>,
    assignments: Vec<Assignment>,
    /// Variables that an `if` asks to be empty or not.
    asked: HashSet<Text>,
    /// Variables in the targets of routes, with the first such route.
    wanted: VecDeque<(Text, usize)>,
}

impl<'t> Collector<'t> {
    /// Keeps a block.
    pub(super) fn block(&mut self, item: Item<'t>) {
        self.blocks.push(item);
    }

    /// Keeps what a `set` depends on, and its value.
    pub(super) fn set(&mut self, directive: Directive<'_>) {
        self.assignments.push(Assignment {
            variable: directive.text(1),
            value: directive.text(2),
            span: directive.span(),
        });
        let used = variables(&directive.text(2));
        if !used.is_empty() {
            let name = bare(&directive.text(1));
            self.sets.entry(name).or_default().extend(used);
        }
    }

    /// Keeps what an `if` asks for: `($v)`, `($v = "")`, `($v != "")`.
    pub(super) fn condition(&mut self, directive: Directive<'_>) {
        let text: String = arguments(directive)
            .chars()
            .filter(|c| !matches!(c, '(' | ')' | ' ' | '"' | '\'' | '!' | '='))
            .collect();
        if let [name] = variables(&text).as_slice()
            && bare(&text.as_str().into()) == *name
        {
            self.asked.insert(name.clone());
        }
    }

    /// Keeps the variables in the target of the route at `index`.
    pub(super) fn route(&mut self, index: usize, target: &Text) {
        let names = variables(target).into_iter().map(|name| (name, index));
        self.wanted.extend(names);
    }

    /// Makes the splits of the model.
    pub(super) fn finish(
        self,
        forest: &'t Forest,
        instance: &mut Instance,
        findings: &mut Vec<Finding>,
    ) {
        let headers: Vec<Header> = self
            .blocks
            .iter()
            .map(|item| Header::of(item.directive))
            .collect();
        let mut builder = Builder {
            forest,
            by_variable: by_variable(&headers),
            splits: headers.iter().map(Header::split).collect(),
            blocks: &self.blocks,
            keyed: HashSet::new(),
        };
        for (index, header) in headers.iter().enumerate() {
            if header.kind == SplitKind::SplitClients {
                builder.read_parts(index, findings);
            }
        }
        builder.follow(self.wanted, &self.sets, findings);
        let handled: HashSet<Text> = self.asked.union(&builder.keyed).cloned().collect();
        for (split, item) in std::iter::zip(&mut builder.splits, &self.blocks) {
            split.empty_handled = handled.contains(&bare(&split.variable))
                || split.used_by.is_some() && misses_a_file(forest, item.block());
        }
        instance.splits = builder.splits;
        instance.assignments = self.assignments;
    }
}

/// A variable's name without `$` and braces, lower-case.
fn bare(text: &Text) -> Text {
    let name = text.trim_start_matches('$').trim_matches(['{', '}']);
    Text::from(name.to_ascii_lowercase())
}

/// The first line of a block.
struct Header {
    kind: SplitKind,
    variable: Text,
    key: Text,
    span: crate::source::Span,
}

impl Header {
    fn of(directive: Directive<'_>) -> Self {
        let kind = if directive.is(Name::SplitClients) {
            SplitKind::SplitClients
        } else if directive.is(Name::Geo) {
            SplitKind::Geo
        } else {
            SplitKind::Map
        };
        // `geo $v` looks at the client address, `geo $address $v` at a variable.
        let (key, variable) = if directive.arguments() >= 2 {
            (directive.text(1), directive.text(2))
        } else {
            ("$remote_addr".into(), directive.text(1))
        };
        Self {
            kind,
            variable,
            key,
            span: directive.head(),
        }
    }

    fn split(&self) -> Split {
        Split {
            kind: self.kind,
            variable: self.variable.clone(),
            key: self.key.clone(),
            parts: Vec::new(),
            span: self.span,
            used_by: None,
            empty_handled: false,
        }
    }
}

fn by_variable(headers: &[Header]) -> HashMap<Text, Vec<usize>> {
    let mut map: HashMap<Text, Vec<usize>> = HashMap::new();
    for (index, header) in headers.iter().enumerate() {
        map.entry(bare(&header.variable)).or_default().push(index);
    }
    map
}

struct Builder<'b, 't> {
    forest: &'t Forest,
    by_variable: HashMap<Text, Vec<usize>>,
    splits: Vec<Split>,
    blocks: &'b [Item<'t>],
    /// Variables that a used `map` looks at: it has its own answer to an empty one.
    keyed: HashSet<Text>,
}

impl Builder<'_, '_> {
    /// Marks what the routes use, directly or through other variables.
    fn follow(
        &mut self,
        mut wanted: VecDeque<(Text, usize)>,
        sets: &HashMap<Text, Vec<Text>>,
        findings: &mut Vec<Finding>,
    ) {
        let mut seen = HashSet::new();
        while let Some((name, route)) = wanted.pop_front() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let through = sets.get(&name).into_iter().flatten().cloned();
            wanted.extend(through.map(|name| (name, route)));
            for index in self.by_variable.get(&name).cloned().unwrap_or_default() {
                let used = self.use_split(index, route, findings);
                wanted.extend(used.into_iter().map(|name| (name, route)));
            }
        }
    }

    /// Marks a split as used by `route`; the variables that it depends on are returned.
    fn use_split(&mut self, index: usize, route: usize, findings: &mut Vec<Finding>) -> Vec<Text> {
        let kind = self.splits.get(index).map(|split| split.kind);
        if kind.is_some_and(|kind| kind != SplitKind::SplitClients) {
            self.read_parts(index, findings);
        }
        let Some(split) = self.splits.get_mut(index) else {
            return Vec::new();
        };
        split.used_by = Some(route);
        let keys = variables(&split.key);
        if split.kind == SplitKind::Map {
            self.keyed.extend(keys.iter().cloned());
        }
        let values = split.parts.iter().flat_map(|part| variables(&part.value));
        values.chain(keys).collect()
    }

    fn read_parts(&mut self, index: usize, findings: &mut Vec<Finding>) {
        let (Some(&item), Some(split)) = (self.blocks.get(index), self.splits.get_mut(index))
        else {
            return;
        };
        let mut total = 0_u64;
        for entry in Children::of(self.forest, item.block()) {
            let directive = entry.directive;
            let Some(part) = part(directive, split.kind) else {
                continue;
            };
            if split.kind == SplitKind::SplitClients && part.pattern != "*" {
                match part.hundredths {
                    Some(share) => total += u64::from(share),
                    None => findings.push(refuse::percentage(part.span, &part.pattern)),
                }
            }
            split.parts.push(part);
        }
        if total > 10_000 {
            findings.push(refuse::split_over_whole(split.span, &split.variable, total));
        }
    }
}

/// One entry; `None` for the parameters that these blocks can have beside their entries.
fn part(directive: Directive<'_>, kind: SplitKind) -> Option<SplitPart> {
    let pattern = directive.text(0);
    let parameter = match kind {
        SplitKind::SplitClients => false,
        SplitKind::Map => matches!(pattern.as_str(), "include" | "hostnames" | "volatile"),
        SplitKind::Geo => matches!(
            pattern.as_str(),
            "include" | "ranges" | "proxy" | "proxy_recursive" | "delete" | "volatile"
        ),
    };
    if parameter {
        return None;
    }
    Some(SplitPart {
        hundredths: match kind {
            SplitKind::SplitClients => value::percentage(&pattern),
            SplitKind::Map | SplitKind::Geo => None,
        },
        pattern,
        value: directive.text(1),
        span: directive.span(),
    })
}
