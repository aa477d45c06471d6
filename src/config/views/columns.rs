//! The columns of a view: how each metric is aggregated, what it is called and what its help says.

use super::{AGGREGATE, HISTOGRAMS, METRICS, metrics};
use crate::metrics::{Aggregation, Kind, Metric, Quantity};
use crate::strict_yaml::{Entry, Section};
use crate::view::{Column, View};

/// The columns of a view, in the order of the table.
pub(super) fn read(keys: &Section<'_>, view: &View) -> Vec<Column> {
    let shown = match keys.filled(METRICS) {
        Some(list) => metrics::named(list, view),
        None => metrics::unnamed(view),
    };
    let mut columns: Vec<_> = shown.into_iter().map(|metric| Column::new(metric, view)).collect();
    let aggregates = keys.filled(AGGREGATE);
    for (name, entry) in aggregates.iter().flat_map(|all| all.named("a map such as {rtt_seconds: max}")) {
        if let Some(column) = find(name, &entry, &mut columns) {
            column.set_aggregation(&entry, view);
        }
    }
    let histograms = keys.filled(HISTOGRAMS);
    for (name, entry) in histograms.iter().flat_map(|all| all.named("a map of lists of bounds by metric")) {
        if let Some(column) = find(name, &entry, &mut columns) {
            column.rebound(&entry);
        }
    }
    columns
}

/// The column of a metric that the view shows.
pub(super) fn find<'c>(name: &str, entry: &Entry<'_>, columns: &'c mut [Column]) -> Option<&'c mut Column> {
    let names: Vec<_> = columns.iter().map(|column| column.metric.name).collect();
    let column = columns.iter_mut().find(|column| column.metric.name == name);
    if column.is_none() {
        entry.unknown_word(name, "a metric that this view shows", names.into_iter());
    }
    column
}

impl Column {
    fn new(metric: &'static Metric, view: &View) -> Self {
        Self {
            metric,
            name: format!("ss_{}_{}", view.name, metric.name),
            help: metric.help.to_owned(),
            kind: metric.kind,
            per_base: 1.0,
            aggregation: default_aggregation(metric, view),
        }
    }

    /// Aggregates as the entry says instead.
    fn set_aggregation(&mut self, entry: &Entry<'_>, view: &View) {
        let adds_up = "found an aggregate for a counter, which always adds up; expected: for other metrics";
        let expected = match (self.metric.kind, view.is_per_connection()) {
            (Kind::Counter, _) => return entry.error(adds_up),
            (Kind::Distribution, false) => "histogram, current_histogram, mean, min, max or sum",
            (Kind::Gauge, _) | (Kind::Distribution, true) => "sum, mean, min or max",
        };
        if self.metric.source.quantity == Quantity::Sockets {
            return entry.error("found an aggregate for the number of sockets; expected: for other metrics");
        }
        let Some(word) = entry.text(expected) else { return };
        let bounds = || self.metric.bounds.to_vec();
        let aggregation = match word.as_str() {
            "sum" => Aggregation::Sum,
            "mean" => Aggregation::Mean,
            "min" => Aggregation::Min,
            "max" => Aggregation::Max,
            "histogram" if expected.contains("histogram") => Aggregation::Histogram(bounds()),
            "current_histogram" if expected.contains("current_histogram") => {
                Aggregation::CurrentHistogram(bounds())
            }
            _ => {
                return entry.unknown_word(
                    &word,
                    expected,
                    expected.split([',', ' ']).filter(|word| word.len() > 2),
                );
            }
        };
        if aggregation != self.aggregation {
            self.help = format!("{}{}", self.metric.help.trim_end_matches('.'), phrase(&aggregation));
            self.aggregation = aggregation;
        }
    }

    /// Counts by the bounds of the entry instead.
    fn rebound(&mut self, entry: &Entry<'_>) {
        let bounds = bounds(entry);
        match &mut self.aggregation {
            Aggregation::Histogram(known) | Aggregation::CurrentHistogram(known) => *known = bounds.unwrap_or_default(),
            _ => entry.error(
                "found bounds for what is no histogram in this view; expected: for distributions in an aggregated \
                 view, unless their aggregate is another",
            ),
        }
    }
}

/// How a metric is aggregated by default.
fn default_aggregation(metric: &Metric, view: &View) -> Aggregation {
    match (metric.kind, view.is_per_connection()) {
        (Kind::Counter, false) => Aggregation::Gain,
        (Kind::Counter, true) | (Kind::Gauge, _) => Aggregation::Sum,
        (Kind::Distribution, true) => Aggregation::Latest,
        (Kind::Distribution, false) => Aggregation::Histogram(metric.bounds.to_vec()),
    }
}

/// What the help says of an aggregate that is not the default.
fn phrase(aggregation: &Aggregation) -> &'static str {
    match aggregation {
        Aggregation::Mean => ", the mean over the open sockets.",
        Aggregation::Min => ", the minimum over the open sockets.",
        Aggregation::Max => ", the maximum over the open sockets.",
        Aggregation::Sum => ", the sum over the open sockets.",
        Aggregation::CurrentHistogram(_) => ", a histogram of the open sockets, which falls when one closes.",
        Aggregation::Latest | Aggregation::Gain | Aggregation::Histogram(_) => ".",
    }
}

fn bounds(entry: &Entry<'_>) -> Option<Vec<f64>> {
    const SOME: &str = "a list of 1 to 100 ascending upper bounds, such as [0.001, 0.01, 0.1]";
    let items = entry.list(SOME)?;
    if items.is_empty() || items.len() > 100 {
        entry.error(&format!("found {} bounds; expected: {SOME}", items.len()));
    }
    Some(entry.ascending(|bound| bound.is_finite() && bound >= 0.0, "0 or more, finite"))
}
