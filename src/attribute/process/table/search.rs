//! The search for the holders of sockets that were asked for.
//!
//! Refuses to know who asked.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::fs::CWD;
use rustix::io::Errno;

use super::super::fds::{Changes, Fds};
use super::super::handle::Links;
use super::super::pass::Pass;
use super::{Processes, open};

impl Processes {
    /// Looks for the holders of what is missing, where they are found most cheaply first.
    pub(super) fn search(&mut self, pass: &mut Pass, now: Instant) -> Result<(), Errno> {
        let table = open(CWD, &self.proc)?;
        // The number of a descriptor that was closed is among the first to be used again.
        let (vanished, pids) = self.sockets.vanished();
        let verify = |fds: &mut Fds, links: &Links, pass: &mut Pass| {
            fds.verify(links, pass, |fd| vanished.contains(&fd.inode))
        };
        self.each_while_missing(&table, pass, &pids, verify);
        let asked = self.asked();
        self.each_while_missing(&table, pass, &asked, Fds::probe);
        // A number that was a file's, or a folder's of ours, may be a socket's now.
        let verify =
            |fds: &mut Fds, links: &Links, pass: &mut Pass| fds.verify(links, pass, |fd| fd.inode == 0);
        self.each_while_missing(&table, pass, &asked, verify);
        if self.sockets.missing() > 0 {
            self.look_for_new(&table, pass, now)?;
        }
        let mut rest: Vec<_> = self.running.iter().map(|(pid, running)| (running.scanned, *pid)).collect();
        rest.retain(|(scanned, _)| *scanned != pass.number);
        rest.sort_unstable();
        for (_, pid) in rest {
            if self.sockets.missing() == 0 || pass.is_spent() {
                break;
            }
            self.scan(&table, pass, pid, true);
        }
        Ok(())
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
