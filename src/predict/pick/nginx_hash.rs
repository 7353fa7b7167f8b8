//! nginx `hash`, `hash … consistent` and `ip_hash` for one key after the other.

use std::net::IpAddr;

use super::super::ip_hash::{FACTOR, START, VALUES};
use super::super::ketama::{Ketama, MOST_TRIES};
use super::super::pool::{Method, Pool, Table};
use super::Key;
use super::nginx::{Peer, smooth};

/// How keys lead to peers.
#[derive(Debug)]
pub(super) enum Hashing {
    /// The method does not hash.
    None,
    /// `hash`: slots by weight.
    Modulo(Slots),
    /// `ip_hash`: slots by weight.
    Address(Slots),
    /// `hash … consistent`.
    Ring(Ketama),
}

/// Where the hashing of one request stands; retries go on from there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    hash: Option<u64>,
    rounds: u32,
    tries: usize,
}

/// The primaries and the end of each one's run of slots.
#[derive(Debug)]
pub(super) struct Slots {
    ends: Vec<(u64, usize)>,
    total: u64,
}

impl Slots {
    fn new(pool: &Pool<'_>) -> Self {
        let mut total = 0;
        let primaries = pool.members.iter().enumerate();
        let primaries = primaries.filter(|(_, member)| !member.backup);
        let ends = primaries.map(|(index, member)| {
            total += u64::from(member.weight);
            (total, index)
        });
        let ends = ends.collect();
        Self { ends, total }
    }

    fn server(&self, hash: u64) -> Option<usize> {
        let slot = hash.checked_rem(self.total)?;
        let position = self.ends.partition_point(|(end, _)| *end <= slot);
        self.ends.get(position).map(|(_, server)| *server)
    }
}

impl Hashing {
    pub(super) fn new(pool: &Pool<'_>) -> Option<Self> {
        let Method::Hash(table) = pool.method else {
            return Some(Self::None);
        };
        Some(match table {
            Table::Modulo => Self::Modulo(Slots::new(pool)),
            Table::IpHash => Self::Address(Slots::new(pool)),
            Table::Ketama => Self::Ring(Ketama::new(pool)?),
            Table::Map | Table::Ring => Self::None,
        })
    }

    /// The peer of a key; `None` when plain round robin decides.
    pub(super) fn find(
        &self,
        peers: &mut [Peer],
        key: Key<'_>,
        turn: &mut Turn,
        request: u64,
    ) -> Option<usize> {
        if turn.tries > MOST_TRIES {
            return None;
        }
        let up = |peers: &[Peer], server: usize| {
            peers.get(server).is_some_and(|peer| peer.eligible(request))
        };
        match (self, key) {
            (Self::Modulo(slots), Key::Bytes(key)) if !key.is_empty() => turn.search(|turn| {
                turn.hash_again(key);
                slots.server(turn.hash?).filter(|server| up(peers, *server))
            }),
            (Self::Address(slots), key) => turn.search(|turn| {
                turn.hash_address(key);
                slots.server(turn.hash?).filter(|server| up(peers, *server))
            }),
            (Self::Ring(ring), Key::Bytes(key)) if !key.is_empty() => {
                // Within a request the position stays where the last peer was found.
                let start = ring.position(key);
                turn.search(|turn| smooth(peers, ring.peers(start + turn.tries), request))
            }
            (Self::None | Self::Modulo(_) | Self::Ring(_), _) => None,
        }
    }
}

impl Turn {
    /// Tries until a peer is found or more than 20 tries failed.
    fn search(&mut self, mut find: impl FnMut(&mut Self) -> Option<usize>) -> Option<usize> {
        while self.tries <= MOST_TRIES {
            if let Some(server) = find(self) {
                return Some(server);
            }
            self.tries += 1;
        }
        None
    }

    /// `ngx_http_upstream_get_hash_peer`: from the second time on, the count stands before the key.
    fn hash_again(&mut self, key: &[u8]) {
        let mut hasher = crc32fast::Hasher::new();
        if self.rounds > 0 {
            hasher.update(self.rounds.to_string().as_bytes());
        }
        hasher.update(key);
        let value = (hasher.finalize() >> 16) & 0x7fff;
        self.hash = Some(self.hash.unwrap_or(0) + u64::from(value));
        self.rounds += 1;
    }

    /// `ngx_http_upstream_get_ip_hash_peer`: three bytes of IPv4, all of IPv6, zeros for the rest.
    fn hash_address(&mut self, key: Key<'_>) {
        let add = |hash: u64, byte: &u8| (hash * FACTOR + u64::from(*byte)) % VALUES;
        let hash = self.hash.unwrap_or(START);
        self.hash = Some(match key {
            Key::Address(IpAddr::V4(address)) => address.octets().iter().take(3).fold(hash, add),
            Key::Address(IpAddr::V6(address)) => address.octets().iter().fold(hash, add),
            Key::Missing | Key::Bytes(_) => [0; 3].iter().fold(hash, add),
        });
    }
}
