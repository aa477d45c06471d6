//! A ledger gets other tables while its sockets live on.
//!
//! Refuses to know which tables are the same, and why.

use super::record_layout::{COOKIE, COUNTERS, NOTES, SEEN, high, row_of, set_row};
use super::{ABSENT, Ledger, NO_ROW, Records, Shape, feeds};
use crate::fold::cumulative::CumulativeTable;

/// What stays of a ledger that gets another shape.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// For each new counter, the number that it had.
    pub counters: Vec<Option<usize>>,
    /// For each new table, the number that it had: it keeps its rows and what they have accumulated.
    pub tables: Vec<Option<usize>>,
    /// Flags that every socket's record gets.
    pub flags: u32,
    /// The owner that every socket gets; `None` to let each keep its own.
    pub owner: Option<u32>,
    /// Whether sockets for which there was no record may be older than any table.
    pub all_new: bool,
}

impl Ledger {
    /// Takes another shape. Every socket keeps its record: a counter that is new begins at its next value, and in a
    /// table that is new it has no row yet.
    pub fn reshape(&mut self, shape: Shape, kept: &Kept) {
        let Shape { counters, tables, followed, most } = shape;
        let before = |table: usize| kept.tables.get(table).copied().flatten();
        let mut old: Vec<Option<CumulativeTable>> =
            std::mem::take(&mut self.tables).into_iter().map(Some).collect();
        let stays = |(number, table): (usize, CumulativeTable)| {
            let same = before(number).and_then(|number| old.get_mut(number)?.take());
            match same {
                Some(same) => same.fed_as(&table),
                None => table,
            }
        };
        let tables: Vec<_> = tables.into_iter().enumerate().map(stays).collect();
        let (mut counters, readings) = feeds::wire(counters, &tables, &followed);
        for (counter, number) in counters.iter_mut().zip(&kept.counters) {
            let known = number.and_then(|number| self.counters.get(number)).is_some_and(|old| old.known);
            counter.known = known;
        }
        let place = |table: &usize| {
            let table = before(*table)?;
            self.followed.iter().position(|old| *old == table)
        };
        let places: Vec<Option<usize>> = followed.iter().map(place).collect();
        let (width, old_width) = (counters.len(), self.counters.len());
        let records = std::mem::replace(&mut self.records, Records::new(0));
        self.records = records.recast(super::width(width, followed.len()), |old, new| {
            if old.get(COOKIE).is_none_or(|cookie| *cookie == 0) {
                return;
            }
            let words = old.iter().zip(new.iter_mut());
            words.take(COUNTERS).for_each(|(old, new)| *new = *old);
            if let Some(seen) = new.get_mut(SEEN) {
                *seen |= u64::from(kept.flags) << 32;
            }
            if let Some((notes, owner)) = new.get_mut(NOTES).zip(kept.owner) {
                *notes = u64::from(high(*notes)) << 32 | u64::from(owner);
            }
            let numbers = kept.counters.iter().copied().chain(std::iter::repeat(None));
            for (last, number) in new.iter_mut().skip(COUNTERS).take(width).zip(numbers) {
                *last = number.and_then(|number| old.get(COUNTERS + number)).copied().unwrap_or(ABSENT);
            }
            for (number, place) in places.iter().enumerate() {
                set_row(new, width, number, place.map_or(NO_ROW, |place| row_of(old, old_width, place)));
            }
        });
        (self.counters, self.readings, self.followed, self.tables) = (counters, readings, followed, tables);
        self.baseline.reshape(&kept.tables, kept.all_new, most);
        self.most = most;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Sample;
    use crate::fold::{Cells, DumpLookup, Entrant, Feed};

    fn table(feeds: &[Feed]) -> CumulativeTable {
        CumulativeTable::new(feeds.iter().map(|feed| (*feed, Cells::sum())).collect(), b"other", 10, 3600)
    }

    /// Shows one socket in a complete dump, in the row of the same key in every table.
    fn dump(ledger: &mut Ledger, cookie: u64, values: &[u64]) {
        ledger.begin();
        let rows: Vec<_> = (0..ledger.followed.len()).map(|number| ledger.tables[number].row(b"a")).collect();
        match ledger.look_up(cookie) {
            DumpLookup::New => {
                _ = ledger.open(Entrant { cookie, owner: 7, ..Entrant::default() }, &rows, values)
            }
            DumpLookup::Known(slot) => {
                ledger.follow(slot, values);
                for (number, row) in rows.into_iter().enumerate() {
                    if ledger.row(slot, number) != row {
                        ledger.move_to(slot, number, row, 0);
                    }
                }
            }
            other => panic!("{other:?}"),
        }
        let now = ledger.dump();
        ledger.dumped(&[0], true);
        ledger.end(true, true, &[], now);
    }

    fn sums(ledger: &Ledger, table: usize) -> Vec<Option<u64>> {
        let row = 1;
        let sealed = ledger.tables[table].seal(None, |_| true);
        (0..2)
            .filter_map(|column| Some(sealed.column(column)?.sample(row).and_then(Sample::integer)))
            .collect()
    }

    /// A ledger that has seen one socket gain 30 of one counter and 3 of another.
    fn seasoned() -> Ledger {
        let tables =
            vec![table(&[Feed::Counter(0), Feed::Counter(1)]), table(&[Feed::Counter(1), Feed::Opened])];
        let mut ledger =
            Ledger::new(Shape { counters: vec![64, 32], tables, followed: vec![0, 1], most: 100 });
        for values in [[100, 10], [100, 10], [120, 11], [130, 13]] {
            dump(&mut ledger, 1, &values);
        }
        ledger
    }

    #[test]
    fn a_table_that_stays_keeps_its_sums_under_other_numbers() {
        let mut ledger = seasoned();
        let tables =
            vec![table(&[Feed::Counter(1), Feed::Counter(0)]), table(&[Feed::Counter(0), Feed::Opened])];
        let shape = Shape { counters: vec![32, 64], tables, followed: vec![0, 1], most: 100 };
        // The counters change places, and of the tables only the second one stays, as the second.
        let kept = Kept {
            counters: vec![Some(1), Some(0)],
            tables: vec![None, Some(1)],
            flags: 4,
            ..Kept::default()
        };
        ledger.reshape(shape, &kept);
        assert_eq!(sums(&ledger, 1), [Some(3), Some(0)]);
        let slot = ledger.find(1).expect("its record");
        assert_eq!((ledger.flags(slot), ledger.owner(slot)), (4, 7));
        assert_eq!((ledger.row(slot, 0), ledger.row(slot, 1)), (NO_ROW, 1));
        dump(&mut ledger, 1, &[15, 150]);
        assert_eq!(sums(&ledger, 1), [Some(5), Some(0)], "what was gained since the last look");
        assert_eq!(sums(&ledger, 0), [Some(0), Some(0)], "it enters with its values as the baseline");
        dump(&mut ledger, 1, &[16, 160]);
        assert_eq!(sums(&ledger, 1), [Some(6), Some(0)]);
        assert_eq!(sums(&ledger, 0), [Some(10), Some(1)]);
    }

    #[test]
    fn a_new_table_takes_what_it_first_sees_as_its_baseline_and_the_others_count_it() {
        let mut ledger = seasoned();
        let tables = vec![table(&[Feed::Counter(0), Feed::Opened]), table(&[Feed::Counter(1), Feed::Opened])];
        let shape = Shape { counters: vec![64, 32], tables, followed: vec![0, 1], most: 100 };
        let kept = Kept { counters: vec![Some(0), Some(1)], tables: vec![None, Some(1)], ..Kept::default() };
        ledger.reshape(shape, &kept);
        assert_eq!(ledger.baseline.missing(0), 2);
        ledger.count_unseen(9, 0, &[1, 1], &[1000, 1000], 9);
        assert_eq!(ledger.stats.before_baseline, 1);
        dump(&mut ledger, 2, &[500, 50]);
        assert_eq!((sums(&ledger, 0), sums(&ledger, 1)), (vec![Some(0), Some(0)], vec![Some(1053), Some(2)]));
        dump(&mut ledger, 2, &[510, 51]);
        assert_eq!(ledger.baseline.missing(0), 0);
        dump(&mut ledger, 3, &[7, 7]);
        assert_eq!(
            (sums(&ledger, 0), sums(&ledger, 1)),
            (vec![Some(17), Some(1)], vec![Some(1061), Some(3)])
        );
    }

    #[test]
    fn a_socket_that_an_inventory_leaves_out_counts_whole_in_a_table_that_joined_before_it() {
        let mut ledger = seasoned();
        let tables = vec![table(&[Feed::Counter(0), Feed::Opened]), table(&[Feed::Counter(1), Feed::Closed])];
        let shape = Shape { counters: vec![64, 32], tables, followed: vec![0, 1], most: 100 };
        ledger.reshape(
            shape,
            &Kept { counters: vec![Some(0), Some(1)], tables: vec![None, None], ..Kept::default() },
        );
        ledger.baseline.take(vec![(0, [2].into())]);
        assert_eq!([0, 1].map(|table| ledger.tables[table].row(b"a")), [1, 1]);
        ledger.count_unseen(2, 0, &[1, 1], &[1000, 1000], 9);
        ledger.count_unseen(3, 0, &[1, 1], &[50, 5], 9);
        assert_eq!((sums(&ledger, 0), sums(&ledger, 1)), (vec![Some(50), Some(1)], vec![Some(5), Some(2)]));
        assert_eq!(ledger.stats.before_baseline, 1);
        dump(&mut ledger, 4, &[7, 1]);
        assert_eq!(sums(&ledger, 0), [Some(57), Some(2)]);
    }

    #[test]
    fn a_counter_that_is_new_begins_at_its_next_value_and_owners_can_be_forgotten() {
        let mut ledger = seasoned();
        let shape = Shape {
            counters: vec![64, 64, 32],
            tables: vec![
                table(&[Feed::Counter(0), Feed::Counter(2)]),
                table(&[Feed::Counter(1), Feed::Opened]),
            ],
            followed: vec![0, 1],
            most: 100,
        };
        let kept = Kept {
            counters: vec![Some(0), None, Some(1)],
            tables: vec![Some(0), None],
            owner: Some(0),
            ..Kept::default()
        };
        ledger.reshape(shape, &kept);
        assert_eq!(ledger.find(1).map(|slot| ledger.owner(slot)), Some(0));
        dump(&mut ledger, 1, &[131, 5_000, 14]);
        dump(&mut ledger, 1, &[132, 5_001, 15]);
        assert_eq!((sums(&ledger, 0), sums(&ledger, 1)), (vec![Some(32), Some(5)], vec![Some(1), Some(0)]));
        assert!(ledger.knows(Feed::Counter(1)));
    }
}
