//! Which sockets must be tracked between collections, and for what.

use std::collections::BTreeSet;

use crate::aggregate::{CumulativeTable, TableColumn};
use crate::bottleneck::Bottleneck;
use crate::exposition::LabelBuffer;
use crate::metrics::{Aggregation, Kind, Quantity, Source};
use crate::properties::{FromListener, Needs, Property, Stability};
use crate::select::Expression;
use crate::view::{Column, ProtocolStates, View};
use sockdiag::{Protocol, State, StateSet};

/// The label text of what finds no room.
const OTHER: &[u8] = b"other";

/// What is tracked.
#[derive(Clone, Debug, Default)]
pub struct Tracking {
    /// The aggregated views, in the order of the views.
    pub aggregated: Vec<AggregatedView>,
    /// The counters of connections that any view accumulates, each once.
    pub counters: Vec<Source>,
    /// Which sockets are tracked: any of the protocol that one of these accepts at first sight. Empty if none is.
    pub track_if: Vec<(&'static Protocol, Expression)>,
    /// Whether a row of a per-connection view may hold several connections that are tracked.
    pub sums_by_process: bool,
    /// Whether the listeners of the host must be known.
    pub listeners: bool,
    /// The protocols whose close events are of use, each once.
    pub events: Vec<&'static Protocol>,
}

/// Where the values of a column of an aggregated view come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// What a counter of connections gains.
    Counter(Source),
    /// What a counter of listeners gains.
    OfListeners(Source),
    /// Sockets that are first seen.
    Opened,
    /// Closed sockets.
    Closed,
    /// Those of them whose last values the kernel has not reported.
    ClosedWithoutTcpInfo,
    /// Time in which this was the bottleneck.
    Limited(Bottleneck),
    /// Observations for a histogram.
    Distribution(Source),
    /// What each collection finds: nothing is kept.
    Gauge,
}

impl Feed {
    fn of(column: &Column) -> Self {
        let source = column.metric.source;
        match (&column.aggregation, source.quantity) {
            (Aggregation::Gain, Quantity::Opened) => Self::Opened,
            (Aggregation::Gain, Quantity::Closed) => Self::Closed,
            (Aggregation::Gain, Quantity::ClosedWithoutTcpInfo) => Self::ClosedWithoutTcpInfo,
            (Aggregation::Gain, Quantity::Limited(bottleneck)) => Self::Limited(bottleneck),
            (Aggregation::Gain, quantity) if quantity.is_of_listeners() => Self::OfListeners(source),
            (Aggregation::Gain, _) => Self::Counter(source),
            (Aggregation::Histogram(_), _) => Self::Distribution(source),
            _ => Self::Gauge,
        }
    }
}

/// An aggregated view.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers another question of the tracker")]
pub struct AggregatedView {
    /// Its number among the views.
    pub view: usize,
    /// The labels that its rows are keyed by.
    pub by: Vec<Property>,
    /// The states of its sockets.
    pub states: StateSet,
    /// Whether any of its columns counts what connections gain, so that each tracked one keeps its row.
    pub accumulates: bool,
    /// How long a socket stays in one row.
    pub stability: Stability,
    /// Whether its rows are keyed by the state alone.
    pub by_state: bool,
    /// Whether its selection asks for owners.
    pub by_owner: bool,
    /// Whether it shows connections whatever their states.
    pub of_connections: bool,
    /// What feeds each column.
    pub feeds: Vec<Feed>,
    /// The columns that each collection makes again, with their source.
    pub gauges: Vec<(usize, Source)>,
    /// Whether a row can be named after a listener, before there is a connection.
    pub announced: bool,
    /// The keys that its rows can have, if they are few and known.
    pub known_keys: Vec<Vec<u8>>,
}

impl AggregatedView {
    fn new(number: usize, view: &View) -> Self {
        let accumulates = view.counts_connections();
        let stability =
            view.by.iter().map(|label| label.stability()).max().max(Some(view.selection.stability()));
        let gauges =
            view.columns.iter().enumerate().filter(|(_, column)| !column.aggregation.is_cumulative());
        Self {
            view: number,
            by: view.by.clone(),
            states: view.states(),
            accumulates,
            stability: if view.protocols.iter().all(is_steady) {
                stability.unwrap_or(Stability::Fixed)
            } else {
                Stability::Changing
            },
            by_state: view.by == [Property::State],
            by_owner: view.selection.needs().has(Needs::PROCESSES),
            of_connections: view.is_of_connections(),
            feeds: view.columns.iter().map(Feed::of).collect(),
            gauges: gauges.map(|(number, column)| (number, column.metric.source)).collect(),
            announced: accumulates
                && !view.by.is_empty()
                && view.by.iter().all(|property| property.line().from_listener != FromListener::No),
            known_keys: view.known_keys(),
        }
    }
}

