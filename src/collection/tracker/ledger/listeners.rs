//! The counters of listeners. Records hold those of connections, of which there are many more.
//!
//! What a listener has counted since the last dump goes to the rows that it has now. Its close event has no counter: what it
//! counts after its last dump is lost.

use hashbrown::HashMap;

use super::{Ledger, TrackedView};
use crate::aggregate::{RowId, gain};
use crate::collection::generation::Generation;
use crate::metrics::Source;
use crate::plan::Feed;

/// A counter of listeners.
#[derive(Debug)]
pub(super) struct ListenerCounter {
    source: Source,
    /// Whether it ever had a value.
    known: bool,
    /// By the identity of the listener.
    lasts: HashMap<u64, LastValue>,
}

/// What a dump has shown of a listener.
#[derive(Clone, Copy, Debug)]
struct LastValue {
    value: u64,
    /// Its network namespace and protocol, as a number.
    netns: u32,
    /// The number of the dump.
    dump: u32,
    /// The generation of the dump.
    at: Generation,
}

impl ListenerCounter {
    pub(super) fn is_known(&self, source: Source) -> bool {
        self.source == source && self.known
    }
}

/// The counters of listeners that the views show. One that is among the old ones continues.
pub(super) fn counters(views: &[TrackedView], mut old: Vec<ListenerCounter>) -> Vec<ListenerCounter> {
    let mut all: Vec<ListenerCounter> = Vec::new();
    for feed in views.iter().flat_map(|view| &view.spec.feeds) {
        let Feed::OfListeners(source) = *feed else { continue };
        if all.iter().all(|counter| counter.source != source) {
            let known = old.iter().position(|counter| counter.source == source);
            let fresh = || ListenerCounter { source, known: false, lasts: HashMap::new() };
            all.push(known.map_or_else(fresh, |known| old.swap_remove(known)));
        }
    }
    all
}

impl Ledger {
    /// Credits what the counters of a listener have gained to its rows, one for each view.
    ///
    /// All that it has is gained in every view that is older than the listener; in the others it counts on from there.
    pub(in crate::collection) fn follow_listener(
        &mut self,
        identity: u64,
        netns: u32,
        rows: &[Option<RowId>],
        read: impl Fn(Source) -> Option<u64>,
    ) {
        let Self { of_listeners, views, baseline, dumps, stats, most, .. } = self;
        let age = baseline.age(identity, netns);
        for ListenerCounter { source, known, lasts } in of_listeners {
            let Some(value) = read(*source) else { continue };
            *known = true;
            let now = LastValue { value, netns, dump: dumps.number, at: baseline.generation };
            if lasts.len() >= *most && !lasts.contains_key(&identity) {
                stats.untracked += 1;
                continue;
            }
            let before = lasts.insert(identity, now);
            let gained = before.map_or(Some(value), |last| gain(last.value, value, source.bits()));
            stats.backwards += u64::from(gained.is_none());
            for (view, row) in views.iter_mut().zip(rows) {
                let joined = before.map_or_else(|| age.is_older(view.since), |last| last.at < view.since);
                if let (Some(row), Some(gained), false) = (*row, gained, joined) {
                    view.count(row, Feed::OfListeners(*source), gained);
                }
            }
        }
        baseline.forget(identity, netns);
    }

