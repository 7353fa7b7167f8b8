//! The loader against the real nginx: what it accepts, what it reads, where it sends requests.
//!
//! Everything runs on loopback with ports that the system gave, and is stopped at the end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside the functions that clippy takes for tests"
)]

mod nginx_support;
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lbaudit::engine::{Input, Options};
use nginx_support::{Load, load_file, load_input, load_text};

/// The program and its stream module.
struct Nginx {
    program: PathBuf,
    module: PathBuf,
}

fn nginx() -> Option<Nginx> {
    Some(Nginx {
        program: support::nginx()?,
        module: support::nginx_stream_module()?,
    })
}

impl Nginx {
    /// `nginx` on a configuration, with what it writes kept in `scratch`.
    fn command(&self, conf: &Path, scratch: &Path, globals: &str) -> Command {
        let mut command = Command::new(&self.program);
        let globals = format!(
            "load_module {}; pid {}; error_log stderr warn; {globals}",
            self.module.display(),
            scratch.join("nginx.pid").display()
        );
        command.arg("-p").arg(scratch).arg("-c").arg(conf);
        command.args(["-g", &globals]);
        command
    }

    fn test(&self, conf: &Path, switch: &str) -> Output {
        let scratch = tempfile::tempdir().unwrap();
        self.command(conf, scratch.path(), "")
            .arg(switch)
            .output()
            .unwrap()
    }
}

/// The folders below `fixtures/nginx`, by name.
fn fixtures() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/nginx");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, path.join("nginx.conf"))
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_fixture_is_accepted_by_both() {
    let (Some(nginx), Some(_)) = (nginx(), support::nginx_with_its_folders()) else {
        return;
    };
    for (name, conf) in fixtures() {
        let output = nginx.test(&conf, "-t");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        assert_eq!(load_file(&conf).loaded.findings, [], "{name}");
    }
}

#[test]
fn the_models_of_the_fixtures_stay() {
    for (name, conf) in fixtures() {
        insta::assert_snapshot!(format!("nginx__{name}"), load_file(&conf).model());
    }
}

/// What nginx prints of its configuration leads to the same model, at the same places.
#[test]
fn a_dump_gives_the_model_of_the_files() {
    let (Some(nginx), Some(_)) = (nginx(), support::nginx_with_its_folders()) else {
        return;
    };
    for (name, conf) in fixtures() {
        let output = nginx.test(&conf, "-T");
        assert!(output.status.success(), "{name}");
        let folder = format!("{}/", conf.parent().unwrap().display());
        let input = Input {
            name: "-".to_owned(),
            path: None,
            bytes: output.stdout,
        };
        let dumped = load_input(input, &Options::default());
        let files = load_file(&conf);
        assert_eq!(dumped.model().replace(&folder, ""), files.model(), "{name}");
        assert_eq!(names(&dumped).replace(&folder, ""), names(&files), "{name}");
    }
}

fn names(load: &Load) -> String {
    let files = load.instance().files.iter();
    let names: Vec<_> = files
        .map(|id| load.sources.get(*id).name().to_owned())
        .collect();
    names.join("\n")
}

/// Pieces from which short texts are put together, and the number of texts.
const PIECES: &[&str] = &[
    "a", "b", " ", " ", "\n", "\t", "\r", ";", ";", ";", "{", "}", "\"", "'", "\\", "$", "#", "${",
    ")", "\"a b\"", "'c'",
];
const TEXTS: usize = 300;

/// Any words may stand in a `types` block, so nginx refuses only what its reader refuses.
#[test]
fn the_same_texts_are_refused() {
    let Some(nginx) = nginx() else { return };
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("nginx.conf");
    let mut random = Random(0x5eed);
    let mut refused = 0;
    for _ in 0..TEXTS {
        let length = 1 + random.below(10);
        let text: String = (0..length)
            .map(|_| PIECES[random.below(PIECES.len())])
            .collect();
        let text = format!("events {{}} http {{ types {{\n{text}\n}} }}\n");
        fs::write(&conf, &text).unwrap();
        let output = nginx.test(&conf, "-t");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("unknown directive") || said.contains("is not allowed here") {
            // A `}` in the text ended the block.
            continue;
        }
        let load = load_text(&text);
        let findings = load.findings("syntax-error");
        assert_eq!(
            output.status.success(),
            findings.is_empty(),
            "{text}\n{said}\n{findings:?}"
        );
        refused += usize::from(!findings.is_empty());
    }
    assert!((TEXTS / 10..TEXTS).contains(&refused), "{refused} refused");
}

/// A small generator of numbers, the same in every run (Numerical Recipes' `ranqd1`).
struct Random(u32);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as usize % limit
    }
}

/// A running nginx; it is stopped when this is dropped.
struct Running {
    child: Child,
    port: u16,
    conf: PathBuf,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts nginx with this content of `http`, in which `PORT` stands for the port of the listener.
fn start(nginx: &Nginx, http: &str) -> Running {
    // Another program may take the port before nginx does.
    (0..5)
        .find_map(|_| try_start(nginx, http))
        .unwrap_or_else(|| panic!("nginx does not start with\n{http}"))
}

fn try_start(nginx: &Nginx, http: &str) -> Option<Running> {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("nginx.conf");
    let port = free_port();
    let temporary: Vec<_> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {};", folder.path().join(name).display()))
        .collect();
    let http = http.replace("PORT", &port.to_string());
    let temporary = temporary.join(" ");
    let text = format!("events {{}}\nhttp {{\naccess_log off; {temporary}\n{http}\n}}\n");
    fs::write(&conf, text).unwrap();
    let child = nginx
        .command(&conf, folder.path(), "daemon off; master_process off;")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = Running {
        child,
        port,
        conf,
        _folder: folder,
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if running.child.try_wait().unwrap().is_some() || Instant::now() > deadline {
            return None;
        }
        std::thread::yield_now();
    }
    Some(running)
}

/// The body of the answer to a request for `path`.
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    body.to_owned()
}

