//! The descriptors of one process, as they were when last seen.

use std::mem::take;

use rustix::io::Errno;

use super::handle::Links;
use super::refresh::COUNTED;
use super::scan::Scan;

/// Descriptors whose memory is not worth giving back.
const FEW: usize = 64;

/// Free numbers in a row that end the search for descriptors.
const FREE_IN_A_ROW: u32 = 8;

/// A descriptor as it was when last seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fd {
    /// Its number.
    pub(super) number: u32,
    /// The inode of the socket that it is; 0 if it is something else.
    pub(super) inode: u32,
    /// Above, until when it was seen to be that, in seconds of the table's clock modulo 2^24; below, how many seconds before
    /// that it was read.
    times: u32,
}

/// Seconds between the times at which two descriptors with successive numbers are due: few numbers already spread over
/// [`COUNTED`] evenly, as it is not a multiple and the ratio is near to the golden one.
const APART: u32 = 149;

/// The bits of the seconds between the time that a descriptor was read and the time until which it was seen.
const READ_BITS: u32 = COUNTED.ilog2() + 1;

impl Fd {
    /// A descriptor that is read at that time.
    const fn new(number: u32, inode: u32, now: u32) -> Self {
        Self { number, inode, times: now << READ_BITS }
    }

    /// For how many seconds it has not been seen.
    pub(super) fn unseen(self, now: u32) -> u32 {
        let ago = (now << READ_BITS).wrapping_sub(self.times >> READ_BITS << READ_BITS).cast_signed();
        // It may have been seen after the pass began that asks.
        ago.max(0).cast_unsigned() >> READ_BITS
    }

    /// For how many seconds it has not been read.
    pub(super) fn unread(self, now: u32) -> u32 {
        self.unseen(now) + (self.times & ((1 << READ_BITS) - 1))
    }

    /// Whether it is to be read even if its process has as many as are known. Each number has a time of its own in
    /// [`COUNTED`] seconds: all were read at the same time once, and are not due at the same time again.
    pub(super) fn is_due(self, now: u32) -> bool {
        let period = |time: u32| time.wrapping_add(self.number.wrapping_mul(APART)) / COUNTED;
        period(now) != period(now.wrapping_sub(self.unread(now)))
    }

    /// Notes that it needs no look now. It is not due, and so was read less than [`COUNTED`] seconds ago.
    pub(super) fn confirm(&mut self, now: u32) {
        self.times = now << READ_BITS | self.unread(now);
    }
}

/// The known descriptors of a process.
#[derive(Debug, Default)]
pub(super) struct Fds {
    /// By number.
    known: Vec<Fd>,
    /// How far scans have come that read new numbers only.
    of_new: Progress,
    /// How far scans have come that read all.
    of_all: Progress,
    /// All have been read since that pass began, as far as they may be; 0 if that has never been so.
    pub(super) read_since: u32,
}

/// How far scans have come that have no time for a whole list of descriptors.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Where in the list the next one begins: where the last one had no more time, else 0.
    next: u64,
    /// The pass that was at the beginning of the list.
    begun: u32,
}

/// Which sockets a process has and had not, or had and has not.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The inodes of those that it has.
    pub(super) come: Vec<u32>,
    /// The inodes of those that it has no longer.
    pub(super) gone: Vec<u32>,
    /// Why not all could be read.
    pub(super) trouble: Option<Errno>,
}

impl Changes {
    /// Nothing could be read.
    pub(super) fn failed(trouble: Errno) -> Self {
        Self { trouble: Some(trouble), ..Self::default() }
    }

    /// Whether there was no permission to read all.
    pub(super) const fn is_forbidden(&self) -> bool {
        matches!(self.trouble, Some(Errno::ACCESS | Errno::PERM))
    }

    fn note(&mut self, before: u32, after: u32) {
        if before != after {
            self.gone.extend((before != 0).then_some(before));
            self.come.extend((after != 0).then_some(after));
        }
    }

    /// Takes back what a process has not lost, because another descriptor of it is the same socket.
    fn settled(mut self, fds: &Fds) -> Self {
        if !self.gone.is_empty() {
            self.gone.sort_unstable();
            self.gone.dedup();
            let mut still: Vec<_> =
                fds.sockets().filter(|inode| self.gone.binary_search(inode).is_ok()).collect();
            still.sort_unstable();
            self.gone.retain(|inode| still.binary_search(inode).is_err());
        }
        self
    }
}

impl Fds {
    /// How many are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The inodes of those that are sockets.
    pub(super) fn sockets(&self) -> impl Iterator<Item = u32> {
        self.known.iter().map(|fd| fd.inode).filter(|inode| *inode != 0)
    }

