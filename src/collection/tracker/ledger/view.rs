//! An aggregated view as the ledger keeps it, and which of its columns each counter and distribution goes to.

use std::ops::Deref;
use std::time::Instant;

use super::record_layout::{Record, ViewId};
use crate::aggregate::{CumulativeTable, GaugeColumns, RowId};
use crate::collection::generation::Generation;
use crate::metrics::Source;
use crate::plan::{AggregatedView, Feed};
use sockdiag::Socket;

/// An aggregated view with its rows.
#[derive(Debug)]
pub(in crate::collection) struct TrackedView {
    pub(super) id: ViewId,
    pub(in crate::collection) spec: AggregatedView,
    pub(in crate::collection) table: CumulativeTable,
    /// The columns that count what happens to sockets, and what feeds each.
    pub(super) counts: Vec<(usize, Feed)>,
    /// The place of its row in a record; `None` if it only has gauges.
    pub(in crate::collection) place: Option<usize>,
    /// The generation that added it.
    pub(in crate::collection) since: Generation,
    /// Since when it is known, in every namespace, which sockets are older than the view.
    pub(in crate::collection) certain_since: Option<Instant>,
    pub(in crate::collection) found: Found,
}

/// What one collection finds for a view.
#[derive(Debug, Default)]
pub(in crate::collection) struct Found {
    pub(in crate::collection) gauges: GaugeColumns,
    /// The sockets that the view selects.
    pub(in crate::collection) selected: u64,
    /// Those of them that are in the row of what finds no room.
    pub(in crate::collection) in_other: u64,
    /// The rows by the number of their state, a bit of a set, of a view with no other label.
    pub(in crate::collection) by_state: [Option<RowId>; u32::BITS as usize],
}

impl TrackedView {
    pub(super) fn new(id: ViewId, spec: AggregatedView, table: CumulativeTable, since: Generation) -> Self {
        let counts = counts(&spec);
        Self { id, spec, table, counts, place: None, since, certain_since: None, found: Found::default() }
    }

    /// A dump begins.
    pub(super) fn begin(&mut self) {
        self.found = Found { gauges: self.table.gauges(), ..Found::default() };
    }

    /// Adds to every column that is fed by this, which is no counter of connections.
    #[inline]
    pub(super) fn count(&mut self, row: RowId, what: Feed, amount: u64) {
        for (column, feed) in &self.counts {
            if *feed == what {
                self.table.add(row, *column, amount);
            }
        }
    }

    /// The row that a record names.
    #[inline]
    pub(in crate::collection) fn row<W: Deref<Target = [u32]>>(
        &self,
        record: &Record<'_, W>,
    ) -> Option<RowId> {
        record.row(self.place?)
    }

    /// Counts a socket in its row, if the view selects it.
    #[inline]
    pub(in crate::collection) fn gauge(&mut self, row: Option<RowId>, socket: &Socket<'_>) {
        let Some(row) = row else { return };
        self.found.selected += 1;
        self.found.in_other += u64::from(self.table.is_overflow(row));
        for (column, source) in &self.spec.gauges {
            if let Some(value) = source.read(socket) {
                self.found.gauges.add(row, *column, value);
            }
        }
    }
}

/// The columns that count what happens to sockets.
fn counts(spec: &AggregatedView) -> Vec<(usize, Feed)> {
    let feeds = spec.feeds.iter().copied().enumerate();
    feeds
        .filter(|(_, feed)| !matches!(feed, Feed::Counter(_) | Feed::Distribution(_) | Feed::Gauge))
        .collect()
}

/// A counter of records: how wide it is, whether it ever had a value, and where its gains go.
#[derive(Debug)]
pub(super) struct TrackedCounter {
    pub(super) source: Source,
    pub(super) bits: u32,
    pub(super) known: bool,
    pub(super) places: Vec<RowPlace>,
}

/// A quantity whose observations go to histograms.
#[derive(Debug)]
pub(super) struct TrackedDistribution {
    pub(super) source: Source,
    pub(super) places: Vec<RowPlace>,
}

/// A column that is fed: the place of the row in a record, the number of the view, and of its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowPlace {
    pub(super) row: usize,
    pub(super) view: usize,
    pub(super) column: usize,
}

/// The columns that a feed goes to.
fn places(views: &[TrackedView], wanted: Feed) -> Vec<RowPlace> {
    let views = views.iter().enumerate().filter_map(|(number, view)| Some((number, view, view.place?)));
    let places = views.flat_map(|(number, view, row)| {
        let columns = view.spec.feeds.iter().enumerate().filter(move |(_, feed)| **feed == wanted);
        columns.map(move |(column, _)| RowPlace { row, view: number, column })
    });
    places.collect()
}

/// The counters of records with the columns that they feed.
pub(super) fn counters(sources: &[Source], views: &[TrackedView]) -> Vec<TrackedCounter> {
    let counter = |source: &Source| TrackedCounter {
        source: *source,
        bits: source.bits(),
        known: false,
        places: places(views, Feed::Counter(*source)),
    };
    sources.iter().map(counter).collect()
}

/// All distributions with the columns that they feed.
pub(super) fn distributions(views: &[TrackedView]) -> Vec<TrackedDistribution> {
    let mut all: Vec<TrackedDistribution> = Vec::new();
    for feed in views.iter().flat_map(|view| &view.spec.feeds) {
        if let Feed::Distribution(source) = *feed
            && all.iter().all(|known| known.source != source)
        {
            all.push(TrackedDistribution { source, places: places(views, *feed) });
        }
    }
    all
}
