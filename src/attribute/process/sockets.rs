//! Which processes hold which socket, by its inode, and which sockets were asked for.

use hashbrown::{HashMap, HashSet};

use super::owner::OwnerId;

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

#[derive(Debug)]
struct SocketOwner {
    holder: Holder,
    /// None until it is asked for, and after a change.
    owner: OwnerId,
    /// The last collection that asked for it; 0 if none did, or if it was scanned since.
    asked: u32,
}

/// Most sockets have one holder.
#[derive(Clone, Copy, Debug)]
enum Holder {
    One(u32),
    Several,
}

/// The sockets that processes hold, and those that were asked for.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    held: HashMap<u32, SocketOwner>,
    /// The pids of the holders where there are several, ascending.
    several: HashMap<u32, Vec<u32>>,
    /// Asked for in this collection, and not found yet.
    missing: HashSet<u32>,
    /// Those that the last collection was missing at its end.
    earlier: HashSet<u32>,
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
        // After a flood its memory is given back; of few there is little to give.
        if self.held.capacity() / 4 > self.held.len().max(1024) {
            self.held.shrink_to(2 * self.held.len());
        }
    }

    /// Whose a socket is; the owner is [`OwnerId::NO_PROCESS`] if it must be made.
    #[inline]
    pub(super) fn ask(&mut self, inode: u32) -> OwnerLookup {
        if let Some(held) = self.held.get_mut(&inode) {
            held.asked = self.collection;
            return OwnerLookup::Known(held.owner);
        }
        if inode == 0 {
            return OwnerLookup::NoProcess;
        }
        if let Some(asked) = self.without_process.get_mut(&inode) {
            *asked = self.collection;
            return OwnerLookup::NoProcess;
        }
        self.missing.insert(inode);
        OwnerLookup::Unknown
    }

    /// The pids of the processes that hold a socket, ascending.
    pub(super) fn holders(&self, inode: u32) -> Vec<u32> {
        match self.held.get(&inode).map(|held| held.holder) {
            None => Vec::new(),
            Some(Holder::One(pid)) => vec![pid],
            Some(Holder::Several) => self.several.get(&inode).cloned().unwrap_or_default(),
        }
    }

    /// Remembers the owner of a socket.
    pub(super) fn owned(&mut self, inode: u32, owner: OwnerId) {
        if let Some(held) = self.held.get_mut(&inode) {
            held.owner = owner;
        }
    }

    /// A process holds a socket; says whether the socket was asked for.
    pub(super) fn hold(&mut self, inode: u32, pid: u32) -> bool {
        let Self { held, several, missing, without_process, collection, .. } = self;
        let held = held.entry(inode).or_insert_with(|| {
            let asked = missing.remove(&inode) | without_process.remove(&inode).is_some();
            let asked = if asked { *collection } else { 0 };
            SocketOwner { holder: Holder::One(pid), owner: OwnerId::NO_PROCESS, asked }
        });
        if let Holder::One(other) = held.holder {
            if other == pid {
                return held.asked != 0;
            }
            held.holder = Holder::Several;
            several.insert(inode, vec![other]);
        }
        let pids = several.entry(inode).or_default();
        if let Err(place) = pids.binary_search(&pid) {
            pids.insert(place, pid);
            held.owner = OwnerId::NO_PROCESS;
        }
        held.asked != 0
    }

    /// A process holds a socket no longer.
    pub(super) fn release(&mut self, inode: u32, pid: u32) {
        let Some(held) = self.held.get_mut(&inode) else { return };
        let left = match held.holder {
            Holder::One(other) => [other].into_iter().find(|other| *other != pid),
            Holder::Several => {
                held.owner = OwnerId::NO_PROCESS;
                let pids = self.several.entry(inode).or_default();
                pids.retain(|other| *other != pid);
                if pids.len() > 1 {
                    return;
                }
                let last = pids.first().copied();
                self.several.remove(&inode);
                last
            }
        };
        match left {
            Some(last) => held.holder = Holder::One(last),
            None => drop(self.held.remove(&inode)),
        }
    }

    /// A process that holds a socket has another name.
    pub(super) fn renamed(&mut self, inode: u32) {
        self.owned(inode, OwnerId::NO_PROCESS);
    }

    /// The sockets that were asked for once and not in this collection, each said once, and who holds them.
    pub(super) fn vanished(&mut self) -> (HashSet<u32>, Vec<u32>) {
        let collection = self.collection;
        let vanished = self.held.iter_mut().filter(|(_, held)| held.asked != 0 && held.asked != collection);
        let inodes = vanished.map(|(inode, held)| {
            held.asked = 0;
            *inode
        });
        let inodes: HashSet<u32> = inodes.collect();
        let mut pids: Vec<u32> = inodes.iter().flat_map(|inode| self.holders(*inode)).collect();
        pids.sort_unstable();
        pids.dedup();
        (inodes, pids)
    }

    /// The sockets that are held and were never asked for, or not since they were read.
    pub(super) fn not_asked(&self) -> HashSet<u32> {
        self.held.iter().filter(|(_, held)| held.asked == 0).map(|(inode, _)| *inode).collect()
    }

    /// How many were asked for in this collection and not found yet.
    pub(super) fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Whether any that was asked for in this collection has no known holder.
    pub(super) fn is_any_unowned(&self) -> bool {
        !self.missing.is_empty() || self.without_process.values().any(|asked| *asked == self.collection)
    }

    /// Whether one of them was missing at the end of the last collection too: it is not one that was closed
    /// before a scan could find it.
    pub(super) fn is_missing_again(&self) -> bool {
        self.missing.iter().any(|inode| self.earlier.contains(inode))
    }

    /// How many were asked for in this collection and the last, and found in no process.
    pub(super) fn unowned(&self) -> usize {
        let asked_twice = self.missing.iter().filter(|inode| self.earlier.contains(*inode));
        self.without_process.len() + asked_twice.count()
    }

    /// A complete look has ended: no process holds what it did not find.
    pub(super) fn give_up(&mut self) {
        let Self { missing, earlier, without_process, collection, .. } = self;
        without_process
            .extend(missing.extract_if(|inode| earlier.contains(inode)).map(|inode| (inode, *collection)));
    }

    /// The owners of the sockets that several processes hold.
    pub(super) fn shared(&self) -> impl Iterator<Item = OwnerId> {
        self.several.keys().filter_map(|inode| self.held.get(inode)).map(|held| held.owner)
    }

    /// How many are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}
