//! One running process: who it is, and its descriptors.
//!
//! Refuses to know other processes.

use rustix::io::Errno;

use super::Process;
use super::fds::{Changes, Fds};
use super::owner::OwnerId;

/// A process that was running when last seen.
#[derive(Debug)]
pub(super) struct Running {
    /// When it started, in clock ticks since boot.
    pub(super) start: u64,
    /// Its names.
    pub(super) process: Process,
    /// The owner that it is alone; nobody until somebody asks.
    pub(super) alone: OwnerId,
    /// Its descriptors.
    pub(super) fds: Fds,
    /// Whether it held a socket that was asked for.
    pub(super) is_asked: bool,
    /// Whether its descriptors could be looked at; `false` for want of permission.
    pub(super) is_readable: bool,
    /// The last pass that looked at all its descriptors.
    pub(super) scanned: u32,
}

impl Running {
    /// A process that was not known before.
    pub(super) fn new(start: u64, process: Process) -> Self {
        Self {
            start,
            process,
            alone: OwnerId::NOBODY,
            fds: Fds::default(),
            is_asked: false,
            is_readable: true,
            scanned: 0,
        }
    }

    /// Notes whether its descriptors could be looked at.
    pub(super) fn note_access(&mut self, changes: &Changes) {
        self.is_readable = !matches!(changes.trouble, Some(Errno::ACCESS | Errno::PERM));
    }
}
