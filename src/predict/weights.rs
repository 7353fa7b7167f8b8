//! Shares that follow weights, or leave them aside: round robin, least connections, `first`.

use super::Share;
use super::fraction::part;
use super::pool::Pool;

/// One share per member of the pool from the hits of the serving ones.
pub(crate) fn by_count(pool: &Pool<'_>, hits: &[(usize, u64)]) -> Vec<Share> {
    let total: u64 = hits.iter().map(|(_, count)| count).sum();
    let mut shares = vec![Share::ZERO; pool.members.len()];
    for (index, count) in hits {
        if let Some(share) = shares.get_mut(*index) {
            *share = part(*count, total);
        }
    }
    shares
}

/// Each server's weight over the sum: both round robins over a full cycle.
pub(crate) fn proportional(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    let hits: Vec<(usize, u64)> = (pool.at(serving))
        .map(|(index, member)| (index, u64::from(member.weight)))
        .collect();
    by_count(pool, &hits)
}

/// The same for everybody: an idle `leastconn`, whose keys are all 0.
pub(crate) fn equal(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    let hits: Vec<(usize, u64)> = serving.iter().map(|index| (*index, 1)).collect();
    by_count(pool, &hits)
}

/// Everything on one server.
pub(crate) fn only(pool: &Pool<'_>, chosen: Option<usize>) -> Vec<Share> {
    let hits: Vec<(usize, u64)> = chosen.map(|index| (index, 1)).into_iter().collect();
    by_count(pool, &hits)
}

/// HAProxy `first` without pressure: the lowest numeric id, and the earlier of equal ones.
pub(crate) fn lowest_id(pool: &Pool<'_>, serving: &[usize]) -> Option<usize> {
    pool.at(serving)
        .min_by_key(|(_, member)| member.id)
        .map(|(index, _)| index)
}
