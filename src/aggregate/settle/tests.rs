//! Collections one after the other, and what the rows of a view with one counter say.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::aggregate::{HashSeed, Limit};

/// A view with one counter from collection to collection.
struct View {
    limit: Limit,
    seed: HashSeed,
    bits: u32,
    remembers: bool,
    ended: Ended,
}

/// The last values of sockets that have ended.
#[derive(Default)]
struct Ended(HashMap<u64, u64>);

impl Departed for Ended {
    fn last(&self, socket: u64, _: usize) -> Option<u64> {
        self.0.get(&socket).copied()
    }
}

impl View {
    fn new(limit: Limit) -> Self {
        Self { limit, seed: HashSeed::default(), bits: 64, remembers: false, ended: Ended::default() }
    }

    /// A collection of sockets, each with its key and its value: the rows that it shows.
    fn collect(&mut self, sockets: &[(u64, &str, u64)]) -> BTreeMap<String, u64> {
        let counter = Counter { column: 0, bits: self.bits };
        let table = Table::new(vec![Cells::sum()], self.limit.clone(), self.seed.clone());
        let mut table = table.counting(vec![counter], self.remembers);
        for (socket, key, value) in sockets {
            if let Some(row) = table.row(|| key.as_bytes(), *socket, 0) {
                table.add(row, 0, *value, 0);
            }
        }
        let (sealed, next) = table.freeze(&self.ended);
        self.limit = next;
        let rows = (0..sealed.rows()).filter_map(|index| sealed.shown(index));
        let value = |row: usize| sealed.column(0).and_then(|cells| cells.sample(row)?.integer());
        rows.filter_map(|(row, key)| Some((String::from_utf8_lossy(key).into_owned(), value(row)?))).collect()
    }

    /// The value of the row `k` in a collection of these sockets.
    fn row(&mut self, sockets: &[(u64, u64)]) -> Option<u64> {
        let sockets: Vec<_> = sockets.iter().map(|(socket, value)| (*socket, "k", *value)).collect();
        self.collect(&sockets).get("k").copied()
    }
}

#[test]
fn a_row_does_not_fall_when_one_of_its_sockets_ends() {
    let mut view = View::new(Limit::none());
    assert_eq!(view.row(&[(1, 100), (2, 200)]), Some(300));
    assert_eq!(view.row(&[(1, 150)]), Some(350), "with what the other has gained meanwhile");
    for _ in 0..5 {
        assert_eq!(view.row(&[(1, 150)]), Some(350));
    }
    assert_eq!(view.row(&[(3, 7), (1, 151)]), Some(358));
    assert_eq!(view.row(&[(3, 8)]), Some(359));
}

#[test]
fn a_row_goes_on_when_its_only_socket_makes_way_for_another_between_two_collections() {
    let mut view = View::new(Limit::of(10));
    assert_eq!(view.row(&[(1, 300)]), Some(300));
    assert_eq!(view.row(&[(2, 5)]), Some(305));
    assert_eq!(view.row(&[(3, 1_000)]), Some(1_305));
}

#[test]
fn a_socket_that_a_dump_missed_is_not_counted_twice() {
    let mut view = View::new(Limit::none());
    assert_eq!(view.row(&[(1, 100), (2, 200)]), Some(300));
    assert_eq!(view.row(&[(1, 100)]), Some(300));
    assert_eq!(view.row(&[(1, 100)]), Some(300));
    assert_eq!(view.row(&[(2, 210), (1, 100)]), Some(310));
    assert_eq!(view.row(&[(2, 210)]), Some(310));
}

#[test]
fn a_row_that_was_away_begins_with_its_new_connection_unless_it_is_remembered() {
    for (remembers, expected) in [(false, 5), (true, 305)] {
        let mut view = View { remembers, ..View::new(Limit::of(2)) };
        assert_eq!(view.row(&[(1, 300)]), Some(300));
        for _ in 0..6 {
            assert_eq!(view.row(&[]), None);
        }
        assert_eq!(view.row(&[(2, 5)]), Some(expected));
    }
}

#[test]
fn what_a_socket_gained_before_its_end_was_reported_counts() {
    let mut view = View { remembers: true, ..View::new(Limit::none()) };
    assert_eq!(view.row(&[(1, 100), (2, 200)]), Some(300));
    view.ended.0.insert(2, 230);
    assert_eq!(view.row(&[(1, 100)]), Some(330));
    view.ended.0 = HashMap::from([(1, 101)]);
    assert_eq!(view.row(&[]), None);
    view.ended.0.clear();
    assert_eq!(view.row(&[(3, 4)]), Some(335));
}

#[test]
fn the_only_socket_of_a_row_may_wrap_its_counter_or_have_it_wiped() {
    let mut view = View { bits: 32, ..View::new(Limit::none()) };
    let most = u64::from(u32::MAX);
    assert_eq!(view.row(&[(1, most)]), Some(most));
    assert_eq!(view.row(&[(1, 9)]), Some(most + 10));
    assert_eq!(view.row(&[(1, 10)]), Some(most + 11));
    let mut view = View::new(Limit::none());
    assert_eq!(view.row(&[(1, 700)]), Some(700));
    assert_eq!(view.row(&[(1, 0)]), Some(700));
}

#[test]
fn rows_beyond_the_limit_are_remembered_and_no_more_of_them_than_the_limit() {
    let mut view = View { remembers: true, ..View::new(Limit::of(1)) };
    assert_eq!(view.collect(&[(1, "a", 10), (2, "b", 20)]), BTreeMap::from([("a".to_owned(), 10)]));
    assert_eq!(view.collect(&[(2, "b", 20)]), BTreeMap::from([("b".to_owned(), 20)]));
    // The place is b's, and what a had is not lost.
    assert_eq!(view.collect(&[(1, "a", 15), (2, "b", 21)]), BTreeMap::from([("b".to_owned(), 21)]));
    assert_eq!(view.collect(&[(1, "a", 16)]), BTreeMap::from([("a".to_owned(), 16)]));
    view.collect(&[(3, "c", 1)]);
    assert_eq!(view.limit.before.rows.len(), 2, "c, and the last one that is gone");
}

/// Which of the sockets 0 to 8 each collection finds, and what each gains.
fn collections() -> impl Strategy<Value = Vec<[Option<u8>; 9]>> {
    prop::collection::vec(prop::array::uniform9(prop::option::weighted(0.7, any::<u8>())), 1..30)
}

proptest! {
    #[test]
    fn no_counter_falls_while_its_row_is_there_and_none_counts_more_than_there_was(found in collections()) {
        let mut view = View { remembers: true, ..View::new(Limit::none()) };
        let keys = ["a", "b", "c"];
        let (mut values, mut seen, mut missed) = ([0; 9], [0; 9], [0; 9]);
        let mut before = BTreeMap::new();
        for gains in found {
            let mut sockets = Vec::new();
            for socket in 0..9 {
                // A socket that three collections have missed is gone.
                missed[socket] += 1;
                if let Some(gain) = gains[socket].filter(|_| missed[socket] <= 4) {
                    values[socket] += u64::from(gain);
                    (seen[socket], missed[socket]) = (values[socket], 0);
                    sockets.push((socket as u64, keys[socket % 3], values[socket]));
                }
            }
            let rows = view.collect(&sockets);
            for (key, value) in &rows {
                let of_key = (0..9).filter(|socket| keys[socket % 3] == key);
                prop_assert_eq!(*value, of_key.map(|socket| seen[socket]).sum::<u64>());
                prop_assert!(before.get(key).is_none_or(|before| before <= value));
            }
            before.extend(rows);
        }
    }
}
