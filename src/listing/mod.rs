//! The sockets of this host one by one, with all that the kernel reports of each: what `ss` prints, and rates.
//!
//! A listing is a per-connection view by every label, so that selections, owners and units are those of the metrics.
//! Refuses to know who asks, and over what.

mod column;
mod ends;
mod figures;
mod json;
mod kept;
mod list;
#[cfg(test)]
mod made;
mod order;
mod percentile;
mod protocols;
mod query;
mod rates;
mod recent;
mod room;
mod successive;
mod table;
mod usual;

pub(crate) use column::state_word;
pub use column::{ListingColumn, UnknownColumn, label};
pub use figures::Figures;
pub(crate) use kept::{AtHand, HashedEnds};
pub(crate) use list::ListedSocket;
pub use list::SocketList;
pub use order::{Order, columns_of_groups, grouped};
pub use percentile::percentile;
pub use protocols::{UnknownProtocol, protocols};
pub use query::Query;
pub use rates::Rate;
pub use recent::{Listing, Question, RecentListings, Refusal, list};
pub use successive::Successive;
pub use table::{Layout, Titles, table};
pub use usual::{EXTENDED, MEMORY, TIMER, usual};

use std::sync::Arc;

use crate::attribute::ConfiguredNames;
use crate::bottleneck::Bottleneck;
use crate::config::{Collect, Config};
use crate::metrics::{Aggregation, METRICS, Metric, Quantity};
use crate::plan::Plan;
use crate::properties::{Listed, Property};
use crate::select::Expression;
use crate::view::{self, Origin, ProtocolStates, View};
use sockdiag::{Extensions, Protocol, State, StateSet};

/// Which sockets are listed.
#[derive(Clone, Debug)]
pub struct ListedSockets {
    protocols: Vec<ProtocolStates>,
    selection: Expression,
}

/// In which states sockets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum States {
    /// Those that the selection names, or those that `ss` lists without a flag: mostly of connections.
    Usual,
    /// Listeners, and sockets that are not connected.
    Listening,
    /// All, or those that the selection names.
    All,
}

impl States {
    /// Those of a protocol that is listed with others: `ss` lists the sockets of each in the states of any.
    fn of(self, protocol: &Protocol, all: &[&'static Protocol], selection: &Expression) -> StateSet {
        let usual = || all.iter().fold(StateSet::NONE, |states, protocol| states.union(protocol.listed));
        let states = match self {
            // In CLOSE, the kernel has none of TCP in its tables, and would walk all of them.
            Self::Listening if protocol.has_listeners() => StateSet::of(&[State::Listen]),
            Self::Listening => StateSet::of(&[State::Listen, State::Close]),
            Self::Usual => selection.named_states().unwrap_or_else(usual),
            Self::All => selection.named_states().unwrap_or(StateSet::ALL),
        };
        states.intersection(protocol.states)
    }
}

impl ListedSockets {
    /// The sockets of some protocols that a selection lets through.
    #[must_use]
    pub fn of(protocols: &[&'static Protocol], states: States, selection: Expression) -> Self {
        let of = |protocol: &&'static Protocol| ProtocolStates {
            protocol,
            states: states.of(protocol, protocols, &selection),
        };
        Self { protocols: protocols.iter().map(of).collect(), selection }
    }

    /// What of the selection sockets of one of the protocols lack; `None` if all can answer it.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        self.protocols.iter().find_map(|of| self.selection.obstacle(of.protocol))
    }
}

/// What is asked of each socket.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// All that the kernel reports.
    Everything,
    /// What there is to see at a glance: ends, owner, state, traffic, round-trip times, queues.
    Glance,
    /// What some columns show.
    Columns(Vec<ListingColumn>),
}

impl Detail {
    fn labels(&self, protocol: &Protocol) -> Vec<Property> {
        let always = [Property::State, Property::Cookie, Property::Netns];
        let wanted = |property: &Property| match self {
            Self::Everything => property.line().listed >= Listed::InDetail,
            // Their ends are in the details.
            Self::Glance if !protocol.header.internet => property.line().listed >= Listed::InDetail,
            Self::Glance => property.line().listed == Listed::Always || GROUPED.contains(property),
            Self::Columns(columns) => columns.iter().any(|column| column.labels().contains(property)),
        };
        let all = Property::listable().filter(|property| *property != Property::Protocol);
        let known = all.filter(|property| property.is_of(protocol));
        known.filter(|property| wanted(property) || always.contains(property)).collect()
    }

