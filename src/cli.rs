//! The command line: what can be asked of the program.

mod config;
mod names;
mod output;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

pub use config::ConfigCommand;
use output::OutputParser;
pub use output::{FormatName, OutputArg};

use crate::finding::Severity;
use crate::model::{Engine, Version};
use crate::report::SCHEMAS;

const AFTER_HELP: &str = "\
Exit status:
  0  nothing at or above --fail-on, which is `warning` by default
  1  findings at or above it, or a change beyond a limit of `diff`
  2  the work could not be done: unreadable input, a wrong argument
  3  no input was found

Files:
  lbaudit.toml              settings, of the nearest folder from the working folder upward
  /etc/haproxy/haproxy.cfg  audited where no path is named
  /etc/nginx/nginx.conf     audited where no path is named

Environment:
  LBAUDIT_CONFIG            settings file, where --config names none
  NO_COLOR, CLICOLOR_FORCE  never or always colours, where --color says nothing";

/// Audits HAProxy and nginx load balancer configurations.
///
/// Reads them into one model, computes where traffic really goes, and reports what would send it to
/// the wrong place.
#[derive(Debug, Parser)]
#[command(
    name = "lbaudit",
    version,
    max_term_width = 100,
    propagate_version = true,
    after_long_help = AFTER_HELP
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Is this configuration safe? Reports what would send traffic to the wrong place
    Check(CheckArgs),
    /// Where does the traffic go, and where when a server dies? Prints each server's share
    Shares(SharesArgs),
    /// Which servers would the proxy pick? Replays requests or keys from a fresh start
    Pick(PickArgs),
    /// What does this change do to the traffic? Compares two configurations, or the working tree with
    /// a git revision
    Diff(DiffArgs),
    /// What does lbaudit read in it? Prints the normalized model
    Model(InputArgs),
    /// What does this finding mean, and what do I do now? Prints the page of a rule
    Explain {
        /// Name of the rule, as it stands in a finding
        #[arg(value_parser = names::Rules, hide_possible_values = true)]
        rule: String,
    },
    /// Lists the rules
    Rules,
    /// Writes, shows and describes the settings file, lbaudit.toml
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the JSON Schema of what a command writes with --format json, of the baseline or of
    /// lbaudit.toml
    Schema {
        /// Name of the command, `baseline` or `config`
        #[arg(value_parser = schema_names())]
        name: String,
    },
    /// Prints the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, or writes those of all commands to a folder
    Man {
        /// The folder
        folder: Option<PathBuf>,
    },
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Settings file [env: `LBAUDIT_CONFIG`]; the nearest lbaudit.toml from the working folder upward
    /// by default
    // Not read by clap, for which a variable is as good as a flag: `--no-config` would conflict with it.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Use no settings file
    #[arg(
        long,
        global = true,
        conflicts_with = "config",
        help_heading = "Settings"
    )]
    pub no_config: bool,
    /// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are honoured
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub color: ColorWhen,
    /// Output format [default: text]; NAME=FILE writes it to FILE, whole or not at all, and may be
    /// given several times
    #[arg(
        long,
        global = true,
        value_name = "NAME[=FILE]",
        value_parser = OutputParser,
        help_heading = "Output"
    )]
    pub format: Vec<OutputArg>,
    /// Write to FILE, whole or not at all, instead of standard output
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Print less: nothing when nothing is at or above --fail-on, of picks only how many each server
    /// got
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Output"
    )]
    pub quiet: bool,
    /// Print more: every finding with its lines, files that were skipped, values that are unknown
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal that can show them.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which configurations to read, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct InputArgs {
    /// Files, folders (walked) or `-` for standard input; without any, /etc/haproxy/haproxy.cfg and
    /// /etc/nginx/nginx.conf where they exist
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Engine of the configurations; told from their content by default
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = parse_engine, help_heading = "Reading")]
    pub engine: EngineChoice,
    /// One HAProxy instance of several files: a folder (its files in lexical order) or
    /// comma-separated files in order
    #[arg(long, value_name = "DIR|FILES", help_heading = "Reading")]
    pub instance: Vec<String>,
    /// HAProxy branch whose defaults apply [default: 2.6]
    #[arg(long, value_name = "X.Y", help_heading = "Reading")]
    pub haproxy_version: Option<Version>,
    /// nginx release whose defaults apply [default: 1.22.1]
    #[arg(long, value_name = "X.Y.Z", help_heading = "Reading")]
    pub nginx_version: Option<Version>,
    /// The configurations are for commercial nginx
    #[arg(long, help_heading = "Reading")]
    pub nginx_plus: bool,
    /// nginx: the folder that relative paths are relative to; the root file's folder by default
    #[arg(long, value_name = "DIR", help_heading = "Reading")]
    pub prefix: Option<PathBuf>,
    /// Value of an environment variable the configuration uses
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_variable, help_heading = "Reading")]
    pub env: Vec<(String, String)>,
    /// File with NAME=VALUE lines
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub env_file: Vec<PathBuf>,
    /// Take environment variables from this process
    #[arg(long, help_heading = "Reading")]
    pub use_env: bool,
    /// What templates (Jinja, ERB, Go) do to the exit status; they are never audited. By default one
    /// that is named is an error, and one in a walked folder is skipped
    #[arg(long, value_enum, help_heading = "Reading")]
    pub templates: Option<Templates>,
    /// Leave out paths that match this glob when walking a folder
    #[arg(long, value_name = "GLOB", help_heading = "Reading")]
    pub exclude: Vec<String>,
}

