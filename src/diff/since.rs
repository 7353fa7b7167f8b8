//! Which objects of the new side a comparison touched: findings on others are old news.

use std::collections::{HashMap, HashSet};

use super::Diff;
use crate::finding::Finding;
use crate::model::Text;

/// The objects with a change, by instance of the new side.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    instances: HashMap<usize, Objects>,
    introduced: HashSet<usize>,
}

#[derive(Clone, Debug, Default)]
struct Objects {
    /// Backends with any change.
    backends: HashSet<Text>,
    /// Backends of which more changed than single servers.
    whole_backends: HashSet<Text>,
    servers: HashSet<(Text, Text)>,
    listeners: HashSet<Text>,
}

impl Touched {
    /// The objects that `diff` names.
    pub fn new(diff: &Diff) -> Self {
        let mut touched = Self {
            introduced: diff.findings.introduced.iter().copied().collect(),
            ..Self::default()
        };
        for change in &diff.changes {
            let Some(instance) = diff.pairs.get(change.pair).and_then(|pair| pair.new) else {
                continue;
            };
            let objects = touched.instances.entry(instance).or_default();
            objects.listeners.extend(change.listener.clone());
            let Some(backend) = change.backend.clone() else {
                continue;
            };
            match change.server.clone() {
                Some(server) => {
                    objects.servers.insert((backend.clone(), server));
                }
                None => {
                    objects.whole_backends.insert(backend.clone());
                }
            }
            objects.backends.insert(backend);
        }
        touched.add_traffic(diff);
        touched
    }

    /// A server whose share moves has changed, whichever line it was that moved it.
    fn add_traffic(&mut self, diff: &Diff) {
        for traffic in &diff.traffic {
            let instance = diff.pairs.get(traffic.pair).and_then(|pair| pair.new);
            let objects = instance.and_then(|instance| self.instances.get_mut(&instance));
            let moved = traffic.servers.iter().filter(|one| one.before != one.after);
            let names = moved.map(|one| (traffic.backend.clone(), one.server.clone()));
            if let Some(objects) = objects {
                objects.servers.extend(names);
            }
        }
    }

    /// Whether the finding at `index` of the new side is new, or about an object that changed.
    pub fn covers(&self, index: usize, finding: &Finding) -> bool {
        self.introduced.contains(&index)
            || (self.instances.get(&finding.instance)).is_some_and(|objects| objects.cover(finding))
    }
}

impl Objects {
    fn cover(&self, finding: &Finding) -> bool {
        let subject = &finding.subject;
        let listener =
            (subject.listener.as_ref()).is_some_and(|name| self.listeners.contains(name));
        let Some(backend) = &subject.backend else {
            return listener;
        };
        let backend_changed = match &subject.server {
            None => self.backends.contains(backend),
            Some(server) => {
                self.whole_backends.contains(backend)
                    || self.servers.contains(&(backend.clone(), server.clone()))
            }
        };
        listener || backend_changed
    }
}
