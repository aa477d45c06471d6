//! How many rows a table may show, and which: those shown before come first.
//!
//! A row stays as long as its key does, so that a limit causes no churn of series. New keys wait as
//! rows, no more of them than the limit, until it is known how many of the old ones came back.

use std::sync::Arc;

use hashbrown::HashSet;

use super::before::Before;
use super::connection_row::ConnectionRow;

/// The limit of one view, with the rows of its last complete collection.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    pub(super) most: Option<usize>,
    pub(super) before: Arc<Before>,
    /// Where the next row is expected among those of the last collection.
    next: usize,
    waiting: usize,
    left_out: HashSet<u64>,
    room: Option<Room>,
}

/// Memory for rows.
#[derive(Clone, Debug)]
struct Room {
    bytes: usize,
    taken: usize,
    /// How often there was none left.
    left_out: usize,
}

impl Room {
    /// Takes room for a row, if there is any.
    fn has(&mut self, bytes: usize) -> bool {
        // A short row is not admitted after a long one was dropped.
        let fits = self.left_out == 0 && self.taken + bytes <= self.bytes;
        self.taken += if fits { bytes } else { 0 };
        self.left_out += usize::from(!fits);
        fits
    }
}

/// A key that gets a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    pub(super) hash: u64,
    /// The row that it had at the last collection.
    pub(super) before: Option<u32>,
}

impl Limit {
    /// No limit.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// At most that many rows.
    pub(crate) fn of(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// As many rows as take that many bytes, those that come first. What is left out is counted by socket.
    pub(crate) fn within(bytes: usize) -> Self {
        Self { room: Some(Room { bytes, taken: 0, left_out: 0 }), ..Self::default() }
    }

    /// Whether a key that has no row yet gets one of that many bytes, at least for now.
    #[inline]
    pub(super) fn admit(&mut self, hash: u64, bytes: usize) -> Option<Admitted> {
        if self.room.as_mut().is_some_and(|room| !room.has(bytes)) {
            return None;
        }
        let before = self.before.find(hash, self.next);
        let admitted = Admitted { hash, before };
        if let Some(row) = before {
            self.next = row as usize + 1;
        }
        let Some(most) = self.most.filter(|_| !before.is_some_and(|row| self.before.was_shown(row))) else {
            return Some(admitted);
        };
        let room = self.waiting < most;
        if room {
            self.waiting += 1;
        } else {
            self.left_out.insert(hash);
        }
        room.then_some(admitted)
    }

    /// The rows to show (`None`: all), and the number of keys without one.
    pub(super) fn freeze(&self, rows: &[ConnectionRow]) -> (Option<Vec<u32>>, usize) {
        let left_out = self.room.as_ref().map_or(0, |room| room.left_out);
        let Some(most) = self.most else { return (None, left_out) };
        let mut free = (most + self.waiting).saturating_sub(rows.len());
        let mut shown = Vec::with_capacity(rows.len().min(most));
        for (number, row) in (0..).zip(rows) {
            let known = row.before().is_some_and(|row| self.before.was_shown(row));
            if known || free > 0 {
                free -= usize::from(!known);
                shown.push(number);
            }
        }
        let left_out = rows.len() - shown.len() + self.left_out.len();
        (Some(shown), left_out)
    }

    /// The limit for the collection after this one.
    pub(super) fn following(&self, before: Before) -> Self {
        Self { most: self.most, before: Arc::new(before), ..Self::default() }
    }
}
