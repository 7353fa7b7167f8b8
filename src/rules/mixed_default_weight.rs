//! `mixed-default-weight`: some servers of one tier have a written weight and some have none.

use super::tier::{Tier, names_of};
use super::wording::{count, names, percent};
use super::{BackendView, Check, Rule, RuleOption};
use crate::finding::{Finding, Severity};
use crate::model::{Engine, Server};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/mixed-default-weight.md"),
    check: Check::Backend(check),
    options: &[RuleOption {
        name: "error-ratio",
        default: 10.0,
        summary: "largest written weight over the default from which it is an error",
    }],
};

fn check(view: &BackendView<'_>, findings: &mut Vec<Finding>) {
    let Some(tier) = Tier::of(view) else { return };
    if tier.weight_ratio() <= 1.0 || !tier.honours_weights() {
        return;
    }
    let is_written = |server: &&Server| server.weight.is_written();
    let number = tier.servers().filter(is_written).count();
    let is_mixed = number > 0 && number < tier.members.len();
    if !is_mixed || tier.weights_are_explained() {
        return;
    }
    let (written, without): (Vec<&Server>, Vec<&Server>) = tier.servers().partition(is_written);
    let severity = if tier.weight_ratio() >= view.context.option(&RULE, "error-ratio") {
        Severity::Error
    } else {
        Severity::Warning
    };
    findings.extend(if without.len() <= written.len() {
        forgotten(&tier, severity, &written, &without)
    } else {
        singled_out(&tier, severity, &written, &without)
    });
}

/// The usual case: a server was added and its weight forgotten.
fn forgotten(
    tier: &Tier<'_, '_>,
    severity: Severity,
    written: &[&Server],
    without: &[&Server],
) -> Option<Finding> {
    let first = *without.first()?;
    let fact = fact(severity, first.head(), without);
    Some(tier.view.finding(fact, |fact| {
        let finding = fact
            .say(
                forgotten_message(tier, first, written, without),
                help(tier, written),
            )
            .label("no weight: 1 by default");
        complete(finding, tier, written)
    }))
}

fn forgotten_message(
    tier: &Tier<'_, '_>,
    first: &Server,
    written: &[&Server],
    without: &[&Server],
) -> String {
    let (who, have) = subject(without);
    let gets = match without {
        [_] => "it gets",
        _ => "each gets",
    };
    let consequence = match tier.shares() {
        Some(shares) => format!(
            "{gets} {} of {}",
            percent(tier.share_of(shares, first)),
            tier.view.unit()
        ),
        None => under_load(gets, written),
    };
    format!(
        "{who} of {} {have} no weight (default 1) beside {} with {}: {consequence}",
        tier.view.title(),
        count(written.len(), "server"),
        weights_of(written)
    )
}

/// The other way round: a few servers have a weight, the rest was never meant to have one.
fn singled_out(
    tier: &Tier<'_, '_>,
    severity: Severity,
    written: &[&Server],
    without: &[&Server],
) -> Option<Finding> {
    let first = *(written.iter()).max_by_key(|server| server.weight.value)?;
    let span = first.weight.origin.span().unwrap_or(first.head());
    Some(tier.view.finding(fact(severity, span, written), |fact| {
        let message = singled_out_message(tier, first, written, without);
        let help =
            "remove it or give all servers the same, or state the reason in a comment beside it";
        let finding =
            (fact.say(message, help)).label(format!("weight {} here", first.weight.value));
        complete(finding, tier, without)
    }))
}

fn singled_out_message(
    tier: &Tier<'_, '_>,
    first: &Server,
    written: &[&Server],
    without: &[&Server],
) -> String {
    let (who, have) = subject(written);
    let consequence = match tier.shares() {
        Some(shares) => format!(
            "`{}` gets {} of {}, equal would be {}",
            first.name,
            percent(tier.share_of(shares, first)),
            tier.view.unit(),
            percent(tier.fair())
        ),
        None => format!(
            "under load `{}` takes {} times the load of the others",
            first.name, first.weight.value
        ),
    };
    format!(
        "only {who} of {} {have} {}, the other {} have the default 1: {consequence}",
        tier.view.title(),
        weights_of(written),
        without.len(),
    )
}

/// The servers that a message is about, and the verb behind them.
fn subject(servers: &[&Server]) -> (String, &'static str) {
    match servers {
        [one] => (format!("server `{}`", one.name), "has"),
        many => {
            let listed = names(&names_of(many.iter().copied()));
            (format!("servers {listed}"), "have")
        }
    }
}

/// What is found, about the servers that stand out.
fn fact(severity: Severity, span: Span, focus: &[&Server]) -> Finding {
    let fact = Finding::fact(severity, span);
    match focus {
        [one] => fact.server(&one.name),
        _ => fact,
    }
}

/// With the shares and some of the others beside it.
fn complete(finding: Finding, tier: &Tier<'_, '_>, others: &[&Server]) -> Finding {
    let mut finding = finding.shares(tier.share_table());
    for other in others.iter().take(3) {
        let (text, span) = match other.weight.origin.span() {
            Some(span) => (
                format!("`{}` has weight {}", other.name, other.weight.value),
                span,
            ),
            None => (["`", &other.name, "` has no weight"].concat(), other.head()),
        };
        finding = finding.related(text, span);
    }
    finding
}

/// What the default weight beside `written` ones means where the shares depend on load.
fn under_load(gets: &str, written: &[&Server]) -> String {
    let most = written.iter().map(|server| server.weight.value).max();
    format!(
        "under load {gets} one connection for {} of theirs",
        most.unwrap_or(1)
    )
}

/// `weight 100`, or `weights 10 to 100`.
fn weights_of(servers: &[&Server]) -> String {
    let weights = || servers.iter().map(|server| server.weight.value);
    let (least, most) = (weights().min().unwrap_or(1), weights().max().unwrap_or(1));
    if least == most {
        format!("weight {most}")
    } else {
        format!("weights {least} to {most}")
    }
}

fn help(tier: &Tier<'_, '_>, written: &[&Server]) -> String {
    let weight = written.first().map_or(1, |server| server.weight.value);
    match tier.view.context.instance.engine {
        Engine::Haproxy => format!(
            "set it once for all: `default-server weight {weight}` above the first `server` line"
        ),
        Engine::Nginx => "give every server a weight, or none".to_owned(),
    }
}
