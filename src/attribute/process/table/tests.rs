//! The rules of the table, one by one, over a process table made of folders.

use std::fs::{Permissions, create_dir, remove_dir, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;

use super::super::fake::Fake;
use super::*;

mod model;

/// A table, the process table that it reads, and a clock that is moved by hand.
struct Bench {
    fake: Fake,
    table: Processes,
    now: Instant,
}

impl Bench {
    /// Process 10, called `web`, with the sockets 101 and 102 as descriptors 3 and 4.
    fn new() -> Self {
        let fake = Fake::new();
        fake.start(10, "web", 1);
        fake.link(10, 0, "/dev/null");
        fake.link(10, 1, "pipe:[7]");
        fake.link(10, 2, "socket:[x]");
        fake.hold(10, 3, 101);
        fake.hold(10, 4, 102);
        let table = Processes::new(fake.path().to_owned(), false);
        Self { fake, table, now: Instant::now() }
    }

    fn begin_after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.table.begin(self.now, soon()).expect("a process table");
    }

    fn resolve(&mut self) {
        self.table.resolve(self.now, soon());
    }

    /// The pids that hold a socket as far as is known, `nobody` or `unknown`.
    fn of(&mut self, inode: u32) -> String {
        match self.table.of(inode) {
            Whose::Known(id) => self.table.owner(id).pids().to_owned(),
            Whose::Nobody => "nobody".to_owned(),
            Whose::Unknown => "unknown".to_owned(),
        }
    }

    fn resolved(&mut self, inode: u32) -> String {
        self.of(inode);
        self.resolve();
        self.of(inode)
    }

    fn names(&mut self, inode: u32) -> String {
        let Whose::Known(id) = self.table.of(inode) else { return String::new() };
        let owner = self.table.owner(id);
        format!("{} {}", owner.names(), owner.executables())
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn the_first_collection_knows_every_socket() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!([101, 102, 103, 0].map(|inode| bench.of(inode)), ["10", "10", "unknown", "nobody"]);
    assert_eq!(bench.names(101), "web web.bin");
    assert!(!bench.table.incomplete);
    assert_eq!(bench.table.looks().descriptors, 5);
    assert!(bench.table.holders(None).is_empty());
    assert_eq!(bench.table.holders(Some(101)), [Process::new(10, "web".into(), "web.bin".into())]);
}

#[test]
fn a_pid_that_is_used_again_brings_no_socket_along() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.of(101), "10");
    bench.fake.exit(10);
    bench.fake.start(10, "web", 2);
    bench.fake.hold(10, 3, 103);
    bench.begin_after(1);
    assert_eq!(bench.of(101), "unknown");
    assert_eq!(bench.resolved(103), "10");
    assert_eq!(bench.of(101), "nobody");
}

#[test]
fn a_process_that_ended_owns_nothing_at_the_next_collection() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.of(101), "10");
    bench.fake.exit(10);
    bench.begin_after(1);
    assert_eq!(bench.of(101), "unknown");
}

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
fn a_replaced_descriptor_is_found_by_resolve_without_a_scan() {
    let mut bench = Bench::new();
    for number in 5..500 {
        bench.fake.hold(10, number, 1_000 + number);
    }
    bench.begin_after(0);
    for inode in (101..=102).chain(1_005..1_500) {
        bench.of(inode);
    }
    bench.fake.hold(10, 77, 5_000);
    bench.begin_after(1);
    for inode in (101..=102).chain(1_005..1_500).filter(|inode| *inode != 1_077) {
        assert_eq!(bench.of(inode), "10", "{inode}");
    }
    let before = bench.table.looks().descriptors;
    assert_eq!(bench.resolved(5_000), "10");
    assert_eq!(bench.table.looks().descriptors - before, 1);
    bench.begin_after(1);
    assert_eq!(bench.of(1_077), "unknown");
}