    /// Looks again at those that `pick` picks, by number, while there is time. It may also note that one needs no look.
    pub(super) fn verify(
        &mut self,
        links: &Links,
        scan: &mut Scan,
        mut pick: impl FnMut(&mut Fd) -> bool,
    ) -> Changes {
        let mut changes = Changes::default();
        self.known.retain_mut(|fd| {
            // The clock is read for those picked only: they are few among many.
            if changes.trouble.is_some() || scan.spent || !pick(fd) || scan.is_spent() {
                return true;
            }
            match scan.inode(links, fd.number) {
                Ok(inode) => {
                    changes.note(fd.inode, inode);
                    *fd = Fd::new(fd.number, inode, scan.now);
                    true
                }
                Err(Errno::NOENT) => {
                    changes.note(fd.inode, 0);
                    false
                }
                Err(error) => {
                    changes.trouble = Some(error);
                    true
                }
            }
        });
        changes.settled(self)
    }

    /// Lists all, and reads those with a new number, or `all`, while there is time. It begins where the last scan had none left:
    /// the list of a process with very many can take longer than there is time.
    pub(super) fn scan(&mut self, links: &Links, scan: &mut Scan, all: bool) -> Changes {
        let listed = Vec::with_capacity(self.known.len());
        let (closed, changes) = (Vec::new(), Changes::default());
        // In a list that has not been read to its end yet, all numbers are new.
        let reads_all = all || self.read_since == 0;
        let mut list =
            List { known: &self.known, all: reads_all, at: 0, expected: 0, listed, closed, changes };
        let progress = if reads_all { &mut self.of_all } else { &mut self.of_new };
        let first = progress.next;
        if first == 0 {
            progress.begun = scan.number;
        }
        let to_end = list.part(links, scan, first, None);
        // Without permission, no more can be read.
        if reads_all && (to_end || list.changes.is_forbidden()) {
            self.read_since = self.read_since.max(progress.begun);
        }
        // What was before the place has been read long ago, unless all of it is read again.
        list.all = all;
        if to_end && first != 0 && all {
            progress.begun = scan.number;
        }
        let whole = to_end && (first == 0 || list.part(links, scan, 0, Some(first)));
        if whole && all {
            self.read_since = scan.number;
        }
        let List { at, mut listed, mut closed, mut changes, .. } = list;
        progress.next = if whole || changes.is_forbidden() { 0 } else { at };
        listed.sort_unstable_by_key(|fd| fd.number);
        listed.dedup_by_key(|fd| fd.number);
        closed.sort_unstable();
        let is_closed = |fd: &Fd| whole || closed.binary_search(&fd.number).is_ok();
        let mut known = take(&mut self.known).into_iter().peekable();
        self.known.reserve(listed.len());
        for fd in listed {
            while let Some(other) = known.next_if(|known| known.number < fd.number) {
                self.keep_or_close(other, is_closed(&other), &mut changes);
            }
            known.next_if(|known| known.number == fd.number);
            self.known.push(fd);
        }
        known.for_each(|other| self.keep_or_close(other, is_closed(&other), &mut changes));
        changes.settled(self)
    }

    /// Looks at the numbers that the kernel gives next: it always gives the lowest free one.
    pub(super) fn probe(&mut self, links: &Links, scan: &mut Scan) -> Changes {
        let mut changes = Changes::default();
        let mut found = Vec::new();
        let mut next = 0;
        let mut free = 0;
        // Behind the last one known a new row of free numbers begins.
        let end = [None];
        for known in self.known.iter().map(|fd| Some(fd.number)).chain(end) {
            free = if known.is_none() { 0 } else { free };
            while known.is_none_or(|known| next < known) && free < FREE_IN_A_ROW && !scan.is_spent() {
                match scan.inode(links, next) {
                    Ok(inode) => {
                        changes.note(0, inode);
                        found.push(Fd::new(next, inode, scan.now));
                        free = 0;
                    }
                    Err(Errno::NOENT) => free += 1,
                    Err(error) => {
                        changes.trouble = Some(error);
                        free = FREE_IN_A_ROW;
                    }
                }
                next = next.saturating_add(1);
            }
            next = known.map_or(next, |known| known.saturating_add(1));
        }
        self.known.append(&mut found);
        self.known.sort_unstable_by_key(|fd| fd.number);
        changes
    }

    /// Drops those that were not seen for more than so many seconds.
    pub(super) fn expire(&mut self, now: u32, believed: u32) -> Changes {
        let mut changes = Changes::default();
        self.known.retain(|fd| {
            let fresh = fd.unseen(now) <= believed;
            if !fresh {
                changes.note(fd.inode, 0);
            }
            fresh
        });
        // After a flood its memory is given back.
        if self.known.capacity() / 4 > self.known.len().max(FEW) {
            self.known.shrink_to(self.known.len());
        }
        changes.settled(self)
    }

    fn keep_or_close(&mut self, fd: Fd, closed: bool, changes: &mut Changes) {
        if closed {
            changes.note(fd.inode, 0);
        } else {
            self.known.push(fd);
        }
    }
}

/// A process's list of descriptors that is being read.
struct List<'a> {
    known: &'a [Fd],
    /// Whether known numbers are read too.
    all: bool,
    /// The place in the list behind what was looked at.
    at: u64,
    /// Where the next number is expected among the known: the kernel lists them in this order.
    expected: usize,
    listed: Vec<Fd>,
    /// The numbers that were closed meanwhile.
    closed: Vec<u32>,
    changes: Changes,
}

