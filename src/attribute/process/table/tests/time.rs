//! The rules of time: what is believed for how long, read how often, and forgotten when.

use super::*;

#[test]
fn a_socket_that_changed_hands_is_never_of_the_old_holder_after_a_minute() {
    let mut bench = Bench::new();
    bench.fake.start(11, "worker", 5);
    bench.begin_after(0);
    assert_eq!(bench.of(101), "10");
    bench.fake.close(10, 3);
    bench.fake.hold(11, 3, 101);
    for _ in 0..6 {
        bench.begin_after(9);
    }
    assert_eq!(bench.resolved(101), "11");
}

#[test]
fn a_process_holds_a_socket_until_its_last_descriptor_of_it_is_closed() {
    let mut bench = Bench::new();
    bench.fake.hold(10, 9, 101);
    bench.begin_after(0);
    bench.fake.close(10, 3);
    bench.begin_after(40);
    assert_eq!(bench.of(101), "10");
    bench.fake.close(10, 9);
    bench.begin_after(40);
    assert_eq!(bench.of(101), "unknown");
}

#[test]
fn without_time_everything_stays_unknown_and_is_found_by_the_next_collection() {
    let mut bench = Bench::new();
    bench.table.begin(bench.now, Instant::now()).unwrap();
    assert!(bench.table.incomplete);
    assert_eq!(bench.of(101), "unknown");
    bench.table.resolve(bench.now, Instant::now());
    assert!(bench.table.incomplete);
    assert_eq!((bench.of(101), bench.table.cost().unknown), ("unknown".to_owned(), 1));
    bench.begin_after(1);
    assert!(!bench.table.incomplete);
    assert_eq!(bench.of(101), "10");
}

#[test]
fn without_time_nothing_is_believed_for_longer_than_a_minute() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    for (after, expected) in [(25, "10"), (25, "10"), (5, "unknown")] {
        bench.now += Duration::from_secs(after);
        bench.table.begin(bench.now, Instant::now()).unwrap();
        assert_eq!(bench.of(101), expected);
    }
    bench.table.resolve(bench.now, soon());
    assert_eq!(bench.of(101), "10");
}

#[test]
fn every_descriptor_is_read_again_in_its_turn_and_no_more_often() {
    let mut bench = Bench::with_descriptors_below(100);
    bench.begin_after(0);
    let looked_at = (0..4).map(|_| {
        bench.begin_after(10);
        bench.table.cost().descriptors
    });
    assert_eq!(looked_at.collect::<Vec<_>>(), [25, 25, 25, 25]);
    bench.begin_after(41);
    assert_eq!(bench.table.cost().descriptors, 100);
}

/// How many descriptors are read after so many seconds.
fn read_after(bench: &mut Bench, seconds: u64) -> u64 {
    bench.begin_after(seconds);
    bench.table.cost().descriptors
}

#[test]
fn descriptors_are_counted_in_their_turn_and_read_if_their_number_has_changed_or_after_minutes() {
    let mut bench = Bench::with_descriptors_below(100).counting();
    assert_eq!(read_after(&mut bench, 0), 100);
    // Not all of them at once, although all were read at the same time.
    for round in 0..3 {
        let read = [(); 6].map(|()| read_after(&mut bench, 40));
        assert!(read.iter().all(|read| (15..=18).contains(read)), "{read:?}");
        assert_eq!(read.iter().sum::<u64>(), 100, "each once in 240 seconds, round {round}");
    }
    bench.fake.close(10, 20);
    let read = [20, 20].map(|seconds| read_after(&mut bench, seconds));
    assert!((45..=55).contains(&read[0]) && read[1] < 20, "one is known to be closed: {read:?}");
}

#[test]
fn a_socket_whose_place_another_one_took_is_never_of_the_old_holder_after_five_minutes() {
    let mut bench = Bench::new().counting();
    bench.fake.start(11, "worker", 5);
    bench.fake.hold(11, 3, 103);
    bench.begin_after(0);
    bench.fake.hold(10, 3, 104);
    bench.fake.hold(11, 3, 101);
    bench.begin_after(30);
    assert_eq!(bench.of(101), "10", "both processes have as many descriptors as before");
    for _ in 0..6 {
        bench.begin_after(40);
    }
    assert_eq!(bench.resolved(101), "11");
}

#[test]
fn what_an_interrupted_turn_missed_comes_first() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    bench.now += Duration::from_secs(9);
    bench.table.begin(bench.now, Instant::now()).unwrap();
    assert_eq!(bench.table.cost().descriptors, 0);
    bench.begin_after(31);
    assert_eq!(bench.table.cost().descriptors, 5);
}

#[test]
fn owners_live_while_their_sockets_do_or_somebody_keeps_them() {
    let mut bench = Bench::new();
    bench.fake.start(11, "other", 1);
    bench.begin_after(0);
    let OwnerLookup::Known(old) = bench.table.of(101) else { panic!("unknown") };
    bench.fake.exit(10);
    for _ in 0..5 {
        bench.begin_after(1);
        bench.table.keep(old);
    }
    assert_eq!(bench.table.owner(old).pids(), "10");
    for _ in 0..5 {
        bench.begin_after(1);
    }
    assert_eq!(bench.table.owner(old).as_ref(), &Owner::default());
    assert_eq!(bench.table.owners.len(), 0);
}

#[test]
fn a_process_table_that_cannot_be_read_is_an_error_and_what_is_known_still_grows_old() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    bench.table.proc = PathBuf::from("/nonexistent");
    bench.now += Duration::from_secs(5);
    let error = bench.table.begin(bench.now, soon()).expect_err("it is gone");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(bench.of(101), "10");
    bench.now += Duration::from_secs(50);
    let error = bench.table.begin(bench.now, soon()).expect_err("it is gone");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(bench.resolved(101), "unknown");
}
