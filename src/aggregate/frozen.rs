//! A table that is complete: what a snapshot shows of a view.

use super::cell::Cells;
use super::key::{KeyBuffer, Size};

/// A table that is complete.
#[derive(Debug)]
pub struct FrozenTable {
    pub(super) keys: KeyBuffer,
    /// `None` where a column is withheld.
    pub(super) columns: Vec<Option<Cells>>,
    /// `None` if every row is shown.
    pub(super) shown: Option<Vec<u32>>,
    /// How many keys the limit left out.
    pub left_out: usize,
}

impl FrozenTable {
    /// How much the table holds.
    pub(crate) fn size(&self) -> Size {
        self.keys.size()
    }

    /// How many rows are shown.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shown.as_ref().map_or(self.keys.size().rows, Vec::len)
    }

    /// The key of a shown row and its number in the columns.
    #[inline]
    pub(crate) fn shown(&self, index: usize) -> Option<(usize, &[u8])> {
        let row = match &self.shown {
            Some(shown) => *shown.get(index)? as usize,
            None => index,
        };
        Some((row, self.keys.get(row)?))
    }

    /// The cells of a column; `None` if it is withheld.
    pub(crate) fn column(&self, column: usize) -> Option<&Cells> {
        self.columns.get(column)?.as_ref()
    }

    /// The same table without the memory of rows that are not shown.
    pub(super) fn compact(mut self) -> Self {
        let Some(shown) = self.shown.take() else { return self };
        let shown: Vec<_> = shown.into_iter().map(|row| row as usize).collect();
        self.columns.iter_mut().flatten().for_each(|cells| cells.keep(&shown));
        self.keys = shown.into_iter().filter_map(|row| self.keys.get(row)).collect();
        self
    }

    /// Withholds the columns for whose number `unwanted` is true.
    pub(crate) fn withhold(&mut self, unwanted: impl Fn(usize) -> bool) {
        for (number, column) in self.columns.iter_mut().enumerate() {
            if unwanted(number) {
                *column = None;
            }
        }
    }
}
