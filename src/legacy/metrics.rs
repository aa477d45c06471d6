//! The predecessor's `metrics:` as columns: which are on, what they are called, how they are aggregated.

use super::Dialect;
use super::names::{
    ACTIVE, BUCKET_BOUNDS, COUNTERS, CWND, DATA_SEGS_IN, DATA_SEGS_OUT, DELIVERY_RATE, GAUGES, HISTOGRAMS,
    LATENCY, METRICS, RTT,
};
use crate::metrics::{Aggregation, Kind, Metric, Unit, named};
use crate::properties::Property;
use crate::strict_yaml::{Entry, Name, Section, either};
use crate::view::Column;

/// What is on.
pub(super) struct ShownMetrics {
    flow: Vec<&'static Line>,
    bounds: Option<Vec<f64>>,
}

/// A gauge or a counter of each flow.
struct Line {
    key: Name,
    metric: &'static Metric,
    /// What 2.x and 3.x called it.
    names: [&'static str; 2],
    help: &'static str,
}

static LINES: [Line; 5] = [
    Line {
        key: RTT,
        metric: const { named("rtt_seconds") },
        names: ["tcp_rtt"; 2],
        help: "Smoothed round-trip time in milliseconds (tcpi_rtt)",
    },
    Line {
        key: CWND,
        metric: const { named("congestion_window") },
        names: ["tcp_cwnd"; 2],
        help: "Congestion window in segments (tcpi_snd_cwnd)",
    },
    Line {
        key: DELIVERY_RATE,
        metric: const { named("delivery_rate_bytes_per_second") },
        names: ["tcp_delivery_rate_bytes", "tcp_delivery_rate"],
        help: "Latest rate of delivery to the peer in bytes per second (tcpi_delivery_rate)",
    },
    Line {
        key: DATA_SEGS_IN,
        metric: const { named("received_data_segments_total") },
        names: ["tcp_data_segs_in"; 2],
        help: "Segments with payload received (tcpi_data_segs_in)",
    },
    Line {
        key: DATA_SEGS_OUT,
        metric: const { named("sent_data_segments_total") },
        names: ["tcp_data_segs_out"; 2],
        help: "Segments with payload sent, retransmissions counted (tcpi_data_segs_out)",
    },
];

const SECOND_BOUNDS: &[f64] = &[0.10, 0.50, 1.0, 5.0, 10.0, 50.0, 100.0, 200.0, 500.0];
const THIRD_BOUNDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0,
    1000.0,
];

/// What a `logic:` section turns on; its groups may also stand there without `metrics:`.
pub(super) fn read(logic: &Section<'_>, dialect: Dialect) -> ShownMetrics {
    let default = match dialect {
        Dialect::V2 => SECOND_BOUNDS,
        Dialect::V3 => THIRD_BOUNDS,
    };
    let metrics = logic.filled(METRICS).map(|metrics| metrics.section(&[GAUGES, COUNTERS, HISTOGRAMS]));
    let group = |name| either(metrics.as_ref().and_then(|metrics| metrics.get(name)), logic.get(name));
    let groups = [GAUGES, COUNTERS, HISTOGRAMS].map(group);
    if metrics.is_none() && groups.iter().all(Option::is_none) {
        return ShownMetrics { flow: LINES.iter().collect(), bounds: Some(default.to_vec()) };
    }
    let [gauges, counters, histograms] = groups;
    let flow = [lines(GAUGES, gauges), lines(COUNTERS, counters)].concat();
    ShownMetrics { flow, bounds: histograms.and_then(|histograms| distribution(histograms, default)) }
}

impl ShownMetrics {
    /// The columns of a row of a flow.
    pub(super) fn of_flow(&self, dialect: Dialect, label: Property) -> Vec<Column> {
        self.flow.iter().map(|line| line.column(dialect, label)).collect()
    }

