//! Which record is a socket's, by its cookie.
//!
//! Refuses to know what stands in it.

use std::hash::BuildHasher as _;

use super::record_layout::{COOKIE, SEEN, low};
use super::{Ledger, Slot};

/// What a ledger knows of a socket that a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpLookup {
    /// Nothing.
    New,
    /// It lives, and this dump shows it for the first time.
    Known(Slot),
    /// This dump has shown it before.
    Repeated,
    /// It has ended since this part of the dump was made.
    Tombstoned,
}

impl Ledger {
    /// What is known of a socket that the dump shows now.
    #[inline]
    pub fn look_up(&mut self, cookie: u64) -> DumpLookup {
        // A dump shows sockets in the order of the last one, in which they have their records: most are found without
        // the index, whose every entry is a wait for memory.
        let next = Some(Slot(self.next)).filter(|next| self.word(next.0, COOKIE) == cookie);
        let Some(Slot(slot)) = next.or_else(|| self.find(cookie)) else {
            let tombstones = !self.tombstones.is_empty() && self.tombstones.contains(&cookie);
            return if tombstones { DumpLookup::Tombstoned } else { DumpLookup::New };
        };
        self.next = slot + 1;
        let dump = self.dump;
        let Some(seen) = self.records.get_mut(slot).get_mut(SEEN) else { return DumpLookup::New };
        if low(*seen) == dump {
            return DumpLookup::Repeated;
        }
        *seen = *seen >> 32 << 32 | u64::from(dump);
        self.shown += 1;
        DumpLookup::Known(Slot(slot))
    }

    /// The record of a live socket.
    #[must_use]
    #[inline]
    pub fn find(&self, cookie: u64) -> Option<Slot> {
        let same = |slot: &u32| self.word(*slot, COOKIE) == cookie;
        self.index.find(self.hash.hash_one(cookie), same).map(|slot| Slot(*slot))
    }
}
