//! Which record is a socket's, by its cookie.
//!
//! Refuses to know what stands in it.

use std::hash::BuildHasher as _;

use super::words::{COOKIE, SEEN, low};
use super::{Ledger, Slot};

/// What a ledger knows of a socket that a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing.
    New,
    /// It lives, and this dump shows it for the first time.
    Known(Slot),
    /// This dump has shown it before.
    Repeated,
    /// It has ended since this part of the dump was made.
    Buried,
}

impl Ledger {
    /// What is known of a socket that the dump shows now.
    #[inline]
    pub fn sight(&mut self, cookie: u64) -> Sight {
        // A dump shows sockets in the order of the last one, in which they have their records: most are found without
        // the index, whose every entry is a wait for memory.
        let next = Some(Slot(self.next)).filter(|next| self.word(next.0, COOKIE) == cookie);
        let Some(Slot(slot)) = next.or_else(|| self.find(cookie)) else {
            let buried = !self.buried.is_empty() && self.buried.contains(&cookie);
            return if buried { Sight::Buried } else { Sight::New };
        };
        self.next = slot + 1;
        let dump = self.dump;
        let Some(seen) = self.records.get_mut(slot).get_mut(SEEN) else { return Sight::New };
        if low(*seen) == dump {
            return Sight::Repeated;
        }
        *seen = *seen >> 32 << 32 | u64::from(dump);
        self.shown += 1;
        Sight::Known(Slot(slot))
    }

    /// The record of a live socket.
    #[must_use]
    #[inline]
    pub fn find(&self, cookie: u64) -> Option<Slot> {
        let same = |slot: &u32| self.word(*slot, COOKIE) == cookie;
        self.index.find(self.hash.hash_one(cookie), same).map(|slot| Slot(*slot))
    }
}
