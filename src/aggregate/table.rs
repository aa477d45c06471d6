//! The rows of one per-connection view in one collection.

use super::cell::Cells;
use super::connection_row::{ConnectionRow, Members};
use super::frozen::FrozenTable;
use super::gain::ABSENT;
use super::key::{HashSeed, Keys, Size};
use super::limit::Limit;
use super::shares::{Departed, Share, Shares};

/// The rows of one view in one collection.
#[derive(Debug)]
pub struct Table {
    keys: Keys,
    pub(super) columns: Vec<Cells>,
    /// The rows that the columns have cells for.
    room: usize,
    pub(super) limit: Limit,
    /// Whether rows are compared with those of the last collection.
    compares: bool,
    pub(super) rows: Vec<ConnectionRow>,
    pub(super) counters: Vec<Counter>,
    /// The sockets of rows with several of them, in the order of their arrival.
    pub(super) shares: Shares,
    /// Sockets in rows that have, or had, another one.
    pub(super) several: usize,
    /// Whether the values to come belong to the last of them.
    sharing: bool,
    /// Whether counters go on in a row that comes back.
    pub(super) remembers: bool,
}

/// Rows by which the columns grow: one by one, growing costs more than filling.
const ROWS_PER_GROWTH: usize = 256;

/// A column that holds a counter.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// The number of the column.
    pub column: usize,
    /// How many bits the kernel counts with, before it begins again at 0.
    pub bits: u32,
}

impl Table {
    /// An empty table with these columns, under a limit that remembers the last collection's rows.
    pub(crate) fn new(columns: Vec<Cells>, limit: Limit, seed: HashSeed) -> Self {
        Self {
            keys: Keys::new(seed, limit.before.rows.len()),
            columns,
            room: 0,
            compares: limit.most.is_some(),
            limit,
            rows: Vec::new(),
            counters: Vec::new(),
            shares: Shares::default(),
            several: 0,
            sharing: false,
            remembers: false,
        }
    }

    /// The same table, in which these columns, which hold sums, never fall while their row is there.
    ///
    /// If it `remembers`, they also go on in a row that comes back.
    pub(crate) fn counting(self, counters: Vec<Counter>, remembers: bool) -> Self {
        let compares = self.compares || !counters.is_empty();
        Self { shares: Shares::new(counters.len()), counters, compares, remembers, ..self }
    }

    /// The same table with room for as much as another one members, so that it grows in one step.
    pub(crate) fn sized(mut self, size: Size) -> Self {
        self.keys.reserve(size);
        self.rows.reserve(if self.compares { size.rows } else { 0 });
        self.columns.iter_mut().for_each(|cells| cells.reserve(size.rows + ROWS_PER_GROWTH));
        self
    }

