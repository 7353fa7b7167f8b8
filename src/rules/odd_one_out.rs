//! `odd-one-out`: one server differs from all of its siblings, who agree.
//!
//! In: the usable primaries of a backend. Out: one finding per server that is set apart.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::tier::names_a_group;
use super::wording::duration;
use super::{BackendView, Check, Rule, facts};
use crate::finding::{Finding, Severity};
use crate::model::{CheckTiming, Engine, Server, Setting, Text};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/odd-one-out.md"),
    check: Check::Backend(check),
    options: &[],
};

/// With fewer servers nobody is odd.
const LEAST_SERVERS: usize = 3;

/// The longest detection of a failure that is not a fault of its own.
const LONG: Duration = Duration::from_secs(15);

/// What is compared.
struct Parameter {
    engine: Engine,
    name: &'static str,
    /// What it makes of the one that differs.
    effect: &'static str,
    read: for<'a> fn(&'a Server) -> Value<'a>,
}

/// What a server says about a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Absent,
    On,
    Word(&'a str),
    Number(u32),
    Time(Duration),
    Unknown,
}

const REACHED: &str = "it is reached in another way than they are";
const JUDGED: &str = "its failures are judged in another way than theirs";
const NOTICED: &str = "its failures are noticed after another time than theirs";
const FILLED: &str = "it is filled in another way than they are";
const LIMITED: &str = "under load it takes another number of requests than they do";

static PARAMETERS: &[Parameter] = &[
    Parameter {
        engine: Engine::Haproxy,
        name: "ssl",
        effect: REACHED,
        read: |server| flag(server.options.ssl.as_ref()),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "check-ssl",
        effect: JUDGED,
        read: |server| flag(server.options.check_ssl.as_ref()),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "send-proxy",
        effect: REACHED,
        read: |server| word(server.options.send_proxy.as_deref()),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "proto",
        effect: REACHED,
        read: |server| word(server.options.proto.as_deref()),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "observe",
        effect: JUDGED,
        read: |server| word(server.options.observe.as_deref()),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "on-marked-down",
        effect: JUDGED,
        read: |server| word(server.options.on_marked_down.as_deref()),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "sni",
        effect: REACHED,
        // Each server may have a name of its own.
        read: |server| match server.options.sni.as_deref().map(Setting::known) {
            None => Value::Absent,
            Some(Some(_)) => Value::On,
            Some(None) => Value::Unknown,
        },
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "inter",
        effect: NOTICED,
        read: |server| checked(server, |timing| time(&timing.inter)),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "fall",
        effect: NOTICED,
        read: |server| checked(server, |timing| number(&timing.fall)),
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "slowstart",
        effect: FILLED,
        read: |server| match server.options.slowstart.as_ref().map(time) {
            // 0 is none.
            None | Some(Value::Time(Duration::ZERO)) => Value::Absent,
            Some(value) => value,
        },
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "maxqueue",
        effect: LIMITED,
        read: |server| match server.options.maxqueue.as_ref().map(number) {
            // 0 is no limit.
            None | Some(Value::Number(0)) => Value::Absent,
            Some(value) => value,
        },
    },
    Parameter {
        engine: Engine::Haproxy,
        name: "maxconn",
        effect: LIMITED,
        read: limit,
    },
    Parameter {
        engine: Engine::Nginx,
        name: "max_conns",
        effect: LIMITED,
        read: limit,
    },
    Parameter {
        engine: Engine::Nginx,
        name: "max_fails",
        effect: JUDGED,
        read: |server| {
            let max_fails = &server.passive().max_fails;
            // `max-fails-zero` speaks about that.
            if max_fails.known() == Some(&0) {
                Value::Unknown
            } else {
                number(max_fails)
            }
        },
    },
    Parameter {
        engine: Engine::Nginx,
        name: "fail_timeout",
        effect: JUDGED,
        read: |server| time(&server.passive().fail_timeout),
    },
];

fn flag(setting: Option<&Setting<bool>>) -> Value<'_> {
    match setting.map(Setting::known) {
        None | Some(Some(false)) => Value::Absent,
        Some(Some(true)) => Value::On,
        Some(None) => Value::Unknown,
    }
}

fn word(setting: Option<&Setting<Text>>) -> Value<'_> {
    match setting.map(Setting::known) {
        None => Value::Absent,
        Some(Some(word)) => Value::Word(word),
        Some(None) => Value::Unknown,
    }
}

fn number(setting: &Setting<u32>) -> Value<'_> {
    setting
        .known()
        .map_or(Value::Unknown, |it| Value::Number(*it))
}

fn time(setting: &Setting<Duration>) -> Value<'_> {
    setting
        .known()
        .map_or(Value::Unknown, |it| Value::Time(*it))
}

/// What a server says about the times of its check, where it has one and no other rule speaks about
/// them.
fn checked<'a>(server: &'a Server, read: fn(&'a CheckTiming) -> Value<'a>) -> Value<'a> {
    let timing = &server.options.timing;
    let own = server.check.known() == Some(&true) && server.options.track.is_none();
    let detection = facts::detection(timing);
    // `slow-failure-detection` speaks about long ones, and none at all is refused at load.
    if own && timing.fall.value > 0 && detection > Duration::ZERO && detection <= LONG {
        read(timing)
    } else {
        Value::Unknown
    }
}

