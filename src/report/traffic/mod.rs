//! Where the traffic goes: the output of `shares`.
//!
//! In: backends with their predictions. Out: a table with bars, or JSON.

mod addresses;
mod json;
mod text;

use std::io::{self, Write};

use super::{Format, Style};
use crate::model::{Backend, Engine, Server};
use crate::predict::{Addresses, Failure, Prediction, Tier, ratio};

/// Everything that `shares` shows.
#[derive(Debug)]
pub struct Document<'a> {
    /// The backends.
    pub rows: Vec<Traffic<'a>>,
    /// What the addresses of all backends carry, whichever backends are shown.
    pub addresses: Addresses<'a>,
    /// Whether a demand was given, so that all addresses are shown and not just the shared ones.
    pub asked: bool,
    /// Whether only some backends or failures were asked for.
    pub filtered: bool,
}

/// One backend, its traffic now and without some servers.
#[derive(Debug)]
pub struct Traffic<'a> {
    /// What its instance is called.
    pub instance: &'a str,
    /// Its engine.
    pub engine: Engine,
    /// The backend.
    pub backend: &'a Backend,
    /// Its traffic while every server is up; `None` where that is not known.
    pub now: Option<Prediction>,
    /// The failures to show.
    pub failures: Vec<Failure>,
    /// Whether they are only the worst of all single failures.
    pub worst_only: bool,
    /// Whether single failures are asked for and there are too many servers to try them.
    pub untried: bool,
    /// Whether the failures are averages over keys of all lengths, and those of one length differ.
    pub any_length: bool,
}

/// Writes the traffic of every backend, and of every address.
pub fn write(
    document: &Document<'_>,
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => {
            text::write(&document.rows, style, out)?;
            addresses::write(document, style, out)
        }
        Format::Concise => {
            text::write_lines(&document.rows, out)?;
            addresses::write_lines(document, out)
        }
        Format::Json => json::write(document, out),
        Format::Jsonl => json::write_lines(document, out),
    }
}

impl Traffic<'_> {
    /// The tier that a server stands in: `active`, `backup`, or `none` when it is out.
    fn tier(&self, server: &Server) -> &'static str {
        let usable = server.is_usable() || (self.engine == Engine::Nginx && !server.disabled.value);
        match (usable, server.is_primary()) {
            (false, _) => "none",
            (true, true) => "active",
            (true, false) => "backup",
        }
    }

    /// The share that every server of the serving tier would get if all got the same, 0 for others.
    fn fair(&self, server: &Server) -> f64 {
        let serving = match self.now.as_ref().map(|now| now.tier) {
            Some(Tier::Active) => "active",
            Some(Tier::Backup) => "backup",
            Some(Tier::None) | None => return 0.0,
        };
        if self.tier(server) != serving {
            return 0.0;
        }
        let servers = self.backend.servers.iter();
        let count = servers
            .filter(|server| self.tier(server) == serving)
            .count();
        1.0 / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
    }

    /// The servers with their shares now.
    fn shares(&self) -> impl Iterator<Item = (&Server, Option<f64>)> {
        let shares = self.now.as_ref().map(|now| &now.shares);
        self.backend
            .servers
            .iter()
            .enumerate()
            .map(move |(index, server)| {
                let share = shares.and_then(|shares| shares.get(index));
                (server, share.map(|share| ratio(*share)))
            })
    }
}
