//! The rows of a per-connection view at its last complete collection, with the sockets that they had.

use std::sync::OnceLock;

use hashbrown::HashTable;

use super::shares::{Share, Shares};

/// Stands where no single socket does: cookies count up from 1, so that no socket has it.
pub const NO_SOCKET: u64 = u64::MAX;

/// A row of that collection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The hash of its key.
    pub(super) hash: u64,
    /// Its only socket, or [`NO_SOCKET`] if its sockets are among the shares.
    pub(super) socket: u64,
}

/// All rows of that collection.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The rows that were shown. Behind them stand rows that were not, whose counters go on if they are shown again.
    pub(super) rows: Vec<Known>,
    /// The number of rows that were shown.
    pub(super) shown: usize,
    /// Of each counter, the value of every row.
    pub(super) counters: Vec<Vec<u64>>,
    /// The sockets of rows that have, or had, more than one.
    pub(super) shares: Shares,
    /// The rows by hash, made when the first row is not where it is expected.
    index: OnceLock<HashTable<u32>>,
}

impl Before {
    /// No rows, of that many counters each.
    pub(super) fn new(counters: usize) -> Self {
        Self { shares: Shares::new(counters), ..Self::default() }
    }

    /// The row with that hash. It is expected at `next`: collections find rows in the same order.
    #[inline]
    pub(super) fn find(&self, hash: u64, next: usize) -> Option<u32> {
        if self.rows.get(next).is_some_and(|row| row.hash == hash) {
            return u32::try_from(next).ok();
        }
        self.index().find(hash, |row| self.hash(*row) == hash).copied()
    }

    /// Whether that row was shown.
    pub(super) const fn was_shown(&self, row: u32) -> bool {
        (row as usize) < self.shown
    }

    /// The only socket of a row, if it has only one.
    #[inline]
    pub(super) fn socket(&self, row: u32) -> Option<u64> {
        self.rows.get(row as usize).map(|row| row.socket).filter(|socket| *socket != NO_SOCKET)
    }

    /// The share of the only socket of a row.
    pub(super) fn only_share(&self, row: u32, socket: u64) -> Shares {
        let mut only = Shares::new(self.counters.len());
        let value = |counter: &Vec<u64>| counter.get(row as usize).copied();
        only.push(Share { row, socket, missed: 0 }, self.counters.iter().filter_map(value));
        only
    }

    fn hash(&self, row: u32) -> u64 {
        self.rows.get(row as usize).map_or(0, |row| row.hash)
    }

    fn index(&self) -> &HashTable<u32> {
        self.index.get_or_init(|| {
            let mut index = HashTable::with_capacity(self.rows.len());
            for (number, row) in (0..).zip(&self.rows) {
                index.insert_unique(row.hash, number, |row| self.hash(*row));
            }
            index
        })
    }
}
