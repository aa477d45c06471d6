//! The search for the holders of sockets that were asked for.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::fs::CWD;
use rustix::io::Errno;

use super::super::fds::{Changes, Fds};
use super::super::handle::Links;
use super::super::scan::Scan;
use super::{Processes, open};

/// Descriptors that are read at once for a socket that is missing for the first time: those that may have changed, and
/// those of processes that have more or fewer than before. Reading them takes some 20 ms.
const MOST_AT_ONCE: u64 = 8_192;

impl Processes {
    /// Searches the holders of missing sockets, the cheapest places first; returns whether it searched everywhere.
    pub(super) fn search(&mut self, scan: &mut Scan, now: Instant) -> Result<bool, Errno> {
        let table = open(CWD, &self.proc)?;
        // The number of a descriptor that was closed is among the first to be used again.
        let (vanished, pids) = self.sockets.vanished();
        let verify = |fds: &mut Fds, links: &Links, scan: &mut Scan| {
            fds.verify(links, scan, |fd| vanished.binary_search(&fd.inode).is_ok())
        };
        self.each_while_missing(&table, scan, &pids, verify);
        let asked = self.asked();
        self.each_while_missing(&table, scan, &asked, Fds::probe);
        // A number that was a file's, or that of a socket that is not asked for, may be another's now.
        let (not_asked, left) = (self.sockets.not_asked(), Cell::new(MOST_AT_ONCE));
        for of_files in [true, false] {
            let verify = |fds: &mut Fds, links: &Links, scan: &mut Scan| {
                fds.verify(links, scan, |fd| {
                    let may_be =
                        if of_files { fd.inode == 0 } else { not_asked.binary_search(&fd.inode).is_ok() };
                    let picked = may_be && left.get() > 0;
                    left.set(left.get() - u64::from(picked));
                    picked
                })
            };
            self.each_while_missing(&table, scan, &asked, verify);
        }
        self.read_threads(&table, scan, true);
        // Only what is missing for the second time is worth a full scan: many a socket is closed between
        // the dump and the look.
        let again = self.sockets.is_missing_again();
        if self.sockets.missing() > 0 {
            self.search_new(&table, scan, now, if again { u64::MAX } else { MOST_AT_ONCE })?;
        }
        if self.collection > 1 && !again {
            return Ok(true);
        }
        let mut rest: Vec<_> = self.running.iter().map(|(pid, running)| (running.scanned, *pid)).collect();
        rest.retain(|(scanned, _)| *scanned != scan.number);
        rest.sort_unstable();
        for (_, pid) in rest {
            if !self.sockets.is_missing_again() || scan.is_spent() {
                break;
            }
            self.scan(&table, scan, pid, true);
        }
        Ok(self.read_threads(&table, scan, false))
    }

    fn each_while_missing(
        &mut self,
        table: &OwnedFd,
        scan: &mut Scan,
        pids: &[u32],
        look: impl Fn(&mut Fds, &Links, &mut Scan) -> Changes,
    ) {
        for pid in pids {
            if self.sockets.missing() == 0 || scan.is_spent() {
                break;
            }
            self.visit(table, scan, *pid, &look);
        }
    }
}
