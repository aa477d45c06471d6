//! The rows of a table that stays: found by key, freed when idle, at most as many as the limit says.
//!
//! Row 0 is `other`: it takes what finds no room. Refuses to know what a row holds.

use hashbrown::HashTable;

use super::key::{HashSeed, KeyBuffer};
use super::ledger::is_mostly_free;

/// The row of everything that finds no room.
pub(super) const OTHER: u32 = 0;

/// Keys and the rows that they name.
#[derive(Debug)]
pub(super) struct Rows {
    seed: HashSeed,
    index: HashTable<u32>,
    /// The key of each row; `None` where a row is free.
    keys: Vec<Option<Box<[u8]>>>,
    free: Vec<u32>,
    /// Of each row, whether anything was ever put into it.
    taken: Vec<bool>,
    /// Rows that were made before anything was there for them: they give way.
    spare: Vec<u32>,
    limit: usize,
    /// Whether `other` was ever needed.
    overflowed: bool,
}

impl Rows {
    /// No rows but `other`, which has that key.
    pub(super) fn new(other: &[u8], limit: usize) -> Self {
        let mut rows = Self {
            seed: HashSeed::default(),
            index: HashTable::new(),
            keys: Vec::new(),
            free: Vec::new(),
            taken: Vec::new(),
            spare: Vec::new(),
            limit,
            // Without labels there is but one row, and it is no overflow.
            overflowed: other.is_empty(),
        };
        rows.insert(other);
        rows
    }

    /// The row with this key, made if there is room; else `other`. With it, whether it is new.
    #[inline]
    pub(super) fn row(&mut self, key: &[u8]) -> (u32, bool) {
        match self.find(key) {
            // Somebody's key may say what `other` says; it is then the same row.
            Some(row) => {
                self.overflowed |= row == OTHER;
                self.take(row);
                (row, false)
            }
            None if self.has_room() || self.make_room() => {
                let row = self.insert(key);
                self.take(row);
                (row, true)
            }
            None => {
                self.overflowed = true;
                (OTHER, false)
            }
        }
    }

    /// The row with this key, made if there is room; with it, whether it is new.
    pub(super) fn if_room(&mut self, key: &[u8]) -> Option<(u32, bool)> {
        if let Some(row) = self.find(key) {
            return Some((row, false));
        }
        self.has_room().then(|| {
            let row = self.insert(key);
            self.spare.push(row);
            (row, true)
        })
    }

    fn take(&mut self, row: u32) {
        if let Some(taken) = self.taken.get_mut(row as usize) {
            *taken = true;
        }
    }

    /// Frees a row into which nothing was ever put; whether there was one.
    fn make_room(&mut self) -> bool {
        while let Some(row) = self.spare.pop() {
            let unused = self.taken.get(row as usize) == Some(&false);
            if unused && self.keys.get(row as usize).is_some_and(Option::is_some) {
                self.remove(row);
                return true;
            }
        }
        false
    }

