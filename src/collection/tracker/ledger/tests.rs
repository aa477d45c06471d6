//! The ledger against a kernel that does everything a kernel may do to a dump.

use std::collections::BTreeMap;

use super::baseline::DUMPS;
use super::*;
use crate::aggregate::{Bounds, Cells, MISSES, TableColumn};
use crate::exposition::Sample;
use crate::metrics::raw;
use crate::properties::Stability;
use sockdiag::{StateSet, tcp_info};

/// A counter of 64 bits, and two of 32.
pub(super) const WIDE: Source = raw(&tcp_info::BYTES_RECEIVED);
pub(super) const NARROW: Source = raw(&tcp_info::SEGS_IN);
pub(super) const OTHER: Source = raw(&tcp_info::DATA_SEGS_IN);

const FEEDS: [Feed; 5] =
    [Feed::Counter(WIDE), Feed::Counter(NARROW), Feed::Opened, Feed::Closed, Feed::Distribution(WIDE)];

/// An aggregated view without labels.
pub(super) fn aggregated(view: usize, feeds: &[Feed]) -> AggregatedView {
    AggregatedView {
        view,
        by: Vec::new(),
        states: StateSet::NONE,
        accumulates: true,
        stability: Stability::Fixed,
        by_state: false,
        by_owner: false,
        of_connections: false,
        feeds: feeds.to_vec(),
        gauges: Vec::new(),
        announced: false,
        known_keys: Vec::new(),
    }
}

fn ledger(limit: usize, idle: u32, most: usize) -> Ledger {
    let columns = FEEDS.map(|feed| match feed {
        Feed::Distribution(_) => Cells::distribution(Bounds::new(vec![10.0, 100.0], 1.0)),
        _ => Cells::sum(),
    });
    let table = CumulativeTable::new(columns.map(TableColumn::Cumulative).to_vec(), b"other", limit, idle);
    Ledger::new(vec![(aggregated(0, &FEEDS), table)], &[WIDE, NARROW], most)
}

/// The rows of a socket with that key.
fn rows(ledger: &mut Ledger, key: &[u8]) -> [Option<RowId>; 1] {
    [Some(ledger.views[0].table.row(key))]
}

/// A column's values by key, and their sum.
fn column(ledger: &Ledger, column: usize) -> BTreeMap<String, u64> {
    let frozen = ledger.views[0].table.freeze(None, |_| true);
    let rows = (0..frozen.rows()).filter_map(|index| frozen.shown(index));
    rows.map(|(row, key)| {
        let cells = frozen.column(column).expect("a column");
        let value = match cells.sample(row).expect("a value") {
            Sample::Integer(value) => value,
            Sample::Histogram { counts, .. } => counts.iter().sum(),
            Sample::Float(_) => panic!("a value that was divided"),
        };
        (String::from_utf8(key.to_vec()).expect("text"), value)
    })
    .collect()
}

fn sum(ledger: &Ledger, number: usize) -> u64 {
    column(ledger, number).values().sum()
}

impl Ledger {
    /// Follows a socket whose counters have these values, in their order.
    pub(super) fn follow_values(&mut self, slot: Slot, values: &[u64]) {
        let sources: Vec<_> = self.sources().collect();
        let value = |wanted: &Source| {
            let mut known = sources.iter().zip(values);
            known.find(|(source, _)| *source == wanted).map(|(_, value)| *value)
        };
        self.follow(slot, |source| value(source).filter(|value| *value != ABSENT));
    }
}

/// Two complete dumps of these sockets, each with its values.
fn baseline(ledger: &mut Ledger, sockets: &[(u64, [u64; 2])]) {
    for _ in 0..DUMPS {
        dump(ledger, sockets);
    }
}

fn dump(ledger: &mut Ledger, sockets: &[(u64, [u64; 2])]) {
    ledger.begin();
    for (cookie, values) in sockets {
        show(ledger, *cookie, b"a", values);
    }
    let now = ledger.dump();
    ledger.dumped(&[0], true);
    ledger.end(true, true, &[], now);
}

fn show(ledger: &mut Ledger, cookie: u64, key: &[u8], values: &[u64]) {
    match ledger.look_up(cookie) {
        DumpLookup::Known(slot) => ledger.follow_values(slot, values),
        DumpLookup::New => {
            let rows = rows(ledger, key);
            ledger.open(Entrant { identity: cookie, ..Entrant::default() }, &rows, values);
        }
        DumpLookup::Repeated | DumpLookup::Tombstoned => {}
    }
}

fn end(ledger: &mut Ledger, cookie: u64, key: &[u8], values: Option<&[u64]>) {
    ledger.tombstone(cookie);
    match (ledger.find(cookie), values) {
        (Some(slot), values) => {
            if let Some(values) = values {
                ledger.follow_values(slot, values);
            }
            ledger.close(slot, 0);
        }
        (None, Some(values)) => {
            let rows = rows(ledger, key);
            ledger.count_unseen(cookie, 0, &rows, values, 0);
        }
        (None, None) => {}
    }
}

