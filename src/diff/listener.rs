//! Changes of listeners.

use super::change::{Kind, Recorder};
use super::matching::Matching;
use crate::model::{Bind, Instance, Listener, Text};

/// Records what differs between the listeners of two instances, and tells which is which.
///
/// By name and sockets, then by name, then by sockets: several nginx `server` blocks may share a
/// name, and names differ between engines.
pub(super) fn compare(old: &Instance, new: &Instance, out: &mut Recorder) -> Matching {
    let matching = pair(old, new);
    for (one, other) in matching.in_new_order() {
        let Some(after) = new.listeners.get(other) else {
            continue;
        };
        match one.and_then(|one| old.listeners.get(one)) {
            Some(before) => both(before, after, old.engine != new.engine, out),
            None => only(after, true, out),
        }
    }
    for one in matching.only_old() {
        if let Some(before) = old.listeners.get(one) {
            only(before, false, out);
        }
    }
    matching
}

fn pair(old: &Instance, new: &Instance) -> Matching {
    let names = |instance: &Instance| -> Vec<Option<Text>> {
        let all = instance.listeners.iter();
        all.map(|listener| Some(listener.name.clone())).collect()
    };
    let sockets = |instance: &Instance| -> Vec<Option<Vec<String>>> {
        let all = instance.listeners.iter().map(places);
        all.map(|places| (!places.is_empty()).then_some(places))
            .collect()
    };
    let both = |instance: &Instance| -> Vec<Option<(Text, Vec<String>)>> {
        let all = instance.listeners.iter();
        all.map(|listener| Some((listener.name.clone(), places(listener))))
            .collect()
    };
    let matching = Matching::new(old.listeners.len(), new.listeners.len())
        .by_key(both(old), both(new))
        .by_key(names(old), names(new));
    if old.engine == new.engine {
        return matching;
    }
    matching.by_key(sockets(old), sockets(new))
}

/// The ports and addresses of a listener, the same for every way of writing them.
fn places(listener: &Listener) -> Vec<String> {
    let mut places: Vec<String> = listener.binds.iter().map(place).collect();
    places.sort_unstable();
    places
}

fn place(bind: &Bind) -> String {
    let address = &bind.address;
    address.endpoint().unwrap_or_else(|| {
        format!(
            "{:?} {} {:?}",
            address.kind,
            address.host(),
            address.port.number()
        )
    })
}

/// A listener that stands on one side only.
pub(super) fn only(listener: &Listener, added: bool, out: &mut Recorder) {
    out.at.listener = Some(listener.name.clone());
    let binds: Vec<String> = listener.binds.iter().map(socket).collect();
    let words = (!binds.is_empty()).then(|| binds.join(", "));
    if added {
        out.record(Kind::ListenerAdded, None, words);
    } else {
        out.record(Kind::ListenerRemoved, words, None);
    }
    out.at.listener = None;
}

fn both(old: &Listener, new: &Listener, across: bool, out: &mut Recorder) {
    out.at.listener = Some(new.name.clone());
    sockets(old, new, out);
    let kind = Kind::ListenerOption;
    out.compare(kind, (old.layer, new.layer), |layer| {
        Some(format!("mode {}", layer.as_str()))
    });
    out.setting(kind, (&old.maxconn, &new.maxconn), |most| {
        most.map(|most| format!("maxconn {most}"))
    });
    if !across {
        out.compare(kind, (&old.server_names, &new.server_names), |names| {
            Some(format!("server_name {}", names.join(" ")))
        });
    }
    let restores = |listener: &Listener| listener.restores_client_address.is_some();
    out.compare(kind, (restores(old), restores(new)), |restores| {
        restores.then(|| "restores the client address".to_owned())
    });
    out.at.listener = None;
}

fn sockets(old: &Listener, new: &Listener, out: &mut Recorder) {
    let keys = |listener: &Listener| -> Vec<Option<String>> {
        listener
            .binds
            .iter()
            .map(|bind| Some(place(bind)))
            .collect()
    };
    let matching = Matching::new(old.binds.len(), new.binds.len()).by_key(keys(old), keys(new));
    for (one, other) in matching.in_new_order() {
        let before = one.and_then(|one| old.binds.get(one));
        let after = new.binds.get(other);
        let options = |bind: &Bind| (bind.tls, bind.proxy_protocol, bind.default_server);
        if before.map(options) != after.map(options) {
            out.record(Kind::ListenerBind, before.map(socket), after.map(socket));
        }
    }
    for one in matching.only_old() {
        out.record(Kind::ListenerBind, old.binds.get(one).map(socket), None);
    }
}

/// A socket with its options, in words.
fn socket(bind: &Bind) -> String {
    let mut words = vec![bind.address.text.as_str()];
    words.extend(bind.tls.then_some("tls"));
    words.extend(bind.proxy_protocol.then_some("proxy-protocol"));
    words.extend(bind.default_server.then_some("default_server"));
    words.join(" ")
}
