//! Settings that are compared one by one and told as `name value`.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Kind, Recorder};
use super::health::time;
use crate::model::{
    Backend, Cookie, Instance, Redispatch, Server, ServerOptions, Setting, Text, Timeouts, Workers,
};

/// Settings of whole instances of one engine.
pub(super) fn of_instances(old: &Instance, new: &Instance, out: &mut Recorder) {
    let kind = Kind::InstanceOption;
    out.setting(kind, (&old.workers, &new.workers), |workers| {
        Some(match workers {
            Workers::Auto => "workers auto".to_owned(),
            Workers::Count(count) => format!("workers {count}"),
        })
    });
    out.setting(kind, (&old.maxconn, &new.maxconn), |most| {
        most.map(|most| format!("maxconn {most}"))
    });
}

/// Settings of backends of one engine.
pub(super) fn of_backends(old: &Backend, new: &Backend, out: &mut Recorder) {
    let kind = Kind::BackendOption;
    let number = |name: &'static str| move |value: &u32| Some(format!("{name} {value}"));
    let flag = |name: &'static str| move |value: &bool| value.then(|| name.to_owned());
    out.compare(kind, (old.layer, new.layer), |layer| {
        Some(format!("mode {}", layer.as_str()))
    });
    let factors = (&old.hash_balance_factor, &new.hash_balance_factor);
    out.setting(kind, factors, number("hash-balance-factor"));
    out.setting(kind, (&old.allbackups, &new.allbackups), flag("allbackups"));
    out.setting(kind, (&old.persist, &new.persist), flag("persist"));
    out.setting(kind, (&old.retries, &new.retries), number("retries"));
    out.setting(kind, (&old.redispatch, &new.redispatch), |value| {
        redispatch(*value)
    });
    out.setting(kind, (&old.retry_on, &new.retry_on), |conditions| {
        (!conditions.is_empty()).then(|| format!("retry-on {}", conditions.join(" ")))
    });
    optional(
        out,
        kind,
        (old.cookie.as_ref(), new.cookie.as_ref()),
        cookie,
    );
    let keys = |backend: &Backend| -> Vec<Text> {
        backend
            .stick_rules
            .iter()
            .map(|rule| rule.key.clone())
            .collect()
    };
    out.compare(kind, (keys(old), keys(new)), |keys| {
        (!keys.is_empty()).then(|| format!("stick on {}", keys.join(", ")))
    });
    optional(out, kind, (old.zone.as_ref(), new.zone.as_ref()), |zone| {
        format!("zone {zone}")
    });
    let named = |name: &'static str| move |value: &u32| format!("{name} {value}");
    optional(
        out,
        kind,
        (old.keepalive.as_ref(), new.keepalive.as_ref()),
        named("keepalive"),
    );
    optional(
        out,
        kind,
        (old.fullconn.as_ref(), new.fullconn.as_ref()),
        named("fullconn"),
    );
    let answers = |backend: &Backend| backend.answers_itself.is_some();
    out.compare(kind, (answers(old), answers(new)), |answers| {
        answers.then(|| "answers without a server".to_owned())
    });
    timeouts(&old.timeouts, &new.timeouts, out);
}

fn timeouts(old: &Timeouts, new: &Timeouts, out: &mut Recorder) {
    let pairs = [
        (Kind::TimeoutConnect, &old.connect, &new.connect),
        (Kind::TimeoutServer, &old.server, &new.server),
        (Kind::TimeoutQueue, &old.queue, &new.queue),
        (Kind::TimeoutCheck, &old.check, &new.check),
    ];
    for (kind, old, new) in pairs {
        out.setting(kind, (old, new), |value| value.map(time));
    }
}

fn redispatch(redispatch: Redispatch) -> Option<String> {
    match redispatch {
        Redispatch::Off => None,
        Redispatch::On(interval) => Some(format!("redispatch {interval}")),
    }
}

fn cookie(cookie: &Cookie) -> String {
    let mut words = vec!["cookie", &cookie.name];
    words.extend((!cookie.method.is_empty()).then_some(cookie.method.as_str()));
    words.extend(cookie.dynamic.then_some("dynamic"));
    words.extend(cookie.bounded.then_some("with an end"));
    words.join(" ")
}

