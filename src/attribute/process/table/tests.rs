//! The rules of the table, one by one, over a process table made of folders.

use std::fs::{Permissions, create_dir, remove_dir, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::super::fake::Fake;
use super::*;

mod model;
mod search;
mod threads;
mod time;

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
        Self::over(fake)
    }

    /// The same with a socket under each further number, its inode the number and 1,000.
    fn with_descriptors_below(end: u32) -> Self {
        let bench = Self::new();
        (5..end).for_each(|number| bench.fake.hold(10, number, 1_000 + number));
        bench
    }

    fn over(fake: Fake) -> Self {
        let mut table = Processes::new(fake.path().to_owned(), false);
        table.kernel.share_files = Fake::share_files;
        Self { fake, table, now: Instant::now() }
    }

    /// The same on a kernel that reports the number of descriptors.
    fn counting(mut self) -> Self {
        self.table.kernel.count = |links| {
            let mut count = 0;
            let listed = links.each(0, |_, _| {
                count += 1;
                true
            });
            listed.map_or(0, |()| count)
        };
        self
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
            OwnerLookup::Known(id) => self.table.owner(id).pids().to_owned(),
            OwnerLookup::NoProcess => "no process".to_owned(),
            OwnerLookup::Unknown => "unknown".to_owned(),
        }
    }

    /// The processes that hold a socket as far as is known, pids ascending.
    fn holders(&mut self, inode: u32) -> &[Process] {
        match self.table.of(inode) {
            OwnerLookup::Known(id) => self.table.owner(id).processes(),
            _ => &[],
        }
    }

    fn resolved(&mut self, inode: u32) -> String {
        self.of(inode);
        self.resolve();
        self.of(inode)
    }

    /// The same in the next collection, which looks everywhere for what the last did not find.
    fn resolved_again(&mut self, inode: u32) -> String {
        assert_eq!(self.resolved(inode), "unknown");
        self.begin_after(0);
        self.resolved(inode)
    }

    fn names(&mut self, inode: u32) -> String {
        let OwnerLookup::Known(id) = self.table.of(inode) else { return String::new() };
        let owner = self.table.owner(id);
        format!("{} {}", owner.names(), owner.executables())
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[test]
fn the_first_collection_knows_every_socket() {
    let mut bench = Bench::new();
    bench.begin_after(0);
    assert_eq!([101, 102, 103, 0].map(|inode| bench.of(inode)), ["10", "10", "unknown", "no process"]);
    assert_eq!(bench.names(101), "web web.bin");
    assert!(!bench.table.incomplete);
    assert_eq!(bench.table.cost().descriptors, 5);
    assert_eq!(bench.holders(101), [Process::new(10, "web".into(), "web.bin".into())]);
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
    assert_eq!(bench.resolved_again(101), "no process");
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
fn unreadable_processes_are_counted_for_as_long_as_they_are() {
    // Root may look at everything without it.
    rustix::thread::set_capabilities(
        None,
        rustix::thread::CapabilitySets {
            effective: rustix::thread::CapabilitySet::empty(),
            ..rustix::thread::capabilities(None).unwrap()
        },
    )
    .unwrap();
    let mut bench = Bench::new();
    bench.fake.start(11, "secret", 2);
    bench.fake.hold(11, 3, 200);
    let fds = bench.fake.of(11).join("fd");
    set_permissions(&fds, Permissions::from_mode(0o0)).unwrap();
    bench.begin_after(0);
    assert_eq!((bench.table.unreadable, bench.table.incomplete), (1, false));
    assert_eq!(bench.of(101), "10");
    assert_eq!(bench.resolved_again(200), "no process");
    set_permissions(&fds, Permissions::from_mode(0o700)).unwrap();
    bench.begin_after(40);
    assert_eq!((bench.table.unreadable, bench.of(200)), (0, "11".to_owned()));
}

#[test]
fn cgroups_are_read_only_where_they_are_asked_for() {
    for asked in [false, true] {
        let mut bench = Bench::new();
        write(bench.fake.of(10).join("cgroup"), "1:name=systemd:/system.slice/web.service\n").unwrap();
        bench.table = Processes::new(bench.fake.path().to_owned(), asked);
        bench.begin_after(0);
        let path = bench.holders(101)[0].cgroup().map(|cgroup| cgroup.path().to_owned());
        assert_eq!(path, asked.then(|| "/system.slice/web.service".to_owned()));
    }
}

#[test]
fn names_that_are_no_numbers_are_no_processes() {
    let mut bench = Bench::new();
    create_dir(bench.fake.path().join("self")).unwrap();
    create_dir(bench.fake.path().join("10x")).unwrap();
    bench.begin_after(0);
    assert_eq!(bench.table.running.keys().collect::<Vec<_>>(), [&10]);
}
