//! HAProxy `leastconn` up to 3.1 (`lb_fwlc.c`): a tree ordered by connections per weight.

use std::collections::BTreeSet;

use super::super::pool::Pool;

/// Largest effective weight: 256 units of 16.
const MOST_WEIGHT: u64 = 4096;

/// The servers of each tier by key, first come first served within equal keys.
#[derive(Debug)]
pub(super) struct LeastConn {
    trees: [BTreeSet<(u64, u64, usize)>; 2],
    places: Vec<Option<Place>>,
    arrivals: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    key: u64,
    arrival: u64,
    backup: bool,
}

impl LeastConn {
    pub(super) fn new(pool: &Pool<'_>) -> Self {
        let mut state = Self {
            trees: [BTreeSet::new(), BTreeSet::new()],
            places: vec![None; pool.members.len()],
            arrivals: 0,
        };
        for (server, member) in pool.members.iter().enumerate() {
            let weight = if member.usable { member.weight } else { 0 };
            state.update(server, member.backup, weight, 0);
        }
        state
    }

    /// The first server that has room.
    pub(super) fn pick(&self, backup: bool, full: impl Fn(usize) -> bool) -> Option<usize> {
        let tree = self.trees.get(usize::from(backup))?;
        let mut servers = tree.iter().map(|(_, _, server)| *server);
        servers.find(|server| !full(*server))
    }

    /// `fwlc_srv_reposition`: moves a server whose key changed to the tail of its new key; weight 0
    /// takes it out.
    pub(super) fn update(&mut self, server: usize, backup: bool, weight: u32, inflight: u32) {
        let key = match u64::from(inflight) {
            0 => 0,
            count => (count + 1) * MOST_WEIGHT / u64::from(weight * 16).max(1),
        };
        let Some(slot) = self.places.get_mut(server) else {
            return;
        };
        if slot.is_some_and(|place| place.key == key && weight > 0) {
            return;
        }
        if let Some(place) = slot.take()
            && let Some(tree) = self.trees.get_mut(usize::from(place.backup))
        {
            tree.remove(&(place.key, place.arrival, server));
        }
        if weight == 0 {
            return;
        }
        self.arrivals += 1;
        let arrival = self.arrivals;
        *slot = Some(Place {
            key,
            arrival,
            backup,
        });
        if let Some(tree) = self.trees.get_mut(usize::from(backup)) {
            tree.insert((key, arrival, server));
        }
    }
}
