//! nginx `ip_hash` (`ngx_http_upstream_ip_hash_module.c`): a value below 6271 from the first three
//! bytes of the client address, modulo the sum of all weights.

use super::fraction::part;
use super::losses::Losses;
use super::pool::Pool;
use super::weights::proportional;
use super::{Share, modulo};

/// Hash values are below this.
pub(crate) const VALUES: u64 = 6271;
/// The hash of nothing.
pub(crate) const START: u64 = 89;
/// What the hash is multiplied by before each byte is added.
pub(crate) const FACTOR: u64 = 113;
/// Times a client is hashed before plain round robin decides.
const ROUNDS: usize = 21;

/// The share of each peer, every hash value counted once, for IPv4 clients.
pub(crate) fn shares(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    let values = usize::try_from(VALUES).unwrap_or(usize::MAX);
    if let Some(shares) = modulo::without_rehash(pool, values) {
        return shares;
    }
    let slots = Slots::new(pool);
    let mut hits: Vec<u64> = vec![0; pool.members.len()];
    let mut lost = 0;
    for value in 0..VALUES {
        match slots.server(value).and_then(|index| hits.get_mut(index)) {
            Some(count) => *count += 1,
            None => lost += 1,
        }
    }
    let own = hits.into_iter().map(|count| part(count, VALUES));
    if lost == 0 {
        return own.collect();
    }
    let fallback = part(lost, VALUES);
    let rest = proportional(pool, serving).into_iter();
    own.zip(rest)
        .map(|(own, rest)| own + rest * fallback)
        .collect()
}

/// The peer of each value, while nothing is hashed again; [`OUT`] where it is out.
pub(crate) struct Slots(Vec<u32>);

/// No peer has this index.
const OUT: u32 = u32::MAX;

impl Slots {
    pub(crate) fn new(pool: &Pool<'_>) -> Self {
        let values = usize::try_from(VALUES).unwrap_or(usize::MAX);
        let mut owners = Vec::with_capacity(values);
        for (index, member) in (0..OUT).zip(&pool.members) {
            if member.backup {
                continue;
            }
            // No value reaches a slot beyond the last value.
            let weight = usize::try_from(member.weight).unwrap_or(usize::MAX);
            let end = values.min(owners.len().saturating_add(weight));
            owners.resize(end, if member.usable { index } else { OUT });
        }
        // The values go around the slots.
        while !owners.is_empty() && owners.len() < values {
            owners.extend_from_within(..owners.len().min(values - owners.len()));
        }
        Self(owners)
    }

    /// The peer of the clients whose first hash is `value`; `None` when round robin decides.
    pub(crate) fn server(&self, value: u64) -> Option<usize> {
        self.at(value).or_else(|| self.peers(value).next())
    }

    fn at(&self, value: u64) -> Option<usize> {
        let slot = usize::try_from(value).ok()?;
        let peer = self.0.get(slot).filter(|peer| **peer != OUT)?;
        usize::try_from(*peer).ok()
    }

    /// The peers that are up, in the order in which clients whose first hash is `value` come to them.
    ///
    /// Hashing again goes on from the last value with the same three bytes, so the next value follows
    /// from the first one alone.
    fn peers(&self, value: u64) -> impl Iterator<Item = usize> {
        const STEP: u64 = FACTOR * FACTOR * FACTOR % VALUES;
        let bytes = (value + VALUES * VALUES - START * STEP) % VALUES;
        let again = move |hash: &u64| Some((hash * STEP + bytes) % VALUES);
        let hashes = std::iter::successors(Some(value), again).take(ROUNDS);
        hashes.filter_map(|hash| self.at(hash))
    }
}

/// What the failure of each peer does to the others.
pub(crate) fn losses(pool: &Pool<'_>) -> Losses {
    let mut losses = Losses::new(VALUES, pool.members.len());
    let slots = Slots::new(pool);
    for value in 0..VALUES {
        let mut peers = slots.peers(value);
        let peer = peers.next();
        let heir = peers.find(|other| Some(*other) != peer);
        losses.add(peer, heir, 1);
    }
    losses
}
