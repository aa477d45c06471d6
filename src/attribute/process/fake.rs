//! A process table of folders and links, with processes that a test controls.

use std::fs::{
    create_dir_all, metadata, read_dir, read_link, read_to_string, remove_dir_all, remove_file, rename, write,
};
use std::io;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A copy of `/proc`; dropping it removes it.
pub(super) struct Fake(TempDir);

impl Fake {
    /// A table without processes.
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A process starts at a time, in clock ticks.
    pub(super) fn start(&self, pid: u32, comm: &str, start: u64) {
        create_dir_all(self.of(pid).join("fd")).expect("a folder");
        self.rename(pid, comm, start);
    }

    /// A process takes a name, also as its executable's.
    pub(super) fn rename(&self, pid: u32, comm: &str, start: u64) {
        let threads = read_dir(self.of(pid).join("task")).map_or(1, Iterator::count);
        let state = if self.of(pid).join("ended").exists() { 'Z' } else { 'S' };
        let text = format!("{pid} ({comm}) {state} 1{} {threads} 0 {start} 0 0\n", " 0".repeat(15));
        // Both at once, as the kernel would.
        write(self.of(pid).join("new"), text).expect("a file");
        rename(self.of(pid).join("new"), self.of(pid).join("stat")).expect("a file");
        let threads =
            read_dir(self.of(pid).join("task")).into_iter().flatten().flatten().map(|thread| thread.path());
        let main = (state == 'S').then(|| self.of(pid));
        for folder in threads.chain(main) {
            let _ = remove_file(folder.join("exe"));
            symlink(format!("/usr/bin/{comm}.bin"), folder.join("exe")).expect("a link");
        }
    }

    /// A process has a socket under a number, in place of what it had there.
    pub(super) fn hold(&self, pid: u32, number: u32, inode: u32) {
        self.link(pid, number, &format!("socket:[{inode}]"));
    }

    /// A process has something else than a socket under a number.
    pub(super) fn link(&self, pid: u32, number: u32, target: &str) {
        self.close(pid, number);
        symlink(target, self.of(pid).join("fd").join(number.to_string())).expect("a link");
    }

    /// A process closes a number, if it is open.
    pub(super) fn close(&self, pid: u32, number: u32) {
        let _ = remove_file(self.of(pid).join("fd").join(number.to_string()));
    }

    /// A process gets a thread that shares its descriptors.
    pub(super) fn thread(&self, pid: u32, id: u32) {
        for id in [pid, id] {
            create_dir_all(self.of_thread(pid, id)).expect("a folder");
            // The main thread is there before the first other one.
            let _ = symlink(self.of(pid).join("fd"), self.of_thread(pid, id).join("fd"));
        }
        self.change(pid);
    }

    /// A thread gets a copy of the descriptors that it shared.
    pub(super) fn unshare(&self, pid: u32, id: u32) {
        let fds = self.of_thread(pid, id).join("fd");
        let shared = read_link(&fds).expect("it shared them");
        remove_file(&fds).expect("a link");
        create_dir_all(&fds).expect("a folder");
        for fd in read_dir(shared).expect("a folder").flatten() {
            symlink(read_link(fd.path()).expect("a link"), fds.join(fd.file_name())).expect("a link");
        }
    }

    /// A thread with descriptors of its own has a socket under a number.
    pub(super) fn hold_in_thread(&self, pid: u32, id: u32, number: u32, inode: u32) {
        let fd = self.of_thread(pid, id).join("fd").join(number.to_string());
        let _ = remove_file(&fd);
        symlink(format!("socket:[{inode}]"), fd).expect("a link");
    }

    /// A thread ends.
    pub(super) fn exit_thread(&self, pid: u32, id: u32) {
        remove_dir_all(self.of_thread(pid, id)).expect("its end");
        self.change(pid);
    }

    /// The main thread ends, while others go on with the descriptors.
    pub(super) fn exit_main(&self, pid: u32) {
        let (fds, kept) = (self.of(pid).join("fd"), self.of(pid).join("kept"));
        rename(&fds, &kept).expect("a folder");
        create_dir_all(&fds).expect("a folder");
        for thread in read_dir(self.of(pid).join("task")).expect("threads").flatten() {
            let link = thread.path().join("fd");
            if thread.file_name() != *pid.to_string() && read_link(&link).is_ok() {
                remove_file(&link).expect("a link");
                symlink(&kept, link).expect("a link");
            }
        }
        write(self.of(pid).join("ended"), "").expect("a file");
        self.change(pid);
        remove_file(self.of(pid).join("exe")).expect("a link");
    }

    /// Whether two threads of the processes in a folder share their descriptors.
    pub(super) fn share_files(table: &Path, one: u32, other: u32) -> io::Result<bool> {
        let files = |id: u32| -> io::Result<u64> {
            let processes = read_dir(table)?.flatten();
            let found = processes.filter_map(|process| {
                metadata(process.path().join("task").join(id.to_string()).join("fd")).ok()
            });
            found.map(|fds| fds.ino()).next().ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        Ok(files(one)? == files(other)?)
    }

    /// The number of threads or the state of a process has changed.
    fn change(&self, pid: u32) {
        let text = read_to_string(self.of(pid).join("stat")).expect("a file");
        let comm = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).expect("a name").0;
        let start = text.split(' ').nth(21).and_then(|start| start.parse().ok()).expect("a time");
        self.rename(pid, comm, start);
    }

    /// A process ends.
    pub(super) fn exit(&self, pid: u32) {
        remove_dir_all(self.of(pid)).expect("its end");
    }

    /// The folder of a thread.
    pub(super) fn of_thread(&self, pid: u32, id: u32) -> PathBuf {
        self.of(pid).join("task").join(id.to_string())
    }

    /// The folder of a process.
    pub(super) fn of(&self, pid: u32) -> PathBuf {
        self.path().join(pid.to_string())
    }
}