    /// The row with this key, made if the limit admits it, for the values of a socket that was in none yet. A socket whose
    /// ports no row has may not need its key.
    #[inline]
    pub(crate) fn row<'k>(
        &mut self,
        key: impl FnOnce() -> &'k [u8],
        socket: u64,
        ports: u32,
    ) -> Option<usize> {
        let Self { keys, limit, compares, rows, several, sharing, .. } = self;
        if !limit.may_admit(ports) {
            return None;
        }
        let key = key();
        *sharing = false;
        let hash = keys.hash(key);
        let before = limit.row_before(hash);
        let (row, is_new) = keys.row(key, hash, before, || limit.admits(hash, before, ports))?;
        if !is_new {
            if !self.counters.is_empty() {
                self.share(row, socket);
            }
            return Some(row);
        }
        if *compares {
            let members = match before {
                None => Members::New,
                Some(row) if limit.before.socket(row) == Some(socket) => Members::Same(row),
                Some(row) => Members::Changed(row),
            };
            *several += usize::from(matches!(members, Members::Changed(_)));
            rows.push(ConnectionRow { hash, socket, ports, members });
        }
        if row >= self.room {
            self.make_room(row + ROWS_PER_GROWTH);
        }
        Some(row)
    }

    fn make_room(&mut self, rows: usize) {
        self.room = rows;
        self.columns.iter_mut().for_each(|cells| cells.resize(rows));
    }

    /// Gives another socket a share in a row, and the first one, whose values are all that the row has.
    fn share(&mut self, row: usize, socket: u64) {
        let Some(of_row) = self.rows.get_mut(row) else { return };
        // The kernel holds fewer than 2^32 sockets.
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        let before = of_row.before();
        if !matches!(of_row.members, Members::Shared(_)) {
            of_row.members = Members::Shared(before);
            let first = Share { row: number, socket: of_row.socket, missed: 0 };
            let value = |counter: &Counter| sum(&self.columns, *counter, row);
            self.shares.push(first, self.counters.iter().map(value));
        }
        self.shares.push(Share { row: number, socket, missed: 0 }, self.counters.iter().map(|_| ABSENT));
        self.several += 1;
        self.sharing = true;
    }

    /// Adds a value of that age to a cell: one of the socket for which the row was last asked for.
    #[inline]
    pub(crate) fn add(&mut self, row: usize, column: usize, value: u64, age: u32) {
        if let Some(cells) = self.columns.get_mut(column) {
            cells.add(row, value, age);
        }
        if self.sharing
            && let Some(counter) = self.counters.iter().position(|counter| counter.column == column)
            && let Some(share) = self.shares.last_mut(counter)
        {
            *share = value;
        }
    }

    /// Ends the collection: which rows are shown, and what the next collection needs.
    ///
    /// `departed` has the last values of sockets that have left.
    pub(crate) fn freeze(mut self, departed: &impl Departed) -> (FrozenTable, Limit) {
        self.make_room(self.keys.len());
        let (shown, left_out) = self.limit.freeze(&self.rows, &self.columns);
        let before = self.compares.then(|| self.settle(shown.as_deref(), departed));
        let ports = |row: &u32| self.rows.get(*row as usize).map(|row| row.ports);
        let of_shown = shown.iter().flatten().filter_map(ports);
        let next = self.limit.following(before.unwrap_or_default(), of_shown);
        let columns = self.columns.into_iter().map(Some).collect();
        let table = FrozenTable { keys: self.keys.into_texts(), columns, shown, left_out };
        (if next.ranked_by.is_some() { table.compact() } else { table }, next)
    }
}

