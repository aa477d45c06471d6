//! Which dump is under way, which were complete, and which sockets have ended meanwhile.

use hashbrown::HashSet;

use crate::aggregate::MISSES;

/// Tombstones while a dump is under way, 16 MiB of them.
const MOST_TOMBSTONES: usize = 1 << 20;

/// The dumps so far.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    pub(super) under_way: bool,
    /// The number of the dump that is or was last under way.
    pub(super) number: u32,
    /// Records that this dump has shown.
    pub(super) shown: usize,
    /// The numbers of the last complete dumps, the latest first, at most one per second.
    pub(super) complete: [u32; MISSES],
    /// The second of the latest of them.
    completed: u32,
}

impl Dumps {
    pub(super) const fn begin(&mut self) {
        self.number += 1;
        self.shown = 0;
        self.under_way = true;
    }

    /// Notes that the dump was complete.
    pub(super) fn complete(&mut self, now: u32) {
        // The kernel reports an end a moment after it: dumps of one second are one.
        if now != self.completed || self.number == 1 {
            let [latest, before, _] = self.complete;
            self.complete = [self.number, latest, before];
            self.completed = now;
        }
    }
}

/// Sockets whose end is known while a dump is under way that may still show them.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    identities: HashSet<u64>,
    /// Whether more sockets ended during this dump than there are tombstones.
    pub(super) full: bool,
}

impl Tombstones {
    pub(super) fn add(&mut self, identity: u64) {
        self.full |= self.identities.len() >= MOST_TOMBSTONES;
        if !self.full {
            self.identities.insert(identity);
        }
    }

    #[inline]
    pub(super) fn contains(&self, identity: u64) -> bool {
        !self.identities.is_empty() && self.identities.contains(&identity)
    }

    pub(super) fn clear(&mut self) {
        self.identities.clear();
        self.full = false;
    }

    pub(super) fn shrink_to(&mut self, few: usize) {
        self.identities.shrink_to(few);
    }
}
