//! What a connection is doing, seen by its bytes; every deadline counts from here.
//!
//! hyper's own header timer is not used: it also runs between two requests, so
//! it would either close a kept-alive connection early or let a slow header live long.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::Limits;

/// Bytes per second below which a client that reads counts as one that does not. At this rate 1 MB fits into
/// the time for an answer.
const SLOWEST: f64 = 16.0 * 1024.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Accepted; no byte has arrived.
    Silent,
    /// A part of a request's head has arrived.
    Asking,
    /// A whole head has arrived; the answer is being made.
    Answering,
    /// The answer is made; part of it may still have to be written.
    Finishing,
    /// Answered in full, and kept alive.
    Idle,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When the phase began; for an answer, when its request was complete.
    since: Instant,
    /// Since when the client has read none of the bytes that wait.
    stalled: Option<Instant>,
    /// How far the client was behind [`SLOWEST`] when it last read bytes.
    behind: Duration,
    /// Whether the client has shown a right password.
    trusted: bool,
    /// Whether bytes of a next request arrived before this one was answered.
    ahead: bool,
    /// Consecutive line ends at the end of the received bytes; a head ends with two.
    line_ends: usize,
}

/// The state of one connection, shared by all that touch it.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            phase: Phase::Silent,
            since: Instant::now(),
            stalled: None,
            behind: Duration::ZERO,
            trusted: false,
            ahead: false,
            line_ends: 0,
        }))
    }

    /// Bytes have come.
    pub(super) fn read(&self, bytes: &[u8]) {
        let last = bytes.iter().rev().filter(|byte| **byte != b'\r');
        let line_ends = last.take_while(|byte| **byte == b'\n').count();
        let nothing_else = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        self.with(|state| {
            state.line_ends = if nothing_else { state.line_ends + line_ends } else { line_ends };
            match state.phase {
                Phase::Silent | Phase::Idle => state.enter(Phase::Asking),
                Phase::Asking => {}
                Phase::Answering | Phase::Finishing => state.ahead = true,
            }
        });
    }

    /// A whole head has come. Its answer is in the making until the value is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.with(|state| {
            state.enter(Phase::Answering);
            state.ahead = state.line_ends < 2;
        });
        Answering(Arc::clone(self))
    }

    /// The client has taken bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        self.with(|state| {
            #[expect(clippy::cast_precision_loss, reason = "a buffer's length")]
            let due = Duration::from_secs_f64(bytes as f64 / SLOWEST);
            state.behind = state.behind_at(Instant::now()).saturating_sub(due);
            state.stalled = None;
        });
    }

    /// Whether the client has shown a right password.
    pub(super) fn is_trusted(&self) -> bool {
        self.with(|state| state.trusted)
    }

    /// The client takes no more bytes for now.
    pub(super) fn stalled(&self) {
        self.with(|state| _ = state.stalled.get_or_insert_with(Instant::now));
    }

    /// Nothing is left to write.
    pub(super) fn flushed(&self) {
        self.with(|state| {
            if state.phase == Phase::Finishing {
                state.enter(if state.ahead { Phase::Asking } else { Phase::Idle });
            }
        });
    }

    /// Since when the connection has no complete request; `None` while one is being answered.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.with(|state| match state.phase {
            Phase::Silent | Phase::Asking | Phase::Idle => Some(state.since),
            Phase::Answering | Phase::Finishing => None,
        })
    }

    /// How far a client that takes no bytes is behind the slowest that is waited for; `None` if no bytes wait.
    pub(super) fn behind(&self, now: Instant) -> Option<Duration> {
        self.with(|state| state.stalled.map(|_| state.behind_at(now)))
    }

    /// When the request that is being answered was complete; else when the last phase began.
    pub(super) fn since(&self) -> Instant {
        self.with(|state| state.since)
    }

    /// When the connection has to be gone if nothing happens.
    pub(super) fn deadline(&self, limits: &Limits) -> Instant {
        self.with(|state| {
            let limit = match state.phase {
                Phase::Silent | Phase::Asking => limits.header,
                Phase::Answering | Phase::Finishing => limits.response,
                Phase::Idle => limits.idle,
            };
            let deadline = state.since + limit;
            let left = limits.stall.saturating_sub(state.behind);
            state.stalled.map_or(deadline, |at| deadline.min(at + left))
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn behind_at(&self, now: Instant) -> Duration {
        self.behind + self.stalled.map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}

/// An answer in the making.
#[derive(Debug)]
pub(super) struct Answering(Arc<Activity>);

impl Answering {
    /// The client has shown a right password.
    pub(super) fn trust(&self) {
        self.0.with(|state| state.trusted = true);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.with(|state| state.phase = Phase::Finishing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dripped_header_keeps_the_deadline_of_its_first_byte() {
        let (activity, limits) = (Activity::new(), Limits::default());
        activity.read(b"G");
        let deadline = activity.deadline(&limits);
        activity.read(b"E");
        assert_eq!(activity.deadline(&limits), deadline);
    }

    #[test]
    fn an_answer_is_over_when_it_is_made_and_written() {
        let (activity, limits) = (Arc::new(Activity::new()), Limits::default());
        for part in [&b"GET / HTTP/1.1\r\nHost: x\r"[..], b"\n\r", b"\n"] {
            activity.read(part);
        }
        let answering = activity.answering();
        activity.flushed();
        assert_eq!(activity.waiting_since(), None);
        drop(answering);
        assert_eq!(activity.waiting_since(), None);
        activity.flushed();
        let idle_since = activity.waiting_since().expect("idle");
        assert_eq!(activity.deadline(&limits), idle_since + limits.idle);
    }

    #[test]
    fn a_request_begun_during_an_answer_has_the_header_deadline_after_it() {
        let whole = &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..];
        let (with_it, later) = ([whole, b"GET / HTTP/1.1\r\n"].concat(), &b"G"[..]);
        for (first, second) in [(whole, later), (&with_it, b"")] {
            let (activity, limits) = (Arc::new(Activity::new()), Limits::default());
            activity.read(first);
            let answering = activity.answering();
            if !second.is_empty() {
                activity.read(second);
            }
            drop(answering);
            activity.flushed();
            assert_eq!(
                activity.deadline(&limits),
                activity.waiting_since().expect("not answering") + limits.header
            );
        }
    }

    #[test]
    fn bytes_that_are_taken_end_a_stall_but_not_the_time_for_the_answer() {
        let (activity, limits) = (Arc::new(Activity::new()), Limits::default());
        let _answering = activity.answering();
        let deadline = activity.deadline(&limits);
        activity.stalled();
        assert!(activity.deadline(&limits) < deadline);
        activity.wrote(64 * 1024);
        assert_eq!(activity.deadline(&limits), deadline);
    }

    /// A second passes in which a client takes no bytes, and then it takes some.
    fn takes_in_a_second(activity: &Activity, bytes: usize) {
        let before = Instant::now().checked_sub(Duration::from_secs(1));
        activity.with(|state| state.stalled = before);
        activity.wrote(bytes);
    }

    #[test]
    fn a_client_that_takes_a_byte_a_second_is_gone_when_one_that_takes_none_is() {
        let (activity, limits) = (Arc::new(Activity::new()), Limits::default());
        let _answering = activity.answering();
        (1..limits.stall.as_secs()).for_each(|_| takes_in_a_second(&activity, 1));
        activity.stalled();
        let soon = Duration::from_millis(1_100);
        assert!(activity.deadline(&limits) < Instant::now() + soon);
    }

    #[test]
    fn a_client_that_takes_enough_has_all_its_time_for_the_next_bytes() {
        let (activity, limits) = (Arc::new(Activity::new()), Limits::default());
        let _answering = activity.answering();
        (0..100).for_each(|_| takes_in_a_second(&activity, 64 * 1024));
        activity.stalled();
        assert_eq!(activity.behind(Instant::now()).map(|time| time.as_secs()), Some(0));
        assert!(activity.deadline(&limits) > Instant::now() + limits.stall / 2);
    }
}
