//! Threads with a table of open files of their own (`unshare(2)`, `CLONE_FILES`).
//!
//! They are few: threads are read only if sockets have no owner after all processes were searched.

use std::collections::HashSet;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::super::handle::Handle;
use super::super::refresh::TURN;
use super::super::running::Running;
use super::super::scan::Scan;
use super::Processes;

/// Threads per scan that are compared with their processes; they take some 5 ms.
const MOST_THREADS: u64 = 8_192;

impl Processes {
    /// Looks for such threads as long as sockets are missing, in processes `known` to have some or in all; whether
    /// none is left.
    ///
    /// A process is read again after a turn, or when its number of threads has changed.
    pub(super) fn read_threads(&mut self, table: &OwnedFd, scan: &mut Scan, known: bool) -> bool {
        let threads = self.running.iter().filter(|(id, running)| !running.is_of(**id));
        let with_tables: HashSet<u32> = threads.map(|(_, running)| running.process.pid).collect();
        if known && with_tables.is_empty() {
            return true;
        }
        let fresh = scan.now.checked_sub(u32::try_from(TURN.as_secs()).unwrap_or(u32::MAX));
        let is_due = |pid: &u32, running: &Running| {
            running.is_of(*pid)
                && running.threads > 1
                && (with_tables.contains(pid) || !known && running.compared.is_none_or(|at| Some(at) < fresh))
        };
        let due = self.running.iter().filter(|(pid, running)| is_due(pid, running));
        let mut due: Vec<_> = due.map(|(pid, running)| (running.compared, *pid)).collect();
        due.sort_unstable();
        for (_, pid) in due {
            if self.sockets.missing() == 0 {
                break;
            }
            if scan.threads >= MOST_THREADS || scan.is_spent() {
                return false;
            }
            // A process that has ended has no threads.
            let _ = self.compare(table, scan, pid);
        }
        true
    }

    /// Compares the threads of a process, and reads the tables that are not the process's.
    fn compare(&mut self, table: &OwnedFd, scan: &mut Scan, pid: u32) -> Result<(), Errno> {
        let handle = Handle::open(table, pid)?;
        let stat = handle.stat()?;
        let threads = handle.threads()?;
        let (main, _) = handle.with_files(pid, &stat)?;
        let Some(process) = self.running.get_mut(&pid) else { return Ok(()) };
        process.compared = Some(scan.now);
        let process = process.process.clone();
        let is_known = |id: &u32| self.running.get(id).is_some_and(|running| running.process.pid == pid);
        let mut tables = vec![main];
        tables.extend(threads.iter().filter(|id| **id != pid && is_known(id)));
        for id in threads.into_iter().filter(|id| *id != pid) {
            scan.threads += 1;
            // A thread that cannot be compared, because it ended for instance, is taken for one of the others.
            let shares = |other: &u32| {
                *other == id || (self.kernel.share_files)(&self.proc, *other, id).unwrap_or(true)
            };
            if !tables.iter().any(shares) {
                tables.push(id);
                // An entry with this id is of another that ended.
                self.forget(id);
                self.running.insert(id, Running::new(stat.start, process.clone()));
                self.scan(table, scan, id, true);
            }
        }
        Ok(())
    }
}
