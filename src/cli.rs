//! Flags and environment, in the spellings of both generations of the predecessor.
//!
//! Refuses to know what is done with them.

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub use sockets::{IpFamily, ProtocolFlags, SocketsArguments, StateFlags, TableFlags};

/// The port of the predecessor.
pub const DEFAULT_PORT: u16 = 8020;

/// Where the predecessor's container mounts the configuration.
const MOUNT: &str = "/exporter";

/// The variables that are read, and the flags that they stand for.
const ENVIRONMENT: [(&str, &str); 3] =
    [("PORT", "--port"), ("CONFIG_FILE", "--config"), ("LOG_LEVEL", "--log-level")];

/// What `ss -tinp` shows, as Prometheus metrics.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(
    name = "prometheus_ss_exporter",
    version,
    disable_version_flag = true,
    args_override_self = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Port to listen on, on all IPv4 and IPv6 addresses [env: PORT]
    #[arg(short, long, default_value_t = DEFAULT_PORT, value_parser = port)]
    pub port: u16,

    /// Address to listen on in place of --port, such as 127.0.0.1:8020 or :8020; IPv6 in brackets, a link-local address with %
    /// and its interface; may be repeated
    #[arg(long = "web.listen-address", value_name = "ADDRESS", value_parser = address::listen_address)]
    pub listen_addresses: Vec<Listen>,

    /// Listen on the sockets of a systemd socket unit, in place of --port and --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,

    /// HTTP path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = telemetry_path)]
    pub telemetry_path: String,

    /// Max scrapes that wait for a collection at the same time, 0 for no limit; further ones get status 503
    #[arg(long = "web.max-requests", value_name = "N", default_value_t = 40)]
    pub max_requests: usize,

    /// Leave out the standard metrics of the exporter's process (process_*)
    #[arg(long = "web.disable-exporter-metrics")]
    pub disable_exporter_metrics: bool,

    /// Reload the configuration on POST /-/reload, as on SIGHUP
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,

    /// Open the live page / and /api/v1/sockets to every client that may read the metrics, not only to this host
    #[arg(long = "web.enable-sockets-api")]
    pub enable_sockets_api: bool,

    /// File with TLS, passwords, headers and a rate limit, in the format of exporter-toolkit; see docs/guides/tls.md
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config: Option<PathBuf>,

    /// Configuration file; without it, the built-in default is active [env: CONFIG_FILE]
    #[arg(short, long = "config", visible_aliases = ["cnfg", "config.file"], value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Leave the predecessor's metrics (tcp_*) out of the built-in default; in a file, write `legacy: false`
    #[arg(long, global = true)]
    pub no_legacy: bool,

    /// Check the configuration, print all its errors or the maximum number of series, and exit
    #[arg(long = "config.check", visible_alias = "check-config", group = "mode")]
    pub check: bool,

    /// Write the built-in default, with comments, to a new file, or to standard output for -, and exit
    #[arg(long, value_name = "FILE", group = "mode")]
    pub create_config: Option<PathBuf>,

    /// Collect once, print the metrics and exit; counters and histograms of aggregated views need two collections and are
    /// left out
    #[arg(long, group = "mode")]
    pub once: bool,

    /// With --once, collect again after so many seconds, so that there are counters and histograms of what happened meanwhile;
    /// those of connections that closed are left out
    #[arg(long, value_name = "SECONDS", requires = "once", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: Option<u64>,

    /// Ask the exporter that runs with the same flags whether it is healthy, and exit
    #[arg(long, group = "mode")]
    pub healthcheck: bool,

    /// Minimum level to log: debug, info, warn or error; any other word means info [env: LOG_LEVEL]
    #[arg(long = "log-level", visible_alias = "log.level", default_value = "info", value_name = "LEVEL", value_parser = log_level, global = true)]
    pub log_level: LogLevel,

    /// Format of the log; with json, errors that end the program are JSON as well
    #[arg(long = "log.format", default_value = "logfmt", global = true)]
    pub log_format: LogFormat,

    /// Print the version and exit
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// Command to run in place of the exporter
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// What the program does in place of serving.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Task {
    /// Measure this host and print how many series and bytes the configuration produces, and how many new rows per hour
    Estimate {
        /// Seconds for which to count connections that open and close
        #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: u64,

        /// Print JSON
        #[arg(long)]
        json: bool,

        /// Exit with code 3 if a scrape has more series
        #[arg(long, value_name = "N")]
        max_series: Option<u64>,

        /// Only views of these protocols, separated by commas, such as udp,unix
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        protocol: Vec<String>,
    },

    /// List the sockets of this host, as ss -tinp does, or as ss does with other flags
    Sockets(SocketsArguments),

    /// Watch sockets on the whole terminal: rates, round-trip times and what limits each connection
    Top(TopArguments),
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On every address of either family.
    Any(u16),
    /// On one address.
    At(SocketAddr),
}

