//! Balancing algorithms and the hashing behind some of them.

use super::Text;

/// How a server is chosen among the usable ones of a tier.
///
/// HAProxy: manual 4.2 `balance`. nginx: the method directives of `ngx_http_upstream_module`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Weighted round robin: HAProxy's dynamic one, nginx's smooth one.
    RoundRobin,
    /// HAProxy `static-rr`: a walk over a map that is built from the weights.
    StaticRoundRobin,
    /// Fewest connections per weight: `leastconn`, `least_conn`.
    LeastConn,
    /// Lowest response time: nginx `least_time`.
    LeastTime,
    /// HAProxy `first`: the lowest id that has room.
    First,
    /// Random draws: HAProxy `random(N)`, nginx `random` (1 draw) and `random two` (2 draws).
    Random {
        /// Servers drawn before the less loaded one is kept.
        draws: u32,
    },
    /// A hash of a key of the request; how it is mapped is the backend's [`HashType`].
    Hash(HashKey),
    /// nginx `ip_hash`.
    IpHash,
    /// HAProxy `sticky` (3.0): one server at a time.
    Sticky,
    /// HAProxy `log-hash` (2.9).
    LogHash,
    /// Chosen by code or a module that is not modelled: `balancer_by_lua`, `fair` and the like.
    Other(Text),
}

impl Algorithm {
    /// What is hashed, where a hash with a key of its own decides.
    pub fn hash_key(&self) -> Option<&HashKey> {
        match self {
            Self::Hash(key) => Some(key),
            Self::RoundRobin
            | Self::StaticRoundRobin
            | Self::LeastConn
            | Self::LeastTime
            | Self::First
            | Self::Random { .. }
            | Self::IpHash
            | Self::Sticky
            | Self::LogHash
            | Self::Other(_) => None,
        }
    }

    /// Whether a hash is mapped to servers as the backend's [`HashType`] says.
    pub fn is_mapped(&self) -> bool {
        self.hash_key().is_some() || *self == Self::LogHash
    }
}

/// What is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// HAProxy `source`: the client address.
    Source,
    /// HAProxy `uri` and its options.
    Uri {
        /// Only this many leading bytes.
        len: Option<u32>,
        /// Only this many leading path components.
        depth: Option<u32>,
        /// With the query string.
        whole: bool,
        /// Without scheme and authority.
        path_only: bool,
    },
    /// HAProxy `url_param NAME`.
    UrlParam {
        /// Name of the parameter.
        name: Text,
        /// Also look into the body of a POST.
        check_post: bool,
    },
    /// HAProxy `hdr(NAME)`.
    Header {
        /// Name of the header.
        name: Text,
        /// Only the label before the last dot.
        domain_only: bool,
    },
    /// HAProxy `rdp-cookie(NAME)`.
    RdpCookie(Text),
    /// HAProxy `hash EXPRESSION`: a sample expression with its converters, as written.
    Expression(Text),
    /// nginx `hash KEY`: text with variables, as written.
    Variables(Text),
}

/// How hash values map to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashMethod {
    /// HAProxy `hash-type map-based`: the hash modulo the total weight.
    Map,
    /// HAProxy `hash-type consistent`: the closest node of a ring, 16 nodes per unit of weight.
    Ring,
    /// nginx `hash KEY`: crc32 modulo the total weight.
    Modulo,
    /// nginx `hash KEY consistent`: ketama, 160 points per unit of weight.
    Ketama,
}

/// The hash function of HAProxy's `hash-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashFunction {
    /// `sdbm`, the default.
    Sdbm,
    /// `djb2`.
    Djb2,
    /// `wt6`.
    Wt6,
    /// `crc32`; also what nginx uses.
    Crc32,
    /// `none` (2.9): the key is a decimal number.
    None,
}

/// HAProxy manual 4.2 `hash-type`; for nginx method and crc32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashType {
    /// Mapping from hash to server.
    pub method: HashMethod,
    /// Hash function.
    pub function: HashFunction,
    /// Whether the hash is mixed once more. A bare `hash-type consistent` has it, one that names a
    /// function has not.
    pub avalanche: bool,
    /// Whether a function was named in the configuration.
    pub function_named: bool,
}

impl HashType {
    /// What HAProxy uses when no `hash-type` is given.
    pub const HAPROXY_DEFAULT: Self = Self {
        method: HashMethod::Map,
        function: HashFunction::Sdbm,
        avalanche: false,
        function_named: false,
    };
}
