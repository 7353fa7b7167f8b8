//! Changes of routes, and of the nginx blocks that routes choose by.

use std::borrow::Cow;

use super::change::{Kind, Recorder};
use super::health::time;
use super::matching::Matching;
use crate::model::{
    Condition, Engine, Instance, NextUpstream, PathMatch, Route, Split, SplitKind, SplitPart,
    Target, Text,
};

/// What a route of one side is recognised by on the other.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    /// Index of the listener on the new side; of the old side where it is gone.
    listener: Option<(bool, usize)>,
    condition: String,
}

/// Both sides with what is already known of them.
struct Routes<'a> {
    old: &'a Instance,
    new: &'a Instance,
    listeners: &'a Matching,
    backends: &'a Matching,
}

/// Records what differs between the routes of two instances.
///
/// Routes are paired by listener and condition; what is left of a listener by where it leads, which
/// makes it a changed condition.
pub(super) fn compare(
    (old, new): (&Instance, &Instance),
    listeners: &Matching,
    backends: &Matching,
    out: &mut Recorder,
) {
    let routes = Routes {
        old,
        new,
        listeners,
        backends,
    };
    let matching = routes.pair();
    for (one, other) in matching.in_new_order() {
        let before = one.and_then(|one| old.routes.get(one));
        if let Some(after) = new.routes.get(other) {
            routes.route(before, after, out);
        }
    }
    for one in matching.only_old() {
        if let Some(before) = old.routes.get(one) {
            routes.at_old(out, before);
            out.record(Kind::RouteRemoved, Some(target(old, before)), None);
        }
    }
    routes.order(&matching, out);
    out.at.listener = None;
    out.at.route = None;
    splits(old, new, out);
}

impl Routes<'_> {
    fn pair(&self) -> Matching {
        let (olds, news) = (&self.old.routes, &self.new.routes);
        let keys = |routes: &[Route], old: bool| -> Vec<Option<Key>> {
            let key = |route: &Route| Key {
                listener: self.listener(route, old),
                condition: identity(&route.condition),
            };
            routes.iter().map(|route| Some(key(route))).collect()
        };
        let goals = |routes: &[Route], old: bool| -> Vec<Option<Key>> {
            let key = |route: &Route| Key {
                listener: self.listener(route, old),
                condition: self.goal(route, old),
            };
            routes.iter().map(|route| Some(key(route))).collect()
        };
        Matching::new(olds.len(), news.len())
            .by_key(keys(olds, true), keys(news, false))
            .by_key(goals(olds, true), goals(news, false))
    }

    /// The listener of a route, by its number on the new side where it is there.
    fn listener(&self, route: &Route, old: bool) -> Option<(bool, usize)> {
        let own = route.listener?;
        if !old {
            return Some((false, own));
        }
        let partner = self.listeners.of_old.get(own).copied().flatten();
        Some(partner.map_or((true, own), |partner| (false, partner)))
    }

    /// Where a route leads, the same text on both sides for the same backend.
    fn goal(&self, route: &Route, old: bool) -> String {
        match &route.target {
            Target::Backend(index) => {
                let partner = self.backends.of_old.get(*index).copied().flatten();
                match (old, partner) {
                    (false, _) => format!("backend {index}"),
                    (true, Some(partner)) => format!("backend {partner}"),
                    (true, None) => format!("old backend {index}"),
                }
            }
            Target::Undefined(name) => format!("undefined {name}"),
            Target::Dynamic(text) => format!("dynamic {text}"),
        }
    }

    fn at(out: &mut Recorder, instance: &Instance, route: &Route) {
        let listener = route
            .listener
            .and_then(|index| instance.listeners.get(index));
        out.at.listener = listener.map(|listener| listener.name.clone());
        out.at.route = Some(Text::from(&*words(&route.condition)));
    }

    /// As [`Self::at`], by the name that the listener has now.
    fn at_old(&self, out: &mut Recorder, route: &Route) {
        Self::at(out, self.old, route);
        if let Some((false, index)) = self.listener(route, true) {
            let listener = self.new.listeners.get(index);
            out.at.listener = listener.map(|listener| listener.name.clone());
        }
    }

    fn route(&self, before: Option<&Route>, after: &Route, out: &mut Recorder) {
        Self::at(out, self.new, after);
        let Some(before) = before else {
            out.record(Kind::RouteAdded, None, Some(target(self.new, after)));
            return;
        };
        if identity(&before.condition) != identity(&after.condition) {
            let shown = [before, after].map(|route| words(&route.condition).into_owned());
            let [old, new] = shown.map(Some);
            out.record(Kind::RouteCondition, old, new);
        }
        if self.goal(before, true) != self.goal(after, false) {
            let (old, new) = (target(self.old, before), target(self.new, after));
            out.record(Kind::RouteTarget, Some(old), Some(new));
        }
        if self.old.engine == self.new.engine {
            let timeout = |route: &Route| {
                let setting = route.connect_timeout?;
                setting.known().copied()
            };
            out.compare(
                Kind::TimeoutConnect,
                (timeout(before), timeout(after)),
                |value| value.map(time),
            );
            let retry = |route: &Route| route.next_upstream.as_ref().map(retries);
            out.compare(Kind::RouteRetry, (retry(before), retry(after)), |words| {
                words
            });
        }
    }

    /// HAProxy takes the first route whose condition holds.
    fn order(&self, matching: &Matching, out: &mut Recorder) {
        if self.old.engine != Engine::Haproxy || self.new.engine != Engine::Haproxy {
            return;
        }
        let mut last: Vec<Option<usize>> = vec![None; self.new.listeners.len()];
        let mut told = vec![false; self.new.listeners.len()];
        for (one, other) in matching.in_new_order() {
            let route = self.new.routes.get(other);
            let (Some(one), Some(listener)) = (one, route.and_then(|route| route.listener)) else {
                continue;
            };
            let (Some(last), Some(told)) = (last.get_mut(listener), told.get_mut(listener)) else {
                continue;
            };
            if last.is_some_and(|last| last > one) && !*told {
                *told = true;
                let name = self.new.listeners.get(listener).map(|one| one.name.clone());
                out.at.listener = name;
                out.at.route = None;
                out.record(Kind::RouteOrder, None, None);
            }
            *last = (*last).max(Some(one));
        }
    }
}

