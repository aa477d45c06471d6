//! The log: which lines, in which format, to standard error.

use std::fmt::{Debug, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use ss_exporter::cli::{Cli, LogFormat, LogLevel};
use ss_exporter::terminal::{inert_json, inert_lines};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber, subscriber};

use crate::stderr;

/// Logs to standard error from now on.
pub fn log_to_stderr(cli: &Cli) {
    let level = match cli.log_level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let line = match cli.log_format {
        LogFormat::Logfmt => logfmt,
        LogFormat::Json => json,
    };
    // It fails if there is a log already.
    let _ = subscriber::set_global_default(Log { level, line, write: stderr::line });
}

/// Writes each event as a line that does not act on a terminal.
struct Log {
    level: LevelFilter,
    line: fn(&str, &Metadata<'_>, &Fields) -> String,
    write: fn(&[u8]),
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = (self.line)(&rfc3339(SystemTime::now()), event.metadata(), &fields);
        (self.write)(line.as_bytes());
    }

    // The program has events only.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The fields of an event; the first is its message.
#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }
}

/// `ts=... level=... message=... key=value`; quoted is what has spaces, quotes or `=`.
fn logfmt(time: &str, metadata: &Metadata<'_>, fields: &Fields) -> String {
    let mut line = format!("ts={time} level={}", metadata.level().as_str().to_ascii_lowercase());
    for (name, value) in &fields.0 {
        let needs_quotes = |letter| letter <= ' ' || matches!(letter, '=' | '"');
        // Writing to a String cannot fail.
        let _ = match value.as_str() {
            Some(text) if text.contains(needs_quotes) => write!(line, " {name}=\"{}\"", text.escape_debug()),
            Some(text) => write!(line, " {name}={text}"),
            None => write!(line, " {name}={value}"),
        };
    }
    line.push('\n');
    inert_lines(&line)
}

/// One object a line, its fields in an object of their own.
fn json(time: &str, metadata: &Metadata<'_>, fields: &Fields) -> String {
    let fields: Vec<_> = fields.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let (level, target, fields) = (metadata.level(), metadata.target(), fields.join(","));
    let line =
        format!(r#"{{"timestamp":"{time}","level":"{level}","fields":{{{fields}}},"target":"{target}"}}"#);
    inert_json(&line) + "\n"
}

/// The time in UTC, to the microsecond (RFC 3339).
fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", since.subsec_micros())
}

/// Year, month and day, so many days after 1970-01-01. It counts years from March, so that a leap day is the last of its year.
const fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days + DAYS_TO_1970;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    (era * 400 + year + is_next_year as u64, if is_next_year { month - 9 } else { month + 3 }, day)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    static LINES: Mutex<String> = Mutex::new(String::new());

    #[test]
    fn a_line_has_its_fields_in_both_formats_and_nothing_in_it_acts_on_a_terminal() {
        let write = |line: &[u8]| LINES.lock().expect("one thread").push_str(&String::from_utf8_lossy(line));
        for line in [logfmt, json] {
            subscriber::with_default(Log { level: LevelFilter::WARN, line, write }, || {
                let path = "a b\u{1b}[31m\n\u{202e}\"";
                tracing::info!(target: "t", "nothing of it");
                tracing::warn!(target: "t", path, count = 3_u64, fast = true, shown = %"x=1", none = "", "it is so");
            });
        }
        let lines = LINES.lock().expect("one thread");
        let without_times: String = lines
            .split_inclusive('\n')
            .map(|line| {
                line.replacen(
                    line.split(['=', '"', ' ', ',']).find(|word| word.ends_with('Z')).expect("a time"),
                    "T",
                    1,
                )
            })
            .collect();
        assert_eq!(
            without_times,
            "ts=T level=warn message=\"it is so\" path=\"a b\\u{1b}[31m\\n\\u{202e}\\\"\" count=3 fast=true \
             shown=\"x=1\" none=\n\
             {\"timestamp\":\"T\",\"level\":\"WARN\",\"fields\":{\"message\":\"it is so\",\
             \"path\":\"a b\\u001b[31m\\n\\u202e\\\"\",\"count\":3,\"fast\":true,\"shown\":\"x=1\",\"none\":\"\"},\
             \"target\":\"t\"}\n"
        );
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000007Z"),
            (951_782_399, "2000-02-28T23:59:59.000007Z"),
            (951_782_400, "2000-02-29T00:00:00.000007Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000007Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_micros(seconds * 1_000_000 + 7)), text);
        }
    }
}
