//! Replays recordings of the real proxies pick by pick: configuration text in, servers out.
//!
//! A recording is what `record_picks.py` wrote: the configuration, the operations and the server
//! behind each request. The set in `fixtures/predict/picks` is part of the repository; the whole set
//! lies beside the checkout.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and the table is its output"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lbaudit::engine::{Input, Options, load};
use lbaudit::model::{Algorithm, Answers, Backend, Engine, HashMethod, Instance, Layer};
use lbaudit::predict::{Extractor, Picker, Request, Unpredictable, WeightChange, predict_idle};
use lbaudit::source::Sources;
use serde_json::Value;

/// One recording, and the backend that its configuration describes.
struct Recording {
    name: String,
    json: Value,
    instance: Instance,
}

/// What a replay came to.
#[derive(Default)]
struct Row {
    scenarios: usize,
    picks: usize,
    exact: usize,
}

#[test]
fn bundled_recordings_are_replayed_pick_by_pick() {
    replay_folder(
        Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/predict/picks"
        )),
        60,
    );
}

#[test]
fn all_recordings_are_replayed_pick_by_pick() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/oracle"));
    if !folder.is_dir() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "../shared/oracle is not here"
        );
        println!("skipped: ../shared is not here (the bundled recordings were replayed)");
        return;
    }
    replay_folder(folder, 108);
}

