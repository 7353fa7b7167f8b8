//! Addresses for people: what each physical server carries over all backends.

use std::collections::HashSet;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Document;
use super::text::{paragraph, safe};
use crate::model::AddressKind;
use crate::predict::{AddressShare, Addresses, HostShare, LeftOut, Reason};
use crate::report::Style;
use crate::report::shown::plain;
use crate::report::table::{Align, Table, bar, bar_width, percent};

/// Columns of a full bar.
const BAR: usize = 20;

/// Names in one sentence.
const NAMED: usize = 6;

/// The addresses that several lines lead to; all of them where a demand was given.
pub(super) fn write(document: &Document<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let section = Section::new(document);
    if !section.is_wanted() {
        return Ok(());
    }
    writeln!(out)?;
    paragraph(out, &section.heading(), 0, style)?;
    for line in section.table(style.columns()) {
        writeln!(out, "{line}")?;
    }
    let shared = section
        .rows
        .iter()
        .filter(|address| address.lines.len() > 1);
    for address in shared {
        paragraph(out, &section.sources(address), 2, style)?;
    }
    for host in &section.hosts {
        paragraph(out, &section.on_host(host), 2, style)?;
    }
    let left_out = &section.all.left_out;
    if !left_out.is_empty() {
        paragraph(out, &not_counted(left_out), 2, style)?;
    }
    Ok(())
}

/// One address a line, where a demand was given.
pub(super) fn write_lines(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    if !document.asked {
        return Ok(());
    }
    let section = Section::new(document);
    for address in &section.rows {
        let share = percent(address.share);
        writeln!(out, "address {} {share}", section.name(address))?;
    }
    Ok(())
}

/// What is shown of the addresses.
struct Section<'a> {
    document: &'a Document<'a>,
    all: &'a Addresses<'a>,
    rows: Vec<&'a AddressShare<'a>>,
    /// Other hosts with more than one address.
    hosts: Vec<&'a HostShare>,
    /// Texts that are an address of its own in several instances.
    doubled: HashSet<&'a str>,
}

impl<'a> Section<'a> {
    fn new(document: &'a Document<'a>) -> Self {
        let all = &document.addresses;
        let mut seen = HashSet::new();
        let addresses = all.addresses.iter();
        let again = addresses.filter(|address| !seen.insert(address.address.as_str()));
        let doubled = again.map(|address| address.address.as_str()).collect();
        let shown = |address: &&AddressShare<'_>| document.asked || address.lines.len() > 1;
        let several = |host: &&HostShare| host.addresses.len() > 1 && !host.local;
        Self {
            document,
            all,
            rows: all.addresses.iter().filter(shown).collect(),
            hosts: all.hosts.iter().filter(several).collect(),
            doubled,
        }
    }

    fn is_wanted(&self) -> bool {
        let shared = !self.rows.is_empty() || !self.hosts.is_empty();
        self.document.asked || (shared && !self.document.filtered)
    }

    fn heading(&self) -> String {
        let backends = count(self.all.demands.len(), "backend");
        if self.document.asked {
            return format!("addresses over {backends}, at the demand given");
        }
        let others = match self.all.addresses.len() - self.rows.len() {
            0 => String::new(),
            1 => "; 1 other address has one line".to_owned(),
            others => format!("; {others} other addresses have one line each"),
        };
        format!(
            "addresses with several lines, over {backends} at equal demand (--demand BACKEND=RATE \
             sets another){others}"
        )
    }

    fn table(&self, width: usize) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let right = Align::Right;
        let mut table = Table::new(&[Align::Left, right, right, right, Align::Left]);
        table.row(["address", "lines", "backends", "share", ""]);
        let shares = self.rows.iter().map(|address| address.share);
        let most = shares.fold(f64::MIN_POSITIVE, f64::max);
        let names = self.rows.iter().map(|address| self.name(address));
        let widest = names.map(|name| name.width()).max().unwrap_or(0);
        let bar_width = bar_width(BAR, width, 30 + widest);
        for address in &self.rows {
            table.row([
                self.name(address),
                address.lines.len().to_string(),
                address.backends().to_string(),
                percent(address.share),
                bar(address.share / most, None, bar_width),
            ]);
        }
        table.lines("  ", width)
    }

    /// The address, with its instance where another one has the same for another machine.
    fn name(&self, address: &AddressShare<'_>) -> String {
        let line = address.lines.first();
        let Some(demand) = line.and_then(|line| self.all.demands.get(line.demand)) else {
            return String::new();
        };
        let text = safe(&address.address, demand.instance.engine);
        if self.doubled.contains(address.address.as_str()) {
            format!("{text} of {}", plain(&demand.instance.name))
        } else {
            text
        }
    }

    /// `10.0.0.1:80 from web 33.3%, api 16.7% (2 lines)`.
    fn sources(&self, address: &AddressShare<'_>) -> String {
        let mut parts: Vec<(usize, usize, f64)> = Vec::new();
        for line in &address.lines {
            match parts.last_mut() {
                Some((demand, lines, share)) if *demand == line.demand => {
                    *lines += 1;
                    *share += line.share;
                }
                _ => parts.push((line.demand, 1, line.share)),
            }
        }
        let parts = parts.iter().filter_map(|(demand, lines, share)| {
            let demand = self.all.demands.get(*demand)?;
            let backend = safe(&demand.backend.name, demand.instance.engine);
            let lines = match lines {
                1 => String::new(),
                lines => format!(" ({lines} lines)"),
            };
            Some(format!("{backend} {}{lines}", percent(*share)))
        });
        let several = if address.kind == AddressKind::Name {
            "; a name can stand for several machines"
        } else {
            ""
        };
        format!("{} from {}{several}", self.name(address), listed(parts))
    }

    /// `host 10.0.0.1 takes 50.0%: 10.0.0.1:80 33.3%, 10.0.0.1:81 16.7%`.
    fn on_host(&self, host: &HostShare) -> String {
        let addresses = host.addresses.iter();
        let addresses = addresses.filter_map(|at| self.all.addresses.get(*at));
        let parts = addresses.map(|address| {
            let share = percent(address.share);
            format!("{} {share}", self.name(address))
        });
        let (name, share) = (plain(&host.host), percent(host.share));
        format!("host {name} takes {share}: {}", listed(parts))
    }
}

/// Which backends do not count, by reason.
fn not_counted(backends: &[LeftOut<'_>]) -> String {
    let groups = Reason::ALL.into_iter().filter_map(|reason| {
        let own = backends.iter().filter(|left| left.reason == reason);
        let names = own.map(|left| safe(&left.backend.name, left.instance.engine));
        let names = listed(names);
        (!names.is_empty()).then(|| format!("{names} ({})", words(reason)))
    });
    let groups: Vec<String> = groups.collect();
    format!("not counted: {}", groups.join("; "))
}

/// The reason in words.
fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::NoDemand => "no demand given",
        Reason::NoRoute => "no route leads there",
        Reason::OnlyDynamicRoutes => "only a name made while running can lead there",
        Reason::AnswersItself => "rules answer every request",
        Reason::NoUsableServer => "no usable server",
        Reason::Unknown => "shares cannot be told from the configuration",
    }
}

/// The first few of these, and how many more there are.
fn listed(mut parts: impl Iterator<Item = String>) -> String {
    let named: Vec<String> = parts.by_ref().take(NAMED).collect();
    match parts.count() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
