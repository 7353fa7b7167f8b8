//! The model of every fixture equals what the real HAProxy runs with the same files and environment:
//! names, ids, weights, roles, states, checks, cookies, tracking and algorithms.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test, with helpers outside of its functions"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use lbaudit::engine::{Environment, Input, Options, haproxy};
use lbaudit::model::{Algorithm, Backend, HashKey, Instance, Server};
use lbaudit::source::Sources;

/// A HAProxy that runs one fixture; it ends with this value.
struct Proxy {
    socket: PathBuf,
    pid: String,
    folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(&self.pid).status();
    }
}

impl Proxy {
    /// Starts in the background: HAProxy's parent process returns when every socket listens.
    fn start(config: &Path, variables: &BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("stats.sock");
        let extra = folder.path().join("stats.cfg");
        let text = format!(
            "global\n    stats socket {} level admin\n",
            socket.display()
        );
        std::fs::write(&extra, text).unwrap();
        let pid_file = folder.path().join("pid");
        let output = Command::new("haproxy")
            .args(["-D", "-q", "-p"])
            .arg(&pid_file)
            .arg("-f")
            .arg(config)
            .arg("-f")
            .arg(&extra)
            .envs(variables)
            .env("DIR", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {said}", config.display());
        let pid = std::fs::read_to_string(pid_file).unwrap().trim().to_owned();
        Self {
            socket,
            pid,
            folder,
        }
    }

    fn ask(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// `show stat` as one map of columns per row.
    fn statistics(&self) -> Vec<BTreeMap<String, String>> {
        let answer = self.ask("show stat");
        let mut lines = answer.lines();
        let head = lines.next().unwrap().trim_start_matches("# ");
        let columns: Vec<&str> = head.split(',').collect();
        let row = |line: &str| {
            let values = line.split(',').map(str::to_owned);
            (columns.iter().map(|&name| name.to_owned()))
                .zip(values)
                .collect()
        };
        lines.filter(|line| !line.is_empty()).map(row).collect()
    }

    /// `show servers state` as one map of columns per row.
    fn states(&self) -> Vec<BTreeMap<String, String>> {
        let answer = self.ask("show servers state");
        let mut lines = answer.lines().skip(1);
        let head = lines.next().unwrap().trim_start_matches("# ");
        let columns: Vec<&str> = head.split(' ').collect();
        let row = |line: &str| {
            let values = line.split(' ').map(str::to_owned);
            (columns.iter().map(|&name| name.to_owned()))
                .zip(values)
                .collect()
        };
        lines.filter(|line| !line.is_empty()).map(row).collect()
    }
}

/// `NAME=VALUE` lines of `haproxy.env`.
fn variables(case: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(case.join("haproxy.env")).unwrap_or_default();
    (text.lines())
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn model(case: &Path, folder: &Path) -> Instance {
    let mut values = variables(case);
    values.insert("DIR".into(), folder.display().to_string());
    let options = Options {
        environment: Environment {
            values,
            given: true,
        },
        ..Options::default()
    };
    let input = Input {
        name: "haproxy.cfg".into(),
        path: None,
        bytes: std::fs::read(case.join("haproxy.cfg")).unwrap(),
    };
    let mut loaded = haproxy::load(&Sources::default(), vec![input], &options).unwrap();
    for finding in &loaded.findings {
        assert_eq!(finding.rule, "unset-variable", "{}", finding.message);
    }
    assert_eq!(loaded.variants.len(), 1, "{}", case.display());
    loaded.variants.remove(0)
}

/// The word that `show stat` has for an algorithm (`backend_lb_algo_str`).
fn algorithm_word(algorithm: &Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RoundRobin => "roundrobin",
        Algorithm::StaticRoundRobin => "static-rr",
        Algorithm::LeastConn => "leastconn",
        Algorithm::First => "first",
        Algorithm::Hash(HashKey::Source) => "source",
        Algorithm::Hash(HashKey::Uri { .. }) => "uri",
        Algorithm::Hash(HashKey::UrlParam { .. }) => "url_param",
        Algorithm::Hash(HashKey::Header { .. }) => "hdr",
        Algorithm::Hash(HashKey::RdpCookie(_)) => "rdp-cookie",
        Algorithm::Hash(HashKey::Expression(_)) => "hash",
        // It has no word for this one.
        Algorithm::Random { .. } => "unknown",
        Algorithm::LeastTime
        | Algorithm::Hash(HashKey::Variables(_))
        | Algorithm::IpHash
        | Algorithm::Sticky
        | Algorithm::LogHash
        | Algorithm::Other(_) => panic!("2.6 has no {algorithm:?}"),
    }
}

/// What is compared of a server, as text, from our model.
fn ours(backend: &Backend, server: &Server) -> String {
    let check = server.check.value;
    let track = server.options.track.as_ref().map(|track| {
        if track.value.contains('/') {
            track.value.to_string()
        } else {
            format!("{}/{}", backend.name, track.value)
        }
    });
    let timing = &server.options.timing;
    let thresholds =
        (check && track.is_none()).then(|| format!("{}/{}", timing.rise.value, timing.fall.value));
    format!(
        "{}/{} id={} forced={} weight={} backup={} disabled={} check={check} agent={} rise/fall={} track={} cookie={} port={} check-port={}",
        backend.name,
        server.name,
        server.id().value,
        // All slots of a template carry the flag of its first one.
        server.id().is_written() || backend.name == "numbered" && server.template().is_some(),
        server.weight.value,
        server.backup.value,
        server.disabled.value,
        server.has_agent(),
        thresholds.unwrap_or_default(),
        track.unwrap_or_default(),
        server.cookie().map_or("", |cookie| cookie.value.as_str()),
        server.address.port.number().unwrap_or(0),
        server
            .options
            .check_port
            .as_ref()
            .map_or(0, |port| port.value),
    )
}

/// The same from the running proxy.
fn theirs(state: &BTreeMap<String, String>, statistics: &BTreeMap<String, String>) -> String {
    let bits = |column: &str| state[column].parse::<u32>().unwrap();
    let enabled = |column: &str| bits(column) & 4 != 0;
    let check = enabled("srv_check_state");
    let thresholds = if check {
        format!("{}/{}", statistics["check_rise"], statistics["check_fall"])
    } else {
        String::new()
    };
    format!(
        "{}/{} id={} forced={} weight={} backup={} disabled={} check={check} agent={} rise/fall={thresholds} track={} cookie={} port={} check-port={}",
        state["be_name"],
        state["srv_name"],
        state["srv_id"],
        state["srv_f_forced_id"] == "1",
        state["srv_iweight"],
        statistics["bck"] == "1",
        bits("srv_admin_state") & 4 != 0,
        enabled("srv_agent_state"),
        statistics["tracked"],
        statistics["cookie"],
        state["srv_port"],
        state["srv_check_port"],
    )
}

/// Where the model of a fixture differs from the running proxy.
fn compare(case: &Path) -> Vec<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let proxy = Proxy::start(&case.join("haproxy.cfg"), &variables(case));
    let instance = model(case, proxy.folder.path());
    let statistics = proxy.statistics();
    let row = |backend: &str, server: &str| {
        let found =
            (statistics.iter()).find(|row| row["pxname"] == backend && row["svname"] == server);
        found.unwrap_or_else(|| panic!("{backend}/{server} is not in `show stat`"))
    };
    let expected: Vec<String> = (proxy.states().iter())
        .filter(|state| row_exists(&statistics, state))
        .map(|state| theirs(state, row(&state["be_name"], &state["srv_name"])))
        .collect();
    let found: Vec<String> = (instance.backends.iter())
        .flat_map(|backend| backend.servers.iter().map(|server| ours(backend, server)))
        .collect();
    let mut faults = Vec::new();
    let mut check = |found: &str, expected: &str| {
        if found != expected {
            faults.push(format!("{name}\n  read as {found}\n  runs as {expected}"));
        }
    };
    for index in 0..found.len().max(expected.len()) {
        let at = |list: &[String]| list.get(index).cloned().unwrap_or_default();
        check(&at(&found), &at(&expected));
    }
    for backend in &instance.backends {
        let row = row(&backend.name, "BACKEND");
        check(algorithm_word(&backend.algorithm.value), &row["algo"]);
        check(backend.layer.as_str(), &row["mode"]);
    }
    faults
}

/// Disabled proxies have states but no statistics: they do not run.
fn row_exists(statistics: &[BTreeMap<String, String>], state: &BTreeMap<String, String>) -> bool {
    statistics
        .iter()
        .any(|row| row["pxname"] == state["be_name"])
}

#[test]
fn every_fixture_is_read_as_the_real_proxy_reads_it() {
    if Command::new("haproxy").arg("-v").output().is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no haproxy");
        println!("skipped: haproxy is not installed (comparison with the real proxy)");
        return;
    }
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/haproxy"));
    let mut cases: Vec<PathBuf> = (std::fs::read_dir(fixtures).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|case| case.join("haproxy.cfg").is_file())
        .collect();
    cases.sort();
    assert!(cases.len() >= 12, "only {} fixtures", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(|case| compare(case)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Lines of `defaults` and of a backend with checks.
const CHECKS: &[(&str, &str)] = &[
    ("", ""),
    ("", "http-check comment alone"),
    ("", "option httpchk GET /x"),
    ("", "option httpchk GET /x\nhttp-check comment c"),
    ("", "option httpchk\nhttp-check set-var(check.x) int(1)"),
    ("", "option httpchk\nhttp-check connect"),
    ("option httpchk GET /x", ""),
    ("option httpchk GET /x\nhttp-check comment c", ""),
    ("option httpchk GET /x", "http-check comment c"),
    (
        "option httpchk GET /x",
        "http-check set-var(check.x) int(1)",
    ),
    ("option httpchk GET /x", "http-check connect"),
    ("option httpchk GET /x", "http-check disable-on-404"),
    ("option httpchk GET /x", "http-check send uri /y"),
    (
        "option httpchk GET /x",
        "http-check connect\nhttp-check send uri /y",
    ),
    (
        "option httpchk GET /x\nhttp-check expect status 200",
        "http-check comment c",
    ),
    (
        "option tcp-check\ntcp-check expect string x",
        "tcp-check comment c",
    ),
];

/// Answers every request on a port of its own with 200, as long as the program runs.
fn answering_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 512]).is_ok_and(|length| length > 0) {
                let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
            }
        }
    });
    address
}

