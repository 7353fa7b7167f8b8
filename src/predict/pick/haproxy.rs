//! HAProxy at work: tiers, connection limits and state changes around its algorithms.

use super::super::Tier;
use super::super::map;
use super::super::pool::{Method, Pool, Table};
use super::super::weights;
use super::haproxy_hash::{self, RingWalk};
use super::least_conn::LeastConn;
use super::limits::Limits;
use super::round_robin::RoundRobin;
use super::{Key, Unpredictable, WeightChange};

/// A backend's state.
#[derive(Debug)]
pub(super) struct Haproxy<'a> {
    pool: Pool<'a>,
    tier: Tier,
    serving: Vec<usize>,
    loads: Vec<Load>,
    /// Connections that servers have taken.
    served: u32,
    balancer: Balancer,
    by_address: bool,
    /// Of all weights at load; never computed again.
    divisor: u32,
    tried: Vec<usize>,
}

/// What a server carries and how it started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) served: u32,
    /// Weights of the same tier in front of it when the process started, times 16.
    pub(super) ahead: u64,
    configured: u32,
    down: bool,
    limits: Limits,
}

#[derive(Debug)]
enum Balancer {
    RoundRobin(RoundRobin),
    LeastConn(LeastConn),
    First,
    Sticky(Option<usize>),
    /// The map, the slot of the walk, and whether keys are hashed onto it.
    Map(Vec<usize>, usize, bool),
    Ring(RingWalk),
}

impl<'a> Haproxy<'a> {
    pub(super) fn new(pool: Pool<'a>, by_address: bool) -> Option<Self> {
        let (tier, serving) = pool.serving();
        let divisor = map::divisor(&pool);
        let balancer = match pool.method {
            Method::LeastConn => Balancer::LeastConn(LeastConn::new(&pool)),
            Method::First => Balancer::First,
            Method::Sticky => Balancer::Sticky(serving.first().copied()),
            Method::StaticMap | Method::Hash(Table::Map) => {
                let hashed = pool.method == Method::Hash(Table::Map);
                Balancer::Map(map::slots(&pool, divisor)?, 0, hashed)
            }
            Method::Hash(Table::Ring) => Balancer::Ring(RingWalk::new(&pool, &serving)?),
            Method::RoundRobin
            | Method::RandomWeight
            | Method::RandomTwo
            | Method::RandomRing { .. }
            | Method::Hash(Table::Modulo | Table::Ketama | Table::IpHash) => {
                Balancer::RoundRobin(RoundRobin::new(&pool))
            }
        };
        Some(Self {
            tier,
            serving,
            loads: loads(&pool),
            served: 0,
            balancer,
            by_address,
            divisor,
            tried: Vec::new(),
            pool,
        })
    }

    pub(super) fn pick(&mut self, key: Key<'_>) -> Option<usize> {
        let server = self.place(key);
        if let (Some(server), Balancer::LeastConn(_)) = (server, &self.balancer) {
            // Taking and dropping a connection moves it behind its equals.
            self.take(server);
            self.close(server);
        }
        self.note(server)
    }

    pub(super) fn open(&mut self, key: Key<'_>) -> Option<usize> {
        let server = self.place(key);
        if let Some(server) = server {
            self.take(server);
        }
        self.note(server)
    }

    pub(super) fn close(&mut self, server: usize) {
        if let Some(load) = self.loads.get_mut(server) {
            load.served = load.served.saturating_sub(1);
            self.served = self.served.saturating_sub(1);
        }
        self.reposition(server);
    }

    pub(super) fn tried(&self) -> &[usize] {
        &self.tried
    }

    fn note(&mut self, server: Option<usize>) -> Option<usize> {
        self.tried.clear();
        self.tried.extend(server);
        server
    }

    /// The server that answers. Nothing ends while a request is placed: one that is sent to the queue
    /// of a full server waits there until `timeout queue`, and gets an error.
    fn place(&mut self, key: Key<'_>) -> Option<usize> {
        let server = self.choose(key)?;
        (!is_full(&self.pool, &self.loads, self.served + 1, server)).then_some(server)
    }

