//! HAProxy's hashing of keys, and its walk on the ring.

use std::net::IpAddr;

use super::super::hash::{avalanche, of_key};
use super::super::pool::Pool;
use super::super::ring::Ring;
use super::Key;
use super::haproxy::Load;

/// The hash of a key; `None` when the request lacks it.
///
/// `get_server_sh`: `source` ignores the hash function, only the avalanche applies.
pub(super) fn hash(pool: &Pool<'_>, by_address: bool, key: Key<'_>) -> Option<u32> {
    let hash = match key {
        Key::Missing => return None,
        Key::Address(address) if by_address => fold(address),
        Key::Address(IpAddr::V4(address)) => of_key(pool.hash.function, &address.octets()),
        Key::Address(IpAddr::V6(address)) => of_key(pool.hash.function, &address.octets()),
        Key::Bytes(bytes) => of_key(pool.hash.function, bytes),
    };
    Some(if pool.hash.avalanche {
        avalanche(hash)
    } else {
        hash
    })
}

/// The exclusive or of an address' big-endian words.
fn fold(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => {
            let words = address.octets();
            words.chunks_exact(4).fold(0, |sum, word| {
                sum ^ word
                    .iter()
                    .fold(0, |value, byte| (value << 8) | u32::from(*byte))
            })
        }
    }
}

/// The ring and where its fallback walk stands.
#[derive(Debug)]
pub(super) struct RingWalk {
    ring: Ring,
    /// The node of the last fallback pick.
    last: Option<u64>,
    /// The largest weight that each server had so far.
    reserved: Vec<u32>,
}

impl RingWalk {
    pub(super) fn new(pool: &Pool<'_>, serving: &[usize]) -> Option<Self> {
        let ring = Ring::new(pool, serving)?;
        let reserved = pool.members.iter().map(|member| member.weight).collect();
        Some(Self {
            ring,
            last: None,
            reserved,
        })
    }

    /// Lays the ring out again after `server` changed.
    ///
    /// `chash_dequeue_srv` moves the walk on to the next node when it takes the node of the last pick
    /// away, so that this next node is passed over (seen in 2.6). A weight above all earlier ones
    /// takes all nodes of the server away for a moment (`chash_queue_dequeue_srv`).
    pub(super) fn rebuild(&mut self, pool: &Pool<'_>, serving: &[usize], server: usize) {
        let weight = pool.members.get(server).map_or(0, |member| member.weight);
        if let Some(reserved) = self.reserved.get_mut(server)
            && weight > *reserved
        {
            *reserved = weight;
            self.last = self
                .last
                .and_then(|last| self.ring.next_of_others(last, server));
        }
        self.ring = Ring::new(pool, serving).unwrap_or_default();
        self.last = self.last.and_then(|last| self.ring.at_or_behind(last));
    }

    /// The server of the closest node, or of the first one above it that is not over its cap.
    pub(super) fn find(&self, hash: u32, over: impl Fn(usize) -> bool) -> Option<usize> {
        let start = self.ring.closest(hash);
        let mut position = start;
        loop {
            let server = self.ring.server(position)?;
            if !over(server) {
                return Some(server);
            }
            position = self.ring.next(position);
            if position == start {
                return Some(server);
            }
        }
    }

    /// `chash_get_next_server`: node by node, for requests without a key.
    pub(super) fn step(&mut self, full: impl Fn(usize) -> bool) -> Option<usize> {
        let start = self.ring.behind(self.last);
        let mut position = start;
        loop {
            let server = self.ring.server(position)?;
            self.last = self.ring.node(position);
            if !full(server) {
                return Some(server);
            }
            position = self.ring.next(position);
            if position == start {
                return None;
            }
        }
    }
}

/// `chash_server_is_eligible`: whether `hash-balance-factor` sends a request past a server.
pub(super) fn over_cap(
    pool: &Pool<'_>,
    serving: &[usize],
    loads: &[Load],
    connections: u32,
    server: usize,
) -> bool {
    if pool.balance_factor == 0 {
        return false;
    }
    let weight = |server: usize| {
        let member = pool.members.get(server);
        member.map_or(0, |member| u64::from(member.weight) * 16)
    };
    let total: u64 = serving.iter().map(|other| weight(*other)).sum();
    let load = loads.get(server);
    let (open, before) = load.map_or((0, 0), |load| (load.served, load.ahead));
    let slots = ((u64::from(connections) + 1) * u64::from(pool.balance_factor)).div_ceil(100);
    let (whole, rest) = (slots / total.max(1), slots % total.max(1));
    let own = weight(server);
    let cap = own * whole + (before + own) * rest / total.max(1) - before * rest / total.max(1);
    u64::from(open) >= cap.max(1)
}