/// What a server can take; without a limit it is `server-maxconn-missing`.
fn limit(server: &Server) -> Value<'_> {
    match server.maxconn.known() {
        None | Some(None | Some(0)) => Value::Unknown,
        Some(Some(limit)) => Value::Number(*limit),
    }
}

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let engine = view.context.instance.engine;
    let tier = || view.backend.usable_primaries();
    let runs = runs(tier());
    let Some(last) = tier().last().filter(|_| runs.len() > 1) else {
        return;
    };
    if tier().nth(LEAST_SERVERS - 1).is_none() {
        return;
    }
    let mut found: Vec<Odd<'_>> = Vec::new();
    for parameter in PARAMETERS.iter().filter(|it| it.engine == engine) {
        let Some((server, other)) = odd(&runs, last, parameter.read) else {
            continue;
        };
        // A larger machine has a larger weight, and a larger limit.
        if parameter.effect == LIMITED && server.weight.value != other.weight.value {
            continue;
        }
        match found.iter_mut().find(|it| ptr::eq(it.server, server)) {
            Some(odd) => odd.parameters.push(parameter),
            None => found.push(Odd {
                server,
                other,
                parameters: vec![parameter],
            }),
        }
    }
    found.retain(|odd| !is_apart(view, odd.server, odd.other));
    findings.extend(found.iter().filter_map(|odd| finding(view, odd)));
}

/// A server that differs, one of the others, and what sets it apart.
struct Odd<'a> {
    server: &'a Server,
    other: &'a Server,
    parameters: Vec<&'static Parameter>,
}

/// Neighbours that agree in everything that is compared: the first one and their number.
type Run<'a> = (&'a Server, usize);

fn runs<'a>(tier: impl Iterator<Item = &'a Server>) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for server in tier {
        match runs
            .last_mut()
            .filter(|(first, _)| are_alike(first, server))
        {
            Some((_, number)) => *number += 1,
            None => runs.push((server, 1)),
        }
    }
    runs
}

fn are_alike(a: &Server, b: &Server) -> bool {
    let (passive, other) = (a.passive(), b.passive());
    Arc::ptr_eq(&a.options, &b.options)
        && a.maxconn.known() == b.maxconn.known()
        && a.check.known() == b.check.known()
        && passive.max_fails.known() == other.max_fails.known()
        && passive.fail_timeout.known() == other.fail_timeout.known()
}

/// The one that differs from all others, who agree, and one of those.
fn odd<'a>(
    runs: &[Run<'a>],
    last: &'a Server,
    read: for<'v> fn(&'v Server) -> Value<'v>,
) -> Option<(&'a Server, &'a Server)> {
    let ((first, same), others) = runs.split_first()?;
    let usual = read(first);
    let mut different: Option<(&Server, Value<'_>)> = None;
    let (mut same_number, mut different_number) = (*same, 0);
    for (server, number) in others {
        let value = read(server);
        if value == usual {
            same_number += number;
        } else if different.is_none_or(|(_, known)| known == value) {
            different = Some((server, value));
            different_number += number;
        } else {
            return None;
        }
        let unknown = usual == Value::Unknown || value == Value::Unknown;
        if unknown || (same_number > 1 && different_number > 1) {
            return None;
        }
    }
    let (other, _) = different?;
    Some(if same_number > 1 {
        (other, first)
    } else {
        (first, last)
    })
}

/// Whether it is plain that the server is meant to differ, or another rule says so.
fn is_apart(view: &BackendView<'_>, odd: &Server, other: &Server) -> bool {
    let notes = view.reason_notes(odd);
    odd.address.port != other.address.port
        || odd.template().is_some()
        || names_a_group(&odd.name)
        || notes.state_reason(view.context.today)
}

fn finding(view: &BackendView<'_>, odd: &Odd<'_>) -> Option<Finding> {
    let Odd { server, other, .. } = odd;
    let others = view.backend.usable_primaries().count() - 1;
    let differences: Vec<String> = (odd.parameters.iter())
        .map(|parameter| difference(parameter, server, other, others))
        .collect();
    let message = format!(
        "`{}` of {} {}: {}",
        server.name,
        view.title(),
        differences.join(", and "),
        odd.parameters.first()?.effect
    );
    let help = "make it like the others, or state the reason in a comment beside it";
    let finding = Finding::new(Severity::Warning, server.head(), message, help)
        .backend(&view.backend.name)
        .server(&server.name)
        .label("the one that differs")
        .related(format!("`{}` is like the others", other.name), other.head());
    Some(finding)
}

fn difference(parameter: &Parameter, odd: &Server, other: &Server, others: usize) -> String {
    let Parameter { name, read, .. } = parameter;
    match (read(odd), read(other)) {
        (Value::Absent, _) => format!("has no `{name}` while the other {others} have"),
        (value, Value::Absent) => {
            format!("alone of {} servers has {}", others + 1, shown(name, value))
        }
        (value, usual) => {
            let (value, usual) = (shown(name, value), shown(name, usual));
            format!("has {value} while the other {others} have {usual}")
        }
    }
}

fn shown(name: &str, value: Value<'_>) -> String {
    match value {
        Value::Absent | Value::Unknown | Value::On => format!("`{name}`"),
        Value::Word(word) if word.starts_with(name) => format!("`{word}`"),
        Value::Word(word) => format!("`{name} {word}`"),
        Value::Number(number) => format!("`{name}` {number}"),
        Value::Time(time) => format!("`{name}` {}", duration(time)),
    }
}