#[test]
fn what_lived_before_the_ledger_brings_nothing_along() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [500, 5])]);
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2)), (0, 0));
    dump(&mut ledger, &[(1, [507, 5]), (2, [90, 9])]);
    assert_eq!((sum(&ledger, 0), sum(&ledger, 1), sum(&ledger, 2)), (97, 9, 1));
    end(&mut ledger, 1, b"a", Some(&[510, 6]));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 1), sum(&ledger, 3)), (100, 10, 1));
}

#[test]
fn an_end_before_the_baseline_counts_whole_if_an_inventory_leaves_the_socket_out_and_else_as_closed() {
    let mut ledger = ledger(9, 0, 9);
    end(&mut ledger, 6, b"a", Some(&[1000, 1]));
    ledger.baseline.take(vec![(0, [1, 2, 3].into())]);
    end(&mut ledger, 1, b"a", Some(&[1000, 1]));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2), sum(&ledger, 3)), (0, 0, 2));
    end(&mut ledger, 7, b"a", Some(&[500, 1]));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2), sum(&ledger, 3)), (500, 1, 3));
    dump(&mut ledger, &[(2, [40, 0]), (8, [20, 0])]);
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2)), (520, 2), "one is listed, the other is not");
    end(&mut ledger, 2, b"a", Some(&[41, 0]));
    end(&mut ledger, 3, b"a", Some(&[1000, 0]));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2), sum(&ledger, 3)), (521, 2, 5));
    assert_eq!(ledger.stats.before_baseline, 3);
    dump(&mut ledger, &[(8, [20, 0])]);
    end(&mut ledger, 9, b"a", Some(&[7, 0]));
    assert_eq!((sum(&ledger, 0), ledger.stats.before_baseline), (528, 3));
}

#[test]
fn a_part_of_a_dump_that_comes_after_the_end_of_its_socket_revives_nothing() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[]);
    ledger.begin();
    show(&mut ledger, 1, b"a", &[10, 0]);
    end(&mut ledger, 1, b"a", Some(&[30, 0]));
    end(&mut ledger, 2, b"a", Some(&[5, 0]));
    show(&mut ledger, 1, b"a", &[20, 0]);
    show(&mut ledger, 2, b"a", &[4, 0]);
    ledger.end(true, true, &[], 0);
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2), sum(&ledger, 3)), (35, 2, 2));
    assert_eq!(ledger.tracked().0, 0);
}

#[test]
fn a_freed_record_is_not_found_though_its_place_is_probed() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [1, 1]), (2, [1, 1])]);
    end(&mut ledger, 2, b"a", Some(&[1, 1]));
    ledger.begin();
    assert!(matches!(ledger.look_up(1), DumpLookup::Known(_)));
    assert_eq!(ledger.look_up(2), DumpLookup::New);
    ledger.tombstone(2);
    assert_eq!(ledger.look_up(2), DumpLookup::Tombstoned);
}

#[test]
fn an_order_that_changes_hides_no_socket() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [0, 0]), (2, [0, 0]), (3, [0, 0])]);
    for order in [[3, 2, 1], [2, 1, 3], [1, 3, 2]] {
        ledger.begin();
        assert!(
            order.iter().all(|cookie| matches!(ledger.look_up(*cookie), DumpLookup::Known(_))),
            "{order:?}"
        );
        assert!(order.iter().all(|cookie| ledger.look_up(*cookie) == DumpLookup::Repeated), "{order:?}");
    }
}

#[test]
fn a_counter_that_goes_back_gains_nothing() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [100, 0])]);
    dump(&mut ledger, &[(1, [90, 0])]);
    dump(&mut ledger, &[(1, [110, 0])]);
    assert_eq!((sum(&ledger, 0), ledger.stats.backwards), (10, 1));
}

#[test]
fn gains_go_to_the_row_that_a_socket_had_when_the_interval_began() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[]);
    ledger.begin();
    let slot =
        ledger.open(Entrant { identity: 1, ..Entrant::default() }, &[None], &[10, 0]).expect("a record");
    ledger.end(true, true, &[], 0);
    let move_to = |ledger: &mut Ledger, key: &[u8]| {
        let (mut record, views) = ledger.record_mut(slot);
        let row = views[0].table.row(key);
        record.move_to(&mut views[0], Some(row), 0);
    };
    ledger.follow_values(slot, &[15, 0]);
    move_to(&mut ledger, b"a");
    assert_eq!(sum(&ledger, 0), 0, "who enters late brings nothing along");
    ledger.follow_values(slot, &[17, 0]);
    move_to(&mut ledger, b"b");
    ledger.follow_values(slot, &[20, 0]);
    assert_eq!(column(&ledger, 0), [("a".to_owned(), 2), ("b".to_owned(), 3)].into());
}

