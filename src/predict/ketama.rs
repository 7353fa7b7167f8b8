//! nginx `hash KEY consistent` (`ngx_http_upstream_hash_module.c`): 160 points per unit of weight,
//! placed by the text of the `server` line.

use foldhash::{HashMap, HashMapExt as _};

use super::Share;
use super::fraction::part;
use super::losses::Losses;
use super::places::{Places, owner, position};
use super::pool::Pool;
use super::ring::SPACE;
use super::weights::proportional;

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
    /// The peers that share each name, in declaration order.
    names: Vec<Vec<usize>>,
}

impl Ketama {
    /// The ring of all primaries, down ones included; `None` when it would be too large.
    pub(crate) fn new(pool: &Pool<'_>) -> Option<Self> {
        let mut ring = Self::default();
        let mut heaviest: Vec<(&str, u32)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (index, member) in pool.members.iter().enumerate() {
            if member.backup {
                continue;
            }
            let name = *known.entry(member.text).or_insert(heaviest.len());
            if name == heaviest.len() {
                heaviest.push((member.text, 0));
                ring.names.push(Vec::new());
            }
            ring.names.get_mut(name)?.push(index);
            // Points of a name are a chain, so the heaviest line of a name has those of the others.
            let entry = heaviest.get_mut(name)?;
            entry.1 = entry.1.max(member.weight);
        }
        let weights = heaviest.iter().map(|(_, weight)| *weight as usize);
        let count = weights.sum::<usize>() * POINTS_PER_WEIGHT;
        if count > MOST_POINTS {
            return None;
        }
        let mut hashes = vec![0; count];
        let mut rest = hashes.as_mut_slice();
        let points = |weight: u32| weight as usize * POINTS_PER_WEIGHT;
        for (name, weight) in &heaviest {
            let (own, others) = rest.split_at_mut(points(*weight));
            rest = others;
            let (own, _) = own.as_chunks_mut();
            for (hashes, points) in own.iter_mut().zip(Chain::new(name)) {
                *hashes = points;
            }
        }
        let owners = heaviest.iter().enumerate();
        let owners = owners.map(|(name, (_, weight))| (name, points(*weight)));
        ring.points = Places::new(&hashes, owners).without_doubles();
        Some(ring)
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
        point
            .and_then(|point| self.names.get(owner(*point)))
            .map_or(&[], Vec::as_slice)
    }

