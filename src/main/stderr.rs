//! Standard error, written to without waiting: a log that no process reads must not stop the exporter.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, write};
use tokio::sync::Notify;

/// Bytes that are kept until there is room for them.
const KEPT: usize = 64 * 1024;
/// Bytes for which there is room in a pipe that can be written to (`PIPE_BUF`).
const PIECE: usize = 4096;
/// Time between two attempts to write.
const BETWEEN: Duration = Duration::from_secs(1);

/// Whether a line had no room.
static FULL: Notify = Notify::const_new();
static PENDING: Mutex<Pending> = Mutex::new(Pending { bytes: Vec::new(), dropped: 0 });

/// What found no room yet.
struct Pending {
    bytes: Vec<u8>,
    /// Lines that were dropped since there was last room for all.
    dropped: u64,
}

/// Whether lines are dropped, because the terminal that they would be on shows a screen.
static HIDDEN: AtomicBool = AtomicBool::new(false);

/// Drops lines from now on, or no longer.
pub fn hide(hidden: bool) {
    HIDDEN.store(hidden, Ordering::Relaxed);
}

/// Writes a line now, or as soon as there is room. If too much waits already, the line is dropped and counted.
pub fn line(line: &[u8]) {
    if HIDDEN.load(Ordering::Relaxed) {
        return;
    }
    if !pending().add(line) {
        FULL.notify_one();
    }
}

/// Writes what waits, and waits for room at most for `limit`.
pub fn flush(limit: Duration) {
    let deadline = Instant::now() + limit;
    pending().write(|| deadline.saturating_duration_since(Instant::now()));
}

/// Writes what found no room once there is some, and logs how many lines were dropped. Nothing wakes it before.
pub async fn watch() {
    loop {
        FULL.notified().await;
        let dropped = loop {
            tokio::time::sleep(BETWEEN).await;
            if let Some(dropped) = pending().dropped_before_now() {
                break dropped;
            }
        };
        if dropped > 0 {
            tracing::warn!(lines = dropped, "log lines were dropped: no process read standard error");
        }
    }
}

fn pending() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pending {
    /// Whether all is written.
    fn add(&mut self, line: &[u8]) -> bool {
        self.write(|| Duration::ZERO);
        if self.bytes.is_empty() || self.bytes.len() + line.len() <= KEPT {
            self.bytes.extend_from_slice(line);
            self.write(|| Duration::ZERO);
        } else {
            self.dropped += 1;
        }
        self.bytes.is_empty()
    }

    /// How many lines were dropped; `None` if there is still no room.
    fn dropped_before_now(&mut self) -> Option<u64> {
        self.write(|| Duration::ZERO);
        self.bytes.is_empty().then(|| std::mem::take(&mut self.dropped))
    }

    /// Writes as long as there is room, and waits for room as long as it may.
    fn write(&mut self, timeout: impl Fn() -> Duration) {
        let stderr = io::stderr();
        while !self.bytes.is_empty() {
            let time = Timespec::try_from(timeout()).ok();
            match poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], time.as_ref()) {
                Ok(0) => return,
                Err(Errno::INTR) => continue,
                Ok(_) | Err(_) => {}
            }
            let piece = self.bytes.get(..PIECE).unwrap_or(&self.bytes);
            match write(&stderr, piece) {
                Ok(written) => {
                    self.bytes.drain(..written);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // A closed pipe or a full disk accepts nothing later either.
                Err(_) => self.bytes.clear(),
            }
        }
    }
}
