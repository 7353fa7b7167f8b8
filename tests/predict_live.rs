//! Random backends at the real proxies: every pick must be the predicted one.
//!
//! One HAProxy and one nginx hold all backends of a run and answer themselves for the servers, each
//! port with its number. `LBAUDIT_LIVE_CONFIGS` sets how many configurations each one gets, 100 by
//! default.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says how much it compared"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lbaudit::engine::{Input, Options, load};
use lbaudit::model::{Backend, Engine, Instance, Version};
use lbaudit::predict::{Extractor, Picker, Request, WeightChange};
use lbaudit::source::Sources;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Most servers of a backend.
const SERVERS: usize = 7;

/// A backend and what happens to it.
#[derive(Clone, Debug)]
struct Case {
    /// Lines of the backend in front of its servers.
    head: Vec<String>,
    /// Parameters of each server.
    servers: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Request {
        key: Option<String>,
        source: Ipv4Addr,
        repeat: usize,
    },
    Down(usize),
    Up(usize),
    Weight(usize, u32),
}

impl Case {
    /// The backend and its story, short enough to read.
    fn describe(&self) -> String {
        let steps = self.steps.iter().map(|step| match step {
            Step::Request { key, repeat, .. } => format!("{key:?}x{repeat}"),
            Step::Down(server) => format!("down {server}"),
            Step::Up(server) => format!("up {server}"),
            Step::Weight(server, weight) => format!("weight {server} {weight}"),
        });
        let steps: Vec<String> = steps.collect();
        format!("{:?}\n{:?}\n{}", self.head, self.servers, steps.join(", "))
    }
}

/// A running proxy, ended when dropped.
struct Proxy {
    child: Child,
    client: BufReader<TcpStream>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Proxy {
    fn start(mut command: Command, port: u16) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        // The port answers as soon as the proxy listens; a proxy that ended never will.
        loop {
            if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                stream.set_nodelay(true).expect("an option");
                return Self {
                    child,
                    client: BufReader::new(stream),
                };
            }
            let ended = child.try_wait().expect("its state");
            assert!(
                ended.is_none(),
                "the proxy refused its configuration: {ended:?}"
            );
            std::thread::yield_now();
        }
    }

    /// Sends a request and returns the port of the server that answered; `None` for an error status.
    fn request(&mut self, backend: &str, request: &Request) -> Option<u16> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nX-Backend: {backend}\r\n",
            request.method, request.uri
        );
        for (name, value) in &request.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let source = request.source.expect("always given");
        let _ = write!(text, "X-Src: {source}\r\n\r\n");
        self.client
            .get_mut()
            .write_all(text.as_bytes())
            .expect("sent");
        let mut status = String::new();
        self.client.read_line(&mut status).expect("a status");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.client.read_line(&mut line).expect("a header");
            if line == "\r\n" {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.client.read_exact(&mut body).expect("a body");
        status.contains(" 200 ").then(|| {
            String::from_utf8(body)
                .expect("text")
                .trim()
                .parse()
                .expect("a port")
        })
    }

    /// Another connection: error answers of HAProxy close theirs.
    fn reconnect(&mut self, port: u16) {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
        stream.set_nodelay(true).expect("an option");
        self.client = BufReader::new(stream);
    }
}

/// Ports that nobody listens on.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"))
        .collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().expect("an address").port())
        .collect()
}

fn configs() -> usize {
    let wanted = std::env::var("LBAUDIT_LIVE_CONFIGS").ok();
    wanted.map_or(100, |text| text.parse().expect("a number"))
}

fn cases(strategy: impl Strategy<Value = Case>) -> Vec<Case> {
    // Other configurations in every run; a fault shows its own.
    let mut runner = TestRunner::default();
    (0..configs())
        .map(|_| strategy.new_tree(&mut runner).expect("a case").current())
        .collect()
}

fn steps(events: bool) -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![
        1 => Just(None),
        9 => "[a-zA-Z0-9._-]{1,14}".prop_map(Some),
    ];
    let source = any::<[u8; 3]>().prop_map(|[a, b, c]| Ipv4Addr::new(10, a, b, c));
    let request = (key, source, 1usize..8).prop_map(|(key, source, repeat)| Step::Request {
        key,
        source,
        repeat,
    });
    let server = 0..SERVERS;
    let event = prop_oneof![
        server.clone().prop_map(Step::Down),
        server.clone().prop_map(Step::Up),
        (server, 0u32..120).prop_map(|(server, weight)| Step::Weight(server, weight)),
    ];
    let step = if events {
        prop_oneof![5 => request, 1 => event].boxed()
    } else {
        request.boxed()
    };
    prop::collection::vec(step, 12..30)
}

