//! Memory of a ledger that is given back after a flood: what is left moves together.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;

use super::record_layout::{COOKIE, row_of, set_row};
use super::{Ledger, NO_ROW};
use crate::fold::cumulative::CumulativeTable;
use crate::fold::record::Records;

/// Records and rows move together when at most one of so many is in use: the flood that comes again finds some room,
/// and a load that varies by half moves nothing.
const SHARE: usize = 4;
/// Memory of fewer records or rows than this is not worth the move.
const FEW: usize = 1024;

/// Whether so few are used of those made that their memory is given back.
pub(in crate::fold) const fn is_mostly_free(used: usize, made: usize) -> bool {
    made / SHARE >= if used > FEW { used } else { FEW }
}

impl Ledger {
    /// Gives back the memory of sockets and rows that are gone, if that is most of it; whether memory was freed, here or
    /// with an inventory. Slots and rows have other numbers then: call it between two collections.
    pub fn shrink(&mut self) -> bool {
        let rows = self.shrink_tables();
        let records = is_mostly_free(self.records.len(), self.records.made());
        if records {
            self.shrink_records();
        }
        self.tombstones.shrink_to(FEW);
        rows || records || self.baseline.take_freed()
    }

    fn shrink_records(&mut self) {
        let before = std::mem::take(&mut self.index);
        let mut slots: Vec<u32> = before.into_iter().collect();
        // In the order of the last dump, as far as they were.
        slots.sort_unstable();
        let mut records = Records::new(self.records.width());
        let mut index = HashTable::with_capacity(slots.len());
        for slot in slots {
            let (old, new) = (self.records.get(slot), records.take());
            records.get_mut(new).copy_from_slice(old);
            let hash = |slot: &u32| self.hash.hash_one(records.get(*slot).get(COOKIE).unwrap_or(&0));
            index.insert_unique(hash(&new), new, hash);
        }
        (self.records, self.index, self.next) = (records, index, 0);
        let presumed_closed = std::mem::take(&mut self.presumed_closed).into_iter();
        self.presumed_closed =
            presumed_closed.filter_map(|(_, cookie)| Some((self.find(cookie)?, cookie))).collect();
    }

