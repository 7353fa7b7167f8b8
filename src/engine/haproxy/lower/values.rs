//! Values of server options that HAProxy refuses (manual 5.2; the `srv_parse_…` functions of `src/server.c` and
//! `src/check.c`).
//!
//! In: an option and the word behind it. Out: why that word is no value of it.

use super::super::units;
use super::super::words::takes_value;
use super::server::Refusal;

/// What HAProxy wants behind an option.
enum Wanted {
    /// A time.
    Time,
    /// A time above 0.
    Delay,
    /// A number above 0.
    Positive,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Anything but nothing.
    Something,
    /// Even nothing, which is 0.
    Anything,
}

fn wanted(option: &str) -> Wanted {
    match option {
        "inter" | "fastinter" | "downinter" | "agent-inter" => Wanted::Delay,
        "slowstart" | "pool-purge-delay" => Wanted::Time,
        "rise" | "fall" | "error-limit" | "id" => Wanted::Positive,
        "cookie" => Wanted::Something,
        "weight" | "maxconn" | "minconn" | "maxqueue" => Wanted::Anything,
        "observe" => Wanted::OneOf(&["none", "layer4", "layer7"]),
        "on-error" => Wanted::OneOf(&["fastinter", "fail-check", "sudden-death", "mark-down"]),
        "on-marked-down" => Wanted::OneOf(&["shutdown-sessions"]),
        "on-marked-up" => Wanted::OneOf(&["shutdown-backup-sessions"]),
        "resolve-prefer" => Wanted::OneOf(&["ipv4", "ipv6"]),
        "verify" => Wanted::OneOf(&["none", "required"]),
        "ws" => Wanted::OneOf(&["auto", "h1", "h2"]),
        "log-proto" => Wanted::OneOf(&["legacy", "octet-count"]),
        // Its value may be empty.
        _ if option.starts_with("set-proxy-v2-tlv-fmt") => Wanted::Anything,
        _ if takes_value(option) => Wanted::Something,
        _ => Wanted::Anything,
    }
}

/// What is wrong with `value` behind `option`.
pub(super) fn refusal(option: &str, value: &str) -> Option<Refusal> {
    match wanted(option) {
        Wanted::Anything => None,
        Wanted::Time => units::time(value).err().map(Refusal::Time),
        Wanted::Delay => match units::time(value) {
            Err(fault) => Some(Refusal::Time(fault)),
            Ok(delay) => delay.is_zero().then_some(Refusal::Zero),
        },
        _ if value.is_empty() => Some(Refusal::Missing),
        Wanted::Positive => (units::int(value) <= 0).then_some(Refusal::Zero),
        Wanted::OneOf(words) => (!words.contains(&value)).then_some(Refusal::NoneOf(words)),
        Wanted::Something => None,
    }
}
