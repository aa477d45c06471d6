//! Which processes hold which socket, by its inode, and which sockets were asked for.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap};

use super::holders::{AllHolders, HOLDERS_BITS, HoldersId};
use super::owner::OwnerId;
use crate::dense_table::{DenseTable, RANK_BITS, Ranked};

/// What is known of a socket's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerLookup {
    /// It is held by these processes.
    Known(OwnerId),
    /// A complete scan found no process that holds it.
    NoProcess,
    /// It was not found yet.
    Unknown,
}

/// A socket that is held: from below its inode, the set of its holders, when it was asked for, and a rank.
#[derive(Clone, Copy, Debug)]
struct HeldSocket(u64);

/// It was asked for in this collection.
const ASKED_NOW: u64 = 1 << (u32::BITS + HOLDERS_BITS);
/// It was asked for in an earlier collection, and not read since.
const ASKED_BEFORE: u64 = ASKED_NOW << 1;
const ASKED: u64 = ASKED_NOW | ASKED_BEFORE;
const RANK: u32 = u64::BITS - RANK_BITS;

impl HeldSocket {
    fn new(inode: u32, holders: HoldersId) -> Self {
        Self(u64::from(holders.0) << u32::BITS | u64::from(inode))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    const fn inode(self) -> u32 {
        self.0 as u32
    }

    const fn holders(self) -> HoldersId {
        HoldersId((self.0 >> u32::BITS) as u32 & ((1 << HOLDERS_BITS) - 1))
    }

    fn set_holders(&mut self, holders: HoldersId) {
        let other = !(((1 << HOLDERS_BITS) - 1) << u32::BITS);
        self.0 = self.0 & other | u64::from(holders.0) << u32::BITS;
    }

    const fn is_asked(self) -> bool {
        self.0 & ASKED != 0
    }

    /// What was asked for now was asked for before.
    const fn age(&mut self) {
        self.0 = self.0 & !ASKED_NOW | (self.0 & ASKED_NOW) << 1;
    }

    const fn set_asked(&mut self, asked: u64) {
        self.0 = self.0 & !ASKED | asked;
    }
}

impl Ranked for HeldSocket {
    const NONE: Self = Self(0);

    #[inline]
    fn rank(self) -> u32 {
        (self.0 >> RANK) as u32
    }

    #[inline]
    fn ranked(self, rank: u32) -> Self {
        Self(u64::from(rank) << RANK | self.0 << RANK_BITS >> RANK_BITS)
    }
}

/// The sockets that processes hold, and those that were asked for.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    hash: DefaultHashBuilder,
    held: DenseTable<HeldSocket>,
    holders: AllHolders,
    /// Asked for in this collection and not found yet, with the first pass that searches for them.
    missing: HashMap<u32, u32>,
    /// Those that the last collection was missing at its end.
    earlier: HashMap<u32, u32>,
    /// The next pass.
    next_pass: u32,
    /// Asked for and held by no process, with the last collection that asked.
    without_process: HashMap<u32, u32>,
    collection: u32,
}

impl Sockets {
    /// A collection begins.
    pub(super) fn begin(&mut self, collection: u32) {
        self.collection = collection;
        self.earlier = std::mem::take(&mut self.missing);
        self.without_process.retain(|_, asked| asked.saturating_add(1) >= collection);
        self.held.places_mut().for_each(HeldSocket::age);
        // After a flood its memory is given back.
        let Self { hash, held, .. } = self;
        held.fit(held.len(), |held| hash.hash_one(held.inode()));
    }

    #[inline]
    fn find(&self, inode: u32) -> Option<HeldSocket> {
        self.held.find(self.hash.hash_one(inode), |held| held.inode() == inode)
    }

    #[inline]
    fn find_mut(&mut self, inode: u32) -> Option<&mut HeldSocket> {
        self.held.find_mut(self.hash.hash_one(inode), |held| held.inode() == inode)
    }

