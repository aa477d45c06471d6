//! The id by which the kernel knows a cgroup.
//!
//! Refuses to know who runs in it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Where cgroup v2 may be mounted: alone, or beside v1 (`systemd`'s hybrid layout).
const ROOTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/// The id of the cgroup with that path below the root of cgroup v2: the inode of its folder.
#[must_use]
pub fn cgroup_id(path: &str) -> Option<u64> {
    let root = ROOTS.iter().map(Path::new).find(|root| root.join("cgroup.controllers").exists())?;
    let folder = std::fs::metadata(root.join(path.trim_start_matches('/'))).ok()?;
    folder.is_dir().then(|| folder.ino())
}

/// A cgroup, by what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cgroup {
    path: String,
}

impl Cgroup {
    /// The cgroup with that path below the root of its hierarchy.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        Self { path: path.to_owned() }
    }

    /// The cgroup of a process, by the text of `/proc/PID/cgroup` (cgroups(7)).
    #[must_use]
    pub fn of_process(text: &str) -> Option<Self> {
        let line = text.lines().find(|line| line.contains(":name=systemd:"))?;
        line.splitn(3, ':').nth(2).map(Self::of_path)
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}
