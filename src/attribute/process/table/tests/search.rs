//! The rules of the search: where holders are found, and what is remembered of those that are not.

use super::*;

#[test]
fn a_replaced_descriptor_is_found_by_resolve_without_a_scan() {
    let mut bench = Bench::with_descriptors_below(500);
    bench.begin_after(0);
    for inode in (101..=102).chain(1_005..1_500) {
        bench.of(inode);
    }
    bench.fake.hold(10, 77, 5_000);
    bench.begin_after(1);
    for inode in (101..=102).chain(1_005..1_500).filter(|inode| *inode != 1_077) {
        assert_eq!(bench.of(inode), "10", "{inode}");
    }
    let before = bench.table.cost().descriptors;
    assert_eq!(bench.resolved(5_000), "10");
    assert_eq!(bench.table.cost().descriptors - before, 1);
    bench.begin_after(1);
    assert_eq!(bench.of(1_077), "unknown");
}

#[test]
fn new_descriptors_are_searched_where_the_kernel_puts_them() {
    let mut bench = Bench::with_descriptors_below(500);
    for number in [5, 6, 20] {
        bench.fake.close(10, number);
    }
    bench.begin_after(0);
    bench.of(101);
    for (number, inode) in [(5, 5_000), (6, 5_001), (20, 5_002), (500, 5_003), (501, 5_004)] {
        bench.fake.hold(10, number, inode);
    }
    bench.begin_after(1);
    bench.of(101);
    let before = bench.table.cost().descriptors;
    for inode in 5_000..=5_004 {
        bench.of(inode);
    }
    bench.resolve();
    for inode in 5_000..=5_004 {
        assert_eq!(bench.of(inode), "10", "{inode}");
    }
    let looked_at = bench.table.cost().descriptors - before;
    assert!(looked_at <= 5 + 8, "{looked_at}");
}

#[test]
fn a_socket_in_place_of_a_file_is_found_without_a_scan() {
    let mut bench = Bench::with_descriptors_below(500);
    bench.begin_after(0);
    bench.of(101);
    bench.fake.hold(10, 1, 5_000);
    bench.begin_after(1);
    bench.of(101);
    let before = bench.table.cost().descriptors;
    assert_eq!(bench.resolved(5_000), "10");
    let looked_at = bench.table.cost().descriptors - before;
    assert!(looked_at <= 3 + 8, "{looked_at}");
}

#[test]
fn a_new_process_is_found_by_resolve_and_by_a_later_collection() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    bench.fake.start(12, "new", 9);
    bench.fake.hold(12, 3, 200);
    bench.begin_after(1);
    assert_eq!(bench.resolved(200), "12");
    bench.fake.start(13, "newer", 9);
    bench.fake.hold(13, 3, 201);
    bench.begin_after(12);
    assert_eq!(bench.of(201), "13");
}

#[test]
fn a_scan_that_fails_for_a_reason_of_our_own_finds_no_socket_without_process() {
    let mut bench = Bench::new();
    bench.fake.start(11, "secret", 2);
    // A link to itself cannot be followed, as if there were too many open files.
    remove_dir(bench.fake.of(11).join("fd")).unwrap();
    std::os::unix::fs::symlink("fd", bench.fake.of(11).join("fd")).unwrap();
    bench.begin_after(0);
    assert!(bench.table.incomplete);
    assert_eq!(bench.of(101), "10");
    // What was not read cannot be known to hold nothing.
    assert_eq!(bench.resolved(200), "unknown");
    assert_eq!(bench.table.cost().unknown, 1);
}

#[test]
fn a_socket_that_is_missing_once_costs_no_full_scan() {
    let mut bench = Bench::new();
    bench.fake.start(20, "large", 2);
    for number in 0..9_000 {
        bench.fake.hold(20, number, 1_000 + number);
    }
    bench.begin_after(0);
    bench.begin_after(1);
    assert_eq!(bench.of(101), "10");
    let before = bench.table.cost().descriptors;
    assert_eq!(bench.resolved(99_999), "unknown");
    let looked = bench.table.cost().descriptors - before;
    assert!(looked < 100, "{looked}");
    assert!(!bench.table.incomplete, "there was time enough");
}