#[test]
fn new_descriptors_are_looked_for_where_the_kernel_puts_them() {
    let mut bench = Bench::new();
    for number in 5..500 {
        bench.fake.hold(10, number, 1_000 + number);
    }
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
    let before = bench.table.looks().descriptors;
    for inode in 5_000..=5_004 {
        bench.of(inode);
    }
    bench.resolve();
    for inode in 5_000..=5_004 {
        assert_eq!(bench.of(inode), "10", "{inode}");
    }
    let looked_at = bench.table.looks().descriptors - before;
    assert!(looked_at <= 5 + 8, "{looked_at}");
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
fn a_renamed_process_is_another_owner() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    let before = bench.table.of(101);
    assert_eq!(bench.table.of(102), before);
    bench.fake.rename(10, "db", 1);
    bench.begin_after(1);
    assert_ne!(bench.table.of(101), before);
    assert_eq!(bench.names(101), "db db.bin");
    assert_eq!(bench.table.of(102), bench.table.of(101));
}

#[test]
fn a_script_that_becomes_a_program_of_its_own_name_is_called_by_its_new_executable() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.names(101), "web web.bin");
    let exe = bench.fake.of(10).join("exe");
    std::fs::remove_file(&exe).unwrap();
    std::os::unix::fs::symlink("/opt/web.real (deleted)", exe).unwrap();
    bench.begin_after(1);
    assert_eq!(bench.names(101), "web web.real");
}

#[test]
fn a_shared_socket_has_all_its_holders_with_ascending_pids() {
    let mut bench = Bench::new();
    for (pid, name) in [(30, "a"), (9, "b")] {
        bench.fake.start(pid, name, 3);
        bench.fake.hold(pid, 8, 101);
    }
    bench.begin_after(0);
    assert_eq!(bench.of(101), "9,10,30");
    assert_eq!(bench.names(101), "a,b,web a.bin,b.bin,web.bin");
    assert_eq!(bench.of(102), "10");
    bench.fake.exit(9);
    bench.begin_after(1);
    assert_eq!(bench.of(101), "10,30");
    bench.fake.exit(30);
    bench.begin_after(1);
    assert_eq!(bench.of(101), "10");
    assert_eq!(bench.table.of(101), bench.table.of(102));
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
fn processes_that_forbid_a_look_are_counted_for_as_long_as_they_do() {
    // Root may look at everything without it.
    caps::clear(None, caps::CapSet::Effective).unwrap();
    let mut bench = Bench::new();
    bench.fake.start(11, "secret", 2);
    bench.fake.hold(11, 3, 200);
    let fds = bench.fake.of(11).join("fd");
    set_permissions(&fds, Permissions::from_mode(0)).unwrap();
    bench.begin_after(0);
    assert_eq!((bench.table.unreadable, bench.table.incomplete), (1, false));
    assert_eq!(bench.of(101), "10");
    assert_eq!(bench.resolved(200), "nobody");
    set_permissions(&fds, Permissions::from_mode(0o700)).unwrap();
    bench.begin_after(10);
    assert_eq!((bench.table.unreadable, bench.of(200)), (0, "11".to_owned()));
}

#[test]
fn a_look_that_fails_for_a_reason_of_our_own_finds_nothing_to_be_nobodys() {
    let mut bench = Bench::new();
    bench.fake.start(11, "secret", 2);
    // A link to itself cannot be followed, as if there were too many open files.
    remove_dir(bench.fake.of(11).join("fd")).unwrap();
    std::os::unix::fs::symlink("fd", bench.fake.of(11).join("fd")).unwrap();
    bench.begin_after(0);
    assert!(bench.table.incomplete);
    assert_eq!(bench.of(101), "10");
    // What was not looked at cannot be known to hold nothing.
    assert_eq!(bench.resolved(200), "unknown");
    assert_eq!(bench.table.looks().unknown, 1);
}

#[test]
fn without_time_everything_stays_unknown_and_is_found_by_the_next_collection() {
    let mut bench = Bench::new();
    bench.table.begin(bench.now, Instant::now()).unwrap();
    assert!(bench.table.incomplete);
    assert_eq!(bench.of(101), "unknown");
    bench.table.resolve(bench.now, Instant::now());
    assert!(bench.table.incomplete);
    assert_eq!((bench.of(101), bench.table.looks().unknown), ("unknown".to_owned(), 1));
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
fn nobody_is_remembered_for_as_long_as_somebody_asks() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.resolved(999), "nobody");
    for _ in 0..3 {
        bench.begin_after(1);
        assert_eq!(bench.of(999), "nobody");
        let before = bench.table.looks();
        bench.resolve();
        assert_eq!(bench.table.looks(), before);
    }
    bench.begin_after(1);
    bench.begin_after(1);
    assert_eq!(bench.of(999), "unknown");
}

