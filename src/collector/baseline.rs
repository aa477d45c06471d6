//! When the collector collects by itself: until the counters of all sockets that existed before have been read.
//!
//! Without that baseline the exporter is not ready. A collection for it that found its deadline is followed by longer
//! ones, while scrapes are answered by what needs no dump.

use std::time::{Duration, Instant};

use crate::self_metrics::SelfReport;

/// The time for the first collection that may take longer than a scrape waits, doubled for each further one.
const LONG: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_mins(5);
/// The pause after the second attempt, doubled for each further one.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The service manager is notified after this time at the latest: with the inventory and one long collection, this is
/// less than the 90 seconds after which systemd would end the exporter.
const NOTIFIED: Duration = Duration::from_secs(30);

/// What the collector does for a baseline.
#[derive(Default)]
pub(super) struct BaselineRequest {
    /// When the next collection for it is due, and how many there were.
    next: Option<(Instant, u32)>,
    /// Whether there has never been one since it was asked for.
    missing: bool,
    /// To be dropped when there is one, at this time at the latest.
    done: Option<(Instant, Box<dyn Send>)>,
}

impl BaselineRequest {
    /// Asks for a baseline of what is new.
    pub(super) fn ask(&mut self, now: Instant) {
        self.next = Some((now, 0));
    }

    /// Asks for the first one, without which the exporter is not ready; `done` is dropped then.
    pub(super) fn ask_first(&mut self, now: Instant, done: Box<dyn Send>) {
        self.ask(now);
        (self.missing, self.done) = (true, Some((now + NOTIFIED, done)));
    }

    pub(super) const fn is_missing(&self) -> bool {
        self.missing
    }

    /// When there is something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        let done = self.done.as_ref().map(|(at, _)| *at);
        self.next.map(|(at, _)| at).into_iter().chain(done).min()
    }

    /// How long a collection for it may take that begins now, if one is due; a scrape waits for `timeout`.
    pub(super) fn time(&self, now: Instant, timeout: Duration) -> Option<Duration> {
        let (_, before) = self.next.filter(|(at, _)| *at <= now)?;
        Some(if before == 0 { timeout } else { timeout.max(doubled(LONG, before - 1, LONGEST)) })
    }

    /// What is not to wait any longer, though there is no baseline yet.
    pub(super) fn late(&mut self, now: Instant) -> Option<Box<dyn Send>> {
        let (_, done) = self.done.take_if(|(at, _)| *at <= now)?;
        tracing::warn!(
            hint = "see ss_exporter_collection_success and ss_exporter_dump_stuck_seconds",
            "ready before the baseline is complete"
        );
        Some(done)
    }

    /// A collection has ended, which may have been one for it; what waited, if there is a baseline now.
    pub(super) fn ended(
        &mut self,
        report: &SelfReport,
        of_its_own: bool,
        now: Instant,
    ) -> Option<Box<dyn Send>> {
        if report.tracker.as_ref().is_none_or(|ledger| ledger.baseline) {
            (self.next, self.missing) = (None, false);
            return self.done.take().map(|(_, done)| done);
        }
        if let Some((at, attempts)) = self.next.as_mut().filter(|_| of_its_own) {
            let pause = attempts.checked_sub(1).map(|many| doubled(PAUSE, many, LONGEST_PAUSE));
            *at = now + pause.unwrap_or_default();
            *attempts = attempts.saturating_add(1);
        }
        None
    }
}

fn doubled(time: Duration, times: u32, most: Duration) -> Duration {
    time.saturating_mul(1 << times.min(16)).min(most)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::self_metrics::TrackerReport;

    fn report(baseline: bool) -> SelfReport {
        SelfReport {
            tracker: Some(TrackerReport { baseline, ..TrackerReport::default() }),
            ..SelfReport::default()
        }
    }

    #[test]
    fn a_baseline_is_tried_at_once_then_longer_and_after_longer_pauses() {
        let (mut baseline, mut now) = (BaselineRequest::default(), Instant::now());
        baseline.ask(now);
        let mut tried = Vec::new();
        for _ in 0..9 {
            let due = baseline.due().expect("it is missing");
            let pause = due.saturating_duration_since(now).as_secs();
            now = due;
            let time = baseline.time(now, Duration::from_millis(100)).expect("it is due");
            tried.push((pause, time.as_secs_f64()));
            assert!(baseline.ended(&report(false), true, now).is_none());
        }
        let expected = [(0, 0.1), (0, 30.0), (1, 60.0), (2, 120.0), (4, 240.0), (8, 300.0), (16, 300.0)];
        assert_eq!(tried[..7], expected);
        assert_eq!(tried[7..], [(32, 300.0), (60, 300.0)]);
        baseline.ended(&report(true), false, now);
        assert_eq!(baseline.due(), None);
    }

    #[test]
    fn ready_is_notified_with_the_baseline_or_when_it_takes_too_long() {
        let (now, waiter) = (Instant::now(), Arc::new(()));
        let mut baseline = BaselineRequest::default();
        baseline.ask_first(now, Box::new(Arc::clone(&waiter)));
        assert!(baseline.late(now).is_none() && baseline.ended(&report(false), true, now).is_none());
        assert!(baseline.is_missing());
        drop(baseline.late(now + NOTIFIED));
        assert_eq!((Arc::strong_count(&waiter), baseline.is_missing()), (1, true));
        baseline.ask_first(now, Box::new(Arc::clone(&waiter)));
        drop(baseline.ended(&report(true), false, now));
        assert_eq!((Arc::strong_count(&waiter), baseline.is_missing()), (1, false));
    }
}
