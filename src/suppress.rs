//! Inline suppressions: `# lbaudit: ignore[rule] reason words [until=YYYY-MM-DD]`.
//!
//! In: findings and the comments of the files they are in. Out: the findings that are left, how
//! many were suppressed, and findings about suppressions without a reason, out of date or of no
//! use. A suppression covers its own line; on a line of its own the next line that is no comment;
//! and above a section or block header the whole section.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use memchr::memmem;

use crate::audit::Audit;
use crate::finding::{Finding, Severity};
use crate::model::Instance;
use crate::rules::{self, Notes};
use crate::source::{Source, SourceId, Span};

/// Findings after suppression.
#[derive(Debug, Default)]
pub struct Suppressed {
    /// What is reported.
    pub kept: Vec<Finding>,
    /// What a comment silenced.
    pub suppressed: Vec<Silenced>,
}

/// A finding that a comment silences.
#[derive(Clone, Debug)]
pub struct Silenced {
    /// The finding.
    pub finding: Finding,
    /// Why it is acceptable; empty where the comment does not say.
    pub reason: String,
}

/// Applies the suppressions in the files of `audit` to `findings`.
pub fn apply(audit: &Audit, findings: Vec<Finding>, today: Date) -> Suppressed {
    let mut ignores = Ignores::collect(audit, today);
    let mut result = Suppressed::default();
    if ignores.by_source.is_empty() {
        result.kept = findings;
        return result;
    }
    for finding in findings {
        match ignores.cover(&finding) {
            Some(reason) => result.suppressed.push(Silenced { finding, reason }),
            None => result.kept.push(finding),
        }
    }
    result.kept.extend(ignores.faults());
    rules::sort(&mut result.kept, &audit.sources);
    result
}

/// One `ignore[…]` comment.
#[derive(Debug)]
struct Ignore {
    instance: usize,
    /// From the mark to the end of the line.
    span: Span,
    rules: Vec<String>,
    /// The offsets whose findings it silences.
    covers: Range<u32>,
    /// Its words without the date.
    reason: String,
    expired: bool,
    /// What stands behind `until=` and is no date.
    not_a_date: Option<String>,
    used: bool,
}

#[derive(Debug, Default)]
struct Ignores {
    by_source: BTreeMap<SourceId, Vec<Ignore>>,
}

const MARK: &str = "lbaudit:";

impl Ignores {
    fn collect(audit: &Audit, today: Date) -> Self {
        let mut ignores = Self::default();
        for (index, audited) in audit.instances.iter().enumerate() {
            let Some(main) = audited.main() else { continue };
            for &file in &main.files {
                let source = audit.sources.get(file);
                let found = in_source(&source, file, main, index, today);
                if !found.is_empty() {
                    ignores.by_source.insert(file, found);
                }
            }
        }
        ignores
    }

    /// The reason of the first ignore that silences `finding`; each that does is of use.
    fn cover(&mut self, finding: &Finding) -> Option<String> {
        let ignores = self.by_source.get_mut(&finding.span.source)?;
        let at = finding.span.start;
        let covering = ignores.iter_mut().filter(|ignore| {
            !ignore.expired
                && ignore.covers.contains(&at)
                && ignore.rules.iter().any(|rule| rule == finding.rule)
        });
        let mut reason = None;
        for ignore in covering {
            ignore.used = true;
            reason.get_or_insert_with(|| ignore.reason.clone());
        }
        reason
    }

    fn faults(self) -> impl Iterator<Item = Finding> {
        self.by_source.into_values().flatten().filter_map(|ignore| {
            let mut finding = ignore.fault()?;
            finding.instance = ignore.instance;
            Some(finding)
        })
    }
}

impl Ignore {
    /// What is wrong with it, if anything.
    fn fault(&self) -> Option<Finding> {
        let rules = self.rules.join(", ");
        if self.rules.is_empty() {
            let message = "the suppression names no rule in brackets: it silences nothing";
            let help = "write `# lbaudit: ignore[RULE] reason`";
            return Some(
                Finding::new(Severity::Info, self.span, message, help).of_rule("unused-ignore"),
            );
        }
        if let Some(word) = &self.not_a_date {
            let message = format!(
                "the suppression of `{rules}` holds until `{word}`, which is no date: it does not apply"
            );
            let help = "write the date as `until=YYYY-MM-DD`";
            return Some(
                Finding::new(Severity::Warning, self.span, message, help).of_rule("expired-ignore"),
            );
        }
        if self.expired {
            let message = format!("the suppression of `{rules}` has expired and no longer applies");
            let help = "fix the cause, or give a new date with a reason";
            return Some(
                Finding::new(Severity::Warning, self.span, message, help).of_rule("expired-ignore"),
            );
        }
        if let Some(unknown) = self.rules.iter().find(|rule| rules::find(rule).is_none()) {
            let message = format!("the suppression names `{unknown}`, which is no rule");
            let help = rules::did_you_mean(unknown);
            return Some(
                Finding::new(Severity::Info, self.span, message, help).of_rule("unused-ignore"),
            );
        }
        if !self.used {
            let message = format!("the suppression of `{rules}` silences nothing");
            let help = "remove the comment";
            return Some(
                Finding::new(Severity::Info, self.span, message, help).of_rule("unused-ignore"),
            );
        }
        let message = format!("the suppression of `{rules}` gives no reason");
        let help = "say behind the bracket why the finding is acceptable";
        self.reason.is_empty().then(|| {
            Finding::new(Severity::Warning, self.span, message, help)
                .of_rule("ignore-without-reason")
        })
    }
}