fn replay_folder(folder: &Path, least: usize) {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut faults = Vec::new();
    let files = recordings(folder);
    assert!(
        files.len() >= least,
        "{} recordings, {least} expected",
        files.len()
    );
    for file in files {
        let recording = Recording::read(&file);
        let row = rows.entry(recording.label()).or_default();
        row.scenarios += 1;
        match recording.replay(row) {
            Ok(()) => {}
            Err(fault) => faults.push(format!("{}: {fault}", recording.name)),
        }
    }
    println!(
        "{:40} {:>9} {:>7} {:>8}",
        "algorithm", "scenarios", "picks", "exact"
    );
    for (label, row) in &rows {
        let exact = if label.contains("random") {
            "3 errors".into()
        } else {
            row.exact.to_string()
        };
        println!(
            "{label:40} {:>9} {:>7} {exact:>8}",
            row.scenarios, row.picks
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The names that the recording's resolver knew.
fn hosts(json: &Value) -> Answers {
    let hosts = json.as_object().into_iter().flatten();
    let address = |text: &Value| text.as_str().expect("text").parse().expect("an address");
    hosts
        .map(|(name, list)| {
            let list = list.as_array().expect("a list").iter();
            (name.clone(), list.map(address).collect())
        })
        .collect()
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
}

impl Recording {
    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("readable");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let name = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let engine = match json["scenario"]["engine"].as_str() {
            Some("nginx") => Engine::Nginx,
            _ => Engine::Haproxy,
        };
        let config = json["config"].as_str().expect("text").as_bytes().to_vec();
        let input = Input {
            name: name.clone(),
            path: None,
            bytes: config,
        };
        let loaded = load(
            engine,
            &Sources::default(),
            vec![input],
            &Options::default(),
        );
        let mut variants = loaded.expect("it loads").variants;
        assert_eq!(variants.len(), 1, "{name}: one variant");
        let mut instance = variants.remove(0);
        instance.resolve(&hosts(&json["scenario"]["hosts"]));
        Self {
            name,
            json,
            instance,
        }
    }

    /// The backend under test, and how each of its servers answers.
    fn backend(&self) -> (&Backend, Vec<String>) {
        let mut backends = self.instance.backends.iter();
        let backend = backends
            .find(|backend| matches!(backend.name.as_str(), "be" | "u"))
            .expect("the backend is there");
        let described = self.json["scenario"]["servers"]
            .as_array()
            .expect("servers");
        let mut answers: Vec<String> = Vec::new();
        for described in described {
            let name = described["name"].as_str().expect("a name");
            let listens: Vec<&str> = (described["listen"].as_array().into_iter().flatten())
                .map(|address| address.as_str().expect("text"))
                .collect();
            if listens.is_empty() {
                answers.push(name.to_owned());
            }
            let peers = listens.iter().map(|address| format!("{name}#{address}"));
            answers.extend(peers);
        }
        assert_eq!(backend.servers.len(), answers.len(), "{}", self.name);
        // Two lines with one address answer with the first one's name; the model keeps them apart.
        (backend, answers)
    }

    fn label(&self) -> String {
        let (backend, _) = self.backend();
        let method = backend.hash_type.value.method;
        let algorithm = match &backend.algorithm.value {
            Algorithm::RoundRobin => "round robin",
            Algorithm::StaticRoundRobin => "static-rr",
            Algorithm::LeastConn | Algorithm::LeastTime => "least connections",
            Algorithm::First => "first",
            Algorithm::Random { .. } => "random (distribution)",
            Algorithm::Hash(_) => match method {
                HashMethod::Map => "hash map-based",
                HashMethod::Ring | HashMethod::Ketama => "hash consistent",
                HashMethod::Modulo => "hash",
            },
            Algorithm::IpHash => "ip_hash",
            Algorithm::Sticky | Algorithm::LogHash | Algorithm::Other(_) => "other",
        };
        let mode = self.json["scenario"]["mode"].as_str().unwrap_or("http");
        format!("{} {mode} {algorithm}", self.instance.engine.as_str())
    }

    fn replay(&self, row: &mut Row) -> Result<(), String> {
        let (backend, answers) = self.backend();
        let picks: Vec<&str> = (self.json["picks"].as_array().expect("picks").iter())
            .map(|pick| pick.as_str().expect("text"))
            .collect();
        row.picks += picks.len();
        let (engine, version) = (self.instance.engine, self.instance.version);
        let mut picker = match Picker::new(engine, version, backend) {
            Ok(picker) => picker,
            Err(Unpredictable::Algorithm { .. }) => {
                return self.compare_distribution(backend, &answers, &picks);
            }
            Err(fault) => return Err(fault.to_string()),
        };
        if let Some(next) = self.instance.next_upstream(backend) {
            picker.set_next_upstream(next);
        }
        for (index, server) in self.json["scenario"]["servers"]
            .as_array()
            .expect("servers")
            .iter()
            .enumerate()
        {
            if server["dead"] == Value::Bool(true) {
                let failing = picker.lose(index);
                failing.map_err(|fault| fault.to_string())?;
            }
        }
        let mut player = Player {
            extractor: Extractor::new(backend, version).map_err(|fault| fault.to_string())?,
            backend,
            answers: &answers,
            picker,
            held: BTreeMap::new(),
            given: Vec::new(),
            attempts: Vec::new(),
        };
        player.play(self.json["scenario"]["ops"].as_array().expect("operations"))?;
        let exact = player
            .given
            .iter()
            .zip(&picks)
            .filter(|(ours, theirs)| ours == theirs)
            .count();
        row.exact += exact;
        if player.given.len() != picks.len() || exact != picks.len() {
            return Err(difference(&player.given, &picks));
        }
        self.compare_attempts(&player.attempts)
    }

    /// The addresses that nginx tried for each request; the upstream's name stands for no live peer.
    fn compare_attempts(&self, ours: &[Vec<String>]) -> Result<(), String> {
        let Some(theirs) = self.json["attempts"].as_array() else {
            return Ok(());
        };
        for (number, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let theirs: Vec<&str> = (theirs.as_array().expect("a list").iter())
                .map(|address| address.as_str().expect("text"))
                .filter(|address| *address != "u")
                .collect();
            if *ours != theirs {
                return Err(format!(
                    "request {number} tried {ours:?}, recorded {theirs:?}"
                ));
            }
        }
        Ok(())
    }

    /// Shares of random algorithms: every server within three standard errors of its count.
    fn compare_distribution(
        &self,
        backend: &Backend,
        answers: &[String],
        picks: &[&str],
    ) -> Result<(), String> {
        let (engine, version) = (self.instance.engine, self.instance.version);
        let predicted = predict_idle(engine, version, backend, &[]).ok_or("no prediction")?;
        let total = f64::from(u32::try_from(picks.len()).expect("few"));
        for (answer, share) in answers.iter().zip(&predicted.shares) {
            let count = picks.iter().filter(|pick| *pick == answer).count();
            let recorded = f64::from(u32::try_from(count).expect("few")) / total;
            let share = lbaudit::predict::ratio(*share);
            let error = (share * (1.0 - share) / total).sqrt();
            if (recorded - share).abs() > 3.0 * error {
                return Err(format!(
                    "{answer} got {recorded:.4}, predicted {share:.4} ± {error:.4}"
                ));
            }
        }
        Ok(())
    }
}

fn difference(ours: &[String], theirs: &[&str]) -> String {
    let first = ours
        .iter()
        .zip(theirs)
        .position(|(ours, theirs)| ours != theirs);
    match first {
        Some(at) => {
            let end = (at + 12).min(theirs.len()).min(ours.len());
            format!(
                "pick {at} differs: predicted {:?}, recorded {:?}",
                &ours[at..end],
                &theirs[at..end]
            )
        }
        None => format!("{} picks predicted, {} recorded", ours.len(), theirs.len()),
    }
}

/// A story being replayed.
struct Player<'a> {
    extractor: Extractor,
    backend: &'a Backend,
    answers: &'a [String],
    picker: Picker<'a>,
    held: BTreeMap<String, Option<usize>>,
    given: Vec<String>,
    attempts: Vec<Vec<String>>,
}

impl Player<'_> {
    fn play(&mut self, operations: &[Value]) -> Result<(), String> {
        for operation in operations {
            if let Some(command) = operation["cli"].as_str() {
                self.command(command)?;
            } else if let Some(id) = operation["close"].as_str() {
                let server = self.held.remove(id).ok_or("closed before it was opened")?;
                if let Some(server) = server {
                    self.picker.close(server);
                }
            } else if let Some(time) = operation["sleep_ms"].as_u64() {
                self.picker.wait(Duration::from_millis(time));
            } else if let Some(name) = operation["stop"].as_str() {
                self.reach(name, false)?;
            } else if let Some(name) = operation["start"].as_str() {
                self.reach(name, true)?;
            } else {
                for _ in 0..operation["repeat"].as_u64().unwrap_or(1) {
                    self.request(operation)?;
                }
            }
        }
        Ok(())
    }

    /// A server of nginx stops listening, or starts again.
    fn reach(&mut self, name: &str, reachable: bool) -> Result<(), String> {
        let server = self.answers.iter().position(|answer| answer == name);
        let server = server.ok_or("an unknown server")?;
        let changed = if reachable {
            self.picker.regain(server)
        } else {
            self.picker.lose(server)
        };
        changed.map_err(|fault| fault.to_string())
    }

    fn request(&mut self, operation: &Value) -> Result<(), String> {
        let request = request(operation);
        let key = self
            .extractor
            .key(&request)
            .map_err(|fault| fault.to_string())?;
        let server = match operation["open"].as_str() {
            Some(id) => {
                let server = self.picker.open(key.borrow());
                self.held.insert(id.to_owned(), server);
                server
            }
            None => self.picker.pick(key.borrow()),
        };
        // nginx answers 502 itself, HAProxy 503 or by closing the connection.
        let error = match (self.backend.name.as_str(), self.backend.layer) {
            ("u", _) => "ERR 502",
            (_, Layer::Tcp) => "ERR closed",
            _ => "ERR 503",
        };
        self.given.push(
            server
                .map_or(error, |server| &self.answers[server])
                .to_owned(),
        );
        let tried = self.picker.tried().iter();
        self.attempts.push(
            tried
                .map(|server| self.backend.servers[*server].name.to_string())
                .collect(),
        );
        Ok(())
    }

    /// `set server be/NAME state maint|ready` and `set weight be/NAME N[%]`.
    fn command(&mut self, command: &str) -> Result<(), String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let name = words[2].trim_start_matches("be/");
        let server = self
            .backend
            .servers
            .iter()
            .position(|server| server.name == name);
        let server = server.ok_or("an unknown server")?;
        match words.as_slice() {
            ["set", "server", _, "state", state] => {
                let changed = self.picker.set_down(server, *state == "maint");
                changed.map_err(|fault| fault.to_string())
            }
            ["set", "weight", _, weight] => {
                let change = match weight.strip_suffix('%') {
                    Some(percent) => WeightChange::Percent(percent.parse().expect("a number")),
                    None => WeightChange::To(weight.parse().expect("a number")),
                };
                self.picker
                    .set_weight(server, change)
                    .map_err(|fault| fault.to_string())
            }
            _ => Err(format!("unknown command `{command}`")),
        }
    }
}

fn cookie(given: &Value) -> Option<(String, String)> {
    let (name, value) = given.as_object()?.iter().next()?;
    Some((name.clone(), value.as_str().expect("text").to_owned()))
}

fn request(operation: &Value) -> Request {
    let mut headers = Vec::new();
    let given = operation["headers"].as_object();
    for (name, value) in given.into_iter().flatten() {
        let values = value
            .as_array()
            .map_or_else(|| vec![value.clone()], Clone::clone);
        let lines = values
            .iter()
            .map(|value| value.as_str().expect("text").to_owned());
        headers.extend(lines.map(|line| (name.clone(), line)));
    }
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        headers.push(("Host".into(), "t.example".into()));
    }
    let sources = ["xff", "proxy", "src"];
    let source = sources.iter().find_map(|field| operation[*field].as_str());
    let source: IpAddr = source.unwrap_or("127.0.0.1").parse().expect("an address");
    Request {
        uri: operation["get"]
            .as_str()
            .filter(|uri| !uri.is_empty())
            .unwrap_or("/")
            .into(),
        headers,
        source: Some(source),
        rdp_cookie: cookie(&operation["rdp"]),
        ..Request::default()
    }
}
