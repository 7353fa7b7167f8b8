//! Exact fractions from counts, and fixed-point ones where exact ones grow without bound.

use num_integer::Integer;

use super::Share;

/// `count / total` in lowest terms; 0 when there is nothing to share.
pub(crate) fn part(count: u64, total: u64) -> Share {
    if count == 0 || total == 0 {
        return Share::ZERO;
    }
    // Reduced here with 64-bit numbers: the 128-bit gcd of `Ratio` costs ten times as much. Of a ring,
    // whose values are a power of two, only twos can be in common.
    let divisor = if total.is_power_of_two() {
        1 << count.trailing_zeros().min(total.trailing_zeros())
    } else {
        count.gcd(&total)
    };
    Share::new_raw(u128::from(count / divisor), u128::from(total / divisor))
}

/// Units per 1 of the fixed-point shares of [`rounded`].
const UNITS: u64 = 1 << 48;

/// Shares in units of 2^-48 that sum to exactly 1, from parts that sum to about 1.
///
/// For nginx `random two` and the re-hashing of nginx `hash`, whose exact denominators have hundreds
/// of digits. Each part is rounded down and the largest takes what is left, at most one unit per part.
pub(crate) fn rounded(parts: &[f64]) -> Vec<Share> {
    let sum: f64 = parts.iter().sum();
    if sum <= 0.0 {
        return vec![Share::ZERO; parts.len()];
    }
    let mut units: Vec<u64> = parts.iter().map(|part| to_units(part / sum)).collect();
    let used: u64 = units.iter().sum();
    if let Some(largest) = units.iter_mut().max() {
        *largest = (*largest + UNITS).saturating_sub(used);
    }
    units.into_iter().map(|count| part(count, UNITS)).collect()
}

/// A share as a floating point number.
#[allow(
    clippy::cast_precision_loss,
    reason = "for numbers that are shown, and for sums that are rounded to 2^-48 in the end"
)]
pub fn ratio(share: Share) -> f64 {
    let (numer, denom) = (*share.numer(), *share.denom());
    // Nearly all fit in 64 bits, which processors convert themselves.
    match (u64::try_from(numer), u64::try_from(denom)) {
        (Ok(numer), Ok(denom)) => numer as f64 / denom as f64,
        _ => numer as f64 / denom as f64,
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a part lies between 0 and 1, and 2^48 units fit the mantissa"
)]
fn to_units(part: f64) -> u64 {
    (part * UNITS as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_shares_sum_to_one() {
        let shares = rounded(&[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(shares.iter().sum::<Share>(), Share::from(1));
        let shares = rounded(&[0.1, 0.7, 0.2, 0.0]);
        assert_eq!(shares.iter().sum::<Share>(), Share::from(1));
        assert_eq!(shares[3], Share::ZERO);
    }

    #[test]
    fn part_of_nothing_is_nothing() {
        assert_eq!(part(0, 0), Share::ZERO);
        assert_eq!(part(4, 6), Share::new(2, 3));
    }
}