/// Servers that count the requests they answer.
struct Servers {
    addresses: Vec<String>,
    counts: Arc<Mutex<BTreeMap<String, u32>>>,
}

/// Starts `number` servers. Their threads end with the process.
fn servers(number: usize) -> Servers {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let listeners: Vec<_> = (0..number)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let addresses = listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().to_string())
        .collect();
    for listener in listeners {
        let counts = Arc::clone(&counts);
        std::thread::spawn(move || {
            let own = listener.local_addr().unwrap().to_string();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                read_request(&mut stream);
                *counts.lock().unwrap().entry(own.clone()).or_default() += 1;
                let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
    }
    Servers { addresses, counts }
}

/// Reads a request to its empty line.
fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
}

/// Requests by server after `number` requests to nginx with this upstream.
fn drive(nginx: &Nginx, upstream: &str, servers: &Servers, number: u32) -> (Load, Vec<u32>) {
    let mut upstream = upstream.to_owned();
    for (index, address) in servers.addresses.iter().enumerate() {
        upstream = upstream.replace(&format!("S{index}"), address);
    }
    let http = format!(
        "upstream u {{ {upstream} }}\nserver {{ listen 127.0.0.1:PORT; location / {{ proxy_pass http://u; }} }}"
    );
    let running = start(nginx, &http);
    for _ in 0..number {
        assert_eq!(get(running.port, "/"), "ok");
    }
    let load = load_file(&running.conf);
    drop(running);
    let counts = servers.counts.lock().unwrap();
    let count = |address: &String| counts.get(address).copied().unwrap_or(0);
    (load, servers.addresses.iter().map(count).collect())
}

/// What the model says of weights, `down` and `backup` is what nginx does with requests.
#[test]
fn requests_go_where_the_model_says() {
    let Some(nginx) = nginx() else { return };
    for (upstream, requests, expected) in [
        (
            "server S0 weight=5; server S1 weight=2; server S2;",
            80,
            [50, 20, 10],
        ),
        (
            "server S0 weight=3; server S1 down; server S2 backup;",
            20,
            [20, 0, 0],
        ),
        (
            "server S0 down; server S1 backup weight=4; server S2 backup;",
            20,
            [0, 16, 4],
        ),
        (
            "server S0; server S1 'weight=2'; server S2 \n weight=3 ; # weight=9\n",
            60,
            [10, 20, 30],
        ),
    ] {
        let servers = servers(3);
        let (load, counts) = drive(&nginx, upstream, &servers, requests);
        assert_eq!(counts, expected, "{upstream}");
        let backend = &load.instance().backends[0];
        let names: Vec<_> = backend
            .servers
            .iter()
            .map(|server| server.name.as_str())
            .collect();
        assert_eq!(names, servers.addresses, "{upstream}");
        assert_eq!(from_model(&load, requests), expected, "{upstream}");
    }
}

/// The requests that each server gets by the weights of its tier.
fn from_model(load: &Load, requests: u32) -> Vec<u32> {
    let servers = &load.instance().backends[0].servers;
    let primaries = servers
        .iter()
        .any(|server| server.is_primary() && server.is_usable());
    let takes =
        |server: &lbaudit::model::Server| server.is_usable() && server.is_primary() == primaries;
    let weight = |server| {
        if takes(server) {
            server.weight.value
        } else {
            0
        }
    };
    let total: u32 = servers.iter().map(weight).sum();
    servers
        .iter()
        .map(|server| requests * weight(server) / total)
        .collect()
}

/// Words as nginx reads them: it answers with them, and the model has them as values of a map.
#[test]
fn words_have_the_same_text() {
    const WORDS: &[&str] = &[
        "plain",
        "'a b'",
        "\"a b\"",
        r#""a\"b""#,
        r"'a\'b'",
        r"a\'b",
        r"a\tb",
        r"a\nb",
        r"a\\b",
        r"a\.b",
        r"a\;b",
        r"a\ b",
        "a\"b",
        "a'b",
        "\"a'b\"",
        "'{'",
        "'}'",
        "a}b",
        "';'",
        "'#'",
        "a#b",
        "'a\nb'",
        "''",
        "\"\u{e4}\"",
        r"\{",
        r#""\x""#,
    ];
    let Some(nginx) = nginx() else { return };
    let mut http = String::from("map $uri $v {\n");
    for (number, word) in WORDS.iter().enumerate() {
        writeln!(http, "k{number} {word};").unwrap();
    }
    http += "}\nserver { listen 127.0.0.1:PORT;\n";
    for (number, word) in WORDS.iter().enumerate() {
        writeln!(http, "location = /{number} {{ return 200 {word}; }}").unwrap();
    }
    http += "location / { proxy_pass http://$v; }\n}\n";
    let running = start(&nginx, &http);
    let load = load_file(&running.conf);
    let parts = &load.instance().splits[0].parts;
    assert_eq!(parts.len(), WORDS.len());
    for (number, (word, part)) in std::iter::zip(WORDS, parts).enumerate() {
        assert_eq!(
            get(running.port, &format!("/{number}")),
            part.value,
            "{word}"
        );
    }
}
