//! HAProxy `roundrobin` (`lb_fwrr.c`): a tree of the servers that still have a turn in this round,
//! one of those that had none yet, and one for the next round.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::pool::Pool;

/// Largest effective weight: 256 units of 16.
const MOST_WEIGHT: u32 = 4096;

/// Servers ordered by key, first come first served within equal keys:
/// `key << 96 | arrival << 32 | server`.
type Tree = BinaryHeap<Reverse<u128>>;

/// The round robin of the primaries and the one of the backups.
#[derive(Debug)]
pub(super) struct RoundRobin {
    groups: [Group; 2],
    places: Vec<Place>,
    arrivals: u64,
    aside: Vec<usize>,
}

#[derive(Debug, Default)]
struct Group {
    current: Tree,
    fresh: Tree,
    next: Tree,
    /// Sum of the effective weights of the usable servers.
    total: u32,
    /// The sum that the running round started with.
    round: u32,
    position: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    weight: u32,
    next: u32,
    last: u32,
    rest: u32,
    list: List,
    group: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    None,
    Fresh,
    Current,
    Next,
}

impl Group {
    fn tree(&mut self, list: List) -> Option<&mut Tree> {
        match list {
            List::None => None,
            List::Fresh => Some(&mut self.fresh),
            List::Current => Some(&mut self.current),
            List::Next => Some(&mut self.next),
        }
    }

    /// `fwrr_switch_trees`.
    fn switch(&mut self) {
        std::mem::swap(&mut self.fresh, &mut self.next);
        self.round = self.total;
        self.position = self.total;
    }
}

/// The server at the head of a tree.
fn head(tree: &Tree) -> Option<usize> {
    let Reverse(entry) = tree.peek()?;
    usize::try_from(entry & 0xffff_ffff).ok()
}

impl RoundRobin {
    /// `fwrr_init_server_groups`.
    pub(super) fn new(pool: &Pool<'_>) -> Self {
        let mut state = Self {
            groups: [Group::default(), Group::default()],
            places: vec![Place::default(); pool.members.len()],
            arrivals: 0,
            aside: Vec::new(),
        };
        for (server, member) in pool.members.iter().enumerate() {
            let group = usize::from(member.backup);
            if let Some(place) = state.places.get_mut(server) {
                place.group = group;
                place.weight = if member.usable { member.weight * 16 } else { 0 };
            }
            if member.usable {
                if let Some(group) = state.groups.get_mut(group) {
                    group.total += member.weight * 16;
                }
                state.insert_by_weight(server, List::Fresh);
            }
        }
        for group in &mut state.groups {
            group.round = group.total;
            group.position = group.total;
        }
        state
    }

    /// `fwrr_get_next_server` over the servers that are not `full`.
    pub(super) fn pick(&mut self, backup: bool, full: impl Fn(usize) -> bool) -> Option<usize> {
        let group = usize::from(backup);
        let mut switched = false;
        let chosen = loop {
            let Some(server) = self.take(group, &mut switched) else {
                break None;
            };
            if !full(server) {
                break Some(server);
            }
            self.aside.push(server);
        };
        if let Some(server) = chosen {
            self.requeue(server);
        }
        while let Some(server) = self.aside.pop() {
            if switched {
                // Their place was lost with the round, only their weight matters.
                self.insert_by_weight(server, List::Fresh);
            } else {
                self.requeue(server);
            }
        }
        chosen
    }

    /// Takes the server whose turn it is out of its tree and moves it on.
    fn take(&mut self, group: usize, switched: &mut bool) -> Option<usize> {
        let state = self.groups.get_mut(group)?;
        if state.round == 0 {
            state.round = state.total;
            state.position = state.total;
        }
        let places = &self.places;
        let due = |server: usize| places.get(server).map_or(0, |place| place.next);
        let (server, fresh) = loop {
            let current = head(&state.current);
            match (current, head(&state.fresh)) {
                (Some(server), _) if due(server) <= state.position => break (server, false),
                (_, Some(server)) => break (server, true),
                (Some(server), None) => break (server, false),
                (None, None) if *switched => return None,
                (None, None) => {
                    *switched = true;
                    state.switch();
                }
            }
        };
        let tree = if fresh {
            &mut state.fresh
        } else {
            &mut state.current
        };
        tree.pop();
        let place = self.places.get_mut(server)?;
        if fresh {
            (place.next, place.rest) = (0, 0);
        }
        place.list = List::None;
        place.advance(state.position, state.total);
        state.position += 1;
        Some(server)
    }

