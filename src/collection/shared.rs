//! The tracker, as collections and the thread that reads close events share it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rest::Rest;
use super::subscription::SubscriptionStats;
use super::tracker::Tracker;
use crate::facts::Names;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::self_metrics::{FilesReport, Reload};
use sockdiag::Socket;

/// What collections share with the thread that reads close events.
#[derive(Clone, Debug)]
pub struct SharedTracker(Arc<Shared>);

/// A thread that holds two of these locks has taken the upper one first.
#[derive(Debug)]
struct Shared {
    tracker: Mutex<Tracker>,
    subscription: Mutex<SubscriptionStats>,
    config: Mutex<ConfigStatus>,
    /// How often the thread that reads close events has waited.
    waits: AtomicU64,
    rest: Rest,
}

/// What was last reported of the configuration.
#[derive(Debug)]
struct ConfigStatus {
    privileges: Privileges,
    files: FilesReport,
}

impl SharedTracker {
    pub(super) fn new(plan: &Plan, privileges: Privileges) -> Self {
        Self(Arc::new(Shared {
            tracker: Mutex::new(Tracker::new(plan)),
            subscription: Mutex::default(),
            config: Mutex::new(ConfigStatus { privileges, files: FilesReport::default() }),
            waits: AtomicU64::new(0),
            rest: Rest::default(),
        }))
    }

    // A panic ends the program, so that no thread finds any of it half changed.

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Tracker> {
        self.0.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscription(&self) -> MutexGuard<'_, SubscriptionStats> {
        self.0.subscription.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> MutexGuard<'_, ConfigStatus> {
        self.0.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is followed now.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        self.lock().plan()
    }

    /// Whether there is a subscription to close events.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.subscription().is_subscribed()
    }

    /// Subscribes to the close events that a plan needs in place of those before, if there is a subscription.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn follow_events(&self, plan: &Plan) -> std::io::Result<()> {
        self.subscription().follow(&plan.tracking.events)
    }

    /// How often the thread that reads close events has waited for the next: it lives while the number grows.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.0.waits.load(Ordering::Relaxed)
    }

    pub(super) fn waited(&self) {
        self.0.waits.fetch_add(1, Ordering::Relaxed);
    }

    /// Where the thread that reads close events rests.
    pub(super) fn rest(&self) -> &Rest {
        &self.0.rest
    }

    /// Has the close events read that wait. Do not call it with the tracker locked: they are read under that lock.
    pub(super) fn catch_up(&self) {
        /// A scrape does not wait longer for the closes of a moment ago.
        const MOST: Duration = Duration::from_millis(20);
        let until = Instant::now() + MOST;
        // More may come meanwhile, and a reader that does something else reads them later.
        while !self.subscription().is_drained() && Instant::now() < until {
            self.rest().wait_for_read(until);
        }
    }

    /// How the last attempt to read the configuration went, to be shown from now on.
    pub fn reloaded(&self, reload: Reload) {
        self.config().files.reload = Some(reload);
    }

    /// How the last attempt to read the configuration went.
    #[must_use]
    pub fn reload(&self) -> Option<Reload> {
        self.config().files.reload
    }

    /// Whether the web configuration could be read, to be shown from now on.
    pub fn web_config_was_read(&self, successful: bool) {
        self.config().files.web = Some(successful);
    }

    /// How the configuration files were read.
    pub(super) fn files(&self) -> FilesReport {
        self.config().files
    }

    /// Notes a close event of the exporter's own namespace: the last that the kernel knew of a socket.
    pub fn on_close(&self, socket: &Socket<'_>, names: Names<'_>) {
        self.lock().on_close(None, socket, None, names, &|_, _| None, &mut |_, _| false);
    }

    /// Notes what another plan needs, and what of it is held.
    pub(super) fn set_privileges(&self, privileges: Privileges) {
        self.config().privileges = privileges;
    }

    /// What was held at the start.
    pub(super) fn privileges(&self) -> Privileges {
        self.config().privileges.clone()
    }
}
