//! Threads with descriptors of their own, and processes whose main thread has ended.

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

use super::*;

/// Says whether a folder has been read since it was last asked.
struct Watched(OwnedFd);

impl Watched {
    fn folders(folders: impl Iterator<Item = PathBuf>) -> Self {
        let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).expect("inotify");
        for folder in folders {
            add_watch(&watch, folder, WatchFlags::OPEN | WatchFlags::ACCESS).expect("a watch");
        }
        Self(watch)
    }

    fn was_read(&self) -> bool {
        let mut events = vec![0; 1 << 16];
        match rustix::io::read(&self.0, events.as_mut_slice()) {
            Ok(length) => length > 0,
            Err(error) => {
                assert_eq!(error, Errno::AGAIN);
                false
            }
        }
    }
}

#[test]
fn a_socket_in_the_own_table_of_a_thread_belongs_to_the_process() {
    let mut bench = Bench::new();
    bench.fake.thread(10, 12);
    bench.fake.thread(10, 13);
    bench.fake.unshare(10, 13);
    // Under a number that is another socket in the table of the process.
    bench.fake.hold_in_thread(10, 13, 3, 201);
    bench.begin_after(0);
    assert_eq!([101, 102].map(|inode| bench.of(inode)), ["10", "10"]);
    assert_eq!(bench.resolved(201), "10");
    assert_eq!(bench.names(201), "web web.bin");
    // Both tables have it.
    assert_eq!(bench.of(102), "10");
    bench.fake.close(10, 4);
    bench.begin_after(40);
    assert_eq!(bench.of(102), "10");
    bench.fake.rename(10, "db", 1);
    bench.begin_after(1);
    assert_eq!(bench.names(201), "db db.bin");
}

#[test]
fn a_thread_that_takes_a_table_of_its_own_later_is_found_when_a_socket_is_missing_again() {
    let mut bench = Bench::new();
    bench.fake.thread(10, 12);
    bench.begin_after(0);
    assert_eq!(bench.of(101), "10");
    bench.fake.unshare(10, 12);
    bench.fake.hold_in_thread(10, 12, 5, 201);
    bench.begin_after(1);
    assert_eq!(bench.resolved_again(201), "10");
    // In a process that is known to have such threads, at once.
    bench.fake.hold_in_thread(10, 12, 6, 202);
    bench.fake.thread(10, 14);
    bench.fake.unshare(10, 14);
    bench.fake.hold_in_thread(10, 14, 5, 203);
    bench.begin_after(1);
    assert_eq!(bench.resolved(202), "10");
    assert_eq!(bench.resolved(203), "10");
}

#[test]
fn nothing_of_threads_is_read_while_all_owners_are_known() {
    let mut bench = Bench::new();
    (300..600).for_each(|id| bench.fake.thread(10, id));
    let folders = (300..600).map(|id| bench.fake.of_thread(10, id));
    let watched = Watched::folders(folders.chain([bench.fake.of(10).join("task")]));
    for seconds in [0, 1, 15, 40, 100] {
        bench.fake.hold(10, 5, 103 + u32::try_from(seconds).expect("few"));
        bench.begin_after(seconds);
        for inode in [101, 102, 103 + u32::try_from(seconds).expect("few")] {
            assert_eq!(bench.resolved(inode), "10");
        }
        assert_eq!(bench.table.cost().threads, 0);
    }
    assert!(!watched.was_read());
    // One that is missing for the second time, once.
    assert_eq!(bench.resolved_again(999), "no process");
    assert_eq!(bench.table.cost().threads, 300);
    assert!(watched.was_read());
    for inode in [997, 998] {
        bench.begin_after(1);
        assert_eq!(bench.resolved_again(inode), "no process");
        assert_eq!(bench.table.cost().threads, 0);
    }
    assert!(!watched.was_read());
}

#[test]
fn a_process_whose_main_thread_has_ended_owns_what_its_other_threads_hold() {
    let mut bench = Bench::new();
    bench.fake.thread(10, 12);
    bench.fake.thread(10, 13);
    bench.begin_after(0);
    assert_eq!(bench.of(101), "10");
    bench.fake.exit_main(10);
    bench.begin_after(1);
    assert_eq!(bench.names(101), "web web.bin");
    bench.fake.exit_thread(10, 12);
    std::os::unix::fs::symlink("socket:[201]", bench.fake.of(10).join("kept/5")).expect("a link");
    bench.begin_after(60);
    assert_eq!([101, 102].map(|inode| bench.of(inode)), ["10", "10"]);
    assert_eq!(bench.resolved(201), "10");
    assert_eq!((bench.table.unreadable, bench.table.incomplete), (0, false));
    // And what one of them holds sole.
    bench.fake.thread(10, 14);
    bench.fake.unshare(10, 14);
    bench.fake.hold_in_thread(10, 14, 9, 202);
    bench.begin_after(1);
    assert_eq!(bench.resolved_again(202), "10");
}