fn haproxy_case() -> impl Strategy<Value = Case> {
    let algorithm = select(vec![
        "roundrobin",
        "roundrobin",
        "static-rr",
        "leastconn",
        "first",
        "source",
        "uri",
        "uri depth 2",
        "uri len 9 whole",
        "url_param k",
        "hdr(x-key)",
        "hdr(x-key) use_domain_only",
        "hash req.hdr(x-key),lower",
        "hash req.hdr(x-key),length,add(3)",
        "hash src,ipmask(24)",
        "hash url_param(k),field(1,.)",
    ]);
    let methods = select(vec!["map-based", "consistent"]);
    let functions = select(vec!["", " sdbm", " djb2", " wt6", " crc32"]);
    let kind = (algorithm, methods, functions, any::<bool>(), any::<bool>());
    let weight = prop_oneof![4 => 0u32..12, 1 => 0u32..257];
    let server = (
        weight,
        0u8..8,
        0u8..8,
        prop::option::weighted(0.15, 1u32..2_000_000),
    );
    let servers = prop::collection::vec(server, 1..=SERVERS);
    (kind, servers, steps(true)).prop_map(|(kind, servers, steps)| {
        let (algorithm, method, function, avalanche, all) = kind;
        let avalanche = if avalanche && !function.is_empty() {
            " avalanche"
        } else {
            ""
        };
        let mut head = vec![
            format!("balance {algorithm}"),
            format!("hash-type {method}{function}{avalanche}"),
        ];
        head.extend(all.then(|| "option allbackups".to_owned()));
        let mut ids = Vec::new();
        let servers = servers.into_iter().map(|(weight, backup, disabled, id)| {
            let mut words = format!("weight {weight}");
            words.push_str(if backup == 0 { " backup" } else { "" });
            words.push_str(if disabled == 0 { " disabled" } else { "" });
            if let Some(id) = id.filter(|id| !ids.contains(id)) {
                ids.push(id);
                let _ = write!(words, " id {id}");
            }
            words
        });
        Case {
            head,
            servers: servers.collect(),
            steps,
        }
    })
}

fn nginx_case() -> impl Strategy<Value = Case> {
    let method = select(vec![
        "",
        "",
        "least_conn;",
        "ip_hash;",
        "hash $http_x_key;",
        "hash $http_x_key consistent;",
        "hash $arg_k$request_method;",
        "hash $request_uri consistent;",
        "hash $uri$is_args$args;",
    ]);
    let server = (prop_oneof![4 => 1u32..6, 1 => 1u32..60], 0u8..6, 0u8..6);
    let servers = prop::collection::vec(server, 1..=SERVERS);
    (method, servers, steps(false)).prop_map(|(method, servers, steps)| {
        // Backups are refused behind most methods, and so is an upstream of nothing but backups.
        let backups = matches!(method, "" | "least_conn;");
        let servers = servers
            .into_iter()
            .enumerate()
            .map(|(index, (weight, backup, down))| {
                let mut words = format!("weight={weight}");
                words.push_str(if backups && index > 0 && backup == 0 {
                    " backup"
                } else {
                    ""
                });
                words.push_str(if down == 0 { " down" } else { "" });
                words
            });
        Case {
            head: vec![method.to_owned()],
            servers: servers.collect(),
            steps,
        }
    })
}

fn haproxy_config(cases: &[Case], ports: &[u16], front: u16, socket: &Path) -> String {
    let binds: Vec<String> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let mut text = format!(
        "global\n  nbthread 1\n  stats socket {} level admin\n\ndefaults\n  mode http\n  \
         timeout connect 2s\n  timeout client 60s\n  timeout server 30s\n\nfrontend servers\n  bind {}\n  \
         http-request return status 200 content-type text/plain lf-string %[dst_port]\n\nfrontend front\n  \
         bind 127.0.0.1:{front}\n  http-request set-src hdr(x-src)\n  use_backend %[req.hdr(x-backend)]\n",
        socket.display(),
        binds.join(","),
    );
    for (number, case) in cases.iter().enumerate() {
        let _ = write!(text, "\nbackend b{number}\n");
        for line in &case.head {
            let _ = writeln!(text, "  {line}");
        }
        for (index, words) in case.servers.iter().enumerate() {
            let _ = writeln!(text, "  server s{index} 127.0.0.1:{} {words}", ports[index]);
        }
    }
    text
}

