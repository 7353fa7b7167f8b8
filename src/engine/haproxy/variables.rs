//! The rule `unset-variable`: words that are empty when a variable is.
//!
//! In: a line with its words. Out: findings. HAProxy 2.6 takes an empty word for the end of the line
//! wherever it expects another option, and drops what is behind it without a word. Places where it
//! refuses an empty word aloud (each was tried) lose nothing silently.

use super::tree::{Cooked, LineRef, Variable};
use super::words::{is_server_line, takes_value};
use crate::finding::{Finding, Severity};

/// Looks at every word of a line that holds a variable; the first one that matters is reported.
pub(crate) fn check(line: LineRef<'_>) -> Option<Finding> {
    (0..line.len()).find_map(|index| {
        let cooked = line.cooked(index)?;
        let variable = cooked.variable.as_ref()?;
        let message = if !cooked.only_variables {
            partly_missing(cooked, variable)?
        } else if cooked.opaque && variable.may_be_empty {
            when_empty(line, index, variable)?
        } else if cooked.text.is_empty() {
            is_empty(line, index, variable)?
        } else {
            return None;
        };
        let severity = if cooked.opaque {
            Severity::Warning
        } else {
            Severity::Error
        };
        let name = &variable.name;
        let help = format!("give `{name}` a value, or write a default: `\"${{{name}-value}}\"`");
        let finding = Finding::new(severity, line.span(index), message, help);
        Some(finding.of_rule("unset-variable"))
    })
}

/// What HAProxy 2.6 does with an empty word.
enum Effect<'t> {
    /// It refuses the line.
    Refused,
    /// It reads 0 as the value of this option.
    Zero(&'t str),
    /// It ends the line there.
    Ends,
}

fn effect(line: LineRef<'_>, index: usize) -> Effect<'_> {
    let before = line.word(index.saturating_sub(1));
    let refused = match line.word(0) {
        "server" | "peer" => index <= 2,
        "server-template" => index <= 3,
        "default-server" => false,
        "http-request"
        | "http-response"
        | "http-after-response"
        | "tcp-request"
        | "tcp-response" => {
            index <= 3
                && !matches!(
                    before,
                    "deny" | "tarpit" | "reject" | "allow" | "silent-drop"
                )
        }
        _ => index <= 1,
    };
    if refused {
        return Effect::Refused;
    }
    if !is_server_line(line.word(0)) {
        return Effect::Ends;
    }
    match before {
        "weight" | "maxconn" | "minconn" | "maxqueue" => Effect::Zero(before),
        _ if takes_value(before) => Effect::Refused,
        _ => Effect::Ends,
    }
}

/// The variable's value is not known.
fn when_empty(line: LineRef<'_>, index: usize, variable: &Variable) -> Option<String> {
    let name = &variable.name;
    match effect(line, index) {
        Effect::Refused => None,
        // Nothing stands behind it that could be lost.
        Effect::Ends if index + 1 == line.len() => None,
        Effect::Zero(option) => Some(format!(
            "`{name}` is the whole value of `{option}`: when it is empty, HAProxy 2.6 silently reads 0 and newer versions refuse to start"
        )),
        Effect::Ends => Some(format!(
            "`{name}` stands alone as a word: when it is empty, HAProxy 2.6 silently drops {} behind it and newer versions refuse to start",
            lost(line, index)
        )),
    }
}

/// The variable is known to be empty or not set.
fn is_empty(line: LineRef<'_>, index: usize, variable: &Variable) -> Option<String> {
    let name = &variable.name;
    let state = if variable.missing {
        "is not set"
    } else {
        "is empty"
    };
    match effect(line, index) {
        Effect::Refused => Some(format!(
            "`{name}` {state}: every version of HAProxy refuses the empty word"
        )),
        Effect::Zero(option) => Some(format!(
            "`{name}` {state}: HAProxy 2.6 silently reads `{option}` as 0 and newer versions refuse to start"
        )),
        // Nothing stands behind it that could be lost.
        Effect::Ends if index + 1 == line.len() => None,
        Effect::Ends => Some(format!(
            "`{name}` {state}: HAProxy 2.6 silently drops {} behind it and newer versions refuse to start",
            lost(line, index)
        )),
    }
}

fn partly_missing(cooked: &Cooked, variable: &Variable) -> Option<String> {
    let name = &variable.name;
    variable.missing.then(|| {
        format!(
            "`{name}` is not set: the word becomes `{}`",
            cooked.text.escape_debug()
        )
    })
}

/// What stands behind word `index`: the words on lines of servers, which hold no secrets, else how
/// many there are.
fn lost(line: LineRef<'_>, index: usize) -> String {
    const MOST: usize = 60;
    let text = line.joined(index + 1);
    if is_server_line(line.word(0)) && text.chars().count() <= MOST {
        return format!("`{text}`");
    }
    match line.len() - index - 1 {
        1 => "the word".to_owned(),
        count => format!("the {count} words"),
    }
}
