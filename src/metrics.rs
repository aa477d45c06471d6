//! The table of what is exposed: adding a metric is adding one line.
//!
//! A line says what is measured, in which unit, from which kernel field, and how sockets combine.
//! Refuses to know views, names in a dialect, and how a value is written.

use crate::sockdiag::tcp_info::Field;
use crate::sockdiag::{Extensions, Socket, State};

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
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One for each socket.
    Sockets,
    /// One for each socket when it is first seen; kept by the ledger.
    Opened,
    /// One for each socket when it is gone; kept by the ledger.
    Closed,
    /// A field of `struct tcp_info` as it stands.
    Raw(Field),
    /// A field of `struct tcp_info` in microseconds.
    Micros(Field),
    /// What a field of `struct tcp_info` exceeds another by.
    Diff(Field, Field),
    /// Bytes that were received and not yet read, except of a listener.
    ReceiveQueue,
    /// Bytes that were written and not yet acknowledged, except of a listener.
    SendQueue,
    /// Connections that a listener's process has not yet accepted.
    AcceptQueue,
    /// The most connections that may wait in a listener's accept queue.
    AcceptQueueLimit,
}

impl Source {
    /// The value of a socket as the kernel's integer; `None` if there is none (never 0 instead).
    #[must_use]
    #[inline]
    pub fn read(self, socket: &Socket<'_>) -> Option<u64> {
        match self {
            Self::Sockets => Some(1),
            Self::Opened | Self::Closed => None,
            Self::Raw(field) | Self::Micros(field) => socket.tcp_info()?.get(field),
            Self::Diff(field, less) => {
                let info = socket.tcp_info()?;
                Some(info.get(field)?.saturating_sub(info.get(less)?))
            }
            Self::ReceiveQueue => (!listens(socket)).then(|| socket.receive_queue().into()),
            Self::SendQueue => (!listens(socket)).then(|| socket.send_queue().into()),
            Self::AcceptQueue => listens(socket).then(|| socket.receive_queue().into()),
            Self::AcceptQueueLimit => listens(socket).then(|| socket.send_queue().into()),
        }
    }

    /// How many bits the kernel counts with, before it begins again at 0.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Raw(field) | Self::Micros(field) => field.layout().width.bits(),
            _ => u64::BITS,
        }
    }

    /// How many of the kernel's integers make one base unit.
    #[must_use]
    pub const fn per_unit(self) -> f64 {
        match self {
            Self::Micros(_) => 1e6,
            _ => 1.0,
        }
    }

    /// The extensions that a dump must ask for.
    #[must_use]
    pub const fn extensions(self) -> Extensions {
        match self {
            // Without it, what is left of a closed socket looks like a socket.
            Self::Opened | Self::Closed | Self::Raw(_) | Self::Micros(_) | Self::Diff(..) => Extensions::INFO,
            _ => Extensions::NONE,
        }
    }
}

fn listens(socket: &Socket<'_>) -> bool {
    socket.state() == State::Listen
}

/// How the values of the sockets of one row become one cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Fold {
    /// The sum.
    Sum,
    /// The arithmetic mean of the sockets that have a value.
    Mean,
    /// The least value.
    Least,
    /// The greatest value.
    Greatest,
    /// The value of the socket that received something last.
    Latest,
    /// The sum of what the sockets' counters have gained, those of closed sockets included: kept by the
    /// ledger over collections.
    Gain,
    /// The distribution of observations over all collections, by ascending upper bounds in the column's
    /// own unit: kept by the ledger.
    Histogram(Vec<f64>),
    /// The distribution over the sockets of this collection, by ascending upper bounds in the
    /// column's own unit.
    Distribution(Vec<f64>),
}

impl Fold {
    /// Whether the cell has a past: what it holds is kept over collections.
    #[must_use]
    pub const fn stays(&self) -> bool {
        matches!(self, Self::Gain | Self::Histogram(_))
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// Which views show it that name no metrics.
    pub shown: Shown,
    /// The upper bounds of its histogram, in its unit.
    pub bounds: &'static [f64],
}

/// Which views show a metric without naming it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Those of connections.
    OfConnections,
    /// Those of listeners.
    OfListeners,
    /// Both.
    Always,
    /// None.
    IfNamed,
}

use Kind::{Amount, Counter, Reading};
use Source::{Micros, Raw, Sockets};

/// Every metric.
pub const METRICS: &[Metric] = &[
    shown(metric(Amount, "sockets", Unit::None, Sockets, "Sockets."), Shown::Always),
    shown(
        metric(Counter, "opened_total", Unit::None, Source::Opened, "Sockets seen for the first time."),
        Shown::OfConnections,
    ),
    shown(metric(Counter, "closed_total", Unit::None, Source::Closed, "Sockets gone."), Shown::OfConnections),
    shown(
        metric(
            Counter,
            "sent_bytes_total",
            Unit::Bytes,
            Source::Diff(Field::BytesSent, Field::BytesRetrans),
            "Payload bytes sent, retransmissions not counted.",
        ),
        Shown::OfConnections,
    ),
    shown(
        metric(
            Counter,
            "received_bytes_total",
            Unit::Bytes,
            Raw(Field::BytesReceived),
            "Bytes received, the FIN counted.",
        ),
        Shown::OfConnections,
    ),
    shown(
        metric(
            Amount,
            "send_queue_bytes",
            Unit::Bytes,
            Source::SendQueue,
            "Bytes written and not yet acknowledged.",
        ),
        Shown::OfConnections,
    ),
    shown(
        metric(
            Amount,
            "accept_queue_connections",
            Unit::None,
            Source::AcceptQueue,
            "Connections not yet accepted.",
        ),
        Shown::OfListeners,
    ),
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
    Metric { kind, name, unit, source, help, shown: Shown::IfNamed, bounds: &[0.001, 0.01, 0.1, 1.0, 10.0] }
}

const fn shown(metric: Metric, shown: Shown) -> Metric {
    Metric { shown, ..metric }
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
                Unit::Bytes => "_bytes",
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
