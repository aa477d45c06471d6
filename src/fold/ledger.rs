//! What is remembered of each live socket, so that folded counters never lose a byte and never go back.
//!
//! A socket is known by its cookie. Its counters' last values stand in a record; what they gain goes
//! to the rows that the record names, at every dump and at the socket's end. Gains of an interval go to
//! the row that the socket had when the interval began: who enters a view late brings nothing along.
//! Refuses to know what a counter counts, how a row is found, and where values come from.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashSet, HashTable};

use super::MISSES;
use super::cumulative::{CumulativeTable, Feed};
use super::record::Records;
use baseline::{Age, Baseline};
use feeds::{Counter, Place};
use presumed_closed::PRESUMED_CLOSED;
use record_layout::{COOKIE, COUNTERS, SEEN, low, row_of, set_row};

mod baseline;
mod feeds;
mod lookup;
mod observe;
mod place;
mod presumed_closed;
mod record_layout;
mod reshape;
mod shrink;

pub use baseline::Inventory;
pub use lookup::DumpLookup;
pub use record_layout::ABSENT;
pub(super) use record_layout::gain;
pub use reshape::Kept;
pub(super) use shrink::is_mostly_free;

/// The row of a socket that a view does not want.
pub const NO_ROW: u32 = u32::MAX;

/// So many ends are remembered while a dump is under way.
const MOST_TOMBSTONES: usize = 1 << 20;
/// What a ledger is made for.
#[derive(Debug)]
pub struct Shape {
    /// How many bits each counter has before it begins again at 0.
    pub counters: Vec<u32>,
    /// The tables of all folded views.
    pub tables: Vec<CumulativeTable>,
    /// The tables whose rows a record names, by number.
    pub followed: Vec<usize>,
    /// The most sockets to remember.
    pub most: usize,
}

/// A socket that the ledger begins to follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entrant {
    /// What tells it from all others.
    pub cookie: u64,
    /// Bits that whoever keeps the ledger gives a meaning, below the uppermost.
    pub flags: u32,
    /// A number that stays with it: its namespace.
    pub netns: u32,
    /// A number that may be changed.
    pub owner: u32,
}

/// The place of a live socket's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

/// What went differently from what one would wish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sockets of the last dump for which there was no record left.
    pub untracked: u64,
    /// Values that were less than the last ones, and no overflow of the kernel's counter.
    pub backwards: u64,
    /// Sockets that the kernel's tables had no longer, before an event told of their end.
    pub unseen: u64,
    /// Closed sockets without a record that were older than a table, or may have been.
    pub before_baseline: u64,
}

/// The ledger, with the tables that it fills.
#[derive(Debug)]
pub struct Ledger {
    records: Records,
    hash: DefaultHashBuilder,
    index: HashTable<u32>,
    /// The record behind the one that was last shown.
    next: u32,
    counters: Vec<Counter>,
    readings: Vec<Vec<Place>>,
    followed: Vec<usize>,
    /// The tables of all folded views.
    pub tables: Vec<CumulativeTable>,
    most: usize,
    /// Sockets that were given up, the first first: an event may still come for one that a process holds on to.
    presumed_closed: VecDeque<(Slot, u64)>,
    /// Records of these.
    waiting: usize,
    /// Sockets whose end is known while a dump is under way that may still show them.
    tombstones: HashSet<u64>,
    /// Whether more sockets ended during this dump than can be remembered.
    tombstones_full: bool,
    dumping: bool,
    /// The number of the dump that is or was last under way.
    dump: u32,
    /// Records that this dump has shown.
    shown: usize,
    /// The numbers of the last complete dumps, the latest first, at most one a second.
    complete: [u32; MISSES],
    /// The second of the latest of them.
    completed: u32,
    /// Which sockets may be older than a table.
    pub baseline: Baseline,
    /// What went differently.
    pub stats: Stats,
}

