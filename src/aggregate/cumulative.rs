//! The table of an aggregated view, which stays from one collection to the next.
//!
//! Sums of gains and histograms only grow; each collection makes gauges again, and they are joined to
//! the others when the table is frozen.

use super::cell::Cells;
use super::frozen::FrozenTable;
use super::rows::{RowId, Rows};

/// A column of an aggregated view.
#[derive(Clone, Debug)]
pub enum TableColumn {
    /// It only grows.
    Cumulative(Cells),
    /// Each collection makes it again, from empty cells like these.
    Gauge(Cells),
}

/// The rows of an aggregated view.
#[derive(Debug)]
pub struct CumulativeTable {
    rows: Rows,
    columns: Vec<TableColumn>,
    /// Seconds for which a row without a socket is kept.
    idle: u32,
    /// Sockets that found no row of their own.
    overflowed: u64,
}

/// The columns that one collection makes, in their places among all columns of a table.
#[derive(Debug, Default)]
pub struct GaugeColumns(Vec<Option<Cells>>);

impl CumulativeTable {
    /// A table without rows whose overflow goes to the row with the key `other`. Idle rows are kept for `idle` seconds.
    pub(crate) fn new(columns: Vec<TableColumn>, other: &[u8], limit: usize, idle: u32) -> Self {
        let mut table = Self { rows: Rows::new(other, limit), columns, idle, overflowed: 0 };
        table.reset(RowId::OTHER);
        table
    }

    /// The row with this key, or the one that takes what finds no room.
    #[inline]
    pub(crate) fn row(&mut self, key: &[u8]) -> RowId {
        let (row, new) = self.rows.row(key);
        if new {
            self.reset(row);
        }
        row
    }

    /// Whether the row takes what finds no room elsewhere.
    pub(crate) fn is_overflow(&self, row: RowId) -> bool {
        self.rows.is_overflow(row)
    }

    /// Notes that a socket was put into a row, which may be the one that takes what finds no room.
    pub(crate) fn note(&mut self, row: RowId) {
        self.overflowed += u64::from(self.rows.is_overflow(row));
    }

    /// Shows a row with this key if there is room, before any socket has it.
    pub(crate) fn announce(&mut self, key: &[u8], dump: u32, now: u32) {
        let Some((row, new)) = self.rows.if_room(key) else { return };
        if new {
            self.reset(row);
        }
        self.touch(row, dump, now);
    }

    /// Notes that a dump found something for a row.
    #[inline]
    pub(crate) fn touch(&mut self, row: RowId, dump: u32, now: u32) {
        if let Some(state) = self.rows.state_mut(row) {
            (state.dump, state.used) = (dump, now);
        }
    }

    /// A tracked socket is in the row from now on.
    pub(crate) fn enter(&mut self, row: RowId) {
        if let Some(state) = self.rows.state_mut(row) {
            state.live += 1;
        }
        self.note(row);
    }

    /// A tracked socket is no longer in the row.
    pub(crate) fn leave(&mut self, row: RowId, now: u32) {
        if let Some(state) = self.rows.state_mut(row) {
            state.live = state.live.saturating_sub(1);
            state.used = now;
        }
    }

    /// Adds to a cell of a cumulative column.
    #[inline]
    pub(crate) fn add(&mut self, row: RowId, column: usize, value: u64) {
        if let Some(TableColumn::Cumulative(cells)) = self.columns.get_mut(column) {
            cells.add(row.index(), value, 0);
        }
    }

    /// Frees the rows that have no socket, were not found by this complete dump, and are idle for too long.
    pub(crate) fn expire(&mut self, dump: u32, now: u32) {
        let Self { rows, idle, .. } = self;
        rows.remove_where(|row| row.live == 0 && row.dump != dump && now.saturating_sub(row.used) >= *idle);
    }

    /// Gives back the memory of freed rows, if that is most of it: for each row its new one, or `None` for one
    /// that is gone.
    pub(crate) fn shrink(&mut self) -> Option<Vec<Option<RowId>>> {
        let moved = self.rows.shrink()?;
        let kept: Vec<usize> =
            moved.iter().enumerate().filter_map(|(row, new)| new.is_some().then_some(row)).collect();
        for column in &mut self.columns {
            if let TableColumn::Cumulative(cells) = column {
                cells.keep(&kept);
            }
        }
        Some(moved)
    }

    /// Empty cells for what a collection finds.
    pub(crate) fn gauges(&self) -> GaugeColumns {
        let fresh = |column: &TableColumn| match column {
            TableColumn::Gauge(cells) => Some(cells.clone()),
            TableColumn::Cumulative(_) => None,
        };
        GaugeColumns(self.columns.iter().map(fresh).collect())
    }

    /// How many sockets have found no row of their own so far.
    pub(crate) const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// What a snapshot shows: all columns, or without gauges only the cumulative ones.
    ///
    /// A cumulative column is withheld as long as `known` says, by its number, that it has never had a value.
    pub(crate) fn freeze(&self, gauges: Option<GaugeColumns>, known: impl Fn(usize) -> bool) -> FrozenTable {
        let mut gauges = gauges.map(|gauges| gauges.0).unwrap_or_default().into_iter();
        let columns = self.columns.iter().enumerate().map(|(number, column)| {
            let gauge = gauges.next().flatten();
            match column {
                TableColumn::Gauge(_) => gauge.map(|cells| cells.filled(self.rows.len())),
                TableColumn::Cumulative(cells) => known(number).then(|| cells.clone()),
            }
        });
        FrozenTable {
            columns: columns.collect(),
            keys: self.rows.keys(),
            shown: Some(self.rows.used().collect()),
            left_out: 0,
        }
    }

    fn reset(&mut self, row: RowId) {
        for column in &mut self.columns {
            if let TableColumn::Cumulative(cells) = column {
                cells.reset(row.index());
            }
        }
    }
}

impl GaugeColumns {
    /// Adds a socket's value to a cell, if the column is one of the collection's.
    #[inline]
    pub(crate) fn add(&mut self, row: RowId, column: usize, value: u64) {
        if let Some(Some(cells)) = self.0.get_mut(column) {
            cells.reach(row.index());
            cells.add(row.index(), value, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_row_of_a_view_without_labels_is_no_overflow() {
        let mut table = CumulativeTable::new(vec![TableColumn::Cumulative(Cells::sum())], b"", 1, 0);
        assert_eq!(table.freeze(None, |_| true).rows(), 1);
        let row = table.row(b"");
        table.note(row);
        assert_eq!(table.overflowed(), 0);
    }
}
