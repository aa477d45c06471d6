//! The state of the subscription to close events that other threads read.

use std::io;
use std::time::Instant;

use sockdiag::{Events, Protocol, Queue};

/// The subscription, and what came of it so far.
#[derive(Clone, Debug, Default)]
pub(super) struct SubscriptionStats {
    /// The queue of the subscription; `None` without one.
    queue: Option<Queue>,
    /// The kernel's buffer, in bytes.
    pub(super) granted: usize,
    /// Whether it includes other network namespaces, as far as these have an nsid.
    pub(super) everywhere: bool,
    /// Close events received.
    pub(super) received: u64,
    /// Close events of namespaces that no collection has seen, or that the configuration leaves out.
    pub(super) ignored: u64,
    /// Collections requested because events were dropped.
    pub(super) resyncs: u64,
    /// Events that the kernel has dropped, as far as it was asked, and its own count of them, which begins again at 0.
    dropped: u64,
    dropped_last: u32,
    /// When it was last found that there are more.
    pub(super) dropped_at: Option<Instant>,
}

impl SubscriptionStats {
    /// Whether close events are subscribed to.
    pub(super) const fn is_subscribed(&self) -> bool {
        self.queue.is_some()
    }

    /// Events that the kernel has dropped; `None` if it does not say.
    pub(super) fn dropped(&mut self) -> Option<u64> {
        let now = self.queue.as_ref()?.dropped().ok()?;
        let more = now.wrapping_sub(std::mem::replace(&mut self.dropped_last, now));
        if more > 0 {
            self.dropped += u64::from(more);
            self.dropped_at = Some(Instant::now());
        }
        Some(self.dropped)
    }

    /// Whether no close event waits in the queue. Ask while the tracker is locked: events are read under that lock.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.as_ref().is_none_or(Queue::is_empty)
    }

    /// Subscribes to the close events of these protocols instead, if to any.
    pub(super) fn follow(&self, protocols: &[&'static Protocol]) -> io::Result<()> {
        self.queue.as_ref().map_or(Ok(()), |queue| queue.follow(protocols))
    }

    /// Notes that this socket has been bound.
    pub(super) fn subscribed(&mut self, events: &Events) {
        self.queue = Some(events.queue());
        self.granted = events.granted();
        self.everywhere = events.is_everywhere();
    }
}
