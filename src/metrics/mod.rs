//! The table of what is exposed: adding a metric is adding one line.
//!
//! A line of `table` says what is measured, in which unit, from which kernel field (`source`), and how the values of several
//! sockets combine. Refuses to know views and dialects.

mod bounds;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod words;

#[cfg(test)]
pub(crate) use source::raw;
pub use source::{Condition, Quantity, Source};
pub use table::{METRICS, OMITTED};
pub(crate) use words::{WORDS, meant};

/// How the values of several sockets combine, which decides the exposed type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the socket lives.
    Counter,
    /// How much there is. The values of several sockets add up.
    Gauge,
    /// What is observed. The values of several sockets do not add up: a histogram in aggregated views.
    Distribution,
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

/// How the values of the sockets of one row become one cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Aggregation {
    /// The sum.
    Sum,
    /// The arithmetic mean of the sockets that have a value.
    Mean,
    /// The minimum.
    Min,
    /// The maximum.
    Max,
    /// The value of the socket that received something last.
    Latest,
    /// The sum of what the sockets' counters have gained over all collections, closed sockets included.
    Gain,
    /// The histogram of observations over all collections, by ascending upper bounds in the column's own unit.
    Histogram(Vec<f64>),
    /// The histogram of the sockets of this collection, by ascending upper bounds in the column's own unit.
    CurrentHistogram(Vec<f64>),
}

impl Aggregation {
    /// Whether the cell accumulates over collections.
    pub(crate) const fn is_cumulative(&self) -> bool {
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
    /// The upper bounds of its histogram, in its unit; none for a counter.
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

impl Metric {
    /// The first Linux release that reports it; `None` if every one does, or if it is the exporter's own.
    #[must_use]
    pub fn since(&self) -> Option<&'static str> {
        self.source.fields().map(|field| field.since).find(|since| !since.is_empty())
    }
}

/// The metric of that name, looked up when the program is compiled.
///
/// # Panics
/// If there is none: call it in a `const` only, so that a wrong name does not compile.
pub(crate) const fn named(name: &str) -> &'static Metric {
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
