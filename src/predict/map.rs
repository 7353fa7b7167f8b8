//! HAProxy's static map (`lb_map.c`): the slots that `static-rr` walks and that map-based hashes
//! index.

use std::collections::HashMap;

use num_integer::Integer;

use super::pool::Pool;
use super::weights::{by_count, only, proportional};
use super::{Share, Tier};

/// Weights above this many slot decisions are not simulated; no real farm comes near.
const MOST_STEPS: u64 = 1 << 26;

/// The greatest common divisor of all weights, down and backup servers included.
pub(crate) fn divisor(pool: &Pool<'_>) -> u32 {
    let weights = pool.members.iter().map(|member| member.weight);
    weights.fold(0, |sum, weight| sum.gcd(&weight)).max(1)
}

/// The map: the server of each slot. `None` when building it would take too long.
///
/// `recalc_server_map`, its quirk included: with only backups left and no `option allbackups` the
/// number of slots is the first backup's reduced weight, but all usable backups compete for them.
pub(crate) fn slots(pool: &Pool<'_>, divisor: u32) -> Option<Vec<usize>> {
    let (tier, serving) = pool.serving();
    let reduced = |weight: u32| i64::from(weight / divisor);
    let total: i64 = (pool.at(&serving))
        .map(|(_, member)| reduced(member.weight))
        .sum();
    let rivals = pool.usable(tier == Tier::Backup);
    let size = usize::try_from(total).ok()?;
    if total == 1 {
        return Some(rivals.into_iter().take(1).collect());
    }
    if total == i64::try_from(rivals.len()).ok()?
        && pool
            .at(&rivals)
            .all(|(_, member)| reduced(member.weight) == 1)
    {
        // Equal servers take turns.
        return Some(rivals);
    }
    let steps = u64::try_from(size)
        .ok()?
        .checked_mul(u64::try_from(rivals.len()).ok()?)?;
    if steps > MOST_STEPS {
        return None;
    }
    let mut scores: Vec<(usize, i64, i64)> = (pool.at(&rivals))
        .map(|(index, member)| (index, reduced(member.weight), 0))
        .collect();
    (0..size).map(|_| fill_slot(&mut scores, total)).collect()
}

/// Chooses the server of the next slot: the first with the largest whole quotient.
fn fill_slot(scores: &mut [(usize, i64, i64)], total: i64) -> Option<usize> {
    let mut best: Option<(i64, &mut (usize, i64, i64))> = None;
    for entry in scores {
        entry.2 += entry.1;
        let value = (entry.2 + total) / total;
        if best.as_ref().is_none_or(|(most, _)| value > *most) {
            best = Some((value, entry));
        }
    }
    let (_, entry) = best?;
    entry.2 -= total;
    Some(entry.0)
}

/// Shares of a walk over the map: slots over size.
pub(crate) fn walk_shares(pool: &Pool<'_>, tier: Tier, serving: &[usize]) -> Option<Vec<Share>> {
    if !has_quirk(pool, tier) {
        // Every server has exactly its reduced weight in slots.
        return Some(proportional(pool, serving));
    }
    let slots = slots(pool, divisor(pool))?;
    let mut hits: Vec<u64> = vec![0; pool.members.len()];
    for server in slots {
        if let Some(count) = hits.get_mut(server) {
            *count += 1;
        }
    }
    let hits: Vec<(usize, u64)> = hits.into_iter().enumerate().collect();
    Some(by_count(pool, hits.iter().copied()))
}

/// Shares of hashes modulo the size of the map.
///
/// A single used server skips hashing (`tot_used == 1` in `get_server_*`), and then slot 0 takes all:
/// with the backup quirk that need not be the first backup.
pub(crate) fn hash_shares(pool: &Pool<'_>, tier: Tier, serving: &[usize]) -> Option<Vec<Share>> {
    if skips_hashing(pool, tier) {
        let first = slots(pool, divisor(pool))?.first().copied();
        return Some(only(pool, first));
    }
    walk_shares(pool, tier, serving)
}

/// Whether all hashes fall into slot 0: a single server is used, but others are in its map.
pub(crate) fn skips_hashing(pool: &Pool<'_>, tier: Tier) -> bool {
    has_quirk(pool, tier) && !pool.hashes_alone
}

/// Whether the map is sized for one backup while others compete for its slots.
fn has_quirk(pool: &Pool<'_>, tier: Tier) -> bool {
    tier == Tier::Backup && !pool.allbackups
}

/// The fraction of hashes whose server differs between two maps: every pair of slots with equal
/// remainders by the greatest common divisor comes up equally often (Chinese remainder theorem).
pub(crate) fn moved(before: &[usize], after: &[usize]) -> Share {
    let divisor = before.len().gcd(&after.len()).max(1);
    let mut pairs: HashMap<(usize, usize), u128> = HashMap::new();
    for (slot, server) in before.iter().enumerate() {
        *pairs.entry((slot % divisor, *server)).or_default() += 1;
    }
    let same = after.iter().enumerate();
    let kept: u128 =
        (same.filter_map(|(slot, server)| pairs.get(&(slot % divisor, *server)))).sum();
    let all = u128::try_from(before.len().lcm(&after.len())).unwrap_or(u128::MAX);
    Share::from(1) - Share::new(kept.min(all), all.max(1))
}
