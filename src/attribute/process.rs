//! Which processes hold which sockets, by the links in `/proc/PID/fd` (`proc(5)`).
//!
//! Of a process only its fd links, comm and exe link are read: its command line and maps would wait
//! for its memory lock. Refuses to know what a socket is connected to.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Instant;

use hashbrown::HashMap;
use rustix::fs::{CWD, Mode, OFlags, openat, readlinkat_raw};
use rustix::io::Errno;

use super::folder::{each_name, label_text, number, open};

/// A process that holds sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id as `/proc` shows it.
    pub pid: u32,
    comm: String,
    executable: String,
}

impl Process {
    /// A process with its comm and its executable's base name.
    #[must_use]
    pub const fn new(pid: u32, comm: String, executable: String) -> Self {
        Self { pid, comm, executable }
    }

    /// Whether its comm or its executable's base name is this.
    ///
    /// The kernel cuts a comm after 15 bytes, so a longer name is compared with its cut form too.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        const COMM: usize = 15;
        self.comm == name
            || self.executable == name
            || (self.comm.len() == COMM
                && name.as_bytes().starts_with(self.comm.as_bytes())
                && name.len() > COMM)
    }
}

/// The owners of every socket that the process table shows.
#[derive(Debug, Default)]
pub struct Processes {
    /// Most sockets have one owner and most owners many sockets: each set of owners is kept once.
    by_inode: HashMap<u32, u32>,
    sets: Vec<Vec<Process>>,
    /// Processes whose fds could not be read for want of permission.
    pub unreadable: u64,
    /// Whether the scan stopped at its deadline, or could not look at a process for a reason of our own.
    pub incomplete: bool,
}

impl Processes {
    /// Reads the process table below `/proc`, or a test's copy of it.
    ///
    /// Processes that end meanwhile are skipped.
    ///
    /// # Errors
    /// If the table itself cannot be read.
    pub fn scan(proc: &Path, deadline: Instant) -> Result<Self, Errno> {
        let mut found = Self::default();
        let table = open(CWD, proc)?;
        let mut error = None;
        each_name(&table, |name| {
            if Instant::now() >= deadline {
                found.incomplete = true;
                return false;
            }
            let Some(pid) = number(name.to_bytes()) else { return true };
            match found.read(&table, name, pid) {
                Err(Errno::ACCESS | Errno::PERM) => found.unreadable += 1,
                // It ended between the listing and the look.
                Ok(()) | Err(Errno::NOENT | Errno::SRCH) => {}
                // Such as EMFILE, which is about us and not about the process.
                Err(other) => {
                    found.incomplete = true;
                    error = Some(other);
                }
            }
            true
        })?;
        error.filter(|_| found.sets.is_empty()).map_or(Ok(found), Err)
    }

    /// The processes that hold the socket with this inode, pids ascending; empty if unknown.
    #[must_use]
    pub fn of(&self, inode: Option<u32>) -> &[Process] {
        let set = inode.and_then(|inode| self.by_inode.get(&inode));
        set.and_then(|set| self.sets.get(*set as usize)).map_or(&[], Vec::as_slice)
    }

    fn read(&mut self, table: &OwnedFd, name: &CStr, pid: u32) -> Result<(), Errno> {
        let process = open(table, name)?;
        let fds = open(&process, c"fd")?;
        let mut inodes = Vec::new();
        let mut forbidden = None;
        each_name(&fds, |name| {
            let mut target = [MaybeUninit::uninit(); 32];
            match readlinkat_raw(&fds, name, &mut target) {
                Ok((target, _)) => inodes.extend(socket_inode(target)),
                Err(error @ (Errno::ACCESS | Errno::PERM)) => forbidden = Some(error),
                // It was closed between the listing and the look.
                Err(_) => {}
            }
            forbidden.is_none()
        })?;
        if !inodes.is_empty() {
            inodes.sort_unstable();
            inodes.dedup();
            self.add(&Process::new(pid, comm(&process)?, executable(&process)), &inodes);
        }
        forbidden.map_or(Ok(()), Err)
    }

    fn add(&mut self, process: &Process, inodes: &[u32]) {
        let mut with: HashMap<Option<u32>, u32> = HashMap::new();
        for inode in inodes {
            let before = self.by_inode.get(inode).copied();
            let set = *with.entry(before).or_insert_with(|| {
                let mut owners =
                    before.and_then(|set| self.sets.get(set as usize).cloned()).unwrap_or_default();
                owners.push(process.clone());
                owners.sort_unstable_by_key(|owner| owner.pid);
                self.sets.push(owners);
                // There are fewer sets than file descriptors on a host.
                u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX)
            });
            self.by_inode.insert(*inode, set);
        }
    }
}

/// The inode in a link's target `socket:[INODE]`.
fn socket_inode(target: &[u8]) -> Option<u32> {
    number(target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

/// The name that the process gave itself; whoever may name a process may put any byte there.
fn comm(process: &OwnedFd) -> Result<String, Errno> {
    let mut buffer = [0; 64];
    let file = openat(process, c"comm", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let length = rustix::io::read(file, &mut buffer)?;
    let text = buffer.get(..length).unwrap_or_default();
    Ok(label_text(text.strip_suffix(b"\n").unwrap_or(text)))
}

/// The executable's base name; empty where the link may not be read.
fn executable(process: &OwnedFd) -> String {
    let mut target = [MaybeUninit::uninit(); 4096];
    let Ok((path, _)) = readlinkat_raw(process, c"exe", &mut target) else { return String::new() };
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    label_text(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())
}
