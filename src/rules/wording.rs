//! Pieces of messages that every rule words alike: percentages, lists of names, counts.
//!
//! In: numbers and names. Out: text for [`crate::finding::Finding::message`].

use std::fmt::Write as _;

/// A share as a percentage with one decimal where it has one: `83.3 %`, `50 %`.
pub(super) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round();
    if tenths <= 0.0 && share > 0.0 {
        return "less than 0.1 %".to_owned();
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is from 0 to 1; whole numbers are written much faster than fractions"
    )]
    let tenths = tenths as u64;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} %"),
        (whole, tenth) => format!("{whole}.{tenth} %"),
    }
}

/// A ratio with one decimal where it has one: `1.4`, `10`.
pub(super) fn times(ratio: f64) -> String {
    let text = format!("{ratio:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Names in backticks, the first three and a count: `` `a` ``, `` `a` and `b` ``,
/// `` `a`, `b`, `c` and 4 more ``.
pub(super) fn names<T: AsRef<str>>(all: &[T]) -> String {
    let mut text = String::with_capacity(48);
    for (index, name) in all.iter().take(3).enumerate() {
        let joint = match index {
            0 => "",
            _ if index + 1 == all.len() => " and ",
            _ => ", ",
        };
        text.extend([joint, "`", name.as_ref(), "`"]);
    }
    let more = all.len().saturating_sub(3);
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Words joined as in a sentence: `10, 10 and 100`.
pub(super) fn and<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A number and its noun: `1 server`, `3 servers`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A duration in the unit a person would use: `500 ms`, `1.5 s`, `150 s`.
pub(super) fn duration(duration: std::time::Duration) -> String {
    if duration < std::time::Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    format!("{} s", times(duration.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_their_unit() {
        use std::time::Duration;
        assert_eq!(duration(Duration::from_millis(500)), "500 ms");
        assert_eq!(duration(Duration::from_millis(1_500)), "1.5 s");
        assert_eq!(duration(Duration::from_mins(1)), "60 s");
    }

    #[test]
    fn percentages_have_one_decimal_at_most() {
        assert_eq!(percent(5.0 / 6.0), "83.3 %");
        assert_eq!(percent(0.5), "50 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.000_1), "less than 0.1 %");
    }

    #[test]
    fn long_lists_end_in_a_count() {
        assert_eq!(names(&["a"]), "`a`");
        assert_eq!(names(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(
            names(&["a", "b", "c", "d", "e"]),
            "`a`, `b`, `c` and 2 more"
        );
    }
}
