//! Names for findings that stay the same while a configuration is edited.
//!
//! In: the findings of a run in their order. Out: one fingerprint each, 16 hexadecimal digits:
//! SipHash-2-4 with a zero key over rule, engine and object (listener, route, backend, server), each
//! followed by a byte 0xff. Lines, columns, file names and instances are not in it, so that it
//! survives moved lines, renamed files and servers in another order. A finding without an object has
//! the text of its line instead, blanks collapsed and secrets masked. Equal ones are told apart by
//! their ordinal: the second gets one more round over the number 2, and so on.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher24;

use super::locate::Locator;
use crate::finding::{Finding, Subject};
use crate::source::Sources;

/// What names a finding: the hash of its object, and its number among the findings that share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Hash over rule and object.
    pub object: u64,
    /// From 1.
    pub ordinal: u64,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unique = match self.ordinal {
            1 => self.object,
            ordinal => again(self.object, ordinal),
        };
        write!(f, "{unique:016x}")
    }
}

/// The fingerprint of each of `findings`.
pub fn fingerprints(findings: &[Finding], sources: &Sources) -> Vec<String> {
    let identities = identities(findings, sources);
    identities.iter().map(Identity::to_string).collect()
}

/// The identity of each of `findings`; its text is the fingerprint.
pub fn identities(findings: &[Finding], sources: &Sources) -> Vec<Identity> {
    let mut locator = Locator::new(sources);
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut number = |finding: &Finding| {
        let object = hash(finding, &mut locator);
        let ordinal = seen
            .entry(object)
            .and_modify(|count| *count += 1)
            .or_insert(1);
        Identity {
            object,
            ordinal: *ordinal,
        }
    };
    findings.iter().map(&mut number).collect()
}

fn hash(finding: &Finding, locator: &mut Locator<'_>) -> u64 {
    let Subject {
        listener,
        route,
        backend,
        server,
    } = &finding.subject;
    let mut hasher = SipHasher24::new();
    let mut part = |text: &str| {
        hasher.write(text.as_bytes());
        hasher.write(&[0xff]);
    };
    part(finding.rule);
    part(finding.engine.as_str());
    for name in [listener, route, backend, server] {
        part(name.as_deref().unwrap_or_default());
    }
    if finding.subject == Subject::default() {
        let place = locator.place(finding.span);
        let line = locator.line(&place, finding.engine);
        let words: Vec<&str> = line.shown().text.split_whitespace().collect();
        part(&words.join(" "));
    }
    hasher.finish()
}

fn again(first: u64, ordinal: u64) -> u64 {
    let mut hasher = SipHasher24::new();
    hasher.write(&first.to_le_bytes());
    hasher.write(&ordinal.to_le_bytes());
    hasher.finish()
}
