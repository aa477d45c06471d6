//! An open folder of one process: it stays that process's, even if another process gets its id.
//!
//! Command lines, environments and maps are never read: they would wait for the process's memory lock.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, SeekFrom, fstat, openat, readlinkat_raw, seek, statat};
use rustix::io::Errno;

use super::super::cgroup::Cgroup;
use super::super::dir::{each_entry, each_name, label_text, number, open};
use super::stat::Stat;

/// An open `/proc/PID`.
#[derive(Debug)]
pub(super) struct Handle(OwnedFd);

impl Handle {
    /// Opens the folder of a process in the process table.
    pub(super) fn open(table: &OwnedFd, pid: u32) -> Result<Self, Errno> {
        open(table, itoa::Buffer::new().format(pid)).map(Self)
    }

    /// An open folder of a process.
    #[cfg(test)]
    pub(super) const fn of(folder: OwnedFd) -> Self {
        Self(folder)
    }

    /// Its name and the time of its start; [`Errno::INVAL`] for a text that is none.
    pub(super) fn stat(&self) -> Result<Stat, Errno> {
        Stat::parse(&self.read::<1024>("stat")?).ok_or(Errno::INVAL)
    }

    /// The executable's base name; empty where the link may not be read.
    pub(super) fn executable(&self) -> String {
        let mut target = [MaybeUninit::uninit(); 4096];
        let Ok((path, _)) = readlinkat_raw(&self.0, c"exe", &mut target) else { return String::new() };
        let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
        label_text(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())
    }

    /// Its cgroup; `None` where that cannot be read.
    pub(super) fn cgroup(&self) -> Option<Cgroup> {
        let text = self.read::<8192>("cgroup").ok()?;
        Cgroup::of_process(&String::from_utf8_lossy(&text))
    }

    /// The ids of its threads.
    pub(super) fn threads(&self) -> Result<Vec<u32>, Errno> {
        let mut ids = Vec::new();
        each_name(&open(&self.0, c"task")?, |name| {
            ids.extend(number(name.to_bytes()));
            true
        })?;
        Ok(ids)
    }

    /// The folder of one of its threads.
    pub(super) fn thread(&self, id: u32) -> Result<Self, Errno> {
        open(&self.0, ["task/", itoa::Buffer::new().format(id)].concat()).map(Self)
    }

    /// The id and the folder of the thread that shows the files of the process: the main one as long as it lives.
    pub(super) fn with_files(self, pid: u32, stat: &Stat) -> Result<(u32, Self), Errno> {
        if stat.is_leaderless() {
            for id in self.threads()? {
                if id != pid
                    && let Ok(thread) = self.thread(id)
                    && thread.links().is_ok()
                {
                    return Ok((id, thread));
                }
            }
        }
        Ok((pid, self))
    }

    /// Its descriptors.
    pub(super) fn links(&self) -> Result<Links, Errno> {
        open(&self.0, c"fd").map(Links)
    }

    fn read<const MOST: usize>(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let mut buffer = [0; MOST];
        let file = openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let length = rustix::io::read(file, &mut buffer)?;
        Ok(buffer.get(..length).unwrap_or_default().to_vec())
    }
}

/// An open `/proc/PID/fd`.
#[derive(Debug)]
pub(super) struct Links(OwnedFd);

impl Links {
    /// How many are open (`proc_fd_getattr`, Linux 6.2); 0 from older kernels.
    pub(super) fn count(&self) -> u64 {
        fstat(&self.0).map_or(0, |found| u64::try_from(found.st_size).unwrap_or(0))
    }

    /// Calls `each` with the number of every open descriptor until it says no, beginning at a place in the list: 0, or that
    /// behind an earlier one, which `each` is also given.
    pub(super) fn each(&self, from: u64, mut each: impl FnMut(u32, u64) -> bool) -> Result<(), Errno> {
        seek(&self.0, SeekFrom::Start(from))?;
        each_entry(&self.0, |entry| {
            let number = number(entry.file_name().to_bytes());
            number.is_none_or(|number| each(number, entry.next_entry_cookie()))
        })
    }

    /// The inode of the socket that a descriptor is, 0 if it is something else; [`Errno::NOENT`] if it is closed.
    pub(super) fn inode(&self, descriptor: u32) -> Result<u32, Errno> {
        let mut target = [MaybeUninit::uninit(); 32];
        match readlinkat_raw(&self.0, itoa::Buffer::new().format(descriptor), &mut target) {
            Ok((target, _)) => Ok(socket_inode(target).unwrap_or(0)),
            // The path may be too long for the kernel to return; then it is a file and no socket.
            Err(Errno::NAMETOOLONG) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// How many descriptors a process has open (`proc_fd_getattr`, Linux 6.2); 0 from older kernels.
pub(super) fn descriptors(table: &OwnedFd, process: &str) -> Result<u64, Errno> {
    statat(table, [process, "/fd"].concat(), AtFlags::empty())
        .map(|found| u64::try_from(found.st_size).unwrap_or(0))
}

/// The inode in a link's target `socket:[INODE]`.
fn socket_inode(target: &[u8]) -> Option<u32> {
    number(target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, mkdirat};

    use super::*;

    #[test]
    fn a_file_with_a_path_too_long_to_be_shown_is_no_socket_and_no_trouble() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut inner = open(CWD, folder.path()).expect("a folder");
        let name = "d".repeat(200);
        for _ in 0..21 {
            mkdirat(&inner, &name, Mode::RWXU).expect("a folder");
            inner = open(&inner, &name).expect("a folder");
        }
        let links = open(CWD, "/proc/self").map(Handle).and_then(|own| own.links()).expect("our own");
        let descriptor = u32::try_from(std::os::fd::AsRawFd::as_raw_fd(&inner)).expect("open");
        assert_eq!(links.inode(descriptor), Ok(0));
    }
}
