//! What the door needs of whoever runs the exporter: its views, its configuration, another one.
//!
//! Refuses to know what a configuration is.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::hostname::HostNames;
use super::refusals::Refusals;
use super::scrapes::Scrapes;
use crate::web::Web;
use crate::workers::Worker;

/// How the exporter is run.
pub trait Operations: Send + Sync + 'static {
    /// The names of the views.
    fn views(&self) -> Vec<String>;

    /// The page of this host's sockets now, for what stands behind the question mark of a URL; it may take as long as a
    /// collection.
    fn page(&self, query: &str) -> Page;

    /// This host's sockets now as JSON, for what stands behind the question mark of a URL; it may take as long as a
    /// collection.
    ///
    /// # Errors
    /// What is wrong with the query.
    fn sockets(&self, query: &str) -> Result<String, String>;

    /// Lets go of sockets that are kept for clients that ask again soon, after some time; whether any are still kept.
    /// Nothing is kept by default.
    fn forget(&self) -> bool {
        false
    }

    /// The configuration in force, as text.
    fn configuration(&self) -> String;

    /// Puts the configuration in force that stands in its file now; it may take as long as a collection.
    ///
    /// # Errors
    /// Why the one before stays in force.
    fn reload(&self) -> Result<(), String>;
}

/// A page in HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The text.
    pub html: String,
    /// The value of `Content-Security-Policy` that it can do with.
    pub policy: String,
}

/// What is offered at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether `process_*` is among them.
    pub process_metrics: bool,
    /// Whether anybody may ask for a reload.
    pub lifecycle: bool,
    /// Whether the sockets themselves are shown to others than this host's own clients.
    pub sockets_to_all: bool,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            telemetry_path: "/metrics".into(),
            process_metrics: true,
            lifecycle: false,
            sockets_to_all: false,
        }
    }
}

/// Something to be done again and again as long as connections are accepted.
pub struct Beat {
    /// The time between two.
    pub every: Duration,
    /// What is done; it must not block.
    pub act: Box<dyn FnMut() + Send>,
}

/// What stands behind the door.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) scrapes: Arc<dyn Scrapes>,
    pub(super) operations: Arc<dyn Operations>,
    pub(super) web: Arc<Web>,
    pub(super) offer: Arc<Offer>,
    /// What this host is called.
    pub(super) names: Arc<HostNames>,
    /// What was logged of handshakes that failed.
    pub(super) refusals: Arc<Refusals>,
    pub(super) workers: Workers,
    /// Whether a task waits to let go of sockets that are kept.
    pub(super) forgets: Arc<AtomicBool>,
}

/// Clients that may wait for the sockets beside the one that gets them.
const PAGES: usize = 7;
/// Reloads that may wait for the one in progress. The one that waits reads the file later than all who ask meanwhile.
const RELOADS: usize = 1;

/// The threads for what takes as long as a collection.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Collects the sockets for the page and the API.
    pub pages: Worker,
    /// Reads the configuration again.
    pub reloads: Worker,
}

impl Workers {
    /// Makes the threads.
    ///
    /// # Errors
    /// If the host gives no thread.
    pub fn start() -> io::Result<Self> {
        Ok(Self { pages: Worker::start("pages", PAGES)?, reloads: Worker::start("reloads", RELOADS)? })
    }
}

impl Site {
    pub(super) fn new(
        scrapes: Arc<dyn Scrapes>,
        operations: Arc<dyn Operations>,
        web: Arc<Web>,
        offer: Offer,
        workers: Workers,
    ) -> Self {
        Self {
            scrapes,
            operations,
            web,
            offer: Arc::new(offer),
            names: Arc::default(),
            refusals: Arc::default(),
            workers,
            forgets: Arc::default(),
        }
    }
}
