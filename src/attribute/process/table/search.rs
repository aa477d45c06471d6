//! The search for the holders of sockets that were asked for.
//!
//! Refuses to know who asked.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::fs::CWD;
use rustix::io::Errno;

use super::super::fds::{Changes, Fds};
use super::super::handle::Links;
use super::super::pass::Pass;
use super::{Processes, open};

/// So many descriptors that may have changed, and of processes that have more or fewer of them than before, are looked
/// at for what is missing for the first time; they take some 20 ms.
const MOST_AT_ONCE: u64 = 8_192;

impl Processes {
    /// Looks for the holders of what is missing, where they are found most cheaply first; whether it looked everywhere.
    pub(super) fn search(&mut self, pass: &mut Pass, now: Instant) -> Result<bool, Errno> {
        let table = open(CWD, &self.proc)?;
        // The number of a descriptor that was closed is among the first to be used again.
        let (vanished, pids) = self.sockets.vanished();
        let verify = |fds: &mut Fds, links: &Links, pass: &mut Pass| {
            fds.verify(links, pass, |fd| vanished.contains(&fd.inode))
        };
        self.each_while_missing(&table, pass, &pids, verify);
        let asked = self.asked();
        self.each_while_missing(&table, pass, &asked, Fds::probe);
        // A number that was a file's, or that of a socket nobody asks for, may be another's now.
        let verify =
            |fds: &mut Fds, links: &Links, pass: &mut Pass| fds.verify(links, pass, |fd| fd.inode == 0);
        self.each_while_missing(&table, pass, &asked, verify);
        let (unasked, left) = (self.sockets.unasked(), Cell::new(MOST_AT_ONCE));
        let verify = |fds: &mut Fds, links: &Links, pass: &mut Pass| {
            fds.verify(links, pass, |fd| {
                let picked = left.get() > 0 && unasked.contains(&fd.inode);
                left.set(left.get() - u64::from(picked));
                picked
            })
        };
        self.each_while_missing(&table, pass, &asked, verify);
        self.look_at_threads(&table, pass, true);
        // Only what is missing for the second time is worth a look at everything: many a socket is closed between
        // the dump and the look.
        let again = self.sockets.is_missing_again();
        if self.sockets.missing() > 0 {
            self.look_for_new(&table, pass, now, if again { u64::MAX } else { MOST_AT_ONCE })?;
        }
        if self.collection > 1 && !again {
            return Ok(true);
        }
        let mut rest: Vec<_> = self.running.iter().map(|(pid, running)| (running.scanned, *pid)).collect();
        rest.retain(|(scanned, _)| *scanned != pass.number);
        rest.sort_unstable();
        for (_, pid) in rest {
            if !self.sockets.is_missing_again() || pass.is_spent() {
                break;
            }
            self.scan(&table, pass, pid, true);
        }
        Ok(self.look_at_threads(&table, pass, false))
    }

    fn each_while_missing(
        &mut self,
        table: &OwnedFd,
        pass: &mut Pass,
        pids: &[u32],
        look: impl Fn(&mut Fds, &Links, &mut Pass) -> Changes,
    ) {
        for pid in pids {
            if self.sockets.missing() == 0 || pass.is_spent() {
                break;
            }
            self.visit(table, pass, *pid, &look);
        }
    }
}
