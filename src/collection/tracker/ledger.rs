//! The records of all live sockets, kept so that aggregated counters never lose a byte and never go back.
//!
//! A socket is known by its identity. Its counters' last values stand in a record; what they gain goes
//! to the rows that the record names, at every dump and at the socket's end. Gains of an interval go to
//! the row that the socket had when the interval began: a socket that enters a view late brings nothing along.

use crate::aggregate::{ABSENT, CumulativeTable, RowId, gain};
use crate::attribute::Direction;
use crate::metrics::Source;
use crate::plan::{AggregatedView, Feed};
use crate::self_metrics::TrackerStats;
use baseline::{Age, Baseline};
use dumps::{Dumps, Tombstones};
use index::RecordIndex;
use last_values::UpperHalves;
use listeners::ListenerCounter;
use presumed_closed::PresumedClosed;
use record_layout::ViewId;
use record_layout::{HEAD, Record, RecordLayout};
use records::Records;
use view::{TrackedCounter, TrackedDistribution};

mod baseline;
mod dumps;
mod index;
mod last_values;
mod listeners;
mod observe;
mod presumed_closed;
mod record_layout;
mod records;
mod reload;
mod shrink;
mod view;

pub(in crate::collection) use index::DumpLookup;
pub(in crate::collection) use record_layout::Notes;
pub(in crate::collection) use view::TrackedView;

/// A socket of which a record is made.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::collection) struct Entrant {
    /// What identifies it among all of the host.
    pub(in crate::collection) identity: u64,
    /// Its network namespace and protocol, as a number.
    pub(in crate::collection) netns: u32,
    /// The number of its owner.
    pub(in crate::collection) owner: u32,
    /// `None` as long as no view asks for it.
    pub(in crate::collection) direction: Option<Direction>,
    /// What the dump shows of it.
    pub(in crate::collection) notes: Notes,
}

/// The place of a live socket's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collection) struct Slot(u32);

/// The ledger, with the views that it fills.
#[derive(Debug)]
pub(in crate::collection) struct Ledger {
    records: Records,
    upper_halves: UpperHalves,
    layout: RecordLayout,
    index: RecordIndex,
    counters: Vec<TrackedCounter>,
    distributions: Vec<TrackedDistribution>,
    of_listeners: Vec<ListenerCounter>,
    pub(in crate::collection) views: Vec<TrackedView>,
    /// The id of the view that was added last.
    last_view: ViewId,
    most: usize,
    presumed_closed: PresumedClosed,
    tombstones: Tombstones,
    dumps: Dumps,
    pub(in crate::collection) baseline: Baseline,
    pub(in crate::collection) stats: TrackerStats,
}

impl Ledger {
    /// An empty ledger for these views, these counters per record, and at most that many sockets.
    #[must_use]
    pub(in crate::collection) fn new(
        views: Vec<(AggregatedView, CumulativeTable)>,
        counters: &[Source],
        most: usize,
    ) -> Self {
        let mut ledger = Self {
            records: Records::new(HEAD),
            upper_halves: UpperHalves::default(),
            layout: RecordLayout::default(),
            index: RecordIndex::default(),
            counters: Vec::new(),
            distributions: Vec::new(),
            of_listeners: Vec::new(),
            views: Vec::new(),
            last_view: ViewId::default(),
            most,
            presumed_closed: PresumedClosed::default(),
            tombstones: Tombstones::default(),
            dumps: Dumps::default(),
            baseline: Baseline::new(most),
            stats: TrackerStats::default(),
        };
        ledger.set_views(views, counters, |_, _| false);
        ledger
    }

    /// A dump begins. It shows no socket that closed before its request was sent.
    pub(in crate::collection) fn begin(&mut self) {
        self.dumps.begin();
        self.tombstones.clear();
        self.stats.untracked = 0;
        self.index.fit(&self.records, self.records.len() + self.baseline.listed());
        self.views.iter_mut().for_each(TrackedView::begin);
    }

    /// The dump has ended. Sockets that complete dumps keep missing are presumed closed; idle rows are freed.
    ///
    /// No socket is presumed closed unless all close events are `drained`: its event may be in the queue. Nor is one of
    /// a `spared` namespace, which the dump did not cover.
    pub(in crate::collection) fn end(&mut self, complete: bool, drained: bool, spared: &[u32], now: u32) {
        self.dumps.under_way = false;
        self.tombstones.clear();
        if !complete {
            return;
        }
        self.dumps.complete(now);
        self.forget_listeners(spared);
        if drained && self.dumps.shown < self.tracked().0 {
            self.presume_missing_closed(spared, now);
        }
        for view in &mut self.views {
            view.table.expire(self.dumps.number, now);
        }
    }

