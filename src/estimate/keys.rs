//! Keys of rows, and when each was first met. A key is kept as its hash, so that a million take little memory.

use std::hash::BuildHasher;

use hashbrown::hash_map::Entry;
use hashbrown::{DefaultHashBuilder, HashMap};

/// When a key was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum When {
    /// In the first collection.
    #[default]
    First,
    /// In a close event, and not in the first collection.
    Closed,
    /// In a later collection, and not in the first.
    Later,
}

/// Keys, each once.
#[derive(Debug, Default)]
pub(super) struct SeenKeys {
    hasher: DefaultHashBuilder,
    met: HashMap<u64, When>,
    more: bool,
}

/// How many keys there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// In the first collection.
    pub first: u64,
    /// Since then.
    pub new: u64,
    /// New ones that a later collection met: the others were gone by then.
    pub met: u64,
    /// Whether there were more, for which there was no room.
    pub more: bool,
}

impl SeenKeys {
    /// Notes a key if there is room for it, and says when it was met before.
    pub(super) fn note(&mut self, key: &[u8], when: When, room: &mut usize) -> Option<When> {
        match self.met.entry(self.hasher.hash_one(key)) {
            Entry::Occupied(mut known) => {
                let before = *known.get();
                if before == When::Closed && when == When::Later {
                    known.insert(when);
                }
                Some(before)
            }
            Entry::Vacant(place) => {
                if *room == 0 {
                    self.more = true;
                } else {
                    *room -= 1;
                    place.insert(when);
                }
                None
            }
        }
    }

    pub(super) fn numbers(&self) -> KeyCounts {
        let mut numbers = KeyCounts { more: self.more, ..KeyCounts::default() };
        for when in self.met.values() {
            numbers.first += u64::from(*when == When::First);
            numbers.new += u64::from(*when != When::First);
            numbers.met += u64::from(*when == When::Later);
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_once_and_as_what_it_was_first() {
        let (mut keys, mut room) = (SeenKeys::default(), 9);
        let mut note = |key: &[u8], when| keys.note(key, when, &mut room);
        assert_eq!(note(b"stays", When::First), None);
        assert_eq!(note(b"stays", When::Later), Some(When::First));
        assert_eq!(note(b"ends", When::First), None);
        assert_eq!(note(b"ends", When::Closed), Some(When::First));
        assert_eq!(note(b"comes back", When::Closed), None);
        assert_eq!(note(b"comes back", When::Later), Some(When::Closed));
        assert_eq!(note(b"passes", When::Closed), None);
        assert_eq!(note(b"comes", When::Later), None);
        assert_eq!(keys.numbers(), KeyCounts { first: 2, new: 3, met: 2, more: false });
    }

    #[test]
    fn what_finds_no_room_is_said() {
        let (mut keys, mut room) = (SeenKeys::default(), 1);
        keys.note(b"a", When::First, &mut room);
        keys.note(b"a", When::First, &mut room);
        assert!(!keys.numbers().more);
        keys.note(b"b", When::First, &mut room);
        assert_eq!(keys.numbers(), KeyCounts { first: 1, new: 0, met: 0, more: true });
    }
}
