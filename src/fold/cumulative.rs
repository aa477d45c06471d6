//! The table of a folded view, which stays from one collection to the next.
//!
//! Sums of gains and histograms only grow; amounts are made anew by each collection and joined to
//! them when the table is sealed. Refuses to know sockets, clocks, and how anything is written.

use super::cell::Cells;
use super::frozen::FrozenTable;
use super::rows::{OTHER, Rows};

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// What the counter of that number gains.
    Counter(usize),
    /// Sockets that are first seen.
    Opened,
    /// Sockets that are gone.
    Closed,
    /// Observations of the reading of that number.
    Reading(usize),
    /// What each collection finds: nothing is kept.
    Amount,
}

/// The rows of a folded view.
#[derive(Debug)]
pub struct CumulativeTable {
    rows: Rows,
    columns: Vec<(Feed, Cells)>,
    marks: Vec<RowState>,
    /// A row without a socket is kept for so many seconds.
    idle: u32,
    /// Sockets that found no row of their own.
    folded: u64,
}

/// What keeps a row.
#[derive(Clone, Copy, Debug, Default)]
struct RowState {
    /// Sockets of the ledger that are in it now.
    live: u32,
    /// The number of the dump that last found something for it.
    dump: u32,
    /// When it last was of use, in seconds.
    used: u32,
}

/// The columns of one collection, beside those that stay.
#[derive(Debug, Default)]
pub struct GaugeColumns(Vec<Option<Cells>>);

impl CumulativeTable {
    /// A table without rows whose overflow goes to the row with the key `other`.
    #[must_use]
    pub fn new(columns: Vec<(Feed, Cells)>, other: &[u8], limit: usize, idle: u32) -> Self {
        let rows = Rows::new(other, limit);
        let mut table = Self { rows, columns, marks: Vec::new(), idle, folded: 0 };
        table.reset(OTHER);
        table
    }

    /// The same rows, fed by the numbers that a table with the same columns is fed by.
    #[must_use]
    pub(super) fn fed_as(mut self, other: &Self) -> Self {
        for ((feed, _), (new, _)) in self.columns.iter_mut().zip(&other.columns) {
            *feed = *new;
        }
        self
    }

    /// The feeds of the columns, in their order.
    pub fn feeds(&self) -> impl Iterator<Item = Feed> {
        self.columns.iter().map(|(feed, _)| *feed)
    }

    /// The row with this key, or the one that takes what finds no room.
    #[inline]
    pub fn row(&mut self, key: &[u8]) -> u32 {
        let (row, new) = self.rows.row(key);
        if new {
            self.reset(row);
        }
        row
    }

    /// Whether the row takes what finds no room elsewhere.
    #[must_use]
    pub fn is_overflow(&self, row: u32) -> bool {
        self.rows.is_overflow(row)
    }

    /// Notes that a socket was put into a row, which may be the one that takes what finds no room.
    pub fn note(&mut self, row: u32) {
        self.folded += u64::from(self.rows.is_overflow(row));
    }

    /// Shows a row with this key if there is room, before any socket has it.
    pub fn announce(&mut self, key: &[u8], dump: u32, now: u32) {
        let Some((row, new)) = self.rows.if_room(key) else { return };
        if new {
            self.reset(row);
        }
        self.touch(row, dump, now);
    }

    /// Notes that a dump found something for a row.
    #[inline]
    pub fn touch(&mut self, row: u32, dump: u32, now: u32) {
        if let Some(mark) = self.marks.get_mut(row as usize) {
            mark.dump = dump;
            mark.used = now;
        }
    }

    /// A socket of the ledger is in the row from now on.
    pub(super) fn enter(&mut self, row: u32) {
        if let Some(mark) = self.marks.get_mut(row as usize) {
            mark.live += 1;
        }
        self.note(row);
    }

    /// A socket of the ledger is no longer in the row.
    pub(super) fn leave(&mut self, row: u32, now: u32) {
        if let Some(mark) = self.marks.get_mut(row as usize) {
            mark.live = mark.live.saturating_sub(1);
            mark.used = now;
        }
    }

