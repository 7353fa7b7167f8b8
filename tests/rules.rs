//! Every rule is documented, registered and does on its page's examples what the page says.
#![allow(clippy::expect_used, reason = "a test stops at a surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lbaudit::audit::{Audit, Terms};
use lbaudit::discover::{Discovery, Root};
use lbaudit::engine::{self, Input, Options};
use lbaudit::finding::{Finding, Severity};
use lbaudit::model::{Engine, Instance};
use lbaudit::rules::{self, Check, Context, Entry, Example};
use lbaudit::settings::Settings;
use lbaudit::source::Sources;
use lbaudit::suppress;

/// The day on which the examples are audited: dates on pages are before or behind it.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 22);

/// The sections that a page has, in this order.
const SECTIONS: [&str; 6] = [
    "## What",
    "## Why",
    "## Fix",
    "## Playbook",
    "## Evidence",
    "## Examples",
];

/// An example as a whole configuration of its engine.
fn whole(engine: Engine, text: &str) -> String {
    match engine {
        Engine::Haproxy => whole_haproxy(text),
        Engine::Nginx => whole_nginx(text),
    }
}

fn whole_haproxy(text: &str) -> String {
    let starts = |word: &str| text.lines().any(|line| line.starts_with(word));
    let mut out = String::new();
    if !starts("global") {
        out += "global\n";
    }
    if !starts("defaults") {
        out += "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n";
    }
    out + text
}

/// Puts `events` beside and, where there is none, `http` around; lines that belong to the main
/// context stay in front.
fn whole_nginx(text: &str) -> String {
    let starts = |word: &str| text.lines().any(|line| line.starts_with(word));
    let events = if starts("events") { "" } else { "events {}\n" };
    if starts("http") || starts("stream") {
        return format!("{events}{text}");
    }
    let is_main =
        |line: &&str| line.starts_with("worker_processes") || line.starts_with("load_module");
    let (main, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(is_main);
    format!(
        "{}\n{events}http {{\n{}\n}}\n",
        main.join("\n"),
        rest.join("\n")
    )
}

/// The files of an example: a line `# file: NAME` starts another one, its own instance.
fn files(example: &Example) -> Vec<(String, String)> {
    let mut files = vec![("haproxy.cfg".to_owned(), String::new())];
    for line in example.text.lines() {
        if let Some(name) = line.strip_prefix("# file: ") {
            files.push((name.to_owned(), String::new()));
        } else if let Some((_, text)) = files.last_mut() {
            *text += line;
            *text += "\n";
        }
    }
    files.retain(|(_, text)| !text.trim().is_empty());
    files
}

/// The instances of an example and what the loader says about them.
fn load(example: &Example, sources: &Sources) -> (Vec<Instance>, Vec<Finding>) {
    let mut instances = Vec::new();
    let mut findings = Vec::new();
    for (name, text) in files(example) {
        let input = Input {
            name,
            path: None,
            bytes: whole(example.engine, &text).into_bytes(),
        };
        let loaded = engine::load(example.engine, sources, vec![input], &Options::default())
            .expect("an example can be read");
        instances.extend(loaded.variants);
        findings.extend(loaded.findings);
    }
    (instances, findings)
}

fn contexts<'a>(
    sources: &'a Sources,
    instances: &'a [Instance],
    settings: &'a Settings,
) -> Vec<Context<'a>> {
    let context = |(index, instance)| Context {
        sources,
        instance,
        index,
        settings,
        today: TODAY,
        worded: usize::MAX,
    };
    instances.iter().enumerate().map(context).collect()
}

/// What the whole pipeline says about an example, suppressions applied.
fn pipeline(example: &Example) -> Vec<Finding> {
    let mut audit = loaded(example);
    let findings = audit.judge(Terms::in_full(&Settings::default(), TODAY));
    suppress::apply(&audit, findings, TODAY).kept
}

/// An example as the whole pipeline reads it.
fn loaded(example: &Example) -> Audit {
    let root = |(name, text): (String, String)| Root {
        engine: example.engine,
        inputs: vec![Input {
            name,
            path: None,
            bytes: whole(example.engine, &text).into_bytes(),
        }],
        walked: None,
        name: None,
    };
    let roots = files(example).into_iter().map(root).collect();
    let discovery = Discovery {
        roots,
        ..Discovery::default()
    };
    Audit::load(discovery, &Options::default())
}

