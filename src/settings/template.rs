//! The settings file that `config init` writes: everything that can be set, commented out.
//!
//! A line that starts with `#` and a blank is a comment; one with `#` alone sets what holds anyway.

use std::fmt::Write as _;

use super::keys::KEYS;
use crate::rules::{self, Entry};

const HEAD: &str = "\
# Settings of lbaudit. Every key is here, commented out, with its default: remove the `#` to change it.
# The nearest lbaudit.toml from the working folder upward holds; `lbaudit config show` prints what is in force.
";

const RULES: &str = "
# The rules; `lbaudit explain RULE` prints the page of one. Each takes `enabled` and `severity`, which then
# holds for all its findings; without it the rule decides, up to the severity shown.
";

const TAIL: &str = "
# Other settings of rules for some files, as globs relative to this file; the last one that matches wins.
#[[override]]
#files = [\"staging/**\"]
#rules.missing-health-check.severity = \"info\"

# Files that one proxy process loads, in the order in which it loads them: audited when no path is named, and
# together where a walked folder has one of them. Globs are relative to this file.
#[[instance]]
#name = \"edge\"
#engine = \"haproxy\"
#files = [\"haproxy/conf.d/*.cfg\"]
";

/// The text of a settings file that changes nothing.
pub fn template() -> String {
    let mut text = HEAD.to_owned();
    let mut table = "";
    for key in KEYS {
        if key.table != table {
            table = key.table;
            let _ = write!(text, "\n[{table}]");
        }
        let (name, default) = (key.name, (key.default)());
        let _ = write!(text, "\n# {}\n#{name} = {default}\n", key.summary);
    }
    text.push_str(RULES);
    for entry in rules::catalogue() {
        rule(entry, &mut text);
    }
    text.push_str(TAIL);
    text
}

fn rule(entry: &Entry, text: &mut String) {
    let (page, severity) = (&entry.page, entry.page.severity.as_str());
    let _ = write!(text, "\n# {}\n[rules.{}]\n", page.summary, page.name);
    let _ = write!(text, "#enabled = true\n#severity = \"{severity}\"\n");
    for option in entry.rule.options {
        let default = option.default_value();
        let _ = write!(text, "# {}\n#{} = {default}\n", option.summary, option.name);
    }
}
