//! The samples of a metrics file that an earlier run wrote.

use std::path::Path;

use super::{Name, Sample};

/// The samples about what was audited. What is not understood is left out: the file may be damaged,
/// and then it must not make the new one invalid.
pub(super) fn read(path: &Path) -> Vec<Sample> {
    let Ok(bytes) = std::fs::read(path) else {
        // The first run, or a file that cannot be read: then there are no last known values.
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut samples: Vec<Sample> = text.lines().filter_map(parse).collect();
    samples.retain(|sample| !sample.name.is_of_run());
    let key = |sample: &Sample| (sample.name, sample.labels.clone());
    // Stable, so that of equal series the first one stays: twice the same makes a file invalid.
    samples.sort_by_cached_key(key);
    samples.dedup_by(|next, kept| next.name == kept.name && next.labels == kept.labels);
    samples
}

/// One line: `name{label="value",…} number`.
fn parse(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let name = Name::ALL.into_iter().find(|known| known.as_str() == name)?;
    let mut labels = Vec::new();
    let rest = match rest.strip_prefix('{') {
        Some(mut rest) => loop {
            let (label, after) = label(rest)?;
            labels.push(label);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => break after.strip_prefix('}')?,
            }
        },
        None => rest,
    };
    let value: f64 = rest.trim().parse().ok()?;
    value.is_finite().then_some(Sample {
        name,
        labels,
        value,
    })
}

/// `name="value"` at the start of `text`, and what is behind it.
fn label(text: &str) -> Option<((String, String), &str)> {
    let (name, rest) = text.split_once("=\"")?;
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let mut value = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    is_name(name).then(|| ((name.to_owned(), value), chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_as_they_are_written() {
        let line = r#"lbaudit_server_share{backend="a\\b\"c,}",instance="x\ny",server="s"} 0.25"#;
        let sample = parse(line).unwrap();
        assert_eq!(sample.name, Name::ServerShare);
        let labels: Vec<&str> = sample.labels.iter().map(|(_, value)| &**value).collect();
        assert_eq!(labels, ["a\\b\"c,}", "x\ny", "s"]);
        assert!((sample.value - 0.25).abs() < f64::EPSILON);
        assert!(parse("lbaudit_metrics_series_left_out 3").is_some());
    }

    #[test]
    fn what_is_no_sample_is_left_out() {
        for line in [
            "",
            "# TYPE lbaudit_findings gauge",
            "other_metric 1",
            "lbaudit_findings{rule=\"x\" 1",
            "lbaudit_findings{rule=\"x} 1",
            "lbaudit_findings{rule=\"x\"} many",
            "lbaudit_findings{rule=\"x\"} 1 1700000000000",
            "lbaudit_findings{ru le=\"x\"} 1",
            "lbaudit_findings{} 1",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