#[test]
fn a_socket_that_is_missing_once_does_not_have_all_files_read_again() {
    let mut bench = Bench::new();
    bench.fake.start(20, "database", 2);
    for number in 0..10_000 {
        bench.fake.link(20, number, "/dev/null");
    }
    bench.fake.hold(20, 10_000, 1_000);
    bench.begin_after(0);
    assert_eq!(bench.of(1_000), "20");
    bench.begin_after(1);
    assert_eq!(bench.of(1_000), "20");
    let before = bench.table.cost().descriptors;
    assert_eq!(bench.resolved(99_999), "unknown");
    let looked = bench.table.cost().descriptors - before;
    assert!((8_192..8_300).contains(&looked), "{looked}");
    assert!(!bench.table.incomplete, "there was time enough");
}

/// Starts a process with 9,000 sockets, whose inodes are the numbers and 10,000 times its id.
fn start_large(bench: &Bench, pid: u32) {
    bench.fake.start(pid, "large", 2);
    (0..9_000).for_each(|number| bench.fake.hold(pid, number, pid * 10_000 + number));
}

/// Two processes with so many descriptors that a search has the time to list them, and to read a quarter of them.
fn bench_without_time() -> Bench {
    let mut bench = Bench::new();
    start_large(&bench, 20);
    start_large(&bench, 21);
    bench.begin_after(0);
    bench.table.kernel.asked_at_most = 22_500;
    bench
}

#[test]
fn a_socket_that_no_process_holds_is_given_up_when_searches_have_read_all_together() {
    let mut bench = bench_without_time();
    let mut searches = 0;
    while bench.of(999) == "unknown" {
        // Others are missing for a while and then gone, at all times.
        (0..2).for_each(|ago| _ = bench.of(500_000 + searches - ago));
        bench.resolve();
        bench.begin_after(1);
        searches += 1;
        assert!(searches < 12, "it is searched for ever");
    }
    assert_eq!(bench.of(999), "no process");
    assert!(searches > 4, "{searches} searches had the time for all");
}

#[test]
fn a_new_process_is_read_before_one_whose_list_takes_longer_than_there_is_time() {
    let mut bench = Bench::new();
    start_large(&bench, 20);
    bench.table.kernel.asked_at_most = 3_000;
    bench.begin_after(0);
    assert!((1..9_000).contains(&bench.table.sockets.len()));
    bench.fake.start(30, "new", 9);
    bench.fake.hold(30, 3, 300);
    bench.begin_after(12);
    assert_eq!(bench.of(300), "30");
}

#[test]
fn a_socket_in_place_of_another_is_found_in_a_list_that_was_read_in_parts() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    start_large(&bench, 20);
    bench.table.kernel.asked_at_most = 3_000;
    bench.begin_after(12);
    bench.table.kernel.asked_at_most = 0;
    assert_eq!(bench.resolved(999), "unknown");
    bench.table.kernel.asked_at_most = u32::MAX;
    bench.begin_after(1);
    // Not by its number, because none of its sockets is asked for.
    let is_read = |number: &u32| !bench.table.sockets.holders(200_000 + number).is_empty();
    let number = (0..9_000).find(is_read).expect("a third was read");
    bench.fake.hold(20, number, 300);
    // The search for the other one, which is missing again, reads the rest of the list.
    let _ = (bench.of(999), bench.resolved(300));
    bench.begin_after(1);
    assert_eq!((bench.resolved(300), bench.of(999)), ("20".to_owned(), "no process".to_owned()));
}

#[test]
fn a_socket_that_is_held_is_found_and_not_given_up_where_a_search_reads_only_a_part() {
    for pid in [20, 21] {
        let mut bench = bench_without_time();
        // In place of a socket that is not asked for: only a look at all numbers shows it.
        bench.fake.hold(pid, 8_000, 999);
        let mut searches = 0;
        while bench.of(999) == "unknown" {
            bench.resolve();
            bench.begin_after(1);
            searches += 1;
        }
        assert_eq!(bench.of(999), pid.to_string(), "{searches} searches");
        assert!(searches > 1);
    }
}

#[test]
fn no_process_is_remembered_for_as_long_as_it_is_asked_for() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.resolved_again(999), "no process");
    for _ in 0..3 {
        bench.begin_after(1);
        assert_eq!(bench.of(999), "no process");
        let before = bench.table.cost();
        bench.resolve();
        assert_eq!(bench.table.cost(), before);
    }
    bench.begin_after(1);
    bench.begin_after(1);
    assert_eq!(bench.of(999), "unknown");
}

#[test]
fn a_socket_without_process_that_a_process_received_is_found_in_turn() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.resolved_again(999), "no process");
    bench.fake.hold(10, 4, 999);
    for _ in 0..4 {
        bench.begin_after(10);
        bench.of(999);
    }
    assert_eq!(bench.of(999), "10");
}
