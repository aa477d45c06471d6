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

/// The row of a key that has none.
const NO_ROW: u32 = u32::MAX;

/// Distinct keys, numbered in the order of their arrival.
#[derive(Debug)]
pub struct Keys {
    seed: HashSeed,
    /// Of each row of the last collection, the row that its key has now. Keys come in nearly the same order again, so that this
    /// is read from one end to the other, where a hash table is read here and there.
    again: Vec<u32>,
    /// The rows of all other keys.
    index: HashTable<u32>,
    packed: KeyBuffer,
}

impl Keys {
    /// No keys, after a collection that had that many rows.
    pub(super) fn new(seed: HashSeed, before: usize) -> Self {
        Self { seed, again: vec![NO_ROW; before], index: HashTable::new(), packed: KeyBuffer::default() }
    }

    /// Makes room, before the first key.
    pub(super) fn reserve(&mut self, size: Size) {
        self.index = HashTable::with_capacity(size.rows.saturating_sub(self.again.len()));
        self.packed.ends.reserve(size.rows);
        self.packed.bytes.reserve(size.bytes);
    }

    /// The hash of a key.
    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.seed.hash(key)
    }

    /// The row of a key with that hash, which had the row `before` at the last collection if it was there. And whether
    /// the key is new: it is kept only if it `may` be.
    #[inline]
    pub(super) fn row(
        &mut self,
        key: &[u8],
        hash: u64,
        before: Option<u32>,
        may: impl FnOnce() -> bool,
    ) -> Option<(usize, bool)> {
        let Self { seed, again, index, packed: keys } = self;
        let new = keys.ends.len();
        // The kernel holds fewer than 2^32 sockets.
        let number = u32::try_from(new).unwrap_or(NO_ROW);
        let is = |row: u32| keys.get(row as usize) == Some(key);
        let known = match before.and_then(|before| again.get_mut(before as usize)) {
            Some(row) if *row == NO_ROW => {
                may().then(|| *row = number)?;
                None
            }
            Some(row) if is(*row) => Some(*row),
            // It was not there, or another key has the same hash.
            _ => match index.entry(
                hash,
                |row| is(*row),
                |row| seed.hash(keys.get(*row as usize).unwrap_or_default()),
            ) {
                Entry::Occupied(row) => Some(*row.get()),
                Entry::Vacant(place) => {
                    may().then(|| place.insert(number))?;
                    None
                }
            },
        };
        if let Some(row) = known {
            return Some((row as usize, false));
        }
        keys.push(key);
        Some((new, true))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_hash_have_a_row_each_also_where_one_of_them_was_in_the_last_collection() {
        for before in [None, Some(0)] {
            let mut keys = Keys::new(HashSeed::default(), 1);
            let mut row = |key: &[u8], may| keys.row(key, 7, before, || may);
            assert_eq!(row(b"left out", false), None);
            let rows = [b"one", b"two", b"one", b"two"].map(|key| row(key, true));
            assert_eq!(
                rows,
                [Some((0, true)), Some((1, true)), Some((0, false)), Some((1, false))],
                "{before:?}"
            );
        }
    }
}
