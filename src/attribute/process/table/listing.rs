//! A listing of the process table: who ended, who is new, and whose number of descriptors has changed.
//!
//! Refuses to know descriptors.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::Errno;

use super::super::super::folder::{each_name, number};
use super::super::handle::descriptors;
use super::super::pass::Pass;
use super::Processes;

impl Processes {
    /// Lists the processes: drops those that ended, looks at new ones, and at those with more or fewer descriptors as
    /// long as these are no more than `most` together.
    pub(super) fn look_for_new(
        &mut self,
        table: &OwnedFd,
        pass: &mut Pass,
        now: Instant,
        most: u64,
    ) -> Result<(), Errno> {
        let mut pids = Vec::with_capacity(self.running.len());
        each_name(table, |name| {
            pids.extend(number(name.to_bytes()));
            true
        })?;
        pids.sort_unstable();
        let ended = self.running.keys().filter(|pid| pids.binary_search(pid).is_err());
        let ended: Vec<u32> = ended.copied().collect();
        for pid in ended {
            self.forget(pid);
        }

        // A kernel that counts no descriptors counts none of ours.
        let counts = descriptors(table, "self").is_ok_and(|own| own > 0);
        let scanned = |pid: &u32| self.running.get(pid).map_or(0, |running| running.scanned);
        let mut pids: Vec<_> = pids.into_iter().map(|pid| (scanned(&pid), pid)).collect();
        pids.retain(|(scanned, _)| most > 0 || *scanned == 0);
        let mut left = most;
        // New ones first: a host may have so many others that there is no time to count them all.
        pids.sort_unstable();
        for (scanned, pid) in pids {
            if pass.is_spent() {
                return Ok(());
            }
            let known = self.running.get(&pid).map_or(0, |running| running.fds.len() as u64);
            let same = || counts && descriptors(table, itoa::Buffer::new().format(pid)) == Ok(known);
            if scanned == 0 || known <= left && !same() {
                left -= if scanned == 0 { 0 } else { known };
                // Where few are looked at, those of known numbers are too: one may be another's now.
                self.scan(table, pass, pid, most < u64::MAX);
            }
        }
        self.listed = Some(now);
        if most == u64::MAX {
            self.counted = Some(now);
        }
        Ok(())
    }
}
