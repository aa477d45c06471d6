//! What the door needs of the collector, so that its tests can do without one.

use std::error::Error;
use std::time::{Duration, Instant};

use crate::collector::{Busy, Collector, Lease};
use crate::exposition::{Format, Wanted};

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// An exposition in pieces; an error means that the rest is lost.
pub(super) type Chunks = Box<dyn Iterator<Item = Result<Vec<u8>, BoxError>> + Send>;

/// What is done with an exposition when there is one.
pub(super) type Reply = Box<dyn FnOnce(Chunks) + Send>;

/// A source of expositions.
pub(super) trait Scrapes: Send + Sync + 'static {
    /// Calls `reply` with the result of a collection, on another thread, and not after `until`.
    fn request(&self, format: Format, wanted: Wanted, until: Instant, reply: Reply) -> Result<(), Busy>;
    /// What can be said at once, without a collection.
    fn without_dump(&self, format: Format, wanted: Wanted) -> Chunks;
    /// The longest a scrape waits.
    fn patience(&self) -> Duration;
    /// Whether the kernel has answered, else why not.
    fn ready(&self) -> Result<(), String>;
}

impl Scrapes for Collector {
    fn request(&self, format: Format, wanted: Wanted, until: Instant, reply: Reply) -> Result<(), Busy> {
        Self::request(self, until, move |lease| reply(rendered(lease, format, wanted)))
    }

    fn without_dump(&self, format: Format, wanted: Wanted) -> Chunks {
        rendered(Self::without_dump(self), format, wanted)
    }

    fn patience(&self) -> Duration {
        Self::patience(self)
    }

    fn ready(&self) -> Result<(), String> {
        Self::ready(self)
    }
}

fn rendered(lease: Lease, format: Format, wanted: Wanted) -> Chunks {
    Box::new(lease.chunks(format, wanted).map(|chunk| chunk.map_err(Into::into)))
}