/// What one rule, or every rule, says about an example.
fn audit(example: &Example, only: Option<&'static Entry>) -> Vec<Finding> {
    if let Some(entry) = only.filter(|entry| {
        entry.page.name.ends_with("-ignore") || entry.page.name.starts_with("ignore-")
    }) {
        let findings = pipeline(example).into_iter();
        return findings
            .filter(|finding| finding.rule == entry.page.name)
            .collect();
    }
    let sources = Sources::default();
    let (instances, mut findings) = load(example, &sources);
    let settings = Settings::default();
    let contexts = contexts(&sources, &instances, &settings);
    if let Some(entry) = only {
        findings.retain(|finding| finding.rule == entry.page.name);
        findings.extend(rules::run(entry, &contexts));
    } else {
        findings.extend(contexts.iter().flat_map(rules::check_instance));
        findings.extend(rules::check_audit(&contexts));
    }
    findings
}

/// Every example with its rule and its number on the page.
fn examples() -> impl Iterator<Item = (&'static Entry, usize, Example)> {
    rules::catalogue().iter().flat_map(|entry| {
        let examples = entry.page.examples().expect("the examples of a page parse");
        let numbered = examples.into_iter().enumerate();
        numbered.map(move |(index, example)| (entry, index + 1, example))
    })
}

fn messages(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        format!(
            "  {}[{}]: {}\n",
            finding.severity.as_str(),
            finding.rule,
            finding.message
        )
    };
    findings.iter().map(line).collect()
}

