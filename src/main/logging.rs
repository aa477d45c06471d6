//! The log: which lines, in which format, to standard error.

use std::io::{self, Write};

use ss_exporter::cli::{LogFormat, LogLevel};
use ss_exporter::terminal::{inert_json, inert_lines};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::stderr;

/// Logs to standard error from now on.
pub fn log_to_stderr(level: LogLevel, format: LogFormat) {
    let level = match level {
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
    match format {
        LogFormat::Logfmt => {
            let format =
                tracing_logfmt::builder().with_target(false).layer().with_writer(|| Inert(inert_lines));
            registry.with(format).init();
        }
        LogFormat::Json => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(|| Inert(inert_json))).init();
        }
    }
}

/// Standard error, which gets whole lines that do not act on a terminal.
struct Inert(fn(&str) -> String);

impl Write for Inert {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let inert = (self.0)(&String::from_utf8_lossy(line));
        stderr::line(inert.as_bytes());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
