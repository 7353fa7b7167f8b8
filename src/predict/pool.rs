//! What the algorithms work on: servers reduced to what balancing sees of them.
//!
//! In: a [`Backend`] of the model. Out: a [`Pool`]. What decides shares is read out of the model here, so that
//! algorithms do not depend on its shape; picks read the limits of a server themselves.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use super::hash::{avalanche, xxh32};
use super::ketama::Ketama;
use super::ring::Ring;
use super::{Basis, Tier};
use crate::model::{
    Algorithm, Backend, Engine, HashKey, HashMethod, HashType, Layer, Server, Version,
};

/// How a pool chooses, with engine, version and mode already taken into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Weighted round robin of either engine.
    RoundRobin,
    /// HAProxy `static-rr`: a walk over the map.
    StaticMap,
    /// Fewest connections, or lowest response time.
    LeastConn,
    /// HAProxy `first`.
    First,
    /// HAProxy `sticky`.
    Sticky,
    /// Draws by weight: nginx `random`, HAProxy `random` from 3.4.
    RandomWeight,
    /// nginx `random two`.
    RandomTwo,
    /// Draws from the ring: HAProxy `random`.
    RandomRing {
        /// Servers drawn.
        draws: u32,
    },
    /// A hash of a key, looked up here.
    Hash(Table),
}

/// What a hash is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// HAProxy's map.
    Map,
    /// HAProxy's ring.
    Ring,
    /// The slots of nginx `hash`.
    Modulo,
    /// The ring of nginx `hash … consistent`.
    Ketama,
    /// The slots of nginx `ip_hash`.
    IpHash,
}

impl Method {
    /// How far shares under it can be trusted.
    pub(crate) fn basis(self) -> Basis {
        match self {
            Self::RoundRobin | Self::StaticMap | Self::Sticky => Basis::Sequence,
            Self::LeastConn | Self::First => Basis::Load,
            Self::RandomWeight | Self::RandomTwo | Self::RandomRing { .. } => Basis::Random,
            Self::Hash(_) => Basis::Hash,
        }
    }
}

/// One server as the algorithms see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    /// The server itself, for its text and for picks, which read its limits.
    pub(crate) server: &'a Server,
    /// Weight as configured; HAProxy 0..=256.
    pub(crate) weight: u32,
    /// In the backup tier.
    pub(crate) backup: bool,
    /// Out by configuration.
    pub(crate) disabled: bool,
    /// Can take balanced traffic: not disabled, not down and (HAProxy) weight above 0.
    pub(crate) usable: bool,
    /// HAProxy numeric id.
    pub(crate) id: u32,
    /// What HAProxy adds a node's number to before the avalanche gives its place on the ring; 0 where
    /// there is none.
    pub(crate) base: u32,
}

impl<'a> Member<'a> {
    /// What nginx `hash … consistent` hashes.
    pub(crate) fn text(&self) -> &'a str {
        &self.server.address.text
    }
}

/// The servers of a backend with everything that decides between them.
#[derive(Clone, Debug)]
pub(crate) struct Pool<'a> {
    /// Which engine's rules apply.
    pub(crate) engine: Engine,
    /// The algorithm.
    pub(crate) method: Method,
    /// Hash function and mapping, for hash methods.
    pub(crate) hash: HashType,
    /// HAProxy `hash-balance-factor`, 0 for off.
    pub(crate) balance_factor: u32,
    /// HAProxy: keys are hashed although a single server is used. Only `get_server_ph` (`url_param`)
    /// does so; the others take the server at once, whether there is a key or not.
    pub(crate) hashes_alone: bool,
    /// HAProxy `fullconn`; picks only.
    pub(crate) fullconn: Option<u32>,
    /// HAProxy `option allbackups`.
    pub(crate) allbackups: bool,
    /// Every server in declaration order.
    pub(crate) members: Vec<Member<'a>>,
    rings: Rings,
}

/// Rings, built when they are first asked for: they cost more than everything else.
#[derive(Clone, Debug, Default)]
struct Rings {
    haproxy: OnceLock<Option<Arc<Ring>>>,
    arcs: OnceLock<Option<Vec<u64>>>,
    nginx: OnceLock<Option<Arc<Ketama>>>,
}