    /// `fwrr_queue_srv`: the place of a server in this round or the next one.
    fn requeue(&mut self, server: usize) {
        let Some(place) = self.places.get_mut(server) else {
            return;
        };
        let Some(group) = self.groups.get(place.group) else {
            return;
        };
        let (round, total) = (group.round, group.total);
        let next = place.next;
        if next >= round.wrapping_mul(2) || next >= round.wrapping_add(total) {
            place.next = next.wrapping_sub(round);
            self.insert_by_weight(server, List::Next);
        } else {
            let fine = (MOST_WEIGHT + place.rest).wrapping_sub(place.weight) / 16;
            let key = next.wrapping_mul(256).wrapping_add(fine);
            self.insert(server, List::Current, key);
        }
    }

    fn insert_by_weight(&mut self, server: usize, list: List) {
        let weight = self.places.get(server).map_or(0, |place| place.weight);
        self.insert(server, list, MOST_WEIGHT.saturating_sub(weight));
    }

    fn insert(&mut self, server: usize, list: List, key: u32) {
        let Some(place) = self.places.get_mut(server) else {
            return;
        };
        place.list = list;
        self.arrivals += 1;
        let number = u128::try_from(server).unwrap_or(0);
        let entry = u128::from(key) << 96 | u128::from(self.arrivals) << 32 | number;
        let group = self.groups.get_mut(place.group);
        if let Some(tree) = group.and_then(|group| group.tree(list)) {
            tree.push(Reverse(entry));
        }
    }

    fn remove(&mut self, server: usize) {
        let Some(place) = self.places.get_mut(server) else {
            return;
        };
        let list = std::mem::take(&mut place.list);
        let number = u128::try_from(server).unwrap_or(0);
        let group = self.groups.get_mut(place.group);
        if let Some(tree) = group.and_then(|group| group.tree(list)) {
            tree.retain(|Reverse(entry)| entry & 0xffff_ffff != number);
        }
    }

    /// Gives a server another weight, 0 when it is out: `fwrr_set_server_status_down`, `…_up`,
    /// `fwrr_update_server_weight`.
    pub(super) fn set_weight(&mut self, server: usize, weight: u32) {
        let Some(place) = self.places.get_mut(server) else {
            return;
        };
        let (old, new) = (place.weight, weight * 16);
        place.weight = new;
        if let Some(group) = self.groups.get_mut(place.group) {
            group.total = group.total - old + new;
        }
        if old == new {
            return;
        }
        if new == 0 {
            self.remove(server);
        } else if old == 0 {
            self.come_up(server);
        } else {
            self.reweigh(server);
        }
    }

    fn come_up(&mut self, server: usize) {
        let Some(place) = self.places.get_mut(server) else {
            return;
        };
        let Some(group) = self.groups.get(place.group) else {
            return;
        };
        let ahead = (group.total + group.round).wrapping_sub(group.position);
        place.next = group.position.wrapping_add(ahead / place.weight);
        self.requeue(server);
    }

    fn reweigh(&mut self, server: usize) {
        let list = self
            .places
            .get(server)
            .map_or(List::None, |place| place.list);
        self.remove(server);
        if list == List::Fresh {
            self.insert_by_weight(server, List::Fresh);
            return;
        }
        let Some(place) = self.places.get_mut(server) else {
            return;
        };
        let Some(group) = self.groups.get(place.group) else {
            return;
        };
        if list == List::Next {
            place.next = place.next.wrapping_add(group.round);
        }
        let step = group.total / place.weight;
        place.next = place.next.min(place.last.wrapping_add(step));
        place.rest = 0;
        if place.next < group.position.wrapping_add(2) {
            place.next = group.position.wrapping_add(step);
        }
        self.requeue(server);
    }
}

impl Place {
    /// `fwrr_update_position`.
    fn advance(&mut self, position: u32, total: u32) {
        if self.next == 0 {
            self.next = position;
        }
        self.last = self.next;
        let weight = self.weight.max(1);
        self.next = self.next.wrapping_add(total / weight);
        self.rest += total % weight;
        if self.rest >= weight {
            self.rest -= weight;
            self.next = self.next.wrapping_add(1);
        }
    }
}
