//! One pass over the process table: its time and what it has cost.

use std::time::Instant;

use rustix::io::Errno;

use super::handle::Links;

/// What the passes of a collection have cost, and what they left open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanCost {
    /// Descriptors read.
    pub descriptors: u64,
    /// Times that a process was read.
    pub processes: u64,
    /// Threads whose table of open files was compared with that of their process.
    pub threads: u64,
    /// Sockets asked for whose holders are unknown.
    pub unknown: usize,
}

/// A pass that is under way.
#[derive(Debug)]
pub(super) struct Scan {
    /// Which pass this is.
    pub(super) number: u32,
    /// When it began, in seconds of the table's clock: what it sees was so then or later.
    pub(super) now: u32,
    /// Descriptors read.
    pub(super) descriptors: u64,
    /// Processes read.
    pub(super) processes: u64,
    /// Threads compared.
    pub(super) threads: u64,
    /// Why something could not be inspected that is about this process, such as too many open files.
    pub(super) failed: Option<Errno>,
    /// Whether its time was over when it was last asked.
    pub(super) spent: bool,
    pub(super) until: Instant,
    /// How often a test lets it be asked for time.
    #[cfg(test)]
    pub(super) asked_at_most: u32,
}

impl Scan {
    /// A pass that must end at `until`.
    pub(super) const fn new(number: u32, now: u32, until: Instant) -> Self {
        Self {
            number,
            now,
            descriptors: 0,
            processes: 0,
            threads: 0,
            failed: None,
            spent: false,
            until,
            #[cfg(test)]
            asked_at_most: u32::MAX,
        }
    }

    /// Whether its time is over.
    pub(super) fn is_spent(&mut self) -> bool {
        self.spent = self.spent || Instant::now() >= self.until;
        #[cfg(test)]
        match self.asked_at_most.checked_sub(1) {
            Some(left) => self.asked_at_most = left,
            None => self.spent = true,
        }
        self.spent
    }

    /// Looks at a descriptor, as [`Links::inode`] does.
    pub(super) fn inode(&mut self, links: &Links, descriptor: u32) -> Result<u32, Errno> {
        self.descriptors += 1;
        links.inode(descriptor)
    }
}
