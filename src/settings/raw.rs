//! `lbaudit.toml` as it is written: structure only, with the position of everything that is checked
//! later.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::finding::Severity;
use crate::model::Engine;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Raw {
    pub(super) fail_on: Option<Severity>,
    pub(super) exclude: Vec<Spanned<String>>,
    pub(super) haproxy: RawEngine,
    pub(super) nginx: RawNginx,
    pub(super) rules: RawRules,
    #[serde(rename = "override")]
    pub(super) overrides: Vec<RawOverride>,
    #[serde(rename = "instance")]
    pub(super) instances: Vec<RawInstance>,
}

/// `[haproxy]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawEngine {
    pub(super) version: Option<Spanned<String>>,
}

/// `[nginx]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNginx {
    pub(super) version: Option<Spanned<String>>,
    pub(super) plus: bool,
}

/// `[rules.NAME]`: `severity`, `enabled` and the options of the rule.
pub(super) type RawRules =
    BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>;

/// `[[override]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOverride {
    pub(super) files: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) rules: RawRules,
}

/// `[[instance]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInstance {
    pub(super) name: String,
    pub(super) engine: Option<Engine>,
    pub(super) files: Vec<Spanned<String>>,
}
