//! Times and counts as HAProxy reads them.
//!
//! In: one word. Out: its value, or why HAProxy refuses it.

use std::time::Duration;

/// Why a word is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFault {
    /// It does not start with a number and one of the units.
    NoTime,
    /// It is 2^31 milliseconds or more.
    TooLong,
}

/// A time (manual 2.5), milliseconds where no unit is given. Parts of a millisecond are rounded up, and what
/// stands behind the unit does not count: `2sec` is 2 seconds (`parse_time_err` of `src/tools.c`, which warns).
pub(crate) fn time(text: &str) -> Result<Duration, TimeFault> {
    const MOST: u128 = 1 << 31;
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    if number.is_empty() {
        return Err(TimeFault::NoTime);
    }
    let unit = micros(unit).ok_or(TimeFault::NoTime)?;
    let count: u128 = number.parse().unwrap_or(MOST << 32);
    let millis = count.saturating_mul(unit).div_ceil(1000);
    match u64::try_from(millis) {
        Ok(millis) if u128::from(millis) < MOST => Ok(Duration::from_millis(millis)),
        _ => Err(TimeFault::TooLong),
    }
}

/// How many microseconds the unit at the start of `text` has; of none, a millisecond.
fn micros(text: &str) -> Option<u128> {
    const UNITS: [(&str, u128); 6] = [
        ("us", 1),
        ("ms", 1_000),
        ("s", 1_000_000),
        ("m", 60_000_000),
        ("h", 3_600_000_000),
        ("d", 86_400_000_000),
    ];
    if text.is_empty() {
        return Some(1_000);
    }
    let unit = UNITS.iter().find(|(name, _)| text.starts_with(name));
    unit.map(|(_, micros)| *micros)
}

/// What C's `atol` makes of a word: leading blanks, a sign and digits; the rest is ignored, no digits
/// at all are 0, and what does not fit is the nearest number that does.
fn atol(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // As a negative number: there is one more of these.
    let mut value = 0_i64;
    for digit in digits.bytes().take_while(u8::is_ascii_digit) {
        value = value
            .saturating_mul(10)
            .saturating_sub((digit - b'0').into());
    }
    if negative {
        value
    } else {
        value.checked_neg().unwrap_or(i64::MAX)
    }
}

/// The same kept in an `int`, as HAProxy keeps counts: the high bits are lost.
pub(crate) fn int(text: &str) -> i32 {
    unsigned(text).cast_signed()
}

/// The same kept in an `unsigned int`: -1 is the highest number of all.
pub(crate) fn unsigned(text: &str) -> u32 {
    let low_bits = atol(text).rem_euclid(1 << 32);
    u32::try_from(low_bits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_take_every_unit() {
        let ms = |n| Ok(Duration::from_millis(n));
        let none = Err(TimeFault::NoTime);
        let long = Err(TimeFault::TooLong);
        for (text, wanted) in [
            ("1500", ms(1500)),
            ("250us", ms(1)),
            ("1001us", ms(2)),
            ("0", ms(0)),
            ("5ms", ms(5)),
            ("2s", ms(2000)),
            ("3m", ms(180_000)),
            ("1h", ms(3_600_000)),
            ("2d", ms(172_800_000)),
            ("5s5", ms(5000)),
            ("10sec", ms(10_000)),
            ("2147483647", ms(2_147_483_647)),
            ("", none),
            ("s", none),
            ("5x", none),
            ("5u", none),
            ("-1", none),
            ("2147483648", long),
            ("25d", long),
            ("99999999999999999999d", long),
        ] {
            assert_eq!(time(text), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, wanted) in [
            ("12abc", 12),
            ("abc", 0),
            ("", 0),
            ("-3", -3),
            (" +7", 7),
            // Each was seen as the weight of a server in `show servers state` of 2.6, or in its refusal.
            ("4294967296", 0),
            ("4294967297", 1),
            ("4294967552", 256),
            ("-4294967295", 1),
            ("9223372036854775807", -1),
            ("9223372036854775808", -1),
            ("-9223372036854775808", 0),
            ("-99999999999999999999", 0),
        ] {
            assert_eq!(int(text), wanted, "{text}");
        }
        // `maxconn -5` in `show stat`.
        assert_eq!(unsigned("-5"), 4_294_967_291);
    }
}
