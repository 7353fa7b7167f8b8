//! Names of servers replaced by the addresses that a resolver would give.
//!
//! In: an instance and the answers, which somebody has to know: nothing is looked up. Out: the same
//! instance with the peers that the proxy would make of them.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::{Address, AddressKind, Backend, Engine, Instance, Port, Server, Setting, Text};

/// Addresses by lower-case name, in the order of the resolver.
pub type Answers = BTreeMap<String, Vec<IpAddr>>;

impl Instance {
    /// Gives every server whose name is in `answers` its addresses.
    ///
    /// nginx makes one peer of each address, all with the weight of the line and known by its text
    /// (`ngx_http_upstream_init_round_robin`). HAProxy takes the first address, except behind
    /// `resolvers`, which deal each address of a name to one server of a backend; servers that get
    /// none are out (2.6, seen).
    pub fn resolve(&mut self, answers: &Answers) {
        for backend in &mut self.backends {
            match self.engine {
                Engine::Haproxy => dealt(backend, answers),
                Engine::Nginx => expanded(backend, answers),
            }
        }
    }
}

fn dealt(backend: &mut Backend, answers: &Answers) {
    let mut used: HashMap<String, usize> = HashMap::new();
    for server in &mut backend.servers {
        let Some(addresses) = addresses(server, answers) else {
            continue;
        };
        let next = if server.options.resolvers.is_some() {
            let name = server.address.host().to_ascii_lowercase();
            let number = used.entry(name).or_insert(0);
            *number += 1;
            addresses.get(*number - 1)
        } else {
            addresses.first()
        };
        match next {
            Some(address) => set_address(&mut server.address, *address),
            None => server.disabled = Setting::explicit(true, server.head()),
        }
    }
}

fn expanded(backend: &mut Backend, answers: &Answers) {
    let servers = std::mem::take(&mut backend.servers);
    for server in servers {
        let Some(addresses) = addresses(&server, answers) else {
            backend.servers.push(server);
            continue;
        };
        for address in addresses {
            let mut peer = server.clone();
            set_address(&mut peer.address, *address);
            peer.name = peer_name(*address, peer.address.port);
            backend.servers.push(peer);
        }
    }
}

fn addresses<'a>(server: &Server, answers: &'a Answers) -> Option<&'a [IpAddr]> {
    if server.address.kind != AddressKind::Name {
        return None;
    }
    let name = server.address.host().to_ascii_lowercase();
    answers.get(name.as_str()).map(Vec::as_slice)
}

/// The text stays as written: nginx computes the points of its ring from it.
fn set_address(address: &mut Address, resolved: IpAddr) {
    address.kind = match resolved {
        IpAddr::V4(_) => AddressKind::Ipv4,
        IpAddr::V6(_) => AddressKind::Ipv6,
    };
    address.set_host(&resolved.to_string());
}

/// How nginx names a peer in its logs.
fn peer_name(address: IpAddr, port: Port) -> Text {
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    match port.number() {
        Some(port) => Text::from(format!("{host}:{port}")),
        None => Text::from(host),
    }
}
