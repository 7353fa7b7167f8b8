//! `balance` and `hash-type` (manual 4.2).
//!
//! In: their words. Out: the model's algorithm and hash type.

use super::super::tree::LineRef;
use super::scope::number;
use crate::model::{Algorithm, HashFunction, HashKey, HashMethod, HashType, Text};

/// The algorithm that `balance …` names. Unknown ones are kept by name.
pub(super) fn algorithm(line: LineRef<'_>) -> Algorithm {
    let (name, argument) = call(line.word(1));
    match name {
        "" | "roundrobin" => Algorithm::RoundRobin,
        "static-rr" => Algorithm::StaticRoundRobin,
        "leastconn" => Algorithm::LeastConn,
        "first" => Algorithm::First,
        "random" => Algorithm::Random {
            draws: argument.map_or(2, |draws| draws.trim().parse().unwrap_or(2)),
        },
        // What follows the name does not count (`backend_parse_balance`).
        _ if name.starts_with("random") => Algorithm::Random { draws: 2 },
        "source" => Algorithm::Hash(HashKey::Source),
        "uri" => Algorithm::Hash(uri(line)),
        "url_param" => Algorithm::Hash(HashKey::UrlParam {
            name: line.word(2).into(),
            check_post: line.word(3) == "check_post",
        }),
        "hdr" => Algorithm::Hash(HashKey::Header {
            name: argument.unwrap_or_default().into(),
            domain_only: line.word(2) == "use_domain_only",
        }),
        "rdp-cookie" => Algorithm::Hash(HashKey::RdpCookie(
            argument
                .filter(|name| !name.is_empty())
                .unwrap_or("mstshash")
                .into(),
        )),
        "hash" => Algorithm::Hash(HashKey::Expression(line.joined(2).into())),
        "sticky" | "log-sticky" => Algorithm::Sticky,
        "log-hash" => Algorithm::LogHash,
        _ => Algorithm::Other(Text::from(line.word(1))),
    }
}

/// `name(argument)` cut in two.
fn call(word: &str) -> (&str, Option<&str>) {
    match word.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (word, None),
    }
}

fn uri(line: LineRef<'_>) -> HashKey {
    let (mut len, mut depth, mut whole, mut path_only) = (None, None, false, false);
    let mut at = 2;
    while at < line.len() {
        match line.word(at) {
            "len" => {
                len = Some(number(line, at + 1)).filter(|&n| n > 0);
                at += 1;
            }
            "depth" => {
                // 0 is stored as no limit (`backend_parse_balance`).
                depth = Some(number(line, at + 1)).filter(|&n| n > 0);
                at += 1;
            }
            "whole" => whole = true,
            "path-only" => path_only = true,
            _ => break,
        }
        at += 1;
    }
    HashKey::Uri {
        len,
        depth,
        whole,
        path_only,
    }
}

/// Whether the key can only be read from HTTP. Outside of `mode http` HAProxy falls back to round
/// robin with a warning (`check_config_validity`, `BE_LB_NEED_HTTP`).
pub(super) fn needs_http(algorithm: &Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Hash(HashKey::Uri { .. } | HashKey::UrlParam { .. } | HashKey::Header { .. })
    )
}

/// `hash-type METHOD [FUNCTION [avalanche]]`.
pub(super) fn hash_type(line: LineRef<'_>) -> HashType {
    let method = match line.word(1) {
        "consistent" => HashMethod::Ring,
        _ => HashMethod::Map,
    };
    let function = match line.word(2) {
        "djb2" => HashFunction::Djb2,
        "wt6" => HashFunction::Wt6,
        "crc32" => HashFunction::Crc32,
        "none" => HashFunction::None,
        _ => HashFunction::Sdbm,
    };
    let function_named = matches!(line.word(2), "sdbm" | "djb2" | "wt6" | "crc32" | "none");
    let avalanche = if function_named {
        line.word(3) == "avalanche"
    } else {
        method == HashMethod::Ring
    };
    HashType {
        method,
        function,
        avalanche,
        function_named,
    }
}
