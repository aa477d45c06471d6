//! Sockets that dumps miss, or show twice.

use super::super::presumed_closed::MOST_PRESUMED_CLOSED;
use super::*;

#[test]
fn one_that_three_complete_dumps_miss_is_gone_and_one_that_two_miss_is_not() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [10, 0]), (2, [10, 0])]);
    dump(&mut ledger, &[(1, [10, 0])]);
    dump(&mut ledger, &[(1, [10, 0])]);
    ledger.begin();
    ledger.end(false, true, &[], 0);
    assert_eq!((ledger.stats.unseen, ledger.tracked().0), (0, 2));
    dump(&mut ledger, &[(2, [13, 0])]);
    assert_eq!((ledger.stats.unseen, sum(&ledger, 0)), (0, 3));
    dump(&mut ledger, &[(2, [13, 0])]);
    dump(&mut ledger, &[(2, [13, 0])]);
    assert_eq!((ledger.stats.unseen, ledger.tracked().0, sum(&ledger, 3)), (1, 1, 1));
}

#[test]
fn one_presumed_closed_that_ends_at_last_counts_once() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[]);
    dump(&mut ledger, &[(1, [10, 0])]);
    (0..MISSES).for_each(|_| dump(&mut ledger, &[]));
    assert_eq!((ledger.stats.unseen, ledger.tracked().0, sum(&ledger, 3)), (1, 0, 1));
    end(&mut ledger, 1, b"a", Some(&[15, 0]));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2), sum(&ledger, 3)), (15, 1, 1));
    assert_eq!((ledger.records.len(), ledger.presumed_closed.records), (0, 0));
}

#[test]
fn sockets_presumed_closed_that_never_end_are_forgotten_in_time() {
    let mut ledger = ledger(9, 0, 1 << 20);
    baseline(&mut ledger, &[]);
    let many: Vec<_> = (1..MOST_PRESUMED_CLOSED as u64 + 11).map(|cookie| (cookie, [1, 0])).collect();
    dump(&mut ledger, &many);
    (0..MISSES).for_each(|_| dump(&mut ledger, &[]));
    assert_eq!(
        (ledger.records.len(), ledger.presumed_closed.records),
        (MOST_PRESUMED_CLOSED, MOST_PRESUMED_CLOSED)
    );
    assert_eq!(sum(&ledger, 3), many.len() as u64, "each has counted as closed");
}

#[test]
fn a_ledger_of_few_records_hides_no_socket_that_it_has_no_room_for() {
    let mut ledger = ledger(9, 0, 1);
    baseline(&mut ledger, &[]);
    ledger.begin();
    (1..5).for_each(|cookie| end(&mut ledger, cookie, b"a", Some(&[1, 0])));
    assert_eq!((ledger.look_up(1), ledger.look_up(9)), (DumpLookup::Tombstoned, DumpLookup::New));
}

#[test]
fn one_whose_end_may_be_on_its_way_is_not_gone() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [10, 0])]);
    for now in 10..20 {
        ledger.begin();
        ledger.end(true, false, &[], now);
    }
    assert_eq!((ledger.stats.unseen, ledger.tracked().0), (0, 1), "its end waits in the queue");
    end(&mut ledger, 1, b"a", Some(&[15, 0]));
    assert_eq!((sum(&ledger, 0), sum(&ledger, 2), sum(&ledger, 3)), (5, 0, 1), "and counts once");
}

#[test]
fn dumps_in_quick_succession_are_one_that_misses() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [10, 0])]);
    for _ in 0..20 {
        ledger.begin();
        ledger.end(true, true, &[], 7);
    }
    assert_eq!(ledger.tracked().0, 1);
}

#[test]
fn what_a_dump_repeats_is_said_to_be_repeated() {
    let mut ledger = ledger(9, 0, 9);
    baseline(&mut ledger, &[(1, [10, 0])]);
    ledger.begin();
    assert!(matches!(ledger.look_up(1), DumpLookup::Known(_)));
    assert_eq!(ledger.look_up(1), DumpLookup::Repeated);
    ledger.end(true, true, &[], 9);
    ledger.begin();
    assert!(matches!(ledger.look_up(1), DumpLookup::Known(_)), "of the next dump it is not");
}
