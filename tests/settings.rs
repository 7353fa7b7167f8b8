//! `lbaudit.toml`: where it is looked for, what it may say, and the three commands about it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Run, command, lbaudit_in};

/// One server without a check beside two that have one: a warning of `missing-health-check` and more.
const CONFIG: &str = "\
backend auth
  balance roundrobin
  server a 10.0.0.1:80 weight 10
  server b 10.0.0.2:80 weight 10
  server c 10.0.0.3:80 weight 25
";

struct Repo(tempfile::TempDir);

impl Repo {
    fn new(files: &[(&str, &str)]) -> Self {
        let repo = Self(tempfile::tempdir().expect("a temporary folder"));
        for (name, text) in files {
            let path = repo.path(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        repo
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        lbaudit_in(self.0.path(), arguments, b"")
    }

    /// `config show` with these arguments, as JSON.
    fn show(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["config", "show", "--format", "json"];
        all.extend(arguments);
        let run = self.run(&all);
        assert_eq!(run.status, 0, "{}", run.stderr);
        let document = serde_json::from_str(&run.stdout).expect("JSON");
        let schema = serde_json::from_str(&self.run(&["schema", "config-show"]).stdout);
        let validator = jsonschema::draft202012::new(&schema.expect("JSON")).expect("a schema");
        assert!(validator.is_valid(&document), "{document}");
        document
    }
}

/// The value of `key` in the output of `config show`, and the line where it was written.
fn setting(document: &Value, key: &str) -> (Value, Option<u64>) {
    let settings = document["settings"].as_array().expect("settings");
    let found = settings.iter().find(|setting| setting["key"] == key);
    let found = found.expect("the key is listed");
    let line = found["location"]["start"]["line"].as_u64();
    assert_eq!(found["origin"] == "default", line.is_none(), "{found}");
    (found["value"].clone(), line)
}

fn schema() -> jsonschema::Validator {
    let run = Repo::new(&[]).run(&["config", "schema"]);
    let schema = serde_json::from_str(&run.stdout).expect("a schema is JSON");
    jsonschema::draft202012::new(&schema).expect("a schema of draft 2020-12")
}

fn toml(text: &str) -> Value {
    toml::from_str(text).expect("TOML")
}

/// The file that `config init` writes.
fn template() -> String {
    let repo = Repo::new(&[]);
    let run = repo.run(&["config", "init"]);
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (0, "wrote lbaudit.toml\n")
    );
    fs::read_to_string(repo.path("lbaudit.toml")).expect("the file was written")
}

/// The template with every key in force.
fn uncommented() -> String {
    let text = template();
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_file_of_init_changes_nothing() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/incidents");
    let (with, without) = (Repo::new(&[("lbaudit.toml", &template())]), Repo::new(&[]));
    assert_eq!(
        with.show(&[fixtures])["settings"],
        without.show(&[fixtures])["settings"]
    );
    let check = |repo: &Repo| repo.run(&["check", fixtures]).stdout;
    assert!(check(&without).contains("error"));
    assert_eq!(check(&with), check(&without));
}

#[test]
fn the_keys_of_init_show_the_defaults() {
    let repo = Repo::new(&[("lbaudit.toml", &uncommented())]);
    let document = repo.show(&[]);
    let defaults = Repo::new(&[]).show(&[]);
    for default in defaults["settings"].as_array().expect("settings") {
        let key = default["key"].as_str().expect("a key");
        let (value, line) = setting(&document, key);
        assert!(line.is_some(), "`{key}` is not in the file");
        if key.ends_with(".severity") {
            assert!(default["value"].is_null(), "{default}");
        } else {
            assert_eq!(value, default["value"], "{key}");
        }
    }
}

#[test]
fn init_overwrites_only_what_it_is_told_to() {
    let repo = Repo::new(&[("lbaudit.toml", "fail-on = 'info'\n")]);
    let refused = repo.run(&["config", "init"]);
    assert_eq!(refused.status, 2);
    let said = "error: `lbaudit.toml` exists and was left as it is; `--force` overwrites it\n";
    assert_eq!(refused.stderr, said);
    let kept = fs::read_to_string(repo.path("lbaudit.toml")).expect("the file is there");
    assert_eq!(kept, "fail-on = 'info'\n");
    assert_eq!(repo.run(&["config", "init", "--force"]).status, 0);
    let written = fs::read_to_string(repo.path("lbaudit.toml")).expect("the file is there");
    assert_eq!(written, template());
    let nowhere = repo.run(&["config", "init", "nowhere/lbaudit.toml"]);
    assert_eq!(nowhere.status, 2);
    assert!(
        nowhere.stderr.contains("cannot write"),
        "{}",
        nowhere.stderr
    );
    assert_eq!(fs::read_dir(repo.0.path()).expect("the folder").count(), 1);
}

#[test]
fn a_broken_file_does_not_keep_init_from_another() {
    let repo = Repo::new(&[("lbaudit.toml", "no = such key")]);
    assert_eq!(repo.run(&["config", "init", "other.toml"]).status, 0);
}

#[test]
fn show_says_where_each_value_was_written() {
    let settings = "fail-on = 'error'\n[nginx]\nversion = '1.25.4'\n[rules.unbalanced-weights]\nmax-ratio = 4\n\
        severity = 'warning'\n[[override]]\nfiles = ['staging/**']\nrules.unbalanced-weights.max-ratio = 6.5\n\
        [[instance]]\nname = 'edge'\nfiles = ['conf.d/*.cfg']\n";
    let repo = Repo::new(&[("lbaudit.toml", settings)]);
    let ratio = "rules.unbalanced-weights.max-ratio";
    let everywhere = repo.show(&[]);
    assert_eq!(setting(&everywhere, "fail-on"), (json!("error"), Some(1)));
    assert_eq!(
        setting(&everywhere, "nginx.version"),
        (json!("1.25.4"), Some(3))
    );
    assert_eq!(
        setting(&everywhere, "haproxy.version"),
        (json!("2.6"), None)
    );
    assert_eq!(setting(&everywhere, ratio), (json!(4), Some(5)));
    let severity = "rules.unbalanced-weights.severity";
    assert_eq!(setting(&everywhere, severity), (json!("warning"), Some(6)));
    let edge = json!({"engine": null, "files": ["conf.d/*.cfg"]});
    assert_eq!(setting(&everywhere, "instance.edge"), (edge, Some(10)));
    let staging = repo.show(&["staging/a.cfg"]);
    assert_eq!(setting(&staging, ratio), (json!(6.5), Some(9)));
    assert_eq!(setting(&staging, severity), (json!("warning"), Some(6)));
    assert_eq!(
        setting(&repo.show(&["live/a.cfg"]), ratio),
        (json!(4), Some(5))
    );
    let text = repo.run(&["config", "show", "staging/a.cfg"]).stdout;
    let mut lines = text.lines();
    let head = "lbaudit.toml (the nearest one from the working folder upward)";
    assert_eq!(lines.next(), Some(head));
    assert_eq!(lines.next(), Some("in force for staging/a.cfg"));
    let ratio = lines.find(|line| line.starts_with(ratio)).expect("a row");
    assert!(ratio.ends_with("  lbaudit.toml:9"), "{ratio}");
}

#[test]
fn the_flag_is_nearer_than_the_variable_and_the_variable_than_the_folder() {
    let repo = Repo::new(&[
        ("lbaudit.toml", "fail-on = 'info'"),
        ("flag.toml", "fail-on = 'warning'"),
        ("variable.toml", "fail-on = 'error'"),
        ("deep/er/haproxy.cfg", CONFIG),
    ]);
    let named_by = |folder: &str, variable: Option<&str>, arguments: &[&str]| {
        let mut command = command(&repo.path(folder));
        command
            .args(["config", "show", "--format", "json"])
            .args(arguments);
        command.envs(variable.map(|value| ("LBAUDIT_CONFIG", value)));
        let output = command.output().expect("lbaudit runs");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let (fail_on, _) = setting(&document, "fail-on");
        (document["file"]["named_by"].clone(), fail_on)
    };
    let flag = ["--config", "flag.toml"];
    let variable = Some("variable.toml");
    let none = (Value::Null, json!("warning"));
    assert_eq!(
        named_by(".", variable, &flag),
        (json!("flag"), json!("warning"))
    );
    assert_eq!(
        named_by(".", variable, &[]),
        (json!("environment"), json!("error"))
    );
    assert_eq!(
        named_by("deep/er", None, &[]),
        (json!("search"), json!("info"))
    );
    assert_eq!(
        named_by("deep/er", Some(""), &[]),
        (json!("search"), json!("info"))
    );
    assert_eq!(named_by(".", variable, &["--no-config"]), none);
    let both = repo.run(&["config", "show", "--no-config", "--config", "flag.toml"]);
    assert_eq!(both.status, 2, "{}", both.stdout);
}

/// Wrong settings and what is said about them.
const WRONG: &[(&str, &str)] = &[
    (
        "\nfail-onn = 'error'",
        "2:1: unknown key `fail-onn`: did you mean `fail-on`",
    ),
    ("fail-on = 'warn'", "1:11: unknown variant `warn`"),
    ("exclude = 'x'", "1:11: invalid type"),
    (
        "[haproxy]\nversio = '2.6'",
        "2:1: unknown key `versio`: did you mean `version`",
    ),
    (
        "[rules.starved-server]\nlimit = 1",
        "2:1: unknown key `limit`: known here: `enabled`, `severity`, `min-share`",
    ),
    (
        "[rules.nonsense]",
        "1:8: there is no rule `nonsense`: `lbaudit rules` lists the rules",
    ),
    ("[haproxy]\nversion = 2.6", "2:11: invalid type"),
    ("[haproxy]\nversion = 'new'", "2:11: `new` is not a version"),
    ("[nginx]\nplus = 'yes'", "2:8: invalid type"),
    (
        "[nginx]\n  pluss = true",
        "2:3: unknown key `pluss`: did you mean `plus`",
    ),
    (
        "[rules.unbalanced-weight]",
        "1:8: there is no rule `unbalanced-weight`: did you mean `unbalanced-weights`",
    ),
    (
        "[rules.starved-server]\nmax-share = 1",
        "2:1: unknown key `max-share`: did you mean `min-share`",
    ),
    (
        "[rules.starved-server]\nmin-share = -1",
        "2:13: `min-share` takes a number from 0",
    ),
    (
        "[rules.starved-server]\nenabled = 'no'",
        "2:11: `enabled` takes true or false",
    ),
    (
        "[rules.starved-server]\nseverity = 'bad'",
        "2:12: `severity` takes error, warning or info",
    ),
    ("[rules]\nstarved-server = 'off'", "2:18: invalid type"),
    (
        "[[override]]\nfile = ['x']",
        "2:1: unknown key `file`: did you mean `files`",
    ),
    (
        "[[override]]\nfiles = ['x']\nrules.starved-serve.enabled = false",
        "3:7: there is no rule",
    ),
    ("[[override]]\nrules = {}", "1:1: missing field `files`"),
    ("[[instance]]\nname = 'ä'; engin = 1", "2:11: "),
    (
        "[[instance]]\nname = 'a'\nfiles = []\nengine = 'apache'",
        "4:10: unknown variant `apache`",
    ),
    ("[[instance]]\nfiles = []", "1:1: missing field `name`"),
    (
        "[[instances]]",
        "1:3: unknown key `instances`: did you mean `instance`",
    ),
];

/// What the program refuses the schema refuses as well, and the message names place and remedy.
#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let schema = schema();
    for (text, said) in WRONG {
        let repo = Repo::new(&[("lbaudit.toml", text), ("haproxy.cfg", CONFIG)]);
        let run = repo.run(&["check", "haproxy.cfg"]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{text}");
        let expected = format!("error: lbaudit.toml:{said}");
        assert!(run.stderr.starts_with(&expected), "{text}: {}", run.stderr);
        if let Ok(document) = toml::from_str::<Value>(text) {
            assert!(!schema.is_valid(&document), "{text}");
        }
    }
}

#[test]
fn the_schema_accepts_what_is_documented() {
    let schema = schema();
    let valid = |text: &str, what: &str| {
        let document = toml(text);
        let faults: Vec<String> = schema
            .iter_errors(&document)
            .map(|fault| fault.to_string())
            .collect();
        assert!(faults.is_empty(), "{what}: {}", faults.join("; "));
        let repo = Repo::new(&[("lbaudit.toml", text)]);
        assert_eq!(repo.run(&["config", "show"]).status, 0, "{what}");
    };
    valid(&template(), "the file of `config init`");
    valid(
        &uncommented(),
        "the file of `config init` with every key in force",
    );
    for (name, text) in pages() {
        for block in text.split("```toml\n").skip(1) {
            let (block, _) = block.split_once("\n```").expect("the end of an example");
            valid(block, &name);
        }
    }
    let alias = lbaudit_in(Path::new("."), &["schema", "config"], b"").stdout;
    assert_eq!(alias, Repo::new(&[]).run(&["config", "schema"]).stdout);
}

/// The documentation for users: the README and the folder `docs`.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).into_iter().flatten();
    let docs = docs.map(|entry| entry.expect("an entry").path());
    let markdown = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let pages = markdown.chain([root.join("README.md")]);
    pages
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a page");
            (path.display().to_string(), text)
        })
        .collect()
}

