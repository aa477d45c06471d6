//! The rows of a cumulative table: found by key, freed when idle, at most as many as the limit says.
//!
//! The first row is `other`: it takes what finds no room.

use std::num::NonZeroU32;

use hashbrown::HashTable;

use super::key::{HashSeed, KeyBuffer};

/// Memory is given back when at most a fourth of the rows or records is in use: the flood that comes again finds
/// some room, and a load that varies by half moves nothing.
const SHARE: usize = 4;
/// Memory of fewer rows or records than this is not worth the move.
pub(super) const FEW: usize = 1024;

/// Whether so few are used of those made that their memory is given back.
#[must_use]
pub const fn is_mostly_free(used: usize, made: usize) -> bool {
    made / SHARE >= if used > FEW { used } else { FEW }
}

/// A row of a cumulative table. `Option<RowId>` takes no more room than a `RowId`, and no row at all is the bits 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowId(NonZeroU32);

impl RowId {
    /// The row of everything that finds no room.
    pub const OTHER: Self = Self(NonZeroU32::MIN);

    /// Where its cells are in each column.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The bits by which a record names it.
    #[inline]
    pub(crate) fn to_bits(row: Option<Self>) -> u32 {
        row.map_or(0, |row| row.0.get())
    }

    /// The row that a record names by these bits.
    #[inline]
    pub(crate) const fn from_bits(bits: u32) -> Option<Self> {
        match NonZeroU32::new(bits) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    fn at(index: usize) -> Self {
        // A limit is at most a million.
        Self(u32::try_from(index + 1).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX))
    }
}

/// The keys of rows, and what keeps each row.
#[derive(Debug)]
pub(super) struct Rows {
    seed: HashSeed,
    index: HashTable<RowId>,
    slots: Vec<RowSlot>,
    free: Vec<RowId>,
    /// Rows that were made before anything was there for them: they give way.
    spare: Vec<RowId>,
    limit: usize,
    /// Whether `other` was ever needed.
    overflowed: bool,
}

/// A row, or the place of one that was freed.
#[derive(Debug, Default)]
struct RowSlot {
    /// `None` where the row is free.
    key: Option<Box<[u8]>>,
    state: RowState,
}

/// What keeps a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowState {
    /// Tracked sockets that are in it now.
    pub(super) live: u32,
    /// The number of the dump that last found something for it.
    pub(super) dump: u32,
    /// When it last was of use, in seconds.
    pub(super) used: u32,
    /// Whether anything was ever put into it.
    taken: bool,
}

impl Rows {
    /// No rows but `other`, which has that key.
    pub(super) fn new(other: &[u8], limit: usize) -> Self {
        let mut rows = Self {
            seed: HashSeed::default(),
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
            limit,
            // Without labels the only row is no overflow.
            overflowed: other.is_empty(),
        };
        rows.insert(other, RowState::default());
        rows
    }

    /// The row with this key, made if there is room; else `other`. With it, whether it is new.
    #[inline]
    pub(super) fn row(&mut self, key: &[u8]) -> (RowId, bool) {
        let (row, new) = match self.find(key) {
            // A process may choose the name `other` as its key; it is then the same row.
            Some(row) => {
                self.overflowed |= row == RowId::OTHER;
                (row, false)
            }
            None if self.has_room() || self.make_room() => (self.insert(key, RowState::default()), true),
            None => {
                self.overflowed = true;
                return (RowId::OTHER, false);
            }
        };
        if let Some(state) = self.state_mut(row) {
            state.taken = true;
        }
        (row, new)
    }

    /// The row with this key, made if there is room; with it, whether it is new.
    pub(super) fn if_room(&mut self, key: &[u8]) -> Option<(RowId, bool)> {
        if let Some(row) = self.find(key) {
            return Some((row, false));
        }
        self.has_room().then(|| {
            let row = self.insert(key, RowState::default());
            self.spare.push(row);
            (row, true)
        })
    }

    /// What keeps a row.
    #[inline]
    pub(super) fn state_mut(&mut self, row: RowId) -> Option<&mut RowState> {
        self.slots.get_mut(row.index()).map(|slot| &mut slot.state)
    }

    /// Frees a row into which nothing was ever put; whether there was one.
    fn make_room(&mut self) -> bool {
        while let Some(row) = self.spare.pop() {
            if self.slots.get(row.index()).is_some_and(|slot| slot.key.is_some() && !slot.state.taken) {
                self.remove(row);
                return true;
            }
        }
        false
    }