    /// Adds to a cell of a column that stays.
    #[inline]
    pub(super) fn add(&mut self, row: u32, column: usize, value: u64) {
        if let Some((_, cells)) = self.columns.get_mut(column) {
            cells.add(row as usize, value, 0);
        }
    }

    /// Adds one to every column with this feed.
    pub(super) fn count(&mut self, row: u32, what: Feed) {
        let of_feed = self.columns.iter_mut().filter(|(feed, _)| *feed == what);
        of_feed.for_each(|(_, cells)| cells.add(row as usize, 1, 0));
    }

    /// Frees the rows that have no socket, were not found by this complete dump, and are idle for too long.
    pub(super) fn expire(&mut self, dump: u32, now: u32) {
        let idle = |mark: &RowState| {
            mark.live == 0 && mark.dump != dump && now.saturating_sub(mark.used) >= self.idle
        };
        let marks = (0_u32..).zip(&self.marks).skip(1);
        let gone: Vec<u32> = marks.filter(|(_, mark)| idle(mark)).map(|(row, _)| row).collect();
        for row in gone {
            self.rows.remove(row);
        }
    }

    /// Gives back the memory of rows that are gone, if that is most of it: for each row its new number, or `u32::MAX`
    /// for one that is gone.
    pub(super) fn shrink(&mut self) -> Option<Vec<u32>> {
        let moved = self.rows.shrink()?;
        let kept: Vec<usize> =
            moved.iter().enumerate().filter(|(_, row)| **row != u32::MAX).map(|(row, _)| row).collect();
        for (feed, cells) in &mut self.columns {
            if *feed != Feed::Amount {
                cells.keep(&kept);
            }
        }
        self.marks = kept.iter().filter_map(|row| self.marks.get(*row).copied()).collect();
        Some(moved)
    }

    /// Empty cells for what a collection finds.
    #[must_use]
    pub fn amounts(&self) -> GaugeColumns {
        let fresh = |(feed, cells): &(Feed, Cells)| (*feed == Feed::Amount).then(|| cells.clone());
        GaugeColumns(self.columns.iter().map(fresh).collect())
    }

    /// How many sockets have found no row of their own so far.
    #[must_use]
    pub const fn folded(&self) -> u64 {
        self.folded
    }

    /// What a snapshot shows: all columns, or without amounts only those that stay.
    ///
    /// A column that stays is withheld as long as `known` says that its feed has never had a value.
    #[must_use]
    pub fn seal(&self, amounts: Option<GaugeColumns>, known: impl Fn(Feed) -> bool) -> FrozenTable {
        let mut amounts = amounts.map(|amounts| amounts.0).unwrap_or_default().into_iter();
        let columns = self.columns.iter().map(|(feed, cells)| match (feed, amounts.next().flatten()) {
            (Feed::Amount, amount) => amount.map(|cells| cells.filled(self.rows.len())),
            (feed, _) => known(*feed).then(|| cells.clone()),
        });
        FrozenTable {
            columns: columns.collect(),
            texts: self.rows.texts(),
            shown: Some(self.rows.used().collect()),
            left_out: 0,
        }
    }

    fn reset(&mut self, row: u32) {
        let row = row as usize;
        for (feed, cells) in &mut self.columns {
            if *feed != Feed::Amount {
                cells.reset(row);
            }
        }
        if self.marks.len() <= row {
            self.marks.resize(row + 1, RowState::default());
        }
        if let Some(mark) = self.marks.get_mut(row) {
            *mark = RowState::default();
        }
    }
}

impl GaugeColumns {
    /// Folds a socket's value of that age into a cell, if the column is one of the collection's.
    #[inline]
    pub fn add(&mut self, row: u32, column: usize, value: u64, age: u32) {
        if let Some(Some(cells)) = self.0.get_mut(column) {
            cells.reach(row as usize);
            cells.add(row as usize, value, age);
        }
    }
}
