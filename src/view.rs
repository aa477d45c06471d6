//! A view: which sockets it selects, what its rows are keyed by and what they show.

use std::time::Duration;

use crate::metrics::{Aggregation, Kind, Metric};
use crate::properties::{Needs, Property};
use crate::select::Expression;
use sockdiag::{Protocol, StateSet, TCP};

mod worst_case;

pub use worst_case::{WorstCase, worst_cases};

/// The protocol of a view that names none.
pub const PROTOCOL: &Protocol = &TCP;

/// Which part of the configuration a view is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `views:`, or the code.
    Native,
    /// The predecessor's `logic:`.
    Legacy,
}

/// The sockets of a protocol in some states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolStates {
    /// The protocol.
    pub protocol: &'static Protocol,
    /// The states.
    pub states: StateSet,
}

impl ProtocolStates {
    /// The connections of a protocol.
    #[must_use]
    pub const fn connections(protocol: &'static Protocol) -> Self {
        Self { protocol, states: protocol.connections }
    }

    /// Whether it is all connections, whatever their states.
    #[must_use]
    pub fn are_connections(&self) -> bool {
        self.states == self.protocol.connections
    }
}

/// A selection of sockets, the labels that its rows are keyed by, and the metrics of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The name in messages and in `ss_exporter_*` labels.
    pub name: String,
    /// Which part of the configuration it is from.
    pub origin: Origin,
    /// The protocols of its sockets, each once and at least one.
    pub protocols: Vec<ProtocolStates>,
    /// Which sockets it shows.
    pub selection: Expression,
    /// What its rows are keyed by; empty for one row over all sockets.
    pub by: Vec<Property>,
    /// What its rows show.
    pub columns: Vec<Column>,
    /// The most rows to show; `None` for no limit.
    pub limit: Option<usize>,
    /// The metric of a column whose greatest values get the rows; `None` if those that come first do.
    pub ranked_by: Option<&'static Metric>,
    /// Whether its table is cumulative and aggregates what is beyond the limit as `other`. Else each collection makes its
    /// rows again and drops those beyond the limit.
    pub aggregates: bool,
    /// How long a row that has accumulated something is shown after its last socket.
    pub idle: Duration,
}

impl View {
    /// Whether every row is one connection.
    pub(crate) fn is_per_connection(&self) -> bool {
        let has = |label| self.by.contains(&label);
        let ends =
            [Property::LocalAddress, Property::LocalPort, Property::RemoteAddress, Property::RemotePort];
        ends.into_iter().all(has) || has(Property::Flow)
    }

    /// The number of the column by which rows are ranked.
    pub(crate) fn rank_column(&self) -> Option<usize> {
        let metric = self.ranked_by?;
        self.columns.iter().position(|column| column.metric == metric)
    }

    /// Whether a row holds the counters of all connections of one process to one endpoint.
    pub(crate) fn sums_by_process(&self) -> bool {
        let counts = self.columns.iter().any(|column| column.kind == Kind::Counter);
        counts && self.by.contains(&Property::FlowOfProcess)
    }

    /// Whether it shows connections whatever their states.
    pub(crate) fn is_of_connections(&self) -> bool {
        self.protocols.iter().all(ProtocolStates::are_connections) && !self.by.contains(&Property::State)
    }

    /// The protocols of its sockets.
    pub fn protocols(&self) -> impl Iterator<Item = &'static Protocol> {
        self.protocols.iter().map(|of| of.protocol)
    }

    /// The states in which it shows sockets of any protocol.
    #[must_use]
    pub fn states(&self) -> StateSet {
        self.protocols.iter().fold(StateSet::NONE, |all, of| all.union(of.states))
    }

    /// The states in which it shows sockets of the protocol.
    pub(crate) fn states_of(&self, protocol: &Protocol) -> StateSet {
        let shown = self.protocols.iter().find(|of| of.protocol == protocol);
        shown.map_or(StateSet::NONE, |of| of.states)
    }

    /// Which sockets of the protocol it shows.
    pub(crate) fn selection_of(&self, protocol: &Protocol) -> Expression {
        self.selection.of_protocol(protocol)
    }

    /// What must be known of its sockets.
    pub(crate) fn needs(&self) -> Needs {
        let samples = self.columns.iter().any(|column| column.metric.source.quantity.is_sampled());
        let of_columns = if samples { Needs::BOTTLENECK } else { Needs::NONE };
        self.needs_of_rows().union(of_columns)
    }

    /// What must be known of its sockets to select them and to place them in rows.
    pub(crate) fn needs_of_rows(&self) -> Needs {
        self.by.iter().map(|property| property.needs()).collect::<Needs>().union(self.selection.needs())
    }

    /// Whether a column counts what connections gain, so that the tracker must keep them.
    pub(crate) fn counts_connections(&self) -> bool {
        let is_of_listeners = |column: &Column| column.metric.source.quantity.is_of_listeners();
        self.columns.iter().any(|column| column.aggregation.is_cumulative() && !is_of_listeners(column))
    }

    /// Whether the tracker must keep its connections: for their counters, for the listener that accepted them, or for the
    /// processes that held them.
    pub(crate) fn is_tracked(&self) -> bool {
        self.counts_connections() || self.needs().has(Needs::LISTENERS.union(Needs::PROCESSES))
    }

    /// Whether a column counts what its sockets gain, so that its rows must live on.
    pub(crate) fn is_cumulative(&self) -> bool {
        self.columns.iter().any(|column| column.aggregation.is_cumulative())
    }
}

/// A metric as a view shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The line of the table.
    pub metric: &'static Metric,
    /// The exposed name.
    pub name: String,
    /// The exposed help.
    pub help: String,
    /// The exposed type.
    pub kind: Kind,
    /// How many of the column's units make one base unit: 1000 for milliseconds.
    pub per_base: f64,
    /// How sockets become one cell.
    pub aggregation: Aggregation,
}
