//! `split-not-total`: a split of the traffic that leaves a part of it without a destination, or
//! divides it otherwise than it reads.
//!
//! In: nginx `split_clients`, `map` and `geo` blocks that choose a destination, HAProxy routes by
//! `rand`. Out: one finding per block or listener.

use super::wording::{names, percent};
use super::{Check, Context, Rule};
use crate::finding::{Finding, Severity};
use crate::model::{Instance, Layer, Split, SplitKind, Target};

mod draws;

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/split-not-total.md"),
    check: Check::Instance(check),
    options: &[],
};

/// A whole in the unit of [`crate::model::SplitPart::hundredths`].
const WHOLE: u32 = 10_000;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let instance = context.instance;
    findings.extend(
        instance
            .splits
            .iter()
            .filter_map(|split| judge(instance, split)),
    );
    draws::check(instance, findings);
}

fn judge(instance: &Instance, split: &Split) -> Option<Finding> {
    if split.empty_handled {
        return None;
    }
    let route = instance.routes.get(split.used_by?)?;
    let Target::Dynamic(target) = &route.target else {
        return None;
    };
    if !is_whole_host(target, &split.variable) {
        return None;
    }
    let listener = route
        .listener
        .and_then(|index| instance.listeners.get(index));
    let layer = listener.map_or(Layer::Http, |listener| listener.layer);
    let finding = match split.kind {
        SplitKind::SplitClients => percentages(split, layer),
        SplitKind::Map | SplitKind::Geo => {
            let names = listener
                .map(|it| it.server_names.as_slice())
                .unwrap_or_default();
            without_default(instance, split, layer, names)
        }
    };
    finding.map(|finding| {
        finding.related(
            format!("`{}` is the destination here", split.variable),
            route.span,
        )
    })
}

/// Whether the variable alone is the host: with anything beside it an empty value is not an empty
/// name.
fn is_whole_host(target: &str, variable: &str) -> bool {
    let (_, rest) = target.split_once("://").unwrap_or(("", target));
    let name = variable.trim_start_matches('$');
    let plain = rest
        .strip_prefix('$')
        .and_then(|rest| rest.strip_prefix(name));
    let braced = || {
        rest.strip_prefix("${")?
            .strip_prefix(name)?
            .strip_prefix('}')
    };
    let behind = plain.or_else(braced);
    // Behind a scheme a path may follow; without one the whole target is the variable.
    behind.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '$', ':', '?']))
}

fn empty_answer(layer: Layer) -> &'static str {
    match layer {
        Layer::Http => "get an empty upstream name and answer 500",
        Layer::Tcp | Layer::Udp | Layer::Log => "get an empty upstream name and are closed",
    }
}

fn percentages(split: &Split, layer: Layer) -> Option<Finding> {
    let left = left_over(split)?;
    let covered = WHOLE - left;
    let share = |hundredths: u32| percent(f64::from(hundredths) / f64::from(WHOLE));
    let message = format!(
        "split_clients `{}` covers {}: the other {} {}",
        split.variable,
        share(covered),
        share(left),
        empty_answer(layer)
    );
    let last = split
        .parts
        .last()
        .map_or("UPSTREAM", |part| part.value.as_str());
    let help = format!("make the last entry `* {last};`");
    Some(Finding::new(Severity::Error, split.span, message, help).label("no `*` entry"))
}

fn without_default(
    instance: &Instance,
    split: &Split,
    layer: Layer,
    server_names: &[crate::model::Text],
) -> Option<Finding> {
    let total = split.parts.is_empty() || has_rest(split) || lists_all_values(instance, split);
    if total {
        return None;
    }
    let by_name = chosen_by_name(&split.key);
    if by_name && covers(split, server_names) {
        return None;
    }
    let word = match split.kind {
        SplitKind::Geo => "geo",
        SplitKind::Map | SplitKind::SplitClients => "map",
    };
    let patterns: Vec<&str> = split
        .parts
        .iter()
        .map(|part| part.pattern.as_str())
        .collect();
    let what = if layer == Layer::Http {
        "requests"
    } else {
        "connections"
    };
    let message = format!(
        "{word} `{}` has no `default`: {what} whose `{}` is not {} {}",
        split.variable,
        split.key,
        names(&patterns).replace(" and ", " or "),
        empty_answer(layer)
    );
    // A list of host names turns strangers away, by intent or not; in TCP that is its usual use.
    let severity = match (by_name, layer) {
        (false, _) => Severity::Error,
        (true, Layer::Http) => Severity::Warning,
        (true, Layer::Tcp | Layer::Udp | Layer::Log) => Severity::Info,
    };
    let help = "add a `default` entry that names an upstream";
    Some(Finding::new(severity, split.span, message, help).label("no `default` entry"))
}

fn has_rest(split: &Split) -> bool {
    (split.parts.iter()).any(|part| takes_the_rest(&part.pattern))
}

/// Whether what the block looks at is another split that always has a value, and each of its values
/// is an entry here.
fn lists_all_values(instance: &Instance, split: &Split) -> bool {
    let listed =
        |value: &str| (split.parts.iter()).any(|it| it.pattern.eq_ignore_ascii_case(value));
    let key = variable_name(&split.key);
    let mut sources = (instance.splits.iter()).filter(|it| variable_name(&it.variable) == key);
    sources.any(|source| {
        always_has_value(source) && source.parts.iter().all(|part| listed(&part.value))
    })
}

/// The name in a text that is one variable: `v` of `$v` and `${v}`.
fn variable_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let braced = name.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    Some(braced.unwrap_or(name))
}

fn always_has_value(split: &Split) -> bool {
    match split.kind {
        SplitKind::SplitClients => left_over(split).is_none(),
        SplitKind::Map | SplitKind::Geo => has_rest(split),
    }
}

/// What the percentages leave, if anything.
fn left_over(split: &Split) -> Option<u32> {
    let parts: Option<Vec<u32>> = split.parts.iter().map(|part| part.hundredths).collect();
    let covered: u32 = parts?.iter().fold(0, |sum, part| sum.saturating_add(*part));
    WHOLE.checked_sub(covered).filter(|left| *left > 0)
}

/// Whether a pattern is `default` or an expression that every text matches.
fn takes_the_rest(pattern: &str) -> bool {
    matches!(
        pattern,
        "default"
            | "~"
            | "~."
            | "~.*"
            | "~^"
            | "~^.*"
            | "~^.*$"
            | "~.+"
            | "~*.*"
            | "~*."
            | "~^.+$"
            | "0.0.0.0/0"
    )
}

fn chosen_by_name(key: &str) -> bool {
    let names = [
        "$host",
        "$http_host",
        "$server_name",
        "$ssl_server_name",
        "$ssl_preread_server_name",
    ];
    names.contains(&key)
}

/// Whether the block has an entry for every name that its listener answers to.
fn covers(split: &Split, server_names: &[crate::model::Text]) -> bool {
    let has = |name: &crate::model::Text| split.parts.iter().any(|part| part.pattern == *name);
    !server_names.is_empty() && server_names.iter().all(has)
}