#[test]
fn overrides_hold_however_a_file_is_named() {
    let settings =
        "[[override]]\nfiles = ['staging/**']\nrules.unbalanced-weights.enabled = false\n";
    let repo = Repo::new(&[
        ("lbaudit.toml", settings),
        ("staging/a.cfg", CONFIG),
        ("live/a.cfg", CONFIG),
    ]);
    let found = |folder: &str, arguments: &[&str]| {
        let mut all = vec![
            "check",
            "--select",
            "unbalanced-weights",
            "--format",
            "concise",
        ];
        all.extend(arguments);
        let run = lbaudit_in(&repo.path(folder), &all, b"");
        assert!(run.status < 2, "{}", run.stderr);
        run.stdout.contains("unbalanced-weights")
    };
    assert!(found(".", &["live/a.cfg"]));
    assert!(!found(".", &["staging/a.cfg"]));
    assert!(!found(".", &["./live/../staging/a.cfg"]));
    assert!(!found("staging", &["a.cfg"]));
    assert!(!found("live", &["../staging/a.cfg"]));
    assert!(!found(
        "live",
        &["--config", "../lbaudit.toml", "../staging/a.cfg"]
    ));
    assert!(found("staging", &["../live/a.cfg"]));
}

#[test]
fn instances_are_audited_where_no_path_is_named() {
    let settings =
        "[[instance]]\nname = 'edge'\nengine = 'haproxy'\nfiles = ['conf.d/*.cfg', 'last.cfg']\n";
    let repo = Repo::new(&[
        ("lbaudit.toml", settings),
        ("conf.d/1.cfg", CONFIG),
        (
            "conf.d/2.cfg",
            "backend other\n  server a 10.0.0.9:80 check\n",
        ),
        ("conf.d/deep/3.cfg", "backend no\n"),
        ("last.cfg", "backend last\n  server a 10.0.0.10:80 check\n"),
        ("sub/x", ""),
    ]);
    let run = lbaudit_in(&repo.path("sub"), &["model", "--format", "json"], b"");
    let model: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let instances = model["instances"].as_array().expect("instances");
    assert_eq!(instances.len(), 1, "{}", run.stderr);
    let backends = instances[0]["backends"].as_array().expect("backends");
    let names: Vec<&str> = backends
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(names, ["auth", "other", "last"]);
    fs::remove_dir_all(repo.path("conf.d")).expect("removed");
    fs::remove_file(repo.path("last.cfg")).expect("removed");
    let gone = repo.run(&["check"]);
    assert_eq!(gone.status, 3);
    assert!(gone.stderr.contains("instance `edge`"), "{}", gone.stderr);
}