fn nginx_config(cases: &[Case], ports: &[u16], front: u16, folder: &Path) -> String {
    let folder = folder.display();
    let mut text = format!(
        "worker_processes 1;\nmaster_process off;\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
         events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n"
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "  {kind}_temp_path {folder}/{kind};");
    }
    for (number, case) in cases.iter().enumerate() {
        let _ = writeln!(text, "  upstream b{number} {{ {}", case.head[0]);
        for (index, words) in case.servers.iter().enumerate() {
            let _ = writeln!(text, "    server 127.0.0.1:{} {words};", ports[index]);
        }
        text.push_str("  }\n");
    }
    text.push_str("  server {\n");
    for port in ports {
        let _ = writeln!(text, "    listen 127.0.0.1:{port};");
    }
    let _ = write!(
        text,
        "    return 200 $server_port;\n  }}\n  server {{\n    listen 127.0.0.1:{front};\n    \
         keepalive_requests 100000000;\n    set_real_ip_from 127.0.0.0/8;\n    real_ip_header X-Src;\n    \
         location / {{ proxy_pass http://$http_x_backend; }}\n  }}\n}}\n"
    );
    text
}

fn instance(engine: Engine, config: &str, version: Version) -> Instance {
    let input = Input {
        name: "live".into(),
        path: None,
        bytes: config.as_bytes().to_vec(),
    };
    let mut options = Options::default();
    match engine {
        Engine::Haproxy => options.haproxy_version = version,
        Engine::Nginx => options.nginx_version = version,
    }
    let loaded = load(engine, &Sources::default(), vec![input], &options);
    loaded.expect("it loads").variants.remove(0)
}

/// The version in what `-v` prints.
fn version(program: &Path) -> Version {
    let output = Command::new(program).arg("-v").output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let digits = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    let found = digits
        .filter(|part| part.contains('.'))
        .find_map(|part| part.trim_matches('.').parse().ok());
    found.expect("a version")
}

fn request(key: Option<&String>, source: Ipv4Addr) -> Request {
    let mut headers = vec![("Host".to_owned(), "live.example".to_owned())];
    headers.extend(key.map(|key| ("X-Key".to_owned(), key.clone())));
    let uri = key.map_or_else(|| "/none".to_owned(), |key| format!("/a/{key}/c?k={key}"));
    Request {
        uri,
        headers,
        source: Some(IpAddr::V4(source)),
        ..Request::default()
    }
}

/// A case being played at both sides.
struct Game<'a> {
    name: String,
    backend: &'a Backend,
    extractor: Extractor,
    picker: Picker<'a>,
    ports: BTreeMap<u16, usize>,
    picks: usize,
}

impl<'a> Game<'a> {
    fn new(number: usize, instance: &'a Instance, ports: &[u16]) -> Option<Self> {
        let name = format!("b{number}");
        let mut backends = instance.backends.iter();
        let backend = backends
            .find(|backend| backend.name == name)
            .expect("it was written");
        let picker = Picker::new(instance.engine, instance.version, backend).ok()?;
        let extractor = Extractor::new(backend, instance.version).expect("a supported key");
        let ports = ports.iter().copied().zip(0..).collect();
        Some(Self {
            name,
            backend,
            extractor,
            picker,
            ports,
            picks: 0,
        })
    }

    fn play(
        &mut self,
        steps: &[Step],
        proxy: &mut Proxy,
        front: u16,
        socket: &Path,
    ) -> Result<(), String> {
        for (number, step) in steps.iter().enumerate() {
            if let Step::Request {
                key,
                source,
                repeat,
            } = step
            {
                let request = request(key.as_ref(), *source);
                for _ in 0..*repeat {
                    let result = self.request(proxy, front, &request);
                    result.map_err(|fault| format!("step {number}, {fault}"))?;
                }
            } else {
                self.event(socket, step);
            }
        }
        Ok(())
    }

