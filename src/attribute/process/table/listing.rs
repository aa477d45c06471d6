//! A listing of the process table: which processes ended, are new, or have more or fewer descriptors.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::Errno;

use super::super::super::dir::{each_name, number};
use super::super::handle::descriptors;
use super::super::running::Running;
use super::super::scan::Scan;
use super::Processes;

/// The folder of a process or of its thread in the process table.
fn folder(id: u32, running: Option<&Running>) -> String {
    match running {
        Some(running) if !running.is_of(id) => format!("{}/task/{id}", running.process.pid),
        _ => id.to_string(),
    }
}

impl Processes {
    /// Lists the processes: drops those that ended, reads new ones, and reads those with more or fewer descriptors as
    /// long as these are no more than `most` together.
    pub(super) fn search_new(
        &mut self,
        table: &OwnedFd,
        scan: &mut Scan,
        now: Instant,
        most: u64,
    ) -> Result<(), Errno> {
        let mut pids = Vec::with_capacity(self.running.len());
        each_name(table, |name| {
            pids.extend(number(name.to_bytes()));
            true
        })?;
        pids.sort_unstable();
        let runs = |pid: &u32| pids.binary_search(pid).is_ok();
        // The id of a thread that ended may be that of a process now.
        let lives =
            |id: &u32, running: &Running| runs(&running.process.pid) && running.is_of(*id) == runs(id);
        let ended = self.running.iter().filter(|(id, running)| !lives(id, running)).map(|(id, _)| *id);
        for id in ended.collect::<Vec<_>>() {
            self.forget(id);
        }

        // A kernel that reports no number of descriptors reports none of ours.
        let counts = descriptors(table, "self").is_ok_and(|own| own > 0);
        let progress = |id: &u32| {
            let fds = self.running.get(id).map(|running| &running.fds);
            fds.map_or((false, 0), |fds| (fds.read_since > 0 || fds.len() > 0, fds.read_since))
        };
        let threads = self.running.iter().filter(|(id, running)| !running.is_of(**id)).map(|(id, _)| *id);
        pids.extend(threads);
        let mut ids: Vec<_> = pids.into_iter().map(|id| (progress(&id), id)).collect();
        ids.retain(|((is_begun, _), _)| most > 0 || !is_begun);
        let mut left = most;
        // New ones first: a host may have so many others that there is no time to count them all.
        ids.sort_unstable();
        for ((is_begun, _), id) in ids {
            if scan.is_spent() {
                return Ok(());
            }
            let running = self.running.get(&id);
            let known = running.map_or(0, |running| running.fds.len() as u64);
            let same = || counts && descriptors(table, &folder(id, running)) == Ok(known);
            if !is_begun || known <= left && !same() {
                left -= if is_begun { known } else { 0 };
                // Where few are read, those of known numbers are too: one may be another's now.
                self.scan(table, scan, id, most < u64::MAX);
            }
        }
        self.times.listed = Some(now);
        if most == u64::MAX {
            self.times.counted = Some(now);
        }
        Ok(())
    }
}
