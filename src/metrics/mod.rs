//! Metrics of a run, for the textfile collector of Prometheus' `node_exporter`.
//!
//! In: an audit with its findings, and the file of the run before. Out: the file's new text. After a
//! run that failed, the samples of the run before stay, so that an alert on a share does not vanish
//! with the file that could not be read.

mod collect;
mod old;

use std::path::Path;

use prometheus::TextEncoder;
use prometheus::proto::{Gauge, LabelPair, Metric, MetricFamily, MetricType};

pub use collect::samples;

use crate::error::Error;
use crate::report::write_file_atomically;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    BackendWorstFailureShare,
    ConfigInfo,
    Findings,
    LastRunDuration,
    LastRunSuccess,
    LastRunTimestamp,
    SeriesLeftOut,
    ServerShare,
    ServerWeight,
    ServersUnchecked,
}

impl Name {
    const ALL: [Self; 10] = [
        Self::BackendWorstFailureShare,
        Self::ConfigInfo,
        Self::Findings,
        Self::LastRunDuration,
        Self::LastRunSuccess,
        Self::LastRunTimestamp,
        Self::SeriesLeftOut,
        Self::ServerShare,
        Self::ServerWeight,
        Self::ServersUnchecked,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::BackendWorstFailureShare => "lbaudit_backend_worst_failure_share",
            Self::ConfigInfo => "lbaudit_config_info",
            Self::Findings => "lbaudit_findings",
            Self::LastRunDuration => "lbaudit_last_run_duration_seconds",
            Self::LastRunSuccess => "lbaudit_last_run_success",
            Self::LastRunTimestamp => "lbaudit_last_run_timestamp_seconds",
            Self::SeriesLeftOut => "lbaudit_metrics_series_left_out",
            Self::ServerShare => "lbaudit_server_share",
            Self::ServerWeight => "lbaudit_server_weight",
            Self::ServersUnchecked => "lbaudit_servers_unchecked",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::BackendWorstFailureShare => {
                "Largest share of one server after the worst failure of one other server; 0 where none is left."
            }
            Self::ConfigInfo => "Always 1; the hash changes with any byte of the configuration.",
            Self::Findings => "Number of findings that are reported.",
            Self::LastRunDuration => "How long the last run took.",
            Self::LastRunSuccess => {
                "Whether the last run could audit everything; findings are no failure."
            }
            Self::LastRunTimestamp => "When the last run ended, in seconds since 1970.",
            Self::SeriesLeftOut => "Series that --metrics-max-series left out.",
            Self::ServerShare => {
                "Expected share of the traffic of the backend while every server is up."
            }
            Self::ServerWeight => "Effective weight.",
            Self::ServersUnchecked => "Usable servers whose health nothing watches.",
        }
    }

    /// Whether it is about the run, not about what was audited.
    fn is_of_run(self) -> bool {
        match self {
            Self::LastRunDuration | Self::LastRunSuccess | Self::LastRunTimestamp => true,
            Self::BackendWorstFailureShare
            | Self::ConfigInfo
            | Self::Findings
            | Self::SeriesLeftOut
            | Self::ServerShare
            | Self::ServerWeight
            | Self::ServersUnchecked => false,
        }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    name: Name,
    labels: Vec<(String, String)>,
    value: f64,
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunFacts {
    /// When it ended, in seconds since 1970.
    pub ended: f64,
    /// How long it took, in seconds.
    pub duration: f64,
}

/// Writes the metrics file: `samples` of a run that succeeded, or with `None` those of the file as it
/// is.
pub fn write(path: &Path, samples: Option<Vec<Sample>>, facts: RunFacts) -> Result<(), Error> {
    let succeeded = samples.is_some();
    let mut samples = samples.unwrap_or_else(|| old::read(path));
    for (name, value) in [
        (Name::LastRunTimestamp, facts.ended),
        (Name::LastRunDuration, facts.duration),
        (Name::LastRunSuccess, f64::from(u8::from(succeeded))),
    ] {
        samples.push(Sample {
            name,
            labels: Vec::new(),
            value,
        });
    }
    let fault = |fault: prometheus::Error| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(fault),
    };
    let text = TextEncoder::new().encode_to_string(&families(samples));
    write_file_atomically(path, text.map_err(fault)?.as_bytes())
}

/// The samples as families with their help, in the order of their names.
fn families(samples: Vec<Sample>) -> Vec<MetricFamily> {
    let mut metrics: Vec<(Name, Vec<Metric>)> = Name::ALL
        .map(|name| (name, Vec::new()))
        .into_iter()
        .collect();
    for sample in samples {
        let family = metrics.iter_mut().find(|(name, _)| *name == sample.name);
        if let Some((_, family)) = family {
            family.push(metric(sample));
        }
    }
    let filled = metrics
        .into_iter()
        .filter(|(_, metrics)| !metrics.is_empty());
    filled
        .map(|(name, metrics)| family(name, metrics))
        .collect()
}

fn family(name: Name, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.as_str().to_owned());
    family.set_help(name.help().to_owned());
    family.set_field_type(MetricType::GAUGE);
    family.set_metric(metrics);
    family
}

fn metric(sample: Sample) -> Metric {
    let labels = sample.labels.into_iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name);
        pair.set_value(value);
        pair
    });
    let mut metric = Metric::from_label(labels.collect());
    let mut gauge = Gauge::default();
    gauge.set_value(sample.value);
    metric.set_gauge(gauge);
    metric
}
