//! The schedule by which known descriptors are read again: how many are due, and which are next.

use std::time::Duration;

/// In this time every known descriptor is read again, or counted.
pub(super) const TURN: Duration = Duration::from_secs(40);

/// In so many seconds a descriptor is read once while its process has as many as are known: it could only be another one by
/// now if the process has opened it in the place of the known one.
pub(super) const COUNTED: u32 = 240;

/// A turn that is under way.
#[derive(Debug, Default)]
pub(super) struct RefreshSchedule {
    /// The process and the number of the descriptor that come next: those seen longest ago.
    pub(super) next: (u32, u32),
    /// How many descriptors there were when the turn began.
    of: u64,
    /// Descriptors times microseconds that are due, and were not read yet.
    owed: u64,
}

impl RefreshSchedule {
    /// How many of all descriptors are due after that time.
    pub(super) fn due(&mut self, total: u64, elapsed: Duration) -> u64 {
        // Where many have gone, those that are left had been promised their turn by the number of then.
        let share = total.max(self.of).saturating_mul(microseconds(elapsed.min(TURN)));
        self.owed = self.owed.saturating_add(share);
        let due = (self.owed / microseconds(TURN)).min(total);
        self.owed -= due.saturating_mul(microseconds(TURN));
        // More than all is never due.
        self.owed = self.owed.min(microseconds(TURN));
        due
    }

    /// Adds descriptors that were due and not read.
    pub(super) fn owe(&mut self, left: u64) {
        self.owed = self.owed.saturating_add(left.saturating_mul(microseconds(TURN)));
    }

    /// Begins a new turn.
    pub(super) fn restart(&mut self, total: u64) {
        self.next = (0, 0);
        self.of = total;
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_any_size_make_one_turn() {
        for parts in [1, 3, 7, 1_000, 100_000] {
            let mut turn = RefreshSchedule::default();
            let due: u64 = (0..parts).map(|_| turn.due(12_345, TURN / parts)).sum();
            assert!((12_344..=12_345).contains(&due), "{due} in {parts} parts");
        }
    }

    #[test]
    fn what_was_not_read_is_still_due_and_never_more_than_all() {
        let mut turn = RefreshSchedule::default();
        assert_eq!(turn.due(100, TURN / 4), 25);
        turn.owe(20);
        assert_eq!(turn.due(100, TURN / 4), 45);
        turn.owe(45);
        assert_eq!(turn.due(100, 9 * TURN), 100);
        assert_eq!(turn.due(100, TURN / 4), 26);
    }

    #[test]
    fn those_left_of_many_are_due_in_the_time_they_were_promised() {
        let mut turn = RefreshSchedule::default();
        turn.restart(1_000);
        assert_eq!(turn.due(1_000, TURN / 2), 500);
        assert_eq!(turn.due(500, TURN / 4), 250);
        assert_eq!(turn.due(500, TURN / 4), 250);
    }
}
