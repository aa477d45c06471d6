//! Hash tables of many small entries that take little more memory than these: large ones grow by a fourth.
//!
//! Entries stand in the order of their homes, as near behind them as there is room, and have their distance from home in
//! them (Robin Hood hashing). A search therefore compares only entries of the same home, and removal rehashes nothing.

/// An entry that has room for its rank: one more than its distance from home, or 0 if it is no entry.
pub(crate) trait Ranked: Copy {
    /// No entry, of the rank 0.
    const NONE: Self;

    /// The rank, at most [`MOST`].
    fn rank(self) -> u32;

    /// The same entry with another rank.
    #[must_use]
    fn ranked(self, rank: u32) -> Self;
}

/// The bits of a rank.
pub(crate) const RANK_BITS: u32 = 5;
/// The greatest rank. A table where an entry would have a greater one grows.
const MOST: u32 = (1 << RANK_BITS) - 1;
/// Places behind the last home.
const BEHIND: usize = MOST as usize;
/// Entries that a table has room for at first.
const FEW: usize = 64;
/// Entries up to which a table doubles, which moves them less often: it is small.
const SMALL: usize = 1 << 14;

/// A table of entries, which are found by their hash.
#[derive(Debug)]
pub(crate) struct DenseTable<E> {
    /// One for each home, and those behind the last home.
    places: Vec<E>,
    homes: usize,
    len: usize,
}

impl<E> Default for DenseTable<E> {
    fn default() -> Self {
        Self { places: Vec::new(), homes: 0, len: 0 }
    }
}

impl<E: Ranked> DenseTable<E> {
    /// How many entries there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// For how many entries there is room before the table grows.
    pub(crate) const fn capacity(&self) -> usize {
        self.homes / 8 * 7
    }

