//! A ledger gets other views while its sockets live on.

use super::record_layout::RecordLayout;
use super::record_layout::ViewId;
use super::records::Records;
use super::view::{self, TrackedView};
use super::{Ledger, listeners};
use crate::aggregate::CumulativeTable;
use crate::collection::generation::Generation;
use crate::metrics::Source;
use crate::plan::AggregatedView;

impl Ledger {
    /// Goes on with other views. One that is the `same` keeps its rows and what they have accumulated. Every socket
    /// keeps its record: a counter that is new begins at its next value, and in a view that is new it has no row yet.
    ///
    /// If there is room now for sockets without a record, they may be older than any view. Says where each view was.
    pub(in crate::collection) fn reload(
        &mut self,
        views: Vec<(AggregatedView, CumulativeTable)>,
        counters: &[Source],
        most: usize,
        same: impl Fn(&AggregatedView, &AggregatedView) -> bool,
    ) -> Vec<Option<usize>> {
        self.baseline.next_generation();
        if most > self.most && self.stats.untracked > 0 {
            self.baseline.forget_ages();
        }
        self.most = most;
        self.set_views(views, counters, same)
    }

    pub(super) fn set_views(
        &mut self,
        views: Vec<(AggregatedView, CumulativeTable)>,
        counters: &[Source],
        same: impl Fn(&AggregatedView, &AggregatedView) -> bool,
    ) -> Vec<Option<usize>> {
        let mut old: Vec<_> = std::mem::take(&mut self.views).into_iter().map(Some).collect();
        let mut before = Vec::with_capacity(views.len());
        for (spec, table) in views {
            let is_known =
                |known: &Option<TrackedView>| known.as_ref().is_some_and(|known| same(&known.spec, &spec));
            let place = old.iter().position(is_known);
            before.push(place);
            let known = place.and_then(|place| old.get_mut(place)?.take());
            self.views.push(if let Some(known) = known {
                TrackedView { spec, ..known }
            } else {
                self.last_view = ViewId(self.last_view.0 + 1);
                TrackedView::new(self.last_view, spec, table, self.baseline.generation)
            });
        }
        self.set_layout(counters);
        before
    }

