//! Shared by the tests of the formats: configurations with no, one, few and many findings, odd paths and
//! hostile names, and the schemas.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests fail like the tests"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Run, lbaudit, lbaudit_in};

pub(crate) const CLEAN: &str = "\
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind :8080
  maxconn 1000
  default_backend auth
backend auth
  balance roundrobin
  option httpchk GET /health
  http-check expect status 200
  option redispatch 1
  default-server check inter 2s maxconn 900
  server a 10.0.0.1:8080
  server b 10.0.0.2:8080
  server c 10.0.0.3:8080
";

/// A backend with one heavy server: an error with a share table.
pub(crate) fn heavy(name: &str) -> String {
    format!(
        "backend {name}\n  balance roundrobin\n  default-server check\n  server {name}-1 10.0.0.1:80 weight 10\n  \
         server {name}-2 10.0.0.2:80 weight 10\n  server {name}-3 10.0.0.3:80 weight 100\n"
    )
}

/// A folder with a configuration of each kind.
pub(crate) struct Case {
    pub(crate) folder: tempfile::TempDir,
}

impl Case {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("repo")).expect("a folder");
        Self { folder }
    }

    pub(crate) fn here(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        let path = self.here().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        lbaudit_in(&self.here(), arguments, b"")
    }

    /// The formats of one run.
    fn outputs(&self, formats: &[&'static str], paths: &[&str]) -> Outputs {
        let file = |format: &&str| format!("{format}=../out.{format}");
        let wanted: Vec<String> = formats.iter().map(file).collect();
        let mut arguments = vec!["check", "--no-config"];
        arguments.extend(wanted.iter().flat_map(|wanted| ["--format", wanted]));
        arguments.extend(paths);
        let run = self.run(&arguments);
        assert!(run.status < 2, "{}", run.stderr);
        assert_eq!(run.stdout, "");
        let read = |format: &'static str| {
            let path = self.folder.path().join(format!("out.{format}"));
            (format, fs::read_to_string(path).expect("an output"))
        };
        Outputs(formats.iter().copied().map(read).collect())
    }

    pub(crate) fn format(&self, format: &str, paths: &[&str]) -> String {
        let mut arguments = vec!["check", "--no-config", "--format", format];
        arguments.extend(paths);
        let run = self.run(&arguments);
        assert!(run.status < 2, "{}", run.stderr);
        run.stdout
    }

    pub(crate) fn json(&self, format: &str, paths: &[&str]) -> Value {
        serde_json::from_str(&self.format(format, paths)).expect("JSON")
    }
}

/// Configurations with no, few and many findings, and with names that mean something elsewhere.
pub(crate) fn cases(many: usize) -> Vec<(&'static str, Case, Vec<&'static str>)> {
    let many: String = (0..many).fold(String::new(), |mut text, number| {
        let _ = write!(text, "{}", heavy(&format!("auth{number}")));
        text
    });
    vec![
        (
            "none",
            Case::new().with("haproxy.cfg", CLEAN),
            vec!["haproxy.cfg"],
        ),
        (
            "one",
            Case::new().with("haproxy.cfg", &one()),
            vec!["haproxy.cfg"],
        ),
        ("few", few(), vec!["."]),
        ("above", above(), vec![".", "../above.cfg"]),
        (
            "many",
            Case::new().with("haproxy.cfg", &many),
            vec!["haproxy.cfg"],
        ),
        ("hostile", hostile(), vec!["."]),
    ]
}

pub(crate) const FORMATS: [&str; 9] = [
    "text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "markdown",
];

/// What one run says in some formats.
pub(crate) struct Outputs(BTreeMap<&'static str, String>);

impl Outputs {
    pub(crate) fn text(&self, format: &str) -> &str {
        &self.0[format]
    }

    pub(crate) fn json(&self, format: &str) -> Value {
        serde_json::from_str(self.text(format)).expect("JSON")
    }

    pub(crate) fn findings(&self) -> Vec<Value> {
        let document = self.json("json");
        document["findings"].as_array().expect("findings").clone()
    }
}

/// Every case with 5,000 findings where there are many, run once for all tests of a file: which formats
/// it needs is the same for all of them.
pub(crate) fn outputs_in(formats: &[&'static str]) -> &'static [(&'static str, Outputs)] {
    static OUTPUTS: OnceLock<Vec<(&str, Outputs)>> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        let cases = cases(5000).into_iter();
        let run = |(what, case, paths): (_, Case, Vec<&str>)| (what, case.outputs(formats, &paths));
        cases.map(run).collect()
    })
}

/// A configuration with one finding.
pub(crate) fn one() -> String {
    CLEAN.replace("10.0.0.3:8080", "10.0.0.3:8080 weight 100")
}

/// The same few with a file that lies outside of the working folder.
fn above() -> Case {
    let case = few();
    fs::write(case.folder.path().join("above.cfg"), heavy("above")).expect("a file");
    case
}

pub(crate) fn few() -> Case {
    let ignored = heavy("canary").replace(
        "  server canary-3",
        "  # lbaudit: ignore[unbalanced-weights] bigger until the migration ends\n  server canary-3",
    );
    Case::new()
        .with("haproxy.cfg", &heavy("auth"))
        .with("a b/größe 100%#1.cfg", &(heavy("spaces") + &ignored))
        .with("C:\\conf\\win.cfg", &heavy("windows"))
        .with(
            "nginx/nginx.conf",
            "events {}\nhttp {\n  upstream auth {\n    server 10.0.0.1:80 weight=1;\n    server 10.0.0.2:80 weight=1;\n    \
             server 10.0.0.3:80 weight=20;\n  }\n  server { listen 80; location / { proxy_pass http://auth; } }\n}\n",
        )
}

/// Names that try to end a command, a cell, a link, an element.
pub(crate) fn hostile() -> Case {
    let names = [
        "a|b`c<script>alert(1)</script>",
        "x](http://evil.example/)[y",
        "::error::%0A::set-output",
        "@everyone,title=z",
        "]]>&amp;<!--",
        "\u{202e}gnp\u{200b}\u{fffe}\u{ffff}",
        "{0}{{1}}",
        "q`[x](http://evil.example/)",
        "***__~~",
    ];
    let mut text = String::new();
    for name in names {
        text.push_str(&heavy(name));
    }
    Case::new().with("::warning file=x,line=1::.cfg", &text)
}

pub(crate) fn schema(name: &str) -> jsonschema::Validator {
    let run = lbaudit(&["schema", name]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let mut schema: Value = serde_json::from_str(&run.stdout).expect("a schema is JSON");
    close(&mut schema);
    jsonschema::draft202012::new(&schema).expect("a schema of draft 2020-12")
}

/// The schemas leave room for later fields; what is written today must all be in them.
pub(crate) fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("type") == Some(&Value::from("object")) {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(array) => array.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn assert_valid(validator: &jsonschema::Validator, document: &Value, what: &str) {
    let faults: Vec<String> = (validator.iter_errors(document).take(5))
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {}", faults.join("\n"));
}