#[test]
fn a_socket_is_observed_once_a_period_and_only_if_it_received_something() {
    let mut ledger = ledger(9, 0, 9);
    ledger.begin();
    let rows = rows(&mut ledger, b"a");
    let slot = ledger.open(Entrant { identity: 1, ..Entrant::default() }, &rows, &[0, 0]).expect("a record");
    assert!(ledger.record(slot).is_due(0, Some(4)) && !ledger.was_observed(slot));
    ledger.observe(slot, 0, Some(4), |_| None);
    assert!(!ledger.was_observed(slot), "it has no value yet");
    ledger.observe(slot, 0, Some(4), |_| Some(50));
    for (period, received, due) in [(0, 5, false), (1, 4, false), (1, 5, true), (7, 4, false)] {
        assert_eq!(ledger.record(slot).is_due(period, Some(received)), due, "{period} {received}");
    }
    assert!(ledger.record(slot).is_due(1, None) && ledger.was_observed(slot));
    assert_eq!(sum(&ledger, 4), 1);
}

#[test]
fn sockets_beyond_the_most_are_counted_and_still_count_at_their_end() {
    let mut ledger = ledger(9, 0, 1);
    baseline(&mut ledger, &[]);
    dump(&mut ledger, &[(1, [1, 0]), (2, [2, 0]), (3, [3, 0])]);
    assert_eq!((ledger.tracked(), ledger.stats.untracked, sum(&ledger, 0)), ((1, 1), 2, 1));
    end(&mut ledger, 2, b"a", Some(&[20, 0]));
    assert_eq!(sum(&ledger, 0), 21);
}

#[test]
fn an_idle_row_makes_room_after_its_time_and_its_key_begins_again_at_zero() {
    let mut ledger = ledger(1, 60, 9);
    baseline(&mut ledger, &[]);
    end(&mut ledger, 1, b"a", Some(&[5, 0]));
    end(&mut ledger, 2, b"b", Some(&[6, 0]));
    assert_eq!(column(&ledger, 0), [("a".to_owned(), 5), ("other".to_owned(), 6)].into());
    ledger.begin();
    ledger.end(true, true, &[], 59);
    assert_eq!(sum(&ledger, 0), 11);
    ledger.begin();
    ledger.end(true, true, &[], 60);
    end(&mut ledger, 3, b"b", Some(&[7, 0]));
    assert_eq!(column(&ledger, 0), [("b".to_owned(), 7), ("other".to_owned(), 6)].into());
}

#[test]
fn an_announced_row_is_zero_and_stays_as_long_as_it_is_announced() {
    let mut ledger = ledger(1, 0, 9);
    ledger.begin();
    let dump = ledger.dump();
    ledger.views[0].table.announce(b"a", dump, 0);
    ledger.views[0].table.announce(b"b", dump, 0);
    ledger.end(true, true, &[], 0);
    assert_eq!(column(&ledger, 0), [("a".to_owned(), 0)].into(), "there is no room for b");
    ledger.begin();
    ledger.end(true, true, &[], 1);
    assert!(column(&ledger, 0).is_empty());
}

#[test]
fn a_counter_that_the_kernel_does_not_report_has_no_value() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[]);
    dump(&mut ledger, &[(1, [7, ABSENT])]);
    dump(&mut ledger, &[(1, [9, ABSENT])]);
    assert!(ledger.knows(Feed::Counter(WIDE)) && !ledger.knows(Feed::Counter(NARROW)));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 1)), (9, 0));
}

#[test]
fn a_hundred_thousand_sockets_take_no_more_memory_than_promised() {
    let fields = [
        &tcp_info::BYTES_RECEIVED,
        &tcp_info::SEGS_IN,
        &tcp_info::SEGS_OUT,
        &tcp_info::BYTES_ACKED,
        &tcp_info::DATA_SEGS_IN,
        &tcp_info::DATA_SEGS_OUT,
    ];
    let counters = fields.map(raw);
    let columns = counters.map(|_| TableColumn::Cumulative(Cells::sum())).to_vec();
    let table = CumulativeTable::new(columns, b"other", 10, 0);
    let mut ledger =
        Ledger::new(vec![(aggregated(0, &counters.map(Feed::Counter)), table)], &counters, 1 << 20);
    ledger.begin();
    let rows = rows(&mut ledger, b"a");
    for identity in 0..100_000 {
        ledger.open(Entrant { identity, ..Entrant::default() }, &rows, &[0; 6]);
    }
    let bytes = 4 * ledger.layout.width() + ledger.index.bytes() / ledger.records.len();
    assert!(bytes <= 68, "{bytes}");
    assert_eq!(ledger.records.width(), HEAD + 6 + 1, "4 bytes for each further counter and row");
}

mod misses;
mod model;