/// The words of a record: rows stand two to a word.
const fn width(counters: usize, followed: usize) -> usize {
    COUNTERS + counters + followed.div_ceil(2)
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let Shape { counters, tables, followed, most } = shape;
        let (counters, readings) = feeds::wire(counters, &tables, &followed);
        let baseline = Baseline::new(tables.len(), most);
        Self {
            records: Records::new(width(counters.len(), followed.len())),
            hash: DefaultHashBuilder::default(),
            index: HashTable::new(),
            next: 0,
            counters,
            readings,
            followed,
            tables,
            most,
            presumed_closed: VecDeque::new(),
            waiting: 0,
            tombstones: HashSet::new(),
            tombstones_full: false,
            dumping: false,
            dump: 0,
            shown: 0,
            complete: [0; MISSES],
            completed: 0,
            baseline,
            stats: Stats::default(),
        }
    }

    /// A dump begins: whatever ended before its request was sent, it will not show.
    pub fn begin(&mut self) {
        self.dump += 1;
        self.shown = 0;
        self.tombstones.clear();
        self.tombstones_full = false;
        self.dumping = true;
        self.stats.untracked = 0;
    }

    /// The dump has ended. What complete ones keep missing is gone, and rows that are idle make room.
    ///
    /// Nothing is gone as long as its end may be on its way: only if all ends so far were `heard`. Nor is a socket
    /// whose netns is `spared`, because the dump tells nothing of those.
    pub fn end(&mut self, complete: bool, heard: bool, spared: &[u32], now: u32) {
        self.dumping = false;
        self.tombstones.clear();
        if !complete {
            return;
        }
        // The kernel tells of an end a moment after it: dumps of one second are one.
        if now != self.completed || self.dump == 1 {
            let [latest, before, _] = self.complete;
            self.complete = [self.dump, latest, before];
            self.completed = now;
        }
        if heard && self.shown < self.tracked().0 {
            self.presume_missing_closed(spared, now);
        }
        for table in &mut self.tables {
            table.expire(self.dump, now);
        }
    }

    /// The number of the dump under way, or of the last.
    #[must_use]
    pub const fn dump(&self) -> u32 {
        self.dump
    }

    /// The last values of a socket's counters.
    pub fn values(&self, slot: Slot) -> impl Iterator<Item = u64> {
        self.records.get(slot.0).iter().skip(COUNTERS).take(self.counters.len()).copied()
    }

    /// Whether a socket can be opened now: there is a record left, and it is known which have ended.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.records.len() < self.most && !self.tombstones_full
    }

    /// Dumps of these namespaces were complete, and all close events so far are known if they are `heard`.
    pub fn dumped(&mut self, namespaces: &[u32], heard: bool) {
        self.baseline.dumped(namespaces, heard, self.stats.untracked == 0);
    }

    /// How many sockets are remembered, and how many can be.
    #[must_use]
    pub const fn tracked(&self) -> (usize, usize) {
        (self.records.len() - self.waiting, self.most)
    }

    /// The memory of one socket in bytes, at this number of sockets.
    #[must_use]
    pub fn bytes_each(&self) -> usize {
        self.records.bytes_each() + self.index.allocation_size() / self.records.len().max(1)
    }

    /// Begins to follow a socket that a dump shows for the first time; `None` if there is no record left.
    ///
    /// All that it has is gained in every table that is older than the socket; the others count on from there.
    pub fn open(&mut self, entrant: Entrant, rows: &[u32], values: &[u64]) -> Option<Slot> {
        if !self.has_room() {
            self.stats.untracked += 1;
            return None;
        }
        let slot = self.records.take();
        let Entrant { cookie, flags, netns, owner } = entrant;
        let record = self.records.get_mut(slot);
        let (head, rest) = record.split_at_mut_checked(COUNTERS)?;
        let seen = u64::from(flags) << 32 | u64::from(self.dump);
        head.copy_from_slice(&[cookie, seen, 0, u64::from(netns) << 32 | u64::from(owner)]);
        let (lasts, _) = rest.split_at_mut_checked(values.len())?;
        lasts.copy_from_slice(values);
        for (number, row) in rows.iter().enumerate() {
            set_row(record, self.counters.len(), number, *row);
        }
        self.shown += 1;
        let Self { records, hash, index, .. } = self;
        let rehash = |slot: &u32| hash.hash_one(records.get(*slot).first().copied().unwrap_or_default());
        index.insert_unique(hash.hash_one(cookie), slot, rehash);
        let age = self.baseline.age(cookie, netns);
        self.baseline.forget(cookie);
        for (number, row) in self.followed.iter().zip(rows).filter(|(_, row)| **row != NO_ROW) {
            if let Some(table) = self.tables.get_mut(*number) {
                table.enter(*row);
                if !self.baseline.is_older(age, *number) {
                    table.count(*row, Feed::Opened);
                }
            }
        }
        self.credit(values, age, rows);
        Some(Slot(slot))
    }

    /// Counts a socket in that namespace of which nothing was seen but its end.
    ///
    /// What one that is older than a table has gained since then is not known.
    pub fn count_unseen(&mut self, cookie: u64, netns: u32, rows: &[u32], values: &[u64], now: u32) {
        let age = self.baseline.age(cookie, netns);
        self.baseline.forget(cookie);
        let mut older_than_any = false;
        for (number, row) in self.followed.iter().zip(rows).filter(|(_, row)| **row != NO_ROW) {
            if let Some(table) = self.tables.get_mut(*number) {
                if self.baseline.is_older(age, *number) {
                    older_than_any = true;
                } else {
                    table.count(*row, Feed::Opened);
                }
                table.count(*row, Feed::Closed);
                table.touch(*row, self.dump, now);
                table.note(*row);
            }
        }
        self.stats.before_baseline += u64::from(older_than_any);
        self.credit(values, age, rows);
    }

    /// Credits what a socket's counters have gained to the rows that its record names.
    #[inline]
    pub fn follow(&mut self, slot: Slot, values: &[u64]) {
        let Self { records, counters, tables, stats, .. } = self;
        let width = counters.len();
        let record = records.get_mut(slot.0);
        for (number, (counter, value)) in counters.iter_mut().zip(values.iter().copied()).enumerate() {
            let Some(last) = record.get_mut(COUNTERS + number).filter(|_| value != ABSENT) else { continue };
            let Some(gain) = gain(*last, value, counter.bits) else {
                stats.backwards += 1;
                continue;
            };
            *last = value;
            counter.known = true;
            if gain > 0 {
                for place in &counter.places {
                    let row = row_of(record, width, place.row);
                    if let Some(table) = tables.get_mut(place.table).filter(|_| row != NO_ROW) {
                        table.add(row, place.column, gain);
                    }
                }
            }
        }
    }

    /// Notes that a socket has ended, so that a part of a dump that was made before does not revive it.
    pub fn tombstone(&mut self, cookie: u64) {
        if self.dumping {
            self.tombstones_full |= self.tombstones.len() >= MOST_TOMBSTONES;
            if !self.tombstones_full {
                self.tombstones.insert(cookie);
            }
        }
    }

    /// Forgets a socket that is gone.
    pub fn close(&mut self, slot: Slot, now: u32) {
        let cookie = self.word(slot.0, COOKIE);
        let Ok(entry) = self.index.find_entry(self.hash.hash_one(cookie), |other| *other == slot.0) else {
            return;
        };
        entry.remove();
        self.shown -= usize::from(self.dumping && low(self.word(slot.0, SEEN)) == self.dump);
        if self.flags(slot) & PRESUMED_CLOSED == 0 {
            self.count_closed(slot);
        } else {
            self.waiting -= 1;
        }
        for (number, table) in self.followed.iter().enumerate() {
            let row = self.row(slot, number);
            if let Some(table) = self.tables.get_mut(*table).filter(|_| row != NO_ROW) {
                table.leave(row, now);
            }
        }
        self.records.free(slot.0);
    }

    /// Notes that a counter will have values: until then, its 0 is not.
    pub fn expect(&mut self, counter: usize) {
        if let Some(counter) = self.counters.get_mut(counter) {
            counter.known = true;
        }
    }

    /// Whether a feed has ever had a value: what the kernel does not tell must not look like 0.
    #[must_use]
    pub fn knows(&self, feed: Feed) -> bool {
        match feed {
            Feed::Counter(number) => self.counters.get(number).is_some_and(|counter| counter.known),
            _ => true,
        }
    }

    /// Credits the whole values of a socket to rows, or nothing where it may be older than their table.
    fn credit(&mut self, values: &[u64], age: Age, rows: &[u32]) {
        let old = self.baseline.is_older_than_any(age);
        for (counter, value) in self.counters.iter_mut().zip(values).filter(|(_, value)| **value != ABSENT) {
            counter.known = true;
            for place in &counter.places {
                let row = rows.get(place.row).copied().filter(|row| *row != NO_ROW);
                if let Some((row, table)) = row.zip(self.tables.get_mut(place.table)) {
                    let older = old && self.baseline.is_older(age, place.table);
                    table.add(row, place.column, if older { 0 } else { *value });
                }
            }
        }
    }

    #[inline]
    fn word(&self, slot: u32, word: usize) -> u64 {
        self.records.get(slot).get(word).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
