//! Shared by the tests of the nginx loader: loading texts and folders, and a plain text of the model.
//!
//! In: configurations. Out: what the loader made of them, short enough to read in a diff.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests, outside the functions that clippy takes for tests"
)]

use std::fmt::Write as _;
use std::path::Path;

use lbaudit::engine::{Input, Loaded, Options, nginx};
use lbaudit::model::{
    Backend, Instance, Listener, NextUpstream, Route, Server, Setting, Split, Target,
};
use lbaudit::source::{Sources, Span};

/// What was loaded, and the files it came from.
pub(crate) struct Load {
    pub(crate) sources: Sources,
    pub(crate) loaded: Loaded,
}

/// Loads one text as `nginx.conf`, from standard input.
pub(crate) fn load_text(text: impl AsRef<[u8]>) -> Load {
    let input = Input {
        name: "nginx.conf".to_owned(),
        path: None,
        bytes: text.as_ref().to_vec(),
    };
    load_input(input, &Options::default())
}

/// Loads a file and what it includes.
pub(crate) fn load_file(path: &Path) -> Load {
    load_file_with(path, &Options::default())
}

/// Loads a file under options; it is shown by its name in its folder.
pub(crate) fn load_file_with(path: &Path, options: &Options) -> Load {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let input = Input {
        name,
        path: Some(path.to_owned()),
        bytes: std::fs::read(path).unwrap(),
    };
    load_input(input, options)
}

/// Loads an input that must be readable.
pub(crate) fn load_input(input: Input, options: &Options) -> Load {
    let sources = Sources::default();
    let loaded = nginx::load(&sources, vec![input], options).unwrap();
    Load { sources, loaded }
}

impl Load {
    pub(crate) fn instance(&self) -> &Instance {
        self.loaded.variants.first().unwrap()
    }

    /// `FILE:LINE:COLUMN` of a span.
    pub(crate) fn at(&self, span: Span) -> String {
        let (source, at) = self.sources.locate(span);
        format!("{}:{}:{}", source.name(), at.line, at.column)
    }

    /// One line for each finding of the rule, sorted.
    pub(crate) fn findings(&self, rule: &str) -> Vec<String> {
        let own = self.loaded.findings.iter().filter(|f| f.rule == rule);
        let line = |finding: &lbaudit::finding::Finding| {
            format!("{} {}", self.at(finding.span), finding.message)
        };
        let mut lines: Vec<_> = own.map(line).collect();
        lines.sort();
        lines
    }

    /// The model as text, without not modelled directives.
    pub(crate) fn model(&self) -> String {
        let instance = self.instance();
        let mut out = format!(
            "fragment={} workers={}\n",
            instance.fragment,
            self.setting(&instance.workers)
        );
        for listener in &instance.listeners {
            self.listener(&mut out, listener);
        }
        for route in &instance.routes {
            self.route(&mut out, route);
        }
        for backend in &instance.backends {
            self.backend(&mut out, backend);
        }
        for split in &instance.splits {
            self::split(&mut out, split);
        }
        for span in &instance.forwarded_for_reads {
            writeln!(out, "reads x-forwarded-for {}", self.sources.text(*span)).unwrap();
        }
        for span in &instance.resolvers {
            writeln!(out, "{}", self.sources.text(*span)).unwrap();
        }
        for rule in ["syntax-error", "refused-at-load"] {
            for line in self.findings(rule) {
                writeln!(out, "{rule} {line}").unwrap();
            }
        }
        out
    }

    /// The value, and where it comes from unless it is the default.
    fn setting<T: std::fmt::Debug>(&self, setting: &Setting<T>) -> String {
        let origin = setting.origin.as_str();
        match setting.origin.span() {
            None => format!("{:?}", setting.value),
            Some(span) => format!("{:?}({origin} {})", setting.value, self.at(span)),
        }
    }

    /// A setting that somebody wrote, behind its name.
    fn written<T: std::fmt::Debug>(&self, out: &mut String, name: &str, setting: &Setting<T>) {
        if setting.is_written() {
            write!(out, " {name}={}", self.setting(setting)).unwrap();
        }
    }

    fn listener(&self, out: &mut String, listener: &Listener) {
        let Listener { name, layer, .. } = listener;
        writeln!(out, "listener {name} {layer:?} {:?}", listener.server_names).unwrap();
        for bind in &listener.binds {
            let flags = [
                (bind.tls, " tls"),
                (bind.proxy_protocol, " proxy_protocol"),
                (bind.default_server, " default_server"),
            ];
            let address = &bind.address;
            write!(out, "  {:?} {}", address.kind, address.host()).unwrap();
            write!(out, " {:?}", address.port).unwrap();
            for (_, word) in flags.iter().filter(|(set, _)| *set) {
                out.push_str(word);
            }
            out.push('\n');
        }
        if let Some(span) = listener.restores_client_address {
            writeln!(out, "  restored by {}", self.sources.text(span)).unwrap();
        }
        self.comments(out, &listener.comments);
    }