impl Listen {
    /// Whether a listener at this address accepts what arrives at that one.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any(port), Self::Any(other)) => port == other,
            (Self::Any(port), Self::At(other)) => *port == other.port(),
            (Self::At(at), Self::Any(port)) => at.ip() == Ipv6Addr::UNSPECIFIED && at.port() == *port,
            (Self::At(at), Self::At(other)) => {
                let accepts_all =
                    at.ip() == Ipv6Addr::UNSPECIFIED || (at.ip() == Ipv4Addr::UNSPECIFIED && other.is_ipv4());
                at == other || (accepts_all && at.port() == other.port())
            }
        }
    }
}

/// How severe a message must be to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens in normal operation, and worse.
    Info,
    /// What deserves a look, and worse.
    Warn,
    /// What does not work.
    Error,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Pairs of key and value.
    Logfmt,
    /// A JSON object a line.
    Json,
}

impl LogFormat {
    /// The format that arguments name, even if others of them are wrong.
    #[must_use]
    pub fn named_by(arguments: &[OsString]) -> Self {
        let words: Vec<_> = arguments.iter().map(with_equals_sign).collect();
        let json = words.iter().any(|word| word == "--log.format=json")
            || words.windows(2).any(|pair| pair == ["--log.format", "json"]);
        if json { Self::Json } else { Self::Logfmt }
    }
}

impl Cli {
    /// Reads arguments, the program's name first, over the environment; an empty variable is none.
    ///
    /// # Errors
    /// What clap says of them, which includes the texts of `--help` and `--version`.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, clap::Error> {
        let mut arguments = arguments.into_iter();
        let program = arguments.next().unwrap_or_else(|| "prometheus_ss_exporter".into());
        let mut rest: Vec<OsString> = arguments.map(|argument| with_equals_sign(&argument)).collect();
        // The predecessor's manifests give the program's path as first argument.
        if rest
            .first()
            .is_some_and(|first| Path::new(first).file_name() == Some("prometheus_ss_exporter".as_ref()))
        {
            rest.remove(0);
        }
        let variables = ENVIRONMENT.iter().filter_map(|(variable, flag)| {
            let value = environment(variable).filter(|value| !value.is_empty())?;
            let mut argument = OsString::from(format!("{flag}="));
            argument.push(value);
            Some((*variable, argument))
        });
        let mut defaults = Vec::new();
        for (variable, default) in variables {
            Self::try_parse_from([&program, &default]).map_err(|error| {
                let error = error.to_string();
                let detail =
                    error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Self::command()
                    .error(ErrorKind::ValueValidation, format!("environment variable {variable}: {detail}"))
            })?;
            defaults.push(default);
        }
        // A later flag overrides an earlier one, so that the arguments override the environment.
        Self::try_parse_from(std::iter::once(program).chain(defaults).chain(rest))
            .map_err(refusal::explained)
            .and_then(refusal::of_two_modes)
    }

    /// Where to listen: the addresses given, else every address with the port given.
    ///
    /// An address that another one covers is left out: `[::]` takes IPv4 too.
    #[must_use]
    pub fn listen(&self) -> Vec<Listen> {
        let mut places: Vec<Listen> = Vec::new();
        for place in &self.listen_addresses {
            if !places.iter().any(|other| other.covers(place)) {
                places.retain(|other| !place.covers(other));
                places.push(*place);
            }
        }
        if places.is_empty() { vec![Listen::Any(self.port)] } else { places }
    }

    /// Where the configuration may be, in the order in which it is looked for.
    ///
    /// A file that is not found as given is looked for where the predecessor's container mounts it.
    #[must_use]
    pub fn config_candidates(&self) -> Vec<PathBuf> {
        let Some(given) = &self.config else { return Vec::new() };
        let mut candidates = vec![given.clone()];
        if given.is_relative() {
            candidates.push(Path::new(MOUNT).join(given));
        }
        candidates.extend(given.file_name().map(|name| Path::new(MOUNT).join(name)));
        candidates.dedup();
        candidates
    }
}

/// `--name:value` and `-n:value`, as the predecessor's 3.x wants them, with an equals sign.
fn with_equals_sign(argument: &OsString) -> OsString {
    let Some(text) = argument.to_str().filter(|text| text.starts_with('-')) else { return argument.clone() };
    match text.split_once(':') {
        Some((name, value)) if !name.contains('=') => format!("{name}={value}").into(),
        _ => argument.clone(),
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a port from 0 to 65535".into())
}

/// As the predecessor had it, a level without a name here is `info`.
#[expect(clippy::unnecessary_wraps, reason = "clap's signature")]
fn log_level(text: &str) -> Result<LogLevel, Infallible> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "debug" => LogLevel::Debug,
        "warn" | "warning" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Info,
    })
}

/// A path that is none of the others, of characters that neither a URL nor a page would have to escape.
fn telemetry_path(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let taken =
        ["/", "/api/v1/sockets", "/config", "/health", "/-/healthy", "/-/ready", "/-/reload"].contains(&text);
    if text.starts_with('/') && !taken && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err("expected a path such as /metrics, of letters, digits and / - . _ ~, that the exporter does not use otherwise".into())
}

mod address;
mod refusal;
mod sockets;
#[cfg(test)]
mod tests;
mod top;

pub use top::TopArguments;
