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
