//! The model for people: listeners, where they lead, and each backend with its servers.

use std::io;

use super::server::role;
use super::values::{algorithm_words, seconds};
use crate::audit::Audit;
use crate::model::{
    Backend, CheckProtocol, Condition, Instance, OriginKind, PathMatch, Route, Server, Setting,
    Target,
};
use crate::report::Style;
use crate::report::mask::mask_text;
use crate::report::shown::plain;
use crate::report::table::{Align, Table};
use crate::source::Sources;

/// Writes every instance.
pub(super) fn write(audit: &Audit, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let variants = audit.instances.iter().flat_map(|audited| &audited.variants);
    for (index, instance) in variants.enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let printer = Printer {
            sources: &audit.sources,
            instance,
            style,
        };
        printer.instance(out)?;
    }
    Ok(())
}

struct Printer<'a> {
    sources: &'a Sources,
    instance: &'a Instance,
    style: Style,
}

impl Printer<'_> {
    fn instance(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let instance = self.instance;
        let variant = match instance.variant {
            0 => String::new(),
            variant => format!(", variant {variant} of its conditions"),
        };
        let fragment = if instance.fragment {
            ", a fragment"
        } else {
            ""
        };
        writeln!(
            out,
            "{} {} (defaults of {}{fragment}{variant})",
            instance.engine.as_str(),
            plain(&instance.root),
            instance.version,
        )?;
        for (index, listener) in instance.listeners.iter().enumerate() {
            let binds = listener.binds.iter().map(|bind| {
                let tls = if bind.tls { " tls" } else { "" };
                format!("{}{tls}", bind.address.text)
            });
            let binds = binds.collect::<Vec<_>>().join(", ");
            let (name, layer) = (self.safe(&listener.name), listener.layer.as_str());
            writeln!(out, "\nlistener {name} ({layer}) on {}", self.safe(&binds))?;
            for route in instance
                .routes
                .iter()
                .filter(|route| route.listener == Some(index))
            {
                writeln!(out, "  {}", self.route(route))?;
            }
        }
        for backend in &instance.backends {
            self.backend(backend, out)?;
        }
        self.not_modelled(out)
    }

    fn safe(&self, text: &str) -> String {
        plain(&mask_text(text, self.instance.engine)).into_owned()
    }

    fn route(&self, route: &Route) -> String {
        let condition = match &route.condition {
            Condition::Always => "otherwise".to_owned(),
            Condition::Path(PathMatch::Exact(path)) => format!("path = {path}"),
            Condition::Path(PathMatch::Prefix(path)) => format!("path {path}*"),
            Condition::Path(PathMatch::Regex(path)) => format!("path ~ {path}"),
            Condition::Path(PathMatch::Named(name)) => format!("location {name}"),
            Condition::Host(names) => format!("host {}", names.join(", ")),
            Condition::Random(draw) => {
                format!(
                    "{} of {} requests",
                    draw.below - draw.from.min(draw.below),
                    draw.range
                )
            }
            Condition::Opaque(text) => text.to_string(),
        };
        let target = match &route.target {
            Target::Backend(index) => {
                let backend = self.instance.backends.get(*index);
                backend.map_or_else(String::new, |backend| backend.name.to_string())
            }
            Target::Undefined(name) => format!("{name} (not defined)"),
            Target::Dynamic(name) => format!("{name} (decided while running)"),
        };
        format!("{} -> {}", self.safe(&condition), self.safe(&target))
    }

    fn backend(&self, backend: &Backend, out: &mut dyn io::Write) -> io::Result<()> {
        let word = self.instance.engine.backend_word();
        let implied = if backend.declared { "" } else { ", implied" };
        let (source, at) = self.sources.locate(backend.span);
        writeln!(
            out,
            "\n{word} {} ({}{implied}): {} at {}:{}",
            self.safe(&backend.name),
            backend.layer.as_str(),
            self.safe(&origin(&backend.algorithm, |it| algorithm_words(it).into_owned())),
            plain(source.name()),
            at.line,
        )?;
        for line in self.servers(backend).lines("  ", self.style.columns()) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn servers(&self, backend: &Backend) -> Table {
        let servers = &backend.servers;
        // nginx names a server by its address: one column is enough.
        let named = servers
            .iter()
            .any(|server| server.name != server.address.text);
        let mut columns = vec![Align::Left; 2 + usize::from(named)];
        columns.extend([Align::Right, Align::Left]);
        let mut table = Table::new(&columns);
        let mut row = |name: &str, rest: [&str; 4]| {
            let rest = rest.into_iter().skip(usize::from(!named));
            table.row(std::iter::once(name).chain(rest));
        };
        if !servers.is_empty() {
            row("server", ["address", "role", "weight", "health check"]);
        }
        for server in servers {
            let address = self.safe(&server.address.text);
            let weight = origin(&server.weight, u32::to_string);
            let check = self.check(backend, server);
            row(
                &self.safe(&server.name),
                [&address, role(server), &weight, &check],
            );
        }
        table
    }

    fn check(&self, backend: &Backend, server: &Server) -> String {
        let mut words = match server.check.known() {
            None => "unknown".to_owned(),
            Some(false) => "none".to_owned(),
            Some(true) => {
                let timing = &server.options.timing;
                format!(
                    "{} every {}s, fall {}, rise {}",
                    self.safe(&protocol(&backend.check_protocol.value)),
                    seconds(timing.inter.value),
                    timing.fall.value,
                    timing.rise.value
                )
            }
        };
        if let Some(track) = &server.options.track {
            words = format!("that of {}", self.safe(&track.value));
        }
        if self.instance.engine == crate::model::Engine::Nginx {
            let passive = server.passive();
            let known = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
            let fails = passive.max_fails.known().map(ToString::to_string);
            let pause = passive.fail_timeout.known();
            let pause = pause.map(|pause| format!("{}s", seconds(*pause)));
            let passive = format!("passive: {} in {}", known(fails), known(pause));
            words = match words.as_str() {
                "none" => passive,
                _ => format!("{words}; {passive}"),
            };
        }
        words
    }

    fn not_modelled(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let counts = &self.instance.not_modelled;
        if counts.is_empty() || !self.style.verbose {
            return Ok(());
        }
        writeln!(out, "\nread but not modelled:")?;
        for (directive, seen) in counts {
            let (source, at) = self.sources.locate(seen.first);
            let file = plain(source.name());
            writeln!(
                out,
                "  {} x{} at {file}:{}",
                self.safe(directive),
                seen.count,
                at.line
            )?;
        }
        Ok(())
    }
}

