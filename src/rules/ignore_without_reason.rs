//! `ignore-without-reason`: a suppression that does not say why.
//!
//! Found while suppressions are applied; this file only gives the finding its page.

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/ignore-without-reason.md"),
    check: Check::Loader,
    options: &[],
};
