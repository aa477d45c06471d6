//! The log: which lines, in which format, to standard error.
//!
//! Refuses to know what is logged.

use std::io;

use ss_exporter::cli::{Cli, LogFormat, LogLevel};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Logs to standard error from now on.
pub fn log_to_stderr(cli: &Cli) {
    let level = match cli.log_level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    // Libraries speak of their own affairs below warnings.
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("ss_exporter", level)
        .with_target("prometheus_ss_exporter", level);
    let registry = tracing_subscriber::registry().with(filter);
    match cli.log_format {
        LogFormat::Logfmt => {
            let format = tracing_logfmt::builder().with_target(false).layer().with_writer(io::stderr);
            registry.with(format).init();
        }
        LogFormat::Json => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(io::stderr)).init();
        }
    }
}