impl List<'_> {
    /// Reads from one place to another, or to the end; whether there was time for all, and no trouble.
    fn part(&mut self, links: &Links, scan: &mut Scan, from: u64, to: Option<u64>) -> bool {
        let mut in_time = true;
        self.at = from;
        let list = links.each(from, |number, behind| {
            if to == Some(self.at) {
                return false;
            }
            in_time = !scan.is_spent();
            if in_time {
                self.at = behind;
                self.descriptor(links, scan, number);
            }
            in_time && self.changes.trouble.is_none()
        });
        self.changes.trouble = self.changes.trouble.or(list.err());
        in_time && self.changes.trouble.is_none()
    }

    fn descriptor(&mut self, links: &Links, scan: &mut Scan, number: u32) {
        let place = match self.known.get(self.expected) {
            Some(fd) if fd.number == number => Ok(self.expected),
            _ => self.known.binary_search_by_key(&number, |fd| fd.number),
        };
        self.expected = place.map_or(self.expected, |place| place + 1);
        let before = place.ok().and_then(|place| self.known.get(place));
        if let Some(fd) = before.filter(|_| !self.all) {
            self.listed.push(*fd);
            return;
        }
        match scan.inode(links, number) {
            Ok(inode) => {
                self.changes.note(before.map_or(0, |fd| fd.inode), inode);
                self.listed.push(Fd::new(number, inode, scan.now));
            }
            Err(Errno::NOENT) => self.closed.push(number),
            Err(error) => self.changes.trouble = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rustix::fs::CWD;

    use super::super::fake::Fake;
    use super::super::handle::Handle;
    use super::*;
    use crate::attribute::dir::open;

    /// The sockets that are known after a scan that has time for so many descriptors, and those that it found to be gone.
    fn scan(fds: &mut Fds, fake: &Fake, time: u32, all: bool) -> (Vec<u32>, Vec<u32>) {
        let table = open(CWD, fake.path()).expect("a process table");
        let links = Handle::open(&table, 10).and_then(|handle| handle.links()).expect("a process");
        let mut pass = Scan::new(1, 0, Instant::now() + Duration::from_hours(1));
        pass.asked_at_most = time;
        let changes = fds.scan(&links, &mut pass, all);
        assert!(fds.known.is_sorted_by_key(|fd| fd.number));
        (fds.sockets().collect(), changes.gone)
    }

    #[test]
    fn scans_without_time_for_all_descriptors_go_on_where_the_last_one_stopped() {
        let (fake, mut fds) = (Fake::new(), Fds::default());
        fake.start(10, "proxy", 1);
        (0..100).for_each(|number| fake.hold(10, number, 1_000 + number));
        let found = [30; 4].map(|time| scan(&mut fds, &fake, time, false).0.len());
        assert_eq!(found, [30, 60, 90, 100]);
        let whole = |fds: &mut Fds, fake: &Fake| scan(fds, fake, u32::MAX, false);
        fake.close(10, 7);
        assert_eq!(
            scan(&mut fds, &fake, 0, false),
            ((1_000..1_100).collect(), vec![]),
            "there is no time to see it"
        );
        assert_eq!(whole(&mut fds, &fake).1, [1_007]);
        fake.hold(10, 8, 5_000);
        assert_eq!(whole(&mut fds, &fake).1, [0; 0], "known numbers are not read");
        let gone = [50; 2].map(|time| scan(&mut fds, &fake, time, true).1).concat();
        assert_eq!((gone, fds.sockets().count()), (vec![1_008], 99), "in two halves");
    }

    #[test]
    fn a_scan_that_goes_on_with_the_list_also_reads_what_was_opened_before_that_place() {
        let (fake, mut fds) = (Fake::new(), Fds::default());
        fake.start(10, "proxy", 1);
        (0..100).for_each(|number| fake.hold(10, number, 1_000 + number));
        assert_eq!(scan(&mut fds, &fake, 50, false).0.len(), 50);
        (100..150).for_each(|number| fake.hold(10, number, 1_000 + number));
        assert_eq!(scan(&mut fds, &fake, u32::MAX, false), ((1_000..1_150).collect(), vec![]));
        assert_eq!(fds.of_new.next, 0);
    }

    #[test]
    fn a_descriptor_takes_twelve_bytes_and_knows_for_how_long_it_was_neither_seen_nor_read() {
        assert_eq!(size_of::<Fd>(), 12);
        for start in [0, 1_000, (1 << 24) - 30, u32::MAX - 30] {
            let after = |seconds| start.wrapping_add(seconds);
            let mut fd = Fd::new(3, 7, start);
            assert_eq!((fd.unseen(after(40)), fd.unread(after(40))), (40, 40));
            fd.confirm(after(40));
            fd.confirm(after(90));
            assert_eq!((fd.unseen(after(100)), fd.unread(after(100))), (10, 100));
            fd.confirm(after(COUNTED - 1));
            assert_eq!((fd.unseen(after(COUNTED)), fd.unread(after(COUNTED))), (1, COUNTED));
            assert_eq!(fd.unseen(after(COUNTED - 2)), 0, "a pass that began before");
            assert_eq!((fd.number, fd.inode), (3, 7));
        }
    }
}
