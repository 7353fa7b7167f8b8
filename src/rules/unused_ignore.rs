//! `unused-ignore`: a suppression that silences nothing.
//!
//! Found while suppressions are applied; this file only gives the finding its page.

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/unused-ignore.md"),
    check: Check::Loader,
    options: &[],
};
