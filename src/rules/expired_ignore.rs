//! `expired-ignore`: a suppression whose date has passed.
//!
//! Found while suppressions are applied; this file only gives the finding its page.

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    page: include_str!("../../rules/expired-ignore.md"),
    check: Check::Loader,
    options: &[],
};
