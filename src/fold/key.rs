//! The keys of a table, each kept once, found by its bytes.
//!
//! Refuses to know what a key says.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// The hash function's random state: keys hold addresses that a peer chooses, so it must not be
/// known outside. Shared by the collections of a view, which recognise rows by their hash.
#[derive(Clone, Debug, Default)]
pub struct Seed(DefaultHashBuilder);

/// How much a table holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Rows, those not shown included.
    pub rows: usize,
    /// Bytes of their keys.
    pub bytes: usize,
}

/// Distinct keys, numbered in the order of their arrival.
#[derive(Debug)]
pub struct Keys {
    seed: Seed,
    index: HashTable<u32>,
    bytes: Vec<u8>,
    /// Where each key ends in `bytes`.
    ends: Vec<usize>,
}

impl Keys {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, index: HashTable::new(), bytes: Vec::new(), ends: Vec::new() }
    }

    /// Makes room, before the first key.
    pub(super) fn reserve(&mut self, size: Size) {
        self.index = HashTable::with_capacity(size.rows);
        self.ends.reserve(size.rows);
        self.bytes.reserve(size.bytes);
    }

    pub(super) fn size(&self) -> Size {
        Size { rows: self.ends.len(), bytes: self.bytes.len() }
    }

    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.seed.0.hash_one(key)
    }

    /// The key's row and whether it is new; a new key is kept only if `admit` says so.
    #[inline]
    pub(super) fn row(&mut self, key: &[u8], admit: impl FnOnce(u64) -> bool) -> Option<(usize, bool)> {
        let hash = self.hash(key);
        let Self { seed, index, bytes, ends } = self;
        let same = |row: &u32| slice(bytes, ends, *row as usize) == Some(key);
        let rehash = |row: &u32| seed.0.hash_one(slice(bytes, ends, *row as usize).unwrap_or_default());
        match index.entry(hash, same, rehash) {
            Entry::Occupied(row) => Some((*row.get() as usize, false)),
            Entry::Vacant(place) => admit(hash).then(|| {
                let row = ends.len();
                // The kernel holds fewer than 2^32 sockets.
                place.insert(u32::try_from(row).unwrap_or(u32::MAX));
                bytes.extend_from_slice(key);
                ends.push(bytes.len());
                (row, true)
            }),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        slice(&self.bytes, &self.ends, row)
    }
}

#[inline]
fn slice<'a>(bytes: &'a [u8], ends: &[usize], row: usize) -> Option<&'a [u8]> {
    let start = row.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    bytes.get(start..*ends.get(row)?)
}
