//! What can be written in `lbaudit.toml`, besides instances and overrides: the one list behind
//! `config init`, `config show` and `config schema`.

use serde_json::{Value, json};

use super::Settings;
use crate::finding::Severity;
use crate::model::Version;
use crate::rules::RuleOption;

/// A key outside of `[rules]`.
pub(super) struct Key {
    /// The table it stands in; empty at the top.
    pub(super) table: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) kind: Kind,
    /// What it says, for comments and descriptions.
    pub(super) summary: &'static str,
    /// What holds where it is not written.
    pub(super) default: fn() -> Value,
    /// What the settings say.
    pub(super) written: fn(&Settings) -> Option<Value>,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Globs,
    Severity,
    Version,
}

/// Every key outside of `[rules]`, table by table.
pub(super) static KEYS: &[Key] = &[
    Key {
        table: "",
        name: "fail-on",
        kind: Kind::Severity,
        summary: "lowest severity that makes the exit status 1: info, warning or error",
        default: || json!(Severity::Warning),
        written: |settings| settings.fail_on.map(|severity| json!(severity)),
    },
    Key {
        table: "",
        name: "exclude",
        kind: Kind::Globs,
        summary: "globs of paths to leave out when a folder is walked, relative to this file",
        default: || json!([]),
        written: |settings| (!settings.exclude.is_empty()).then(|| json!(settings.exclude)),
    },
    Key {
        table: "haproxy",
        name: "version",
        kind: Kind::Version,
        summary: "HAProxy branch whose defaults apply",
        default: || json!(Version::HAPROXY_DEFAULT.to_string()),
        written: |settings| settings.haproxy_version.map(full),
    },
    Key {
        table: "nginx",
        name: "version",
        kind: Kind::Version,
        summary: "nginx release whose defaults apply",
        default: || full(Version::NGINX_DEFAULT),
        written: |settings| settings.nginx_version.map(full),
    },
    Key {
        table: "nginx",
        name: "plus",
        kind: Kind::Bool,
        summary: "whether the configurations are for commercial nginx",
        default: || json!(false),
        written: |settings| settings.nginx_plus.then_some(json!(true)),
    },
];

impl RuleOption {
    /// The default as a number without needless decimals.
    pub(super) fn default_value(&self) -> Value {
        number(self.default)
    }
}

/// A number as people write it: `4`, not `4.0`.
pub(super) fn number(number: f64) -> Value {
    let written = number.to_string().parse();
    written.map_or(Value::Null, Value::Number)
}

/// A release with its last number, which tells nginx's releases apart.
fn full(version: Version) -> Value {
    match version.patch {
        0 => json!(version.to_string()),
        patch => json!(format!("{version}.{patch}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::raw::Raw;
    use super::*;

    /// The keys that the reader would have taken, by its own words.
    fn known(text: &str) -> Vec<String> {
        let fault = toml::from_str::<Raw>(text).unwrap_err();
        let quoted = fault.message().split('`').skip(3).step_by(2);
        quoted.map(str::to_owned).collect()
    }

    fn listed(table: &str) -> Vec<String> {
        let keys = KEYS.iter().filter(|key| key.table == table);
        keys.map(|key| key.name.to_owned()).collect()
    }

    #[test]
    fn the_list_has_every_key_that_is_read() {
        let tables = ["haproxy", "nginx", "rules", "override", "instance"];
        let top = [listed(""), tables.map(str::to_owned).to_vec()].concat();
        assert_eq!(known("x = 1"), top);
        assert_eq!(known("[nginx]\nx = 1"), listed("nginx"));
        // With one key there is no list: the message names it alone.
        assert_eq!(known("[haproxy]\nx = 1"), listed("haproxy"));
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(number(4.0).to_string(), "4");
        assert_eq!(number(1.5).to_string(), "1.5");
    }
}
