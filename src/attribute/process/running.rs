//! One table of open files: that of a process, or that of a thread with its own.

use super::Process;
use super::fds::{Changes, Fds};
use super::owner::OwnerId;

/// A table of open files, and the process that it belongs to, as they were when last seen.
#[derive(Debug)]
pub(super) struct Running {
    /// When it started, in clock ticks since boot.
    pub(super) start: u64,
    /// The process and its names.
    pub(super) process: Process,
    /// How many threads the process has.
    pub(super) threads: u32,
    /// When these were compared, in seconds of the table's clock.
    pub(super) compared: Option<u32>,
    /// The owner that it is alone; none until it is asked for.
    pub(super) sole: OwnerId,
    /// Its descriptors.
    pub(super) fds: Fds,
    /// Whether it held a socket that was asked for.
    pub(super) is_asked: bool,
    /// Whether its descriptors could be read; `false` without permission.
    pub(super) is_readable: bool,
}

impl Running {
    /// A process that was not known before.
    pub(super) fn new(start: u64, process: Process) -> Self {
        Self {
            start,
            process,
            threads: 0,
            compared: None,
            sole: OwnerId::NO_PROCESS,
            fds: Fds::default(),
            is_asked: false,
            is_readable: true,
        }
    }

    /// Whether that is the id of the process, and not of a thread.
    pub(super) const fn is_of(&self, id: u32) -> bool {
        self.process.pid == id
    }

    /// Notes how many threads the process has.
    pub(super) fn note_threads(&mut self, threads: u32) {
        if self.threads != threads {
            (self.threads, self.compared) = (threads, None);
        }
    }

    /// Notes whether its descriptors could be read.
    pub(super) fn note_access(&mut self, changes: &Changes) {
        self.is_readable = !changes.is_forbidden();
    }
}
