//! Which sockets may be older than a table: what such a socket has counted before its first record is not gained.
//!
//! An inventory lists the sockets of a namespace at one moment, without their values. A socket that the ledger does
//! not know and that no inventory lists was opened later. Where an inventory failed, any unknown socket may be old
//! until complete dumps have shown the namespace.

use hashbrown::{HashMap, HashSet};

/// Complete dumps that make a baseline, because one dump can miss a socket.
pub(super) const DUMPS: u8 = 2;

/// The sockets without a record that existed at one moment, by their namespaces.
pub type Inventory = Vec<(u32, HashSet<u64>)>;

/// Which sockets may be older than which table. A table is as old as the shape that added it.
#[derive(Debug)]
pub struct Baseline {
    /// The number of the shape in use; the first is 1.
    shape: u32,
    /// Of each table, the number of the shape that added it.
    since: Vec<u32>,
    namespaces: HashMap<u32, Known>,
    /// Sockets of inventories that have no record yet, and their ages.
    listed: HashMap<u64, Age>,
    /// The most of them.
    most: usize,
    /// Whether the memory of an inventory has been freed, and the allocator has not been asked to give it back.
    freed: bool,
}

/// What is known of a namespace. Shapes are numbers; 0 is none.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The last shape whose inventory lists the namespace.
    listed: u32,
    /// The last shape under which enough dumps were complete.
    dumped: u32,
    /// Complete dumps under the shape in use.
    dumps: u8,
}

/// The age of a socket: the first shape whose tables may be younger than the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(u32);

impl Baseline {
    pub(super) fn new(tables: usize, most: usize) -> Self {
        // The own namespace has the number 0.
        let namespaces = HashMap::from([(0, Known::default())]);
        Self { shape: 1, since: vec![1; tables], namespaces, listed: HashMap::new(), most, freed: false }
    }

    /// The ledger takes another shape, whose tables had these numbers before. `all_new`: sockets may be older than any.
    pub(super) fn reshape(&mut self, before: &[Option<usize>], all_new: bool, most: usize) {
        self.shape += 1;
        let since = |before: &Option<usize>| before.and_then(|number| self.since.get(number)).copied();
        let kept = |before| since(before).filter(|_| !all_new).unwrap_or(self.shape);
        self.since = before.iter().map(kept).collect();
        self.namespaces.values_mut().for_each(|known| known.dumps = 0);
        self.most = most;
    }

    /// Takes an inventory for the shape in use, unless its sockets are too many.
    pub fn take(&mut self, inventory: Inventory) {
        let sockets: usize = inventory.iter().map(|(_, sockets)| sockets.len()).sum();
        if self.listed.len() + sockets > self.most {
            return;
        }
        for (namespace, sockets) in inventory {
            let known = self.namespaces.entry(namespace).or_default();
            let age = known.of_unlisted();
            known.listed = self.shape;
            for socket in sockets {
                self.listed.entry(socket).or_insert(age);
            }
        }
    }

    /// The namespaces that exist. Those that were not known before are new: all their sockets are young if the
    /// namespaces are.
    pub fn exist(&mut self, all: &HashSet<u32>, young: bool) {
        self.namespaces.retain(|namespace, _| all.contains(namespace));
        let dumped = if young { self.shape } else { 0 };
        for namespace in all {
            self.namespaces.entry(*namespace).or_insert(Known { dumped, ..Known::default() });
        }
    }

