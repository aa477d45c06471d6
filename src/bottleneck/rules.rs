//! The rules, and the thresholds in them.

use std::time::Duration;

use sockdiag::{Field, Socket, State, inet, queues, skmem, tcp_info};

use super::Bottleneck;
use super::sample::{self, ConnectionSample, KeptField};

/// A share of the time from which on something is most of it.
const HALF: f64 = 0.5;
/// A share of the congestion window from which on a full send buffer keeps it from being used up. The kernel lets the window
/// grow to twice the most that was in flight (`tcp_is_cwnd_limited`), and on average less is.
const THIRD: f64 = 1.0 / 3.0;
/// A share of the time, or of the busy time, from which on a limit is felt: the rest may be anything.
const FELT: f64 = 0.3;
/// A share of the time below which a sender is idle: a tick of 10 ms in a second.
const IDLE: f64 = 0.01;
/// A share of the segments from which on retransmissions slow a connection down: loss-based algorithms halve at each.
const LOSSY: f64 = 0.01;
/// Retransmissions below which an interval says nothing of loss: one may be spurious.
const RETRANSMISSIONS: f64 = 2.0;
/// A share of the send buffer from which on it is full: the kernel wakes a writer below two thirds (`sk_stream_min_wspace`).
const FULL: f64 = 2.0 / 3.0;
/// Round-trip times above the minimum, in microseconds, that no queue is needed for.
const SMALL_QUEUE: f64 = 10_000.0;
/// Bytes of a queue that are none: a FIN counts one.
const FIN: f64 = 1.0;
/// `idiag_timer` of the timer that probes a closed window.
const PROBE_TIMER: f64 = 4.0;
/// Round trips of data up to which what waits to be sent is no backlog. A process that writes all it can keeps more: the
/// kernel sizes its buffer for two congestion windows (`tcp_sndbuf_expand`) and wakes it when a third is free.
const BACKLOG: f64 = 0.5;
/// Round trips of data up to which a full send buffer is the limit: the kernel gives those that it sizes itself more.
const SMALL_BUFFER: f64 = 2.0;

type Rule = fn(&Interval<'_>) -> Option<bool>;

/// A rule that needs what the kernel does not report says `None`.
const RULES: [(Bottleneck, Rule); 11] = [
    (Bottleneck::Stalled, |interval| {
        let in_recovery = || interval.share(sample::TOTAL_RTO_TIME, 1e3).is_some_and(|share| share >= HALF);
        let timed_out = || Some(interval.now(&tcp_info::RETRANSMITS)? > 0.0);
        let stopped = || Some(interval.gain(sample::BYTES_ACKED) == Some(0.0) && timed_out()?);
        Some(interval.now(&tcp_info::UNACKED)? > 0.0 && (in_recovery() || stopped()?))
    }),
    (Bottleneck::PeerNotReading, |interval| {
        // A peer that answers probes leaves their number at 0, but the timer runs.
        let probes = || interval.now(&inet::TIMER) == Some(PROBE_TIMER);
        let closed = || Some(interval.now(&tcp_info::SND_WND)? < interval.now(&tcp_info::SND_MSS)?);
        let waits = interval.now(&queues::WQUEUE)? > 0.0 && interval.gain(sample::BYTES_ACKED)? == 0.0;
        Some(waits && (probes() || closed()?))
    }),
    (Bottleneck::NotReading, |interval| {
        let grown = || Some(interval.now(&queues::RQUEUE)? - interval.before(sample::RQUEUE)?);
        let read = || Some(interval.gain(sample::BYTES_RECEIVED)? - grown()?);
        Some(interval.least(sample::RQUEUE)? > FIN && read()? <= 0.0)
    }),
    (Bottleneck::Idle, |interval| {
        let silent = interval.gain(sample::DATA_SEGS_OUT)? + interval.gain(sample::BYTES_RECEIVED)? == 0.0;
        Some(silent && interval.shares()?.busy < IDLE)
    }),
    (Bottleneck::PeerWindow, |interval| {
        let Shares { busy, window, buffer } = interval.shares()?;
        Some(busy >= FELT && window >= FELT * busy && window >= buffer)
    }),
    (Bottleneck::SendBuffer, |interval| {
        let Shares { busy, buffer, .. } = interval.shares()?;
        // Its clock stands while the window holds up what the process has already written.
        let by_memory = || Some(interval.sends_a_lot()? && interval.fills_small_buffer()?);
        Some(busy >= FELT && (buffer >= FELT * busy || by_memory().unwrap_or(false)))
    }),
    (Bottleneck::Receiving, |interval| {
        let more = interval.gain(sample::BYTES_RECEIVED)? > interval.gain(sample::BYTES_SENT)?;
        Some(interval.waits_for_process()? && more)
    }),
    (Bottleneck::Application, |interval| interval.waits_for_process()),
    (Bottleneck::Loss, |interval| {
        let lost = interval.gain(sample::TOTAL_RETRANS)?;
        Some(lost >= RETRANSMISSIONS && lost >= LOSSY * interval.gain(sample::DATA_SEGS_OUT)?)
    }),
    (Bottleneck::Application, |interval| {
        Some(interval.shares().is_some() && interval.used_window()? < HALF && interval.has_small_backlog()?)
    }),
    (Bottleneck::Queueing, |interval| {
        let least = interval.now(&tcp_info::MIN_RTT)?;
        Some(interval.shares().is_some() && interval.least(sample::RTT)? - least >= least.max(SMALL_QUEUE))
    }),
];

/// The first class whose rule holds.
pub(super) fn first(
    socket: &Socket<'_>,
    before: Option<(&ConnectionSample, Duration)>,
) -> Option<Bottleneck> {
    // What one sample shows.
    match socket.state() {
        State::SynSent | State::SynRecv => return Some(Bottleneck::Connecting),
        State::Established | State::CloseWait if socket.inode().is_none() => {
            return Some(Bottleneck::AcceptQueue);
        }
        _ => {}
    }
    let (before, time) = before?;
    let interval = Interval { before, socket, seconds: time.as_secs_f64() };
    let holds = |(_, rule): &&(Bottleneck, Rule)| rule(&interval) == Some(true);
    let rest = || interval.shares().map(|_| Bottleneck::Path);
    RULES.iter().find(holds).map(|(bottleneck, _)| *bottleneck).or_else(rest)
}

/// Whether the send buffer may be the limit although its clock does not say so.
pub(super) fn depends_on_memory(socket: &Socket<'_>, (before, time): (&ConnectionSample, Duration)) -> bool {
    Interval { before, socket, seconds: time.as_secs_f64() }.sends_a_lot() == Some(true)
}

/// A connection between two looks at it.
struct Interval<'a> {
    before: &'a ConnectionSample,
    socket: &'a Socket<'a>,
    seconds: f64,
}

