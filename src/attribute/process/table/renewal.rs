//! The start of a collection: names are read again, and a part of the known descriptors, or their number.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, statat};

use super::super::fds::Changes;
use super::super::scan::Scan;
use super::{Processes, open};

/// Seconds for which a descriptor that was read is not due again.
const FRESH: u32 = 5;
/// The interval of searches for new processes, and of searches for processes whose number of descriptors has changed,
/// which may share sockets now.
const LISTING: Duration = Duration::from_secs(10);
const COUNTING: Duration = Duration::from_secs(40);

impl Processes {
    /// Looks again at names, at a share of what is known, and for new processes.
    pub(super) fn renew(&mut self, scan: &mut Scan, now: Instant, elapsed: Duration) -> io::Result<()> {
        let table = open(CWD, &self.proc)?;
        for pid in self.asked() {
            if scan.is_spent() {
                break;
            }
            self.visit(&table, scan, pid, |_, _, _| Changes::default());
        }
        self.read_in_turn(&table, scan, elapsed);
        let is_due = |last: Option<Instant>, after| {
            last.is_none_or(|last| now.saturating_duration_since(last) >= after)
        };
        if is_due(self.times.listed, LISTING) {
            let most = if is_due(self.times.counted, COUNTING) { u64::MAX } else { 0 };
            self.is_foreign = statat(&table, "self", AtFlags::empty()).is_err();
            self.search_new(&table, scan, now, most)?;
            if self.running.is_empty() && !scan.spent && scan.failed.is_none() {
                self.times.listed = None;
                let text = "found no process in it; expected the exporter itself: mount proc(5) there";
                return Err(io::Error::new(io::ErrorKind::NotFound, text));
            }
        }
        Ok(())
    }

    /// Looks again at what was seen longest ago, as much as is due after that time.
    fn read_in_turn(&mut self, table: &OwnedFd, scan: &mut Scan, elapsed: Duration) {
        let total = self.running.values().map(|running| running.fds.len() as u64).sum();
        let mut left = self.refresh.due(total, elapsed);
        let mut restarts = 0;
        while left > 0 && !scan.is_spent() {
            let (first, from) = self.refresh.next;
            let Some((&pid, running)) = self.running.range(first..).next() else {
                self.refresh.restart(total);
                restarts += 1;
                if restarts > 1 {
                    break;
                }
                continue;
            };
            let from = if pid == first { from } else { 0 };
            self.refresh.next = (pid.saturating_add(1), 0);
            if running.fds.len() == 0 {
                continue;
            }
            let (mut last, count) = (from, self.kernel.count);
            self.visit(table, scan, pid, |fds, links, scan| {
                let (now, as_many) = (scan.now, count(links) == fds.len() as u64);
                fds.verify(links, scan, |fd| {
                    if fd.number < from || left == 0 {
                        return false;
                    }
                    left -= 1;
                    last = fd.number;
                    if as_many && !fd.is_due(now) {
                        fd.confirm(now);
                    }
                    fd.unseen(now) >= FRESH
                })
            });
            if left == 0 || scan.spent {
                // Without time for the last one, it comes first the next time.
                self.refresh.next = (pid, last.saturating_add(u32::from(!scan.spent)));
            }
        }
        if scan.spent {
            self.refresh.owe(left);
        }
    }
}