impl<'a> Pool<'a> {
    /// Reduces `backend` with the servers at the indices `down` out; `None` where the configuration
    /// alone does not tell.
    pub(crate) fn new(
        engine: Engine,
        version: Version,
        backend: &'a Backend,
        down: &[usize],
    ) -> Option<Self> {
        let method = method(engine, version, backend)?;
        let even = backend.layer == Layer::Log;
        let on_ring = matches!(
            method,
            Method::RandomRing { .. } | Method::Hash(Table::Ring)
        );
        let mut members = Vec::with_capacity(backend.servers.len());
        for server in &backend.servers {
            let mut member = member(engine, server, even)?;
            if on_ring {
                member.base = ring_base(version, server, member.id);
            }
            members.push(member);
        }
        let mut pool = Self {
            engine,
            method,
            hash: *backend.hash_type.known()?,
            balance_factor: *backend.hash_balance_factor.known()?,
            hashes_alone: matches!(
                backend.algorithm.value,
                Algorithm::Hash(HashKey::UrlParam { .. })
            ),
            fullconn: (backend.fullconn.as_ref()).and_then(|fullconn| fullconn.known().copied()),
            allbackups: *backend.allbackups.known()?,
            members,
            rings: Rings::default(),
        };
        for index in down {
            pool.take_out(*index);
        }
        Some(pool)
    }

    /// Takes a server out of balancing.
    pub(crate) fn take_out(&mut self, index: usize) {
        if let Some(member) = self.members.get_mut(index) {
            member.usable = false;
            // nginx keeps the places of servers that are out.
            (self.rings.haproxy, self.rings.arcs) = Default::default();
        }
    }

    /// HAProxy's ring of the servers that take traffic; `None` where it would be too large.
    pub(crate) fn ring(&self) -> Option<&Ring> {
        let build = || Ring::new(self, &self.serving().1).map(Arc::new);
        self.rings.haproxy.get_or_init(build).as_deref()
    }

    /// How many hash values of HAProxy's ring each server owns.
    pub(crate) fn arcs(&self) -> Option<&[u64]> {
        let sum = || Some(self.ring()?.arcs(self.members.len()));
        self.rings.arcs.get_or_init(sum).as_deref()
    }

    /// nginx's ring of all peers; `None` where it would be too large.
    pub(crate) fn ketama(&self) -> Option<&Ketama> {
        let build = || Ketama::new(self).map(Arc::new);
        self.rings.nginx.get_or_init(build).as_deref()
    }

    /// The tier that takes traffic and its servers.
    ///
    /// HAProxy: `recount_servers` and `update_backend_weight`; without `option allbackups` only the
    /// first usable backup serves. nginx: the backup peers are one more round robin.
    pub(crate) fn serving(&self) -> (Tier, Vec<usize>) {
        let primaries = self.usable(false);
        if !primaries.is_empty() {
            return (Tier::Active, primaries);
        }
        let mut backups = self.usable(true);
        if backups.is_empty() {
            return (Tier::None, backups);
        }
        if self.engine == Engine::Haproxy && !self.allbackups {
            backups.truncate(1);
        }
        (Tier::Backup, backups)
    }

    /// The usable servers that are backups or are not.
    pub(crate) fn usable(&self, backup: bool) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        let usable = members.filter(|(_, member)| member.usable && member.backup == backup);
        let mut indices = Vec::with_capacity(self.members.len());
        indices.extend(usable.map(|(index, _)| index));
        indices
    }

    /// The members at `indices`, with their index.
    pub(crate) fn at<'s>(
        &'s self,
        indices: &'s [usize],
    ) -> impl Iterator<Item = (usize, &'s Member<'a>)> + Clone {
        indices
            .iter()
            .filter_map(|index| Some((*index, self.members.get(*index)?)))
    }
}