/// A row's sum in the column of a counter.
pub(super) fn sum(columns: &[Cells], counter: Counter, row: usize) -> u64 {
    let sums = columns.get(counter.column).and_then(Cells::sums);
    sums.and_then(|sums| sums.get(row)).copied().unwrap_or(ABSENT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aggregated(
        seed: &HashSeed,
        values: &[(u8, u64)],
        limit: Limit,
    ) -> (Vec<(Vec<u8>, u64)>, usize, Limit) {
        let mut table = Table::new(vec![Cells::sum()], limit, seed.clone());
        for (key, value) in values {
            if let Some(row) = table.row(|| std::slice::from_ref(key), 0, u32::from(*key) / 2) {
                table.add(row, 0, *value, 0);
            }
        }
        let (sealed, next) = table.freeze(&());
        let mut rows: Vec<_> = (0..sealed.rows())
            .filter_map(|index| sealed.shown(index))
            .filter_map(|(row, key)| Some((key.to_vec(), sealed.column(0)?.sample(row)?.integer()?)))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        (rows, sealed.left_out, next)
    }

    proptest! {
        #[test]
        fn aggregating_is_independent_of_order_and_keeps_the_sum(mut values: Vec<(u8, u32)>) {
            let wide = |values: &[(u8, u32)]| values.iter().map(|(k, v)| (*k, u64::from(*v))).collect::<Vec<_>>();
            let (forward, ..) = aggregated(&HashSeed::default(), &wide(&values), Limit::none());
            values.reverse();
            let (backward, ..) = aggregated(&HashSeed::default(), &wide(&values), Limit::none());
            prop_assert_eq!(&forward, &backward);
            let whole: u64 = values.iter().map(|(_, v)| u64::from(*v)).sum();
            prop_assert_eq!(forward.iter().map(|(_, v)| v).sum::<u64>(), whole);
        }

        #[test]
        fn a_limit_holds_and_each_key_is_shown_or_counted(values: Vec<(u8, u32)>, limit in 1_usize..20) {
            let values: Vec<_> = values.iter().map(|(k, v)| (*k, u64::from(*v))).collect();
            let keys: std::collections::HashSet<_> = values.iter().map(|(k, _)| *k).collect();
            let (rows, left_out, _) = aggregated(&HashSeed::default(), &values, Limit::of(limit));
            prop_assert_eq!(rows.len(), keys.len().min(limit));
            prop_assert_eq!(rows.len() + left_out, keys.len());
        }

        #[test]
        fn sockets_that_their_ports_leave_out_would_have_no_row(
            collections in prop::collection::vec(prop::collection::btree_map(0..60_u8, any::<u32>(), 0..40), 1..6),
            most in 1_usize..9,
        ) {
            let seed = HashSeed::default();
            let (mut by_key, mut by_ports) = (Limit::of(most), Limit::of(most).of_connections());
            for values in collections {
                let values: Vec<_> = values.into_iter().map(|(key, value)| (key, value.into())).collect();
                let (expected, left_out, next) = aggregated(&seed, &values, by_key);
                let (rows, with_ports, next_with_ports) = aggregated(&seed, &values, by_ports);
                prop_assert_eq!((rows, with_ports), (expected, left_out));
                (by_key, by_ports) = (next, next_with_ports);
            }
        }

        #[test]
        fn a_ranking_without_a_past_shows_the_greatest_values(values: Vec<(u8, u32)>, most in 1_usize..20) {
            let values: Vec<_> = values.iter().map(|(k, v)| (*k, u64::from(*v))).collect();
            let (all, ..) = aggregated(&HashSeed::default(), &values, Limit::none());
            let (shown, left_out, _) =
                aggregated(&HashSeed::default(), &values, Limit::of(most).ranked_by(Some(0)));
            let greatest_first = |rows: &[(Vec<u8>, u64)]| {
                let mut values: Vec<_> = rows.iter().map(|(_, value)| *value).collect();
                values.sort_unstable_by(|one, other| other.cmp(one));
                values
            };
            let expected: Vec<_> = greatest_first(&all).into_iter().take(most).collect();
            prop_assert_eq!(greatest_first(&shown), expected);
            prop_assert!(shown.iter().all(|row| all.contains(row)), "each key has its own value");
            prop_assert_eq!(shown.len() + left_out, all.len());
        }
    }

    #[test]
    fn a_row_of_a_ranking_gives_way_only_to_one_that_is_greater_by_a_fourth() {
        let seed = HashSeed::default();
        let top = Limit::of(2).ranked_by(Some(0));
        let (rows, left_out, top) = aggregated(&seed, &[(1, 10), (2, 100), (3, 80), (4, 1)], top);
        assert_eq!((rows, left_out), (vec![(vec![2], 100), (vec![3], 80)], 2));
        let (rows, _, top) = aggregated(&seed, &[(1, 100), (2, 100), (3, 80)], top);
        assert_eq!(rows, [(vec![2], 100), (vec![3], 80)]);
        let (rows, _, top) = aggregated(&seed, &[(1, 101), (2, 100), (3, 80)], top);
        assert_eq!(rows, [(vec![1], 101), (vec![2], 100)]);
        let (rows, left_out, _) = aggregated(&seed, &[(4, 1), (2, 100)], top);
        assert_eq!(
            (rows, left_out),
            (vec![(vec![2], 100), (vec![4], 1)], 0),
            "a row that is gone keeps no place"
        );
    }

    #[test]
    fn a_row_once_shown_stays_while_its_key_is_there() {
        let seed = HashSeed::default();
        let (rows, left_out, limit) = aggregated(&seed, &[(1, 1), (2, 1), (3, 1)], Limit::of(2));
        assert_eq!((rows.len(), left_out), (2, 1));
        let (rows, left_out, limit) = aggregated(&seed, &[(9, 1), (8, 1), (2, 7), (1, 1)], limit);
        assert_eq!(rows, [(vec![1], 1), (vec![2], 7)]);
        assert_eq!(left_out, 2);
        let (rows, left_out, _) = aggregated(&seed, &[(9, 1), (8, 1), (2, 7)], limit);
        assert_eq!(rows, [(vec![2], 7), (vec![9], 1)], "the free place is given away at once");
        assert_eq!(left_out, 1);
    }
}
