//! The rest between two batches of close events, and how others end it early.
//!
//! A thread that wakes for every event spends more on waking than on the event. While events flow, it therefore rests and
//! reads what has come meanwhile.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest rest: a close is counted at most this much later than the kernel says.
pub(super) const LONGEST: Duration = Duration::from_millis(50);

/// Nanoseconds of rest for each byte of the kernel's buffer. An event takes some 1,300 bytes of it, so that it has room for
/// 100,000 closes a second, more than one processor can cause.
const NANOSECONDS_PER_BYTE: u64 = 8;

/// How long to rest with a buffer of that many bytes.
pub(super) fn length(buffer: usize) -> Duration {
    let bytes = u64::try_from(buffer).unwrap_or(u64::MAX);
    Duration::from_nanos(bytes.saturating_mul(NANOSECONDS_PER_BYTE)).min(LONGEST)
}

/// Where the thread of close events rests.
#[derive(Debug, Default)]
pub(super) struct Rest {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether somebody waits for the events.
    wanted: bool,
    /// How often the thread has read all events that there were.
    reads: u64,
}

impl Rest {
    /// Rests for that long, or until somebody wants the events.
    pub(super) fn rest(&self, time: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |state| !state.wanted);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes that all events were read.
    pub(super) fn has_read(&self) {
        let mut state = self.lock();
        state.reads += 1;
        if std::mem::take(&mut state.wanted) {
            self.changed.notify_all();
        }
    }

    /// Ends a rest, and waits until all events were read, at most until then.
    pub(super) fn wait_for_read(&self, until: Instant) {
        let mut state = self.lock();
        let reads = state.reads;
        state.wanted = true;
        self.changed.notify_all();
        let most = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(state, most, |state| state.reads == reads);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic ends the program, so that no thread finds it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any test runs.
    const LONG: Duration = Duration::from_hours(1);

    #[test]
    fn whoever_wants_the_events_ends_the_rest_and_waits_for_the_read() {
        let rest = Rest::default();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                rest.rest(LONG);
                rest.has_read();
            });
            rest.wait_for_read(Instant::now() + LONG);
            thread.join().expect("it ends");
        });
        // The next rest lasts, because the wish was granted.
        assert!(!rest.lock().wanted);
    }

    #[test]
    fn without_a_thread_the_wait_ends() {
        Rest::default().wait_for_read(Instant::now());
    }

    #[test]
    fn a_small_buffer_makes_for_short_rests() {
        assert_eq!(length(32 << 20), LONGEST);
        assert_eq!(length(usize::MAX), LONGEST);
        assert!(length(1 << 16) < Duration::from_millis(1));
    }
}
