//! The table of what is exposed: adding a metric is adding one line.
//!
//! A line says what is measured, in which unit, from which kernel field, and how sockets combine.
//! Refuses to know views, names in a dialect, and how a value is written.

use crate::sockdiag::tcp_info::Field;
use crate::sockdiag::{Extensions, Socket};

/// How the values of several sockets combine, which decides the exposed type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the socket lives.
    Counter,
    /// How much there is: adds up over sockets.
    Amount,
    /// What was observed: does not add up.
    Reading,
}

/// The base unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    None,
    /// Seconds.
    Seconds,
    /// Bytes per second.
    BytesPerSecond,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One for each socket.
    Sockets,
    /// A field of `struct tcp_info` as it stands.
    Raw(Field),
    /// A field of `struct tcp_info` in microseconds.
    Micros(Field),
}

impl Source {
    /// The value of a socket as the kernel's integer; `None` if there is none (never 0 instead).
    #[must_use]
    #[inline]
    pub fn read(self, socket: &Socket<'_>) -> Option<u64> {
        match self {
            Self::Sockets => Some(1),
            Self::Raw(field) | Self::Micros(field) => socket.tcp_info()?.get(field),
        }
    }

    /// How many of the kernel's integers make one base unit.
    #[must_use]
    pub const fn per_unit(self) -> f64 {
        match self {
            Self::Sockets | Self::Raw(_) => 1.0,
            Self::Micros(_) => 1e6,
        }
    }

    /// The extensions that a dump must ask for.
    #[must_use]
    pub const fn extensions(self) -> Extensions {
        match self {
            Self::Sockets => Extensions::NONE,
            Self::Raw(_) | Self::Micros(_) => Extensions::INFO,
        }
    }
}

/// How the values of the sockets of one row become one cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Fold {
    /// The sum.
    Sum,
    /// The arithmetic mean of the sockets that have a value.
    Mean,
    /// The distribution over the sockets of this collection, by ascending upper bounds in the
    /// column's own unit.
    Distribution(Vec<f64>),
}

/// One line of the table.
#[derive(Debug, PartialEq)]
pub struct Metric {
    /// How sockets combine.
    pub kind: Kind,
    /// The name, without the view's prefix.
    pub name: &'static str,
    /// The unit of the exposed value.
    pub unit: Unit,
    /// Where the value comes from.
    pub source: Source,
    /// One sentence for people.
    pub help: &'static str,
}

use Kind::{Amount, Counter, Reading};
use Source::{Micros, Raw, Sockets};

/// Every metric.
pub const METRICS: &[Metric] = &[
    metric(Amount, "sockets", Unit::None, Sockets, "Sockets."),
    metric(
        Counter,
        "received_data_segments_total",
        Unit::None,
        Raw(Field::DataSegsIn),
        "Segments with payload received.",
    ),
    metric(
        Counter,
        "sent_data_segments_total",
        Unit::None,
        Raw(Field::DataSegsOut),
        "Segments with payload sent, retransmissions counted.",
    ),
    metric(Reading, "rtt_seconds", Unit::Seconds, Micros(Field::Rtt), "Smoothed round-trip time."),
    metric(Reading, "congestion_window", Unit::None, Raw(Field::SndCwnd), "Congestion window in segments."),
    metric(
        Reading,
        "delivery_rate_bytes_per_second",
        Unit::BytesPerSecond,
        Raw(Field::DeliveryRate),
        "Latest rate at which data reached the peer.",
    ),
];

const fn metric(kind: Kind, name: &'static str, unit: Unit, source: Source, help: &'static str) -> Metric {
    Metric { kind, name, unit, source, help }
}

/// The metric of that name, looked up when the program is compiled.
///
/// # Panics
/// If there is none: call it in a `const` only, so that a wrong name does not compile.
#[must_use]
pub const fn named(name: &str) -> &'static Metric {
    let mut rest = METRICS;
    while let [metric, tail @ ..] = rest {
        if same(metric.name.as_bytes(), name.as_bytes()) {
            return metric;
        }
        rest = tail;
    }
    panic!("no metric of that name in METRICS");
}

const fn same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([a, rest @ ..], [b, others @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        one = rest;
        other = others;
    }
    one.is_empty() && other.is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_follow_the_conventions() {
        let mut seen = HashSet::new();
        for metric in METRICS {
            let name = metric.name;
            assert!(seen.insert(name), "{name} stands twice");
            assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
            let suffix = match metric.unit {
                Unit::None => "",
                Unit::Seconds => "_seconds",
                Unit::BytesPerSecond => "_bytes_per_second",
            };
            assert!(name.trim_end_matches("_total").ends_with(suffix), "{name} hides its unit");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        }
    }

    #[test]
    fn help_is_one_sentence() {
        for Metric { name, help, .. } in METRICS {
            assert!(help.ends_with('.') && help.matches(". ").count() == 0, "{name}: {help}");
            assert!(help.starts_with(|c: char| c.is_ascii_uppercase()), "{name}: {help}");
        }
    }
}
