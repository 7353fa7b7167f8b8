//! Changes of servers.

use super::change::{Kind, Recorder};
use super::health::{Watch, WatchWords};
use super::matching::Matching;
use super::options::OptionCache;
use crate::model::{Address, Backend, Engine, Server, Text};

/// What the comparison of two servers needs to know of their surroundings.
pub(super) struct Surroundings<'a> {
    pub(super) old: &'a Backend,
    pub(super) new: &'a Backend,
    /// The engines of both.
    pub(super) engines: (Engine, Engine),
    /// The numeric ids of servers decide where traffic goes.
    pub(super) ids_matter: bool,
}

/// Pairs the servers: by name; across engines by where they are, and by name where that is not known.
pub(super) fn pair(old: &Backend, new: &Backend, across: bool) -> Matching {
    let name = |server: &Server| server.name.clone();
    if !across
        && old
            .servers
            .iter()
            .map(name)
            .eq(new.servers.iter().map(name))
    {
        return Matching::in_place(new.servers.len());
    }
    let matching = Matching::new(old.servers.len(), new.servers.len());
    let names = |backend: &Backend| -> Vec<Option<Text>> {
        backend.servers.iter().map(name).map(Some).collect()
    };
    let matching = if across {
        let endpoints = |backend: &Backend| -> Vec<Option<String>> {
            let servers = backend.servers.iter();
            servers.map(|server| server.address.endpoint()).collect()
        };
        matching.by_key(endpoints(old), endpoints(new))
    } else {
        matching
    };
    matching.by_key(names(old), names(new))
}

/// Records what differs between the servers of two backends.
pub(super) fn compare(setting: &Surroundings<'_>, matching: &Matching, out: &mut Recorder) {
    let mut options = OptionCache::default();
    let mut told = WatchWords::default();
    let across = setting.engines.0 != setting.engines.1;
    let watch = [setting.old, setting.new].map(|backend| backend.check_protocol.known());
    for (one, other) in matching.in_new_order() {
        let Some(new) = setting.new.servers.get(other) else {
            continue;
        };
        out.at.server = Some(new.name.clone());
        let Some(old) = one.and_then(|one| setting.old.servers.get(one)) else {
            out.record(Kind::ServerAdded, None, Some(new.address.text.to_string()));
            continue;
        };
        if !across && !same_place(&old.address, &new.address) {
            let text = |server: &Server| Some(server.address.text.to_string());
            out.record(Kind::ServerAddress, text(old), text(new));
        }
        let weights = (&old.weight, &new.weight);
        out.setting(Kind::ServerWeight, weights, |weight| {
            Some(weight.to_string())
        });
        out.compare(Kind::ServerRole, (role(old), role(new)), |role| {
            role.map(str::to_owned)
        });
        let [before, after] = watch;
        let watches = (
            Watch::new(setting.engines.0, old, before),
            Watch::new(setting.engines.1, new, after),
        );
        if watches.0 != watches.1 {
            let (old, new) = told.words(&watches);
            out.record(Kind::ServerHealthCheck, old, new);
        }
        if !across {
            options.compare(old, new, out);
        }
        if setting.ids_matter {
            out.setting(Kind::ServerOption, (&old.id(), &new.id()), |id| {
                Some(format!("id {id}"))
            });
        }
    }
    for old in matching.only_old() {
        if let Some(old) = setting.old.servers.get(old) {
            out.at.server = Some(old.name.clone());
            out.record(
                Kind::ServerRemoved,
                Some(old.address.text.to_string()),
                None,
            );
        }
    }
    out.at.server = None;
}

/// Whether two addresses of one engine lead to the same place.
fn same_place(old: &Address, new: &Address) -> bool {
    if old == new {
        return true;
    }
    match (old.endpoint(), new.endpoint()) {
        (Some(old), Some(new)) => old == new,
        _ => (old.kind, old.host(), old.port) == (new.kind, new.host(), new.port),
    }
}

/// Active, backup or disabled; `None` where that depends on an unknown variable.
fn role(server: &Server) -> Option<&'static str> {
    Some(match (server.disabled.known()?, server.backup.known()?) {
        (true, _) => "disabled",
        (false, true) => "backup",
        (false, false) => "active",
    })
}