    /// Forgets the listeners that the last complete dumps have missed, unless they are of a `spared` namespace.
    pub(super) fn forget_listeners(&mut self, spared: &[u32]) {
        let [.., oldest] = self.dumps.complete;
        for ListenerCounter { lasts, .. } in &mut self.of_listeners {
            lasts.retain(|_, last| last.dump >= oldest || spared.contains(&last.netns));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::baseline::DUMPS;
    use super::super::tests::{WIDE, aggregated};
    use super::*;
    use crate::aggregate::{Cells, CumulativeTable, TableColumn};
    use crate::exposition::Sample;
    use crate::metrics::METRICS;

    fn refused() -> Source {
        METRICS.iter().find(|metric| metric.name == "refused_handshakes_total").expect("a metric").source
    }

    fn view(number: usize, feed: Feed) -> (crate::plan::AggregatedView, CumulativeTable) {
        let columns = vec![TableColumn::Cumulative(Cells::sum())];
        (aggregated(number, &[feed]), CumulativeTable::new(columns, b"other", 10, 3600))
    }

    fn ledger() -> Ledger {
        Ledger::new(vec![view(0, Feed::OfListeners(refused()))], &[], 100)
    }

    fn reload(ledger: &mut Ledger, views: &[(usize, Feed)]) {
        let views = views.iter().map(|(number, feed)| view(*number, *feed)).collect();
        ledger.reload(views, &[WIDE], 100, |old, new| old.view == new.view);
    }

    /// A complete dump of these listeners, each with its value.
    fn dump(ledger: &mut Ledger, listeners: &[(u64, u64)]) {
        ledger.begin();
        for (identity, value) in listeners {
            let rows: Vec<_> = ledger.views.iter_mut().map(|view| Some(view.table.row(b"a"))).collect();
            ledger.follow_listener(*identity, 0, &rows, |_| Some(*value));
        }
        let now = ledger.dump();
        ledger.dumped(&[0], true);
        ledger.end(true, true, &[], now);
    }

    fn sum(ledger: &Ledger, view: usize) -> Option<u64> {
        ledger.views[view].table.freeze(None, |_| true).column(0)?.sample(1).and_then(Sample::integer)
    }

    #[test]
    fn a_listener_from_before_the_start_brings_nothing_along_and_a_new_one_counts_whole() {
        let mut ledger = ledger();
        ledger.baseline.take(vec![(0, [1].into())]);
        assert!(!ledger.knows(Feed::OfListeners(refused())));
        dump(&mut ledger, &[(1, 500), (2, 7)]);
        assert!(ledger.knows(Feed::OfListeners(refused())));
        assert_eq!(sum(&ledger, 0), Some(7));
        dump(&mut ledger, &[(1, 503), (2, 7), (3, 20)]);
        assert_eq!(sum(&ledger, 0), Some(30));
    }

    #[test]
    fn a_listener_that_a_dump_misses_is_not_new_in_the_next_and_one_that_is_gone_is_forgotten() {
        let mut ledger = ledger();
        (0..DUMPS).for_each(|_| dump(&mut ledger, &[(1, 5)]));
        dump(&mut ledger, &[]);
        dump(&mut ledger, &[(1, 8)]);
        assert_eq!(sum(&ledger, 0), Some(3));
        (0..4).for_each(|_| dump(&mut ledger, &[]));
        assert!(ledger.of_listeners.iter().all(|counter| counter.lasts.is_empty()));
        assert_eq!(sum(&ledger, 0), Some(3), "what has closed stays counted");
    }

    #[test]
    fn the_counter_goes_on_where_32_bits_wrap() {
        let mut ledger = ledger();
        (0..DUMPS).for_each(|_| dump(&mut ledger, &[(1, u32::MAX.into())]));
        dump(&mut ledger, &[(1, 4)]);
        assert_eq!(sum(&ledger, 0), Some(5));
        dump(&mut ledger, &[(1, 3)]);
        assert_eq!((sum(&ledger, 0), ledger.stats.backwards), (Some(5), 1));
    }

    #[test]
    fn a_view_that_joins_counts_from_its_first_dump_on_and_the_others_go_on() {
        let mut ledger = ledger();
        (0..DUMPS).for_each(|_| dump(&mut ledger, &[(1, 5)]));
        let feed = Feed::OfListeners(refused());
        reload(&mut ledger, &[(0, feed), (1, feed)]);
        dump(&mut ledger, &[(1, 9)]);
        dump(&mut ledger, &[(1, 10)]);
        assert_eq!((sum(&ledger, 0), sum(&ledger, 1)), (Some(5), Some(1)));
        reload(&mut ledger, &[(0, Feed::Opened)]);
        assert!(ledger.of_listeners.is_empty());
    }

    #[test]
    fn listeners_without_room_are_counted_as_untracked() {
        let mut ledger = Ledger::new(vec![view(0, Feed::OfListeners(refused()))], &[], 1);
        dump(&mut ledger, &[(1, 5), (2, 5)]);
        assert_eq!((ledger.of_listeners[0].lasts.len(), ledger.stats.untracked), (1, 1));
    }
}
