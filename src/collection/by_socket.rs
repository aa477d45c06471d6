//! What is kept of each socket from one walk to the next.

use hashbrown::HashMap;

/// A share of all entries up to which those that no walk needs any more stay.
const SHARE: usize = 16;
/// How many of them stay in any case.
const FEW: usize = 64;

/// What is kept of each socket, in the order in which walks first showed them. The kernel shows sockets in nearly the same
/// order each time, so that each is looked for behind the one before.
#[derive(Debug)]
pub(super) struct BySocket<T> {
    entries: Vec<Entry<T>>,
    /// Where the entry of an identity is.
    places: HashMap<u64, usize>,
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
        Self { entries: Vec::new(), places: HashMap::new(), next: 0, walk: 0, shown: 0, kept: 0 }
    }
}

impl<T> BySocket<T> {
    /// A socket that a walk shows. Of a new one, what `first` makes is kept.
    #[inline]
    pub(super) fn look(&mut self, identity: u64, first: impl FnOnce() -> T) -> Sighting<'_, T> {
        let Self { entries, places, next, walk, shown, kept } = self;
        let is_next = entries.get(*next).is_some_and(|entry| entry.identity == identity);
        let place = if is_next { *next } else { places.get(&identity).copied().unwrap_or(entries.len()) };
        *next = place + 1;
        let last = entries.get_mut(place).map(|entry| std::mem::replace(&mut entry.walk, *walk));
        let walks = last.map(|last| walk.wrapping_sub(last));
        *shown += usize::from(walks != Some(0));
        match walks {
            None => {
                places.insert(identity, place);
                entries.push(Entry { identity, walk: *walk, of_socket: first() });
            }
            Some(walks) => {
                if let Some(Entry { of_socket, .. }) = entries.get_mut(place) {
                    if walks == 0 {
                        return Sighting::Repeated(of_socket);
                    }
                    if walks <= *kept {
                        return Sighting::Later(of_socket);
                    }
                    *of_socket = first();
                }
            }
        }
        Sighting::First
    }

    /// Ends a walk: forgets sockets that the last `walks` have not shown.
    pub(super) fn end_walk(&mut self, walks: u32) {
        let Self { entries, places, next, walk, shown, kept } = self;
        let before = entries.len();
        // The memory of a few is not worth the time to move all others.
        if before - *shown > FEW + before / SHARE {
            entries.retain(|entry| walk.wrapping_sub(entry.walk) < walks);
        }
        if entries.len() < before {
            entries.shrink_to(entries.len() + entries.len() / SHARE);
            *places = entries.iter().zip(0..).map(|(entry, place)| (entry.identity, place)).collect();
        }
        (*next, *shown, *kept, *walk) = (0, 0, walks, walk.wrapping_add(1));
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