/// A value with a word on where it comes from, unless it stands on the object itself.
fn origin<T>(setting: &Setting<T>, show: impl Fn(&T) -> String) -> String {
    let value = setting.known().map(show);
    let value = value.unwrap_or_else(|| "?".to_owned());
    match setting.origin.kind() {
        OriginKind::Explicit => value,
        OriginKind::DefaultServer => format!("{value} (default-server)"),
        OriginKind::Defaults => format!("{value} (defaults)"),
        OriginKind::OuterScope => format!("{value} (outer)"),
        OriginKind::EngineDefault => format!("{value} (default)"),
        OriginKind::Opaque => format!("{value} (variable)"),
    }
}

fn protocol(protocol: &CheckProtocol) -> String {
    match protocol {
        CheckProtocol::Connect | CheckProtocol::Tcp { expects: false } => "connect".to_owned(),
        CheckProtocol::Http { method, uri, .. } => {
            let (method, uri) = (method.as_deref(), uri.as_deref());
            format!("{} {}", method.unwrap_or("OPTIONS"), uri.unwrap_or("/"))
        }
        CheckProtocol::Tcp { expects: true } => "tcp dialogue".to_owned(),
        CheckProtocol::Protocol(name) => name.to_string(),
        CheckProtocol::External => "external program".to_owned(),
    }
}
