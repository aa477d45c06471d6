//! Memory of a ledger that is given back after a flood: what is left moves together.

use super::Ledger;
use super::index::RecordIndex;
use super::last_values::UpperHalves;
use super::record_layout::Record;
use super::records::Records;
use crate::aggregate::is_mostly_free;

/// Tombstones that keep their memory from one dump to the next.
const FEW: usize = 1024;

impl Ledger {
    /// Gives back the memory of sockets and rows that are gone, if that is most of it; whether memory was freed, here or
    /// with an inventory. Slots and rows are others then: call it between two collections.
    pub(in crate::collection) fn shrink(&mut self) -> bool {
        let rows = self.shrink_tables();
        let records = is_mostly_free(self.records.len(), self.records.made());
        if records {
            self.shrink_records();
        }
        self.tombstones.shrink_to(FEW);
        rows || records || self.baseline.take_freed()
    }

    fn shrink_records(&mut self) {
        let mut slots: Vec<u32> = self.index.slots().collect();
        // In the order of the last dump, as far as they were.
        slots.sort_unstable();
        let (mut records, mut upper_halves) = (Records::new(self.records.width()), UpperHalves::default());
        let mut index = RecordIndex::default();
        index.fit(&records, slots.len());
        for slot in slots {
            let new = records.take();
            records.get_mut(new).copy_from_slice(self.records.get(slot));
            if let Some(halves) = self.upper_halves.take(slot) {
                upper_halves.put(new, halves);
            }
            index.insert(&records, new);
        }
        (self.records, self.upper_halves, self.index) = (records, upper_halves, index);
        let queue = std::mem::take(&mut self.presumed_closed.queue).into_iter();
        self.presumed_closed.queue =
            queue.filter_map(|(_, identity)| Some((self.find(identity)?, identity))).collect();
    }

    /// Moves the rows of tables that are mostly free; whether there was one.
    fn shrink_tables(&mut self) -> bool {
        let Self { index, records, layout, views, .. } = self;
        let mut any = false;
        for view in views {
            let Some(moved) = view.table.shrink() else { continue };
            any = true;
            let Some(place) = view.place else { continue };
            for slot in index.slots() {
                let mut record = Record { layout, words: records.get_mut(slot) };
                let row = record.row(place).and_then(|row| moved.get(row.index()).copied().flatten());
                record.set_row(place, row);
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{WIDE, aggregated};
    use super::super::{DumpLookup, Entrant};
    use super::*;
    use crate::aggregate::{Bounds, Cells, CumulativeTable, TableColumn};
    use crate::exposition::Sample;
    use crate::plan::Feed;

    const FLOOD: u64 = 100_000;

    /// Two views, of which one has a row for each socket.
    fn ledger() -> Ledger {
        let feeds = [Feed::Counter(WIDE), Feed::Distribution(WIDE), Feed::Closed, Feed::Gauge];
        let view = |number| {
            let columns = vec![
                TableColumn::Cumulative(Cells::sum()),
                TableColumn::Cumulative(Cells::distribution(Bounds::new(vec![10.0], 1.0))),
                TableColumn::Cumulative(Cells::sum()),
                TableColumn::Gauge(Cells::sum()),
            ];
            (aggregated(number, &feeds), CumulativeTable::new(columns, b"other", 1 << 20, 1))
        };
        Ledger::new(vec![view(0), view(1)], &[WIDE], 1 << 20)
    }

    fn key(identity: u64) -> [u8; 8] {
        identity.to_be_bytes()
    }

    /// A complete dump that shows these sockets with that value.
    fn dump(ledger: &mut Ledger, identities: impl Iterator<Item = u64>, value: u64) {
        ledger.begin();
        for identity in identities {
            match ledger.look_up(identity) {
                DumpLookup::Known(slot) => ledger.follow_values(slot, &[value]),
                DumpLookup::New => {
                    let rows = [
                        Some(ledger.views[0].table.row(b"all")),
                        Some(ledger.views[1].table.row(&key(identity))),
                    ];
                    let slot = ledger.open(Entrant { identity, ..Entrant::default() }, &rows, &[value]);
                    ledger.observe(slot.expect("room"), 0, None, |_| Some(7));
                }
                other => panic!("{identity}: {other:?}"),
            }
        }
        let now = 10 * ledger.dump();
        ledger.dumped(&[0], true);
        ledger.end(true, true, &[], now);
    }

    /// The sum of the counter in a row of the second view.
    fn counted(ledger: &mut Ledger, identity: u64) -> Option<u64> {
        let row = ledger.views[1].table.row(&key(identity)).index();
        let frozen = ledger.views[1].table.freeze(None, |_| true);
        let observed = frozen.column(1)?.sample(row);
        assert!(
            matches!(observed, Some(Sample::Histogram { counts: [1, 0], .. })),
            "{identity}: {observed:?}"
        );
        frozen.column(0)?.sample(row)?.integer()
    }

    #[test]
    fn a_flood_that_has_ended_takes_no_memory_and_those_who_live_on_keep_their_rows() {
        let survivors = || (10_000..=FLOOD).step_by(10_000);
        let mut kept = None;
        let memory = allocation_counter::measure(|| {
            let mut ledger = ledger();
            dump(&mut ledger, std::iter::empty(), 0);
            dump(&mut ledger, std::iter::empty(), 0);
            dump(&mut ledger, 1..=FLOOD, 100);
            assert!(!ledger.shrink(), "all of it is in use");
            let ended: Vec<_> = (1..=FLOOD).filter(|identity| identity % 10_000 != 0).collect();
            for identity in ended {
                let slot = ledger.find(identity).expect("it lives");
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
        dump(&mut ledger, survivors().chain([FLOOD + 1]), 175);
        for identity in survivors() {
            assert_eq!(counted(&mut ledger, identity), Some(175), "{identity}");
        }
        assert_eq!(counted(&mut ledger, FLOOD + 1), Some(175));
        let frozen = ledger.views[0].table.freeze(None, |_| true);
        let all = ledger.views[0].table.row(b"all").index();
        let column = |number| frozen.column(number).and_then(|cells| cells.sample(all)?.integer());
        let closed = FLOOD - survivors().count() as u64;
        assert_eq!((column(2), column(0)), (Some(closed), Some(100 * closed + 175 * 11)));
    }

    #[test]
    fn a_socket_presumed_closed_is_found_by_its_late_event_after_the_move() {
        let mut ledger = ledger();
        (0..2).for_each(|_| dump(&mut ledger, std::iter::empty(), 0));
        dump(&mut ledger, 1..=FLOOD, 1);
        for identity in 2..=FLOOD {
            let slot = ledger.find(identity).expect("it lives");
            ledger.close(slot, 30);
        }
        // Its process holds on to it after a reset, so that dumps show it no longer.
        (0..3).for_each(|_| dump(&mut ledger, std::iter::empty(), 0));
        assert_eq!(ledger.stats.unseen, 1);
        assert!(ledger.shrink());
        let slot = ledger.find(1).expect("its record waits for the event");
        ledger.close(slot, 99);
        assert_eq!((ledger.tracked().0, ledger.records.len()), (0, 0));
    }
}
