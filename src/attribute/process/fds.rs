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

    /// Notes that it needs no look now. It was read less than [`COUNTED`] seconds ago.
    pub(super) fn confirm(&mut self, now: u32) {
        self.times = now << READ_BITS | self.unread(now);
    }
}

/// The known descriptors of a process, by number.
#[derive(Debug, Default)]
pub(super) struct Fds(Vec<Fd>);

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
        self.0.len()
    }

    /// The inodes of those that are sockets.
    pub(super) fn sockets(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|fd| fd.inode).filter(|inode| *inode != 0)
    }

    /// Looks again at those that `pick` picks, by number, while there is time. It may also note that one needs no look.
    pub(super) fn verify(
        &mut self,
        links: &Links,
        scan: &mut Scan,
        mut pick: impl FnMut(&mut Fd) -> bool,
    ) -> Changes {
        let mut changes = Changes::default();
        self.0.retain_mut(|fd| {
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

    /// Lists all, and reads those with a new number, or `all`, while there is time.
    pub(super) fn scan(&mut self, links: &Links, scan: &mut Scan, all: bool) -> Changes {
        let mut numbers = Vec::with_capacity(self.0.len());
        let listed = links.each(|number| {
            numbers.push(number);
            !scan.is_spent()
        });
        let whole = listed.is_ok() && !scan.is_spent();
        numbers.sort_unstable();
        let mut changes = Changes { trouble: listed.err(), ..Changes::default() };
        let mut known = take(&mut self.0).into_iter().peekable();
        self.0.reserve(numbers.len());
        for number in numbers {
            while let Some(closed) = known.next_if(|fd| fd.number < number) {
                self.keep_or_close(closed, whole, &mut changes);
            }
            let before = known.next_if(|fd| fd.number == number);
            if changes.trouble.is_some() || before.is_some() && !all || scan.is_spent() {
                self.0.extend(before);
                continue;
            }
            let had = before.map_or(0, |fd| fd.inode);
            match scan.inode(links, number) {
                Ok(inode) => {
                    changes.note(had, inode);
                    self.0.push(Fd::new(number, inode, scan.now));
                }
                Err(Errno::NOENT) => changes.note(had, 0),
                Err(error) => {
                    changes.trouble = Some(error);
                    self.0.extend(before);
                }
            }
        }
        known.for_each(|closed| self.keep_or_close(closed, whole, &mut changes));
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
        for known in self.0.iter().map(|fd| Some(fd.number)).chain(end) {
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
        self.0.append(&mut found);
        self.0.sort_unstable_by_key(|fd| fd.number);
        changes
    }

    /// Drops those that were not seen for more than so many seconds.
    pub(super) fn expire(&mut self, now: u32, believed: u32) -> Changes {
        let mut changes = Changes::default();
        self.0.retain(|fd| {
            let fresh = fd.unseen(now) <= believed;
            if !fresh {
                changes.note(fd.inode, 0);
            }
            fresh
        });
        // After a flood its memory is given back.
        if self.0.capacity() / 4 > self.0.len().max(FEW) {
            self.0.shrink_to(self.0.len());
        }
        changes.settled(self)
    }

    fn keep_or_close(&mut self, fd: Fd, closed: bool, changes: &mut Changes) {
        if closed {
            changes.note(fd.inode, 0);
        } else {
            self.0.push(fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