    /// Whose a socket is; the owner is [`OwnerId::NO_PROCESS`] if it must be made.
    #[inline]
    pub(super) fn ask(&mut self, inode: u32) -> OwnerLookup {
        if let Some(held) = self.find_mut(inode) {
            held.set_asked(ASKED_NOW);
            let holders = held.holders();
            return OwnerLookup::Known(self.holders.owner(holders));
        }
        if inode == 0 {
            return OwnerLookup::NoProcess;
        }
        if let Some(asked) = self.without_process.get_mut(&inode) {
            *asked = self.collection;
            return OwnerLookup::NoProcess;
        }
        let pass = self.earlier.get(&inode).copied().unwrap_or(self.next_pass);
        // It may be asked for again behind a pass of the same collection.
        self.missing.entry(inode).or_insert(pass);
        OwnerLookup::Unknown
    }

    /// What is asked for from now on is searched for by that pass at the earliest.
    pub(super) fn asked_before(&mut self, pass: u32) {
        self.next_pass = pass;
    }

    /// The ids of the processes and threads that hold a socket, ascending.
    pub(super) fn holders(&self, inode: u32) -> &[u32] {
        self.find(inode).map(|held| self.holders.ids(held.holders())).unwrap_or_default()
    }

    /// Remembers the owner of a socket, and of all that have the same holders.
    pub(super) fn owned(&mut self, inode: u32, owner: OwnerId) {
        if let Some(held) = self.find(inode) {
            self.holders.set_owner(held.holders(), owner);
        }
    }

    /// A process or thread holds a socket; whether the socket was asked for.
    pub(super) fn hold(&mut self, inode: u32, id: u32) -> bool {
        let Some(known) = self.find(inode) else {
            let Some(holders) = self.holders.enter(&[id]) else { return false };
            let mut held = HeldSocket::new(inode, holders);
            if self.missing.remove(&inode).is_some() | self.without_process.remove(&inode).is_some() {
                held.set_asked(ASKED_NOW);
            }
            let Self { hash, held: all, .. } = self;
            all.insert(hash.hash_one(inode), held, |held| hash.hash_one(held.inode()));
            return held.is_asked();
        };
        let mut ids = self.holders.ids(known.holders()).to_vec();
        if let Err(place) = ids.binary_search(&id) {
            ids.insert(place, id);
            self.change_holders(inode, known, &ids);
        }
        known.is_asked()
    }

    /// A process or thread holds a socket no longer.
    pub(super) fn release(&mut self, inode: u32, id: u32) {
        let Some(known) = self.find(inode) else { return };
        let mut ids = self.holders.ids(known.holders()).to_vec();
        let Ok(place) = ids.binary_search(&id) else { return };
        ids.remove(place);
        if ids.is_empty() {
            self.held.remove(self.hash.hash_one(inode), |held| held.inode() == inode);
            self.holders.leave(known.holders());
        } else {
            self.change_holders(inode, known, &ids);
        }
    }

    fn change_holders(&mut self, inode: u32, known: HeldSocket, ids: &[u32]) {
        let Some(holders) = self.holders.enter(ids) else { return };
        self.holders.leave(known.holders());
        if let Some(held) = self.find_mut(inode) {
            held.set_holders(holders);
        }
    }

    /// A process has another name.
    pub(super) fn renamed(&mut self, id: u32) {
        self.holders.renamed(id);
    }

    /// The sockets that were asked for once and not in this collection, each said once, ascending, and who holds them.
    pub(super) fn vanished(&mut self) -> (Vec<u32>, Vec<u32>) {
        let inodes = self.sorted(|held| held.0 & ASKED == ASKED_BEFORE);
        for held in self.held.places_mut().filter(|held| held.0 & ASKED == ASKED_BEFORE) {
            held.set_asked(0);
        }
        let mut pids: Vec<u32> = inodes.iter().flat_map(|inode| self.holders(*inode)).copied().collect();
        pids.sort_unstable();
        pids.dedup();
        (inodes, pids)
    }

    /// The sockets that are held and were never asked for, or not since they were read, ascending.
    pub(super) fn not_asked(&self) -> Vec<u32> {
        self.sorted(|held| !held.is_asked())
    }

    fn sorted(&self, is_one: impl Fn(HeldSocket) -> bool) -> Vec<u32> {
        let all = || self.held.iter().filter(|held| is_one(*held));
        // They may be half of all sockets: no more memory than they need.
        let mut inodes = Vec::with_capacity(all().count());
        inodes.extend(all().map(HeldSocket::inode));
        inodes.sort_unstable();
        inodes
    }

