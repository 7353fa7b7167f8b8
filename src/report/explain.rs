//! The page of a rule for a terminal: its facts, then its Markdown with headings, lists and code set
//! apart and prose wrapped.

use std::fmt::Write as _;
use std::io;

use anstyle::Style as Ansi;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::Style;
use super::catalogue::engines;
use super::wrap::wrapped;
use crate::rules::Page;

const BOLD: Ansi = Ansi::new().bold();
/// Prose is hard to read on longer lines.
const WIDEST: usize = 100;

/// Writes the page.
pub fn write(page: &Page, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut printer = Printer::new(style);
    printer.heading(&page.name);
    printer.paragraph(&page.summary);
    let facts = [
        ("severity", page.severity.as_str()),
        ("category", page.category.as_str()),
        ("engines", &engines(&page.engines)),
        ("since", &page.since),
    ];
    printer.blank();
    for (name, value) in facts {
        let _ = writeln!(printer.text, "{name:10}{value}");
    }
    for event in Parser::new(&page.body) {
        printer.event(event);
    }
    out.write_all(printer.text.as_bytes())
}

/// A blank that is no place to break a line.
const GLUE: &str = "\u{a0}";

/// Turns Markdown events into text.
struct Printer {
    style: Style,
    text: String,
    /// The block that is being read.
    block: String,
    /// The number of the next item of each list around; `None` for one without numbers.
    lists: Vec<Option<u64>>,
    /// What stands before the next block: the mark of a list item.
    mark: String,
}

impl Printer {
    fn new(style: Style) -> Self {
        Self {
            style,
            text: String::new(),
            block: String::new(),
            lists: Vec::new(),
            mark: String::new(),
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text)
            | Event::InlineHtml(text)
            | Event::Html(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.block.push_str(&text),
            // Code is not broken at its blanks: `wrap` puts them back.
            Event::Code(code) => self.block.extend(["`", &code.replace(' ', GLUE), "`"]),
            Event::SoftBreak | Event::HardBreak => self.block.push(' '),
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the many other tags of Markdown need nothing done"
    )]
    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::List(first) => {
                self.flush();
                self.blank();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.blank();
                if let CodeBlockKind::Fenced(info) = kind {
                    self.example(&info);
                }
            }
            _ => {}
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the many other tags of Markdown need nothing done"
    )]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let heading = std::mem::take(&mut self.block);
                self.blank();
                self.heading(&heading);
            }
            TagEnd::Paragraph if self.lists.is_empty() => {
                let paragraph = std::mem::take(&mut self.block);
                self.paragraph(&paragraph);
            }
            TagEnd::Paragraph | TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                let code = std::mem::take(&mut self.block);
                for line in code.lines() {
                    let indent = if line.is_empty() { "" } else { "    " };
                    self.text.extend([indent, line, "\n"]);
                }
            }
            _ => {}
        }
    }

    /// Writes what was read of a list item.
    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        let mark = std::mem::take(&mut self.mark);
        if block.is_empty() {
            return;
        }
        let indent = 2 * self.lists.len().saturating_sub(1);
        let hanging = indent + mark.len().max(2);
        let block = self.wrap(&block, hanging);
        let _ = write!(self.text, "{:indent$}{mark}", "");
        self.text
            .push_str(&block.replace('\n', &format!("\n{:hanging$}", "")));
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        if self.style.color {
            let _ = writeln!(self.text, "{BOLD}{heading}{BOLD:#}");
        } else {
            self.text.extend([heading, "\n"]);
        }
    }

    fn paragraph(&mut self, paragraph: &str) {
        self.blank();
        let lines = self.wrap(paragraph, 0);
        self.text.extend([&lines, "\n"]);
    }

    /// Says what an example shows: its fence is `haproxy fires=1`, `nginx fires=2 info` or
    /// `nginx clean`.
    fn example(&mut self, info: &str) {
        let Some((engine, shows)) = info.split_once(' ') else {
            return;
        };
        let shows = match shows.strip_prefix("fires=") {
            None => "no finding".to_owned(),
            Some(found) => {
                let (count, severity) = found.split_once(' ').unwrap_or((found, "finding"));
                let plural = if count == "1" { "" } else { "s" };
                format!("{count} {severity}{plural}")
            }
        };
        let _ = write!(self.text, "{engine}, {shows}:\n\n");
    }

    fn wrap(&self, text: &str, hanging: usize) -> String {
        wrapped(text, self.style.columns().min(WIDEST), hanging).replace(GLUE, " ")
    }

    /// An empty line, unless there is one.
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}