    fn metrics(&self, protocol: &'static Protocol) -> impl Iterator<Item = &'static Metric> {
        let wanted = move |metric: &&Metric| match self {
            Self::Everything => true,
            // What fills the memory of a connection of TCP stands in its queues.
            Self::Glance if Bottleneck::is_of(protocol) && is_of_memory(metric) => false,
            Self::Glance => AT_A_GLANCE.contains(&metric.name),
            Self::Columns(columns) => columns.iter().any(|column| column.metrics().contains(&metric.name)),
        };
        metrics().filter(|metric| metric.source.is_of(protocol)).filter(wanted)
    }
}

/// The labels by which a page groups sockets, beside those of every list.
const GROUPED: [Property; 3] = [Property::Direction, Property::ContainerId, Property::RemoteNetwork];

/// Whether all that the metric needs is the memory of sockets that are no listeners.
fn is_of_memory(metric: &Metric) -> bool {
    metric.source.extensions() == Extensions::MEMORY && !metric.source.quantity.is_of_listeners()
}

const AT_A_GLANCE: [&str; 18] = [
    "sent_bytes_total",
    "received_bytes_total",
    "retransmitted_bytes_total",
    "retransmitted_segments_total",
    "receive_queue_bytes",
    "send_queue_bytes",
    "accept_queue_connections",
    "accept_queue_limit",
    "refused_handshakes_total",
    "rtt_seconds",
    "min_rtt_seconds",
    "last_ack_received_age_seconds",
    "receive_memory_bytes",
    "receive_buffer_bytes",
    "send_memory_bytes",
    "send_buffer_bytes",
    "dropped_packets_total",
    "dropped_messages_total",
];

/// The plan that lists sockets: a view for each protocol, as each has labels and metrics of its own.
#[must_use]
pub fn plan(sockets: ListedSockets, detail: &Detail, names: Arc<ConfiguredNames>, collect: Collect) -> Plan {
    let ListedSockets { protocols, selection } = sockets;
    let list = |of: ProtocolStates| View {
        name: of.protocol.name.to_owned(),
        origin: Origin::Native,
        selection: selection.clone(),
        by: detail.labels(of.protocol),
        columns: detail.metrics(of.protocol).map(column_of).collect(),
        protocols: vec![of],
        limit: None,
        ranked_by: None,
        aggregates: false,
        idle: std::time::Duration::ZERO,
    };
    let views = protocols.into_iter().map(list).collect();
    let collect = Collect { events: false, ..collect };
    Plan::new(Config { views, legacy_meta: false, names, collect, warnings: Vec::new() }).for_sinks()
}

/// The metrics of one socket.
pub(crate) fn metrics() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(|metric| {
        let quantity = metric.source.quantity;
        !quantity.is_of_past() && quantity != Quantity::Sockets
    })
}