    /// Sends one request to both; what differs is the fault.
    fn request(&mut self, proxy: &mut Proxy, front: u16, request: &Request) -> Result<(), String> {
        let key = self.extractor.key(request).expect("a supported key");
        let predicted = self.picker.pick(key.borrow());
        let answer = proxy.request(&self.name, request);
        if answer.is_none() {
            proxy.reconnect(front);
        }
        let picked = answer.map(|port| self.ports[&port]);
        self.picks += 1;
        if picked == predicted {
            return Ok(());
        }
        Err(format!(
            "pick {}: predicted {predicted:?}, picked {picked:?} for {key:?}",
            self.picks
        ))
    }

    /// Changes a server at both sides. What HAProxy refuses, the prediction must refuse.
    fn event(&mut self, socket: &Path, step: &Step) {
        let (server, words) = match step {
            Step::Down(server) => (*server, "state maint".to_owned()),
            Step::Up(server) => (*server, "state ready".to_owned()),
            Step::Weight(server, weight) => (*server, format!("weight {weight}")),
            Step::Request { .. } => return,
        };
        if server >= self.backend.servers.len() {
            return;
        }
        let refused = match step {
            Step::Weight(_, weight) => self
                .picker
                .set_weight(server, WeightChange::To(*weight))
                .is_err(),
            Step::Down(_) | Step::Up(_) | Step::Request { .. } => {
                let changed = self.picker.set_down(server, matches!(step, Step::Down(_)));
                changed.expect("a change that the proxy takes");
                false
            }
        };
        let mut stream = UnixStream::connect(socket).expect("the socket");
        let command = format!("set server {}/s{server} {words}\n", self.name);
        stream.write_all(command.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(!answer.trim().is_empty(), refused, "{command}: {answer}");
    }
}

/// Plays every case and tells how many picks agreed.
fn play(
    cases: &[Case],
    instance: &Instance,
    ports: &[u16],
    front: u16,
    proxy: &mut Proxy,
    socket: &Path,
) -> usize {
    let (mut picks, mut skipped) = (0, 0);
    let mut faults = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let Some(mut game) = Game::new(number, instance, ports) else {
            skipped += 1;
            continue;
        };
        match game.play(&case.steps, proxy, front, socket) {
            Ok(()) => picks += game.picks,
            Err(fault) => faults.push(format!("{fault}\n{}", case.describe())),
        }
    }
    assert!(
        faults.is_empty(),
        "{} differ:\n{}",
        faults.len(),
        faults.join("\n\n")
    );
    println!(
        "{}: {} configurations, {picks} picks, all as predicted; {skipped} not predictable",
        instance.engine.as_str(),
        cases.len() - skipped
    );
    picks
}

#[test]
fn haproxy_picks_what_is_predicted() {
    let Some(program) = support::haproxy() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("admin.sock");
    let cases = cases(haproxy_case());
    let ports = free_ports(SERVERS + 1);
    let front = ports[SERVERS];
    let config = haproxy_config(&cases, &ports[..SERVERS], front, &socket);
    let file = folder.path().join("haproxy.cfg");
    std::fs::write(&file, &config).expect("written");
    let instance = instance(Engine::Haproxy, &config, version(&program));
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(&file);
    let mut proxy = Proxy::start(command, front);
    assert!(
        play(
            &cases,
            &instance,
            &ports[..SERVERS],
            front,
            &mut proxy,
            &socket
        ) > 0
    );
}

#[test]
fn nginx_picks_what_is_predicted() {
    let Some(program) = support::nginx() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let cases = cases(nginx_case());
    let ports = free_ports(SERVERS + 1);
    let front = ports[SERVERS];
    let config = nginx_config(&cases, &ports[..SERVERS], front, folder.path());
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, &config).expect("written");
    let instance = instance(Engine::Nginx, &config, version(&program));
    let mut command = Command::new(program);
    command
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(folder.path().join("error.log"));
    let mut proxy = Proxy::start(command, front);
    assert!(
        play(
            &cases,
            &instance,
            &ports[..SERVERS],
            front,
            &mut proxy,
            Path::new("")
        ) > 0
    );
}
