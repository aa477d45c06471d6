//! The sets of tables of open files that hold sockets, each set once. Most sockets have one holder, and many the same.

use std::hash::BuildHasher as _;

use hashbrown::hash_table::{Entry, OccupiedEntry};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::owner::OwnerId;

/// The number of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HoldersId(pub(super) u32);

/// The bits of that number. Each set is that of a socket, and each process has at most one alone.
pub(super) const HOLDERS_BITS: u32 = 24;

/// A set.
#[derive(Debug, Default)]
struct Holders {
    /// The ids of the processes, or of their threads, ascending.
    ids: Box<[u32]>,
    /// None until it is asked for, and after a change.
    owner: OwnerId,
    /// How many sockets have it.
    sockets: u32,
}

/// All sets.
#[derive(Debug, Default)]
pub(super) struct AllHolders {
    hash: DefaultHashBuilder,
    index: HashTable<u32>,
    sets: Vec<Holders>,
    free: Vec<u32>,
}

impl AllHolders {
    /// The ids of a set, ascending.
    pub(super) fn ids(&self, set: HoldersId) -> &[u32] {
        self.sets.get(set.0 as usize).map(|set| &*set.ids).unwrap_or_default()
    }

    /// The owner that a set is, as far as it was made.
    #[inline]
    pub(super) fn owner(&self, set: HoldersId) -> OwnerId {
        self.sets.get(set.0 as usize).map(|set| set.owner).unwrap_or_default()
    }

    pub(super) fn set_owner(&mut self, set: HoldersId, owner: OwnerId) {
        if let Some(set) = self.sets.get_mut(set.0 as usize) {
            set.owner = owner;
        }
    }

    /// A process has another name, so that the owners with it must be made again.
    pub(super) fn renamed(&mut self, id: u32) {
        let with_it = self.sets.iter_mut().filter(|set| set.ids.binary_search(&id).is_ok());
        with_it.for_each(|set| set.owner = OwnerId::NO_PROCESS);
    }

    /// The owners that are several.
    pub(super) fn shared(&self) -> impl Iterator<Item = OwnerId> {
        self.sets.iter().filter(|set| set.ids.len() > 1).map(|set| set.owner)
    }

    /// Gives a socket to a set with these ids, ascending; `None` if there are too many sets.
    pub(super) fn enter(&mut self, ids: &[u32]) -> Option<HoldersId> {
        let Self { hash, index, sets, free } = self;
        let ids_of = |set: &u32| sets.get(*set as usize).map(|set| &*set.ids).unwrap_or_default();
        let set =
            match index.entry(hash.hash_one(ids), |set| ids_of(set) == ids, |set| hash.hash_one(ids_of(set)))
            {
                Entry::Occupied(set) => *set.get(),
                Entry::Vacant(place) => {
                    let set = free.pop().or_else(|| u32::try_from(sets.len()).ok())?;
                    if set >> HOLDERS_BITS > 0 {
                        return None;
                    }
                    place.insert(set);
                    if set as usize == sets.len() {
                        sets.push(Holders::default());
                    }
                    sets.get_mut(set as usize)?.ids = ids.into();
                    set
                }
            };
        sets.get_mut(set as usize)?.sockets += 1;
        Some(HoldersId(set))
    }

    /// Takes a socket from a set. One without sockets is gone.
    pub(super) fn leave(&mut self, set: HoldersId) {
        let Some(left) = self.sets.get_mut(set.0 as usize) else { return };
        left.sockets -= 1;
        if left.sockets == 0 {
            let hash = self.hash.hash_one(&*left.ids);
            *left = Holders::default();
            let _ = self.index.find_entry(hash, |other| *other == set.0).map(OccupiedEntry::remove);
            self.free.push(set.0);
        }
    }
}
