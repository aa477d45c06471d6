//! Cgroups by their ids: a walk of cgroup v2 finds an id that is not known yet.
//!
//! An id is the inode of the cgroup's folder, all 64 bits of it, and is never used again. A walk reads
//! folders and nothing else, and needs no capability.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::os::fd::OwnedFd;

use hashbrown::HashMap;
use rustix::fs::{CWD, FileType, fstat};
use rustix::io::Errno;

use super::Cgroup;
use super::mount::Mount;
use crate::attribute::dir::{each_entry, open};

/// How many cgroups are walked, those nearest to the root first.
const MOST: usize = 65_536;
/// Bytes of paths that are kept; a user with a subtree of its own chooses them.
const MOST_BYTES: usize = 16 << 20;
/// How far below the root a walk goes.
const DEEPEST: usize = 64;
/// For how many collections something is remembered that no longer exists.
const REMEMBERED: u64 = 3;

/// The cgroups of the host by their ids (`INET_DIAG_CGROUP_ID`).
#[derive(Debug, Default)]
pub struct Cgroups {
    mount: Option<Mount>,
    /// The mount shows the whole hierarchy.
    whole: bool,
    /// Sockets of this collection in cgroups that are not visible.
    hidden: u64,
    known: HashMap<u64, Known>,
    collection: u64,
    may_walk: bool,
}

/// What is known of an id.
#[derive(Debug)]
struct Known {
    what: What,
    /// Whether the latest walk found it.
    exists: bool,
    /// The collection that last asked for it.
    asked: u64,
}

#[derive(Debug)]
enum What {
    Named(Cgroup),
    /// First asked for after the latest walk had begun.
    Unsought,
    /// A walk that began later did not find it, so it no longer exists.
    Gone,
}

impl Cgroups {
    /// The cgroups of this host, wherever cgroup v2 is mounted (`cgroups(7)`).
    #[must_use]
    pub fn mounted() -> Self {
        let mount = Mount::find();
        let whole = mount.as_ref().is_some_and(Mount::is_whole);
        Self { mount, whole, ..Self::default() }
    }

    /// The cgroups in a folder, which stands for the root of cgroup v2.
    #[cfg(test)]
    pub(crate) fn at(root: std::path::PathBuf) -> Self {
        Self { mount: Some(Mount { point: root, root: "/".to_owned() }), whole: true, ..Self::default() }
    }

    /// Whether cgroup v2 was found; a host may have v1 alone.
    #[must_use]
    pub fn is_mounted(&self) -> bool {
        self.mount.is_some()
    }

    /// A collection begins: one walk is allowed again, and what no longer exists and was not asked for
    /// in the last three is forgotten.
    pub fn begin(&mut self) {
        self.collection += 1;
        self.may_walk = true;
        self.hidden = 0;
        let since = self.collection.saturating_sub(REMEMBERED);
        self.known.retain(|_, known| known.exists || known.asked >= since);
    }

    /// The cgroup with that id; `None` if it is not known.
    ///
    /// The first unknown id in a collection causes a walk. One that appears after it waits for the next.
    pub fn get(&mut self, id: u64) -> Option<&Cgroup> {
        if self.mount.is_none() {
            self.hidden += 1;
            return None;
        }
        let new = || Known { what: What::Unsought, exists: false, asked: 0 };
        let unsought = matches!(self.known.entry(id).or_insert_with(new).what, What::Unsought);
        if unsought && std::mem::take(&mut self.may_walk) {
            self.walk();
        }
        let known = self.known.get_mut(&id)?;
        known.asked = self.collection;
        match &known.what {
            What::Named(cgroup) => Some(cgroup),
            What::Unsought => None,
            What::Gone => {
                self.hidden += 1;
                None
            }
        }
    }

    /// How many sockets of this collection are in cgroups that are not visible, and which part of cgroup v2 is; `None`
    /// if there are none, or if all of the hierarchy is visible.
    pub(crate) fn hidden(&self) -> Option<(u64, String)> {
        let shown = || match &self.mount {
            Some(mount) => format!("only {} at {}", mount.root, mount.point.display()),
            None => "no cgroup v2 mounted".to_owned(),
        };
        (!self.whole && self.hidden > 0).then(|| (self.hidden, shown()))
    }

    /// The id of the cgroup with that path below the root of cgroup v2; `None` if there is none.
    #[must_use]
    pub fn id(&self, path: &str) -> Option<u64> {
        let folder = open(CWD, self.mount.as_ref()?.folder(path)?).ok()?;
        fstat(folder).ok().map(|found| found.st_ino)
    }

    /// Learns what exists, and what of that which was asked for does not.
    fn walk(&mut self) {
        let Some(mount) = self.mount.clone() else { return };
        for known in self.known.values_mut() {
            known.exists = false;
        }
        let walked = open(CWD, &mount.point).and_then(|top| {
            self.found(fstat(&top)?.st_ino, || mount.root.clone());
            self.walk_below(&top, &mount.root)
        });
        // Only a walk that went everywhere proves anything.
        if walked == Ok(true) {
            for known in self.known.values_mut().filter(|known| matches!(known.what, What::Unsought)) {
                known.what = What::Gone;
            }
        }
    }

    /// Walks level by level, one open folder at a time; whether it went everywhere.
    fn walk_below(&mut self, top: &OwnedFd, root: &str) -> Result<bool, Errno> {
        let mut waiting = VecDeque::from([(b".".to_vec(), 0)]);
        let (mut seen, mut bytes) = (0, 0);
        while let Some((path, depth)) = waiting.pop_front() {
            let listed = open(top, path.as_slice()).and_then(|folder| {
                each_entry(&folder, |entry| {
                    if entry.file_type() == FileType::Directory && !is_dots(entry.file_name()) {
                        let inner = [path.as_slice(), b"/", entry.file_name().to_bytes()].concat();
                        let below = inner.get(1..).unwrap_or_default();
                        let named = || format!("{root}{}", String::from_utf8_lossy(below));
                        self.found(entry.ino(), named);
                        seen += 1;
                        bytes += inner.len();
                        if depth + 1 < DEEPEST {
                            waiting.push_back((inner, depth + 1));
                        }
                    }
                    seen < MOST && bytes < MOST_BYTES
                })
            });
            // Another error is about the cgroup, which was deleted meanwhile or may not be read. These are about us.
            if let Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) = listed {
                return Err(error);
            }
            if seen >= MOST || bytes >= MOST_BYTES {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Notes that a cgroup exists; the path is made only if it is new.
    fn found(&mut self, id: u64, path: impl FnOnce() -> String) {
        let new = || Known { what: What::Unsought, exists: true, asked: 0 };
        let known = self.known.entry(id).or_insert_with(new);
        known.exists = true;
        if !matches!(known.what, What::Named(_)) {
            known.what = What::Named(Cgroup::of_path(&path()));
        }
    }
}

fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

#[cfg(test)]
mod tests;
