//! nginx `hash KEY consistent` (`ngx_http_upstream_hash_module.c`): 160 points per unit of weight,
//! placed by the text of the `server` line.

use foldhash::{HashMap, HashMapExt as _};

use super::fraction::part;
use super::losses::Losses;
use super::places::{Places, owner, position};
use super::pool::Pool;
use super::ring::SPACE;
use super::weights::proportional;
use super::{Share, chain};

/// Points per unit of weight.
const POINTS_PER_WEIGHT: usize = 160;

/// Rings above this are not built: 2^23 points take 64 MB.
const MOST_POINTS: usize = 1 << 23;

/// Points that are tried before plain round robin decides.
pub(crate) const MOST_TRIES: usize = 20;

/// The ring and the peers behind each of its names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ketama {
    /// Sorted points, each `hash << 32 | name`, one per hash.
    points: Places,
    names: Names,
}

impl Ketama {
    /// The ring of all primaries, down ones included; `None` when it would be too large.
    pub(crate) fn new(pool: &Pool<'_>) -> Option<Self> {
        let (names, heaviest) = Names::new(pool);
        let points = |weight: u32| weight as usize * POINTS_PER_WEIGHT;
        let counts = heaviest.iter().map(|(_, weight)| points(*weight));
        let count = counts.clone().sum();
        if count > MOST_POINTS {
            return None;
        }
        let mut hashes = Vec::with_capacity(count);
        for (name, weight) in &heaviest {
            chain::extend(&mut hashes, name, points(*weight));
        }
        Some(Self {
            points: Places::new(&hashes, counts.enumerate()).without_doubles(),
            names,
        })
    }

    fn points(&self) -> &[u64] {
        self.points.as_slice()
    }

    /// The position of the first point at or above the hash of a key, around the ring.
    pub(crate) fn position(&self, key: &[u8]) -> usize {
        let position = self.points.at_or_above(crc32fast::hash(key));
        if position < self.points().len() {
            position
        } else {
            0
        }
    }

    /// The servers behind the point at a position, which goes around the ring.
    pub(crate) fn peers(&self, position: usize) -> &[usize] {
        let point = position
            .checked_rem(self.points().len())
            .and_then(|at| self.points().get(at));
        point.map_or(&[], |point| self.names.peers(owner(*point)))
    }

    /// The hash values that fall to each name that `serves`, and those that no point within reach
    /// serves.
    fn arcs(&self, serves: &[bool]) -> (Vec<u64>, u64) {
        let all = serves.iter().all(|serves| *serves);
        let serves = |name: usize| serves.get(name).copied().unwrap_or(false);
        // A ring has thousands of points: nothing is asked of each where all serve.
        let found = if all {
            self.arcs_in_reach(|_| true)
        } else {
            self.arcs_in_reach(serves)
        };
        if let Some(arcs) = found {
            return (arcs, 0);
        }
        let (mut arcs, mut lost) = (vec![0; self.names.ends.len()], 0);
        let mut ahead = self.ahead_of_all(serves);
        for (index, point) in self.points().iter().enumerate().rev() {
            ahead.step(owner(*point), serves(owner(*point)));
            let arc = self.arc_before(index);
            match ahead.reachable().and_then(|name| arcs.get_mut(name)) {
                Some(sum) => *sum += arc,
                None => lost += arc,
            }
        }
        (arcs, lost)
    }

    /// The hash values that fall to each name that `serves`: those from the serving point below each
    /// of its own. `None` where some do not reach the next one.
    #[inline(never)] // Among its callers' variables these do not all stay in registers.
    fn arcs_in_reach(&self, serves: impl Fn(usize) -> bool) -> Option<Vec<u64>> {
        let mut arcs = vec![0u64; self.names.ends.len()];
        // The point below the first one is the last one, a turn before.
        let mut down = self.points().iter().rev().enumerate();
        let (mut passed, last) = down.find(|(_, point)| serves(owner(**point)))?;
        let mut below = position(*last).wrapping_sub(SPACE);
        for point in self.points() {
            let (name, here) = (owner(*point), position(*point));
            if !serves(name) {
                passed += 1;
                continue;
            }
            if passed > MOST_TRIES {
                return None;
            }
            if let Some(arc) = arcs.get_mut(name) {
                *arc += here.wrapping_sub(below);
            }
            (below, passed) = (here, 0);
        }
        Some(arcs)
    }