    /// The hash values that fall to each name that `serves`, and those that no point within reach
    /// serves.
    fn arcs(&self, serves: &[bool]) -> (Vec<u64>, u64) {
        let (mut arcs, mut lost) = (vec![0; self.names.len()], 0);
        if serves.iter().all(|serves| *serves) {
            self.own_arcs(&mut arcs);
            return (arcs, lost);
        }
        let serves = |name: usize| serves.get(name).copied().unwrap_or(false);
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

    /// What the failure of each peer does to the others; `None` where several peers share a name.
    pub(crate) fn losses(&self, pool: &Pool<'_>) -> Option<Losses> {
        let peers: Option<Vec<usize>> = (self.names.iter())
            .map(|peers| match peers.as_slice() {
                [peer] => Some(*peer),
                _ => None,
            })
            .collect();
        let peers = peers?;
        let peer = |name: usize| peers.get(name).copied();
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

    /// Adds to the arc of each name the hash values from the point below each of its own.
    fn own_arcs(&self, arcs: &mut [u64]) {
        let Some(last) = self.points().last() else {
            return;
        };
        // The point below the first one is the last one, a turn before.
        let mut below = position(*last).wrapping_sub(SPACE);
        for point in self.points() {
            if let Some(arc) = arcs.get_mut(owner(*point)) {
                *arc += position(*point).wrapping_sub(below);
            }
            below = position(*point);
        }
    }

    /// The hash values in order: `run(end, peer)` makes each run of them, up to `end`, itself excluded, of
    /// the first usable peer of the name that serves it; without one where round robin decides.
    pub(crate) fn runs<T>(&self, pool: &Pool<'_>, run: impl Fn(u64, Option<usize>) -> T) -> Vec<T> {
        let up = |index: &&usize| {
            pool.members
                .get(**index)
                .is_some_and(|member| member.usable)
        };
        let peers: Vec<Option<usize>> = (self.names.iter())
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

/// Points of a name that are computed side by side; 160 is a multiple of it.
const ABREAST: usize = 4;

/// The points of one name, [`ABREAST`] at a time: each is the crc32 of host, a zero byte, port and
/// the point before.
///
/// Each point would have to wait for the one before. But a crc is linear: from one point to the
/// fourth behind it the same table and the same constant lead everywhere on the chain.
#[derive(Debug)]
struct Chain {
    points: [u32; ABREAST],
    constant: u32,
}

impl Chain {
    fn new(name: &str) -> Self {
        let (host, port) = split(name);
        let mut prefix = crc32fast::Hasher::new();
        prefix.update(host.as_bytes());
        prefix.update(&[0]);
        prefix.update(port.as_bytes());
        let prefix = prefix.finalize();
        let mut point = 0;
        let points = [(); 4].map(|()| {
            point = !through(&ONE, !prefix ^ point);
            point
        });
        let fifth = !through(&ONE, !prefix ^ point);
        let [first, ..] = points;
        Self {
            points,
            constant: fifth ^ through(&FOUR, first),
        }
    }
}

impl Iterator for Chain {
    type Item = [u32; ABREAST];

    fn next(&mut self) -> Option<Self::Item> {
        let now @ [one, two, three, four] = self.points;
        let next = |point| through(&FOUR, point) ^ self.constant;
        self.points = [next(one), next(two), next(three), next(four)];
        Some(now)
    }
}

/// A linear function of 32 bits: for each of the four bytes of its input what each value of it adds.
type Linear = [[u32; 256]; 4];

/// What four bytes do to a crc32, and so one step of a chain.
static ONE: Linear = four_bytes();

/// Four steps at once.
static FOUR: Linear = after(&after(&after(&ONE)));

#[allow(clippy::indexing_slicing, reason = "checked when the constant is made")]
const fn four_bytes() -> Linear {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut tables = [[0; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "a byte is below 256")]
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 32 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
            if bit % 8 == 0 {
                tables[4 - bit / 8][byte] = crc;
            }
        }
        byte += 1;
    }
    tables
}

/// `function` and one step behind it.
#[allow(clippy::indexing_slicing, reason = "checked when the constant is made")]
const fn after(function: &Linear) -> Linear {
    let mut tables = *function;
    let mut at = 0;
    while at < 4 * 256 {
        let value = function[at / 256][at % 256];
        tables[at / 256][at % 256] = through(&ONE, value);
        at += 1;
    }
    tables
}

/// The value of a linear function. A ring has millions of points: this is several times faster than
/// a general crc32 of four bytes.
#[allow(clippy::indexing_slicing, reason = "a byte is an index below 256")]
const fn through(function: &Linear, value: u32) -> u32 {
    let [first, second, third, fourth] = value.to_le_bytes();
    function[0][first as usize]
        ^ function[1][second as usize]
        ^ function[2][third as usize]
        ^ function[3][fourth as usize]
}

/// Host and port as `ngx_http_upstream_init_chash` splits them: a missing port stays empty.
fn split(name: &str) -> (&str, &str) {
    if let Some((scheme, path)) = name.split_at_checked(5)
        && scheme.eq_ignore_ascii_case("unix:")
    {
        return (path, "");
    }
    match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (name, ""),
    }
}

/// The share of the ring of each peer; same-named peers share theirs by round robin.
pub(crate) fn shares(pool: &Pool<'_>, serving: &[usize]) -> Option<Vec<Share>> {
    let ring = pool.ketama()?;
    let up = |index: &usize| pool.members.get(*index).is_some_and(|member| member.usable);
    let serves: Vec<bool> = (ring.names.iter())
        .map(|peers| peers.iter().any(up))
        .collect();
    let (arcs, lost) = ring.arcs(&serves);
    let mut shares = vec![Share::ZERO; pool.members.len()];
    if lost > 0 {
        let fallback = part(lost, SPACE);
        shares = (proportional(pool, serving).into_iter())
            .map(|share| share * fallback)
            .collect();
    }
    for (peers, arc) in ring.names.iter().zip(arcs) {
        let peers: Vec<usize> = peers.iter().copied().filter(up).collect();
        let total: u64 = pool
            .at(&peers)
            .map(|(_, member)| u64::from(member.weight))
            .sum();
        for (index, member) in pool.at(&peers) {
            let own = part(arc, SPACE) * part(u64::from(member.weight), total);
            if let Some(share) = shares.get_mut(index) {
                *share += own;
            }
        }
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_is_the_crc_of_the_name_and_the_point_before() {
        let mut point = 0u32;
        for points in Chain::new("10.0.0.1:8080").take(5000) {
            for found in points {
                let more = u32::to_le_bytes(point);
                point = crc32fast::hash(&[b"10.0.0.1\x008080", &more[..]].concat());
                assert_eq!(found, point);
            }
        }
    }

    #[test]
    fn names_split_as_nginx_splits_them() {
        assert_eq!(split("10.0.0.1:8080"), ("10.0.0.1", "8080"));
        assert_eq!(split("10.0.0.1"), ("10.0.0.1", ""));
        assert_eq!(split("[::1]:80"), ("[::1]", "80"));
        assert_eq!(split("[::1]"), ("[::1]", ""));
        assert_eq!(split("UNIX:/run/a:80"), ("/run/a:80", ""));
    }
}
