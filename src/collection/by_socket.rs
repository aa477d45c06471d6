//! What is kept of each socket from one walk to the next.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A share of all entries up to which those that no walk needs any more stay.
const SHARE: usize = 16;
/// How many of them stay in any case.
const FEW: usize = 64;
/// Entries behind the last one among which the next is expected: half of a dump leaves out the other half.
const EXPECTED: usize = 4;

/// What is kept of each socket, in the order in which walks first showed them. The kernel shows sockets in nearly the same
/// order each time, so that each is looked for behind the one before.
#[derive(Debug)]
pub(super) struct BySocket<T> {
    entries: Vec<Entry<T>>,
    hash: DefaultHashBuilder,
    /// Where the entry of an identity is.
    places: HashTable<u32>,
    /// Where the next one is expected.
    next: usize,
    /// The number of the walk.
    walk: u32,
    /// How many sockets it has shown.
    shown: usize,
    /// After how many walks that do not show its socket an entry is forgotten.
    kept: u32,
}

#[derive(Debug)]
struct Entry<T> {
    identity: u64,
    /// The last walk that showed it.
    walk: u32,
    of_socket: T,
}

/// Whether a socket was shown before, and what is kept of it.
#[derive(Debug)]
pub(super) enum Sighting<'a, T> {
    /// No walk that counts has shown it.
    First,
    /// An earlier walk has.
    Later(&'a mut T),
    /// This walk has.
    Repeated(&'a T),
}

impl<T> Sighting<'_, T> {
    pub(super) const fn is_repeated(&self) -> bool {
        matches!(self, Self::Repeated(_))
    }
}

impl<T> Default for BySocket<T> {
    fn default() -> Self {
        let (hash, places) = (DefaultHashBuilder::default(), HashTable::new());
        Self { entries: Vec::new(), hash, places, next: 0, walk: 0, shown: 0, kept: 0 }
    }
}

impl<T> BySocket<T> {
    /// A socket that a walk shows. Of a new one, what `first` makes is kept.
    #[inline]
    pub(super) fn look(&mut self, identity: u64, first: impl FnOnce() -> T) -> Sighting<'_, T> {
        let place = self.find(identity).unwrap_or(self.entries.len());
        self.next = place + 1;
        if place == self.entries.len() {
            self.entries.push(Entry { identity, walk: self.walk, of_socket: first() });
            self.index(place);
            self.shown += 1;
            return Sighting::First;
        }
        let Some(Entry { walk, of_socket, .. }) = self.entries.get_mut(place) else { return Sighting::First };
        let walks = self.walk.wrapping_sub(std::mem::replace(walk, self.walk));
        if walks == 0 {
            return Sighting::Repeated(of_socket);
        }
        self.shown += 1;
        if walks > self.kept {
            *of_socket = first();
            return Sighting::First;
        }
        Sighting::Later(of_socket)
    }

    /// Ends a walk: forgets sockets that the last `walks` have not shown.
    pub(super) fn end_walk(&mut self, walks: u32) {
        let Self { entries, next, walk, shown, kept, .. } = self;
        let before = entries.len();
        // The memory of a few is not worth the time to move all others.
        if before - *shown > FEW + before / SHARE {
            entries.retain(|entry| walk.wrapping_sub(entry.walk) < walks);
        }
        (*next, *shown, *kept, *walk) = (0, 0, walks, walk.wrapping_add(1));
        let after = entries.len();
        if after < before {
            entries.shrink_to(after + after / SHARE);
            self.places = HashTable::with_capacity(after);
            (0..after).for_each(|place| self.index(place));
        }
    }

    #[inline]
    fn find(&self, identity: u64) -> Option<usize> {
        let mut expected = self.entries.iter().enumerate().skip(self.next).take(EXPECTED);
        let is = |entry: &Entry<T>| entry.identity == identity;
        expected.find(|(_, entry)| is(entry)).map(|(place, _)| place).or_else(|| {
            let is_at = |place: &u32| self.entries.get(*place as usize).is_some_and(is);
            self.places.find(self.hash.hash_one(identity), is_at).map(|place| *place as usize)
        })
    }

    /// Lets the entry at that place be found.
    fn index(&mut self, place: usize) {
        let Self { entries, hash, places, .. } = self;
        let hash_at =
            |place: &u32| hash.hash_one(entries.get(*place as usize).map_or(0, |entry| entry.identity));
        // The kernel holds fewer than 2^32 sockets.
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        places.insert_unique(hash_at(&place), place, hash_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a walk of these sockets finds each as the walks before left it, with the number that was kept of it then.
    fn walk(
        known: &mut BySocket<u32>,
        sockets: impl IntoIterator<Item = u64>,
        number: u32,
    ) -> Vec<Option<u32>> {
        let mut look = |identity| match known.look(identity, || number) {
            Sighting::First => None,
            Sighting::Later(kept) => Some(std::mem::replace(kept, number)),
            Sighting::Repeated(_) => panic!("it was shown once"),
        };
        sockets.into_iter().map(&mut look).collect()
    }

    #[test]
    fn a_socket_is_found_in_any_order_and_shown_once_in_a_walk() {
        let mut known = BySocket::default();
        assert_eq!(walk(&mut known, [1, 2, 3], 1), [None; 3]);
        assert!(known.look(2, || 9).is_repeated());
        known.end_walk(1);
        assert_eq!(walk(&mut known, [3, 1, 4, 2], 2), [Some(1), Some(1), None, Some(1)]);
        assert!(matches!(known.look(4, || 9), Sighting::Repeated(2)));
    }

    #[test]
    fn a_socket_is_forgotten_after_as_many_walks_without_it_as_are_allowed() {
        for walks in [1, 3] {
            let mut known = BySocket::default();
            walk(&mut known, [1], 1);
            (0..walks).for_each(|_| known.end_walk(walks));
            assert_eq!(walk(&mut known, [1], 2), [Some(1)], "{walks}");
            (0..=walks).for_each(|_| known.end_walk(walks));
            assert_eq!(walk(&mut known, [1], 3), [None], "{walks}");
        }
    }

    #[test]
    fn memory_of_many_sockets_that_are_gone_is_given_back() {
        let mut known = BySocket::default();
        walk(&mut known, 0..1_000, 0);
        for number in 1..4 {
            known.end_walk(2);
            walk(&mut known, [7], number);
        }
        known.end_walk(2);
        assert_eq!((known.entries.len(), known.places.len()), (1, 1));
        assert!(known.entries.capacity() < 10);
        assert_eq!(walk(&mut known, [7, 8], 9), [Some(3), None]);
    }

    #[test]
    fn a_few_sockets_that_are_gone_stay_and_come_back_as_new_ones() {
        let mut known = BySocket::default();
        for (number, sockets, found) in
            [(0, 0..10, [None; 10].to_vec()), (1, 0..9, vec![Some(0); 9]), (2, 0..9, vec![Some(1); 9])]
        {
            assert_eq!(walk(&mut known, sockets, number), found);
            known.end_walk(1);
            assert_eq!(known.entries.len(), 10);
        }
        let last = walk(&mut known, 0..10, 3);
        assert_eq!((&last[..9], last[9]), (&[Some(2); 9][..], None));
        known.end_walk(1);
        assert_eq!(walk(&mut known, 0..10, 4), [Some(3); 10]);
    }
}