impl Tracking {
    pub(super) fn new(views: &[View], events: bool) -> Self {
        let mut tracking = Self {
            aggregated: Vec::new(),
            counters: Vec::new(),
            track_if: Vec::new(),
            sums_by_process: views.iter().any(View::sums_by_process),
            listeners: false,
            events: Vec::new(),
        };
        for (number, view) in views.iter().enumerate() {
            // A connection that no dump shows belongs to whom its listener does.
            let needs = view.needs();
            let asks_for_owner = needs.has(Needs::PROCESSES.union(Needs::CGROUPS));
            tracking.listeners |= view.protocols().any(Protocol::has_listeners)
                && (needs.has(Needs::LISTENERS) || view.counts_connections() && asks_for_owner);
            for protocol in view.protocols() {
                if view.is_tracked() {
                    tracking.track_if.push((protocol, view.selection_of(protocol).at_any_time()));
                }
                let reports = events && protocol.close_events.is_some();
                if reports && needs_events(view, protocol) && !tracking.events.contains(&protocol) {
                    tracking.events.push(protocol);
                }
            }
            if view.aggregates {
                let view = AggregatedView::new(number, view);
                for feed in &view.feeds {
                    if let Feed::Counter(source) = feed {
                        tracking.count(*source);
                    }
                }
                tracking.aggregated.push(view);
            } else if view.sums_by_process() {
                let counters = view.columns.iter().filter(|column| column.kind == Kind::Counter);
                counters.for_each(|column| tracking.count(column.metric.source));
            }
        }
        tracking
    }

    fn count(&mut self, counter: Source) {
        if !self.counters.contains(&counter) {
            self.counters.push(counter);
        }
    }

    /// Whether a view accumulates what listeners count.
    #[must_use]
    pub fn counts_listeners(&self) -> bool {
        let mut feeds = self.aggregated.iter().flat_map(|view| &view.feeds);
        feeds.any(|feed| matches!(feed, Feed::OfListeners(_)))
    }

    /// Whether close events of any protocol are of use.
    #[must_use]
    pub const fn needs_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether nothing is tracked: no collection needs another.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.aggregated.is_empty() && self.track_if.is_empty() && !self.listeners
    }

    /// The aggregated views, each with an empty table.
    pub(crate) fn with_tables(&self, views: &[View]) -> Vec<(AggregatedView, CumulativeTable)> {
        let views = views.iter().filter(|view| view.aggregates);
        self.aggregated
            .iter()
            .zip(views)
            .map(|(aggregated, view)| (aggregated.clone(), table(view)))
            .collect()
    }
}

/// Whether sockets stay in a view as long as they live, whatever state they are in, and keep their ends.
fn is_steady(of: &ProtocolStates) -> bool {
    of.protocol.connections.is_within(of.states) && !of.protocol.reconnects()
}

/// Whether close events of a protocol are of use to a view. Those without values cost the host and tell only that a socket
/// has closed.
fn needs_events(view: &View, protocol: &Protocol) -> bool {
    if protocol.ends_with_values() {
        view.counts_connections() || view.sums_by_process() || view.needs().has(Needs::LISTENERS)
    } else {
        view.columns.iter().any(|column| column.metric.source.quantity == Quantity::Closed)
    }
}

fn table(view: &View) -> CumulativeTable {
    let column = |column: &Column| {
        let make =
            if column.aggregation.is_cumulative() { TableColumn::Cumulative } else { TableColumn::Gauge };
        make(column.cells())
    };
    let other = LabelBuffer::of(view.by.iter().map(|_| OTHER));
    let idle = if view.is_cumulative() { view.idle.as_secs() } else { 0 };
    let limit = view.limit.unwrap_or(usize::MAX);
    let columns = view.columns.iter().map(column).collect();
    CumulativeTable::new(columns, other.packed(), limit, u32::try_from(idle).unwrap_or(u32::MAX))
}

impl View {
    /// The keys that its rows can have, if they are few and known.
    pub(crate) fn known_keys(&self) -> Vec<Vec<u8>> {
        match self.by.as_slice() {
            [] => vec![Vec::new()],
            [label] => {
                let shown: BTreeSet<_> = State::ALL
                    .into_iter()
                    .filter(|state| self.states().contains(*state))
                    .map(State::name)
                    .collect();
                let values = label.values().unwrap_or_default().into_iter();
                let values = values.filter(|value| *label != Property::State || shown.contains(value));
                values.map(|value| LabelBuffer::of([value]).packed().to_vec()).collect()
            }
            _ => Vec::new(),
        }
    }
}
