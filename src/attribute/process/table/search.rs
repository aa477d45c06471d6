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
    /// Searches the holders of missing sockets, the cheapest places first. Gives up those that no process holds.
    pub(super) fn search(&mut self, scan: &mut Scan, now: Instant) -> Result<(), Errno> {
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
        let again = self.sockets.missing_again().min().zip(self.sockets.missing_again().max());
        if self.sockets.missing() > 0 {
            self.search_new(&table, scan, now, if again.is_some() { u64::MAX } else { MOST_AT_ONCE })?;
        }
        if self.collection > 1 && again.is_none() {
            return Ok(());
        }
        // Those that have been missing for longest come first: a host may have so many descriptors that a search reads only
        // some of them, while other sockets come and go.
        let (mut since, newest) = again.unwrap_or_default();
        while self.read_all(&table, scan, since)
            && self.read_threads(&table, scan, false)
            && !scan.spent
            && scan.failed.is_none()
        {
            self.sockets.give_up(since);
            if since == newest {
                break;
            }
            since = newest;
        }
        Ok(())
    }

    /// Reads all descriptors of the processes of which not all have been read since that pass, as long as sockets are missing
    /// again; whether none of these processes is left.
    fn read_all(&mut self, table: &OwnedFd, scan: &mut Scan, since: u32) -> bool {
        // The first time may be the end of a list that was begun before that pass.
        for _ in 0..2 {
            let rest = self.running.iter().filter(|(_, running)| running.fds.read_since < since);
            let mut rest: Vec<_> = rest.map(|(id, running)| (running.fds.read_since, *id)).collect();
            rest.sort_unstable();
            for (_, id) in rest {
                if self.sockets.missing_again().next().is_none() {
                    return true;
                }
                if scan.is_spent() || scan.failed.is_some() {
                    return false;
                }
                self.scan(table, scan, id, true);
            }
        }
        self.running.values().all(|running| running.fds.read_since >= since)
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
