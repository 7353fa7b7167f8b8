//! SARIF, as its official schema and its readers want it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests fail like the tests"
)]

mod formats_support;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use formats_support::{Outputs, assert_valid, few, heavy, hostile, outputs_in};
use serde_json::Value;

fn outputs() -> &'static [(&'static str, Outputs)] {
    outputs_in(&["json", "sarif"])
}

/// The official schema, out of the package that has its types.
fn sarif_schema() -> jsonschema::Validator {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|it| it["name"] == "serde-sarif");
    let manifest = package.expect("it is a dependency of the tests")["manifest_path"].clone();
    let path = Path::new(manifest.as_str().expect("a path")).with_file_name("src/schema.json");
    let text = fs::read(path).expect("the package has the schema");
    let mut schema: Value = serde_json::from_slice(&text).expect("JSON");
    // A slip in the official file: this pattern has a bracket too many, which is no regular expression.
    let language = &mut schema["definitions"]["run"]["properties"]["language"];
    let pattern = language
        .as_object_mut()
        .expect("an object")
        .remove("pattern");
    assert!(pattern.is_some_and(|it| it.as_str().is_some_and(|it| it.contains("]?"))));
    let component = &mut schema["definitions"]["toolComponent"]["properties"]["language"];
    component
        .as_object_mut()
        .expect("an object")
        .remove("pattern");
    jsonschema::draft7::new(&schema).expect("a schema of draft 7")
}

#[test]
fn sarif_is_valid_by_the_official_schema() {
    let validator = sarif_schema();
    for (what, outputs) in outputs() {
        let document = outputs.json("sarif");
        assert_valid(&validator, &document, what);
        let typed: serde_sarif::sarif::Sarif =
            serde_json::from_value(document).expect("the types of SARIF");
        let run = &typed.runs[0];
        let rules = run.tool.driver.rules.as_deref().unwrap_or_default();
        let results = run.results.as_deref().expect("results");
        for result in results {
            let index = usize::try_from(result.rule_index.expect("an index")).expect("an index");
            assert_eq!(
                result.rule_id.as_deref(),
                Some(rules[index].id.as_str()),
                "{what}"
            );
            assert!(
                rules[index]
                    .help
                    .as_ref()
                    .is_some_and(|it| it.markdown.is_some())
            );
        }
        let kept = results
            .iter()
            .filter(|it| it.suppressions.is_none())
            .count();
        let json = outputs.json("json");
        assert_eq!(
            kept,
            json["findings"].as_array().expect("findings").len(),
            "{what}"
        );
        assert_eq!(
            results.len() - kept,
            json["summary"]["suppressed"],
            "{what}"
        );
    }
}

#[test]
fn sarif_names_files_by_relative_encoded_uris() {
    let case = few();
    fs::write(case.folder.path().join("above.cfg"), heavy("above")).expect("a file");
    let document = case.json("sarif", &[".", "../above.cfg", "./nginx/../haproxy.cfg"]);
    let run = &document["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let results = run["results"].as_array().expect("results");
    let mut uris: Vec<&str> = (results.iter())
        .filter_map(|it| it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str())
        .collect();
    uris.dedup();
    for expected in [
        "haproxy.cfg",
        "a%20b/gr%C3%B6%C3%9Fe%20100%25%231.cfg",
        "C%3A%5Cconf%5Cwin.cfg",
        "nginx/nginx.conf",
    ] {
        assert!(uris.contains(&expected), "{uris:?}");
    }
    let above = uris
        .iter()
        .find(|uri| uri.ends_with("above.cfg"))
        .expect("the file above");
    assert!(above.starts_with("file:///"), "{above}");
    let silenced = results.iter().find(|it| it["suppressions"].is_array());
    let silenced = silenced.expect("the ignored finding is a result too");
    let suppression = &silenced["suppressions"][0];
    assert_eq!(suppression["kind"], "inSource");
    let reason = "bigger until the migration ends";
    assert_eq!(suppression["justification"], reason);
    let related = results.iter().find(|it| it["relatedLocations"].is_array());
    assert!(
        related.expect("related locations")["relatedLocations"][0]["message"]["text"].is_string()
    );
}

#[test]
fn a_link_in_a_name_is_no_link_in_sarif() {
    let document = hostile().json("sarif", &["."]);
    let results = document["runs"][0]["results"].as_array().expect("results");
    let texts = results
        .iter()
        .filter_map(|it| it["message"]["text"].as_str());
    let named: Vec<&str> = texts.filter(|it| it.contains("http://evil")).collect();
    assert!(!named.is_empty());
    for text in named {
        assert!(
            text.contains(r"x\](http") && !text.contains("x]("),
            "{text}"
        );
    }
}