    /// The number of the dump under way, or of the last.
    #[must_use]
    pub(in crate::collection) const fn dump(&self) -> u32 {
        self.dumps.number
    }

    /// The record of a socket.
    #[must_use]
    #[inline]
    pub(in crate::collection) fn record(&self, slot: Slot) -> Record<'_, &[u32]> {
        Record { layout: &self.layout, words: self.records.get(slot.0) }
    }

    /// The record of a socket, to be changed, and all views.
    #[must_use]
    #[inline]
    pub(in crate::collection) fn record_mut(
        &mut self,
        slot: Slot,
    ) -> (Record<'_, &mut [u32]>, &mut Vec<TrackedView>) {
        let record = Record { layout: &self.layout, words: self.records.get_mut(slot.0) };
        (record, &mut self.views)
    }

    /// The counters of every record, in their order.
    pub(in crate::collection) fn sources(&self) -> impl Iterator<Item = Source> {
        self.layout.counters.iter().copied()
    }

    /// The last values of the counters of a record.
    pub(in crate::collection) fn values(&self, slot: Slot) -> impl Iterator<Item = (Source, u64)> {
        let record = self.records.get(slot.0);
        let value = move |(place, source)| (source, self.upper_halves.value(slot.0, record, place));
        self.sources().enumerate().map(value)
    }

    /// Whether a socket can be opened now: a record is free, and the tombstones are complete.
    #[must_use]
    pub(in crate::collection) const fn has_room(&self) -> bool {
        self.records.len() < self.most && !self.tombstones.full
    }

    /// Dumps of these namespaces were complete, and all close events so far are known if they are `drained`.
    pub(in crate::collection) fn dumped(&mut self, namespaces: &[u32], drained: bool) {
        self.baseline.dumped(namespaces, drained, self.stats.untracked == 0);
    }

    /// How many sockets are tracked, and how many can be.
    #[must_use]
    pub(in crate::collection) const fn tracked(&self) -> (usize, usize) {
        (self.records.len() - self.presumed_closed.records, self.most)
    }

    /// Makes a record of a socket that a dump shows for the first time; `None` if there is none left.
    ///
    /// All that it has is gained in every view that is older than the socket; the others count on from there.
    pub(in crate::collection) fn open(
        &mut self,
        entrant: Entrant,
        rows: &[Option<RowId>],
        values: &[u64],
    ) -> Option<Slot> {
        if !self.has_room() {
            self.stats.untracked += 1;
            return None;
        }
        let Entrant { identity, netns, owner, direction, notes } = entrant;
        let slot = self.records.take();
        let mut record = Record { layout: &self.layout, words: self.records.get_mut(slot) };
        record.set_identity(identity);
        record.set_netns(netns);
        record.set_seen(self.dumps.number);
        record.set_direction(direction);
        record.place(self.baseline.generation, owner, notes);
        rows.iter().enumerate().for_each(|(place, row)| record.set_row(place, *row));
        let (front, _) = self.layout.split(record.words);
        self.upper_halves.set_first(slot, front, values);
        self.dumps.shown += 1;
        self.index.insert(&self.records, slot);
        let age = self.baseline.age(identity, netns);
        self.baseline.forget(identity, netns);
        for view in &mut self.views {
            if let Some(row) = view.place.and_then(|place| *rows.get(place)?) {
                view.table.enter(row);
                if !age.is_older(view.since) {
                    view.count(row, Feed::Opened, 1);
                }
            }
        }
        self.credit(values, age, rows);
        Some(Slot(slot))
    }

    /// Counts a socket in that namespace of which nothing was seen but its end.
    ///
    /// What one that is older than a view has gained since then is not known.
    pub(in crate::collection) fn count_unseen(
        &mut self,
        identity: u64,
        netns: u32,
        rows: &[Option<RowId>],
        values: &[u64],
        now: u32,
    ) {
        let age = self.baseline.age(identity, netns);
        self.baseline.forget(identity, netns);
        let mut older_than_any = false;
        for view in &mut self.views {
            let Some(row) = view.place.and_then(|place| *rows.get(place)?) else { continue };
            if age.is_older(view.since) {
                older_than_any = true;
            } else {
                view.count(row, Feed::Opened, 1);
            }
            view.count(row, Feed::Closed, 1);
            view.table.touch(row, self.dumps.number, now);
            view.table.note(row);
        }
        self.stats.before_baseline += u64::from(older_than_any);
        self.credit(values, age, rows);
    }

    /// Credits what a socket's counters have gained to the rows that its record names; the record, and all views.
    #[inline]
    pub(in crate::collection) fn follow(
        &mut self,
        slot: Slot,
        read: impl Fn(&Source) -> Option<u64>,
    ) -> (Record<'_, &mut [u32]>, &mut Vec<TrackedView>) {
        let Self { records, upper_halves, layout, counters, views, stats, .. } = self;
        let words = records.get_mut(slot.0);
        let (front, rows) = layout.split(words);
        for (place, counter) in counters.iter_mut().enumerate() {
            let Some(value) = read(&counter.source) else { continue };
            let Some(gain) = gain(upper_halves.value(slot.0, front, place), value, counter.bits) else {
                stats.backwards += 1;
                continue;
            };
            upper_halves.set_value(slot.0, front, place, value);
            counter.known = true;
            if gain > 0 {
                for place in &counter.places {
                    if let Some((row, view)) = rows.get(place.row).zip(views.get_mut(place.view)) {
                        view.table.add(row, place.column, gain);
                    }
                }
            }
        }
        (Record { layout, words }, views)
    }

    /// Notes that a socket has ended, so that a part of a dump that was made before does not revive it.
    pub(in crate::collection) fn tombstone(&mut self, identity: u64) {
        if self.dumps.under_way {
            self.tombstones.add(identity);
        }
    }

    /// Forgets a closed socket.
    pub(in crate::collection) fn close(&mut self, slot: Slot, now: u32) {
        if !self.index.remove(&self.records, slot.0) {
            return;
        }
        let record = self.record(slot);
        let (shown, presumed) = (record.seen() == self.dumps.number, record.is_presumed_closed());
        self.dumps.shown -= usize::from(self.dumps.under_way && shown);
        if presumed {
            self.presumed_closed.records -= 1;
        } else {
            self.count_closed(slot);
        }
        let (record, views) = self.record_mut(slot);
        for view in views {
            if let Some(row) = view.row(&record) {
                view.table.leave(row, now);
            }
        }
        self.upper_halves.forget(slot.0, self.records.get(slot.0));
        self.records.free(slot.0);
    }

    /// Notes that a counter will have values: until then, its 0 is not.
    pub(in crate::collection) fn expect(&mut self, counts: impl Fn(Source) -> bool) {
        self.counters.iter_mut().for_each(|counter| counter.known |= counts(counter.source));
    }

    /// Whether a feed has ever had a value: what the kernel does not report must not look like 0.
    #[must_use]
    pub(in crate::collection) fn knows(&self, feed: Feed) -> bool {
        match feed {
            Feed::Counter(source) => {
                self.counters.iter().any(|counter| counter.source == source && counter.known)
            }
            Feed::OfListeners(source) => self.of_listeners.iter().any(|counter| counter.is_known(source)),
            _ => true,
        }
    }

    /// Credits the whole values of a socket to rows, or nothing where it may be older than their view.
    fn credit(&mut self, values: &[u64], age: Age, rows: &[Option<RowId>]) {
        let old = self.baseline.is_older_than_any(age);
        for (counter, value) in self.counters.iter_mut().zip(values).filter(|(_, value)| **value != ABSENT) {
            counter.known = true;
            for place in &counter.places {
                let row = rows.get(place.row).copied().flatten();
                if let Some((row, view)) = row.zip(self.views.get_mut(place.view)) {
                    let older = old && age.is_older(view.since);
                    view.table.add(row, place.column, if older { 0 } else { *value });
                }
            }
        }
    }
}

impl Record<'_, &mut [u32]> {
    /// Puts the socket into another row of a view.
    pub(in crate::collection) fn move_to(&mut self, view: &mut TrackedView, row: Option<RowId>, now: u32) {
        let Some(place) = view.place else { return };
        let before = self.row(place);
        self.set_row(place, row);
        if let Some(before) = before {
            view.table.leave(before, now);
        }
        if let Some(row) = row {
            view.table.enter(row);
        }
    }
}

#[cfg(test)]
mod tests;