#[test]
fn a_socket_of_nobody_that_a_process_received_is_found_in_turn() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!(bench.resolved(999), "nobody");
    bench.fake.hold(10, 4, 999);
    for _ in 0..4 {
        bench.begin_after(10);
        bench.of(999);
    }
    assert_eq!(bench.of(999), "10");
}

#[test]
fn every_descriptor_is_looked_at_again_in_its_turn_and_no_more_often() {
    let mut bench = Bench::new();
    for number in 5..100 {
        bench.fake.hold(10, number, 1_000 + number);
    }
    bench.begin_after(0);
    let looked_at = (0..4).map(|_| {
        bench.begin_after(10);
        bench.table.looks().descriptors
    });
    assert_eq!(looked_at.collect::<Vec<_>>(), [25, 25, 25, 25]);
    bench.begin_after(41);
    assert_eq!(bench.table.looks().descriptors, 100);
}

#[test]
fn what_an_interrupted_turn_missed_comes_first() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    bench.now += Duration::from_secs(9);
    bench.table.begin(bench.now, Instant::now()).unwrap();
    assert_eq!(bench.table.looks().descriptors, 0);
    bench.begin_after(31);
    assert_eq!(bench.table.looks().descriptors, 5);
}

#[test]
fn owners_live_while_their_sockets_do_or_somebody_keeps_them() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    let Whose::Known(old) = bench.table.of(101) else { panic!("unknown") };
    bench.fake.exit(10);
    for _ in 0..5 {
        bench.begin_after(1);
        bench.table.keep(old);
    }
    assert_eq!(bench.table.owner(old).pids(), "10");
    for _ in 0..5 {
        bench.begin_after(1);
    }
    assert_eq!(bench.table.owner(old), &Owner::default());
    assert_eq!(bench.table.owners.len(), 0);
}

#[test]
fn cgroups_are_read_only_where_they_are_asked_for() {
    for asked in [false, true] {
        let mut bench = Bench::new();
        write(bench.fake.of(10).join("cgroup"), "1:name=systemd:/system.slice/web.service\n").unwrap();
        bench.table = Processes::new(bench.fake.path().to_owned(), asked);
        bench.begin_after(0);
        let path = bench.table.holders(Some(101))[0].cgroup().map(|cgroup| cgroup.path().to_owned());
        assert_eq!(path, asked.then(|| "/system.slice/web.service".to_owned()));
    }
}

#[test]
fn a_process_table_that_cannot_be_read_is_an_error_and_what_is_known_still_grows_old() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    bench.table.proc = PathBuf::from("/nonexistent");
    bench.now += Duration::from_secs(5);
    assert_eq!(bench.table.begin(bench.now, soon()), Err(Errno::NOENT));
    assert_eq!(bench.of(101), "10");
    bench.now += Duration::from_secs(50);
    assert_eq!(bench.table.begin(bench.now, soon()), Err(Errno::NOENT));
    assert_eq!(bench.resolved(101), "unknown");
}

#[test]
fn names_that_are_no_numbers_are_no_processes() {
    let mut bench = Bench::new();
    create_dir(bench.fake.path().join("self")).unwrap();
    create_dir(bench.fake.path().join("10x")).unwrap();
    bench.begin_after(0);
    assert_eq!(bench.table.running.keys().collect::<Vec<_>>(), [&10]);
}