    /// How many were asked for in this collection and not found yet.
    pub(super) fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Whether any that was asked for in this collection has no known holder.
    pub(super) fn is_any_unowned(&self) -> bool {
        !self.missing.is_empty() || self.without_process.values().any(|asked| *asked == self.collection)
    }

    /// The passes that first searched for those which were missing at the end of the last collection too: these are none that
    /// were closed before a scan could find them.
    pub(super) fn missing_again(&self) -> impl Iterator<Item = u32> {
        let again = self.missing.iter().filter(|(inode, _)| self.earlier.contains_key(*inode));
        again.map(|(_, pass)| *pass)
    }

    /// How many were asked for in this collection and the last, and found in no process.
    pub(super) fn unowned(&self) -> usize {
        let asked_twice = self.missing.keys().filter(|inode| self.earlier.contains_key(*inode));
        self.without_process.len() + asked_twice.count()
    }

    /// All descriptors have been read since that pass: no process holds what was searched for since then or earlier, and is
    /// still missing. One that a process has passed to another meanwhile is found in the turn of its descriptor.
    pub(super) fn give_up(&mut self, since: u32) {
        let Self { missing, earlier, without_process, collection, .. } = self;
        let is_nowhere = |inode: &u32, pass: &mut u32| *pass <= since && earlier.contains_key(inode);
        without_process.extend(missing.extract_if(is_nowhere).map(|(inode, _)| (inode, *collection)));
    }

    /// The owners of the sockets that several processes hold.
    pub(super) fn shared(&self) -> impl Iterator<Item = OwnerId> {
        self.holders.shared()
    }

    /// How many are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_take_the_memory_of_an_entry_and_what_a_flood_took_is_given_back() {
        const FLOOD: u32 = 100_000;
        let mut flooded = None;
        let memory = allocation_counter::measure(|| {
            let mut sockets = Sockets::default();
            (1..=FLOOD).for_each(|inode| _ = sockets.hold(inode, 1 + inode / 10_000));
            flooded = Some(sockets);
        });
        let sockets = flooded.as_mut().expect("they are held");
        assert!((1..=FLOOD).all(|inode| sockets.holders(inode) == [1 + inode / 10_000]));
        assert!(memory.bytes_current <= 14 * i64::from(FLOOD), "{memory:?}");
        assert!(memory.bytes_max <= 28 * u64::from(FLOOD), "{memory:?}");
        let freed = allocation_counter::measure(|| {
            (100..=FLOOD).for_each(|inode| sockets.release(inode, 1 + inode / 10_000));
            sockets.begin(2);
        });
        assert!(memory.bytes_current + freed.bytes_current < 8_192, "{freed:?}");
        assert!((1..100).all(|inode| sockets.holders(inode) == [1]));
    }

    #[test]
    fn a_socket_has_the_owner_of_its_holders_until_one_comes_or_goes_or_has_another_name() {
        let mut sockets = Sockets::default();
        let known = |sockets: &mut Sockets, inode| match sockets.ask(inode) {
            OwnerLookup::Known(owner) => owner.number(),
            other => panic!("{inode}: {other:?}"),
        };
        sockets.begin(1);
        for (inode, id) in [(5, 1), (6, 1), (6, 2), (7, 2)] {
            sockets.hold(inode, id);
        }
        for (inode, owner) in [(5, 10), (6, 30)] {
            sockets.owned(inode, OwnerId::numbered(owner));
        }
        assert_eq!([5, 6, 7].map(|inode| known(&mut sockets, inode)), [10, 30, 0]);
        sockets.release(6, 2);
        assert_eq!(known(&mut sockets, 6), 10, "as the other socket of that process");
        assert!(sockets.hold(6, 2), "it was asked for");
        assert_eq!(known(&mut sockets, 6), 0, "no socket had these holders for a moment");
        sockets.renamed(1);
        assert_eq!(known(&mut sockets, 5), 0);
        sockets.begin(2);
        _ = sockets.ask(5);
        assert_eq!(sockets.vanished(), (vec![6, 7], vec![1, 2]));
        assert_eq!(sockets.not_asked(), [6, 7]);
    }
}
