//! What time it is to the tracker.

use std::time::{Duration, Instant};

/// The time of the batch that is read, which never goes back.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    pub(super) now: Instant,
    /// Whole seconds since the start.
    pub(super) seconds: u32,
    /// How long a period of observations is.
    pub(super) observe: Duration,
    /// The number of the period of observations that it is now.
    pub(super) period: u32,
}

impl Clock {
    pub(super) fn new(observe: Duration) -> Self {
        let now = Instant::now();
        Self { start: now, now, seconds: 0, observe, period: 0 }
    }

    pub(super) fn set(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let elapsed = self.now.saturating_duration_since(self.start);
        let periods = elapsed.as_nanos() / self.observe.as_nanos().max(1);
        self.period = u32::try_from(periods).unwrap_or(u32::MAX);
        self.seconds = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX);
    }
}
