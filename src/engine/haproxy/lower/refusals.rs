//! Values that HAProxy refuses, in words: rules `syntax-error` and `refused-at-load`.
//!
//! In: a line and what is wrong with its words. Out: findings.

use super::super::tree::LineRef;
use super::super::units::TimeFault;
use super::Lowering;
use super::server::{Refusal, Refused};

const TIME_HELP: &str = "write a number with one of the units us, ms, s, m, h, d";

impl Lowering {
    pub(super) fn refused_values(&mut self, line: LineRef<'_>, refused: &[Refused]) {
        for &(refusal, at) in refused {
            match refusal {
                Refusal::Time(fault) => self.bad_time(line, at, fault),
                Refusal::Foreign => self.foreign(line, at),
                Refusal::Misspelt(meant) => self.misspelt(line, at, meant),
                Refusal::Weight(_)
                | Refusal::Zero
                | Refusal::Missing
                | Refusal::NoneOf(_)
                | Refusal::ServerName
                | Refusal::Slots
                | Refusal::Port
                | Refusal::NoPort
                | Refusal::NoIpv4
                | Refusal::PortRange => {
                    let (fault, help) = wording(refusal, line, at);
                    let message = format!("{fault}: every version of HAProxy refuses the file");
                    self.refused(line.span(at), message, help);
                }
            }
        }
    }

    pub(super) fn bad_time(&mut self, line: LineRef<'_>, at: usize, fault: TimeFault) {
        let (span, word) = (line.span(at), line.word(at));
        match (fault, word) {
            (TimeFault::TooLong, _) => {
                let message = format!(
                    "`{word}` is more than 24.8 days (2147483647 ms): every version of HAProxy refuses the file"
                );
                self.refused(span, message, "write a shorter time");
            }
            (TimeFault::NoTime, "") => {
                let message = "expected a time such as `5s` or `500ms`, found nothing";
                self.syntax(span, message, TIME_HELP);
            }
            (TimeFault::NoTime, _) => {
                let message = format!("expected a time such as `5s` or `500ms`, found `{word}`");
                self.syntax(span, message, TIME_HELP);
            }
        }
    }
}

/// What is wrong with word `at`, and what to do about it.
fn wording(refusal: Refusal, line: LineRef<'_>, at: usize) -> (String, &'static str) {
    let word = line.word(at);
    let before = line.word(at.saturating_sub(1));
    match refusal {
        Refusal::Weight(weight) => (
            format!("weight {weight} is not within 0 and 256"),
            "choose a weight from 0 to 256",
        ),
        Refusal::Zero => (
            format!("`{before} {word}` is not above 0"),
            "choose a number above 0, or remove the option",
        ),
        Refusal::NoneOf(words) => (
            format!(
                "`{word}` is no value of `{before}`, which takes {}",
                alternatives(words)
            ),
            "write one of these values, or remove the option",
        ),
        Refusal::ServerName => (
            format!(
                "the name `{}` of a server holds a character that names may not have",
                word.escape_default()
            ),
            "use letters, digits, `-`, `_`, `.` and `:`",
        ),
        Refusal::Slots => (
            format!("`{word}` is no number or range of servers"),
            "write a number above 0, or a range such as `1-5`",
        ),
        Refusal::NoPort => (
            format!("`bind {word}` names no port"),
            "add the port to listen on",
        ),
        Refusal::Port => (
            format!("`{word}` has no valid port"),
            "write a port from 1 to 65535",
        ),
        Refusal::NoIpv4 => (
            format!(
                "`{word}` has a number above 255: it is no IPv4 address and no host has such a name"
            ),
            "correct the address",
        ),
        Refusal::PortRange => (
            format!("`{word}` has a range of ports, which only `bind` lines may have"),
            "write one port, or one server for each",
        ),
        Refusal::Missing | Refusal::Time(_) | Refusal::Foreign | Refusal::Misspelt(_) => (
            format!("expected a value behind `{word}`"),
            "write the value, or remove the option",
        ),
    }
}

/// Words in backticks, joined by commas and `or`.
fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        all => all.concat(),
    }
}
