//! What a client may cost.

use std::time::Duration;

/// The limits of the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once.
    pub connections: usize,
    /// From the first byte of a request's head to its last, and from the accept to the first byte.
    pub header: Duration,
    /// Between an answer and the next request's first byte.
    pub idle: Duration,
    /// Without one byte of a pending answer taken by the client.
    pub stall: Duration,
    /// From the end of a request's head to the end of its answer.
    pub response: Duration,
    /// For the answers in progress when the server has to stop.
    pub grace: Duration,
    /// Bytes of a request's head; less than 8 KiB counts as 8 KiB.
    pub header_bytes: usize,
    /// Header lines of a request.
    pub headers: usize,
    /// Bytes of a request's target.
    pub target: usize,
}

/// Open files that a collection needs, for the kernel's replies and the process table, and all others but connections:
/// the files of the web configuration, the log's, DNS.
const OTHER_FILES: usize = 20;
/// Connections that are accepted however few files may be open.
const FEWEST: usize = 4;

impl Limits {
    /// The limits for a process that may open `files` files and has `open` files open before the first connection.
    #[must_use]
    pub fn within(files: usize, open: usize) -> Self {
        let limits = Self::default();
        let left = files.saturating_sub(open + OTHER_FILES).max(FEWEST);
        Self { connections: limits.connections.min(left), ..limits }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            header: Duration::from_secs(10),
            // Longer than the default scrape interval of a minute, so that the scraper's connection lives on.
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(10),
            response: Duration::from_mins(1),
            grace: Duration::from_secs(5),
            header_bytes: 16 * 1024,
            headers: 64,
            target: 2 * 1024,
        }
    }
}
