//! What every connection shares: the backend, the options, the web configuration and the worker threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::backend::Backend;
use super::hostname::HostNames;
use super::refusals::Refusals;
use crate::web::Web;
use crate::workers::Worker;

/// What the server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether `process_*` is among them.
    pub process_metrics: bool,
    /// Whether `POST /-/reload` is answered.
    pub lifecycle: bool,
    /// Whether clients of other hosts may see the sockets themselves.
    pub sockets_to_all: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            telemetry_path: "/metrics".into(),
            process_metrics: true,
            lifecycle: false,
            sockets_to_all: false,
        }
    }
}

/// A periodic action while connections are accepted.
pub struct Heartbeat {
    /// The period.
    pub every: Duration,
    /// The action. It must not block.
    pub act: Box<dyn FnMut() + Send>,
}

/// What every connection shares.
#[derive(Clone)]
pub(super) struct AppState {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) web: Arc<Web>,
    pub(super) options: Arc<Options>,
    /// The names of this host.
    pub(super) names: Arc<HostNames>,
    /// The log of refused handshakes.
    pub(super) refusals: Arc<Refusals>,
    pub(super) workers: Workers,
    /// Whether a task waits to free sockets that are kept.
    pub(super) forgets: Arc<AtomicBool>,
}

/// Clients that may wait for the page or the list of sockets, beside the one that is answered.
const PAGES: usize = 7;
/// Reloads that may wait for the one in progress. One is enough: it reads the file after all requests that wait for it.
const RELOADS: usize = 1;

/// The threads for work that takes as long as a collection.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Collects the sockets for the page and the API.
    pub pages: Worker,
    /// Reads the configuration again.
    pub reloads: Worker,
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the host gives no thread.
    pub fn start() -> io::Result<Self> {
        Ok(Self { pages: Worker::start("pages", PAGES)?, reloads: Worker::start("reloads", RELOADS)? })
    }
}

impl AppState {
    pub(super) fn new(backend: Arc<dyn Backend>, web: Arc<Web>, options: Options, workers: Workers) -> Self {
        Self {
            backend,
            web,
            options: Arc::new(options),
            names: Arc::default(),
            refusals: Arc::default(),
            workers,
            forgets: Arc::default(),
        }
    }
}
