//! Network namespaces that only threads show: a thread that moved (`setns(2)`, `unshare(2)`), or one of a process whose
//! main thread has ended.
//!
//! A host has many more threads than processes. Each listing reads some of them, in turn.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::attribute::dir::{each_name, number, open};

/// Processes and threads per listing; they take less than a millisecond. The first listing reads all.
const LOOKS: usize = 256;

/// A thread and its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    process: u32,
    pub(super) id: u32,
}

/// What is kept from one listing to the next.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// By namespace one thread in each that no process is in.
    alone: BTreeMap<u64, Thread>,
    /// The process that the next listing begins at; `None` before the first.
    next: Option<u32>,
}

impl Threads {
    /// By namespace one thread in each of those that threads show and that are not `known` by a process.
    ///
    /// The main threads of the processes that `ended` show none.
    pub(super) fn find(
        &mut self,
        table: &OwnedFd,
        living: &[u32],
        ended: &[u32],
        known: impl Fn(u64) -> bool,
    ) -> &BTreeMap<u64, Thread> {
        let mut found = BTreeMap::new();
        let mut note = |inode, thread| {
            if !known(inode) {
                found.entry(inode).or_insert(thread);
            }
        };
        let mut due = ended.to_vec();
        for (inode, thread) in std::mem::take(&mut self.alone) {
            if namespace(table, thread) == Ok(inode) {
                note(inode, thread);
            } else {
                // Another thread of the process may be in it.
                due.push(thread.process);
            }
        }
        due.sort_unstable();
        due.dedup();
        for process in due {
            read_threads(table, process, &mut note);
        }
        self.refresh(table, living, &mut note);
        self.alone = found;
        &self.alone
    }

    /// Looks at the processes that come next.
    fn refresh(&mut self, table: &OwnedFd, living: &[u32], note: &mut impl FnMut(u64, Thread)) {
        let mut left = if self.next.is_some() { LOOKS } else { usize::MAX };
        let next = self.next.unwrap_or(0);
        let first = living.partition_point(|process| *process < next);
        let (before, after) = living.split_at(first);
        for process in after.iter().chain(before) {
            if left == 0 {
                self.next = Some(*process);
                return;
            }
            left = left.saturating_sub(1 + read_threads(table, *process, note));
        }
        self.next = Some(next);
    }
}

/// Notes the namespaces of the threads of a process except the main one; returns how many threads it read.
fn read_threads(table: &OwnedFd, process: u32, note: &mut impl FnMut(u64, Thread)) -> usize {
    let path = format!("{process}/task");
    // The kernel counts a link for each thread, and two for the folder itself.
    if !statat(table, &path, AtFlags::empty()).is_ok_and(|folder| folder.st_nlink > 3) {
        return 0;
    }
    let Ok(folder) = open(table, &path) else { return 0 };
    let mut looks = 0;
    // What was listed before an error is true.
    let _ = each_name(&folder, |name| {
        if let Some(id) = number(name.to_bytes()).filter(|id| *id != process) {
            looks += 1;
            let thread = Thread { process, id };
            if let Ok(inode) = namespace(table, thread) {
                note(inode, thread);
            }
        }
        true
    });
    looks
}

/// The inode of the namespace that a thread is in.
fn namespace(table: &OwnedFd, thread: Thread) -> Result<u64, Errno> {
    let Thread { process, id } = thread;
    statat(table, format!("{process}/task/{id}/ns/net"), AtFlags::empty()).map(|link| link.st_ino)
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, remove_dir_all, write};
    use std::os::unix::fs::MetadataExt as _;
    use std::path::PathBuf;

    use rustix::fs::CWD;
    use tempfile::TempDir;

    use super::*;

    /// A process table whose files stand for namespaces.
    struct Fake(TempDir);

    impl Fake {
        fn new() -> Self {
            let fake = Self(tempfile::tempdir().expect("a folder"));
            write(fake.0.path().join("home"), "").expect("a file");
            fake
        }

        fn thread(&self, process: u32, id: u32, namespace: &str) -> u64 {
            let file = self.0.path().join(namespace);
            write(&file, "").expect("a file");
            let folder = self.of(process, id).join("ns");
            let _ = remove_dir_all(&folder);
            create_dir_all(&folder).expect("a folder");
            std::os::unix::fs::symlink(&file, folder.join("net")).expect("a link");
            file.metadata().expect("a file").ino()
        }

        fn of(&self, process: u32, id: u32) -> PathBuf {
            self.0.path().join(format!("{process}/task/{id}"))
        }

        fn find(&self, threads: &mut Threads, living: &[u32], ended: &[u32]) -> Vec<(u64, u32)> {
            let home = self.0.path().join("home").metadata().expect("a file").ino();
            let table = open(CWD, self.0.path()).expect("a folder");
            let found = threads.find(&table, living, ended, |inode| inode == home);
            found.iter().map(|(inode, thread)| (*inode, thread.id)).collect()
        }
    }

    #[test]
    fn a_namespace_is_found_by_any_of_its_threads_as_long_as_one_is_in_it() {
        let (fake, mut threads) = (Fake::new(), Threads::default());
        for (process, id) in [(10, 10), (10, 11), (10, 12), (20, 20)] {
            fake.thread(process, id, "home");
        }
        assert_eq!(fake.find(&mut threads, &[10, 20], &[]), []);
        let moved = fake.thread(10, 12, "other");
        assert_eq!(fake.find(&mut threads, &[10, 20], &[]), [(moved, 12)]);
        fake.thread(10, 13, "other");
        remove_dir_all(fake.of(10, 12)).expect("its end");
        assert_eq!(fake.find(&mut threads, &[10, 20], &[]), [(moved, 13)]);
        fake.thread(10, 13, "home");
        assert_eq!(fake.find(&mut threads, &[10, 20], &[]), []);
        let second = fake.thread(20, 22, "second");
        assert_eq!(fake.find(&mut threads, &[10], &[20]), [(second, 22)]);
    }

    #[test]
    fn the_first_listing_reads_all_threads_and_later_ones_some_in_turn() {
        let (fake, mut threads) = (Fake::new(), Threads::default());
        let living: Vec<u32> = (1..=8).map(|number| number * 1_000).collect();
        for process in &living {
            for number in 0..100 {
                fake.thread(*process, process + number, "home");
            }
        }
        let early = fake.thread(8_000, 8_050, "early");
        assert_eq!(fake.find(&mut threads, &living, &[]), [(early, 8_050)]);
        let late = fake.thread(7_000, 7_050, "late");
        let both = {
            let mut both = vec![(early, 8_050), (late, 7_050)];
            both.sort_unstable();
            both
        };
        let found: Vec<_> = (0..4).map(|_| fake.find(&mut threads, &living, &[])).collect();
        assert_eq!(found[0], [(early, 8_050)]);
        assert_eq!(found[2..], [both.clone(), both]);
    }
}