    /// Complete dumps have shown these namespaces, and each socket that they have shown has a record.
    ///
    /// As long as not all close events so far are `heard`, one may still come of a socket that the dumps missed, and as
    /// long as not all sockets have `room`, listed ones have no record.
    pub(super) fn dumped(&mut self, namespaces: &[u32], heard: bool, room: bool) {
        for namespace in namespaces {
            let known = self.namespaces.entry(*namespace).or_default();
            known.dumps = known.dumps.saturating_add(1);
            if known.dumps >= DUMPS && heard {
                known.dumped = self.shape;
            }
        }
        if heard && room && self.namespaces.keys().all(|namespace| self.missing(*namespace) == 0) {
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
    pub fn missing(&self, namespace: u32) -> u8 {
        let Known { dumped, dumps, .. } = self.known(namespace);
        let complete = self.since.iter().all(|since| *since <= dumped);
        if complete { 0 } else { DUMPS.saturating_sub(dumps) }
    }

    /// Whether it is known of every socket, in every namespace, whether it is old.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        let certain = |known: &Known| self.since.iter().all(|since| *since <= known.dumped.max(known.listed));
        self.namespaces.values().all(certain)
    }

    /// Whether an inventory lists a socket that has no record yet.
    #[must_use]
    pub fn lists(&self, socket: u64) -> bool {
        !self.listed.is_empty() && self.listed.contains_key(&socket)
    }

    /// The age of a socket without a record.
    #[inline]
    pub(super) fn age(&self, socket: u64, namespace: u32) -> Age {
        let listed = if self.listed.is_empty() { None } else { self.listed.get(&socket) };
        listed.copied().unwrap_or_else(|| self.known(namespace).of_unlisted())
    }

    /// Whether a socket of that age may be older than a table.
    #[inline]
    pub(super) fn is_older(&self, age: Age, table: usize) -> bool {
        self.since.get(table).is_some_and(|since| *since >= age.0)
    }

    /// Whether a socket of that age may be older than any table. Most are not, once there is a baseline.
    #[inline]
    pub(super) fn is_older_than_any(&self, age: Age) -> bool {
        self.since.iter().any(|since| *since >= age.0)
    }

    /// A socket has a record now, or has ended.
    #[inline]
    pub(super) fn forget(&mut self, socket: u64) {
        if !self.listed.is_empty() {
            self.listed.remove(&socket);
        }
    }

    fn known(&self, namespace: u32) -> Known {
        self.namespaces.get(&namespace).copied().unwrap_or_default()
    }
}

impl Known {
    /// The age of a socket that no inventory lists and that has no record: it was opened later.
    fn of_unlisted(self) -> Age {
        Age(self.listed.max(self.dumped) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(sockets: &[u64]) -> Inventory {
        vec![(0, sockets.iter().copied().collect())]
    }

    fn is_older(baseline: &Baseline, socket: u64, table: usize) -> bool {
        baseline.is_older(baseline.age(socket, 0), table)
    }

    #[test]
    fn an_unknown_socket_may_be_old_unless_an_inventory_leaves_it_out() {
        let mut baseline = Baseline::new(1, 9);
        assert!(is_older(&baseline, 1, 0) && !baseline.is_certain());
        baseline.take(inventory(&[1]));
        assert!(is_older(&baseline, 1, 0) && !is_older(&baseline, 2, 0) && baseline.is_certain());
        baseline.forget(1);
        assert!(!baseline.lists(1));
    }

    #[test]
    fn complete_dumps_take_the_place_of_an_inventory() {
        let mut baseline = Baseline::new(1, 9);
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
    fn a_table_that_joins_is_younger_than_the_sockets_of_the_inventory_before_it() {
        let mut baseline = Baseline::new(1, 9);
        baseline.take(inventory(&[1]));
        baseline.reshape(&[Some(0), None], false, 9);
        baseline.take(inventory(&[1, 2]));
        let older = |socket| [0, 1].map(|table| is_older(&baseline, socket, table));
        assert_eq!([1, 2, 3].map(older), [[true, true], [false, true], [false, false]]);
    }

    #[test]
    fn a_socket_that_the_inventory_before_it_could_not_list_is_older_than_that_inventorys_table() {
        let mut baseline = Baseline::new(1, 9);
        baseline.take(inventory(&[]));
        baseline.reshape(&[Some(0), None], false, 9);
        baseline.reshape(&[Some(0), Some(1), None], false, 9);
        baseline.take(inventory(&[1]));
        assert_eq!([0, 1, 2].map(|table| is_older(&baseline, 1, table)), [false, true, true]);
        assert!([0, 1, 2].iter().all(|table| !is_older(&baseline, 2, *table)));
    }

    #[test]
    fn more_sockets_than_the_limit_are_not_listed_and_may_all_be_old() {
        let mut baseline = Baseline::new(1, 2);
        baseline.take(inventory(&[1, 2, 3]));
        assert!(is_older(&baseline, 9, 0) && baseline.listed.is_empty());
    }

    #[test]
    fn a_listed_socket_without_room_stays_old_after_the_baseline() {
        let mut baseline = Baseline::new(1, 9);
        baseline.take(inventory(&[1]));
        (0..DUMPS).for_each(|_| baseline.dumped(&[0], true, false));
        assert!(is_older(&baseline, 1, 0));
        baseline.dumped(&[0], true, true);
        assert!(!is_older(&baseline, 1, 0) && baseline.listed.capacity() == 0);
    }

    #[test]
    fn a_namespace_that_appears_later_has_young_sockets_alone() {
        let mut baseline = Baseline::new(1, 9);
        baseline.exist(&[0, 1].into(), false);
        baseline.exist(&[0, 1, 2].into(), true);
        let older = |namespace| baseline.is_older(baseline.age(5, namespace), 0);
        assert_eq!([0, 1, 2].map(older), [true, true, false]);
    }
}
