//! The report formats, on hand-made findings.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use lbaudit::finding::{Finding, ServerShare, Severity};
use lbaudit::report::{Format, InstanceSummary, Report, Style, check};
use lbaudit::source::{SourceId, Sources, Span};

const CONFIG: &str = "\
defaults
    mode http
    timeout connect 5s

userlist ops
    user alice password $6$saltsalt$hashhashhash

backend web
    balance roundrobin
    default-server check inter 2s
    server app1 10.0.0.1:8080 weight 100
    server app2 10.0.0.2:8080
    server app3 10.0.0.3:8080 weight 1 check inter 2s fall 3 rise 2 maxconn 1000 on-marked-down shutdown-sessions cookie app3
";

/// The span of the only occurrence of `text`.
fn span(id: SourceId, source: &str, text: &str) -> Span {
    let start = source.find(text).unwrap();
    let end = start + text.len();
    Span::new(
        id,
        u32::try_from(start).unwrap(),
        u32::try_from(end).unwrap(),
    )
}

fn share(server: &str, weight: u32, share: f64) -> ServerShare {
    ServerShare {
        server: server.into(),
        weight,
        share,
    }
}

/// A finding with marks and a table, one far away, one in another file, one about a secret.
fn findings(sources: &Sources) -> Vec<Finding> {
    let (id, _) = sources.add("haproxy.cfg", CONFIG.into(), None);
    let other = "backend api\n    server a 10.0.0.1:8080\n";
    let (second, _) = sources.add("conf.d/api.cfg", other.into(), None);
    let web = "web".into();
    vec![
        Finding::new(
            Severity::Error,
            span(id, CONFIG, "weight 100"),
            "server `app1` gets 98.0% of backend `web` (weight 100 beside 1 and 1); equal would be 33.3%",
            "give all servers of `web` the same weight, or say in a comment why they differ",
        )
        .of_rule("unbalanced-weights")
        .backend(&web)
        .server(&"app1".into())
        .label("weight 100 here")
        .related("weight 1 here", span(id, CONFIG, "weight 1 check").at_start())
        .shares(vec![share("app1", 100, 0.98), share("app2", 1, 0.01), share("app3", 1, 0.01)]),
        Finding::new(
            Severity::Warning,
            span(id, CONFIG, "10.0.0.1:8080"),
            "`10.0.0.1:8080` serves backend `web` and backend `api`",
            "check that its weight counts both",
        )
        .of_rule("shared-server")
        .backend(&web)
        .related("the same address", span(second, other, "10.0.0.1:8080")),
        Finding::new(
            Severity::Info,
            span(id, CONFIG, "alice"),
            "user `alice` has the password `$6$saltsalt$hashhashhash`",
            "use another one",
        )
        .of_rule("shared-server"),
    ]
}

fn rendered(format: Format, style: Style) -> String {
    rendered_times(1, format, style)
}

/// The report of each finding `times` over.
fn rendered_times(times: usize, format: Format, style: Style) -> String {
    let sources = Sources::default();
    let findings: Vec<Finding> = (findings(&sources).into_iter())
        .flat_map(|finding| std::iter::repeat_n(finding, times))
        .collect();
    let instances = vec![InstanceSummary {
        name: "haproxy.cfg".into(),
        files: 2,
        backends: 2,
        servers: 4,
    }];
    let report = Report {
        sources: &sources,
        instances,
        findings: &findings,
        fingerprints: None,
        suppressed: 0,
        silenced: &[],
        baselined: 3,
        fixed: 0,
        unchanged: 0,
        templates: &[],
        skipped: &[],
        errors: &[],
    };
    let mut out = Vec::new();
    check::write(&report, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const NARROW: Style = Style {
    color: false,
    width: 80,
    verbose: false,
};

#[test]
fn text_fits_eighty_columns() {
    let text = rendered(Format::Text, NARROW);
    insta::assert_snapshot!(text);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
}

#[test]
fn of_a_rule_that_fires_hundreds_of_times_text_counts_the_last() {
    let message = "98.0% of backend `web`";
    let text = rendered_times(230, Format::Text, NARROW);
    assert_eq!(text.matches("= help: give all servers").count(), 20);
    assert_eq!(text.matches(": error[unbalanced-weights] ").count(), 180);
    assert!(text.contains("30 more of unbalanced-weights are not shown"));
    let verbose = Style {
        verbose: true,
        ..NARROW
    };
    let text = rendered_times(230, Format::Text, verbose);
    assert_eq!(text.matches("= help: give all servers").count(), 230);
    assert!(!text.contains("not shown"));
    let lines = rendered_times(230, Format::Concise, NARROW);
    assert_eq!(lines.matches(message).count(), 230);
}

#[test]
fn text_in_colour_differs_in_colour_only() {
    let style = Style {
        color: true,
        ..NARROW
    };
    let text = rendered(Format::Text, style);
    insta::assert_snapshot!(text.replace('\u{1b}', "^["));
    assert_eq!(
        anstream::adapter::strip_str(&text).to_string(),
        rendered(Format::Text, NARROW)
    );
}

#[test]
fn concise_is_one_line_per_finding() {
    insta::assert_snapshot!(rendered(Format::Concise, NARROW));
}

#[test]
fn json_is_the_documented_document() {
    insta::assert_snapshot!(rendered(Format::Json, NARROW));
}

#[test]
fn jsonl_holds_the_findings_of_json() {
    let whole: serde_json::Value = serde_json::from_str(&rendered(Format::Json, NARROW)).unwrap();
    let lines = rendered(Format::Jsonl, NARROW);
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(whole["findings"], serde_json::Value::Array(lines));
}
