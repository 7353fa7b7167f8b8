//! HAProxy's consistent hash ring (`lb_chash.c`): 16 nodes per unit of weight, and every hash value
//! belongs to the closest node.

use super::Share;
use super::fraction::part;
use super::hash::avalanche;
use super::pool::Pool;

/// Nodes per unit of weight (`BE_WEIGHT_SCALE`).
const NODES_PER_WEIGHT: u32 = 16;

/// Rings above this are not built: 2^23 nodes take 64 MB. 2,000 servers of weight 256 are allowed.
const MOST_NODES: u64 = 1 << 23;

/// The size of the hash space.
pub(crate) const SPACE: u64 = 1 << 32;

/// The ring: nodes sorted by place, each `place << 32 | server index`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    nodes: Vec<u64>,
    /// Where the nodes of each run of places begin, for look-ups; empty until [`Ring::indexed`].
    index: Vec<u32>,
    /// Places are shifted by this to get their run.
    shift: u32,
}

/// The server of a node.
fn owner(node: u64) -> usize {
    usize::try_from(node & 0xffff_ffff).unwrap_or(usize::MAX)
}

/// The place of a node.
fn place(node: u64) -> u64 {
    node >> 32
}

impl Ring {
    /// The ring of the serving members; `None` when it would be too large.
    pub(crate) fn new(pool: &Pool<'_>, serving: &[usize]) -> Option<Self> {
        let weights = pool.at(serving).map(|(_, member)| u64::from(member.weight));
        let count = weights.sum::<u64>() * u64::from(NODES_PER_WEIGHT);
        if count > MOST_NODES {
            return None;
        }
        let mut nodes = Vec::with_capacity(usize::try_from(count).ok()?);
        for (index, member) in pool.at(serving) {
            let server = u64::try_from(index).ok()?;
            let numbers = 0..member.weight * NODES_PER_WEIGHT;
            nodes.extend(numbers.map(|number| {
                u64::from(avalanche(member.base.wrapping_add(number))) << 32 | server
            }));
        }
        // By place alone: equal places keep the order of the servers.
        radsort::sort_by_key(&mut nodes, |node| {
            u32::try_from(*node >> 32).unwrap_or(u32::MAX)
        });
        Some(Self {
            nodes,
            index: Vec::new(),
            shift: 0,
        })
    }

    /// The same ring with an index, so that a look-up costs about the same for every size.
    pub(crate) fn indexed(mut self) -> Self {
        let bits = (usize::BITS - self.nodes.len().leading_zeros()).clamp(1, 22);
        self.shift = 32 - bits;
        self.index = Vec::with_capacity((1 << bits) + 1);
        for (position, node) in (0u32..).zip(&self.nodes) {
            let run = usize::try_from(place(*node) >> self.shift).unwrap_or(0);
            while self.index.len() <= run {
                self.index.push(position);
            }
        }
        let end = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.index.resize((1 << bits) + 1, end);
        self
    }

    /// The position of the first node at `hash` or above, the number of nodes past the last one.
    fn at_or_above(&self, hash: u32) -> usize {
        let run = usize::try_from(hash >> self.shift).unwrap_or(0);
        let bounds = self.index.get(run..).and_then(|rest| rest.get(..2));
        let range = match bounds {
            Some([from, to]) => *from as usize..*to as usize,
            _ => 0..self.nodes.len(),
        };
        let from = range.start;
        let nodes = self.nodes.get(range).unwrap_or_default();
        from + nodes.partition_point(|node| place(*node) < u64::from(hash))
    }

    /// The position of the node closest to `hash` (`chash_get_server_hash`).
    pub(crate) fn closest(&self, hash: u32) -> usize {
        let above = self.at_or_above(hash);
        let above = if above == self.nodes.len() { 0 } else { above };
        let below = above
            .checked_sub(1)
            .unwrap_or(self.nodes.len().saturating_sub(1));
        let at = |position: usize| {
            let node = self.nodes.get(position).copied().unwrap_or(0);
            u32::try_from(place(node)).unwrap_or(0)
        };
        let (down, up) = (hash.wrapping_sub(at(below)), at(above).wrapping_sub(hash));
        if down <= up { below } else { above }
    }

