//! nginx at work: peers with their counters, retries, backups (`ngx_http_upstream_round_robin.c`).
//!
//! The clock stands still except for [`Nginx::wait`]: a peer that failed `max_fails` times stays out.

use std::time::Duration;

use super::super::pool::{Member, Method, Pool};
use super::Key;
use super::limits::Limits;
use super::nginx_hash::{Hashing, Turn};

/// An upstream's state in one worker.
#[derive(Debug)]
pub(super) struct Nginx {
    /// Every peer, by the index of its server.
    peers: Vec<Peer>,
    primaries: Vec<usize>,
    backups: Vec<usize>,
    method: Method,
    hashing: Hashing,
    /// Exactly one primary and no backup: failures are not counted.
    single: bool,
    /// Most tries of a request, whatever the number of peers.
    most_tries: usize,
    /// Time since the start.
    clock: Duration,
    /// Number of the running request, to mark the peers it tried.
    request: u64,
    tried: Vec<usize>,
}

/// `ngx_http_upstream_rr_peer_t`.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    weight: i64,
    current: i64,
    effective: i64,
    conns: u32,
    max_conns: u32,
    fails: u32,
    max_fails: u32,
    /// In seconds, as all times of peers.
    fail_timeout: i64,
    /// The last failure.
    accessed: i64,
    /// The last failure, or the first pick after the pause that followed.
    checked: i64,
    down: bool,
    unreachable: bool,
    /// Out, failed too often or full: kept up to date by [`Peer::review`].
    blocked: bool,
    /// The last request that tried it.
    tried: u64,
}

impl Peer {
    /// Whether it can be chosen in this request.
    pub(super) fn eligible(&self, request: u64) -> bool {
        !self.blocked && self.tried != request
    }

    fn review(&mut self, now: i64) {
        let failed = self.max_fails > 0 && self.fails >= self.max_fails;
        self.blocked = self.down
            || (failed && !self.has_paused(now))
            || (self.max_conns > 0 && self.conns >= self.max_conns);
    }

    /// Whether `fail_timeout` has passed since the last failure or the last such check.
    fn has_paused(&self, now: i64) -> bool {
        now - self.checked > self.fail_timeout
    }

    /// Takes a request. After a pause it is the one that checks the peer: others avoid it meanwhile.
    fn take(&mut self, now: i64) {
        if self.has_paused(now) {
            self.checked = now;
        }
    }

    /// `ngx_http_upstream_free_round_robin_peer` after a request that was answered.
    fn succeed(&mut self, now: i64) {
        if self.accessed < self.checked {
            self.fails = 0;
        }
        self.conns = self.conns.saturating_sub(1);
        self.review(now);
    }

    /// The same after a failed try.
    fn fail(&mut self, now: i64) {
        self.fails += 1;
        self.accessed = now;
        self.checked = now;
        if self.max_fails > 0 {
            let loss = self.weight / i64::from(self.max_fails);
            self.effective = (self.effective - loss).max(0);
        }
        self.review(now);
    }
}

/// One step of smooth weighted round robin over the eligible ones of these peers, in order.
pub(super) fn smooth(peers: &mut [Peer], among: &[usize], request: u64) -> Option<usize> {
    let (first, last) = (*among.first()?, *among.last()?);
    let span = (first..).zip(peers.get_mut(first..=last)?);
    let (index, total) = if last - first + 1 == among.len() {
        step(span, request)?
    } else {
        let mut wanted = among.iter().peekable();
        let chosen = span.filter(|(index, _)| wanted.next_if(|next| *next == index).is_some());
        step(chosen, request)?
    };
    peers.get_mut(index)?.current -= total;
    Some(index)
}

/// The peer whose turn it is, and what its turn costs it.
fn step<'p>(
    peers: impl Iterator<Item = (usize, &'p mut Peer)>,
    request: u64,
) -> Option<(usize, i64)> {
    let (mut total, mut most) = (0, i64::MIN);
    let mut best = None;
    for (index, peer) in peers {
        if !peer.eligible(request) {
            continue;
        }
        peer.current += peer.effective;
        total += peer.effective;
        peer.effective = (peer.effective + 1).min(peer.weight);
        if peer.current > most {
            most = peer.current;
            best = Some(index);
        }
    }
    Some((best?, total))
}

/// `ngx_http_upstream_get_least_conn_peer`: fewest connections per weight; ties go through a step of
/// round robin among themselves.
fn least_conn(peers: &mut [Peer], among: &[usize], request: u64) -> Option<usize> {
    let load = |index: usize| {
        let peer = peers.get(index).filter(|peer| peer.eligible(request))?;
        Some((i64::from(peer.conns), peer.weight))
    };
    let mut best: Option<((i64, i64), usize)> = None;
    let mut ties: Vec<usize> = Vec::new();
    for index in among {
        let Some((conns, weight)) = load(*index) else {
            continue;
        };
        let order = best.map(|((least, its), _)| (conns * its).cmp(&(least * weight)));
        match order {
            None | Some(std::cmp::Ordering::Less) => {
                best = Some(((conns, weight), *index));
                ties.clear();
                ties.push(*index);
            }
            Some(std::cmp::Ordering::Equal) => ties.push(*index),
            Some(std::cmp::Ordering::Greater) => {}
        }
    }
    if ties.len() > 1 {
        return smooth(peers, &ties, request);
    }
    best.map(|(_, index)| index)
}

