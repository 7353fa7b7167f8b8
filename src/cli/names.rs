//! Names that shells complete. Whether they exist is judged where they are used, with a better
//! message.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

use crate::rules::{self, Category};

/// The name of a rule.
#[derive(Clone, Debug)]
pub(super) struct Rules;

/// The name of a rule or of a category.
#[derive(Clone, Debug)]
pub(super) struct RulesAndCategories;

impl TypedValueParser for Rules {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names()))
    }
}

impl TypedValueParser for RulesAndCategories {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        Rules.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let categories: std::collections::BTreeSet<Category> =
            (rules::catalogue().iter().map(|entry| entry.page.category)).collect();
        let categories = categories.into_iter().map(Category::as_str);
        Some(Box::new(names().chain(categories.map(PossibleValue::new))))
    }
}

fn names() -> impl Iterator<Item = PossibleValue> {
    let pages = rules::catalogue().iter().map(|entry| &entry.page);
    pages.map(|page| PossibleValue::new(page.name.as_str()).help(page.summary.as_str()))
}
