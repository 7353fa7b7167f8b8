//! `model`, `rules` and `explain` as people and programs see them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;

use serde_json::Value;

const INCIDENT: &str = "fixtures/incidents/2023-11-10-one-server-drowns";

/// What the program prints when it runs in `folder` below the checkout.
fn printed(folder: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let run = support::lbaudit_in(&folder, arguments, b"");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{arguments:?}");
    run.stdout
}

fn json(folder: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(folder, arguments)).unwrap()
}

#[test]
fn a_model_reads_like_the_configuration() {
    let folder = format!("{INCIDENT}/haproxy");
    insta::assert_snapshot!("model_haproxy", printed(&folder, &["model", "before.cfg"]));
    let folder = format!("{INCIDENT}/nginx/before");
    insta::assert_snapshot!("model_nginx", printed(&folder, &["model", "nginx.conf"]));
}

#[test]
fn every_value_of_a_json_model_says_where_it_comes_from() {
    let model = json(
        &format!("{INCIDENT}/haproxy"),
        &["model", "--format", "json", "before.cfg"],
    );
    assert_eq!(model["schema"], "lbaudit/model/1");
    let instance = &model["instances"][0];
    assert_eq!(instance["files"], serde_json::json!(["before.cfg"]));
    let auth = &instance["backends"][0];
    assert_eq!(auth["algorithm"]["value"], "roundrobin");
    let [first, last] = [&auth["servers"][0], &auth["servers"][3]];
    assert_eq!(
        first["weight"],
        serde_json::json!({"value": 1, "origin": "engine-default", "location": null})
    );
    assert_eq!(last["weight"]["value"], 100);
    assert_eq!(last["weight"]["origin"], "explicit");
    assert_eq!(last["weight"]["location"]["start"]["line"], 52);
    assert_eq!(first["health_check"]["inter"]["value"], 2.0);
    assert_eq!(first["passive_check"], Value::Null);
    let nginx = json(
        &format!("{INCIDENT}/nginx/before"),
        &["model", "--format", "json", "nginx.conf"],
    );
    let server = &nginx["instances"][0]["backends"][0]["servers"][0];
    assert_eq!(server["health_check"], Value::Null);
    assert_eq!(server["passive_check"]["fail_timeout"]["value"], 10.0);
    assert_eq!(nginx["instances"][0]["backends"][0]["retries"], Value::Null);
}

#[test]
fn a_model_keeps_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let config = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n\
        frontend f\n bind :80\n use_backend b if { req.hdr(x-api-key) -m str S3CRet }\n default_backend b\n\
        backend b\n option httpchk GET /health?token=S3CRet\n http-request set-header Authorization S3CRet\n\
        \x20server s 10.0.0.1:80 check\n";
    std::fs::write(folder.path().join("x.cfg"), config).unwrap();
    for format in ["text", "json"] {
        let run = support::lbaudit_in(
            folder.path(),
            &["model", "-v", "--format", format, "x.cfg"],
            b"",
        );
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stdout.contains("***"), "{}", run.stdout);
        assert!(!run.stdout.contains("S3CR"), "{}", run.stdout);
    }
}

#[test]
fn the_catalogue_lists_every_rule_with_its_facts() {
    let rules = json(".", &["rules", "--format", "json"]);
    assert_eq!(rules["schema"], "lbaudit/rules/1");
    let listed = rules["rules"].as_array().unwrap();
    assert_eq!(listed.len(), lbaudit::rules::catalogue().len());
    let keys: Vec<&String> = listed[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "name", "category", "severity", "engines", "summary", "marks"
        ]
    );
    let table = printed(".", &["rules"]);
    for rule in listed {
        assert!(table.contains(rule["name"].as_str().unwrap()));
    }
}

#[test]
fn a_page_is_wrapped_and_its_code_is_not() {
    for rule in lbaudit::rules::catalogue() {
        let page = printed(".", &["explain", &rule.page.name]);
        let prose = page.lines().filter(|line| !line.starts_with("    "));
        for line in prose {
            assert!(line.chars().count() <= 80, "{}: {line}", rule.page.name);
        }
        assert!(page.starts_with(&format!(
            "{}\n\n{}",
            rule.page.name,
            &rule.page.summary[..20]
        )));
    }
    insta::assert_snapshot!("explain", printed(".", &["explain", "unset-variable"]));
}
