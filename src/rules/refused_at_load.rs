//! `refused-at-load`: what parses and is refused when the proxy starts.
//!
//! Found by the engines' loaders; this file only gives the finding its page.

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/refused-at-load.md"),
    check: Check::Loader,
    options: &[],
};