#[test]
fn reports_call_an_instance_by_its_name() {
    let settings = "[[instance]]\nname = 'edge'\nfiles = ['conf.d/*.cfg']\n";
    let repo = Repo::new(&[("lbaudit.toml", settings), ("conf.d/1.cfg", CONFIG)]);
    let json = |command: &str| -> Value {
        let run = repo.run(&[command, "--format", "json"]);
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let finding = &json("check")["findings"][0];
    assert_eq!(finding["instance"], "edge");
    assert_eq!(finding["location"]["file"], "conf.d/1.cfg");
    assert_eq!(json("shares")["backends"][0]["instance"], "edge");
    repo.run(&["check", "--metrics-file", "lbaudit.prom"]);
    let metrics = fs::read_to_string(repo.path("lbaudit.prom")).expect("metrics");
    assert!(metrics.contains("instance=\"edge\""), "{metrics}");
}

#[test]
fn a_walk_that_meets_a_file_of_an_instance_takes_the_whole_instance() {
    let settings = "[[instance]]\nname = 'edge'\nfiles = ['all.cfg', 'edge/*.cfg']\n\
                    [[instance]]\nname = 'core'\nfiles = ['all.cfg', 'core/*.cfg']\n";
    let route = "frontend web\n  bind :80\n  default_backend auth\n";
    let repo = Repo::new(&[
        ("lbaudit.toml", settings),
        ("all.cfg", route),
        ("core/1.cfg", CONFIG),
        ("edge/1.cfg", CONFIG),
        (
            "edge/2.cfg",
            "backend other\n  server a 10.0.0.9:80 check\n",
        ),
        ("lone.cfg", "backend lone\n  server a 10.0.0.11:80 check\n"),
    ]);
    let backends = |path: &str| {
        let run = repo.run(&["model", "--format", "json", path]);
        let model: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let instances = model["instances"].as_array().expect("instances").clone();
        let names = instances.iter().map(|instance| {
            let backends = instance["backends"].as_array().expect("backends").iter();
            let names = backends.filter_map(|backend| backend["name"].as_str());
            names.collect::<Vec<_>>().join(" ")
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(backends("."), ["auth other", "auth", "lone"]);
    assert_eq!(backends("edge"), ["auth other"]);
    assert_eq!(backends("edge/2.cfg"), ["other"], "a file is what it is");
    let run = repo.run(&["check", "--select", "dangling-backend-reference", "."]);
    assert_eq!(run.status, 0, "{}", run.stdout);
}