impl Nginx {
    pub(super) fn new(pool: &Pool<'_>) -> Option<Self> {
        let fail_timeout = |member: &Member<'_>| member.server.passive().fail_timeout.value;
        let peers = pool.members.iter().map(|member| Peer {
            weight: i64::from(member.weight),
            current: 0,
            effective: i64::from(member.weight),
            conns: 0,
            max_conns: Limits::of(member.server).maxconn.unwrap_or(0),
            fails: 0,
            max_fails: member.server.passive().max_fails.value,
            fail_timeout: i64::try_from(fail_timeout(member).as_secs()).unwrap_or(i64::MAX),
            // Longer ago than any pause.
            accessed: i64::MIN / 2,
            checked: i64::MIN / 2,
            down: !member.usable,
            unreachable: false,
            blocked: !member.usable,
            tried: 0,
        });
        let tier = |backup: bool| -> Vec<usize> {
            let members = pool.members.iter().enumerate();
            let members = members.filter(|(_, member)| member.backup == backup);
            members.map(|(index, _)| index).collect()
        };
        let (primaries, backups) = (tier(false), tier(true));
        Some(Self {
            single: primaries.len() == 1 && backups.is_empty(),
            hashing: Hashing::new(pool)?,
            method: pool.method,
            peers: peers.collect(),
            primaries,
            backups,
            most_tries: usize::MAX,
            clock: Duration::ZERO,
            request: 0,
            tried: Vec::new(),
        })
    }

    pub(super) fn pick(&mut self, key: Key<'_>) -> Option<usize> {
        let server = self.open(key)?;
        self.close(server);
        Some(server)
    }

    /// One request with its retries.
    pub(super) fn open(&mut self, key: Key<'_>) -> Option<usize> {
        self.request += 1;
        self.tried.clear();
        let mut turn = Turn::default();
        let mut on_backups = false;
        loop {
            let server = self.select(key, &mut turn, &mut on_backups)?;
            self.tried.push(server);
            let (request, single, now) = (self.request, self.single, self.now());
            let peer = self.peers.get_mut(server)?;
            peer.tried = request;
            peer.take(now);
            if !peer.unreachable {
                peer.conns += 1;
                peer.review(now);
                return Some(server);
            }
            if single {
                return None;
            }
            peer.fail(now);
            if self.tried.len() >= self.tries() {
                return None;
            }
        }
    }

    /// `ngx_http_upstream_tries`: one try per peer that is not `down`, within `…_next_upstream_tries`.
    fn tries(&self) -> usize {
        let peers = self.peers.iter().filter(|peer| !peer.down).count();
        peers.min(self.most_tries)
    }

    pub(super) fn set_most_tries(&mut self, most: usize) {
        self.most_tries = most;
    }

    fn select(&mut self, key: Key<'_>, turn: &mut Turn, on_backups: &mut bool) -> Option<usize> {
        let request = self.request;
        if self.single {
            let peer = self.peers.first()?;
            let room = peer.max_conns == 0 || peer.conns < peer.max_conns;
            return (room && !peer.down).then_some(0);
        }
        let peers = &mut self.peers;
        if !*on_backups {
            let found = if self.method == Method::LeastConn {
                least_conn(peers, &self.primaries, request)
            } else {
                let hashed = self.hashing.find(peers, key, turn, request);
                hashed.or_else(|| smooth(peers, &self.primaries, request))
            };
            if found.is_some() {
                return found;
            }
            *on_backups = true;
        }
        if self.method == Method::LeastConn {
            least_conn(peers, &self.backups, request)
        } else {
            smooth(peers, &self.backups, request)
        }
    }

    pub(super) fn close(&mut self, server: usize) {
        let now = self.now();
        if let Some(peer) = self.peers.get_mut(server) {
            peer.succeed(now);
        }
    }

    /// The seconds that peers are judged by.
    fn now(&self) -> i64 {
        i64::try_from(self.clock.as_secs()).unwrap_or(i64::MAX)
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, time: Duration) {
        self.clock = self.clock.saturating_add(time);
        let now = self.now();
        for peer in &mut self.peers {
            peer.review(now);
        }
    }

    pub(super) fn set_down(&mut self, server: usize, down: bool) {
        let now = self.now();
        if let Some(peer) = self.peers.get_mut(server) {
            peer.down = down;
            peer.review(now);
        }
    }

    pub(super) fn set_unreachable(&mut self, server: usize, unreachable: bool) {
        if let Some(peer) = self.peers.get_mut(server) {
            peer.unreachable = unreachable;
        }
    }

    pub(super) fn tried(&self) -> &[usize] {
        &self.tried
    }
}