    /// What the failure of each peer does to the others; `None` where several peers share a name.
    pub(crate) fn losses(&self, pool: &Pool<'_>) -> Option<Losses> {
        if self.names.ends.len() < self.names.peers.len() {
            return None;
        }
        let peer = |name: usize| self.names.peers.get(name).copied();
        let up = |name: usize| peer(name).and_then(|peer| pool.members.get(peer));
        let serves = |name: usize| up(name).is_some_and(|member| member.usable);
        let mut losses = Losses::new(SPACE, pool.members.len());
        let mut ahead = self.ahead_of_all(serves);
        for (index, point) in self.points().iter().enumerate().rev() {
            ahead.step(owner(*point), serves(owner(*point)));
            let name = ahead.reachable().and_then(peer);
            let heir = ahead.reachable_without().and_then(peer);
            losses.add(name, heir, self.arc_before(index));
        }
        Some(losses)
    }

    /// The hash values in order: `run(end, peer)` makes each run of them, up to `end`, itself excluded, of
    /// the first usable peer of the name that serves it; without one where round robin decides.
    pub(crate) fn runs<T>(&self, pool: &Pool<'_>, run: impl Fn(u64, Option<usize>) -> T) -> Vec<T> {
        let up = |index: &&usize| {
            pool.members
                .get(**index)
                .is_some_and(|member| member.usable)
        };
        let peers: Vec<Option<usize>> = (self.names.all())
            .map(|peers| peers.iter().find(up).copied())
            .collect();
        let peer = |name: usize| peers.get(name).copied().flatten();
        let mut ahead = self.ahead_of_all(|name| peer(name).is_some());
        let mut runs = Vec::with_capacity(self.points().len() + 1);
        // Values behind the last point belong to the first one.
        runs.push(run(SPACE, ahead.reachable().and_then(peer)));
        for point in self.points().iter().rev() {
            ahead.step(owner(*point), peer(owner(*point)).is_some());
            runs.push(run((point >> 32) + 1, ahead.reachable().and_then(peer)));
        }
        runs.reverse();
        runs
    }

    /// What lies ahead of the last point: the first ones.
    fn ahead_of_all(&self, serves: impl Fn(usize) -> bool) -> Ahead {
        let mut ahead = Ahead::default();
        for point in self.points().iter().take(MOST_TRIES + 1).rev() {
            ahead.step(owner(*point), serves(owner(*point)));
        }
        ahead
    }

    /// The hash values from the point before `index`, itself excluded, up to the one at `index`.
    fn arc_before(&self, index: usize) -> u64 {
        let at = |index: usize| (self.points().get(index)).map_or(0, |point| position(*point));
        match index.checked_sub(1) {
            Some(before) => at(index) - at(before),
            None => at(0) + SPACE - at(self.points().len() - 1),
        }
    }
}

/// The peers of each name, in declaration order.
#[derive(Clone, Debug, Default)]
struct Names {
    /// Those of one name after the other.
    peers: Vec<usize>,
    /// Where those of each name end.
    ends: Vec<usize>,
}

