//! Which record is a socket's, by its identity.

use std::hash::BuildHasher as _;

use hashbrown::DefaultHashBuilder;

use super::record_layout::identity;
use super::records::Records;
use super::{Ledger, Slot};
use crate::dense_table::{DenseTable, RANK_BITS, Ranked};

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
    slots: DenseTable<IndexedSlot>,
    /// The record behind the one that was last shown.
    next: u32,
}

/// A slot, below its rank. The most records is a setting, far below 2^27.
#[derive(Clone, Copy, Debug)]
struct IndexedSlot(u32);

impl IndexedSlot {
    const fn slot(self) -> u32 {
        self.0 << RANK_BITS >> RANK_BITS
    }
}

impl Ranked for IndexedSlot {
    const NONE: Self = Self(0);

    #[inline]
    fn rank(self) -> u32 {
        self.0 >> (u32::BITS - RANK_BITS)
    }

    #[inline]
    fn ranked(self, rank: u32) -> Self {
        Self(rank << (u32::BITS - RANK_BITS) | self.slot())
    }
}

impl RecordIndex {
    /// Makes room for that many records, or gives back the memory of far more.
    pub(super) fn fit(&mut self, records: &Records, number: usize) {
        let Self { hash, slots, .. } = self;
        slots.fit(number, |entry| hash.hash_one(identity_of(records, entry.slot())));
    }

    #[inline]
    fn find(&self, records: &Records, identity: u64) -> Option<u32> {
        let is = |entry: IndexedSlot| identity_of(records, entry.slot()) == identity;
        self.slots.find(self.hash.hash_one(identity), is).map(IndexedSlot::slot)
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
        let rehash = |entry: IndexedSlot| hash.hash_one(identity_of(records, entry.slot()));
        slots.insert(rehash(IndexedSlot(slot)), IndexedSlot(slot), rehash);
    }

    /// Forgets a record; whether it was there.
    pub(super) fn remove(&mut self, records: &Records, slot: u32) -> bool {
        let hash = self.hash.hash_one(identity_of(records, slot));
        self.slots.remove(hash, |other| other.slot() == slot).is_some()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().map(IndexedSlot::slot)
    }

    /// Its memory in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.slots.bytes()
    }
}

#[inline]
fn identity_of(records: &Records, slot: u32) -> u64 {
    identity(records.get(slot))
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

    /// The record of a live socket, which was there a moment ago.
    #[must_use]
    #[inline]
    pub(in crate::collection) fn find_from(&self, record: Option<Slot>, identity: u64) -> Option<Slot> {
        let is_still = |slot: &Slot| identity_of(&self.records, slot.0) == identity;
        record.filter(is_still).or_else(|| self.find(identity))
    }

    /// The record of a live socket.
    #[must_use]
    #[inline]
    pub(in crate::collection) fn find(&self, identity: u64) -> Option<Slot> {
        self.index.find(&self.records, identity).map(Slot)
    }
}
