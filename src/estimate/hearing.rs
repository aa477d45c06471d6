//! The ends of sockets between looks, as far as they can be heard.
//!
//! Refuses to know what an end means.

use std::io;
use std::thread::sleep;
use std::time::Instant;

use super::figures::Ends;
use crate::sockdiag::{Events, Socket, TCP};

/// A subscription to ends, or why there is none.
pub(super) struct Hearing {
    events: io::Result<Events>,
    overrun: bool,
}

impl Hearing {
    /// Subscribes, with a buffer of so many bytes, to the ends in all namespaces or in the own one.
    pub(super) fn begin(buffer: usize, everywhere: bool) -> Self {
        Self { events: Events::subscribe(&TCP, buffer, everywhere), overrun: false }
    }

    /// Waits until then and hands on each socket whose end is heard meanwhile.
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

    /// Whether all ends were heard.
    pub(super) fn end(self) -> Ends {
        match self.events {
            Ok(events) => {
                let counted = events.queue().dropped().unwrap_or_default();
                Ends::Heard { dropped: u64::from(counted).max(u64::from(self.overrun)) }
            }
            Err(error) => Ends::Unheard(error.to_string()),
        }
    }
}
