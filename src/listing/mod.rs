//! The sockets of this host one by one, with all that the kernel reports of each: what `ss -tinp` prints, and rates.
//!
//! A listing is a per-connection view by every label, so that selections, owners and units are those of the metrics.
//! Refuses to know who asks, and over what.

mod column;
mod json;
mod list;
mod query;
mod rates;
mod recent;
mod room;
mod table;

pub use column::{ListingColumn, UnknownColumn};
pub use list::SocketList;
pub use query::Query;
pub use rates::Rate;
pub use recent::{Listing, RecentListings, Refusal, list};
pub use table::table;

use std::sync::Arc;

use crate::attribute::Networks;
use crate::config::{Collect, Config};
use crate::metrics::{Aggregation, Kind, METRICS, Metric, Quantity};
use crate::plan::Plan;
use crate::properties::Property;
use crate::select::Expression;
use crate::view::{self, Origin, PROTOCOL, ProtocolStates, View};
use sockdiag::StateSet;

/// What is asked of each socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All that the kernel reports.
    Everything,
    /// What there is to see at a glance: ends, owner, state, traffic, round-trip times, queues.
    Glance,
}

impl Detail {
    fn labels(self) -> Vec<Property> {
        Property::listed(self == Self::Everything).collect()
    }

    fn metrics(self) -> impl Iterator<Item = &'static Metric> {
        metrics().filter(move |metric| self == Self::Everything || AT_A_GLANCE.contains(&metric.name))
    }
}

const AT_A_GLANCE: [&str; 10] = [
    "sent_bytes_total",
    "received_bytes_total",
    "retransmitted_segments_total",
    "receive_queue_bytes",
    "send_queue_bytes",
    "accept_queue_connections",
    "accept_queue_limit",
    "rtt_seconds",
    "min_rtt_seconds",
    "last_ack_received_age_seconds",
];

/// The plan that lists the sockets which a selection lets through, those in these states; with `None`, connections, or
/// whatever states the selection names.
#[must_use]
pub fn plan(
    selection: Expression,
    states: Option<StateSet>,
    detail: Detail,
    networks: Arc<Networks>,
    collect: Collect,
) -> Plan {
    let states = states.or_else(|| selection.named_states()).unwrap_or(PROTOCOL.connections);
    let sockets = View {
        name: "sockets".to_owned(),
        origin: Origin::Native,
        protocols: vec![ProtocolStates { protocol: PROTOCOL, states }],
        selection,
        by: detail.labels(),
        columns: detail.metrics().map(column_of).collect(),
        limit: None,
        aggregates: false,
        idle: std::time::Duration::ZERO,
    };
    // How many there are, also of those for which a list has no room.
    let counts = METRICS.iter().filter(|metric| metric.source.quantity == Quantity::Sockets);
    let counted = View {
        name: "counted".to_owned(),
        by: vec![Property::State],
        columns: counts.map(column_of).collect(),
        ..sockets.clone()
    };
    let (views, collect) = (vec![sockets, counted], Collect { events: false, ..collect });
    Plan::new(Config { views, legacy_meta: false, networks, collect, warnings: Vec::new() }).untracked()
}

/// The metrics of one socket.
pub(crate) fn metrics() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(|metric| {
        let quantity = metric.source.quantity;
        !quantity.is_of_past() && quantity != Quantity::Sockets
    })
}

fn column_of(metric: &'static Metric) -> view::Column {
    // A row is one socket; the greatest value takes half of the memory of the latest.
    let aggregation = if metric.kind == Kind::Distribution { Aggregation::Max } else { Aggregation::Sum };
    view::Column {
        metric,
        name: metric.name.to_owned(),
        help: String::new(),
        kind: metric.kind,
        per_base: 1.0,
        aggregation,
    }
}

/// A value in its metric's base unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// What the kernel counts.
    Whole(u64),
    /// What was divided into the unit.
    Real(f64),
}

impl Number {
    /// The value as Prometheus has it.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus stores floats")]
    pub(crate) fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

/// One socket.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The labels that were asked for and their texts.
    labels: Vec<(Property, String)>,
    /// What the kernel reports of what was asked for, in the order of [`metrics`].
    values: Vec<(&'static Metric, Number)>,
}

impl Row {
    /// A socket with these texts, all others empty.
    #[cfg(test)]
    pub(crate) fn of(texts: &[(Property, &str)], values: Vec<(&'static Metric, Number)>) -> Self {
        let text = |label| texts.iter().find(|(one, _)| *one == label).map_or("", |(_, text)| *text);
        Self { labels: Property::listed(true).map(|label| (label, text(label).to_owned())).collect(), values }
    }

    /// The text of a label; empty if it was not asked for.
    pub(crate) fn label(&self, label: Property) -> &str {
        self.labels.iter().find(|(one, _)| *one == label).map_or("", |(_, text)| text)
    }

    /// The value of a metric, if the kernel reports it of this socket.
    pub(crate) fn value(&self, name: &str) -> Option<Number> {
        self.values.iter().find(|(metric, _)| metric.name == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_are_those_asked_for_or_named_or_of_connections() {
        let states = |text: &str, states| {
            let selection = crate::select::parse(text, &Networks::default()).expect("a selection");
            plan(selection, states, Detail::Glance, Arc::default(), Collect::DEFAULT)
                .views
                .first()
                .map(View::states)
        };
        let listen = StateSet::of(&[sockdiag::State::Listen]);
        assert_eq!(states("dport = 443", None), Some(PROTOCOL.connections));
        assert_eq!(states("state listening", None), Some(listen));
        assert_eq!(states("dport = 443", Some(listen)), Some(listen));
    }

    #[test]
    fn nothing_is_tracked_and_no_capability_is_asked_for_but_for_owners() {
        let plan = plan(Expression::Always, None, Detail::Everything, Arc::default(), Collect::DEFAULT);
        assert!(!plan.tracking.needs_events());
        assert_eq!(plan.features(), [crate::privileges::Feature::Processes]);
    }
}
