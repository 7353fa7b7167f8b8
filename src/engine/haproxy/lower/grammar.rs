//! Words that are missing or too many on lines whose form is fixed (`src/cfgparse-listen.c`, `src/backend.c`).
//!
//! In: lines of `defaults` and proxy sections. Out: the first fault of each that every version refuses.

use super::super::keywords::{self, Kind, Word};
use super::super::tree::LineRef;
use super::super::units;
use super::super::words::is_of_names;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Something has to stand behind the line's last word.
    Missing(&'static str),
    /// This word is one too many.
    Extra(usize),
    /// Something else has to stand here.
    Expected(&'static str, usize),
    /// A word that was meant to be another.
    Misspelt(&'static str, usize),
}

/// The fault of `line`. Words of unknown value may be anything.
pub(super) fn fault(line: LineRef<'_>) -> Option<Fault> {
    if line.any_opaque(1) || line.is_broken() {
        return None;
    }
    let most = most_words(line);
    if let Some(most) = most.filter(|&most| !line.word(most).is_empty()) {
        return Some(Fault::Extra(most));
    }
    match line.word(0) {
        "no" => negation(line),
        "balance" => balance(line),
        "hash-type" => modifier(line, 3, "avalanche", "`avalanche` or nothing"),
        "use_backend" => way(line, "the name of a backend", false),
        "use-server" => way(line, "the name of a server", true),
        "default_backend" => missing(line, 1, "the name of a backend"),
        "cookie" => cookie(line),
        "retries" | "fullconn" | "maxconn" | "backlog" => missing(line, 1, "a number"),
        "acl" => acl(line),
        _ => None,
    }
}

/// How many words a line may have (`alertif_too_many_args`); what stands behind an empty word does not count.
fn most_words(line: LineRef<'_>) -> Option<usize> {
    Some(match line.word(0) {
        "disabled" | "enabled" | "transparent" => 1,
        "mode"
        | "id"
        | "retries"
        | "default_backend"
        | "maxconn"
        | "backlog"
        | "fullconn"
        | "dispatch"
        | "monitor-uri"
        | "server-state-file-name" => 2,
        "timeout" => 3,
        "option" => match line.word(1) {
            "allbackups"
            | "checkcache"
            | "clitcpka"
            | "contstats"
            | "dontlog-normal"
            | "dontlognull"
            | "http-buffer-request"
            | "http-keep-alive"
            | "http-server-close"
            | "httpclose"
            | "log-health-checks"
            | "log-separate-errors"
            | "logasap"
            | "nolinger"
            | "persist"
            | "prefer-last-server"
            | "socket-stats"
            | "splice-auto"
            | "srvtcpka"
            | "tcpka"
            | "transparent" => 2,
            "httplog" | "tcplog" => 3,
            _ => return None,
        },
        _ => return None,
    })
}

fn missing(line: LineRef<'_>, at: usize, what: &'static str) -> Option<Fault> {
    line.word(at).is_empty().then_some(Fault::Missing(what))
}

/// Options that choose one of several ways cannot be taken back.
fn negation(line: LineRef<'_>) -> Option<Fault> {
    let fixed = matches!(
        line.word(2),
        "external-check"
            | "forwardfor"
            | "httpchk"
            | "httplog"
            | "ldap-check"
            | "mysql-check"
            | "pgsql-check"
            | "redis-check"
            | "smtpchk"
            | "spop-check"
            | "ssl-hello-chk"
            | "tcp-check"
            | "tcplog"
    );
    (line.word(1) == "option" && fixed)
        .then_some(Fault::Expected("an option that can be negated", 2))
}

/// `KEYWORD NAME [if …]`.
fn way(line: LineRef<'_>, what: &'static str, conditional: bool) -> Option<Fault> {
    const CONDITION: &str = "`if` or `unless` with a condition";
    if let Some(fault) = missing(line, 1, what) {
        return Some(fault);
    }
    match line.word(2) {
        "if" | "unless" => missing(line, 3, "a condition"),
        "" if conditional => Some(Fault::Missing(CONDITION)),
        "" => None,
        _ => Some(Fault::Expected(CONDITION, 2)),
    }
}

fn acl(line: LineRef<'_>) -> Option<Fault> {
    const CHARACTERS: &str = "a name of letters, digits, `-`, `_`, `.` and `:`";
    if !line.word(1).bytes().all(is_of_names) {
        return Some(Fault::Expected(CHARACTERS, 1));
    }
    missing(line, 1, "a name and a criterion").or_else(|| missing(line, 2, "a criterion"))
}

fn cookie(line: LineRef<'_>) -> Option<Fault> {
    if let Some(fault) = missing(line, 1, "the name of a cookie") {
        return Some(fault);
    }
    let mut at = 2;
    while !line.word(at).is_empty() {
        let word = line.word(at);
        match keywords::look_up(Kind::Cookie, word) {
            Word::Known => {}
            Word::Slip(meant) => return Some(Fault::Misspelt(meant, at)),
            Word::Foreign => return Some(Fault::Expected("an option of the cookie", at)),
            Word::Strange => return None,
        }
        if matches!(word, "domain" | "maxidle" | "maxlife" | "attr") {
            at += 1;
            if line.word(at).is_empty() {
                return Some(Fault::Missing("a value"));
            }
        }
        at += 1;
    }
    None
}

fn balance(line: LineRef<'_>) -> Option<Fault> {
    match line.word(1) {
        "uri" => uri(line),
        "url_param" => missing(line, 2, "the name of a parameter")
            .or_else(|| modifier(line, 3, "check_post", "`check_post` or nothing")),
        "hash" => missing(line, 2, "an expression")
            .or_else(|| (!line.word(3).is_empty()).then_some(Fault::Extra(3))),
        word if word.starts_with("random(") => {
            draws(word).then_some(Fault::Expected("`random` with a number of draws", 1))
        }
        word if word.starts_with("hdr") => named(word)
            .then_some(Fault::Expected("`hdr(NAME)`", 1))
            .or_else(|| modifier(line, 2, "use_domain_only", "`use_domain_only` or nothing")),
        word if word.starts_with("rdp-cookie") && word != "rdp-cookie" => {
            named(word).then_some(Fault::Expected("`rdp-cookie` or `rdp-cookie(NAME)`", 1))
        }
        _ => None,
    }
}

/// A word that may stand alone at this place.
fn modifier(line: LineRef<'_>, at: usize, wanted: &str, expected: &'static str) -> Option<Fault> {
    let word = line.word(at);
    (!word.is_empty() && word != wanted).then_some(Fault::Expected(expected, at))
}

/// Whether `word` lacks its name in brackets.
fn named(word: &str) -> bool {
    let argument = word.split_once('(').map(|(_, rest)| rest);
    let name = argument.and_then(|rest| rest.split_once(')'));
    name.is_none_or(|(name, _)| name.is_empty())
}

/// Whether the number of draws in `random(…)` is none.
fn draws(word: &str) -> bool {
    let argument = word.split_once('(').map_or("", |(_, rest)| rest);
    let Some((number, _)) = argument.split_once(')') else {
        return true;
    };
    // Other ways to write a number, such as 0x2, are left alone.
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    plain && !number.is_empty() && units::int(number) < 1
}

fn uri(line: LineRef<'_>) -> Option<Fault> {
    const OPTIONS: &str = "`len`, `depth`, `whole` or `path-only`";
    let mut at = 2;
    while !line.word(at).is_empty() {
        match line.word(at) {
            "len" | "depth" => {
                at += 1;
                if units::int(line.word(at)) <= 0 {
                    return Some(match line.word(at) {
                        "" => Fault::Missing("a number above 0"),
                        _ => Fault::Expected("a number above 0", at),
                    });
                }
            }
            "whole" | "path-only" => {}
            _ => return Some(Fault::Expected(OPTIONS, at)),
        }
        at += 1;
    }
    None
}
