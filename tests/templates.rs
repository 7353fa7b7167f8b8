//! Templates: they are counted, never misread; and the variables of `envsubst` get their values.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fs;

use serde_json::Value;
use support::{Run, lbaudit_in};

const JINJA: &str = "\
{% for b in backends %}
backend {{ b.name }}
  balance roundrobin
{% for s in b.servers %}
  server {{ s.name }} {{ s.ip }}:{{ s.port }} check weight {{ s.weight }}
{% endfor %}
{% endfor %}
";
const ERB: &str = "upstream auth {\n<% @nodes.each do |n| -%>\n  server <%= n %>;\n<% end -%>\n}\n";
const ONE_VALUE: &str = "backend auth\n  option redispatch\n  server a 10.0.0.1:80 check weight {{ w }}\n  server b 10.0.0.2:80 check\n";
const CLEAN: &str = "backend auth\n  option redispatch 1\n  server a 10.0.0.1:80 check\n  server b 10.0.0.2:80 check\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn check(folder: &tempfile::TempDir, more: &[&str]) -> Run {
    let mut arguments = vec!["check", "--no-config"];
    arguments.extend(more);
    lbaudit_in(folder.path(), &arguments, b"")
}

fn json(folder: &tempfile::TempDir, more: &[&str]) -> Value {
    let run = check(folder, &[more, &["--format", "json"]].concat());
    serde_json::from_str(&run.stdout).expect("JSON")
}

