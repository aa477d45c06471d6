//! Readings of sockets as observations in histograms: how often, and into which rows.
//!
//! Refuses to know counters.

use super::record_layout::{OBSERVED, high, low, row_of};
use super::{Ledger, NO_ROW, Slot};

impl Ledger {
    /// Whether a socket's readings are to be observed in this period: not twice in one, and not if
    /// nothing was received since the last time.
    #[must_use]
    #[inline]
    pub fn is_due(&self, slot: Slot, period: u32, received: Option<u32>) -> bool {
        let observed = self.word(slot.0, OBSERVED);
        match high(observed) {
            0 => true,
            last => {
                last != period.wrapping_add(1) && received.is_none_or(|received| received != low(observed))
            }
        }
    }

    /// Whether a socket's readings were ever observed.
    #[must_use]
    pub fn was_observed(&self, slot: Slot) -> bool {
        high(self.word(slot.0, OBSERVED)) != 0
    }

    /// Notes that a socket's readings were observed.
    pub fn observed(&mut self, slot: Slot, period: u32, received: Option<u32>) {
        if let Some(word) = self.records.get_mut(slot.0).get_mut(OBSERVED) {
            *word = u64::from(period.wrapping_add(1)) << 32 | u64::from(received.unwrap_or_default());
        }
    }

    /// Adds an observation of a reading to the rows of its socket.
    pub fn observe(&mut self, slot: Slot, reading: usize, value: u64) {
        let Self { records, counters, readings, tables, .. } = self;
        let record = records.get(slot.0);
        for place in readings.get(reading).into_iter().flatten() {
            let row = row_of(record, counters.len(), place.row);
            if let Some(table) = tables.get_mut(place.table).filter(|_| row != NO_ROW) {
                table.add(row, place.column, value);
            }
        }
    }

    /// Adds an observation of a reading to rows.
    pub fn observe_in(&mut self, rows: &[u32], reading: usize, value: u64) {
        for place in self.readings.get(reading).into_iter().flatten() {
            let row = rows.get(place.row).copied().filter(|row| *row != NO_ROW);
            if let Some((row, table)) = row.zip(self.tables.get_mut(place.table)) {
                table.add(row, place.column, value);
            }
        }
    }
}
