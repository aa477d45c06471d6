//! Sockets that dumps keep missing: counted as closed, and kept for the event that may still come.
//!
//! Refuses to know why no dump shows them: an event was dropped, or a process holds on to a connection that
//! was reset.

use super::record_layout::{COOKIE, SEEN, low};
use super::{Feed, Ledger, NO_ROW, Slot};

/// So many sockets that are gone without an event may still have one.
pub(super) const MOST_PRESUMED_CLOSED: usize = 1 << 16;
/// The flag of a record whose socket was given up, and counts as closed already.
pub(super) const PRESUMED_CLOSED: u32 = 1 << 31;

impl Ledger {
    /// Gives up every socket that the last complete dumps have missed.
    pub(super) fn presume_missing_closed(&mut self, spared: &[u32], now: u32) {
        let missed = |slot: &Slot| {
            self.is_missed(*slot)
                && self.flags(*slot) & PRESUMED_CLOSED == 0
                && !spared.contains(&self.netns(*slot))
        };
        let gone: Vec<Slot> = self.index.iter().map(|slot| Slot(*slot)).filter(missed).collect();
        for slot in gone {
            self.presume_closed(slot, now);
        }
    }

    fn is_missed(&self, slot: Slot) -> bool {
        let [.., oldest] = self.complete;
        low(self.word(slot.0, SEEN)) < oldest
    }

    /// Counts a socket as closed that is in no dump. Its record waits for the event: a connection that is
    /// reset leaves the kernel's tables at once, and ends when its process closes it.
    fn presume_closed(&mut self, slot: Slot, now: u32) {
        if (0..self.followed.len()).all(|number| self.row(slot, number) == NO_ROW) {
            // No view wants it, so that no dump may have asked for it.
            return self.close(slot, now);
        }
        self.stats.unseen += 1;
        self.waiting += 1;
        self.count_closed(slot);
        if let Some(seen) = self.records.get_mut(slot.0).get_mut(SEEN) {
            *seen |= u64::from(PRESUMED_CLOSED) << 32;
        }
        self.presumed_closed.push_back((slot, self.word(slot.0, COOKIE)));
        while self.presumed_closed.len() > MOST_PRESUMED_CLOSED {
            let Some((slot, cookie)) = self.presumed_closed.pop_front() else { return };
            if self.find(cookie) == Some(slot) && self.is_missed(slot) {
                self.close(slot, now);
            }
        }
    }

    pub(super) fn count_closed(&mut self, slot: Slot) {
        for (number, table) in self.followed.iter().enumerate() {
            let row = self.row(slot, number);
            if let Some(table) = self.tables.get_mut(*table).filter(|_| row != NO_ROW) {
                table.count(row, Feed::Closed);
            }
        }
    }
}
