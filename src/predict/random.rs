//! nginx `random two` (`ngx_http_upstream_random_module.c`) while it is idle: of two different peers
//! the second one drawn is taken, which flattens the weights.

use super::Share;
use super::fraction::{ratio, rounded};
use super::pool::Pool;
use super::weights::proportional;

/// Draws that may miss before plain round robin decides.
const MOST_MISSES: i32 = 20;

/// The chance of each peer when no connection is open.
pub(crate) fn two(pool: &Pool<'_>, serving: &[usize]) -> Vec<Share> {
    let primaries = pool.members.iter().filter(|member| !member.backup);
    let total: f64 = primaries
        .clone()
        .map(|member| f64::from(member.weight))
        .sum();
    if serving.len() < 2 {
        return proportional(pool, serving);
    }
    let up: f64 = (pool.at(serving))
        .map(|(_, member)| f64::from(member.weight) / total)
        .sum();
    let miss = (1.0 - up).max(0.0);
    // First `j`, then `i`, with at most 20 misses between them.
    let first: Vec<(usize, f64, f64)> = (pool.at(serving))
        .map(|(index, member)| {
            let chance = f64::from(member.weight) / total;
            (index, chance, chance * misses(miss, miss + chance))
        })
        .collect();
    let sum: f64 = first.iter().map(|(_, _, drawn)| drawn).sum();
    let mut won = vec![0.0; pool.members.len()];
    for (index, chance, drawn) in &first {
        if let Some(share) = won.get_mut(*index) {
            *share = chance * (sum - drawn).max(0.0);
        }
    }
    let left = (1.0 - won.iter().sum::<f64>()).max(0.0);
    for (share, rest) in won.iter_mut().zip(proportional(pool, serving)) {
        *share += left * ratio(rest);
    }
    rounded(&won)
}

/// The sum of `before^a * after^b` over all `a + b` up to the limit: misses before the first hit and
/// between the first and the second.
fn misses(before: f64, after: f64) -> f64 {
    let (mut sum, mut term, mut power) = (0.0, 0.0, 1.0);
    for _ in 0..=MOST_MISSES {
        term = after * term + power;
        sum += term;
        power *= before;
    }
    sum
}
