//! The JSON Schemas of what the commands write, as files beside this one.

/// One JSON Schema.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The command whose output it describes, or `baseline`.
    pub name: &'static str,
    /// The schema (draft 2020-12).
    pub text: &'static str,
}

/// Every schema.
pub static SCHEMAS: &[Schema] = &[
    Schema {
        name: "check",
        text: include_str!("schema/check.json"),
    },
    Schema {
        name: "shares",
        text: include_str!("schema/shares.json"),
    },
    Schema {
        name: "pick",
        text: include_str!("schema/pick.json"),
    },
    Schema {
        name: "diff",
        text: include_str!("schema/diff.json"),
    },
    Schema {
        name: "model",
        text: include_str!("schema/model.json"),
    },
    Schema {
        name: "rules",
        text: include_str!("schema/rules.json"),
    },
    Schema {
        name: "config-show",
        text: include_str!("schema/config-show.json"),
    },
    Schema {
        name: "baseline",
        text: include_str!("schema/baseline.json"),
    },
];
