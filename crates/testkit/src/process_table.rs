//! A process table as the kernel shows it in `/proc`, with processes that a test invents.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A folder that looks like `/proc`. It is removed with its guard.
pub struct ProcessTable {
    folder: tempfile::TempDir,
    is_missing: AtomicBool,
}

impl Default for ProcessTable {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The table shows the process that reads it.
        std::fs::create_dir(folder.path().join("self")).expect("a folder");
        Self { folder, is_missing: AtomicBool::new(false) }
    }
}

impl ProcessTable {
    /// Where it is.
    pub fn path(&self) -> &Path {
        if self.is_missing.load(Ordering::Relaxed) { Path::new("/nonexistent") } else { self.folder.path() }
    }

    /// Whether nothing is at its path.
    pub fn set_missing(&self, is_missing: bool) {
        self.is_missing.store(is_missing, Ordering::Relaxed);
    }

    /// A process, which exists from now on, opens a socket. The kernel escapes the name's line feeds in `stat`, but no
    /// other byte of it.
    pub fn open(&self, pid: u32, name: &[u8], descriptor: u32, inode: u32) {
        let process = self.folder.path().join(pid.to_string());
        if std::fs::create_dir_all(process.join("fd")).is_ok() && !process.join("stat").exists() {
            // 18 numbers stand between the state and the time of start.
            let stat =
                [pid.to_string().as_bytes(), b" (", name, b") S", &b" 0".repeat(18), b" 7 0\n"].concat();
            std::fs::write(process.join("stat"), stat).expect("a file");
        }
        symlink(format!("socket:[{inode}]"), self.descriptor(pid, descriptor)).expect("a link");
    }

    /// A process closes a descriptor.
    pub fn close(&self, pid: u32, descriptor: u32) {
        std::fs::remove_file(self.descriptor(pid, descriptor)).expect("the link");
    }

    fn descriptor(&self, pid: u32, descriptor: u32) -> PathBuf {
        self.folder.path().join(format!("{pid}/fd/{descriptor}"))
    }
}
