//! All that `lbaudit check` and `lbaudit model` do with one file, in memory.

use lbaudit::audit::{Audit, Terms};
use lbaudit::discover::{Discovery, Root};
use lbaudit::engine::{Input, Options};
use lbaudit::model::Engine;
use lbaudit::report::{self, Format, Report, Style};
use lbaudit::settings::Settings;
use lbaudit::suppress;

/// More servers and weight than this take seconds (a template of 100,000 slots, rings of millions of
/// points) and show nothing that less does not: such an input is read, and no more.
const MOST_WORK: u64 = 3000;

/// Reads `bytes` as a configuration of `engine`, runs every rule and writes one of the formats.
pub fn run(engine: Engine, bytes: &[u8]) {
    let input = Input {
        name: "fuzz.cfg".to_owned(),
        path: None,
        bytes: bytes.to_vec(),
    };
    let root = Root {
        engine,
        inputs: vec![input],
        walked: None,
        name: None,
    };
    let found = Discovery {
        roots: vec![root],
        ..Discovery::default()
    };
    let mut audit = Audit::load(found, &Options::default());
    if work(&audit) > MOST_WORK {
        return;
    }
    let today = jiff::civil::date(2026, 1, 1);
    let settings = Settings::default();
    let judged = audit.judge(Terms::in_full(&settings, today));
    let findings = suppress::apply(&audit, judged, today);
    let report = Report::new(&audit, &findings.kept, findings.suppressed.len());
    let (format, color) = format_for(bytes);
    let style = Style {
        color,
        width: 80,
        verbose: true,
    };
    let mut out = Vec::new();
    report::check::write(&report, format, style, &mut out).expect("memory can be written");
    if !color {
        assert_clean(&out);
    }
    report::model::write(&audit, format, style, &mut Vec::new()).expect("memory can be written");
}

/// The number of servers and their weights together.
fn work(audit: &Audit) -> u64 {
    let instances = audit.instances.iter().flat_map(|audited| &audited.variants);
    let backends = instances.flat_map(|instance| &instance.backends);
    let servers = backends.flat_map(|backend| &backend.servers);
    servers
        .map(|server| 1 + u64::from(server.weight.value))
        .sum()
}

/// Each input is written in one format; over many inputs every format has its turn.
fn format_for(bytes: &[u8]) -> (Format, bool) {
    match bytes.len() % 3 {
        0 => (Format::Text, true),
        1 => (Format::Text, false),
        _ => (Format::Json, false),
    }
}

/// No control character of a configuration reaches the terminal.
fn assert_clean(out: &[u8]) {
    let text = std::str::from_utf8(out).expect("reports are UTF-8");
    let clean = |c: char| !c.is_control() || c == '\n';
    assert!(text.chars().all(clean), "{text:?}");
}