/// What templates do to the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Templates {
    /// Nothing: they are counted.
    Skip,
    /// They make it 2.
    Error,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Which findings.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Lowest severity that makes the exit status 1 [default: warning]
    #[arg(long, value_enum)]
    pub fail_on: Option<Severity>,
    /// Exit with 0 even when there are findings
    #[arg(long)]
    pub exit_zero: bool,
    /// Report only what is new since this git revision, or about objects that changed since
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// Report only what is not in this baseline, or worse than there
    #[arg(long, value_name = "FILE", help_heading = "Findings")]
    pub baseline: Option<PathBuf>,
    /// Write the findings to the file of --baseline, and exit with 0
    #[arg(
        long,
        requires = "baseline",
        conflicts_with = "since",
        help_heading = "Findings"
    )]
    pub write_baseline: bool,
    /// Write metrics to FILE for the textfile collector of Prometheus' `node_exporter`
    #[arg(long, value_name = "FILE", help_heading = "Metrics")]
    pub metrics_file: Option<PathBuf>,
    /// Most series of findings, shares and weights in the metrics file
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20_000,
        requires = "metrics_file",
        help_heading = "Metrics"
    )]
    pub metrics_max_series: usize,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(
    override_usage = "lbaudit diff [OPTIONS] OLD NEW\n       lbaudit diff [OPTIONS] --git REV [PATH]...",
    mut_arg("paths", |paths| paths.value_names(["OLD NEW"]).help(
        "The two configurations: files, folders (walked) or `-`; with --git the paths to compare, \
         the working folder by default"
    ))
)]
pub struct DiffArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Compare the working tree with this git revision
    #[arg(long, value_name = "REV")]
    pub git: Option<String>,
    /// Exit with 1 when any server's share moves by more than this many percent of its backend
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    pub max_shift: Option<f64>,
    /// Exit with 1 when more than this many percent of the keys of a hash change their server
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    pub max_moved: Option<f64>,
    /// Lowest severity of an introduced finding that makes the exit status 1 [default: warning]
    #[arg(long, value_enum)]
    pub fail_on: Option<Severity>,
    /// Exit with 0 whatever changed
    #[arg(long)]
    pub exit_zero: bool,
}

/// Arguments of `shares`.
#[derive(Debug, Args)]
pub struct SharesArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Show only the backends of this name
    #[arg(long, value_name = "NAME")]
    pub backend: Vec<String>,
    /// Show what happens without this server; several are out together
    #[arg(long, value_name = "SERVER", conflicts_with = "each_failure")]
    pub down: Vec<String>,
    /// Show what every single failure does, not just the worst one
    #[arg(long)]
    pub each_failure: bool,
    /// Length of all hash keys in bytes, for an nginx `hash` with servers out: keys of one length then
    /// spread in another way than those of all lengths together
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u16).range(1..))]
    pub key_length: Option<u16>,
    /// What names stand for.
    #[command(flatten)]
    pub names: NameArgs,
    /// Traffic of a backend, in any unit, for the share of each address over all backends; those that
    /// are not named then count with none. Without it every backend that a route leads to counts with
    /// the same
    #[arg(long, value_name = "BACKEND=RATE", value_parser = parse_demand)]
    pub demand: Vec<(String, f64)>,
}