    fn choose(&mut self, key: Key<'_>) -> Option<usize> {
        let first = *self.serving.first()?;
        let backup = self.tier == Tier::Backup;
        let alone = backup && !self.pool.allbackups;
        let (pool, loads) = (&self.pool, &self.loads);
        // The request that is being placed counts.
        let connections = self.served + 1;
        let full = |server: usize| is_full(pool, loads, connections, server);
        match &mut self.balancer {
            Balancer::Sticky(current) => *current,
            Balancer::Map(slots, index, hashed) => {
                let hash = if *hashed {
                    haproxy_hash::hash(pool, self.by_address, key)
                } else {
                    None
                };
                // A single used server skips hashing, and slot 0 takes all.
                let skips = *hashed && self.serving.len() == 1 && !pool.hashes_alone;
                let hash = if skips { Some(0) } else { hash };
                match hash {
                    Some(hash) => slots
                        .get((hash as usize).checked_rem(slots.len())?)
                        .copied(),
                    None => walk(slots, index, full),
                }
            }
            _ if alone => Some(first),
            Balancer::RoundRobin(state) => state.pick(backup, full),
            Balancer::LeastConn(state) => state.pick(backup, |server| {
                is_crowded(pool, loads, connections, server)
            }),
            Balancer::First => {
                let room: Vec<usize> = (self.serving.iter().copied())
                    .filter(|server| !full(*server))
                    .collect();
                weights::lowest_id(pool, &room)
            }
            Balancer::Ring(walk) => {
                if self.serving.len() == 1 && !pool.hashes_alone {
                    return Some(first);
                }
                match haproxy_hash::hash(pool, self.by_address, key) {
                    Some(hash) => {
                        let over = |server: usize| {
                            haproxy_hash::over_cap(pool, &self.serving, loads, self.served, server)
                        };
                        walk.find(hash, over)
                    }
                    None => walk.step(full),
                }
            }
        }
    }

    fn take(&mut self, server: usize) {
        if let Some(load) = self.loads.get_mut(server) {
            load.served += 1;
            self.served += 1;
        }
        self.reposition(server);
    }

    fn reposition(&mut self, server: usize) {
        let Balancer::LeastConn(state) = &mut self.balancer else {
            return;
        };
        let (Some(load), Some(member)) = (self.loads.get(server), self.pool.members.get(server))
        else {
            return;
        };
        let weight = if member.usable { member.weight } else { 0 };
        state.update(server, member.backup, weight, load.served);
    }

    /// `minconn` needs to know when the backend is full; HAProxy's own guess depends on the limits of
    /// the process.
    pub(super) fn can_hold(&self) -> Result<(), Unpredictable> {
        let mut loads = self.loads.iter();
        if self.pool.fullconn.is_none() && loads.any(|load| load.limits.moves()) {
            return Err(Unpredictable::Refused(
                "`minconn` without `fullconn`: how many connections a server may have open depends \
                 on limits of the process",
            ));
        }
        Ok(())
    }

    pub(super) fn set_down(&mut self, server: usize, down: bool) -> Result<(), Unpredictable> {
        let Some(load) = self.loads.get_mut(server) else {
            return Ok(());
        };
        // Maps keep their weights, but the limit on connections ramps up everywhere.
        let fixed = matches!(self.balancer, Balancer::Map(..) | Balancer::First);
        let ramps = !fixed || load.limits.maxconn.is_some();
        if load.down && !down && ramps && !load.limits.slowstart.is_zero() {
            return Err(Unpredictable::Refused(
                "a server with `slowstart` comes back by the clock of the process: picks do not \
                 follow that",
            ));
        }
        load.down = down;
        self.refresh(server);
        Ok(())
    }

    pub(super) fn set_weight(
        &mut self,
        server: usize,
        change: WeightChange,
    ) -> Result<(), Unpredictable> {
        let (Some(load), Some(member)) =
            (self.loads.get(server), self.pool.members.get_mut(server))
        else {
            return Ok(());
        };
        let wanted = match change {
            WeightChange::To(weight) if weight > 256 => {
                return Err(Unpredictable::Refused("a weight is at most 256"));
            }
            WeightChange::To(weight) => weight,
            // `server_parse_weight_change_request`: rounded down, at most 256.
            WeightChange::Percent(percent) => {
                let scaled = u64::from(load.configured) * u64::from(percent) / 100;
                u32::try_from(scaled.min(256)).unwrap_or(256)
            }
        };
        let fixed = matches!(self.balancer, Balancer::Map(..));
        if fixed && wanted != 0 && wanted != load.configured {
            return Err(Unpredictable::Refused(
                "`static-rr` and map-based hashes take no weight but 0% and 100% while running",
            ));
        }
        if member.weight == wanted {
            return Ok(());
        }
        member.weight = wanted;
        if let Balancer::LeastConn(state) = &mut self.balancer {
            // `fwlc_update_server_weight` takes it out and puts it behind its equals.
            state.update(server, member.backup, 0, 0);
        }
        self.refresh(server);
        Ok(())
    }

