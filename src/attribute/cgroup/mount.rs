//! Where cgroup v2 is mounted, and which part of it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{stat, statfs};

/// `CGROUP2_SUPER_MAGIC` of `linux/magic.h`.
const CGROUP2: u32 = 0x6367_7270;
/// The inode of the cgroup at the root of the hierarchy.
const ROOT: u64 = 1;

/// A place where cgroup v2 is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The folder.
    pub point: PathBuf,
    /// The path of the cgroup that is mounted there, as this process's cgroup namespace has it.
    pub root: String,
}

impl Mount {
    /// The mount that shows most of cgroup v2; `None` where there is none, or none that can be seen.
    pub(super) fn find() -> Option<Self> {
        let text = std::fs::read("/proc/self/mountinfo").ok()?;
        let mounts = parse(&text).into_iter().filter(Self::is_in_sight);
        let mount = mounts.min_by_key(|mount| (!mount.is_whole(), mount.root.len()))?;
        // To a process in a cgroup namespace, the root of the host's mount has a path such as `/../..`.
        let root = if mount.is_whole() { "/".to_owned() } else { mount.root };
        Some(Self { root, ..mount })
    }

    /// Whether no other mount lies over it.
    fn is_in_sight(&self) -> bool {
        statfs(&self.point).is_ok_and(|found| u32::try_from(found.f_type) == Ok(CGROUP2))
    }

    /// Whether all of the hierarchy is below it.
    pub(super) fn is_whole(&self) -> bool {
        stat(&self.point).is_ok_and(|found| found.st_ino == ROOT)
    }

    /// The folder of the cgroup with that path, if it can be in this mount.
    pub(super) fn folder(&self, path: &str) -> Option<PathBuf> {
        let (path, root) = (Path::new(path.trim_matches('/')), self.root.trim_matches('/'));
        Some(self.point.join(path.strip_prefix(root).ok()?))
    }
}

/// The mounts of cgroup v2 in the text of `/proc/PID/mountinfo` (`proc_pid_mountinfo(5)`).
fn parse(text: &[u8]) -> Vec<Mount> {
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let mut words = line.split(|byte| *byte == b' ');
            let (root, point) = (words.nth(3)?, words.next()?);
            words.find(|word| *word == b"-")?;
            let mount = || Mount {
                point: OsString::from_vec(unescaped(point)).into(),
                root: String::from_utf8_lossy(&unescaped(root)).into_owned(),
            };
            (words.next()? == b"cgroup2").then(mount)
        })
        .collect()
}

/// The text with `\040` and its like as the bytes that they stand for.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let code = after.get(..3).filter(|_| *first == b'\\').and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 8).ok());
        plain.push(byte.unwrap_or(*first));
        rest = after.get(if byte.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(point: &str, root: &str) -> Mount {
        Mount { point: point.into(), root: root.to_owned() }
    }

    #[test]
    fn mounts_of_cgroup_v2_are_distinguished_from_all_others() {
        let text = b"24 29 0:22 / /proc rw,nosuid - proc proc rw\n\
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
            40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n\
            42 31 0:38 /a\\040b /mnt/of\\040a\\134b ro shared:5 master:1 - cgroup2 none rw,nsdelegate\n\
            43 31 0:39 / /mnt/cgroup2 rw - ext4 cgroup2 rw\n\
            broken - cgroup2\n\n\xff\\04";
        let expected = [mount("/sys/fs/cgroup/unified", "/"), mount("/mnt/of a\\b", "/a b")];
        assert_eq!(parse(text), expected);
        assert_eq!(parse(b""), []);
    }

    #[test]
    fn a_path_leads_to_its_folder_only_where_the_mount_shows_it() {
        let whole = mount("/sys/fs/cgroup", "/");
        assert_eq!(whole.folder("/a/b"), Some("/sys/fs/cgroup/a/b".into()));
        assert_eq!(whole.folder("/"), Some("/sys/fs/cgroup".into()));
        let part = mount("/mnt", "/a");
        assert_eq!(part.folder("/a/b"), Some("/mnt/b".into()));
        assert_eq!(part.folder("/ab"), None);
        assert_eq!(part.folder("/"), None);
    }
}