    /// The server of the node at a position.
    pub(crate) fn server(&self, position: usize) -> Option<usize> {
        self.nodes.get(position).map(|node| owner(*node))
    }

    /// The position behind `position`, around the ring.
    pub(crate) fn next(&self, position: usize) -> usize {
        let next = position + 1;
        if next < self.nodes.len() { next } else { 0 }
    }

    /// The first node behind one that may have left the ring, the lowest for none.
    pub(crate) fn behind(&self, node: Option<u64>) -> usize {
        let Some(node) = node else { return 0 };
        let position = self.nodes.partition_point(|other| *other <= node);
        if position < self.nodes.len() {
            position
        } else {
            0
        }
    }

    /// The node at a position, for [`Ring::behind`].
    pub(crate) fn node(&self, position: usize) -> Option<u64> {
        self.nodes.get(position).copied()
    }

    /// The hash values in order: the server of each run of them and where it ends, itself excluded.
    pub(crate) fn runs(&self) -> Vec<(u64, usize)> {
        let (Some(first), Some(last)) = (self.nodes.first(), self.nodes.last()) else {
            return Vec::new();
        };
        // Between two nodes the lower one takes the values up to the middle, as in `arcs`.
        let end = |below: u64, above: u64| below + (above - below) / 2 + 1;
        let around = end(place(*last), place(*first) + SPACE);
        let mut runs = Vec::with_capacity(self.nodes.len() + 1);
        if around > SPACE {
            runs.push((around - SPACE, owner(*last)));
        }
        let pairs = self.nodes.iter().zip(self.nodes.iter().skip(1));
        runs.extend(pairs.map(|(below, above)| (end(place(*below), place(*above)), owner(*below))));
        runs.push((around.min(SPACE), owner(*last)));
        if around < SPACE {
            runs.push((SPACE, owner(*first)));
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
        let around = self.nodes.iter().skip(from).map(|node| (0, *node));
        let again = self.nodes.iter().take(from + 1).map(|node| (SPACE, *node));
        // The nodes are unrolled from one whose neighbour below is of another server, so that no run
        // goes around the end; the first node comes once more to close the circle.
        let mut below: Option<(u64, usize)> = self.last_before(from);
        let mut run: Option<(usize, u64, u64)> = None;
        for (turn, node) in around.chain(again) {
            let (at, server) = (place(node) + turn, owner(node));
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
        let servers = self.nodes.iter().map(|node| owner(*node));
        let next = self.nodes.iter().skip(1).map(|node| owner(*node));
        let change = servers.zip(next).position(|(one, other)| one != other)?;
        Some(change + 1)
    }

    /// Place and server of the node below a position above 0.
    fn last_before(&self, position: usize) -> Option<(u64, usize)> {
        let node = self.nodes.get(position.checked_sub(1)?)?;
        Some((place(*node), owner(*node)))
    }

    /// How many of the 2^32 hash values each of `members` servers owns.
    ///
    /// Between two neighbouring nodes the lower one takes the values up to the middle, itself
    /// excluded (`dp <= dn` in `chash_get_server_hash`). Of nodes at the same place the first one
    /// looks down and the last one looks up.
    pub(crate) fn arcs(&self, members: usize) -> Vec<u64> {
        let mut arcs = vec![0; members];
        let mut give = |server: usize, values: u64| {
            if let Some(arc) = arcs.get_mut(server) {
                *arc += values;
            }
        };
        let Some(mut below) = self.nodes.last().copied() else {
            return arcs;
        };
        let mut first = true;
        for node in &self.nodes {
            // The first node closes the circle: its gap begins at the last node.
            let gap = if first {
                place(*node) + SPACE - place(below)
            } else {
                place(*node) - place(below)
            };
            give(owner(below), gap / 2);
            give(owner(*node), gap - gap / 2);
            below = *node;
            first = false;
        }
        arcs
    }
}

/// The share of the ring of each server.
pub(crate) fn shares(pool: &Pool<'_>, serving: &[usize]) -> Option<Vec<Share>> {
    let arcs = Ring::new(pool, serving)?.arcs(pool.members.len());
    Some(arcs.into_iter().map(|arc| part(arc, SPACE)).collect())
}
