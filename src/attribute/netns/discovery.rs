//! Which network namespaces there are, by the processes in them and the files that name them.
//!
//! One link of each process is read and nothing is opened; `threads` reads those of threads. A namespace that only sockets
//! or files elsewhere keep alive is not found.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use rustix::fs::{AtFlags, CWD, stat, statat};
use rustix::io::Errno;

use super::{Namespace, NetnsListing, OWN, Scope, UNKNOWN, Which};
use crate::attribute::dir::{each_name, label_text, number, open};

/// Where namespaces have names; the first that has one for a namespace wins.
const FOLDERS: [&str; 2] = ["/run/netns", "/run/docker/netns"];

/// Lists them.
pub(super) fn discover(scope: &Scope) -> io::Result<NetnsListing> {
    let mut found = Found { own: scope.own, ..Found::default() };
    found.note(scope.own).name.clone_from(&scope.name);
    if scope.which != Which::Own {
        found.processes(scope).map_err(|error| {
            let text = format!("cannot read the process table {}: {error}", scope.proc.display());
            io::Error::new(io::Error::from(error).kind(), text)
        })?;
    }
    let mut listing = NetnsListing { hidden: found.hidden, ..NetnsListing::default() };
    // A name that is asked for is the one that is shown.
    let wanted = |name: &str| match &scope.which {
        Which::Named(names) => names.iter().any(|wanted| wanted == name),
        Which::Own | Which::All => true,
    };
    let names = names();
    for (name, file, inode) in &names {
        // No process need be in a namespace with a name.
        if scope.which != Which::Own {
            found.note(*inode);
        }
        if let Some(namespace) = found.by_inode.get_mut(inode).filter(|one| one.file.is_none())
            && wanted(name)
            && !namespace.own
        {
            namespace.name.clone_from(name);
            namespace.file = Some(file.clone());
        }
    }
    let all = found.by_inode.into_values().filter(|namespace| namespace.own || wanted(&namespace.name));
    listing.namespaces = all.collect();
    listing.namespaces.sort_by_key(|namespace| !namespace.own);
    if let Which::Named(wanted) = &scope.which {
        let has = |wanted: &str| {
            names.iter().any(|(name, ..)| name == wanted)
                || listing.namespaces.iter().any(|namespace| namespace.name == wanted)
        };
        listing.unknown = wanted.iter().filter(|wanted| !has(wanted)).cloned().collect();
    }
    Ok(listing)
}

/// The namespaces found so far.
#[derive(Default)]
struct Found {
    own: u64,
    by_inode: BTreeMap<u64, Namespace>,
    hidden: u64,
}

impl Found {
    fn note(&mut self, inode: u64) -> &mut Namespace {
        let own = inode == self.own;
        let name = inode.to_string();
        self.by_inode.entry(inode).or_insert(Namespace { inode, name, file: None, pid: None, own })
    }

    fn processes(&mut self, scope: &Scope) -> Result<(), Errno> {
        let table = open(CWD, &scope.proc)?;
        let mut path = Vec::new();
        let (mut living, mut ended) = (Vec::new(), Vec::new());
        each_name(&table, |name| {
            let Some(pid) = number(name.to_bytes()) else { return true };
            path.clear();
            path.extend_from_slice(name.to_bytes());
            path.extend_from_slice(b"/ns/net");
            match statat(&table, path.as_slice(), AtFlags::empty()) {
                Ok(link) => {
                    let lowest = &mut self.note(link.st_ino).pid;
                    *lowest = Some(lowest.map_or(pid, |lowest| lowest.min(pid)));
                    living.push(pid);
                }
                Err(Errno::ACCESS | Errno::PERM) => self.hidden += 1,
                // It ended, or its main thread has and others go on.
                Err(_) => ended.push(pid),
            }
            true
        })?;
        living.sort_unstable();
        let mut threads = scope.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |inode| self.by_inode.get(&inode).is_some_and(|namespace| namespace.pid.is_some());
        let found: Vec<_> = threads
            .find(&table, &living, &ended, known)
            .iter()
            .map(|(inode, thread)| (*inode, thread.id))
            .collect();
        for (inode, thread) in found {
            self.note(inode).pid = Some(thread);
        }
        Ok(())
    }
}

/// The name of our own, for good: a name that an administrator or Docker gives it later would
/// part what connections have counted before from what they count from then on.
pub(super) fn own_name(own: u64) -> String {
    let of_administrator =
        |(_, file, inode): &(String, PathBuf, u64)| *inode == own && file.starts_with(FOLDERS[0]);
    let named = names().into_iter().find(of_administrator).map(|(name, ..)| name);
    named.unwrap_or_else(|| if own == 0 { UNKNOWN.to_owned() } else { own.to_string() })
}

/// The names of namespaces, with their files and inodes, in the order in which they count.
fn names() -> Vec<(String, PathBuf, u64)> {
    // All files of namespaces are on one file system, others beside them are on another.
    let Ok(device) = stat(OWN).map(|own| own.st_dev) else { return Vec::new() };
    let mut all = Vec::new();
    for path in FOLDERS {
        // A host without names, or a folder that is not ours to read: then inodes are the names.
        let Ok(folder) = open(CWD, path) else { continue };
        let mut here = Vec::new();
        // What was listed before an error is true.
        let _ = each_name(&folder, |name| {
            if let Ok(file) = statat(folder.as_fd(), name, AtFlags::empty())
                && file.st_dev == device
            {
                let bytes = name.to_bytes();
                here.push((label_text(bytes), Path::new(path).join(OsStr::from_bytes(bytes)), file.st_ino));
            }
            true
        });
        here.sort_unstable();
        all.append(&mut here);
    }
    all
}
