//! Conditions of rules (`if …`, `unless …`), as far as they can be decided.
//!
//! In: the words of a condition and the named ACLs above it. Out: a [`Condition`] of the model.

use foldhash::HashMap;

use super::super::tree::LineRef;
use crate::model::{Condition, PathMatch, RandomDraw, Text};

/// What a named ACL says: one entry per line, any of which may match.
pub(super) type Acls = HashMap<Text, Vec<Condition>>;

/// Keeps `acl NAME CRITERION …`.
pub(super) fn define(acls: &mut Acls, line: LineRef<'_>) {
    let condition = if line.any_opaque(2) {
        opaque(line, 2)
    } else {
        let words: Vec<&str> = line.rest(2).collect();
        criterion(&words).unwrap_or_else(|| opaque(line, 2))
    };
    let name = line.word(1);
    if let Some(lines) = acls.get_mut(name) {
        lines.push(condition);
    } else {
        acls.insert(name.into(), vec![condition]);
    }
}

fn opaque(line: LineRef<'_>, from: usize) -> Condition {
    Condition::Opaque(line.joined(from).into())
}

/// The condition that starts at word `from` of `line`; [`Condition::Always`] where there is none.
pub(super) fn condition(acls: &Acls, line: LineRef<'_>, from: usize) -> Condition {
    let words: Vec<&str> = line.rest(from + 1).collect();
    let decided = match line.word(from) {
        "" => return Condition::Always,
        _ if line.any_opaque(from) => None,
        "if" => positive(acls, &words),
        "unless" => negative(&words),
        _ => None,
    };
    decided.unwrap_or_else(|| opaque(line, from))
}

fn positive(acls: &Acls, words: &[&str]) -> Option<Condition> {
    match words {
        ["TRUE"] => Some(Condition::Always),
        ["{", inner @ .., "}"] if !inner.contains(&"}") => criterion(inner),
        [name] => match acls.get(*name)?.as_slice() {
            [Condition::Opaque(_)] => None,
            [one] => Some(one.clone()),
            several => hosts(several),
        },
        _ => None,
    }
}

fn negative(words: &[&str]) -> Option<Condition> {
    match words {
        ["FALSE"] | ["{", "always_false", "}"] => Some(Condition::Always),
        _ => None,
    }
}

/// Most host names that are put together; each route has a copy of them.
const MAX_HOSTS: usize = 200;

/// Several lines of one ACL are alternatives; only host names can be put together.
fn hosts(several: &[Condition]) -> Option<Condition> {
    let mut all = Vec::new();
    for condition in several {
        let Condition::Host(names) = condition else {
            return None;
        };
        all.extend(names.iter().cloned());
        if all.len() > MAX_HOSTS {
            return None;
        }
    }
    Some(Condition::Host(all))
}

/// `FETCH [flags] pattern…`.
fn criterion(words: &[&str]) -> Option<Condition> {
    let (&fetch, rest) = words.split_first()?;
    if fetch == "always_true" && rest.is_empty() {
        return Some(Condition::Always);
    }
    let (method, ignore_case, patterns) = flags(rest)?;
    if let Some(range) = fetch
        .strip_prefix("rand(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return random(range.trim().parse().ok()?, patterns);
    }
    let (name, suffix) = match fetch {
        "path" | "path_beg" | "path_reg" => ("path", fetch.strip_prefix("path_").unwrap_or("")),
        _ => (host_fetch(fetch)?, ""),
    };
    let method = method.unwrap_or(if suffix.is_empty() { "str" } else { suffix });
    match (name, method, patterns) {
        ("path", _, [pattern]) if !ignore_case => {
            let pattern = Text::from(*pattern);
            let path = match method {
                "str" => PathMatch::Exact(pattern),
                "beg" => PathMatch::Prefix(pattern),
                "reg" => PathMatch::Regex(pattern),
                _ => return None,
            };
            Some(Condition::Path(path))
        }
        ("host", "str", [_, ..]) => {
            let names = patterns.iter().map(|&name| lower_case(name));
            Some(Condition::Host(names.collect()))
        }
        _ => None,
    }
}

fn lower_case(name: &str) -> Text {
    let mut text = Text::from(name);
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    text.to_lowercase()
}

