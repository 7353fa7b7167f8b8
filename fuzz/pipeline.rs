//! All that `lbaudit check` and `lbaudit model` do with one file, in memory.

use lbaudit::audit::{Audit, Terms};
use lbaudit::discover::{Discovery, Root};
use lbaudit::engine::{Input, Options};
use lbaudit::model::Engine;
use lbaudit::report::{self, Format, Report, Style};
use lbaudit::settings::Settings;
use lbaudit::suppress;

/// Reads `bytes` as a configuration of `engine`, runs every rule and writes every format.
pub fn run(engine: Engine, bytes: &[u8]) {
    let input = Input {
        name: "fuzz.cfg".to_owned(),
        path: None,
        bytes: bytes.to_vec(),
    };
    let root = Root {
        engine,
        inputs: vec![input],
        walked: false,
    };
    let found = Discovery {
        roots: vec![root],
        ..Discovery::default()
    };
    let mut audit = Audit::load(found, &Options::default());
    let today = jiff::civil::date(2026, 1, 1);
    let terms = Terms {
        settings: &Settings::default(),
        today,
    };
    let judged = audit.judge(terms);
    let findings = suppress::apply(&audit, judged, today);
    let report = Report::new(&audit, &findings.kept, findings.suppressed.len());
    for (format, color) in [
        (Format::Text, true),
        (Format::Text, false),
        (Format::Json, false),
    ] {
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
        report::model::write(&audit, format, style, &mut Vec::new())
            .expect("memory can be written");
    }
}

/// No control character of a configuration reaches the terminal.
fn assert_clean(out: &[u8]) {
    let text = std::str::from_utf8(out).expect("reports are UTF-8");
    let clean = |c: char| !c.is_control() || c == '\n';
    assert!(text.chars().all(clean), "{text:?}");
}
