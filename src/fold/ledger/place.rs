//! In which rows a socket is, and what else is noted of it.
//!
//! Refuses to know why.

use super::record_layout::{NOTES, SEEN, high, low, row_of, set_row};
use super::{Ledger, NO_ROW, Slot};

impl Ledger {
    /// The flags that a socket's record was opened with.
    #[must_use]
    pub fn flags(&self, slot: Slot) -> u32 {
        high(self.word(slot.0, SEEN))
    }

    /// Gives a socket other flags.
    pub fn set_flags(&mut self, slot: Slot, flags: u32) {
        if let Some(word) = self.records.get_mut(slot.0).get_mut(SEEN) {
            *word = u64::from(flags) << 32 | u64::from(low(*word));
        }
    }

    /// The number of the network namespace of a socket.
    #[must_use]
    pub fn netns(&self, slot: Slot) -> u32 {
        high(self.word(slot.0, NOTES))
    }

    /// The owner of a socket.
    #[must_use]
    #[inline]
    pub fn owner(&self, slot: Slot) -> u32 {
        low(self.word(slot.0, NOTES))
    }

    /// Gives a socket another owner.
    pub fn set_owner(&mut self, slot: Slot, owner: u32) {
        if let Some(word) = self.records.get_mut(slot.0).get_mut(NOTES) {
            *word = *word >> 32 << 32 | u64::from(owner);
        }
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
