//! A view: which sockets it selects, what its rows are keyed by and what they show.

use std::time::Duration;

use crate::metrics::{Aggregation, Kind, Metric};
use crate::properties::{Needs, Property};
use crate::select::Expression;
use crate::sockdiag::{StateSet, TCP};

mod worst_case;

pub use worst_case::{WorstCase, worst_cases};

/// The states of a connection.
pub const CONNECTIONS: StateSet = TCP.connections;

/// Which part of the configuration a view is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `views:`, or the code.
    Native,
    /// The predecessor's `logic:`.
    Legacy,
}

/// A selection of sockets, the labels that its rows are keyed by, and the metrics of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The name in messages and in `ss_exporter_*` labels.
    pub name: String,
    /// Which part of the configuration it is from.
    pub origin: Origin,
    /// Which sockets it shows.
    pub selection: Expression,
    /// Only sockets in these states.
    pub states: StateSet,
    /// What its rows are keyed by; empty for one row over all sockets.
    pub by: Vec<Property>,
    /// What its rows show.
    pub columns: Vec<Column>,
    /// The most rows to show; `None` for no limit.
    pub limit: Option<usize>,
    /// Whether rows beyond the limit fold into one whose labels are all `other`; else they are left out.
    pub folds: bool,
    /// How long a row that has accumulated something is shown after its last socket.
    pub idle: Duration,
}

impl View {
    /// Whether every row is one flow.
    pub(crate) fn is_of_flows(&self) -> bool {
        let has = |label| self.by.contains(&label);
        let ends =
            [Property::LocalAddress, Property::LocalPort, Property::RemoteAddress, Property::RemotePort];
        ends.into_iter().all(has) || has(Property::Flow)
    }

    /// Whether a row holds the counters of all connections of one process to one endpoint.
    pub(crate) fn condenses(&self) -> bool {
        let counts = self.columns.iter().any(|column| column.kind == Kind::Counter);
        counts && self.by.contains(&Property::FlowOfProcess)
    }

    /// Whether it shows connections without a word of their states.
    pub(crate) fn is_of_connections(&self) -> bool {
        self.states == CONNECTIONS && !self.by.contains(&Property::State)
    }

    /// What must be known of its sockets.
    pub(crate) fn needs(&self) -> Needs {
        self.by.iter().map(|property| property.needs()).collect::<Needs>().union(self.selection.needs())
    }

    /// Whether the ledger must follow its sockets: for their past, for what was so at first sight, or for who
    /// held a socket that nobody holds any more.
    pub(crate) fn is_followed(&self) -> bool {
        self.stays() || self.needs().has(Needs::LISTENERS.union(Needs::PROCESSES))
    }

    /// Whether its rows have a past.
    pub(crate) fn stays(&self) -> bool {
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
