//! Which routes lead to a backend and which start at a listener.
//!
//! In: a complete instance. Out: the numbers of its routes by backend and by listener, those included
//! that name a backend only while running, as far as the configuration shows which it may be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Flow, Instance, Target, Text};

/// Ways that are noted for names made while running, so that many patterns beside many backends stay cheap.
const MOST_MADE: usize = 100_000;

/// The numbers of routes by where they lead and where they start.
#[derive(Clone, Debug, Default)]
pub(super) struct RouteIndex {
    to_backend: Vec<Vec<usize>>,
    from_listener: Vec<Vec<usize>>,
}

impl RouteIndex {
    pub(super) fn new(instance: &Instance) -> Self {
        let mut index = Self {
            to_backend: vec![Vec::new(); instance.backends.len()],
            from_listener: vec![Vec::new(); instance.listeners.len()],
        };
        for (number, route) in instance.routes.iter().enumerate() {
            if let Target::Backend(backend) = route.target {
                index.leads(number, backend);
            }
            let listener = route.listener;
            if let Some(list) = listener.and_then(|at| index.from_listener.get_mut(at)) {
                list.push(number);
            }
        }
        for (number, backend) in made_routes(instance)
            .into_iter()
            .chain(valued_routes(instance))
        {
            index.leads(number, backend);
        }
        index
    }

    /// The routes that lead to the backend at `index`.
    pub(super) fn at_backend(&self, index: usize) -> &[usize] {
        self.to_backend.get(index).map_or(&[], Vec::as_slice)
    }

    /// The routes that start at the listener at `index`.
    pub(super) fn at_listener(&self, index: usize) -> &[usize] {
        self.from_listener.get(index).map_or(&[], Vec::as_slice)
    }

    /// Notes that the route `number` leads to `backend`.
    fn leads(&mut self, number: usize, backend: usize) {
        if let Some(list) = self.to_backend.get_mut(backend) {
            list.push(number);
        }
    }
}

/// The routes whose target is `PREFIX%[…]SUFFIX`, each with every backend that is named so. A name that
/// is made as a whole tells nothing.
fn made_routes(instance: &Instance) -> Vec<(usize, usize)> {
    let made = |target: &Target| matches!(target, Target::Dynamic(name) if name.contains("%["));
    if !instance.routes.iter().any(|route| made(&route.target)) {
        return Vec::new();
    }
    let by_name: BTreeMap<&str, usize> = (instance.backends.iter().enumerate())
        .map(|(index, backend)| (backend.name.as_str(), index))
        .collect();
    let mut routes = Vec::new();
    for (number, route) in instance.routes.iter().enumerate() {
        let Target::Dynamic(name) = &route.target else {
            continue;
        };
        let parts = name.split_once("%[").zip(name.rsplit_once(']'));
        let Some(((prefix, _), (_, suffix))) = parts.filter(|((prefix, _), _)| !prefix.is_empty())
        else {
            continue;
        };
        let fits = |name: &str| name.len() > prefix.len() + suffix.len() && name.ends_with(suffix);
        let named = by_name.range(prefix..);
        let named = named.take_while(|(name, _)| name.starts_with(prefix));
        let left = MOST_MADE.saturating_sub(routes.len());
        routes.extend(
            named
                .take(left)
                .filter(|(name, _)| fits(name))
                .map(|(_, backend)| (number, *backend)),
        );
    }
    routes
}

/// The routes that a variable leads somewhere, each with every backend that its values name.
fn valued_routes(instance: &Instance) -> Vec<(usize, usize)> {
    if instance.splits.is_empty() && instance.assignments.is_empty() {
        return Vec::new();
    }
    let by_name: HashMap<Text, usize> = (instance.backends.iter().enumerate())
        .filter(|(_, backend)| backend.declared)
        .map(|(index, backend)| (backend.name.to_ascii_lowercase(), index))
        .collect();
    let mut flow = Flow::new(instance);
    let mut routes = BTreeSet::new();
    for (number, route) in instance.routes.iter().enumerate() {
        let candidates = flow.candidates(route);
        let named = candidates
            .iter()
            .filter_map(|it| by_name.get(it.host.as_str()));
        routes.extend(named.map(|backend| (number, *backend)));
    }
    routes.into_iter().collect()
}
