//! Which sockets may be older than a view: what such a socket has counted before its first record is not gained.
//!
//! An inventory lists the sockets of a namespace at one moment, without their values. A socket that the ledger does
//! not know and that no inventory lists was opened later. Where an inventory failed, any unknown socket may be old
//! until complete dumps have shown the namespace.

use hashbrown::{HashMap, HashSet};

use crate::collection::generation::Generation;
use crate::collection::tracker::InventorySockets;

/// Complete dumps that make a baseline, because one dump can miss a socket.
pub(super) const DUMPS: u8 = 2;

/// Which sockets may be older than which view.
#[derive(Debug)]
pub(in crate::collection) struct Baseline {
    /// The generation that it is now.
    pub(in crate::collection) generation: Generation,
    /// The generation that added the youngest view.
    youngest: Generation,
    namespaces: HashMap<u32, KnownNetns>,
    /// Sockets of inventories that have no record yet, by namespace, with the ages of all of an inventory, the oldest first.
    listed: HashMap<u32, Vec<(Age, InventorySockets)>>,
    /// The most of them.
    most: usize,
    /// Whether the memory of an inventory has been freed, and the allocator has not been asked to give it back.
    freed: bool,
}

/// What is known of the sockets of a namespace.
#[derive(Clone, Copy, Debug, Default)]
struct KnownNetns {
    /// The last generation whose inventory lists the namespace.
    listed: Generation,
    /// The last generation in which enough dumps were complete.
    dumped: Generation,
    /// Complete dumps since the last reload.
    dumps: u8,
}

/// The age of a socket: the first generation whose views may be younger than the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(Generation);

impl Age {
    /// Of a socket that may be older than any view.
    const OLDEST: Self = Self(Generation::NONE);

    /// Whether a socket of this age may be older than a view of that generation.
    #[inline]
    pub(super) fn is_older(self, since: Generation) -> bool {
        since >= self.0
    }
}

impl Baseline {
    /// For that many listed sockets, in the first generation.
    pub(super) fn new(most: usize) -> Self {
        let first = Generation::NONE.next();
        Self {
            generation: first,
            youngest: first,
            // The exporter's own namespace has the number 0.
            namespaces: HashMap::from([(0, KnownNetns::default())]),
            listed: HashMap::new(),
            most,
            freed: false,
        }
    }

    /// Another generation begins.
    pub(in crate::collection) const fn next_generation(&mut self) -> Generation {
        self.generation = self.generation.next();
        self.generation
    }

    /// A reload has changed the views: the youngest is of the generation `youngest`.
    pub(super) fn reload(&mut self, youngest: Generation, most: usize) {
        self.namespaces.values_mut().for_each(|known| known.dumps = 0);
        (self.youngest, self.most) = (youngest, most);
    }

    /// From now on, sockets without a record may be older than any view, in every namespace.
    pub(super) fn forget_ages(&mut self) {
        self.namespaces.values_mut().for_each(|known| *known = KnownNetns::default());
        self.listed.values_mut().flatten().for_each(|(age, _)| *age = Age::OLDEST);
    }

    /// Takes an inventory of this generation, unless its sockets are too many.
    pub(in crate::collection) fn take(&mut self, inventory: Vec<(u32, InventorySockets)>) {
        let sockets: usize = inventory.iter().map(|(_, sockets)| sockets.len()).sum();
        if self.listed() + sockets > self.most {
            return;
        }
        for (namespace, sockets) in inventory {
            let known = self.namespaces.entry(namespace).or_default();
            let age = known.of_unlisted();
            known.listed = self.generation;
            if sockets.len() > 0 {
                self.listed.entry(namespace).or_default().push((age, sockets));
            }
        }
    }

    /// How many listed sockets have no record yet.
    pub(super) fn listed(&self) -> usize {
        self.listed.values().flatten().map(|(_, sockets)| sockets.len()).sum()
    }

    /// The namespaces that exist. Those that were not known before are new: all their sockets are young if the
    /// namespaces are.
    pub(in crate::collection) fn exist(&mut self, all: &HashSet<u32>, young: bool) {
        self.namespaces.retain(|namespace, _| all.contains(namespace));
        let dumped = if young { self.generation } else { Generation::NONE };
        for namespace in all {
            self.namespaces.entry(*namespace).or_insert(KnownNetns { dumped, ..KnownNetns::default() });
        }
    }

    /// Complete dumps have shown these namespaces, and each socket that they have shown has a record.
    ///
    /// Unless all close events are `drained`, one may still come of a socket that the dumps missed. Unless there was
    /// `room` for all sockets, listed ones have no record.
    pub(super) fn dumped(&mut self, namespaces: &[u32], drained: bool, room: bool) {
        for namespace in namespaces {
            let known = self.namespaces.entry(*namespace).or_default();
            known.dumps = known.dumps.saturating_add(1);
            if known.dumps >= DUMPS && drained {
                known.dumped = self.generation;
            }
        }
        if drained && room && self.namespaces.keys().all(|namespace| self.missing(*namespace) == 0) {
            self.freed |= self.listed.capacity() > 0;
            self.listed = HashMap::new();
        }
    }

    /// Whether an inventory has been freed since the last call.
    pub(super) const fn take_freed(&mut self) -> bool {
        std::mem::replace(&mut self.freed, false)
    }

    /// How many complete dumps of a namespace are missing until its baseline is complete.
    #[must_use]
    pub(in crate::collection) fn missing(&self, namespace: u32) -> u8 {
        let KnownNetns { dumped, dumps, .. } = self.known(namespace);
        if self.youngest <= dumped { 0 } else { DUMPS.saturating_sub(dumps) }
    }

