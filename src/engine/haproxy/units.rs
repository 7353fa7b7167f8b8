//! Times and counts as HAProxy reads them.
//!
//! In: one word. Out: its value, or `None` where HAProxy refuses it.

use std::time::Duration;

use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::digit1;
use nom::combinator::{eof, map_opt, map_res, opt, value};
use nom::sequence::terminated;
use nom::{IResult, Parser};

/// A time (manual 2.5), milliseconds where no unit is given (`parse_time_err`).
pub(crate) fn time(text: &str) -> Option<Duration> {
    time_in(text, Duration::from_millis(1))
}

/// What is read of a time with something behind its unit: 2.6 warns and takes `2sec` for 2 seconds in options of
/// servers, newer versions refuse it.
pub(crate) fn time_before_junk(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = ["us", "ms", "s", "m", "h", "d"].into_iter().find(|unit| {
        text.get(digits..)
            .is_some_and(|rest| rest.starts_with(unit))
    })?;
    time(text.get(..digits + unit.len())?)
}

/// A time whose default unit is `unit`.
pub(crate) fn time_in(text: &str, unit: Duration) -> Option<Duration> {
    let suffix = alt((
        value(Duration::from_micros(1), tag("us")),
        value(Duration::from_millis(1), tag("ms")),
        value(Duration::from_secs(1), tag("s")),
        value(Duration::from_mins(1), tag("m")),
        value(Duration::from_hours(1), tag("h")),
        value(Duration::from_hours(24), tag("d")),
    ));
    let unit_or_default = opt(suffix).map(|suffix| suffix.unwrap_or(unit));
    let product = map_opt((count, unit_or_default), |(count, unit)| {
        unit.checked_mul(u32::try_from(count).ok()?)
    });
    whole(terminated(product, eof).parse(text))
}

fn count(input: &str) -> IResult<&str, u64> {
    map_res(digit1, str::parse).parse(input)
}

fn whole<T>(result: IResult<&str, T>) -> Option<T> {
    result.ok().map(|(_, value)| value)
}

/// What C's `atol` makes of a word: leading blanks, a sign and digits; the rest is ignored, no digits
/// at all are 0, and what does not fit is the nearest number that does.
fn atol(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let length = digits.find(|c: char| !c.is_ascii_digit());
    let digits = digits.get(..length.unwrap_or(digits.len()));
    match digits.unwrap_or_default() {
        "" => 0,
        digits if negative => digits.parse().map_or(i64::MIN, |n: i64| -n),
        digits => digits.parse().unwrap_or(i64::MAX),
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
        let ms = |n| Some(Duration::from_millis(n));
        for (text, wanted) in [
            ("1500", ms(1500)),
            ("250us", Some(Duration::from_micros(250))),
            ("5ms", ms(5)),
            ("2s", ms(2000)),
            ("3m", ms(180_000)),
            ("1h", ms(3_600_000)),
            ("2d", ms(172_800_000)),
            ("", None),
            ("s", None),
            ("5x", None),
            ("5s5", None),
            ("-1", None),
            ("99999999999999999999d", None),
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