#[test]
fn in_a_walked_folder_templates_are_counted_and_skipped() {
    let folder = folder(&[
        ("roles/lb/templates/haproxy.cfg.j2", JINJA),
        ("modules/web/nginx.conf.erb", ERB),
        ("conf.d/one.conf", ONE_VALUE),
        ("roles/mail/templates/main.cf.j2", "mailname = {{ host }}\n"),
        ("haproxy.cfg", CLEAN),
    ]);
    let run = check(&folder, &["."]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    assert!(
        run.stdout.contains("3\ntemplates not audited"),
        "{}",
        run.stdout
    );
    let verbose = check(&folder, &[".", "-v"]).stdout;
    for line in [
        "not audited: `conf.d/one.conf`, a template (line 3)\n",
        "not audited: `modules/web/nginx.conf.erb`, a template (line 2)\n",
        "not audited: `roles/lb/templates/haproxy.cfg.j2`, a template (line 1)\n",
    ] {
        assert!(verbose.contains(line), "{verbose}");
    }
    let document = json(&folder, &["."]);
    assert_eq!(document["summary"]["templates"], 3);
    assert_eq!(document["summary"]["instances"], 1);
    let findings = document["findings"].as_array().expect("findings");
    let is_audited = |finding: &Value| finding["location"]["file"] == "haproxy.cfg";
    assert!(findings.iter().all(is_audited), "{document}");
    assert_eq!(document["templates"][0]["file"], "conf.d/one.conf");
    assert_eq!(document["templates"][0]["line"], 3);

    let error = check(&folder, &[".", "--templates", "error"]);
    assert_eq!(error.status, 2);
    assert_eq!(error.stderr.matches("is a template (line").count(), 3);
}

#[test]
fn a_template_that_is_named_is_an_error_unless_it_may_be_skipped() {
    let folder = folder(&[("haproxy.cfg", ONE_VALUE), ("good.cfg", CLEAN)]);
    for (arguments, status) in [
        (&["haproxy.cfg"][..], 2),
        (&["haproxy.cfg", "good.cfg"], 2),
        (&["--instance", "good.cfg,haproxy.cfg"], 2),
        (&["haproxy.cfg", "--templates", "error"], 2),
        (&["haproxy.cfg", "--templates", "skip"], 0),
        (&["haproxy.cfg", "good.cfg", "--templates", "skip"], 0),
    ] {
        let run = check(&folder, arguments);
        assert_eq!(run.status, status, "{arguments:?}: {}", run.stderr);
        let said = "`haproxy.cfg` is a template (line 3): it was not audited";
        assert_eq!(run.stderr.contains(said), status == 2, "{}", run.stderr);
        assert!(!run.stdout.contains("syntax-error"), "{}", run.stdout);
        assert_eq!(json(&folder, arguments)["summary"]["templates"], 1);
    }
    let stdin = lbaudit_in(folder.path(), &["check", "-"], JINJA.as_bytes());
    assert_eq!(stdin.status, 2);
    assert!(
        stdin.stderr.contains("`-` is a template"),
        "{}",
        stdin.stderr
    );
    let shares = lbaudit_in(folder.path(), &["shares", "haproxy.cfg"], b"");
    assert_eq!((shares.status, shares.stdout.as_str()), (2, ""));
}

#[test]
fn a_folder_of_nothing_but_templates_has_no_configuration() {
    let folder = folder(&[("haproxy.cfg.j2", JINJA)]);
    let run = check(&folder, &["."]);
    assert_eq!((run.status, run.stdout.as_str()), (3, ""));
    assert!(
        run.stderr
            .contains("only templates were found (1, such as `haproxy.cfg.j2`)")
    );
    let skipped = check(&folder, &[".", "--templates", "skip"]);
    assert_eq!(skipped.status, 0);
    assert_eq!(
        skipped.stdout,
        "not audited: `haproxy.cfg.j2`, a template (line 1)\n"
    );
}

#[test]
fn an_included_template_spoils_what_includes_it() {
    let folder = folder(&[
        (
            "nginx.conf",
            "events {}\nhttp {\n  include conf.d/*.conf;\n  server { listen 80; location / { proxy_pass http://auth; } }\n}\n",
        ),
        (
            "conf.d/auth.conf",
            "upstream auth {\n  server {{ host }}:80;\n}\n",
        ),
    ]);
    let run = check(&folder, &["."]);
    assert_eq!(run.status, 2, "{}", run.stdout);
    assert!(
        run.stderr.contains(
            "`conf.d/auth.conf` is a template (line 2): it and `nginx.conf`, which includes it, were not audited"
        ),
        "{}",
        run.stderr
    );
    let document = json(&folder, &[".", "--templates", "skip"]);
    assert_eq!(document["summary"]["templates"], 1);
    assert_eq!(document["summary"]["instances"], 0);
    assert_eq!(document["findings"], Value::Array(Vec::new()));
}

#[test]
fn formats_with_a_place_for_it_name_what_was_not_audited() {
    let folder = folder(&[("a.cfg.j2", JINJA), ("haproxy.cfg", CLEAN)]);
    let format = |name: &str| check(&folder, &[".", "--format", name]).stdout;
    let words = "not audited: `a.cfg.j2`, a template (line 1)";
    let sarif: Value = serde_json::from_str(&format("sarif")).expect("JSON");
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "note");
    assert_eq!(notification["message"]["text"], words);
    let junit = format("junit");
    assert!(
        junit.contains(&format!("<skipped message=\"{words}\"/>")),
        "{junit}"
    );
    assert!(junit.contains("tests=\"2\""), "{junit}");
    let markdown = format("markdown");
    assert!(
        markdown.contains("; 1 template not audited\n"),
        "{markdown}"
    );
    assert!(markdown.contains(&format!("\n- {words}\n")), "{markdown}");
}

const ENVSUBST: &str = "\
upstream api {
  zone api 64k;
  server ${API_1}:${API_PORT} weight=${WEIGHT} max_fails=${FAILS};
  server ${API_2}:${API_PORT};
}
server {
  listen ${NGINX_PORT};
  location / { proxy_pass http://api; proxy_set_header Host $host; }
  location /x { proxy_pass http://${OTHER}:8080; }
}
";

#[test]
fn variables_of_envsubst_are_unknown_until_they_get_their_values() {
    let values = "API_1=10.0.0.1\nAPI_2=10.0.0.2\nAPI_PORT=8080\nWEIGHT=50\nFAILS=1\nNGINX_PORT=80\nhost=x\n";
    let folder = folder(&[
        ("templates/default.conf.template", ENVSUBST),
        (".env", values),
    ]);
    let unknown = json(&folder, &["."]);
    assert_eq!(unknown["summary"]["instances"], 1);
    assert_eq!(unknown["findings"], Value::Array(Vec::new()));
    let known = json(&folder, &[".", "--env-file", ".env"]);
    let finding = &known["findings"][0];
    assert_eq!(finding["rule"], "mixed-default-weight", "{known}");
    assert_eq!(finding["location"]["start"]["line"], 4);
    assert_eq!(finding["subject"]["server"], "10.0.0.2:8080");
}
