//! HAProxy's consistent hash ring (`lb_chash.c`): 16 nodes per unit of weight, and every hash value
//! belongs to the closest node.

use super::Share;
use super::fraction::part;
use super::hash::avalanche;
use super::places::{Places, owner, position};
use super::pool::Pool;

pub(crate) use super::places::SPACE;

/// Nodes per unit of weight (`BE_WEIGHT_SCALE`).
const NODES_PER_WEIGHT: u32 = 16;

/// Rings above this are not built: 2^23 nodes take 64 MB. 2,000 servers of weight 256 are allowed.
const MOST_NODES: u64 = 1 << 23;

/// The ring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    nodes: Places,
}

impl Ring {
    /// The ring of the serving members; `None` when it would be too large.
    pub(crate) fn new(pool: &Pool<'_>, serving: &[usize]) -> Option<Self> {
        let weights = pool.at(serving).map(|(_, member)| u64::from(member.weight));
        let count = weights.sum::<u64>() * u64::from(NODES_PER_WEIGHT);
        if count > MOST_NODES {
            return None;
        }
        let nodes = |weight: u32| weight * NODES_PER_WEIGHT;
        let mut hashes = Vec::with_capacity(usize::try_from(count).ok()?);
        for (_, member) in pool.at(serving) {
            let numbers = 0..nodes(member.weight);
            hashes.extend(numbers.map(|number| avalanche(member.base.wrapping_add(number))));
        }
        let owners = pool
            .at(serving)
            .map(|(index, member)| (index, nodes(member.weight) as usize));
        Some(Self {
            nodes: Places::new(&hashes, owners),
        })
    }

    fn nodes(&self) -> &[u64] {
        self.nodes.as_slice()
    }

    /// The position of the node closest to `hash` (`chash_get_server_hash`).
    pub(crate) fn closest(&self, hash: u32) -> usize {
        let above = self.nodes.at_or_above(hash);
        let above = if above == self.nodes().len() {
            0
        } else {
            above
        };
        let below = above
            .checked_sub(1)
            .unwrap_or(self.nodes().len().saturating_sub(1));
        let at = |index: usize| {
            let node = self.nodes().get(index).copied().unwrap_or(0);
            u32::try_from(position(node)).unwrap_or(0)
        };
        let (down, up) = (hash.wrapping_sub(at(below)), at(above).wrapping_sub(hash));
        if down <= up { below } else { above }
    }

    /// The server of the node at a position.
    pub(crate) fn server(&self, position: usize) -> Option<usize> {
        self.nodes().get(position).map(|node| owner(*node))
    }

    /// The position behind `position`, around the ring.
    pub(crate) fn next(&self, position: usize) -> usize {
        let next = position + 1;
        if next < self.nodes().len() { next } else { 0 }
    }

    /// The first node behind one that may have left the ring, the lowest for none.
    pub(crate) fn behind(&self, node: Option<u64>) -> usize {
        let Some(node) = node else { return 0 };
        let position = self.nodes().partition_point(|other| *other <= node);
        if position < self.nodes().len() {
            position
        } else {
            0
        }
    }

    /// This node, or where it has left the ring the one behind it, if any.
    pub(crate) fn at_or_behind(&self, node: u64) -> Option<u64> {
        let position = self.nodes().partition_point(|other| *other < node);
        self.nodes().get(position).copied()
    }

    /// This node, or the first one behind it that is not `server`'s, if any.
    pub(crate) fn next_of_others(&self, node: u64, server: usize) -> Option<u64> {
        let position = self.nodes().partition_point(|other| *other < node);
        let mut nodes = self.nodes().iter().skip(position).copied();
        nodes.find(|node| owner(*node) != server)
    }

    /// The node at a position, for [`Ring::behind`].
    pub(crate) fn node(&self, position: usize) -> Option<u64> {
        self.nodes().get(position).copied()
    }