/// Compares settings that may be missing.
fn optional<T: PartialEq>(
    out: &mut Recorder,
    kind: Kind,
    (old, new): (Option<&Setting<T>>, Option<&Setting<T>>),
    show: impl Fn(&T) -> String,
) {
    // Both unknown counts as equal, one unknown as different.
    let value = |setting: Option<&Setting<T>>| setting.map(|setting| setting.known().map(&show));
    if old.map(Setting::known) != new.map(Setting::known) {
        out.record(kind, value(old).flatten(), value(new).flatten());
    }
}

/// Compares the options of servers. Servers that have the same ones share them, so the last answer
/// serves for most.
#[derive(Default)]
pub(super) struct OptionCache {
    last: Option<(Arc<ServerOptions>, Arc<ServerOptions>, Vec<Difference>)>,
}

/// What an option was and what it is.
type Difference = (Option<String>, Option<String>);

impl OptionCache {
    pub(super) fn compare(&mut self, old: &Server, new: &Server, out: &mut Recorder) {
        out.setting(Kind::ServerOption, (&old.maxconn, &new.maxconn), |most| {
            most.map(|most| format!("maxconn {most}"))
        });
        optional(
            out,
            Kind::ServerOption,
            (old.cookie(), new.cookie()),
            |value| format!("cookie {value}"),
        );
        for (old, new) in self.differences(&old.options, &new.options) {
            out.record(Kind::ServerOption, old.clone(), new.clone());
        }
    }

    fn differences(&mut self, old: &Arc<ServerOptions>, new: &Arc<ServerOptions>) -> &[Difference] {
        let known = self
            .last
            .as_ref()
            .is_some_and(|(one, other, _)| Arc::ptr_eq(one, old) && Arc::ptr_eq(other, new));
        if !known {
            let found = differences(old, new);
            self.last = Some((Arc::clone(old), Arc::clone(new), found));
        }
        self.last.as_ref().map_or(&[], |(_, _, found)| found)
    }
}

fn differences(old: &ServerOptions, new: &ServerOptions) -> Vec<Difference> {
    // A recorder is what the comparisons write to; only their values are wanted here.
    let mut out = Recorder::new(0);
    let kind = Kind::ServerOption;
    let texts = [
        ("observe", &old.observe, &new.observe),
        ("on-error", &old.on_error, &new.on_error),
        ("on-marked-down", &old.on_marked_down, &new.on_marked_down),
        ("send-proxy", &old.send_proxy, &new.send_proxy),
        ("sni", &old.sni, &new.sni),
        ("proto", &old.proto, &new.proto),
        ("namespace", &old.namespace, &new.namespace),
        ("source", &old.source, &new.source),
        ("resolvers", &old.resolvers, &new.resolvers),
        ("init-addr", &old.init_addr, &new.init_addr),
        ("init-state", &old.init_state, &new.init_state),
        ("hash-key", &old.hash_key, &new.hash_key),
        ("guid", &old.guid, &new.guid),
        ("service", &old.service, &new.service),
    ];
    for (name, old, new) in texts {
        optional(&mut out, kind, (old.as_deref(), new.as_deref()), |value| {
            format!("{name} {value}")
        });
    }
    optional(
        &mut out,
        kind,
        (old.slowstart.as_ref(), new.slowstart.as_ref()),
        |value: &Duration| format!("slowstart {}", time(*value)),
    );
    let numbers = [
        ("maxqueue", &old.maxqueue, &new.maxqueue),
        ("minconn", &old.minconn, &new.minconn),
    ];
    for (name, old, new) in numbers {
        optional(&mut out, kind, (old.as_ref(), new.as_ref()), |value| {
            format!("{name} {value}")
        });
    }
    let flags = [
        ("ssl", &old.ssl, &new.ssl),
        ("drain", &old.drain, &new.drain),
    ];
    for (name, old, new) in flags {
        let on = |flag: &Option<Setting<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
        out.compare(kind, (on(old), on(new)), |on| on.then(|| name.to_owned()));
    }
    let mut found: Vec<Difference> = out
        .changes
        .into_iter()
        .map(|one| (one.old, one.new))
        .collect();
    found.extend(unlisted(&old.other, &new.other));
    found
}

/// Options that are not modelled: those of one side only, each on its own.
fn unlisted(old: &[Text], new: &[Text]) -> Vec<Difference> {
    let gone = old.iter().filter(|option| !new.contains(option));
    let fresh = new.iter().filter(|option| !old.contains(option));
    gone.map(|option| (Some(option.to_string()), None))
        .chain(fresh.map(|option| (None, Some(option.to_string()))))
        .collect()
}
