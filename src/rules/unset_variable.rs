//! `unset-variable`: a variable that cuts its line short when it is empty.
//!
//! Found by the engines' loaders; this file only gives the finding its page.

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/unset-variable.md"),
    check: Check::Loader,
    options: &[],
};
