//! Which record is a socket's, by its identity.

use std::hash::BuildHasher as _;

use hashbrown::hash_table::OccupiedEntry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::record_layout::IDENTITY;
use super::records::Records;
use super::{Ledger, Slot};

/// Records behind the last one among which the next is expected. Half of a dump leaves out the other half: with four, 15 in
/// 16 sockets are found.
const EXPECTED: u32 = 4;

/// What a ledger knows of a socket that a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collection) enum DumpLookup {
    /// Nothing.
    New,
    /// It lives, and this dump shows it for the first time.
    Known(Slot),
    /// This dump has shown it before.
    Repeated,
    /// It has ended since this part of the dump was made.
    Tombstoned,
}

/// The records by identity.
#[derive(Debug, Default)]
pub(super) struct RecordIndex {
    hash: DefaultHashBuilder,
    slots: HashTable<u32>,
    /// The record behind the one that was last shown.
    next: u32,
}

impl RecordIndex {
    pub(super) fn with_capacity(records: usize) -> Self {
        Self { slots: HashTable::with_capacity(records), ..Self::default() }
    }

    #[inline]
    fn find(&self, records: &Records, identity: u64) -> Option<u32> {
        self.slots.find(self.hash.hash_one(identity), |slot| identity_of(records, *slot) == identity).copied()
    }

    /// The record of a socket that a dump shows.
    ///
    /// A dump shows sockets in the order of the last one, in which they have their records, and one of two halves leaves out
    /// those of the other: most are found without the table, whose every entry is a wait for memory.
    #[inline]
    fn find_next(&mut self, records: &Records, identity: u64) -> Option<u32> {
        let mut behind = self.next..self.next.saturating_add(EXPECTED);
        let expected = behind.find(|slot| identity_of(records, *slot) == identity);
        let slot = expected.or_else(|| self.find(records, identity))?;
        self.next = slot + 1;
        Some(slot)
    }

    pub(super) fn insert(&mut self, records: &Records, slot: u32) {
        let Self { hash, slots, .. } = self;
        let rehash = |slot: &u32| hash.hash_one(identity_of(records, *slot));
        slots.insert_unique(rehash(&slot), slot, rehash);
    }

    /// Forgets a record; whether it was there.
    pub(super) fn remove(&mut self, records: &Records, slot: u32) -> bool {
        let hash = self.hash.hash_one(identity_of(records, slot));
        self.slots.find_entry(hash, |other| *other == slot).map(OccupiedEntry::remove).is_ok()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().copied()
    }

    /// Its memory in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.slots.allocation_size()
    }
}

#[inline]
fn identity_of(records: &Records, slot: u32) -> u64 {
    records.get(slot).get(IDENTITY).copied().unwrap_or_default()
}

impl Ledger {
    /// What is known of a socket that the dump shows now.
    #[inline]
    pub(in crate::collection) fn look_up(&mut self, identity: u64) -> DumpLookup {
        let Some(slot) = self.index.find_next(&self.records, identity) else {
            let ended = self.tombstones.contains(identity);
            return if ended { DumpLookup::Tombstoned } else { DumpLookup::New };
        };
        let dump = self.dumps.number;
        let (mut record, _) = self.record_mut(Slot(slot));
        if record.seen() == dump {
            return DumpLookup::Repeated;
        }
        record.set_seen(dump);
        self.dumps.shown += 1;
        DumpLookup::Known(Slot(slot))
    }

    /// The record of a live socket.
    #[must_use]
    #[inline]
    pub(in crate::collection) fn find(&self, identity: u64) -> Option<Slot> {
        self.index.find(&self.records, identity).map(Slot)
    }
}