    /// Brings tiers and the algorithm up to date with a server whose state or weight changed.
    fn refresh(&mut self, server: usize) {
        let down = self.loads.get(server).is_some_and(|load| load.down);
        let Some(member) = self.pool.members.get_mut(server) else {
            return;
        };
        member.usable = !down && member.weight > 0;
        let weight = if member.usable { member.weight } else { 0 };
        (self.tier, self.serving) = self.pool.serving();
        match &mut self.balancer {
            Balancer::RoundRobin(state) => state.set_weight(server, weight),
            Balancer::LeastConn(_) => self.reposition(server),
            Balancer::First => {}
            Balancer::Sticky(current) => *current = stick(&self.serving, *current),
            Balancer::Map(slots, ..) => {
                // `recalc_server_map`; the walk keeps its index while it is inside the map.
                *slots = map::slots(&self.pool, self.divisor).unwrap_or_default();
            }
            Balancer::Ring(walk) => walk.rebuild(&self.pool, &self.serving, server),
        }
    }
}

/// The servers at the start. `recount_servers` sums their weights up once; the ring's caps go on with
/// these sums when servers or weights change.
fn loads(pool: &Pool<'_>) -> Vec<Load> {
    let mut sums = [0; 2];
    let members = pool.members.iter().map(|member| {
        let mut ahead = 0;
        if let (true, Some(sum)) = (member.usable, sums.get_mut(usize::from(member.backup))) {
            ahead = *sum;
            *sum += u64::from(member.weight) * 16;
        }
        Load {
            served: 0,
            ahead,
            configured: member.weight,
            down: member.disabled,
            limits: Limits::of(member.server),
        }
    });
    members.collect()
}

/// `sticky`: stays while it can, except that a primary takes over from a backup.
fn stick(serving: &[usize], current: Option<usize>) -> Option<usize> {
    let stays = current.filter(|server| serving.contains(server));
    stays.or(serving.first().copied())
}

/// `map_get_server_rr`: the next slot whose server has room. The index stays at the end of the map
/// until the next pick, which a map that grew meanwhile goes on from.
fn walk(slots: &[usize], index: &mut usize, full: impl Fn(usize) -> bool) -> Option<usize> {
    for _ in 0..slots.len() {
        if *index >= slots.len() {
            *index = 0;
        }
        let server = *slots.get(*index)?;
        *index += 1;
        if !full(server) {
            return Some(server);
        }
    }
    None
}

/// `srv_dynamic_maxconn`: with `minconn` the limit grows with the connections of the backend, up to
/// `maxconn` at `fullconn`.
fn limit(pool: &Pool<'_>, limits: &Limits, connections: u32) -> Option<u32> {
    let most = limits.maxconn?;
    let full = pool.fullconn.filter(|full| connections < *full);
    match full {
        Some(full) if limits.moves() => {
            let part = u64::from(connections) * u64::from(most) / u64::from(full);
            Some(limits.minconn.max(u32::try_from(part).unwrap_or(most)))
        }
        _ => Some(most),
    }
}

/// Whether a server is at its limit: most algorithms pass it over.
fn is_full(pool: &Pool<'_>, loads: &[Load], connections: u32, server: usize) -> bool {
    loads.get(server).is_some_and(|load| {
        limit(pool, &load.limits, connections).is_some_and(|most| load.served >= most)
    })
}

/// Whether `leastconn` passes a server over, which counts the room of its queue.
fn is_crowded(pool: &Pool<'_>, loads: &[Load], connections: u32, server: usize) -> bool {
    loads.get(server).is_some_and(|load| {
        limit(pool, &load.limits, connections)
            .is_some_and(|most| load.served >= most.saturating_add(load.limits.maxqueue))
    })
}
