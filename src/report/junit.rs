//! `JUnit` XML: one test suite per instance, one test case per finding. Infos pass, with their text as
//! output; what could not be audited is an error.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Report;
use super::locate::Locator;
use super::relative::Paths;
use super::shown::plain;
use super::text::template_words;
use super::view::View;
use crate::engine::template::Template;
use crate::error::Error;
use crate::finding::{Finding, Severity};

type Out<'o> = Writer<&'o mut dyn io::Write>;

/// Writes the document.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites = suites(report);
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut total = Counts::default();
    for suite in &suites {
        total.add(&suite.counts());
    }
    total.errors = report.errors.len();
    let skipped: Vec<&Template> = report.skipped_templates().collect();
    total.tests += total.errors + skipped.len();
    let mut locator = Locator::new(report.sources);
    let paths = Paths::here();
    let [tests, failures, errors] = total.texts();
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", "lbaudit"),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
        ])
        .write_inner_content(|writer| {
            for suite in &mut suites {
                write_suite(suite, writer, &mut locator, &paths)?;
            }
            write_unaudited(report.errors, &skipped, writer)
        })?;
    writer.into_inner().write_all(b"\n")
}

/// One instance with its findings.
struct Suite<'a> {
    name: &'a str,
    findings: Vec<&'a Finding>,
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
    }

    fn texts(&self) -> [String; 3] {
        [self.tests, self.failures, self.errors].map(|count| count.to_string())
    }
}

impl Suite<'_> {
    fn counts(&self) -> Counts {
        let failures = self.findings.iter().filter(|finding| fails(finding));
        Counts {
            tests: self.findings.len().max(1),
            failures: failures.count(),
            errors: 0,
        }
    }
}

fn fails(finding: &Finding) -> bool {
    finding.severity > Severity::Info
}

fn suites<'a>(report: &'a Report<'_>) -> Vec<Suite<'a>> {
    let mut suites: Vec<Suite<'a>> = (report.instances.iter())
        .map(|instance| Suite {
            name: &instance.name,
            findings: Vec::new(),
        })
        .collect();
    for finding in report.findings {
        if let Some(suite) = suites.get_mut(finding.instance) {
            suite.findings.push(finding);
        }
    }
    suites
}

fn write_suite(
    suite: &Suite<'_>,
    writer: &mut Out<'_>,
    locator: &mut Locator<'_>,
    paths: &Paths,
) -> io::Result<()> {
    let [tests, failures, errors] = suite.counts().texts();
    let name = xml(suite.name);
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", name.as_str()),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
        ])
        .write_inner_content(|writer| {
            if suite.findings.is_empty() {
                // Many readers take a report without any test for a broken one.
                let case = writer.create_element("testcase");
                case.with_attributes([("name", "no findings"), ("classname", &name)])
                    .write_empty()?;
            }
            for finding in &suite.findings {
                write_case(&View::new(finding, locator), writer, locator, paths)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_case(
    view: &View<'_>,
    writer: &mut Out<'_>,
    locator: &mut Locator<'_>,
    paths: &Paths,
) -> io::Result<()> {
    let finding = view.finding;
    let file = xml(&paths.relative(view.place.source.name()));
    let place = format!(
        "{file}:{}:{}",
        view.place.start.line, view.place.start.column
    );
    let message = xml(&view.message);
    let text = format!("{place}: {message}\nhelp: {}\n", xml(&view.help));
    let name = case_name(view, locator);
    writer
        .create_element("testcase")
        .with_attributes([
            ("name", name.as_str()),
            ("classname", &file),
            ("file", &file),
        ])
        .write_inner_content(|writer| {
            let text = BytesText::new(&text);
            if fails(finding) {
                let failure = writer.create_element("failure");
                failure
                    .with_attributes([
                        ("message", message.as_str()),
                        ("type", finding.severity.as_str()),
                    ])
                    .write_text_content(text)?;
            } else {
                let output = writer.create_element("system-out");
                output.write_text_content(text)?;
            }
            Ok(())
        })?;
    Ok(())
}

/// Rule and object: a name that survives moved lines, by which readers tell new failures from old.
fn case_name(view: &View<'_>, locator: &mut Locator<'_>) -> String {
    let subject = &view.finding.subject;
    let words = [
        ("listener", &subject.listener),
        ("route", &subject.route),
        (view.finding.engine.backend_word(), &subject.backend),
        ("server", &subject.server),
    ];
    let named = words.into_iter().filter_map(|(word, name)| {
        let name = view.name(name.as_ref())?;
        Some(format!("{word} {name}"))
    });
    let mut named: Vec<String> = named.collect();
    if named.is_empty() {
        let line = locator.line(&view.place, view.finding.engine);
        named.push(line.shown().text.trim().chars().take(80).collect());
    }
    xml(&format!("{}: {}", view.finding.rule, named.join(", ")))
}

/// What could not be audited, and templates that were passed over.
fn write_unaudited(
    errors: &[Error],
    skipped: &[&Template],
    writer: &mut Out<'_>,
) -> io::Result<()> {
    if errors.is_empty() && skipped.is_empty() {
        return Ok(());
    }
    let tests = (errors.len() + skipped.len()).to_string();
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", "not audited"),
            ("tests", tests.as_str()),
            ("failures", "0"),
            ("errors", &errors.len().to_string()),
            ("skipped", &skipped.len().to_string()),
        ])
        .write_inner_content(|writer| {
            for error in errors {
                write_unaudited_case(&xml(&error.to_string()), "error", writer)?;
            }
            for template in skipped {
                write_unaudited_case(&xml(&template_words(template)), "skipped", writer)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_unaudited_case(message: &str, result: &str, writer: &mut Out<'_>) -> io::Result<()> {
    let case = writer.create_element("testcase");
    case.with_attributes([("name", message), ("classname", "lbaudit")])
        .write_inner_content(|writer| {
            let result = writer.create_element(result);
            result.with_attribute(("message", message)).write_empty()?;
            Ok(())
        })?;
    Ok(())
}

/// Text without control characters and without the two others that XML 1.0 has no way to write.
fn xml(text: &str) -> String {
    plain(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
