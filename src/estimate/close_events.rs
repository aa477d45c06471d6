//! Close events between two collections, as far as the kernel reports them.

use std::io;
use std::thread::sleep;
use std::time::Instant;

use super::figures::EventCoverage;
use sockdiag::{Events, Protocol, Socket};

/// A subscription to close events, or why there is none.
pub(super) struct CloseEventCounter {
    events: io::Result<Events>,
    overrun: bool,
}

impl CloseEventCounter {
    /// Subscribes, with a buffer of that many bytes, in all network namespaces or in the exporter's own.
    pub(super) fn begin(protocols: &[&'static Protocol], buffer: usize, everywhere: bool) -> Self {
        Self { events: Events::subscribe(protocols, buffer, everywhere), overrun: false }
    }

    /// Waits until then. `each` gets every socket that closes meanwhile, with the nsid of its network namespace.
    pub(super) fn until(&mut self, then: Instant, mut each: impl FnMut(Option<i32>, &Socket<'_>)) {
        loop {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let Ok(events) = &mut self.events else { return sleep(left) };
            match events.wait(Some(left)).and_then(|_| events.read()) {
                Ok(overrun) => {
                    self.overrun |= overrun;
                    events.sockets().for_each(|(nsid, socket)| each(nsid, &socket));
                }
                Err(error) => self.events = Err(error),
            }
        }
    }

    /// Whether all events were read. That number of network namespaces sends none.
    pub(super) fn end(self, unobserved: usize) -> EventCoverage {
        match self.events {
            Ok(_) if unobserved > 0 => EventCoverage::Unread(format!("in {unobserved} network namespaces")),
            Ok(events) => {
                let counted = events.queue().dropped().unwrap_or_default();
                EventCoverage::Read { dropped: u64::from(counted).max(u64::from(self.overrun)) }
            }
            Err(error) => EventCoverage::Unread(error.to_string()),
        }
    }
}
