//! In which rows a socket is.
//!
//! Refuses to know why.

use super::words::{SEEN, high, row_of, set_row};
use super::{Ledger, NO_ROW, Slot};

impl Ledger {
    /// The flags that a socket's record was opened with.
    #[must_use]
    pub fn flags(&self, slot: Slot) -> u32 {
        high(self.word(slot.0, SEEN))
    }

    /// The row of a socket in the table that is followed at that number.
    #[must_use]
    #[inline]
    pub fn row(&self, slot: Slot, number: usize) -> u32 {
        row_of(self.records.get(slot.0), self.counters.len(), number)
    }

    /// Puts a socket into another row of the table that is followed at that number.
    pub fn move_to(&mut self, slot: Slot, number: usize, row: u32, now: u32) {
        let before = self.row(slot, number);
        set_row(self.records.get_mut(slot.0), self.counters.len(), number, row);
        let Some(table) = self.followed.get(number).and_then(|table| self.tables.get_mut(*table)) else {
            return;
        };
        if before != NO_ROW {
            table.leave(before, now);
        }
        if row != NO_ROW {
            table.enter(row);
        }
    }
}