#[test]
fn every_example_gives_the_findings_that_its_page_says() {
    let mut faults = Vec::new();
    for (entry, number, example) in examples() {
        let found = audit(&example, Some(entry));
        if found.len() != example.fires {
            faults.push(format!(
                "{} example {number}: {} findings, not {}\n{}{}\n",
                entry.page.name,
                found.len(),
                example.fires,
                messages(&found),
                example.text
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn findings_have_the_severity_that_their_example_says() {
    for (entry, number, example) in examples() {
        let Some(severity) = example.severity else {
            continue;
        };
        for finding in audit(&example, Some(entry)) {
            let name = &entry.page.name;
            assert_eq!(finding.severity, severity, "{name} example {number}");
        }
    }
}

#[test]
fn no_finding_is_above_the_severity_of_its_page() {
    for (entry, number, example) in examples() {
        for finding in audit(&example, Some(entry)) {
            assert!(
                finding.severity <= entry.page.severity,
                "{} example {number} reports {}",
                entry.page.name,
                finding.severity.as_str()
            );
        }
    }
}

/// A message is one line that starts in lower case (or with a name) and has no full stop; help too.
#[test]
fn messages_are_written_as_agreed() {
    for (entry, number, example) in examples() {
        for finding in audit(&example, Some(entry)) {
            for text in [finding.message.as_str(), &finding.help] {
                let first = text.chars().next();
                let good = !text.contains('\n')
                    && !text.ends_with('.')
                    && first.is_some_and(|c| !c.is_uppercase());
                assert!(good, "{} example {number}: {text:?}", entry.page.name);
            }
        }
    }
}

#[test]
fn a_cause_is_still_reported_when_specific_rules_replace_general_ones() {
    let by_check = |entry: &Entry| !matches!(entry.rule.check, Check::Loader);
    for (entry, number, example) in examples() {
        if example.fires == 0 || !by_check(entry) {
            continue;
        }
        let mut kept = audit(&example, None);
        rules::drop_replaced(&mut kept);
        let names = |finding: &Finding| {
            finding.rule == entry.page.name
                || rules::find(finding.rule)
                    .is_some_and(|other| other.page.replaces.contains(&entry.page.name))
        };
        assert!(
            kept.iter().any(names),
            "{} example {number} leaves only\n{}",
            entry.page.name,
            messages(&kept)
        );
    }
}

#[test]
fn a_bare_fact_gets_the_words_that_it_would_have_had() {
    let settings = Settings::default();
    let in_full = Terms::in_full(&settings, TODAY);
    let mut bare = 0;
    for (entry, number, example) in examples() {
        let mut audit = loaded(&example);
        let known = audit.judge(in_full);
        let mut audit = loaded(&example);
        let mut found = audit.judge(Terms {
            worded: 0,
            ..in_full
        });
        bare += found.iter().filter(|finding| !finding.worded).count();
        audit.word(&mut found, in_full);
        assert_eq!(found, known, "{} example {number}", entry.page.name);
    }
    assert!(bare > 0, "no rule leaves words out");
}

#[test]
fn an_umbrella_that_is_passed_over_is_not_missed() {
    let is_umbrella = |entry: &&Entry| matches!(entry.rule.check, Check::Umbrella(_));
    let place = |name: &str| {
        rules::catalogue()
            .iter()
            .position(|entry| entry.page.name == name)
    };
    let mut pairs = 0;
    for umbrella in rules::catalogue().iter().filter(is_umbrella) {
        let replaces = |entry: &&Entry| entry.page.replaces.contains(&umbrella.page.name);
        for specific in rules::catalogue().iter().filter(replaces) {
            let (name, of) = (&specific.page.name, &umbrella.page.name);
            for replaced in &umbrella.page.replaces {
                let also = specific.page.replaces.contains(replaced);
                assert!(also, "`{name}` replaces `{of}` and so `{replaced}`");
            }
            let in_order = !is_umbrella(&specific) || place(name) > place(of);
            assert!(in_order, "`{name}` is asked before `{of}`");
            pairs += 1;
        }
    }
    assert!(pairs > 3);
}

#[test]
fn one_mistake_in_weights_is_one_finding() {
    let on_weights = |name: &str| ON_WEIGHTS.contains(&name);
    for (entry, number, example) in examples() {
        if example.fires == 0 || !on_weights(&entry.page.name) {
            continue;
        }
        let mut kept = audit(&example, None);
        rules::drop_replaced(&mut kept);
        kept.retain(|finding| on_weights(finding.rule));
        assert!(
            kept.len() <= 1,
            "{} example {number} leaves\n{}",
            entry.page.name,
            messages(&kept)
        );
    }
}

#[test]
fn independent_mistakes_are_all_reported() {
    let example = Example {
        engine: Engine::Haproxy,
        fires: 2,
        severity: None,
        text: "backend auth\n  balance roundrobin\n  server a 10.0.0.1:80 weight 10\n  \
               server b 10.0.0.2:80 weight 100\n  server c 10.0.0.3:80 weight 10\n  \
               server d 10.0.0.4:80 weight 0\n"
            .to_owned(),
    };
    let mut kept = audit(&example, None);
    rules::drop_replaced(&mut kept);
    for rule in ["unbalanced-weights", "zero-weight-server"] {
        let here = |finding: &&Finding| finding.rule == rule;
        assert_eq!(kept.iter().filter(here).count(), 1, "{}", messages(&kept));
    }
}

#[test]
fn a_cause_in_defaults_is_one_finding_that_names_what_it_affects() {
    let backend = |name: &str| {
        let server = |n| format!("  server s{n} 10.0.0.{n}:80 check\n");
        format!("backend {name}\n") + &(1..=3).map(server).collect::<String>()
    };
    let defaults = "defaults\n  mode http\n  balance uri\n  timeout connect 5s\n  \
                    timeout client 30s\n  timeout server 30s\n";
    let names = ["a", "b", "c", "d", "e"];
    let example = Example {
        engine: Engine::Haproxy,
        fires: 1,
        severity: None,
        text: defaults.to_owned() + &names.map(backend).concat(),
    };
    let mut found = pipeline(&example);
    found.retain(|finding| finding.rule == "map-based-hash-reshuffle");
    assert_eq!(found.len(), 1, "{}", messages(&found));
    let also = "the same goes for `b`, `c`, `d` and 1 more";
    assert!(found[0].message.ends_with(also), "{}", found[0].message);
}

#[test]
fn balance_first_in_defaults_is_one_finding_there() {
    let text = "defaults\n  balance first\n  timeout connect 5s\n  timeout client 30s\n  \
                timeout server 30s\n\
                backend a\n  server s1 10.0.0.1:80\n  server s2 10.0.0.2:80\n\
                backend b\n  server s1 10.0.0.3:80\n  server s2 10.0.0.4:80\n";
    let example = Example {
        engine: Engine::Haproxy,
        fires: 1,
        severity: None,
        text: text.to_owned(),
    };
    let mut found = pipeline(&example);
    found.retain(|finding| finding.rule == "balance-first-without-maxconn");
    assert_eq!(found.len(), 1, "{}", messages(&found));
    let message = &found[0].message;
    assert!(message.contains("no traffic while `s1` is up"), "{message}");
    assert!(message.ends_with("the same goes for `b`"), "{message}");
}

#[test]
fn a_misspelt_upstream_is_not_a_name_to_resolve_as_well() {
    let text = "upstream auth { server 10.0.0.1:80; server 10.0.0.2:80; }\n\
                server { location / { proxy_pass http://auht; } }\n";
    let example = Example {
        engine: Engine::Nginx,
        fires: 1,
        severity: None,
        text: text.to_owned(),
    };
    let found = pipeline(&example);
    let named = |rule: &str| found.iter().filter(|it| it.rule == rule).count();
    assert_eq!(
        named("dangling-backend-reference"),
        1,
        "{}",
        messages(&found)
    );
    assert_eq!(named("resolve-once-hostname"), 0, "{}", messages(&found));
}

/// A part of a configuration may name what stands in another part, unless the upstream that looks
/// like it is one that nothing else here uses.
#[test]
fn a_slip_in_a_part_of_a_configuration_is_told_from_a_name_of_another_part() {
    let upstream = "upstream backend { server 10.0.0.1:80; }\n";
    let wrong = "server { location / { proxy_pass http://backned; } }\n";
    let right = "server { location /b { proxy_pass http://backend; } }\n";
    let slips = |text: String| {
        let input = Input {
            name: "site.conf".into(),
            path: None,
            bytes: text.into_bytes(),
        };
        let sources = Sources::default();
        let options = Options::default();
        let loaded = engine::load(Engine::Nginx, &sources, vec![input], &options).unwrap();
        let settings = Settings::default();
        let contexts = contexts(&sources, &loaded.variants, &settings);
        let findings: Vec<Finding> = contexts.iter().flat_map(rules::check_instance).collect();
        let named = |finding: &&Finding| finding.rule == "dangling-backend-reference";
        findings.iter().filter(named).count()
    };
    assert_eq!(slips(format!("{upstream}{wrong}")), 1);
    assert_eq!(slips(format!("{upstream}{wrong}{right}")), 0);
}

/// The rules on weights, the general one first.
const ON_WEIGHTS: [&str; 3] = [
    "uneven-distribution",
    "unbalanced-weights",
    "mixed-default-weight",
];

#[test]
fn what_is_clean_for_the_general_rule_is_clean_for_all_rules_on_weights() {
    let general = |entry: &Entry| entry.page.name == ON_WEIGHTS[0];
    for (entry, number, example) in examples().filter(|(entry, ..)| general(entry)) {
        if example.fires > 0 {
            continue;
        }
        let mut found = audit(&example, None);
        found.retain(|finding| {
            finding.severity > Severity::Info && ON_WEIGHTS.contains(&finding.rule)
        });
        assert!(
            found.is_empty(),
            "{} example {number}\n{}",
            entry.page.name,
            messages(&found)
        );
    }
}

#[test]
fn pages_have_their_sections_and_fit_80_columns() {
    for entry in rules::catalogue() {
        let name = &entry.page.name;
        let headings: Vec<&str> = (entry.page.body.lines())
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, SECTIONS, "{name}");
        for line in entry.page.body.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        for replaced in &entry.page.replaces {
            assert_ne!(replaced, name);
        }
    }
}

#[test]
fn every_engine_of_a_rule_has_an_example_that_fires_and_one_that_is_clean() {
    for entry in rules::catalogue() {
        let examples = entry.page.examples().expect("examples parse");
        for engine in &entry.page.engines {
            for fires in [true, false] {
                assert!(
                    (examples.iter()).any(|one| one.engine == *engine && (one.fires > 0) == fires),
                    "{} has no {} example for {}",
                    entry.page.name,
                    if fires { "firing" } else { "clean" },
                    engine.as_str()
                );
            }
        }
    }
}

/// Names of the files in a folder of this package, without their extension.
fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).expect("the folder is there");
    let paths = files.map(|file| file.expect("the folder can be listed").path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|it| it == extension));
    wanted
        .filter(|path| {
            extension != "rs"
                || fs::read_to_string(path).is_ok_and(|text| text.contains("static RULE: Rule"))
        })
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().replace('_', "-")))
        .collect()
}

#[test]
fn pages_checks_and_the_table_agree() {
    let table: BTreeSet<String> = (rules::catalogue().iter())
        .map(|entry| entry.page.name.clone())
        .collect();
    assert_eq!(table.len(), rules::ALL.len(), "a name is used twice");
    assert_eq!(stems("rules", "md"), table);
    assert_eq!(stems("src/rules", "rs"), table);
}

#[test]
fn name_and_engines_are_told_without_reading_the_page() {
    for entry in rules::catalogue() {
        let page = &*entry.page;
        assert_eq!(entry.page.name(), page.name);
        for engine in [Engine::Haproxy, Engine::Nginx] {
            let judges = entry.page.judges(engine);
            assert_eq!(judges, page.engines.contains(&engine), "{}", page.name);
        }
    }
}