impl Names {
    /// The names of all primaries with the largest weight beside each: the points of a name are a
    /// chain, so its heaviest line has those of the others.
    fn new<'a>(pool: &Pool<'a>) -> (Self, Vec<(&'a str, u32)>) {
        let size = pool.members.len();
        let mut heaviest: Vec<(&str, u32)> = Vec::with_capacity(size);
        let mut known: HashMap<&str, usize> = HashMap::with_capacity(size);
        let mut named: Vec<(usize, usize)> = Vec::with_capacity(size);
        for (index, member) in pool.members.iter().enumerate() {
            if member.backup {
                continue;
            }
            let text = member.text();
            let name = *known.entry(text).or_insert(heaviest.len());
            match heaviest.get_mut(name) {
                Some((_, weight)) => *weight = member.weight.max(*weight),
                None => heaviest.push((text, member.weight)),
            }
            named.push((name, index));
        }
        named.sort_by_key(|(name, _)| *name);
        let ends = (0..heaviest.len())
            .map(|name| named.partition_point(|(other, _)| *other <= name))
            .collect();
        let peers = named.into_iter().map(|(_, index)| index).collect();
        (Self { peers, ends }, heaviest)
    }

    /// The peers of one name.
    fn peers(&self, name: usize) -> &[usize] {
        let start = name
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied());
        let end = self.ends.get(name);
        let peers = start
            .zip(end)
            .and_then(|(start, end)| self.peers.get(start..*end));
        peers.unwrap_or_default()
    }

    /// Those of each name.
    fn all(&self) -> impl Iterator<Item = &[usize]> {
        (0..self.ends.len()).map(|name| self.peers(name))
    }
}

/// The nearest serving points ahead, while walking backwards: name and distance.
#[derive(Debug, Default)]
struct Ahead {
    found: Option<(usize, usize)>,
    /// The nearest one of another name.
    other: Option<(usize, usize)>,
}

impl Ahead {
    fn step(&mut self, name: usize, serves: bool) {
        let further = |found: Option<(usize, usize)>| found.map(|(name, far)| (name, far + 1));
        let is_other = serves && self.found.is_some_and(|(found, _)| found != name);
        self.other = further(if is_other { self.found } else { self.other });
        self.found = if serves {
            Some((name, 0))
        } else {
            further(self.found)
        };
    }

    /// The name that serves.
    fn reachable(&self) -> Option<usize> {
        within_reach(self.found)
    }

    /// The name that serves when that one is out.
    fn reachable_without(&self) -> Option<usize> {
        within_reach(self.other)
    }
}

fn within_reach(found: Option<(usize, usize)>) -> Option<usize> {
    let (name, distance) = found?;
    (distance <= MOST_TRIES).then_some(name)
}

/// The share of the ring of each peer; same-named peers share theirs by round robin.
pub(crate) fn shares(pool: &Pool<'_>, serving: &[usize]) -> Option<Vec<Share>> {
    let ring = pool.ketama()?;
    let up = |index: &usize| pool.members.get(*index).is_some_and(|member| member.usable);
    let serves: Vec<bool> = (ring.names.all())
        .map(|peers| peers.iter().any(up))
        .collect();
    let (arcs, lost) = ring.arcs(&serves);
    let mut shares = vec![Share::ZERO; pool.members.len()];
    for (peers, arc) in ring.names.all().zip(arcs) {
        deal(part(arc, SPACE), pool, peers, &mut shares);
    }
    if lost > 0 {
        let fallback = part(lost, SPACE);
        for (share, rest) in shares.iter_mut().zip(proportional(pool, serving)) {
            *share += rest * fallback;
        }
    }
    Some(shares)
}

/// Deals the share of a name out to its peers that are up.
fn deal(share: Share, pool: &Pool<'_>, peers: &[usize], shares: &mut [Share]) {
    let up = || pool.at(peers).filter(|(_, member)| member.usable);
    let total: u64 = up().map(|(_, member)| u64::from(member.weight)).sum();
    for (index, member) in up() {
        let weight = u64::from(member.weight);
        if let Some(own) = shares.get_mut(index) {
            // Nearly every peer has a name of its own, and nothing is left to reckon with fractions.
            *own = if weight == total {
                share
            } else {
                share * part(weight, total)
            };
        }
    }
}
