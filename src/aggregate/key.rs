//! The keys of a table, each kept once, found by its bytes.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// The hash function's random state: keys hold addresses that a peer chooses, so it must not be
/// known outside. Shared by the collections of a view, which recognise rows by their hash.
#[derive(Clone, Debug, Default)]
pub struct HashSeed(DefaultHashBuilder);

impl HashSeed {
    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.0.hash_one(key)
    }
}

/// How much a table holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Rows, those not shown included.
    pub rows: usize,
    /// Bytes of their keys.
    pub bytes: usize,
}

/// The bytes of many keys in one buffer, numbered in the order of their arrival.
#[derive(Debug, Default)]
pub struct KeyBuffer {
    bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    ends: Vec<usize>,
}

impl KeyBuffer {
    /// The text of that number.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&[u8]> {
        let start = number.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(number)?)
    }

    /// How many there are, and how long they are together.
    pub(crate) fn size(&self) -> Size {
        Size { rows: self.ends.len(), bytes: self.bytes.len() }
    }

    #[inline]
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }
}

impl<'a> FromIterator<&'a [u8]> for KeyBuffer {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(keys: I) -> Self {
        let mut all = Self::default();
        keys.into_iter().for_each(|text| all.push(text));
        all
    }
}

/// Distinct keys, numbered in the order of their arrival.
#[derive(Debug)]
pub struct Keys {
    seed: HashSeed,
    index: HashTable<u32>,
    packed: KeyBuffer,
}

impl Keys {
    pub(super) fn new(seed: HashSeed) -> Self {
        Self { seed, index: HashTable::new(), packed: KeyBuffer::default() }
    }

    /// Makes room, before the first key.
    pub(super) fn reserve(&mut self, size: Size) {
        self.index = HashTable::with_capacity(size.rows);
        self.packed.ends.reserve(size.rows);
        self.packed.bytes.reserve(size.bytes);
    }

    /// The key's row. For a new key also the result of `admit` for its hash; without one the key is not kept.
    #[inline]
    pub(super) fn row<T>(
        &mut self,
        key: &[u8],
        admit: impl FnOnce(u64) -> Option<T>,
    ) -> Option<(usize, Option<T>)> {
        let Self { seed, index, packed: keys } = self;
        let hash = seed.hash(key);
        let same = |row: &u32| keys.get(*row as usize) == Some(key);
        let rehash = |row: &u32| seed.hash(keys.get(*row as usize).unwrap_or_default());
        match index.entry(hash, same, rehash) {
            Entry::Occupied(row) => Some((*row.get() as usize, None)),
            Entry::Vacant(place) => admit(hash).map(|admitted| {
                let row = keys.ends.len();
                // The kernel holds fewer than 2^32 sockets.
                place.insert(u32::try_from(row).unwrap_or(u32::MAX));
                keys.push(key);
                (row, Some(admitted))
            }),
        }
    }

    /// How many keys there are.
    pub(super) const fn len(&self) -> usize {
        self.packed.ends.len()
    }

    /// The keys without the way to find them.
    pub(super) fn into_texts(self) -> KeyBuffer {
        self.packed
    }
}
