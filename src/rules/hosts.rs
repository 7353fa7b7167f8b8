//! Whether servers are on hosts of their own, told by their addresses.
//!
//! In: addresses. Out: yes where it is plain.

use std::hash::BuildHasher as _;
use std::mem;

use crate::model::{Address, AddressKind};

/// Whether it is plain that every address is on a host of its own. Names that could be the same one in other
/// letters are not plain.
pub(super) fn differ<'a, A: Iterator<Item = &'a Address>>(addresses: impl Fn() -> A) -> bool {
    are_ascending(addresses()) || have_different_digests(addresses().map(Address::host))
}

/// Whether each address is IPv4 and greater than the one before, as in most lists.
fn are_ascending<'a>(mut addresses: impl Iterator<Item = &'a Address>) -> bool {
    let mut before = (0, "");
    addresses.all(|address| {
        let host = address.host();
        let here = (host.len(), host);
        address.kind == AddressKind::Ipv4 && mem::replace(&mut before, here) < here
    })
}

fn have_different_digests<'a>(hosts: impl Iterator<Item = &'a str>) -> bool {
    let hasher = foldhash::fast::RandomState::default();
    let mut digests = Vec::with_capacity(hosts.size_hint().0);
    for host in hosts {
        let ambiguous = host == "localhost" || host.starts_with("::ffff:");
        if ambiguous || host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return false;
        }
        digests.push(hasher.hash_one(host.as_bytes()));
    }
    // Sorting numbers costs a fraction of a set of strings, and nearly all tiers pass.
    digests.sort_unstable();
    digests.windows(2).all(|pair| match pair {
        [one, other] => one != other,
        _ => true,
    })
}