#[test]
fn a_table_that_two_threads_share_outlives_the_one_by_which_it_was_found() {
    let mut bench = Bench::new();
    bench.fake.thread(10, 12);
    bench.fake.unshare(10, 12);
    bench.fake.hold_in_thread(10, 12, 5, 201);
    bench.fake.thread(10, 13);
    std::fs::remove_file(bench.fake.of_thread(10, 13).join("fd")).expect("a link");
    let shared = bench.fake.of_thread(10, 12).join("fd");
    std::os::unix::fs::symlink(&shared, bench.fake.of_thread(10, 13).join("fd")).expect("a link");
    bench.begin_after(0);
    assert_eq!(bench.resolved(201), "10");
    assert_eq!(bench.table.running.len(), 2);
    let found = *bench.table.running.keys().find(|id| **id != 10).expect("a thread");
    let other = 12 + 13 - found;
    let kept = bench.fake.of(10).join("kept");
    std::fs::rename(&shared, &kept).expect("a folder");
    let link = bench.fake.of_thread(10, other).join("fd");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&kept, link).expect("a link");
    bench.fake.exit_thread(10, found);
    bench.begin_after(1);
    assert_eq!(bench.resolved_again(201), "10");
    assert_eq!(bench.table.running.keys().collect::<Vec<_>>(), [&10, &other]);
}

#[test]
fn the_id_of_a_thread_that_ended_may_be_that_of_a_process() {
    let mut bench = Bench::new();
    bench.fake.thread(10, 12);
    bench.fake.unshare(10, 12);
    bench.fake.hold_in_thread(10, 12, 5, 201);
    bench.begin_after(0);
    assert_eq!(bench.resolved(201), "10");
    bench.fake.exit_thread(10, 12);
    bench.fake.start(12, "db", 7);
    bench.fake.hold(12, 5, 201);
    bench.begin_after(10);
    assert_eq!(bench.resolved(201), "12");
    assert_eq!(bench.names(201), "db db.bin");
    bench.fake.exit(10);
    bench.begin_after(10);
    assert_eq!(bench.table.running.keys().collect::<Vec<_>>(), [&12]);
}

#[test]
fn more_threads_than_a_collection_may_compare_are_compared_by_several() {
    const LAST: u32 = 40_000;
    let mut bench = Bench::new();
    for pid in [10_000, 20_000, 30_000] {
        bench.fake.start(pid, "many", 1);
        for id in (pid + 1..pid + 4_200).chain((pid == 30_000).then_some(LAST)) {
            std::fs::create_dir_all(bench.fake.of_thread(pid, id)).expect("a folder");
        }
        bench.fake.rename(pid, "many", 1);
    }
    std::fs::create_dir(bench.fake.of_thread(30_000, LAST).join("fd")).expect("a folder");
    bench.fake.hold_in_thread(30_000, LAST, 3, 201);
    bench.table.kernel.share_files = |_, _, id| Ok(id != LAST);
    bench.begin_after(0);
    assert_eq!(bench.resolved(201), "unknown");
    assert_eq!(bench.table.cost().threads, 2 * 4_199);
    bench.begin_after(1);
    assert_eq!(bench.resolved(201), "30000");
}

#[test]
fn a_process_table_without_processes_is_none() {
    let folder = Fake::new();
    let mut table = Processes::new(folder.path().to_owned(), false);
    for _ in 0..2 {
        let error = table.begin(Instant::now(), soon()).expect_err("it is empty");
        assert!(error.to_string().contains("found no process"), "{error}");
    }
    folder.start(10, "web", 1);
    table.begin(Instant::now(), soon()).expect("a process");
}

#[test]
fn owners_unknown_to_the_process_table_of_others_are_not_all_owners() {
    let mut bench = Bench::new();
    for (shows_itself, is_elsewhere) in [(false, true), (true, false)] {
        if shows_itself {
            std::os::unix::fs::symlink("10", bench.fake.path().join("self")).expect("a link");
        }
        bench.begin_after(20);
        assert_eq!(bench.of(101), "10");
        assert!(!bench.table.is_elsewhere());
        assert_eq!(bench.resolved(999), if shows_itself { "no process" } else { "unknown" });
        assert_eq!(bench.table.is_elsewhere(), is_elsewhere);
        bench.begin_after(0);
        assert_eq!(bench.resolved(999), "no process");
        assert_eq!(bench.table.is_elsewhere(), is_elsewhere);
    }
}
