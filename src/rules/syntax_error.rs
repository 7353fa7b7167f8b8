//! `syntax-error`: text that breaks the grammar of a configuration language.
//!
//! Found by the engines' loaders; this file only gives the finding its page.

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/syntax-error.md"),
    check: Check::Loader,
    options: &[],
};