fn method(engine: Engine, version: Version, backend: &Backend) -> Option<Method> {
    Some(match backend.algorithm.known()? {
        Algorithm::RoundRobin => Method::RoundRobin,
        Algorithm::StaticRoundRobin => Method::StaticMap,
        Algorithm::LeastConn | Algorithm::LeastTime => Method::LeastConn,
        Algorithm::First => Method::First,
        Algorithm::Sticky => Method::Sticky,
        Algorithm::Random { draws } => random(engine, version, backend.layer, *draws),
        Algorithm::Hash(key) => hashed(backend, key),
        Algorithm::IpHash => Method::Hash(Table::IpHash),
        Algorithm::LogHash => Method::Hash(Table::Map),
        Algorithm::Other(_) => return None,
    })
}

fn random(engine: Engine, version: Version, layer: Layer, draws: u32) -> Method {
    // From 3.4 a tie goes to the lower request rate per weight, which leaves the weights.
    let by_rate = version >= Version::new(3, 4, 0) && draws >= 2;
    match engine {
        Engine::Nginx if draws >= 2 => Method::RandomTwo,
        Engine::Haproxy if layer != Layer::Log && !by_rate => Method::RandomRing { draws },
        Engine::Haproxy | Engine::Nginx => Method::RandomWeight,
    }
}

fn hashed(backend: &Backend, key: &HashKey) -> Method {
    let http_only = match key {
        HashKey::Uri { .. } | HashKey::UrlParam { .. } | HashKey::Header { .. } => true,
        HashKey::Source
        | HashKey::RdpCookie(_)
        | HashKey::Expression(_)
        | HashKey::Variables(_) => false,
    };
    if http_only && backend.layer == Layer::Tcp {
        // `proxy_cfg_ensure_no_http`: "layer 7 hash not possible", falls back to round robin.
        return Method::RoundRobin;
    }
    Method::Hash(match backend.hash_type.value.method {
        HashMethod::Map => Table::Map,
        HashMethod::Ring => Table::Ring,
        HashMethod::Modulo => Table::Modulo,
        HashMethod::Ketama => Table::Ketama,
    })
}

fn member(engine: Engine, server: &Server, even: bool) -> Option<Member<'_>> {
    let disabled = *server.disabled.known()?;
    // What is out takes no traffic, whatever its weight turns out to be.
    let weight = match server.weight.known() {
        Some(weight) => *weight,
        None if disabled && engine == Engine::Haproxy => 0,
        None => return None,
    };
    Some(Member {
        server,
        weight: match engine {
            Engine::Haproxy if even => weight.min(1),
            Engine::Haproxy => weight.min(256),
            Engine::Nginx => weight.max(1),
        },
        backup: *server.backup.known()?,
        disabled,
        usable: !disabled && (engine == Engine::Nginx || weight > 0),
        id: server.id().known().copied().unwrap_or(0),
        base: 0,
    })
}

/// `chash_compute_server_key`: where the nodes of a server start, from its id or `hash-key`.
fn ring_base(version: Version, server: &Server, id: u32) -> u32 {
    let by_id = id.wrapping_mul(4096);
    let Some(kind) = &server.options.hash_key else {
        return by_id;
    };
    if version < Version::new(3, 0, 0) {
        return by_id;
    }
    let base = match kind.value.as_str() {
        "id32" => Some(avalanche(id.swap_bytes())),
        "addr" => address_base(server, 0),
        "addr-port" => (server.address.port.number())
            .and_then(|port| address_base(server, avalanche(u32::from(port)))),
        "guid" => (server.options.guid.as_ref()).map(|guid| xxh32(guid.value.as_bytes(), 0)),
        _ => None,
    };
    base.unwrap_or(by_id)
}

/// The ring base of an address: IPv4 as the integer that a little-endian machine stores.
fn address_base(server: &Server, seed: u32) -> Option<u32> {
    let host = server.address.host();
    if let Ok(v4) = host.parse::<Ipv4Addr>() {
        let stored = u32::from_le_bytes(v4.octets());
        return Some(avalanche(seed.wrapping_add(stored)));
    }
    let v6 = host.parse::<Ipv6Addr>().ok()?;
    Some(xxh32(&v6.octets(), seed))
}