    /// Moves the rows of tables that are mostly free; whether there was one.
    fn shrink_tables(&mut self) -> bool {
        let moved: Vec<_> = self.tables.iter_mut().map(CumulativeTable::shrink).collect();
        let (width, slots) = (self.counters.len(), || self.index.iter());
        for (number, table) in self.followed.iter().enumerate() {
            let Some(Some(moved)) = moved.get(*table) else { continue };
            for slot in slots() {
                let record = self.records.get_mut(*slot);
                let row = row_of(record, width, number);
                let new = moved.get(row as usize).copied().unwrap_or(NO_ROW);
                set_row(record, width, number, new);
            }
        }
        moved.iter().any(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DumpLookup, Entrant, Shape};
    use super::*;
    use crate::exposition::Sample;
    use crate::fold::{Bounds, Cells, Feed};

    const FLOOD: u64 = 100_000;

    /// Two tables, of which one has a row for each socket.
    fn ledger() -> Ledger {
        let bounds = || Bounds::new(vec![10.0], 1.0);
        let columns = vec![
            (Feed::Counter(0), Cells::sum()),
            (Feed::Reading(0), Cells::distribution(bounds())),
            (Feed::Closed, Cells::sum()),
            (Feed::Amount, Cells::sum()),
        ];
        let table = || CumulativeTable::new(columns.clone(), b"other", 1 << 20, 1);
        let tables = vec![table(), table()];
        Ledger::new(Shape { counters: vec![64], tables, followed: vec![0, 1], most: 1 << 20 })
    }

    fn key(cookie: u64) -> [u8; 8] {
        cookie.to_be_bytes()
    }

    /// A complete dump that shows these sockets with that value.
    fn dump(ledger: &mut Ledger, cookies: impl Iterator<Item = u64>, value: u64) {
        ledger.begin();
        for cookie in cookies {
            match ledger.look_up(cookie) {
                DumpLookup::Known(slot) => ledger.follow(slot, &[value]),
                DumpLookup::New => {
                    let rows = [ledger.tables[0].row(b"all"), ledger.tables[1].row(&key(cookie))];
                    let slot = ledger.open(Entrant { cookie, ..Entrant::default() }, &rows, &[value]);
                    ledger.observe(slot.expect("room"), 0, 7);
                }
                other => panic!("{cookie}: {other:?}"),
            }
        }
        let now = 10 * ledger.dump();
        ledger.dumped(&[0], true);
        ledger.end(true, true, &[], now);
    }

    /// The sum of the counter in a row of the second table.
    fn counted(ledger: &mut Ledger, cookie: u64) -> Option<u64> {
        let row = ledger.tables[1].row(&key(cookie)) as usize;
        let sealed = ledger.tables[1].seal(None, |_| true);
        let observed = sealed.column(1)?.sample(row);
        assert!(matches!(observed, Some(Sample::Histogram { counts: [1, 0], .. })), "{cookie}: {observed:?}");
        sealed.column(0)?.sample(row)?.integer()
    }

    #[test]
    fn a_flood_that_has_ended_takes_no_memory_and_those_who_live_on_keep_their_rows() {
        let survivors = || (0..FLOOD).step_by(10_000);
        let mut kept = None;
        let memory = allocation_counter::measure(|| {
            let mut ledger = ledger();
            dump(&mut ledger, std::iter::empty(), 0);
            dump(&mut ledger, std::iter::empty(), 0);
            dump(&mut ledger, 0..FLOOD, 100);
            assert!(!ledger.shrink(), "all of it is in use");
            let ended: Vec<_> = (0..FLOOD).filter(|cookie| cookie % 10_000 != 0).collect();
            for cookie in ended {
                let slot = ledger.find(cookie).expect("it lives");
                ledger.close(slot, 30);
            }
            dump(&mut ledger, survivors(), 150);
            assert!(ledger.shrink());
            assert!(!ledger.shrink(), "all of it is in use again");
            kept = Some(ledger);
        });
        assert!(memory.bytes_max > 16 << 20, "it was a flood: {memory:?}");
        assert!(memory.bytes_current < 1 << 20, "{memory:?}");
        let mut ledger = kept.expect("a ledger");
        assert_eq!(ledger.tracked().0, survivors().count());
        dump(&mut ledger, survivors().chain([FLOOD]), 175);
        for cookie in survivors() {
            assert_eq!(counted(&mut ledger, cookie), Some(175), "{cookie}");
        }
        assert_eq!(counted(&mut ledger, FLOOD), Some(175));
        let sealed = ledger.tables[0].seal(None, |_| true);
        let all = ledger.tables[0].row(b"all") as usize;
        let column = |number| sealed.column(number).and_then(|cells| cells.sample(all)?.integer());
        let closed = FLOOD - survivors().count() as u64;
        assert_eq!((column(2), column(0)), (Some(closed), Some(100 * closed + 175 * 11)));
    }

    #[test]
    fn a_socket_that_was_given_up_is_found_by_its_late_event_after_the_move() {
        let mut ledger = ledger();
        (0..2).for_each(|_| dump(&mut ledger, std::iter::empty(), 0));
        dump(&mut ledger, 0..FLOOD, 1);
        for cookie in 1..FLOOD {
            let slot = ledger.find(cookie).expect("it lives");
            ledger.close(slot, 30);
        }
        // Its process holds on to it after a reset, so that dumps show it no longer.
        (0..3).for_each(|_| dump(&mut ledger, std::iter::empty(), 0));
        assert_eq!(ledger.stats.unseen, 1);
        assert!(ledger.shrink());
        let slot = ledger.find(0).expect("its record waits for the event");
        ledger.close(slot, 99);
        assert_eq!((ledger.tracked().0, ledger.records.len()), (0, 0));
    }
}
