//! What happened in a network namespace, for comparison with what is counted of it.

use super::random::Random;
use super::sockets::{Sock, sock};

/// The port that some views select.
pub const SELECTED: u16 = 80;
/// The inode of the sockets that nginx has.
pub const OWNED: u32 = 1001;

/// Bytes received, sockets opened, sockets closed.
pub type Sums = [u64; 3];

/// What happened so far, to all sockets and to those of the selected port.
#[derive(Clone, Copy, Default)]
pub struct Happened {
    pub all: Sums,
    pub selected: Sums,
}

impl Happened {
    pub fn count(&mut self, which: usize, amount: u64, local: u16) {
        self.all[which] += amount;
        self.selected[which] += if local == SELECTED { amount } else { 0 };
    }
}

/// The sockets of a namespace and what happened to them.
pub struct Truth {
    pub alive: Vec<Sock>,
    pub happened: Happened,
    next: u32,
}

fn local(even: bool) -> u16 {
    if even { SELECTED } else { 443 }
}

impl Truth {
    /// A few sockets, the first with that cookie, that are older than anything that happens.
    pub fn new(first: u32) -> Self {
        let old = |cookie: u32| sock(cookie, local(cookie.is_multiple_of(2)), 100 * u64::from(cookie));
        Self { alive: (first..first + 5).map(old).collect(), happened: Happened::default(), next: first + 10 }
    }

    /// Opens one.
    pub fn open(&mut self, random: &mut Random) -> Sock {
        let opened = Sock { inode: OWNED, ..sock(self.next, local(random.one_in(2)), random.below(500)) };
        self.next += 1;
        self.happened.count(0, opened.bytes, opened.local);
        self.happened.count(1, 1, opened.local);
        self.alive.push(opened.clone());
        opened
    }

    /// One of them, if there is one, receives some bytes.
    pub fn receive(&mut self, random: &mut Random) -> Option<(Sock, u64)> {
        let place = (!self.alive.is_empty()).then(|| random.place(self.alive.len()))?;
        let (receiver, more) = (&mut self.alive[place], random.below(1000));
        receiver.bytes += more;
        receiver.segments += 1;
        self.happened.count(0, more, receiver.local);
        Some((receiver.clone(), more))
    }

    /// Ends one, if there is one.
    pub fn end(&mut self, random: &mut Random) -> Option<Sock> {
        let place = (!self.alive.is_empty()).then(|| random.place(self.alive.len()))?;
        let ended = self.alive.remove(place);
        self.happened.count(2, 1, ended.local);
        Some(ended)
    }
}
