//! `lbaudit pick`: which servers would the proxy choose?

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::shares::unknown;
use super::story::Step;
use super::{Outcome, Run, finish, input, written};
use crate::audit::Audit;
use crate::cli::{PickArgs, RequestArgs};
use crate::error::Error;
use crate::model::{Backend, Instance};
use crate::predict::{Extractor, OwnedKey, Picker, Request, Unpredictable};
use crate::report::picks::{self, Pick, Picks};

pub(super) fn run(args: &PickArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let mut audit = input::read(&args.input, &input::settings(run.global)?)?;
    input::resolve(&mut audit, &args.names)?;
    let (instance, backend) = find(&audit, &args.backend)?;
    let picks = Picks {
        engine: instance.engine,
        backend,
        picks: replay(instance, backend, args)?,
        counts_only: run.global.quiet,
    };
    written(picks::write(&picks, run.format()?, run.style, run.out))?;
    Ok(finish(audit, 0))
}

fn find<'a>(audit: &'a Audit, name: &str) -> Result<(&'a Instance, &'a Backend), Error> {
    let instances = audit.instances.iter().filter_map(|audited| audited.main());
    let all = instances.flat_map(|instance| {
        let backends = instance.backends.iter();
        backends.map(move |backend| (instance, backend))
    });
    let mut named = all.clone().filter(|(_, backend)| backend.name == name);
    match (named.next(), named.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(Error::Usage(format!(
            "there is more than one backend `{name}`; name the file that is meant"
        ))),
        (None, _) => Err(unknown(
            "backend",
            name,
            all.map(|(_, backend)| backend.name.as_str()),
        )),
    }
}

/// All picks are kept until they are shown: this many take less than a gigabyte.
const MOST_PICKS: usize = 20_000_000;

/// A backend at work, and what it has picked.
struct Replay<'a> {
    backend: &'a Backend,
    extractor: Extractor,
    picker: Picker<'a>,
    /// Requests that are open, with their servers.
    open: BTreeMap<String, Option<usize>>,
    picks: Vec<Pick>,
}

fn replay(instance: &Instance, backend: &Backend, args: &PickArgs) -> Result<Vec<Pick>, Error> {
    let refused = |fault: &dyn std::error::Error| Error::Usage(fault.to_string());
    let (engine, version) = (instance.engine, instance.version);
    let mut replay = Replay {
        backend,
        extractor: Extractor::new(backend, version).map_err(|fault| refused(&fault))?,
        picker: Picker::new(engine, version, backend).map_err(|fault| refused(&fault))?,
        open: BTreeMap::new(),
        picks: Vec::new(),
    };
    if let Some(next) = instance.next_upstream(backend) {
        replay.picker.set_next_upstream(next);
    }
    for name in &args.down {
        replay.each(name, Picker::lose)?;
    }
    replay.play(&args.requests)?;
    Ok(replay.picks)
}

impl<'a> Replay<'a> {
    fn play(&mut self, requests: &RequestArgs) -> Result<(), Error> {
        if let Some(count) = requests.requests {
            return self.request(&Request::default(), count);
        }
        for key in &requests.key {
            self.key(key)?;
        }
        if let Some(path) = &requests.keys {
            for key in read(path)?.lines() {
                self.key(key)?;
            }
        }
        if let Some(path) = &requests.events {
            for (number, line) in read(path)?.lines().enumerate() {
                if line.trim().is_empty() {
                    continue;
                }
                let step = Step::parse(line).and_then(|step| self.step(step));
                step.map_err(|fault| {
                    Error::Usage(format!("{}:{}: {fault}", path.display(), number + 1))
                })?;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Request(request, repeat) => self.request(&request, repeat),
            Step::Open(request, name) => self.open(&request, name),
            Step::Close(name) => self.close(&name),
            Step::Wait(time) => {
                self.picker.wait(time);
                Ok(())
            }
            Step::Down(name) => self.each(&name, Picker::lose),
            Step::Up(name) => self.each(&name, Picker::regain),
            Step::Weight(name, change) => {
                self.each(&name, |picker, server| picker.set_weight(server, change))
            }
        }
    }

    /// Does something to every server of a name: in nginx several lines may have one address.
    fn each(
        &mut self,
        name: &str,
        act: impl Fn(&mut Picker<'a>, usize) -> Result<(), Unpredictable>,
    ) -> Result<(), Error> {
        let servers = self.backend.servers.iter();
        let names = servers.map(|server| server.name.as_str());
        let lines = names.clone().enumerate();
        let lines: Vec<usize> = (lines.filter(|(_, other)| *other == name))
            .map(|(index, _)| index)
            .collect();
        if lines.is_empty() {
            return Err(unknown("server", name, names));
        }
        for server in lines {
            let done = act(&mut self.picker, server);
            done.map_err(|fault| Error::Usage(fault.to_string()))?;
        }
        Ok(())
    }

    fn open(&mut self, request: &Request, name: String) -> Result<(), Error> {
        let fault = |fault: &dyn std::error::Error| Error::Usage(fault.to_string());
        self.picker.can_hold().map_err(|held| fault(&held))?;
        if self.open.contains_key(&name) {
            return Err(Error::Usage(format!("request `{name}` is open already")));
        }
        let key = self.extractor.key(request).map_err(|key| fault(&key))?;
        let server = self.picker.open(key.borrow());
        self.open.insert(name, server);
        self.picks.push(Pick {
            key: shown(&key),
            server,
        });
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Error> {
        let server = self.open.remove(name);
        let server = server
            .ok_or_else(|| unknown("open request", name, self.open.keys().map(String::as_str)))?;
        if let Some(server) = server {
            self.picker.close(server);
        }
        Ok(())
    }

    fn request(&mut self, request: &Request, repeat: u64) -> Result<(), Error> {
        let room = MOST_PICKS.saturating_sub(self.picks.len());
        if repeat > room as u64 {
            let fault = format!("more than {MOST_PICKS} requests are not replayed in one go");
            return Err(Error::Usage(fault));
        }
        let key = self.extractor.key(request);
        let key = key.map_err(|fault| Error::Usage(fault.to_string()))?;
        for _ in 0..repeat {
            self.pick(shown(&key), &key);
        }
        Ok(())
    }

    fn key(&mut self, text: &str) -> Result<(), Error> {
        let key = self.extractor.key_from_text(text);
        let key = key.map_err(|fault| Error::Usage(fault.to_string()))?;
        self.pick(Some(text.to_owned()), &key);
        Ok(())
    }

    fn pick(&mut self, shown: Option<String>, key: &OwnedKey) {
        let server = self.picker.pick(key.borrow());
        self.picks.push(Pick { key: shown, server });
    }
}

/// A key as text, in hexadecimal where it is none.
fn shown(key: &OwnedKey) -> Option<String> {
    match key {
        OwnedKey::Missing => None,
        OwnedKey::Bytes(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => text.to_owned(),
            _ => hexadecimal(bytes),
        }),
        OwnedKey::Address(address) => Some(address.to_string()),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("0x{}", digits.collect::<String>())
}

fn read(path: &Path) -> Result<String, Error> {
    let fault = |source| Error::Read {
        path: path.into(),
        source,
    };
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(fault)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(fault)
}