/// Method, case flag and patterns; `None` where patterns come from a file or a flag is not known.
fn flags<'w>(mut words: &'w [&'w str]) -> Option<(Option<&'w str>, bool, &'w [&'w str])> {
    let (mut method, mut ignore_case) = (None, false);
    loop {
        match words {
            ["-i", rest @ ..] => {
                ignore_case = true;
                words = rest;
            }
            ["-m", name, rest @ ..] => {
                method = Some(*name);
                words = rest;
            }
            ["--", rest @ ..] => return Some((method, ignore_case, rest)),
            [word, ..] if word.starts_with('-') && word.len() == 2 => return None,
            _ => return Some((method, ignore_case, words)),
        }
    }
}

fn host_fetch(fetch: &str) -> Option<&'static str> {
    let (function, argument) = fetch.split_once('(')?;
    // A converter behind it (`hdr(host),lower`) leaves the names what they are; others change them.
    let argument = argument.strip_suffix(",lower").unwrap_or(argument);
    let argument = argument.strip_suffix(')')?;
    let is_host = matches!(
        function,
        "hdr" | "req.hdr" | "req.fhdr" | "fhdr" | "hdr_str"
    ) && argument.eq_ignore_ascii_case("host");
    is_host.then_some("host")
}

/// `rand(RANGE)` compared with a number or a range of numbers.
fn random(range: u32, patterns: &[&str]) -> Option<Condition> {
    let draw = |from: u32, below: u32| {
        let below = below.min(range);
        let from = from.min(below);
        Condition::Random(RandomDraw { range, from, below })
    };
    let number = |text: &str| text.parse::<u32>().ok();
    Some(match patterns {
        ["lt", n] => draw(0, number(n)?),
        ["le", n] => draw(0, number(n)?.saturating_add(1)),
        ["gt", n] => draw(number(n)?.saturating_add(1), range),
        ["ge", n] => draw(number(n)?, range),
        ["eq", n] | [n] if !n.contains(':') => {
            let n = number(n)?;
            draw(n, n.saturating_add(1))
        }
        [pattern] => {
            let (from, to) = pattern.split_once(':')?;
            let from = if from.is_empty() { 0 } else { number(from)? };
            let below = if to.is_empty() {
                range
            } else {
                number(to)?.saturating_add(1)
            };
            draw(from, below)
        }
        _ => return None,
    })
}

/// ACLs that are always there (manual 7.4; `HTTP_3.0` is newer than 2.6).
const PREDEFINED: &[&str] = &[
    "FALSE",
    "HTTP",
    "HTTP_1.0",
    "HTTP_1.1",
    "HTTP_2.0",
    "HTTP_3.0",
    "HTTP_CONTENT",
    "HTTP_URL_ABS",
    "HTTP_URL_SLASH",
    "HTTP_URL_STAR",
    "LOCALHOST",
    "METH_CONNECT",
    "METH_DELETE",
    "METH_GET",
    "METH_HEAD",
    "METH_OPTIONS",
    "METH_POST",
    "METH_PUT",
    "METH_TRACE",
    "RDP_COOKIE",
    "REQ_CONTENT",
    "TRUE",
    "WAIT_END",
];

/// Whether lines that start with `word` may end in a condition.
fn is_conditional(word: &str) -> bool {
    matches!(
        word,
        "use_backend"
            | "use-server"
            | "http-request"
            | "http-response"
            | "http-after-response"
            | "tcp-request"
            | "tcp-response"
            | "redirect"
            | "stick"
            | "stats"
            | "monitor"
            | "force-persist"
            | "ignore-persist"
    )
}

/// The first word of the condition of `line` that should be the name of an ACL and is none
/// (`parse_acl_cond` of `src/acl.c`). An ACL is known behind its line, in its own section.
pub(super) fn undefined(acls: &Acls, line: LineRef<'_>) -> Option<usize> {
    if !is_conditional(line.word(0)) || line.any_opaque(1) || line.is_broken() {
        return None;
    }
    let start = (1..line.len()).find(|&at| matches!(line.word(at), "if" | "unless"))?;
    // `set-header Name if if …`: a value can be spelt like the condition.
    let twice = matches!(line.word(start + 1), "if" | "unless");
    let mut anonymous = false;
    (start + 1 + usize::from(twice)..line.len()).find(|&at| {
        let word = line.word(at);
        match word {
            "{" | "!{" => anonymous = true,
            "}" => anonymous = false,
            "" | "||" | "or" | "!" => {}
            _ if anonymous => {}
            _ => {
                let name = word.trim_start_matches('!');
                return !name.is_empty() && !PREDEFINED.contains(&name) && !acls.contains_key(name);
            }
        }
        false
    })
}