    /// Frees a row.
    pub(super) fn remove(&mut self, row: RowId) {
        let Some(key) = self.slots.get_mut(row.index()).and_then(|slot| slot.key.take()) else { return };
        let hash = self.seed.hash(&key);
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == row) {
            entry.remove();
        }
        self.free.push(row);
    }

    /// Frees the rows whose state satisfies the condition, except `other`.
    pub(super) fn remove_where(&mut self, is_idle: impl Fn(&RowState) -> bool) {
        let states = self.slots.iter().enumerate().skip(1);
        let idle: Vec<usize> =
            states.filter(|(_, slot)| is_idle(&slot.state)).map(|(index, _)| index).collect();
        for index in idle {
            self.remove(RowId::at(index));
        }
    }

    /// Moves the rows in use together if they are few, so that the memory of the others is given back; for each row
    /// its new one, or `None` for one that was free. `other` stays first.
    pub(super) fn shrink(&mut self) -> Option<Vec<Option<RowId>>> {
        if !is_mostly_free(self.slots.len() - self.free.len(), self.slots.len()) {
            return None;
        }
        let before = std::mem::take(&mut self.slots);
        (self.index, self.free) = (HashTable::new(), Vec::new());
        let moved = before.into_iter().map(|RowSlot { key, state }| Some(self.insert(&key?, state)));
        let moved: Vec<Option<RowId>> = moved.collect();
        let spare = std::mem::take(&mut self.spare).into_iter();
        self.spare = spare.filter_map(|row| moved.get(row.index()).copied().flatten()).collect();
        Some(moved)
    }

    /// Whether a row takes what finds no room elsewhere.
    pub(super) fn is_overflow(&self, row: RowId) -> bool {
        let key = || self.slots.first().and_then(|slot| slot.key.as_deref());
        row == RowId::OTHER && key().is_some_and(|key| !key.is_empty())
    }

    /// How many rows there are room for now, free ones included.
    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    /// The places of the rows in use, without an `other` that was never needed.
    pub(super) fn used(&self) -> impl Iterator<Item = u32> {
        let used =
            move |(index, slot): &(u32, &RowSlot)| slot.key.is_some() && (*index != 0 || self.overflowed);
        (0_u32..).zip(&self.slots).filter(used).map(|(index, _)| index)
    }

    /// A copy of all keys, empty where a row is free.
    pub(super) fn keys(&self) -> KeyBuffer {
        self.slots.iter().map(|slot| slot.key.as_deref().unwrap_or_default()).collect()
    }

    const fn has_room(&self) -> bool {
        // One more is `other`.
        self.slots.len() - self.free.len() <= self.limit
    }

    #[inline]
    fn find(&self, key: &[u8]) -> Option<RowId> {
        let same =
            |row: &RowId| self.slots.get(row.index()).is_some_and(|slot| slot.key.as_deref() == Some(key));
        self.index.find(self.seed.hash(key), same).copied()
    }

    fn insert(&mut self, key: &[u8], state: RowState) -> RowId {
        let Self { seed, index, slots, free, .. } = self;
        let row = free.pop().unwrap_or_else(|| {
            slots.push(RowSlot::default());
            RowId::at(slots.len() - 1)
        });
        if let Some(slot) = slots.get_mut(row.index()) {
            *slot = RowSlot { key: Some(key.into()), state };
        }
        let key_of =
            |row: &RowId| slots.get(row.index()).and_then(|slot| slot.key.as_deref()).unwrap_or_default();
        index.insert_unique(seed.hash(key), row, |row| seed.hash(key_of(row)));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [RowId; 3] =
        [RowId::OTHER, RowId(NonZeroU32::MIN.saturating_add(1)), RowId(NonZeroU32::MIN.saturating_add(2))];

    #[test]
    fn no_row_takes_no_more_room_than_a_row() {
        assert_eq!(size_of::<Option<RowId>>(), size_of::<u32>());
        assert_eq!((RowId::from_bits(0), RowId::to_bits(None)), (None, 0));
        for row in ROWS {
            assert_eq!(RowId::from_bits(RowId::to_bits(Some(row))), Some(row));
        }
        assert_eq!(ROWS.map(RowId::index), [0, 1, 2]);
    }

    #[test]
    fn what_finds_no_room_is_other_and_a_freed_row_makes_room() {
        let [other, first, second] = ROWS;
        let mut rows = Rows::new(b"other", 2);
        assert_eq!(rows.used().count(), 0, "other is not there before it is needed");
        assert_eq!(
            (rows.row(b"a"), rows.row(b"b"), rows.row(b"a")),
            ((first, true), (second, true), (first, false))
        );
        assert_eq!((rows.row(b"c"), rows.if_room(b"c")), ((other, false), None));
        assert_eq!(rows.used().collect::<Vec<_>>(), [0, 1, 2]);
        rows.remove(first);
        assert_eq!((rows.row(b"c"), rows.row(b"a")), ((first, true), (other, false)));
        let keys = rows.keys();
        assert_eq!([0, 1, 2].map(|row| keys.get(row)), [Some(&b"other"[..]), Some(b"c"), Some(b"b")]);
    }

    #[test]
    fn a_row_that_nothing_was_put_into_gives_way() {
        let [other, first, second] = ROWS;
        let mut rows = Rows::new(b"other", 2);
        assert_eq!((rows.if_room(b"a"), rows.if_room(b"b")), (Some((first, true)), Some((second, true))));
        assert_eq!(rows.row(b"a"), (first, false));
        assert_eq!(
            (rows.row(b"c"), rows.row(b"d")),
            ((second, true), (other, false)),
            "b gives way, a does not"
        );
        assert_eq!(rows.if_room(b"b"), None);
    }

    #[test]
    fn a_key_that_says_other_is_the_row_other() {
        let mut rows = Rows::new(b"other", 2);
        assert_eq!(rows.row(b"other"), (RowId::OTHER, false));
        assert_eq!(rows.used().collect::<Vec<_>>(), [0]);
    }
}