/// The name of what a route leads to.
fn target(instance: &Instance, route: &Route) -> String {
    match &route.target {
        Target::Backend(index) => {
            let backend = instance.backends.get(*index);
            backend.map_or_else(String::new, |backend| backend.name.to_string())
        }
        Target::Undefined(name) | Target::Dynamic(name) => name.to_string(),
    }
}

/// What tells conditions apart: the prefix `/` holds always.
fn identity(condition: &Condition) -> String {
    match condition {
        Condition::Path(PathMatch::Prefix(path)) if path == "/" => "always".to_owned(),
        Condition::Always
        | Condition::Path(_)
        | Condition::Host(_)
        | Condition::Random(_)
        | Condition::Opaque(_) => words(condition).into_owned(),
    }
}

/// A condition in words.
pub(super) fn words(condition: &Condition) -> Cow<'_, str> {
    match condition {
        Condition::Always => "always".into(),
        Condition::Path(PathMatch::Exact(path)) => format!("path = {path}").into(),
        Condition::Path(PathMatch::Prefix(path)) => format!("path {path}").into(),
        Condition::Path(PathMatch::Regex(path)) => format!("path ~ {path}").into(),
        Condition::Path(PathMatch::Named(name)) => name.as_str().into(),
        Condition::Host(names) => format!("host {}", names.join(" ")).into(),
        Condition::Random(draw) => {
            format!("rand({}) in {}..{}", draw.range, draw.from, draw.below).into()
        }
        Condition::Opaque(text) => text.as_str().into(),
    }
}

fn retries(next: &NextUpstream) -> String {
    let conditions = next.conditions.known().map(|all| all.join(" "));
    format!(
        "next_upstream {}, tries {}, timeout {}",
        conditions.as_deref().unwrap_or("unknown"),
        next.tries.value,
        time(next.timeout.value)
    )
}

fn splits(old: &Instance, new: &Instance, out: &mut Recorder) {
    let used = |instance: &Instance| -> Vec<Option<Text>> {
        let all = instance.splits.iter();
        let key = |split: &Split| split.used_by.map(|_| split.variable.clone());
        all.map(key).collect()
    };
    let matching = Matching::new(old.splits.len(), new.splits.len()).by_key(used(old), used(new));
    for (one, other) in matching.in_new_order() {
        let (Some(before), Some(after)) = (
            one.and_then(|one| old.splits.get(one)),
            new.splits.get(other),
        ) else {
            continue;
        };
        out.at.route = Some(after.variable.clone());
        let (gone, fresh) = (parts_of(before), parts_of(after));
        if gone != fresh {
            out.record(
                Kind::RouteSplit,
                Some(gone.join(", ")),
                Some(fresh.join(", ")),
            );
        }
    }
    out.at.route = None;
}

/// What a block gives, entry by entry.
fn parts_of(split: &Split) -> Vec<String> {
    let kind = match split.kind {
        SplitKind::SplitClients => "split_clients",
        SplitKind::Map => "map",
        SplitKind::Geo => "geo",
    };
    let part = |part: &SplitPart| format!("{} {}", part.pattern, part.value);
    std::iter::once(format!("{kind} {}", split.key))
        .chain(split.parts.iter().map(part))
        .collect()
}
