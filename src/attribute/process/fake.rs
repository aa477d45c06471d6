//! A process table made of folders and links, whose processes do what a test says.
//!
//! Refuses to know who reads it.

use std::fs::{create_dir_all, remove_dir_all, remove_file, rename, write};
use std::os::unix::fs::symlink;
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
        let text = format!("{pid} ({comm}) S 1{} {start} 0 0\n", " 0".repeat(17));
        // Both at once, as the kernel would.
        write(self.of(pid).join("new"), text).expect("a file");
        rename(self.of(pid).join("new"), self.of(pid).join("stat")).expect("a file");
        let _ = remove_file(self.of(pid).join("exe"));
        symlink(format!("/usr/bin/{comm}.bin"), self.of(pid).join("exe")).expect("a link");
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

    /// A process ends.
    pub(super) fn exit(&self, pid: u32) {
        remove_dir_all(self.of(pid)).expect("its end");
    }

    /// The folder of a process.
    pub(super) fn of(&self, pid: u32) -> PathBuf {
        self.path().join(pid.to_string())
    }
}
