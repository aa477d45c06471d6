//! Sockets that dumps keep missing: they count as closed, and their records wait for a late close event.
//!
//! Either an event was dropped, or a process holds on to a connection that was reset.

use std::collections::VecDeque;

use super::record_layout::Record;
use super::{Ledger, Slot};
use crate::plan::Feed;

/// Sockets presumed closed whose records are kept for an event. Each costs the memory of a record.
pub(super) const MOST_PRESUMED_CLOSED: usize = 1 << 16;

/// The sockets that are presumed closed.
#[derive(Debug, Default)]
pub(super) struct PresumedClosed {
    /// With their identities, the first first. Some may have ended since.
    pub(super) queue: VecDeque<(Slot, u64)>,
    /// How many of them have a record.
    pub(super) records: usize,
}

impl Ledger {
    /// Presumes that every socket is closed that the last complete dumps have missed.
    pub(super) fn presume_missing_closed(&mut self, spared: &[u32], now: u32) {
        let missed = |slot: &Slot| {
            let record = self.record(*slot);
            self.is_missed(*slot) && !record.is_presumed_closed() && !spared.contains(&record.netns())
        };
        let gone: Vec<Slot> = self.index.slots().map(Slot).filter(missed).collect();
        for slot in gone {
            self.presume_closed(slot, now);
        }
    }

    fn is_missed(&self, slot: Slot) -> bool {
        let [.., oldest] = self.dumps.complete;
        self.record(slot).seen() < oldest
    }

    /// Counts a socket as closed that is in no dump. Its record waits for the event: a connection that is
    /// reset leaves the kernel's tables at once, and ends when its process closes it.
    fn presume_closed(&mut self, slot: Slot, now: u32) {
        let record = self.record(slot);
        if self.views.iter().all(|view| view.row(&record).is_none()) {
            // No view wants it, so that no dump may have asked for it.
            return self.close(slot, now);
        }
        self.presumed_closed.queue.push_back((slot, record.identity()));
        self.presumed_closed.records += 1;
        self.stats.unseen += 1;
        self.count_closed(slot);
        Record { layout: &self.layout, words: self.records.get_mut(slot.0) }.presume_closed();
        while self.presumed_closed.queue.len() > MOST_PRESUMED_CLOSED {
            let Some((slot, cookie)) = self.presumed_closed.queue.pop_front() else { return };
            if self.find(cookie) == Some(slot) && self.is_missed(slot) {
                self.close(slot, now);
            }
        }
    }

    pub(super) fn count_closed(&mut self, slot: Slot) {
        self.count(slot, Feed::Closed, 1);
    }

    /// Adds to every column of the socket's rows that is fed by this.
    pub(in crate::collection) fn count(&mut self, slot: Slot, what: Feed, amount: u64) {
        let record = Record { layout: &self.layout, words: self.records.get(slot.0) };
        for view in &mut self.views {
            if let Some(row) = view.row(&record) {
                view.count(row, what, amount);
            }
        }
    }
}