    /// Whether it is known of every socket, in every namespace, whether it is old.
    #[must_use]
    pub(in crate::collection) fn is_certain(&self) -> bool {
        self.namespaces.values().all(|known| self.youngest <= known.dumped.max(known.listed))
    }

    /// Whether an inventory lists a socket of a namespace that has no record yet.
    #[must_use]
    pub(in crate::collection) fn lists(&self, socket: u64, namespace: u32) -> bool {
        self.listed_age(socket, namespace).is_some()
    }

    fn listed_age(&self, socket: u64, namespace: u32) -> Option<Age> {
        if self.listed.is_empty() {
            return None;
        }
        let mut inventories = self.listed.get(&namespace)?.iter();
        inventories.find(|(_, sockets)| sockets.contains(socket)).map(|(age, _)| *age)
    }

    /// The age of a socket without a record.
    #[inline]
    pub(super) fn age(&self, socket: u64, namespace: u32) -> Age {
        self.listed_age(socket, namespace).unwrap_or_else(|| self.known(namespace).of_unlisted())
    }

    /// Whether a socket of that age may be older than any view. Most are not, once there is a baseline.
    #[inline]
    pub(super) fn is_older_than_any(&self, age: Age) -> bool {
        age.is_older(self.youngest)
    }

    /// A socket of a namespace has a record now, or has ended.
    #[inline]
    pub(super) fn forget(&mut self, socket: u64, namespace: u32) {
        if !self.listed.is_empty() {
            let inventories = self.listed.get_mut(&namespace).into_iter().flatten();
            inventories.for_each(|(_, sockets)| _ = sockets.remove(socket));
        }
    }

    fn known(&self, namespace: u32) -> KnownNetns {
        self.namespaces.get(&namespace).copied().unwrap_or_default()
    }
}

impl KnownNetns {
    /// The age of a socket that no inventory lists and that has no record: it was opened later.
    fn of_unlisted(self) -> Age {
        Age(self.listed.max(self.dumped).next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory<const N: usize>(sockets: [u64; N]) -> Vec<(u32, InventorySockets)> {
        vec![(0, sockets.into())]
    }

    /// The generations of the first view and of those that two reloads add.
    fn since(number: usize) -> Generation {
        (0..=number).fold(Generation::NONE, |generation, _| generation.next())
    }

    fn is_older(baseline: &Baseline, socket: u64, view: usize) -> bool {
        baseline.age(socket, 0).is_older(since(view))
    }

    /// A reload adds a view.
    fn add_view(baseline: &mut Baseline) {
        let youngest = baseline.next_generation();
        baseline.reload(youngest, 9);
    }

    #[test]
    fn an_unknown_socket_may_be_old_unless_an_inventory_leaves_it_out() {
        let mut baseline = Baseline::new(9);
        assert!(is_older(&baseline, 1, 0) && !baseline.is_certain());
        baseline.take(inventory([1]));
        assert!(is_older(&baseline, 1, 0) && !is_older(&baseline, 2, 0) && baseline.is_certain());
        baseline.forget(1, 0);
        assert!(!baseline.lists(1, 0));
    }

    #[test]
    fn complete_dumps_take_the_place_of_an_inventory() {
        let mut baseline = Baseline::new(9);
        assert_eq!(baseline.missing(0), DUMPS);
        baseline.dumped(&[0], true, true);
        assert!(is_older(&baseline, 1, 0), "one dump can miss a socket");
        baseline.dumped(&[0], false, true);
        assert_eq!(
            (is_older(&baseline, 1, 0), baseline.missing(0)),
            (true, 0),
            "its event may wait in the queue"
        );
        baseline.dumped(&[0], true, true);
        assert!(!is_older(&baseline, 1, 0));
    }

    #[test]
    fn a_view_that_joins_is_younger_than_the_sockets_of_the_inventory_before_it() {
        let mut baseline = Baseline::new(9);
        baseline.take(inventory([1]));
        add_view(&mut baseline);
        baseline.take(inventory([1, 2]));
        let older = |socket| [0, 1].map(|view| is_older(&baseline, socket, view));
        assert_eq!([1, 2, 3].map(older), [[true, true], [false, true], [false, false]]);
    }

    #[test]
    fn a_socket_that_the_inventory_before_it_could_not_list_is_older_than_that_inventorys_view() {
        let mut baseline = Baseline::new(9);
        baseline.take(inventory([]));
        add_view(&mut baseline);
        add_view(&mut baseline);
        baseline.take(inventory([1]));
        assert_eq!([0, 1, 2].map(|view| is_older(&baseline, 1, view)), [false, true, true]);
        assert!([0, 1, 2].iter().all(|view| !is_older(&baseline, 2, *view)));
    }

    #[test]
    fn more_sockets_than_the_limit_are_not_listed_and_may_all_be_old() {
        let mut baseline = Baseline::new(2);
        baseline.take(inventory([1, 2, 3]));
        assert!(is_older(&baseline, 9, 0) && baseline.listed.is_empty());
    }

    #[test]
    fn a_listed_socket_without_room_stays_old_after_the_baseline() {
        let mut baseline = Baseline::new(9);
        baseline.take(inventory([1]));
        (0..DUMPS).for_each(|_| baseline.dumped(&[0], true, false));
        assert!(is_older(&baseline, 1, 0));
        baseline.dumped(&[0], true, true);
        assert!(!is_older(&baseline, 1, 0) && baseline.listed.capacity() == 0);
    }

    #[test]
    fn a_namespace_that_appears_later_has_young_sockets_alone() {
        let mut baseline = Baseline::new(9);
        baseline.exist(&[0, 1].into(), false);
        baseline.exist(&[0, 1, 2].into(), true);
        let older = |namespace| baseline.age(5, namespace).is_older(since(0));
        assert_eq!([0, 1, 2].map(older), [true, true, false]);
    }
}