    /// The entry with that hash for which the condition holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl FnMut(E) -> bool) -> Option<E> {
        self.places.get(self.position(hash, is)?).copied()
    }

    /// The same, to be changed. Its hash must stay.
    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, is: impl FnMut(E) -> bool) -> Option<&mut E> {
        let position = self.position(hash, is)?;
        self.places.get_mut(position)
    }

    /// Adds an entry, which is not there yet. `hash_of` hashes those that are.
    pub(crate) fn insert(&mut self, hash: u64, entry: E, hash_of: impl Fn(E) -> u64) {
        if self.len >= self.capacity() {
            let more = if self.len < SMALL { self.len } else { self.len / 4 };
            self.resize(self.len + more, &hash_of);
        }
        self.len += 1;
        let mut left = self.place(self.home(hash), entry);
        while let Some(entry) = left {
            self.resize(self.capacity() + self.capacity() / 8, &hash_of);
            left = self.place(self.home(hash_of(entry)), entry);
        }
    }

    /// Takes away the entry with that hash for which the condition holds.
    pub(crate) fn remove(&mut self, hash: u64, is: impl FnMut(E) -> bool) -> Option<E> {
        let mut position = self.position(hash, is)?;
        let removed = self.places.get(position).copied();
        // Those behind it that are not at home move nearer to it.
        while let Some(next) = self.places.get(position + 1).copied().filter(|next| next.rank() > 1) {
            self.set(position, next.ranked(next.rank() - 1));
            position += 1;
        }
        self.set(position, E::NONE);
        self.len -= 1;
        removed
    }

    /// All entries.
    pub(crate) fn iter(&self) -> impl Iterator<Item = E> {
        self.places.iter().copied().filter(|entry| entry.rank() > 0)
    }

    /// All places, to be changed, whether or not an entry is there. Their hashes and ranks must stay.
    pub(crate) fn places_mut(&mut self) -> impl Iterator<Item = &mut E> {
        self.places.iter_mut()
    }

    /// Has room for that many entries, if they are more than there is room for or far fewer.
    pub(crate) fn fit(&mut self, entries: usize, hash_of: impl Fn(E) -> u64) {
        let entries = entries.max(self.len);
        if entries > self.capacity() || self.capacity() / 4 > entries.max(FEW) {
            self.resize(entries, &hash_of);
        }
    }

    /// The bytes of all places.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<E>()
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        /// The golden ratio of 2^64. Hashes of consecutive numbers alone have regular distances.
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (hash ^ hash >> u32::BITS).wrapping_mul(MIX) >> u32::BITS;
        ((mixed * self.homes as u64) >> u32::BITS) as usize
    }

    #[inline]
    fn position(&self, hash: u64, mut is: impl FnMut(E) -> bool) -> Option<usize> {
        let home = self.home(hash);
        let behind = self.places.get(home..home + BEHIND)?;
        for ((entry, rank), position) in behind.iter().zip(1..).zip(home..) {
            if entry.rank() <= rank {
                if entry.rank() < rank {
                    return None;
                }
                if is(*entry) {
                    return Some(position);
                }
            }
        }
        None
    }

    /// Puts an entry behind its home, and moves others back for it; the one for which there is no place.
    fn place(&mut self, home: usize, mut entry: E) -> Option<E> {
        let (mut position, mut rank) = (home, 1);
        while rank <= MOST {
            let Some(other) = self.places.get_mut(position) else { return Some(entry) };
            if other.rank() < rank {
                let before = std::mem::replace(other, entry.ranked(rank));
                if before.rank() == 0 {
                    return None;
                }
                (entry, rank) = (before, before.rank());
            }
            position += 1;
            rank += 1;
        }
        Some(entry)
    }

    fn set(&mut self, position: usize, entry: E) {
        if let Some(place) = self.places.get_mut(position) {
            *place = entry;
        }
    }

    /// Has room for that many entries, of which some are there.
    fn resize(&mut self, entries: usize, hash_of: &impl Fn(E) -> u64) {
        let before = std::mem::take(&mut self.places);
        let mut room = entries.max(FEW);
        loop {
            self.homes = room / 7 * 8 + 8;
            self.places = vec![E::NONE; self.homes + BEHIND];
            let mut entries = before.iter().copied().filter(|entry| entry.rank() > 0);
            // Seldom is an entry too far from home; there is more room then.
            if entries.all(|entry| self.place(self.home(hash_of(entry)), entry).is_none()) {
                return;
            }
            room += room / 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher as _;

    use hashbrown::DefaultHashBuilder;
    use proptest::prelude::*;

    use super::*;

    impl Ranked for u32 {
        const NONE: Self = 0;

        fn rank(self) -> u32 {
            self >> (Self::BITS - RANK_BITS)
        }

        fn ranked(self, rank: u32) -> Self {
            rank << (Self::BITS - RANK_BITS) | number(self)
        }
    }

    const fn number(entry: u32) -> u32 {
        entry << RANK_BITS >> RANK_BITS
    }

    #[derive(Default)]
    struct Numbers {
        hash: DefaultHashBuilder,
        table: DenseTable<u32>,
    }

    impl Numbers {
        fn insert(&mut self, entry: u32) {
            let Self { hash, table } = self;
            table.insert(hash.hash_one(entry), entry, |entry| hash.hash_one(number(entry)));
        }

        fn remove(&mut self, entry: u32) -> bool {
            self.table.remove(self.hash.hash_one(entry), |other| number(other) == entry).is_some()
        }

        fn contains(&self, entry: u32) -> bool {
            self.table.find(self.hash.hash_one(entry), |other| number(other) == entry).is_some()
        }

        fn fit(&mut self, entries: usize) {
            let Self { hash, table } = self;
            table.fit(entries, |entry| hash.hash_one(number(entry)));
        }
    }

    proptest! {
        #[test]
        fn a_table_has_what_a_set_has(steps: Vec<(bool, u8)>, few in any::<bool>()) {
            let (mut table, mut set) = (Numbers::default(), BTreeSet::new());
            for (add, number) in steps {
                let number = u32::from(if few { number % 8 } else { number });
                if add && set.insert(number) {
                    table.insert(number);
                } else if !add {
                    prop_assert_eq!(table.remove(number), set.remove(&number));
                }
                prop_assert_eq!(table.table.len(), set.len());
            }
            table.fit(0);
            prop_assert_eq!(table.table.iter().map(number).collect::<BTreeSet<_>>(), set.clone());
            prop_assert!((0..256).all(|number| table.contains(number) == set.contains(&number)));
        }
    }

    #[test]
    fn a_large_table_has_more_than_half_of_its_places_in_use_and_shrinks() {
        let mut numbers = Numbers::default();
        for number in 1..=300_000 {
            numbers.insert(number);
            let places = numbers.table.bytes() / size_of::<u32>();
            assert!(places <= 2 * SMALL.max(number as usize * 7 / 8) + 200, "{number}: {places}");
        }
        assert!((1..=300_000).all(|number| numbers.contains(number)) && !numbers.contains(0));
        (1_000..=300_000).for_each(|number| assert!(numbers.remove(number)));
        numbers.fit(0);
        assert!(numbers.table.bytes() < 8_000 && (1..1_000).all(|number| numbers.contains(number)));
    }

    #[test]
    fn entries_of_one_home_find_room_until_a_rank_says_no_more() {
        let mut table = DenseTable::default();
        let most = MOST - 1;
        (1..=most).for_each(|entry| table.insert(7, entry, |_| 7));
        assert!((1..=most).all(|entry| table.find(7, |other| number(other) == entry).is_some()));
        assert_eq!(table.find(u64::MAX, |_| true), None);
        (1..=most).for_each(|entry| assert!(table.remove(7, |other| number(other) == entry).is_some()));
        assert_eq!(table.iter().count(), 0);
    }
}