fn column_of(metric: &'static Metric) -> view::Column {
    view::Column {
        metric,
        name: metric.name.to_owned(),
        help: String::new(),
        kind: metric.kind,
        per_base: 1.0,
        aggregation: Aggregation::Sum,
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
    /// A value of which so many of the kernel's units make one.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus stores floats")]
    #[expect(clippy::float_cmp, reason = "the divisor is set, not computed")]
    pub(crate) fn of(value: u64, per_unit: f64) -> Self {
        if per_unit == 1.0 { Self::Whole(value) } else { Self::Real(value as f64 / per_unit) }
    }

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
    protocol: &'static Protocol,
    /// The labels that were asked for and their texts.
    labels: Vec<(Property, String)>,
    /// What the kernel reports of what was asked for, in the order of [`metrics`].
    values: Vec<(&'static Metric, Number)>,
}

impl Row {
    /// A connection of TCP with these texts, all others empty.
    #[cfg(test)]
    pub(crate) fn of(texts: &[(Property, &str)], values: Vec<(&'static Metric, Number)>) -> Self {
        let text = |label| texts.iter().find(|(one, _)| *one == label).map_or("", |(_, text)| *text);
        let labels = Property::listable().filter(|label| label.is_of(&sockdiag::TCP));
        let labels = labels.map(|label| (label, text(label).to_owned())).collect();
        Self { protocol: &sockdiag::TCP, labels, values }
    }

    /// The text of a label; empty if it was not asked for.
    pub(crate) fn label(&self, label: Property) -> &str {
        self.text(label).unwrap_or_default()
    }

    /// The text of a label, if sockets of the protocol have it and it was asked for.
    fn text(&self, label: Property) -> Option<&str> {
        self.labels.iter().find(|(one, _)| *one == label).map(|(_, text)| text.as_str())
    }

    /// The labels that were asked for, and their texts.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (Property, &str)> {
        self.labels.iter().map(|(label, text)| (*label, text.as_str()))
    }

    /// What the kernel reports of what was asked for.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static Metric, Number)> {
        self.values.iter().copied()
    }

    /// The value of a metric, if the kernel reports it of this socket.
    pub(crate) fn value(&self, name: &str) -> Option<Number> {
        self.values.iter().find(|(metric, _)| metric.name == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::{PACKET, TCP, UDP, UNIX};

    fn plan_of(text: &str, protocols: &[&'static Protocol], states: States) -> Plan {
        let names = ConfiguredNames::default();
        let selection = if text.is_empty() {
            Expression::Always
        } else {
            crate::select::parse(text, &names).expect("a selection")
        };
        let sockets = ListedSockets::of(protocols, states, selection);
        plan(sockets, &Detail::Glance, Arc::default(), Collect::DEFAULT)
    }

    #[test]
    fn the_states_are_those_asked_for_or_named_or_of_connections() {
        let states = |text, states| plan_of(text, &[&TCP], states).views.first().map(View::states);
        let listen = StateSet::of(&[State::Listen]);
        assert_eq!(states("dport = 443", States::Usual), Some(TCP.connections));
        assert_eq!(states("state listening", States::Usual), Some(listen));
        assert_eq!(states("state listening", States::All), Some(listen));
        assert_eq!(states("dport = 443", States::Listening), Some(listen));
        assert_eq!(states("dport = 443", States::All), Some(StateSet::ALL.intersection(TCP.states)));
    }

    #[test]
    fn without_a_flag_each_protocol_is_listed_in_the_states_of_any() {
        let close = StateSet::of(&[State::Close]);
        let established = StateSet::of(&[State::Established]);
        let states = |protocols: &[&'static Protocol]| -> Vec<_> {
            let plan = plan_of("", protocols, States::Usual);
            plan.views.iter().take(protocols.len()).map(View::states).collect()
        };
        assert_eq!(states(&[&UDP, &UNIX]), [established; 2]);
        assert_eq!(states(&[&TCP, &UDP]), [TCP.connections, established]);
        assert_eq!(states(&[&UDP, &PACKET]), [established.union(close), close]);
    }

    #[test]
    fn what_is_not_connected_is_listed_with_listeners() {
        let plan = plan_of("", &[&UDP, &UNIX, &PACKET], States::Listening);
        let states: Vec<_> = plan.views.iter().take(3).map(View::states).collect();
        let (close, listen) = (StateSet::of(&[State::Close]), StateSet::of(&[State::Listen]));
        assert_eq!(states, [close, close.union(listen), close]);
    }

    #[test]
    fn each_protocol_is_asked_for_what_its_sockets_have() {
        let plan = plan_of("", &[&TCP, &UNIX], States::All);
        let [tcp, unix] = &plan.views[..] else { panic!("{:?}", plan.views) };
        assert!(tcp.by.contains(&Property::LocalPort) && !tcp.by.contains(&Property::Path));
        assert!(unix.by.contains(&Property::Path) && !unix.by.contains(&Property::LocalPort));
    }

    #[test]
    fn nothing_is_tracked_and_no_capability_is_asked_for_but_for_owners() {
        let plan = plan_of("", &[&TCP], States::Usual);
        assert!(!plan.tracking.needs_events());
        assert_eq!(plan.features(), [crate::privileges::Feature::Processes]);
    }
}
