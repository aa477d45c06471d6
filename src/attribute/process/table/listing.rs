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
    /// Lists the processes: drops those that ended, looks at new ones and at those with more or fewer descriptors.
    pub(super) fn look_for_new(
        &mut self,
        table: &OwnedFd,
        pass: &mut Pass,
        now: Instant,
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
        let mut changed = Vec::new();
        for pid in pids {
            if pass.is_spent() {
                return Ok(());
            }
            pass.processes += 1;
            let running = self.running.get(&pid);
            let same = running.is_some_and(|running| {
                let now = descriptors(table, itoa::Buffer::new().format(pid));
                counts && now == Ok(running.fds.len() as u64)
            });
            if !same {
                changed.push((running.map_or(0, |running| running.scanned), pid));
            }
        }
        changed.sort_unstable();
        for (_, pid) in changed {
            if pass.is_spent() {
                return Ok(());
            }
            self.scan(table, pass, pid, false);
        }
        self.listed = Some(now);
        Ok(())
    }
}