    /// The columns of the row over all flows.
    pub(super) fn of_all(self, dialect: Dialect) -> Vec<Column> {
        let rtt = const { named("rtt_seconds") };
        let distribution = self.bounds.map(|bounds| Column {
            metric: rtt,
            name: "tcp_rtt_hist_ms".to_owned(),
            help: "Flows of this collection by smoothed round-trip time in milliseconds (tcpi_rtt)."
                .to_owned(),
            kind: rtt.kind,
            per_base: 1000.0,
            aggregation: Aggregation::CurrentHistogram(bounds),
        });
        let count = (dialect == Dialect::V3).then(|| Column {
            metric: const { named("sockets") },
            name: "tcp_flows_total".to_owned(),
            help: "Flows of this collection.".to_owned(),
            kind: Kind::Gauge,
            per_base: 1.0,
            aggregation: Aggregation::Sum,
        });
        distribution.into_iter().chain(count).collect()
    }
}

impl Line {
    /// The group that it stands in.
    fn group(&self) -> Name {
        if self.metric.kind == Kind::Counter { COUNTERS } else { GAUGES }
    }

    fn column(&self, dialect: Dialect, label: Property) -> Column {
        let [second, third] = self.names;
        let name = if dialect == Dialect::V2 { second } else { third };
        let kind = self.metric.kind;
        let condensed = kind == Kind::Counter && label != Property::Flow;
        let more = if condensed { ", connections that have closed included." } else { "." };
        // A time is a mean in milliseconds.
        let (per_base, aggregation) = match self.metric.unit {
            Unit::Seconds => (1000.0, Aggregation::Mean),
            _ => (1.0, Aggregation::Sum),
        };
        let help = format!("{}{more}", self.help);
        Column { metric: self.metric, name: name.to_owned(), help, kind, per_base, aggregation }
    }
}

/// The lines of a group that are on: those it turns on, or all if it names none.
fn lines(name: Name, group: Option<&Entry<'_>>) -> Vec<&'static Line> {
    let Some(group) = group else {
        return Vec::new();
    };
    let all: Vec<_> = LINES.iter().filter(|line| line.group() == name).collect();
    let keys: Vec<_> = [ACTIVE].into_iter().chain(all.iter().map(|line| line.key)).collect();
    let section = group.section(&keys);
    let named: Vec<_> = all
        .iter()
        .filter_map(|line| section.get(line.key).map(|entry| (*line, is_active(&entry.section(&[ACTIVE])))))
        .collect();
    match (is_active(&section), named.is_empty()) {
        (false, _) => Vec::new(),
        (true, true) => all,
        (true, false) => named.into_iter().filter(|(_, on)| *on).map(|(line, _)| line).collect(),
    }
}

fn is_active(section: &Section<'_>) -> bool {
    section.get(ACTIVE).and_then(Entry::flag).unwrap_or(true)
}

/// The bounds of the histogram if it is on; they may also stand beside it.
fn distribution(histograms: &Entry<'_>, default: &[f64]) -> Option<Vec<f64>> {
    let group = histograms.section(&[ACTIVE, LATENCY, BUCKET_BOUNDS]);
    let latency = group.get(LATENCY).map(|latency| latency.section(&[ACTIVE, BUCKET_BOUNDS]));
    let list = either(
        latency.as_ref().and_then(|latency| latency.filled(BUCKET_BOUNDS)),
        group.filled(BUCKET_BOUNDS),
    );
    let is_bound = |number: f64| number.is_finite() && number > 0.0;
    let bounds = list.map(|list| list.ascending(is_bound, "milliseconds above 0, finite"));
    let on = latency.as_ref().is_none_or(is_active);
    if !(is_active(&group) && on) {
        return None;
    }
    match (bounds, list) {
        (Some(bounds), Some(list)) if bounds.is_empty() => {
            list.warn("found an empty list for a histogram that is active; used: the built-in bounds");
            Some(default.to_vec())
        }
        (bounds, _) => Some(bounds.unwrap_or_else(|| default.to_vec())),
    }
}
