//! nginx `ip_hash` (`ngx_http_upstream_ip_hash_module.c`): a value below 6271 from the first three
//! bytes of the client address, modulo the sum of all weights.

use super::fraction::part;
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

/// The reachable slots: the peer of each and whether it is up.
pub(crate) struct Slots {
    owners: Vec<(usize, bool)>,
    total: u64,
}

impl Slots {
    pub(crate) fn new(pool: &Pool<'_>) -> Self {
        let mut owners = Vec::new();
        let mut total = 0;
        for (index, member) in pool.members.iter().enumerate() {
            if member.backup {
                continue;
            }
            // No value reaches a slot beyond the last value.
            let room = VALUES.saturating_sub(total).min(u64::from(member.weight));
            owners.extend((0..room).map(|_| (index, member.usable)));
            total += u64::from(member.weight);
        }
        Self { owners, total }
    }

    /// The peer of the clients whose first hash is `value`; `None` when round robin decides.
    ///
    /// Hashing again goes on from the last value with the same three bytes, so the next value follows
    /// from the first one alone.
    pub(crate) fn server(&self, value: u64) -> Option<usize> {
        let factor = FACTOR * FACTOR * FACTOR % VALUES;
        let bytes = (value + VALUES * VALUES - START * factor) % VALUES;
        let mut hash = value;
        for _ in 0..ROUNDS {
            let slot = usize::try_from(hash.checked_rem(self.total)?).ok()?;
            match self.owners.get(slot) {
                Some((index, true)) => return Some(*index),
                _ => hash = (hash * factor + bytes) % VALUES,
            }
        }
        None
    }
}