    /// Frees a row.
    pub(super) fn remove(&mut self, row: u32) {
        let Some(key) = self.keys.get_mut(row as usize).and_then(Option::take) else { return };
        let hash = self.seed.hash(&key);
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == row) {
            entry.remove();
        }
        self.free.push(row);
    }

    /// Moves the rows in use together if they are few, so that the memory of the others is given back; for each row
    /// its new number, or `u32::MAX` for one that was free. `other` stays first.
    pub(super) fn shrink(&mut self) -> Option<Vec<u32>> {
        if !is_mostly_free(self.keys.len() - self.free.len(), self.keys.len()) {
            return None;
        }
        let before = std::mem::take(&mut self.keys).into_iter().zip(std::mem::take(&mut self.taken));
        (self.index, self.free) = (HashTable::new(), Vec::new());
        let moved = before.map(|(key, taken)| {
            let Some(key) = key else { return u32::MAX };
            let row = self.insert(&key);
            if taken {
                self.take(row);
            }
            row
        });
        let moved: Vec<u32> = moved.collect();
        let spare = std::mem::take(&mut self.spare).into_iter();
        self.spare =
            spare.filter_map(|row| moved.get(row as usize).copied()).filter(|row| *row != u32::MAX).collect();
        Some(moved)
    }

    /// Whether a row takes what finds no room elsewhere.
    pub(super) fn is_overflow(&self, row: u32) -> bool {
        row == OTHER && self.keys.first().is_some_and(|key| key.as_deref().is_some_and(|key| !key.is_empty()))
    }

    /// How many rows there are room for now, free ones included.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The rows in use, without an `other` that was never needed.
    pub(super) fn used(&self) -> impl Iterator<Item = u32> {
        (0_u32..)
            .zip(&self.keys)
            .filter_map(move |(row, key)| (key.is_some() && (row != OTHER || self.overflowed)).then_some(row))
    }

    /// A copy of all keys, empty where a row is free.
    pub(super) fn texts(&self) -> KeyBuffer {
        self.keys.iter().map(|key| key.as_deref().unwrap_or_default()).collect()
    }

    fn has_room(&self) -> bool {
        // One more is `other`.
        self.keys.len() - self.free.len() <= self.limit
    }

    #[inline]
    fn find(&self, key: &[u8]) -> Option<u32> {
        let same =
            |row: &u32| self.keys.get(*row as usize).is_some_and(|known| known.as_deref() == Some(key));
        self.index.find(self.seed.hash(key), same).copied()
    }

    fn insert(&mut self, key: &[u8]) -> u32 {
        let Self { seed, index, keys, free, taken, .. } = self;
        let row = free.pop().unwrap_or_else(|| {
            keys.push(None);
            // A limit is at most a million.
            u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(place) = keys.get_mut(row as usize) {
            *place = Some(key.into());
        }
        taken.resize(keys.len(), false);
        if let Some(taken) = taken.get_mut(row as usize) {
            *taken = false;
        }
        let rehash =
            |row: &u32| seed.hash(keys.get(*row as usize).and_then(Option::as_deref).unwrap_or_default());
        index.insert_unique(seed.hash(key), row, rehash);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_other_and_a_freed_row_makes_room() {
        let mut rows = Rows::new(b"other", 2);
        assert_eq!(rows.used().count(), 0, "other is not there before it is needed");
        assert_eq!((rows.row(b"a"), rows.row(b"b"), rows.row(b"a")), ((1, true), (2, true), (1, false)));
        assert_eq!((rows.row(b"c"), rows.if_room(b"c")), ((OTHER, false), None));
        assert_eq!(rows.used().collect::<Vec<_>>(), [0, 1, 2]);
        rows.remove(1);
        assert_eq!((rows.row(b"c"), rows.row(b"a")), ((1, true), (OTHER, false)));
        let texts = rows.texts();
        assert_eq!([0, 1, 2].map(|row| texts.get(row)), [Some(&b"other"[..]), Some(b"c"), Some(b"b")]);
    }

    #[test]
    fn a_row_that_nothing_was_put_into_gives_way() {
        let mut rows = Rows::new(b"other", 2);
        assert_eq!((rows.if_room(b"a"), rows.if_room(b"b")), (Some((1, true)), Some((2, true))));
        assert_eq!(rows.row(b"a"), (1, false));
        assert_eq!((rows.row(b"c"), rows.row(b"d")), ((2, true), (OTHER, false)), "b gives way, a does not");
        assert_eq!(rows.if_room(b"b"), None);
    }

    #[test]
    fn a_key_that_says_other_is_the_row_other() {
        let mut rows = Rows::new(b"other", 2);
        assert_eq!(rows.row(b"other"), (OTHER, false));
        assert_eq!(rows.used().collect::<Vec<_>>(), [OTHER]);
    }
}
