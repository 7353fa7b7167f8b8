//! Shares that follow weights, or leave them aside: round robin, least connections, `first`.

use super::Share;
use super::fraction::part;
use super::pool::{Member, Pool};

/// One share per member of the pool from the hits of the serving ones.
pub(crate) fn by_count(
    pool: &Pool<'_>,
    hits: impl Iterator<Item = (usize, u64)> + Clone,
) -> Vec<Share> {
    let total: u64 = hits.clone().map(|(_, count)| count).sum();
    let mut shares = vec![Share::ZERO; pool.members.len()];
    // Neighbours mostly have the same, and reducing a fraction takes long.
    let (mut known, mut known_part) = (0, Share::ZERO);
    for (index, count) in hits {
        if count != known {
            (known, known_part) = (count, part(count, total));
        }
        if let Some(share) = shares.get_mut(index) {
            *share = known_part;
        }
    }
    shares
}

/// Each server's weight over the sum: both round robins over a full cycle.
pub(crate) fn proportional(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    let weight = |(index, member): (usize, &Member<'_>)| (index, u64::from(member.weight));
    by_count(pool, pool.at(serving).map(weight))
}

/// The same for everybody: an idle `leastconn`, whose keys are all 0.
pub(crate) fn equal(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    by_count(pool, serving.iter().map(|index| (*index, 1)))
}

/// Everything on one server.
pub(crate) fn only(pool: &Pool<'_>, chosen: Option<usize>) -> Vec<Share> {
    by_count(pool, chosen.map(|index| (index, 1)).into_iter())
}

/// HAProxy `first` without pressure: the lowest numeric id, and the earlier of equal ones.
pub(crate) fn lowest_id(pool: &Pool<'_>, serving: &[usize]) -> Option<usize> {
    pool.at(serving)
        .min_by_key(|(_, member)| member.id)
        .map(|(index, _)| index)
}