    /// The hash values in order: `run(end, server)` makes each run of them, up to `end`, itself excluded.
    pub(crate) fn runs<T>(&self, run: impl Fn(u64, usize) -> T) -> Vec<T> {
        let (Some(first), Some(last)) = (self.nodes().first(), self.nodes().last()) else {
            return Vec::new();
        };
        // Between two nodes the lower one takes the values up to the middle, as in `arcs`.
        let end = |below: u64, above: u64| below + (above - below) / 2 + 1;
        let around = end(position(*last), position(*first) + SPACE);
        let mut runs = Vec::with_capacity(self.nodes().len() + 1);
        if around > SPACE {
            runs.push(run(around - SPACE, owner(*last)));
        }
        let pairs = self.nodes().iter().zip(self.nodes().iter().skip(1));
        runs.extend(
            pairs.map(|(below, above)| run(end(position(*below), position(*above)), owner(*below))),
        );
        runs.push(run(around.min(SPACE), owner(*last)));
        if around < SPACE {
            runs.push(run(SPACE, owner(*first)));
        }
        runs
    }

    /// What the loss of one server adds to the arcs of the others: calls `gain(lost, heir, values)`.
    ///
    /// A run of nodes of one server leaves a gap between its neighbours, who share it by its middle.
    pub(crate) fn inheritance(&self, mut gain: impl FnMut(usize, usize, u64)) {
        let Some(from) = self.first_change() else {
            return;
        };
        let around = self.nodes().iter().skip(from).map(|node| (0, *node));
        let again = self
            .nodes()
            .iter()
            .take(from + 1)
            .map(|node| (SPACE, *node));
        // The nodes are unrolled from one whose neighbour below is of another server, so that no run
        // goes around the end; the first node comes once more to close the circle.
        let mut below: Option<(u64, usize)> = self.last_before(from);
        let mut run: Option<(usize, u64, u64)> = None;
        for (turn, node) in around.chain(again) {
            let (at, server) = (position(node) + turn, owner(node));
            match run {
                Some((lost, first, _)) if lost == server => run = Some((lost, first, at)),
                _ => {
                    if let (Some((low, left)), Some((lost, first, last))) = (below, run) {
                        let gap = at - low;
                        gain(lost, left, gap / 2 - (first - low) / 2);
                        gain(
                            lost,
                            server,
                            (gap - gap / 2) - ((at - last) - (at - last) / 2),
                        );
                        below = Some((last, lost));
                    }
                    run = Some((server, at, at));
                }
            }
        }
    }

    /// The first node whose neighbour below belongs to another server.
    fn first_change(&self) -> Option<usize> {
        let servers = self.nodes().iter().map(|node| owner(*node));
        let next = self.nodes().iter().skip(1).map(|node| owner(*node));
        let change = servers.zip(next).position(|(one, other)| one != other)?;
        Some(change + 1)
    }

    /// Place and server of the node below a position above 0.
    fn last_before(&self, index: usize) -> Option<(u64, usize)> {
        let node = self.nodes().get(index.checked_sub(1)?)?;
        Some((position(*node), owner(*node)))
    }

    /// How many of the 2^32 hash values each of `members` servers owns.
    ///
    /// Between two neighbouring nodes the lower one takes the values up to the middle, itself
    /// excluded (`dp <= dn` in `chash_get_server_hash`). Of nodes at the same place the first one
    /// looks down and the last one looks up.
    #[inline(never)] // Among its callers' variables these do not all stay in registers.
    pub(crate) fn arcs(&self, members: usize) -> Vec<u64> {
        let mut arcs = vec![0; members];
        let (Some(first), Some(last)) = (self.nodes().first(), self.nodes().last()) else {
            return arcs;
        };
        let mut give = |node: u64, values: u64| {
            if let Some(arc) = arcs.get_mut(owner(node)) {
                *arc += values;
            }
        };
        // The gap behind the last node closes the circle.
        let around = position(*first) + SPACE - position(*last);
        let mut start = position(*first).wrapping_sub(around - around / 2);
        let mut below = *first;
        for node in self.nodes().iter().skip(1) {
            let middle = u64::midpoint(position(below), position(*node));
            give(below, middle.wrapping_sub(start));
            start = middle;
            below = *node;
        }
        give(*last, (position(*last) + around / 2).wrapping_sub(start));
        arcs
    }
}

/// The share of the ring of each server.
pub(crate) fn shares(pool: &Pool<'_>) -> Option<Vec<Share>> {
    let arcs = pool.arcs()?.iter();
    Some(arcs.map(|arc| part(*arc, SPACE)).collect())
}
