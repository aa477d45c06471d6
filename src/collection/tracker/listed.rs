//! The sockets of one protocol in one network namespace that an inventory lists.

use std::hash::BuildHasher as _;

use hashbrown::DefaultHashBuilder;

use crate::dense_table::{DenseTable, RANK_BITS, Ranked};

/// Listed sockets, by identity.
#[derive(Debug, Default)]
pub(in crate::collection) struct InventorySockets {
    hash: DefaultHashBuilder,
    table: DenseTable<ListedSocket>,
}

/// An identity below a rank, which takes the place of bits that all identities of one namespace have in common.
#[derive(Clone, Copy, Debug)]
struct ListedSocket(u64);

impl ListedSocket {
    #[inline]
    const fn of(identity: u64) -> Self {
        Self(identity << RANK_BITS >> RANK_BITS)
    }

    const fn is(self, other: Self) -> bool {
        Self::of(self.0).0 == other.0
    }
}

impl Ranked for ListedSocket {
    const NONE: Self = Self(0);

    #[inline]
    fn rank(self) -> u32 {
        (self.0 >> (u64::BITS - RANK_BITS)) as u32
    }

    #[inline]
    fn ranked(self, rank: u32) -> Self {
        Self(u64::from(rank) << (u64::BITS - RANK_BITS) | Self::of(self.0).0)
    }
}

impl InventorySockets {
    pub(in crate::collection) const fn len(&self) -> usize {
        self.table.len()
    }

    pub(in crate::collection) fn contains(&self, identity: u64) -> bool {
        let wanted = ListedSocket::of(identity);
        self.table.find(self.hash.hash_one(wanted.0), |socket| socket.is(wanted)).is_some()
    }

    pub(in crate::collection) fn insert(&mut self, identity: u64) {
        if !self.contains(identity) {
            let Self { hash, table } = self;
            let hash_of = |socket: ListedSocket| hash.hash_one(ListedSocket::of(socket.0).0);
            let socket = ListedSocket::of(identity);
            table.insert(hash_of(socket), socket, hash_of);
        }
    }

    /// Takes a socket from the list; whether it was there.
    pub(in crate::collection) fn remove(&mut self, identity: u64) -> bool {
        let (Self { hash, table }, wanted) = (self, ListedSocket::of(identity));
        let removed = table.remove(hash.hash_one(wanted.0), |socket| socket.is(wanted)).is_some();
        // The first dump takes all of them, and its records need the memory.
        table.fit(table.len(), |socket| hash.hash_one(ListedSocket::of(socket.0).0));
        removed
    }
}

#[cfg(test)]
impl<const N: usize> From<[u64; N]> for InventorySockets {
    fn from(identities: [u64; N]) -> Self {
        let mut sockets = Self::default();
        for identity in identities {
            sockets.insert(identity);
        }
        sockets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_listed_once_in_a_namespace_of_any_number() {
        let identity = |cookie: u64| cookie ^ 0xff_ffff_u64.rotate_right(24);
        let mut sockets = InventorySockets::from([identity(1), identity(2), identity(1)]);
        assert_eq!(
            (sockets.len(), sockets.contains(identity(1)), sockets.contains(identity(3))),
            (2, true, false)
        );
        assert!(sockets.remove(identity(1)) && !sockets.remove(identity(1)));
        assert_eq!((sockets.len(), sockets.contains(identity(2))), (1, true));
    }

    #[test]
    fn listed_sockets_take_the_memory_of_an_entry_until_they_are_taken() {
        const LISTED: u64 = 100_000;
        let mut listed = None;
        let memory = allocation_counter::measure(|| {
            let mut sockets = InventorySockets::default();
            (1..=LISTED).for_each(|identity| sockets.insert(identity));
            listed = Some(sockets);
        });
        assert!(memory.bytes_current <= 14 * LISTED.cast_signed(), "{memory:?}");
        let sockets = listed.as_mut().expect("they are listed");
        let taken = allocation_counter::measure(|| {
            (100..=LISTED).for_each(|identity| assert!(sockets.remove(identity)));
        });
        assert!(memory.bytes_current + taken.bytes_current < 8_192, "{taken:?}");
        assert!((1..100).all(|identity| sockets.contains(identity)));
    }
}
