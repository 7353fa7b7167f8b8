//! What is in force, and where each value was written.

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key, number};
use super::{RuleSetting, RuleSettings, Settings};
use crate::rules::{self, Entry};
use crate::source::Position;

/// One value in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// Its key with the tables around it, such as `rules.unbalanced-weights.max-ratio`.
    pub key: String,
    /// The value; `null` where the rule decides by itself.
    pub value: Value,
    /// Place of the value in the settings file; `None` for a default.
    pub position: Option<Position>,
}

/// Every value in force, for the file `name` where one is given: then its overrides count. `text`
/// is what the settings were read from.
pub fn effective(settings: &Settings, text: &str, name: Option<&str>) -> Vec<Effective> {
    // The settings were read from this text: it is well-formed.
    let root = DeTable::parse(text).map(toml::Spanned::into_inner);
    let root = DeValue::Table(root.unwrap_or_default());
    let written = Written::new(settings, text, &root, name);
    let mut values: Vec<Effective> = KEYS.iter().map(|key| written.key(key)).collect();
    for entry in rules::catalogue() {
        written.rule(entry, &mut values);
    }
    values.extend(written.instances());
    values
}

/// A settings file and the tables of it that hold for one file.
struct Written<'a> {
    settings: &'a Settings,
    text: &'a str,
    root: &'a DeValue<'a>,
    /// The file itself, then the overrides that match.
    layers: Vec<(&'a DeValue<'a>, &'a RuleSettings)>,
}

impl<'a> Written<'a> {
    fn new(
        settings: &'a Settings,
        text: &'a str,
        root: &'a DeValue<'a>,
        name: Option<&str>,
    ) -> Self {
        let overrides = settings.overrides.iter().zip(entries(root, "override"));
        let matching =
            overrides.filter(|(entry, _)| name.is_some_and(|name| settings.covers(entry, name)));
        let matching = matching.map(|(entry, table)| (table.get_ref(), &entry.rules));
        Self {
            settings,
            text,
            root,
            layers: std::iter::once((root, &settings.rules))
                .chain(matching)
                .collect(),
        }
    }

    fn key(&self, key: &Key) -> Effective {
        let table = if key.table.is_empty() {
            Some(self.root)
        } else {
            self.root.get(key.table).map(Spanned::get_ref)
        };
        let entry = table.and_then(|table| table.get(key.name));
        Effective {
            key: [key.table, key.name]
                .join(".")
                .trim_start_matches('.')
                .to_owned(),
            value: (key.written)(self.settings).unwrap_or_else(key.default),
            position: entry.map(|entry| self.position(entry)),
        }
    }

    /// The values of one rule: `enabled`, `severity` and its thresholds.
    fn rule(&self, entry: &Entry, values: &mut Vec<Effective>) {
        let enabled = |rule: &RuleSetting| rule.enabled.map(|enabled| json!(enabled));
        let severity = |rule: &RuleSetting| rule.severity.map(|severity| json!(severity));
        values.push(self.of_rule(entry, "enabled", enabled, json!(true)));
        values.push(self.of_rule(entry, "severity", severity, Value::Null));
        for option in entry.rule.options {
            let written = |rule: &RuleSetting| rule.options.get(option.name).copied().map(number);
            values.push(self.of_rule(entry, option.name, written, option.default_value()));
        }
    }

    fn of_rule(
        &self,
        entry: &Entry,
        name: &str,
        written: impl Fn(&RuleSetting) -> Option<Value>,
        default: Value,
    ) -> Effective {
        let rule = entry.page.name();
        let mut layers = self.layers.iter().rev();
        let found = layers.find_map(|(table, rules)| {
            let value = written(rules.0.get(rule)?)?;
            let place = table
                .get("rules")?
                .get_ref()
                .get(rule)?
                .get_ref()
                .get(name)?;
            Some((value, self.position(place)))
        });
        let (value, position) = found.unzip();
        Effective {
            key: format!("rules.{rule}.{name}"),
            value: value.unwrap_or(default),
            position,
        }
    }

    fn instances(&self) -> impl Iterator<Item = Effective> {
        let instances = self.settings.instances.iter();
        let places = entries(self.root, "instance");
        instances.zip(places).map(|(instance, place)| Effective {
            key: format!("instance.{}", instance.name),
            value: json!({"engine": instance.engine, "files": instance.files}),
            position: Some(self.position(place)),
        })
    }

    fn position(&self, place: &Spanned<DeValue<'_>>) -> Position {
        Position::in_text(self.text, place.span().start)
    }
}

/// The tables of `[[name]]`.
fn entries<'a>(
    root: &'a DeValue<'a>,
    name: &str,
) -> impl Iterator<Item = &'a Spanned<DeValue<'a>>> {
    let list = root.get(name).and_then(|list| list.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter())
}