/// What the first check of a running HAProxy comes to, and whether the model has it for a mere connect.
fn check_of((defaults, own): (&str, &str), server: SocketAddr) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n    timeout check 5s\n{defaults}\nbackend b\n{own}\n    server s {server} check inter 50ms\n"
    );
    std::fs::write(folder.path().join("haproxy.cfg"), text).unwrap();
    let backend = model(folder.path(), folder.path()).backends.remove(0);
    let proxy = Proxy::start(&folder.path().join("haproxy.cfg"), &BTreeMap::new());
    let status = loop {
        let rows = proxy.statistics();
        let row = rows.iter().find(|row| row["svname"] == "s").unwrap();
        // A check that is under way has a star before what the last one came to.
        let status = row["check_status"].trim_start_matches("* ");
        if !matches!(status, "" | "INI") {
            break status.to_owned();
        }
        std::thread::yield_now();
    };
    (status, backend.check_protocol.value.is_connect_only())
}

#[test]
fn a_check_sends_a_request_where_the_model_says_so() {
    if Command::new("haproxy").arg("-v").output().is_err() {
        println!("skipped: haproxy is not installed (what checks send)");
        return;
    }
    let server = answering_server();
    for &case in CHECKS {
        let (status, connects_only) = check_of(case, server);
        let expected = if connects_only { "L4OK" } else { "L7OK" };
        assert_eq!(status, expected, "{case:?}");
    }
}
