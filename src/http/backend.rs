//! What the HTTP server needs of the exporter: expositions, its sockets, its configuration, another configuration.

use std::time::{Duration, Instant};

use crate::collector::{Busy, Revoked};
use crate::exposition::{FamilyFilter, Format};

/// An exposition in pieces. An error means that the rest is lost.
pub type ChunkStream = Box<dyn Iterator<Item = Result<Vec<u8>, Revoked>> + Send>;

/// Takes an exposition when there is one.
pub type Reply = Box<dyn FnOnce(ChunkStream) + Send>;

/// The exporter behind the HTTP server.
pub trait Backend: Send + Sync + 'static {
    /// Calls `reply` with the result of a collection, on another thread, and not after `until`.
    ///
    /// # Errors
    /// [`Busy`] if too many scrapes wait already.
    fn scrape(&self, format: Format, wanted: FamilyFilter, until: Instant, reply: Reply) -> Result<(), Busy>;

    /// The exposition without a collection, at once.
    fn without_dump(&self, format: Format, wanted: FamilyFilter) -> ChunkStream;

    /// The longest that a scrape waits for a collection.
    fn timeout(&self) -> Duration;

    /// Whether collections succeed now.
    ///
    /// # Errors
    /// Why not, in a sentence.
    fn ready(&self) -> Result<(), String>;

    /// The names of the views.
    fn views(&self) -> Vec<String>;

    /// The page of this host's sockets for the query of a URL. It may take as long as a collection.
    fn page(&self, query: &str) -> Page;

    /// This host's sockets as JSON for the query of a URL. It may take as long as a collection.
    ///
    /// # Errors
    /// What is wrong with the query.
    fn sockets(&self, query: &str) -> Result<String, String>;

    /// Frees sockets that are kept for clients that ask again soon, after some time; whether any are still kept.
    /// By default nothing is kept.
    fn forget(&self) -> bool {
        false
    }

    /// The active configuration, as text.
    fn configuration(&self) -> String;

    /// Reads the configuration file and makes it active. It may take as long as a collection.
    ///
    /// # Errors
    /// Why the configuration before stays active.
    fn reload(&self) -> Result<(), String>;
}

/// A page in HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The text.
    pub html: String,
    /// The value of `Content-Security-Policy` that the page needs.
    pub policy: String,
}
