//! `hash-without-avalanche`: neighbouring keys stay neighbours on the ring.
//!
//! In: algorithm and hash type of a HAProxy backend. Out: at most one finding per backend.

use super::{BackendView, Check, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Algorithm, HashFunction, HashKey, HashMethod, HashType};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/hash-without-avalanche.md"),
    check: Check::Backend(check),
    options: &[],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let backend = view.backend;
    let (Some(Algorithm::Hash(key)), Some(hash)) =
        (backend.algorithm.known(), backend.hash_type.known())
    else {
        return;
    };
    let Some(function) = weak(*hash).filter(|_| backend.usable_primaries().nth(1).is_some()) else {
        return;
    };
    let Some((severity, effect)) = effect(key) else {
        return;
    };
    let message = format!(
        "`hash-type consistent {function}` has no avalanche: in backend `{}` {effect}",
        backend.name
    );
    let span = backend.hash_type.origin.span().unwrap_or(backend.span);
    let help =
        format!("write `hash-type consistent {function} avalanche`, or leave the function out");
    let mut finding = Finding::new(severity, span, message, help)
        .label("similar keys hash to similar values")
        .backend(&backend.name);
    if let Some(balance) = backend.algorithm.origin.span() {
        finding = finding.related("the key", balance);
    }
    findings.push(finding);
}

/// The word of a function that keeps similar keys together on the ring.
fn weak(hash: HashType) -> Option<&'static str> {
    if hash.method != HashMethod::Ring || hash.avalanche || !hash.function_named {
        return None;
    }
    match hash.function {
        HashFunction::Sdbm => Some("sdbm"),
        HashFunction::Djb2 => Some("djb2"),
        HashFunction::None => Some("none"),
        HashFunction::Wt6 | HashFunction::Crc32 => None,
    }
}

/// What it means for keys that resemble each other; long texts such as URIs differ enough.
fn effect(key: &HashKey) -> Option<(Severity, &'static str)> {
    let similar = "keys that differ little, such as consecutive numbers, share a server";
    match key {
        HashKey::Source => Some((
            Severity::Error,
            "neighbouring client addresses share a server, up to a whole /16",
        )),
        HashKey::UrlParam { .. } | HashKey::RdpCookie(_) => Some((Severity::Warning, similar)),
        HashKey::Header { name, .. } => {
            (!name.eq_ignore_ascii_case("host")).then_some((Severity::Warning, similar))
        }
        HashKey::Expression(text) => {
            let resembles = ["src", "hdr_ip", "cook", "url_param", "urlp"];
            (resembles.iter().any(|word| text.contains(word)))
                .then_some((Severity::Warning, similar))
        }
        HashKey::Uri { .. } | HashKey::Variables(_) => None,
    }
}