/// Shares of the interval in which the sender had data in flight or waiting, and was held up by the peer's window or by its
/// own buffer. The kernel counts each moment once, by the most specific of them.
#[derive(Clone, Copy)]
struct Shares {
    busy: f64,
    window: f64,
    buffer: f64,
}

#[expect(
    clippy::inline_always,
    reason = "with a field that the compiler knows, little more than loads are left"
)]
impl Interval<'_> {
    #[inline(always)]
    fn now(&self, field: &'static Field) -> Option<f64> {
        self.socket.get(field).map(float)
    }

    #[inline(always)]
    fn before(&self, kept: KeptField) -> Option<f64> {
        self.before.get(kept).map(float)
    }

    /// The smaller of both values.
    #[inline(always)]
    fn least(&self, kept: KeptField) -> Option<f64> {
        Some(self.now(kept.field)?.min(self.before(kept)?))
    }

    /// By how much a counter has grown.
    #[inline(always)]
    fn gain(&self, kept: KeptField) -> Option<f64> {
        self.socket.get(kept.field)?.checked_sub(self.before.get(kept)?).map(float)
    }

    /// The share of the interval that a counter of time has grown by, of which so many make a second.
    #[inline(always)]
    fn share(&self, kept: KeptField, per_second: f64) -> Option<f64> {
        // The kernel counts in ticks, which the interval may cut.
        Some((self.gain(kept)? / per_second / self.seconds).min(1.0))
    }
}

impl Interval<'_> {
    fn shares(&self) -> Option<Shares> {
        let share = |kept| self.share(kept, 1e6);
        let (busy, window) = (share(sample::BUSY_TIME)?, share(sample::RWND_LIMITED)?);
        Some(Shares { busy, window, buffer: share(sample::SNDBUF_LIMITED)? })
    }

    /// Whether the sender had nothing to send for longer than the network held it up.
    fn waits_for_process(&self) -> Option<bool> {
        let Shares { busy, window, buffer } = self.shares()?;
        Some(1.0 - busy > busy - window - buffer)
    }

    /// Bytes acknowledged within a round trip that takes so many microseconds.
    fn acked_in(&self, round_trip: f64) -> Option<f64> {
        Some(round_trip / 1e6 * self.gain(sample::BYTES_ACKED)? / self.seconds)
    }

    /// Whether little waits to be sent: the network takes it at once.
    fn has_small_backlog(&self) -> Option<bool> {
        Some(self.least(sample::NOTSENT_BYTES)? <= BACKLOG * self.acked_in(self.now(&tcp_info::MIN_RTT)?)?)
    }

    /// Whether the sender is busy and uses much of its congestion window.
    fn sends_a_lot(&self) -> Option<bool> {
        Some(self.shares()?.busy >= FELT && self.used_window()? >= THIRD)
    }

    /// Whether the send buffer was full both times, and has no room for what is in flight and as much that waits.
    fn fills_small_buffer(&self) -> Option<bool> {
        let size = self.now(&skmem::SNDBUF)?;
        let is_full = self.least(sample::WMEM_QUEUED)? >= FULL * size;
        Some(is_full && size <= SMALL_BUFFER * self.acked_in(self.now(&tcp_info::MIN_RTT)?)?)
    }

    /// The share of the congestion window that was in flight on average.
    fn used_window(&self) -> Option<f64> {
        let window = self.now(&tcp_info::SND_CWND)? * self.now(&tcp_info::SND_MSS)?;
        Some(self.acked_in(self.now(&tcp_info::RTT)?)? / window)
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares and rates are not exact")]
fn float(integer: u64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_behind_that_of_the_send_buffer_are_those_of_later_bottlenecks() {
        let ranks = RULES.each_ref().map(|(bottleneck, _)| *bottleneck as usize);
        let of_memory = Bottleneck::SendBuffer as usize;
        let at = ranks.iter().position(|rank| *rank == of_memory).expect("a rule");
        assert!(ranks[..at].iter().all(|rank| *rank < of_memory));
        assert!(ranks[at..].iter().all(|rank| *rank >= of_memory));
    }
}
