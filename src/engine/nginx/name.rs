//! The names of directives that this program looks at.
//!
//! In: a name. Out: a number for it, so that a tree is searched without comparing text.

/// A directive by its name, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Check,
    Events,
    Geo,
    Hash,
    HealthCheck,
    HostNames,
    Http,
    If,
    Include,
    IpHash,
    Keepalive,
    LeastConn,
    LeastTime,
    LimitExcept,
    Listen,
    LoadModule,
    Location,
    LogFormat,
    Mail,
    Map,
    Random,
    Resolver,
    Server,
    Set,
    SplitClients,
    Sticky,
    Stream,
    Upstream,
    WorkerProcesses,
    Zone,
    /// A balancing method of another module.
    ForeignMethod,
    /// Said of connections to the servers of an upstream; brings no servers.
    UpstreamDetail,
    /// `…_pass`.
    Pass(Family),
    /// Inner blocks inherit it.
    Inherited(Slot),
    /// Any other, known or not.
    Other,
}

impl Name {
    /// Those that are not made of a family and an ending.
    pub(crate) const LISTED: &[(&'static str, Self)] = &[
        ("balancer_by_lua", Self::ForeignMethod),
        ("balancer_by_lua_block", Self::ForeignMethod),
        ("balancer_by_lua_file", Self::ForeignMethod),
        ("check", Self::Check),
        ("consistent_hash", Self::ForeignMethod),
        ("events", Self::Events),
        ("ewma", Self::ForeignMethod),
        ("fair", Self::ForeignMethod),
        ("geo", Self::Geo),
        ("hash", Self::Hash),
        ("health_check", Self::HealthCheck),
        ("http", Self::Http),
        ("if", Self::If),
        ("include", Self::Include),
        ("ip_hash", Self::IpHash),
        ("keepalive", Self::Keepalive),
        ("keepalive_requests", Self::UpstreamDetail),
        ("keepalive_time", Self::UpstreamDetail),
        ("keepalive_timeout", Self::UpstreamDetail),
        ("least_conn", Self::LeastConn),
        ("least_time", Self::LeastTime),
        ("limit_except", Self::LimitExcept),
        ("listen", Self::Listen),
        ("load_module", Self::LoadModule),
        ("location", Self::Location),
        ("log_format", Self::LogFormat),
        ("mail", Self::Mail),
        ("map", Self::Map),
        ("ntlm", Self::UpstreamDetail),
        ("peak_ewma", Self::ForeignMethod),
        ("queue", Self::UpstreamDetail),
        ("random", Self::Random),
        ("real_ip_header", Self::Inherited(Slot::REAL_IP_HEADER)),
        ("resolver", Self::Resolver),
        ("resolver_timeout", Self::UpstreamDetail),
        ("server", Self::Server),
        ("server_name", Self::HostNames),
        ("session_sticky", Self::Sticky),
        ("set", Self::Set),
        ("set_real_ip_from", Self::Inherited(Slot::REAL_IP_FROM)),
        ("split_clients", Self::SplitClients),
        ("sticky", Self::Sticky),
        ("stream", Self::Stream),
        ("upstream", Self::Upstream),
        ("vnswrr", Self::ForeignMethod),
        ("worker_processes", Self::WorkerProcesses),
        ("zone", Self::Zone),
    ];

    /// Of the directive called `text`.
    pub(crate) fn of(text: &str) -> Self {
        if let Some((_, name)) = Self::LISTED.iter().find(|(listed, _)| *listed == text) {
            return *name;
        }
        let Some((family, rest)) = Family::of(text) else {
            return Self::Other;
        };
        if rest == "pass" {
            return Self::Pass(family);
        }
        let same = |kind: &Inheritance| kind.ending() == rest;
        let kind = Inheritance::ALL.into_iter().find(same);
        kind.map_or(Self::Other, |kind| {
            Self::Inherited(Slot::of_family(family, kind))
        })
    }
}

/// The modules that pass requests on; each has its own directives, named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Proxy,
    Fastcgi,
    Uwsgi,
    Scgi,
    Grpc,
    Memcached,
}

impl Family {
    const ALL: [(&'static str, Self); 6] = [
        ("proxy_", Self::Proxy),
        ("fastcgi_", Self::Fastcgi),
        ("uwsgi_", Self::Uwsgi),
        ("scgi_", Self::Scgi),
        ("grpc_", Self::Grpc),
        ("memcached_", Self::Memcached),
    ];

    /// The family of a directive and the rest of its name.
    fn of(name: &str) -> Option<(Self, &str)> {
        let strip = |&(prefix, family)| Some((family, name.strip_prefix(prefix)?));
        Self::ALL.iter().find_map(strip)
    }
}

/// What is inherited in each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inheritance {
    Conditions,
    Tries,
    Timeout,
    Connect,
}

impl Inheritance {
    const ALL: [Self; 4] = [Self::Conditions, Self::Tries, Self::Timeout, Self::Connect];

    /// The end of the directive's name.
    fn ending(self) -> &'static str {
        match self {
            Self::Conditions => "next_upstream",
            Self::Tries => "next_upstream_tries",
            Self::Timeout => "next_upstream_timeout",
            Self::Connect => "connect_timeout",
        }
    }
}

/// The place of an inherited directive among all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u8);

impl Slot {
    /// Members of [`Inheritance`].
    const KINDS: u8 = 4;
    const OF_FAMILIES: u8 = 6 * Self::KINDS;
    pub(crate) const REAL_IP_FROM: Self = Self(Self::OF_FAMILIES);
    pub(crate) const REAL_IP_HEADER: Self = Self(Self::OF_FAMILIES + 1);
    /// How many there are.
    pub(crate) const COUNT: usize = Self::OF_FAMILIES as usize + 2;

    pub(crate) const fn of_family(family: Family, kind: Inheritance) -> Self {
        Self(family as u8 * Self::KINDS + kind as u8)
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_inherited_directive_has_its_own_slot() {
        let mut seen = std::collections::BTreeSet::new();
        for (prefix, family) in Family::ALL {
            assert_eq!(Name::of(&format!("{prefix}pass")), Name::Pass(family));
            for kind in Inheritance::ALL {
                let name = Name::of(&format!("{prefix}{}", kind.ending()));
                let slot = Slot::of_family(family, kind);
                assert_eq!(name, Name::Inherited(slot));
                assert!(seen.insert(slot.index()));
            }
        }
        for text in ["set_real_ip_from", "real_ip_header"] {
            let Name::Inherited(slot) = Name::of(text) else {
                panic!("{text}")
            };
            assert!(seen.insert(slot.index()));
        }
        assert!(seen.into_iter().eq(0..Slot::COUNT));
    }
}
