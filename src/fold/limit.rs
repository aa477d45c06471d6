//! How many rows a table may show, and which: those shown before come first.
//!
//! A row stays as long as its key does, so that a limit causes no churn of series. New keys wait as
//! rows, no more of them than the limit, until it is known how many of the old ones came back.
//! Refuses to know what a row holds.

use hashbrown::HashSet;

use super::key::Keys;

/// The limit of one view, with the rows that its last collection showed, by their hash.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    most: Option<usize>,
    before: HashSet<u64>,
    waiting: usize,
    left_out: HashSet<u64>,
}

impl Limit {
    /// No limit.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// At most that many rows.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Whether a key that has no row yet gets one, at least for now.
    pub(super) fn admits(&mut self, hash: u64) -> bool {
        let Some(most) = self.most else { return true };
        if self.before.contains(&hash) {
            return true;
        }
        let room = self.waiting < most;
        if room {
            self.waiting += 1;
        } else {
            self.left_out.insert(hash);
        }
        room
    }

    /// The rows to show (`None`: all), the number of keys without one, and the limit for the next
    /// collection.
    pub(super) fn seal(self, keys: &Keys) -> (Option<Vec<u32>>, usize, Self) {
        let Some(most) = self.most else { return (None, 0, self) };
        let mut free = (most + self.waiting).saturating_sub(keys.len());
        let mut shown = Vec::with_capacity(keys.len().min(most));
        let mut next = Self::of(most);
        for (row, hash) in (0_u32..).zip(keys.hashes()) {
            let known = self.before.contains(&hash);
            if known || free > 0 {
                free -= usize::from(!known);
                next.before.insert(hash);
                shown.push(row);
            }
        }
        let left_out = keys.len() - shown.len() + self.left_out.len();
        (Some(shown), left_out, next)
    }
}