    fn comments(&self, out: &mut String, comments: &[Span]) {
        for comment in comments {
            writeln!(out, "  comment {:?}", self.sources.text(*comment)).unwrap();
        }
    }

    fn route(&self, out: &mut String, route: &Route) {
        let target = match &route.target {
            Target::Backend(index) => {
                let backend = self.instance().backends.get(*index).unwrap();
                format!("{} #{index}", backend.name)
            }
            Target::Undefined(_) | Target::Dynamic(_) => format!("{:?}", route.target),
        };
        writeln!(
            out,
            "route {:?} {:?} -> {target}",
            route.listener, route.condition
        )
        .unwrap();
        let written = |out: &mut String, name: &str, text: String| {
            writeln!(out, "  {name} {text}").unwrap();
        };
        if let Some(NextUpstream {
            conditions,
            tries,
            timeout,
        }) = &route.next_upstream
        {
            if conditions.is_written() {
                written(out, "next upstream", self.setting(conditions));
            }
            if tries.is_written() {
                written(out, "tries", self.setting(tries));
            }
            if timeout.is_written() {
                written(out, "for", self.setting(timeout));
            }
        }
        if let Some(timeout) = route.connect_timeout.filter(Setting::is_written) {
            written(out, "connect timeout", self.setting(&timeout));
        }
    }

    fn backend(&self, out: &mut String, backend: &Backend) {
        let Backend {
            name,
            layer,
            declared,
            ..
        } = backend;
        let algorithm = self.setting(&backend.algorithm);
        writeln!(
            out,
            "backend {name} {layer:?} declared={declared} {algorithm}"
        )
        .unwrap();
        if backend.hash_type.is_written() {
            let method = backend.hash_type.value.method;
            writeln!(out, "  {method:?}").unwrap();
        }
        for (name, text) in [
            ("zone", backend.zone.as_ref().map(|zone| self.setting(zone))),
            (
                "keepalive",
                backend.keepalive.as_ref().map(|count| self.setting(count)),
            ),
        ] {
            if let Some(text) = text {
                writeln!(out, "  {name} {text}").unwrap();
            }
        }
        for rule in &backend.stick_rules {
            writeln!(out, "  sticky {}", rule.key).unwrap();
        }
        for server in &backend.servers {
            self.server(out, server);
        }
        self.comments(out, &backend.comments);
    }

    fn server(&self, out: &mut String, server: &Server) {
        let address = &server.address;
        let (kind, host, port) = (address.kind, address.host(), address.port);
        write!(out, "  server {} {kind:?} {host} {port:?}", server.name).unwrap();
        self.written(out, "weight", &server.weight);
        self.written(out, "backup", &server.backup);
        self.written(out, "down", &server.disabled);
        self.written(out, "max_conns", &server.maxconn);
        self.written(out, "check", &server.check);
        self.written(out, "max_fails", &server.passive().max_fails);
        self.written(out, "fail_timeout", &server.passive().fail_timeout);
        let options = &server.options;
        for (name, option) in [
            ("resolve", &options.resolvers),
            ("service", &options.service),
        ] {
            if let Some(option) = option {
                write!(out, " {name}={}", option.value).unwrap();
            }
        }
        for (name, set) in [
            (" slow_start", options.slowstart.is_some()),
            (" drain", options.drain.is_some()),
            (" tls", options.ssl.is_some()),
        ] {
            out.push_str(if set { name } else { "" });
        }
        for other in &options.other {
            write!(out, " other:{other}").unwrap();
        }
        if let Some(comment) = server.comment() {
            write!(out, " {:?}", self.sources.text(comment)).unwrap();
        }
        out.push('\n');
    }
}

fn split(out: &mut String, split: &Split) {
    let Split {
        kind,
        variable,
        key,
        ..
    } = split;
    let (used_by, handled) = (split.used_by, split.empty_handled);
    writeln!(
        out,
        "{kind:?} {key} {variable} used_by={used_by:?} empty_handled={handled}"
    )
    .unwrap();
    for part in &split.parts {
        writeln!(
            out,
            "  {} {:?} {:?}",
            part.pattern, part.value, part.hundredths
        )
        .unwrap();
    }
}