    /// Has records hold these counters and a row for each view that accumulates.
    fn set_layout(&mut self, counters: &[Source]) {
        let mut layout = RecordLayout { counters: counters.to_vec(), rows: Vec::new() };
        for view in &mut self.views {
            view.place = view.spec.accumulates.then_some(layout.rows.len());
            layout.rows.extend(view.place.map(|_| view.id));
        }
        let mut counters = view::counters(counters, &self.views);
        for counter in &mut counters {
            counter.known = self.counters.iter().any(|old| old.source == counter.source && old.known);
        }
        (self.counters, self.distributions) = (counters, view::distributions(&self.views));
        self.of_listeners = listeners::counters(&self.views, std::mem::take(&mut self.of_listeners));
        let youngest = self.views.iter().map(|view| view.since).max().unwrap_or(Generation::NONE);
        self.baseline.reload(youngest, self.most);
        if layout != self.layout {
            let records = std::mem::replace(&mut self.records, Records::new(0));
            self.records = records.convert(layout.width(), layout.convert(&self.layout));
            self.upper_halves.convert(&layout.counters_in(&self.layout));
            self.layout = layout;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record_layout::HEAD;
    use super::super::tests::{NARROW, OTHER, WIDE, aggregated};
    use super::super::{DumpLookup, Entrant};
    use super::*;
    use crate::aggregate::{Cells, RowId, TableColumn};
    use crate::exposition::Sample;
    use crate::plan::Feed;

    /// The view of that number, by which it is known again.
    fn view(number: usize, feeds: &[Feed]) -> (AggregatedView, CumulativeTable) {
        let columns = feeds.iter().map(|_| TableColumn::Cumulative(Cells::sum())).collect();
        (aggregated(number, feeds), CumulativeTable::new(columns, b"other", 10, 3600))
    }

    fn reload(ledger: &mut Ledger, views: Vec<(AggregatedView, CumulativeTable)>, counters: &[Source]) {
        ledger.reload(views, counters, 100, |old, new| old.view == new.view);
    }

    /// Shows one socket in a complete dump, in the row of the same key in every view.
    fn dump(ledger: &mut Ledger, identity: u64, values: &[u64]) {
        ledger.begin();
        let rows: Vec<_> = ledger.views.iter_mut().map(|view| Some(view.table.row(b"a"))).collect();
        match ledger.look_up(identity) {
            DumpLookup::New => {
                _ = ledger.open(Entrant { identity, owner: 7, ..Entrant::default() }, &rows, values);
            }
            DumpLookup::Known(slot) => {
                ledger.follow_values(slot, values);
                let (mut record, views) = ledger.record_mut(slot);
                for (view, row) in views.iter_mut().zip(rows) {
                    if view.place.and_then(|place| record.row(place)) != row {
                        record.move_to(view, row, 0);
                    }
                }
            }
            other => panic!("{other:?}"),
        }
        let now = ledger.dump();
        ledger.dumped(&[0], true);
        ledger.end(true, true, &[], now);
    }

    fn sums(ledger: &Ledger, view: usize) -> Vec<Option<u64>> {
        let row = 1;
        let frozen = ledger.views[view].table.freeze(None, |_| true);
        (0..2)
            .filter_map(|column| Some(frozen.column(column)?.sample(row).and_then(Sample::integer)))
            .collect()
    }

    /// A ledger that has seen one socket gain 30 of one counter and 3 of another.
    fn seasoned() -> Ledger {
        let views = vec![
            view(0, &[Feed::Counter(WIDE), Feed::Counter(NARROW)]),
            view(1, &[Feed::Counter(NARROW), Feed::Opened]),
        ];
        let mut ledger = Ledger::new(views, &[WIDE, NARROW], 100);
        for values in [[100, 10], [100, 10], [120, 11], [130, 13]] {
            dump(&mut ledger, 1, &values);
        }
        ledger
    }

    #[test]
    fn a_view_that_stays_keeps_its_sums_in_another_place() {
        let mut ledger = seasoned();
        let placed_at = ledger.record(ledger.find(1).expect("its record")).placed_at();
        // The counters change places, and of the views only the second one stays, as the first.
        let views = vec![
            view(1, &[Feed::Counter(NARROW), Feed::Opened]),
            view(2, &[Feed::Counter(NARROW), Feed::Counter(WIDE)]),
        ];
        reload(&mut ledger, views, &[NARROW, WIDE]);
        assert_eq!(sums(&ledger, 0), [Some(3), Some(0)]);
        let record = ledger.record(ledger.find(1).expect("its record"));
        assert_eq!((record.placed_at(), record.owner()), (placed_at, 7));
        assert_eq!([0, 1].map(|place| record.row(place).map(RowId::index)), [Some(1), None]);
        assert_eq!(
            ledger.views.iter().map(|view| placed_at >= view.since).collect::<Vec<_>>(),
            [true, false]
        );
        dump(&mut ledger, 1, &[15, 150]);
        assert_eq!(sums(&ledger, 0), [Some(5), Some(0)], "what was gained since the last dump");
        assert_eq!(sums(&ledger, 1), [Some(0), Some(0)], "it enters with its values as the baseline");
        dump(&mut ledger, 1, &[16, 160]);
        assert_eq!(sums(&ledger, 0), [Some(6), Some(0)]);
        assert_eq!(sums(&ledger, 1), [Some(1), Some(10)]);
    }

    #[test]
    fn a_new_view_takes_what_it_first_sees_as_its_baseline_and_the_others_count_it() {
        let mut ledger = seasoned();
        let views = vec![
            view(2, &[Feed::Counter(WIDE), Feed::Opened]),
            view(1, &[Feed::Counter(NARROW), Feed::Opened]),
        ];
        reload(&mut ledger, views, &[WIDE, NARROW]);
        assert_eq!(ledger.baseline.missing(0), 2);
        let rows: Vec<_> = ledger.views.iter_mut().map(|view| Some(view.table.row(b"a"))).collect();
        ledger.count_unseen(9, 0, &rows, &[1000, 1000], 9);
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
    fn a_socket_that_an_inventory_leaves_out_counts_whole_in_a_view_that_joined_before_it() {
        let mut ledger = seasoned();
        let views = vec![
            view(2, &[Feed::Counter(WIDE), Feed::Opened]),
            view(3, &[Feed::Counter(NARROW), Feed::Closed]),
        ];
        reload(&mut ledger, views, &[WIDE, NARROW]);
        ledger.baseline.take(vec![(0, [2].into())]);
        let rows: Vec<_> = ledger.views.iter_mut().map(|view| Some(view.table.row(b"a"))).collect();
        ledger.count_unseen(2, 0, &rows, &[1000, 1000], 9);
        ledger.count_unseen(3, 0, &rows, &[50, 5], 9);
        assert_eq!((sums(&ledger, 0), sums(&ledger, 1)), (vec![Some(50), Some(1)], vec![Some(5), Some(2)]));
        assert_eq!(ledger.stats.before_baseline, 1);
        dump(&mut ledger, 4, &[7, 1]);
        assert_eq!(sums(&ledger, 0), [Some(57), Some(2)]);
    }

    #[test]
    fn a_counter_that_is_new_begins_at_its_next_value() {
        let mut ledger = seasoned();
        let views = vec![
            view(0, &[Feed::Counter(WIDE), Feed::Counter(NARROW)]),
            view(2, &[Feed::Counter(OTHER), Feed::Opened]),
        ];
        reload(&mut ledger, views, &[WIDE, OTHER, NARROW]);
        assert!(!ledger.knows(Feed::Counter(OTHER)) && ledger.knows(Feed::Counter(NARROW)));
        dump(&mut ledger, 1, &[131, 5_000, 14]);
        dump(&mut ledger, 1, &[132, 5_001, 15]);
        assert_eq!((sums(&ledger, 0), sums(&ledger, 1)), (vec![Some(32), Some(5)], vec![Some(1), Some(0)]));
        assert!(ledger.knows(Feed::Counter(OTHER)));
    }

    #[test]
    fn a_record_of_a_layout_becomes_one_of_another_and_an_empty_one_stays_empty() {
        let old = RecordLayout { counters: vec![WIDE, NARROW], rows: vec![ViewId(1), ViewId(2), ViewId(3)] };
        let new = RecordLayout { counters: vec![OTHER, WIDE], rows: vec![ViewId(3), ViewId(4), ViewId(2)] };
        assert_eq!((old.width(), new.width()), (HEAD + 5, HEAD + 5));
        let mut record = [9, 8, 7, 6, 5, 4, 3, 2, 50, 60, 1, 2, 3];
        let mut converted = [0; HEAD + 5];
        new.convert(&old)(&record, &mut converted);
        assert_eq!(converted, [9, 8, 7, 6, 5, 4, 3, 2, u32::MAX, 50, 3, 0, 2]);
        record[..2].fill(0);
        converted.fill(0);
        new.convert(&old)(&record, &mut converted);
        assert_eq!(converted, [0; HEAD + 5]);
    }
}
