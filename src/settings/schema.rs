//! The JSON Schema of `lbaudit.toml`, from the lists of keys and rules.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, Key, Kind};
use crate::rules::{self, Entry, RuleOption};

/// The schema (draft 2020-12).
pub fn schema() -> Value {
    let mut properties = keys_of("");
    for table in tables() {
        let table_schema = object(&keys_of(table));
        properties.insert(table.to_owned(), table_schema);
    }
    properties.insert("rules".to_owned(), json!({"$ref": "#/$defs/rules"}));
    properties.insert("override".to_owned(), list_of(&override_()));
    properties.insert("instance".to_owned(), list_of(&instance()));
    let rules = rules::catalogue().iter();
    let rules: Map<String, Value> = rules
        .map(|entry| (entry.page.name.clone(), rule(entry)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lbaudit:config:1",
        "title": "lbaudit.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": {
            "severity": {"enum": ["info", "warning", "error"]},
            "globs": {"type": "array", "items": {"type": "string"}},
            "rules": object(&rules),
        },
    })
}

fn tables() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    let tables = KEYS.iter().map(|key| key.table);
    tables.filter(move |table| std::mem::replace(&mut last, table) != *table)
}

fn keys_of(table: &str) -> Map<String, Value> {
    let keys = KEYS.iter().filter(|key| key.table == table);
    keys.map(|key| (key.name.to_owned(), key_schema(key)))
        .collect()
}

fn key_schema(key: &Key) -> Value {
    let mut schema = match key.kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Globs => json!({"$ref": "#/$defs/globs"}),
        Kind::Severity => json!({"$ref": "#/$defs/severity"}),
        Kind::Version => json!({"type": "string", "pattern": r"^[0-9]+\.[0-9]+(\.[0-9]+)?$"}),
    };
    describe(&mut schema, key.summary, Some((key.default)()));
    schema
}

fn rule(entry: &Entry) -> Value {
    let mut enabled = json!({"type": "boolean"});
    describe(&mut enabled, "whether it reports at all", Some(json!(true)));
    let mut severity = json!({"$ref": "#/$defs/severity"});
    let highest = entry.page.severity.as_str();
    let summary =
        format!("severity of all its findings; without it the rule decides, up to {highest}");
    describe(&mut severity, &summary, None);
    let mut properties = Map::new();
    properties.insert("enabled".to_owned(), enabled);
    properties.insert("severity".to_owned(), severity);
    let options = entry.rule.options.iter();
    properties.extend(options.map(|option| (option.name.to_owned(), threshold(option))));
    let mut rule = object(&properties);
    describe(&mut rule, &entry.page.summary, None);
    rule
}

fn threshold(option: &RuleOption) -> Value {
    let mut schema = json!({"type": "number", "minimum": 0});
    describe(&mut schema, option.summary, Some(option.default_value()));
    schema
}

fn override_() -> Value {
    json!({
        "type": "object",
        "description": "settings of rules for some files; the last one that matches wins",
        "properties": {
            "files": {"$ref": "#/$defs/globs", "description": "globs relative to the settings file"},
            "rules": {"$ref": "#/$defs/rules"},
        },
        "required": ["files"],
        "additionalProperties": false,
    })
}

fn instance() -> Value {
    json!({
        "type": "object",
        "description": "the root files of one proxy process, audited together: when no path is named, and where a walked folder has one of them",
        "properties": {
            "name": {"type": "string", "description": "what it is called in messages"},
            "engine": {"enum": ["haproxy", "nginx"], "description": "told from the content by default"},
            "files": {"$ref": "#/$defs/globs", "description": "files and globs relative to the settings file, in the order in which they are loaded"},
        },
        "required": ["name", "files"],
        "additionalProperties": false,
    })
}

fn list_of(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn object(properties: &Map<String, Value>) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn describe(schema: &mut Value, description: &str, default: Option<Value>) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(description));
        schema.extend(default.map(|default| ("default".to_owned(), default)));
    }
}