/// Arguments of `pick`.
#[derive(Debug, Args)]
pub struct PickArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// The backend
    #[arg(long, value_name = "NAME")]
    pub backend: String,
    /// What names stand for.
    #[command(flatten)]
    pub names: NameArgs,
    /// Take this server out first: HAProxy knows that it is down, nginx finds out by trying it
    #[arg(long, value_name = "SERVER")]
    pub down: Vec<String>,
    /// What is sent.
    #[command(flatten)]
    pub requests: RequestArgs,
}

/// What a resolver would answer.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Addresses that a host name of servers stands for, in the order of the resolver; nothing is
    /// looked up. nginx makes a server of each one; HAProxy takes the first, servers with `resolvers`
    /// one each
    #[arg(long, value_name = "NAME=ADDR,...", value_parser = parse_answer, help_heading = "Reading")]
    pub resolve: Vec<(String, Vec<IpAddr>)>,
}

/// The requests of `pick`: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct RequestArgs {
    /// This many equal requests for /
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// One request for each of these hash keys: text, or an address for `source` and `ip_hash`; of a
    /// whole target or header value the proxy's part is taken
    #[arg(long, value_name = "KEY", num_args = 1..)]
    pub key: Vec<String>,
    /// File with one hash key a line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// File with a request or an event a line, as JSON; `-` for standard input
    ///
    /// A request has any of "uri", "method", "scheme", "headers", "src", "rdp" (a cookie) and "repeat", or
    /// "open" with a name under which it stays open until {"close":NAME}. One that a full server makes wait gets
    /// no server: nothing ends while it waits. Events are {"down":SERVER}, {"up":SERVER},
    /// {"weight":SERVER,"value":"50%"}, and for nginx {"wait":"10s"}, which lets `fail_timeout` pass
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
}

/// Which findings are wanted.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Findings")]
pub struct SelectionArgs {
    /// Report only these rules or categories
    #[arg(long, value_name = "RULE|CATEGORY", value_delimiter = ',', value_parser = names::RulesAndCategories, hide_possible_values = true)]
    pub select: Vec<String>,
    /// Do not report these rules or categories
    #[arg(long, value_name = "RULE|CATEGORY", value_delimiter = ',', value_parser = names::RulesAndCategories, hide_possible_values = true)]
    pub ignore: Vec<String>,
    /// Report nothing below this severity
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub min_severity: Option<Severity>,
}

/// A fixed engine, or whichever the content shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// By content.
    #[default]
    Auto,
    /// This one.
    Fixed(Engine),
}

impl EngineChoice {
    /// The engine, where one is fixed.
    pub fn fixed(self) -> Option<Engine> {
        match self {
            Self::Auto => None,
            Self::Fixed(engine) => Some(engine),
        }
    }
}

fn schema_names() -> PossibleValuesParser {
    let names = SCHEMAS.iter().map(|schema| schema.name);
    PossibleValuesParser::new(names.chain(["config"]))
}

fn parse_engine(text: &str) -> Result<EngineChoice, String> {
    match text {
        "auto" => Ok(EngineChoice::Auto),
        "haproxy" => Ok(EngineChoice::Fixed(Engine::Haproxy)),
        "nginx" => Ok(EngineChoice::Fixed(Engine::Nginx)),
        _ => Err("expected auto, haproxy or nginx".to_owned()),
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

/// The rate stands behind the last `=`: names may have one too.
fn parse_demand(text: &str) -> Result<(String, f64), String> {
    let fault = || "expected BACKEND=RATE, with a rate such as 1200 or 0.5".to_owned();
    let (name, rate) = text.rsplit_once('=').ok_or_else(fault)?;
    match rate.parse::<f64>() {
        Ok(rate) if !name.is_empty() && rate.is_finite() && rate >= 0.0 => {
            Ok((name.to_owned(), rate))
        }
        _ => Err(fault()),
    }
}

fn parse_answer(text: &str) -> Result<(String, Vec<IpAddr>), String> {
    let fault = || "expected NAME=ADDR,ADDR with IP addresses".to_owned();
    let (name, addresses) = text.split_once('=').ok_or_else(fault)?;
    let addresses: Result<Vec<IpAddr>, _> = addresses.split(',').map(str::parse).collect();
    match addresses {
        Ok(addresses) if !name.is_empty() => Ok((name.to_ascii_lowercase(), addresses)),
        _ => Err(fault()),
    }
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
