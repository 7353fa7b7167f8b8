//! The documented JSON of `check`, and the same findings one per line.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::locate::{Locator, Place};
use super::shown::{is_hidden, is_printable_ascii};
use super::view::View;
use super::{Report, Totals};
use crate::engine::template::Template;
use crate::rules::{self, Category};
use crate::source::{Position, Source};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    summary: Summary,
    templates: Vec<TemplateView<'a>>,
    findings: Vec<Entry<'a>>,
}

/// A file that was not audited.
#[derive(Serialize)]
struct TemplateView<'a> {
    file: &'a str,
    line: u32,
    included_by: Option<&'a str>,
}

#[derive(Serialize)]
struct Summary {
    instances: usize,
    files: usize,
    backends: usize,
    servers: usize,
    error: usize,
    warning: usize,
    info: usize,
    suppressed: usize,
    baselined: usize,
    fixed: usize,
    unchanged: usize,
    templates: usize,
}

/// A finding in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    rule: &'static str,
    category: Option<Category>,
    severity: &'static str,
    engine: &'static str,
    message: Cow<'a, str>,
    help: Cow<'a, str>,
    instance: Option<&'a str>,
    subject: Subject<'a>,
    location: Location,
    related: Vec<Related<'a>>,
    fingerprint: String,
}

#[derive(Serialize)]
struct Subject<'a> {
    listener: Option<Cow<'a, str>>,
    route: Option<Cow<'a, str>>,
    backend: Option<Cow<'a, str>>,
    server: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Related<'a> {
    message: Cow<'a, str>,
    location: Location,
}

/// A place in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Location {
    #[serde(serialize_with = "name")]
    file: Arc<Source>,
    start: Position,
    end: Position,
}

impl Location {
    /// The location of `place`.
    pub(crate) fn new(place: &Place, locator: &mut Locator<'_>) -> Self {
        Self {
            file: Arc::clone(&place.source),
            start: place.start,
            end: locator.end(place),
        }
    }
}

fn name<S: Serializer>(source: &Arc<Source>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(source.name())
}

/// Writes one document.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let Totals {
        files,
        backends,
        servers,
        errors,
        warnings,
        infos,
    } = report.totals();
    let document = Document {
        schema: "lbaudit/check/1",
        version: env!("CARGO_PKG_VERSION"),
        summary: Summary {
            instances: report.instances.len(),
            files,
            backends,
            servers,
            error: errors,
            warning: warnings,
            info: infos,
            suppressed: report.suppressed,
            baselined: report.baselined,
            fixed: report.fixed,
            unchanged: report.unchanged,
            templates: report.templates.len(),
        },
        templates: report.templates.iter().map(template).collect(),
        findings: entries(report),
    };
    write_document(&document, out)
}

fn template(template: &Template) -> TemplateView<'_> {
    TemplateView {
        file: &template.name,
        line: template.line,
        included_by: template.included_by.as_deref(),
    }
}

/// Writes one finding per line.
pub(crate) fn write_lines(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut entries = entries(report).into_iter();
    entries.try_for_each(|entry| write_line(&entry, out))
}

/// Writes any value as one line.
pub fn write_line<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    write_as(value, CompactFormatter, out)
}

/// Writes any value as an indented document with a line end.
pub fn write_document<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    write_as(value, PrettyFormatter::new(), out)
}

fn write_as<T: Serialize>(
    value: &T,
    formatter: impl Formatter,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    // A document is written in very small pieces.
    let mut out = io::BufWriter::new(out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Safe(formatter));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn entries<'a>(report: &'a Report<'_>) -> Vec<Entry<'a>> {
    let mut locator = Locator::new(report.sources);
    let fingerprints = report.fingerprints().into_owned();
    let findings = report.findings.iter().zip(fingerprints);
    let entry = |(finding, fingerprint)| {
        let view = View::new(finding, &mut locator);
        entry(
            view,
            report.instance_name(finding),
            fingerprint,
            &mut locator,
        )
    };
    findings.map(entry).collect()
}

/// Some of the findings, by their indices, each as in `check`.
pub(crate) fn chosen<'a>(
    report: &'a Report<'_>,
    indices: &[usize],
) -> Vec<impl Serialize + use<'a>> {
    let mut locator = Locator::new(report.sources);
    let fingerprints = report.fingerprints();
    let chosen = indices.iter().filter_map(|index| {
        let finding = report.findings.get(*index)?;
        let view = View::new(finding, &mut locator);
        let fingerprint = fingerprints.get(*index)?.clone();
        Some(entry(
            view,
            report.instance_name(finding),
            fingerprint,
            &mut locator,
        ))
    });
    chosen.collect()
}

fn entry<'a>(
    view: View<'a>,
    instance: Option<&'a str>,
    fingerprint: String,
    locator: &mut Locator<'_>,
) -> Entry<'a> {
    let finding = view.finding;
    let subject = &finding.subject;
    Entry {
        rule: finding.rule,
        category: rules::find(finding.rule).map(|entry| entry.page.category),
        severity: finding.severity.as_str(),
        engine: finding.engine.as_str(),
        instance,
        subject: Subject {
            listener: view.name(subject.listener.as_ref()),
            route: view.name(subject.route.as_ref()),
            backend: view.name(subject.backend.as_ref()),
            server: view.name(subject.server.as_ref()),
        },
        location: Location::new(&view.place, locator),
        related: (view.related.into_iter())
            .map(|(place, message)| Related {
                location: Location::new(&place, locator),
                message,
            })
            .collect(),
        message: view.message,
        help: view.help,
        fingerprint,
    }
}

/// A formatter that also escapes what JSON would let through and a terminal would act on: C1
/// controls, DEL, bidirectional and zero-width characters.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        if is_printable_ascii(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hidden) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            let mut chars = after.chars();
            if let Some(hidden) = chars.next() {
                for unit in hidden.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}