fn in_source(
    source: &Source,
    file: SourceId,
    instance: &Instance,
    index: usize,
    today: Date,
) -> Vec<Ignore> {
    let marks = memmem::find_iter(source.bytes(), MARK);
    marks
        .filter_map(|at| parse(source, file, at, instance, index, today))
        .collect()
}

/// The ignore whose mark stands at offset `at`.
fn parse(
    source: &Source,
    file: SourceId,
    at: usize,
    instance: &Instance,
    index: usize,
    today: Date,
) -> Option<Ignore> {
    let at = u32::try_from(at).ok()?;
    let line = source.position(at).line;
    let (start, text) = source.line(line)?;
    let column = (at - start) as usize;
    let before = text.get(..column)?;
    let code = before.get(..before.iter().rposition(|&byte| byte == b'#')?)?;
    let comment = String::from_utf8_lossy(text.get(column + MARK.len()..)?);
    let (names, reason) = names_and_reason(&comment)?;
    let own_line = code.iter().all(u8::is_ascii_whitespace);
    let target = if own_line {
        next_code_line(source, line + 1)
    } else {
        Some(line)
    };
    // Behind the last line there is nothing to silence.
    let covers = target.and_then(|line| covered(source, file, line, own_line, instance));
    let notes = Notes::new(reason);
    let until = notes.value("until").map(ToOwned::to_owned);
    let not_a_date = until.filter(|_| notes.date("until").is_none());
    let words = reason.split_whitespace();
    let words: Vec<&str> = words.filter(|word| !word.starts_with("until=")).collect();
    Some(Ignore {
        instance: index,
        span: Span::new(file, at, start + u32::try_from(text.len()).ok()?),
        rules: names
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
        covers: covers.unwrap_or_default(),
        reason: words.join(" "),
        expired: not_a_date.is_some() || notes.expired(today),
        not_a_date,
        used: false,
    })
}

/// What stands in the brackets of an ignore and behind them. Without brackets it names nothing.
fn names_and_reason(comment: &str) -> Option<(&str, &str)> {
    let rest = comment.trim_start().strip_prefix("ignore")?;
    if rest.starts_with(|c: char| c.is_alphanumeric()) {
        // Prose: `ignored by the old tool`.
        return None;
    }
    let brackets = rest.trim_start().strip_prefix('[');
    Some(
        brackets
            .and_then(|inside| inside.split_once(']'))
            .unwrap_or_default(),
    )
}

/// The first line from `line` on that is neither blank nor a comment.
fn next_code_line(source: &Source, mut line: u32) -> Option<u32> {
    loop {
        let (_, text) = source.line(line)?;
        let text = text.trim_ascii_start();
        if !text.is_empty() && !text.starts_with(b"#") {
            return Some(line);
        }
        line += 1;
    }
}

/// The offsets that an ignore on or above `line` covers: the line, or the section it opens.
fn covered(
    source: &Source,
    file: SourceId,
    line: u32,
    own_line: bool,
    instance: &Instance,
) -> Option<Range<u32>> {
    let (start, text) = source.line(line)?;
    let within = start..start + u32::try_from(text.len()).ok()? + 1;
    if !own_line {
        return Some(within);
    }
    let backends = instance.backends.iter().map(|backend| backend.body);
    let bodies = backends.chain(instance.listeners.iter().map(|listener| listener.body));
    let opened = bodies.filter(|body| body.source == file && within.contains(&body.start));
    Some(opened.fold(within.clone(), |range, body| {
        range.start..range.end.max(body.end)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Backend, Engine, Layer, Version};
    use crate::source::Sources;
    use jiff::civil::date;

    fn ignores(text: &str) -> Vec<(Range<u32>, bool, bool)> {
        let sources = Sources::default();
        let (file, source) = sources.add("x", text.as_bytes().to_vec(), None);
        let mut instance = Instance::new(Engine::Haproxy, Version::HAPROXY_DEFAULT, "x".into());
        if let Some(at) = text.find("backend") {
            let at = u32::try_from(at).unwrap();
            let mut backend = Backend::new("b".into(), Layer::Http, Span::new(file, at, at + 9));
            backend.body = Span::new(file, at, u32::try_from(text.len()).unwrap());
            instance.backends.push(backend);
        }
        in_source(&source, file, &instance, 0, date(2026, 11, 22))
            .into_iter()
            .map(|ignore| (ignore.covers, !ignore.reason.is_empty(), ignore.expired))
            .collect()
    }

    #[test]
    fn a_trailing_ignore_covers_its_line() {
        assert_eq!(
            ignores("a # lbaudit: ignore[x] because\nb\n"),
            [(0..31, true, false)]
        );
    }

    #[test]
    fn an_ignore_on_its_own_line_covers_the_next_line_of_code() {
        assert_eq!(
            ignores("# lbaudit: ignore[x]\n# more\n\nb c\nd\n"),
            [(29..33, false, false)]
        );
    }

    #[test]
    fn an_ignore_above_a_section_covers_the_section() {
        let text = "# lbaudit: ignore[x] y until=2026-11-21\nbackend b\n server s 1:1\n";
        assert_eq!(ignores(text), [(40..64, true, true)]);
    }

    #[test]
    fn a_date_that_is_none_does_not_last_for_ever() {
        let text = "a # lbaudit: ignore[x] why until=2026-13-01\n";
        assert_eq!(ignores(text), [(0..44, true, true)]);
    }

    #[test]
    fn text_that_is_no_comment_is_no_ignore() {
        assert_eq!(ignores("log lbaudit: ignore[x]\n"), []);
    }
}
