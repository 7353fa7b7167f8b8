//! `slow-failure-detection`: a dead server keeps its traffic for long.
//!
//! In: check timing of each HAProxy backend. Out: at most one finding per backend, or per
//! `default-server` line of `defaults`.

use std::collections::BTreeMap;
use std::ptr;
use std::time::Duration;

use super::wording::{count, duration, names, percent};
use super::{BackendView, Check, Context, Rule, RuleOption, facts};
use crate::finding::{Finding, Severity};
use crate::model::{Backend, CheckTiming, Server, ServerOptions};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/slow-failure-detection.md"),
    check: Check::Instance(check),
    options: &[
        RuleOption {
            name: "max-seconds",
            default: 15.0,
            summary: "longest detection in seconds without a warning",
        },
        RuleOption {
            name: "error-seconds",
            default: 60.0,
            summary: "detection in seconds above which it is an error",
        },
    ],
};

/// Related places that a finding lists at most.
const RELATED: usize = 3;

/// The slowest server of a backend.
struct Slow<'a> {
    index: usize,
    backend: &'a Backend,
    server_index: usize,
    server: &'a Server,
    time: Duration,
    /// Whether its siblings are not slow.
    alone: bool,
}

/// How long a detection may take, in seconds.
struct Limits {
    warning: f64,
    error: f64,
}

impl Limits {
    fn severity(&self, time: Duration) -> Option<Severity> {
        let seconds = time.as_secs_f64();
        if seconds > self.error {
            Some(Severity::Error)
        } else {
            (seconds > self.warning).then_some(Severity::Warning)
        }
    }
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let limits = Limits {
        warning: context.option(&RULE, "max-seconds"),
        error: context.option(&RULE, "error-seconds"),
    };
    let mut by_cause: BTreeMap<Span, Vec<Slow<'_>>> = BTreeMap::new();
    for (index, backend) in context.instance.backends.iter().enumerate() {
        if let Some(slow) = slowest(&limits, index, backend) {
            by_cause.entry(cause(slow.server)).or_default().push(slow);
        }
    }
    for (span, slow) in &by_cause {
        findings.extend(finding(context, &limits, *span, slow));
    }
}

/// The first server with the longest detection among those that have a check of their own and nothing
/// that is quicker, where another one could take over.
fn slowest<'a>(limits: &Limits, index: usize, backend: &'a Backend) -> Option<Slow<'a>> {
    let mut slow = 0;
    let mut worst: Option<(usize, &Server, Duration)> = None;
    let mut before: Option<(&ServerOptions, Duration)> = None;
    for (server_index, server) in facts::tier(backend, true) {
        // Most servers share the options of the one before.
        let options = &*server.options;
        let known = before.filter(|(known, _)| ptr::eq(*known, options));
        let time = known.map_or_else(|| facts::detection(&options.timing), |(_, time)| time);
        before = Some((options, time));
        if limits.severity(time).is_none() || !only_its_check(server) {
            continue;
        }
        slow += 1;
        if worst.is_none_or(|(.., longest)| time > longest) {
            worst = Some((server_index, server, time));
        }
    }
    let (server_index, server, time) = worst?;
    let mut others = backend.usable_primaries().chain(backend.usable_backups());
    others.nth(1)?;
    Some(Slow {
        index,
        backend,
        server_index,
        server,
        time,
        alone: slow == 1 && facts::tier(backend, true).nth(1).is_some(),
    })
}

fn only_its_check(server: &Server) -> bool {
    let timing = &server.options.timing;
    let opaque =
        timing.inter.is_opaque() || timing.fall.is_opaque() || timing.fastinter.is_opaque();
    server.check.known() == Some(&true)
        && server.options.track.is_none()
        && server.options.observe.is_none()
        && !server.has_agent()
        && !opaque
}

/// Where the time comes from: the interval if it is longer than the default, else `fall`.
fn cause(server: &Server) -> Span {
    let timing = &server.options.timing;
    let slow_interval = timing.inter.value > CheckTiming::default().inter.value;
    let settings = [
        timing.inter.origin.span().filter(|_| slow_interval),
        timing.fall.origin.span(),
    ];
    settings
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(server.head())
}

fn finding(
    context: &Context<'_>,
    limits: &Limits,
    span: Span,
    slow: &[Slow<'_>],
) -> Option<Finding> {
    let worst = slow.iter().max_by_key(|slow| slow.time)?;
    let timing = &worst.server.options.timing;
    let (subject, share) = subject(context, slow);
    let keeps = share.map_or_else(
        || "its share".to_owned(),
        |share| format!("its {share} share"),
    );
    let message = format!(
        "{subject} keeps {keeps} for up to {}: {} before it counts as down",
        duration(worst.time),
        schedule(timing)
    );
    let help = "set `inter 3s fastinter 1s fall 3`: a dead server is then out after 5 s";
    let mut finding = Finding::new(limits.severity(worst.time)?, span, message, help)
        .label(format!("up to {}", duration(worst.time)));
    if let [only] = slow {
        finding = finding.backend(&only.backend.name);
        if only.alone {
            finding = finding.server(&only.server.name);
        }
    }
    if timing.fall.is_written() {
        let fall = timing.fall.origin.span().filter(|it| *it != span);
        finding = fall
            .into_iter()
            .fold(finding, |it, fall| it.related("`fall` is set here", fall));
    }
    for slow in slow.iter().take(RELATED).filter(|_| slow.len() > 1) {
        finding = finding.related(
            format!("backend `{}` is affected", slow.backend.name),
            slow.backend.span,
        );
    }
    Some(finding)
}

/// What is affected, and the share of the server where it is one backend.
fn subject(context: &Context<'_>, slow: &[Slow<'_>]) -> (String, Option<String>) {
    if let [only] = slow {
        let view = BackendView::new(context, only.index, only.backend);
        let share = facts::share(&view, only.server_index).map(percent);
        let backend = format!("backend `{}`", only.backend.name);
        let subject = if only.alone {
            format!("server `{}` of {backend}, when dead,", only.server.name)
        } else {
            format!("a dead server in {backend}")
        };
        return (subject, share);
    }
    let listed: Vec<&str> = slow.iter().map(|slow| slow.backend.name.as_str()).collect();
    let subject = format!(
        "a dead server in {} ({})",
        count(slow.len(), "backend"),
        names(&listed)
    );
    (subject, None)
}

fn schedule(timing: &CheckTiming) -> String {
    let fall = timing.fall.value;
    let every = duration(timing.inter.value);
    match timing.fastinter.value {
        Some(fast) => format!(
            "{} at {every}, then {}",
            count(fall as usize, "failed check"),
            duration(fast)
        ),
        None => format!("{} at {every}", count(fall as usize, "failed check")),
    }
}
