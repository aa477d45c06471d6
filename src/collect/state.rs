//! What one collection leaves for the next: admitted rows, sizes, the ledger, and what has been logged.
//!
//! Refuses to know sockets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hashbrown::HashSet;

use super::World;
use super::attribution::Attribution;
use super::destroy_events::{BETWEEN_WARNINGS, SubscriptionStats};
use super::inventory::inventory;
use super::netns::NetnsRegistry;
use super::restrictions::Restrictions;
use super::tracker::Tracker;
use crate::config::View;
use crate::facts::Names;
use crate::fold::{HashSeed, Limit, Size};
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::self_metrics::{FilesReport, Reload, TrackerReport};
use crate::sockdiag::{Socket, sys};

/// What one collection leaves for the next.
#[derive(Debug)]
pub struct CollectorState {
    pub(super) limits: Vec<Limit>,
    /// How much the tables held, and how many sockets the ledger did not know.
    pub(super) sizes: Vec<Size>,
    pub(super) untracked: usize,
    /// Whether the last collection gave back memory of the ledger.
    pub(super) shrunk: bool,
    pub(super) seed: HashSeed,
    pub(super) logged: LogOnce,
    pub(super) restrictions: Restrictions,
    /// Whether there is but one collection, which needs no baseline.
    pub(super) alone: bool,
    pub(super) tracker: SharedTracker,
    /// Whose sockets are; `None` until the first collection, and while one is under way.
    pub(super) attribution: Option<Attribution>,
    pub(super) registry: NetnsRegistry,
    /// What listings leave for the next, apart: a scrape between two would search for owners that only they need.
    listing: Option<Box<CollectorState>>,
}

/// What collections share with the thread that hears of closing sockets.
#[derive(Clone, Debug)]
pub struct SharedTracker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tracker: Mutex<Tracker>,
    subscription: Mutex<SubscriptionStats>,
    config: Mutex<ConfigStatus>,
    /// How often the thread that hears of closing sockets has waited.
    waits: AtomicU64,
}

/// What was last said of the configuration.
#[derive(Debug)]
struct ConfigStatus {
    privileges: Privileges,
    files: FilesReport,
}

impl SharedTracker {
    fn new(plan: &Plan, privileges: Privileges) -> Self {
        Self(Arc::new(Shared {
            tracker: Mutex::new(Tracker::new(plan)),
            subscription: Mutex::default(),
            config: Mutex::new(ConfigStatus { privileges, files: FilesReport::default() }),
            waits: AtomicU64::new(0),
        }))
    }

    // A panic ends the program, so that nobody finds any of it in pieces.

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

    /// Whether the counters of all sockets in the own namespace have been read that are older than what is shown.
    #[must_use]
    pub fn has_baseline(&self) -> bool {
        self.lock().has_baseline()
    }

    /// What is followed now.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        self.lock().plan()
    }

    /// Whether the kernel tells of the ends of sockets.
    #[must_use]
    pub fn hears(&self) -> bool {
        self.subscription().is_subscribed()
    }

    /// How often the thread that hears of closing sockets has waited for the next: it lives while the number grows.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.0.waits.load(Ordering::Relaxed)
    }

    pub(super) fn waited(&self) {
        self.0.waits.fetch_add(1, Ordering::Relaxed);
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

    /// Tells of the end of a socket in the own namespace, with the last that the kernel knew of it.
    pub fn ended(&self, socket: &Socket<'_>, names: Names<'_>) {
        self.lock().on_close(None, socket, names, &|_, _| None, &mut |_, _| false);
    }

    /// What was held at the start.
    pub(super) fn privileges(&self) -> Privileges {
        self.config().privileges.clone()
    }
}

/// What has been logged, so that a scraper's pace is not the log's.
#[derive(Debug, Default)]
pub(super) struct LogOnce {
    /// Of each view, that its limit leaves rows out or folds them.
    limited: HashSet<String>,
    /// Whether it was said that the ledger is full.
    full: bool,
    /// Whether it was said that there are namespaces whose closing sockets the kernel does not tell of.
    unobserved: bool,
    incomplete: Incomplete,
}

/// What was logged of collections that were not complete.
#[derive(Debug, Default)]
struct Incomplete {
    /// The reason that was logged last; empty since collections were logged as complete.
    reason: String,
    /// When.
    at: Option<Instant>,
    /// Incomplete collections since then.
    collections: u64,
}

/// What to log about whether collections are complete.
#[derive(Debug, PartialEq, Eq)]
enum Completeness {
    /// The number of incomplete collections since the last such line.
    Incomplete(u64),
    CompleteAgain,
}

impl Incomplete {
    /// Notes why a collection was not complete, or that it was. A reason that begins or changes is logged at most once
    /// a minute, however many there are: on a busy host, it changes with every collection.
    fn note(&mut self, reason: &str, now: Instant) -> Option<Completeness> {
        self.collections += u64::from(!reason.is_empty());
        if reason == self.reason {
            return None;
        }
        if reason.is_empty() {
            self.reason.clear();
            return Some(Completeness::CompleteAgain);
        }
        if self.at.is_some_and(|at| now.duration_since(at) < BETWEEN_WARNINGS) {
            return None;
        }
        (self.reason, self.at) = (reason.to_owned(), Some(now));
        Some(Completeness::Incomplete(std::mem::take(&mut self.collections)))
    }
}

impl LogOnce {
    /// Logs why collections are not complete, when that begins, changes or ends.
    pub(super) fn trouble(&mut self, trouble: &str, now: Instant) {
        match self.incomplete.note(trouble, now) {
            Some(Completeness::Incomplete(collections)) => {
                tracing::warn!(
                    trouble,
                    collections,
                    "a collection is not complete (said at most once a minute)"
                );
            }
            Some(Completeness::CompleteAgain) => tracing::info!("collections are complete again"),
            None => {}
        }
    }

    pub(super) fn left_out(&mut self, view: &View, rows: usize) {
        if rows > 0 && self.limited.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                left_out = rows,
                limit,
                "rows exceed the limit of a view and are dropped; said once, counted in ss_exporter_rows_dropped"
            );
        }
    }

    pub(super) fn folded(&mut self, view: &View, sockets: u64) {
        if sockets > 0 && self.limited.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                limit,
                "sockets exceed the limit of a view and go to its row \"other\"; said once, counted in ss_exporter_sockets_over_limit_total"
            );
        }
    }

    pub(super) fn unobserved(&mut self, namespaces: usize) {
        if namespaces > 0 && !self.unobserved {
            self.unobserved = true;
            tracing::warn!(
                namespaces,
                "the kernel does not tell of sockets that close in some network namespaces, because they have no number in \
                 this one, or for want of CAP_NET_BROADCAST: what a connection there does after its last collection is lost; \
                 `ip netns set NAME auto` gives one a number; said once, counted in ss_exporter_namespaces_unobserved"
            );
        }
    }

    pub(super) fn full(&mut self, ledger: Option<&TrackerReport>) {
        let Some(TrackerReport { limit, stats, .. }) = ledger else { return };
        if stats.untracked > 0 && !self.full {
            self.full = true;
            tracing::warn!(
                limit,
                untracked = stats.untracked,
                "there are more sockets than collect.tracked_sockets; said once, counted in ss_exporter_sockets_untracked"
            );
        }
    }
}

fn limit(view: &View) -> Limit {
    view.limit.map_or_else(Limit::none, Limit::of)
}

impl CollectorState {
    /// The memory before the first collection, of an exporter that was started with these privileges.
    #[must_use]
    pub fn new(plan: &Plan, privileges: Privileges) -> Self {
        Self {
            limits: plan.views.iter().map(limit).collect(),
            sizes: vec![Size::default(); plan.views.len()],
            untracked: 0,
            shrunk: false,
            seed: HashSeed::default(),
            logged: LogOnce::default(),
            restrictions: Restrictions::default(),
            alone: false,
            tracker: SharedTracker::new(plan, privileges),
            attribution: None,
            registry: NetnsRegistry::default(),
            listing: None,
        }
    }

    /// The memory of a collection after which there is none.
    #[must_use]
    pub fn of_one(plan: &Plan, privileges: Privileges) -> Self {
        Self { alone: true, ..Self::new(plan, privileges) }
    }

    /// Lists the sockets that exist: what they have counted so far is no gain. To be called before close events are
    /// subscribed to.
    pub fn take_inventory(&mut self, plan: &Plan, world: &impl World) {
        let (inventory, begun) = inventory(plan, world, self);
        self.tracker.lock().take(inventory, begun);
    }

    /// Goes on under another plan with what is the same; `privileges` is what that one needs, and what of it is held.
    ///
    /// The sockets that exist are listed first. To be called before close events are subscribed to.
    pub fn adopt(&mut self, plan: &Arc<Plan>, world: &impl World, privileges: Privileges) {
        let inventory = inventory(plan, world, self);
        let before = self.tracker.plan();
        let same = |view: &View| {
            before.views.iter().position(|old| before.shows_as(old, view, plan)).filter(|_| !view.folds)
        };
        let places: Vec<_> = plan.views.iter().map(same).collect();
        let stays = |place: &Option<usize>| self.limits.get((*place)?).cloned();
        let limits = plan.views.iter().zip(&places);
        self.limits = limits.map(|(view, place)| stays(place).unwrap_or_else(|| limit(view))).collect();
        let size = |place: &Option<usize>| place.and_then(|place| self.sizes.get(place)).copied();
        self.sizes = places.iter().map(|place| size(place).unwrap_or_default()).collect();
        self.logged
            .limited
            .retain(|name| plan.views.iter().any(|view| view.name == *name && before.views.contains(view)));
        if !before.attributes_as(plan) {
            self.attribution = None;
        }
        if let Some(attribution) = &mut self.attribution {
            attribution.adopt(&before, plan);
        }
        // Made before anything is locked: names may have to be looked up.
        let program = plan.program(world);
        self.tracker.lock().reload(plan, program, inventory);
        self.tracker.config().privileges = privileges;
    }

    /// Begins a collection; whether memory of the tracker was given back.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        let mut tracker = self.tracker.lock();
        tracker.at(now);
        tracker.ledger.shrink()
    }

    /// Ends a collection that gave back memory or not.
    pub(super) fn end(&mut self, shrunk: bool) {
        // Again a collection later: what this one still used is freed by then.
        if std::mem::replace(&mut self.shrunk, shrunk) || shrunk {
            sys::release_freed_memory();
        }
    }

    /// The state of listings of that plan, whose rows take at most that many bytes per view. No dump of theirs begins
    /// behind one that is stuck here, and none here behind theirs.
    pub(crate) fn for_listing(&mut self, plan: &Plan, bytes: usize) -> &mut Self {
        let mut of_plan = Self::of_one(plan, Privileges::default());
        of_plan.limits.fill(Limit::within(bytes));
        if let Some(before) = self.listing.take() {
            let Self { attribution, registry, untracked, seed, .. } = *before;
            of_plan = Self { attribution, registry, untracked, seed, ..of_plan };
        } else {
            of_plan.registry = self.registry.beside();
        }
        self.listing.insert(Box::new(of_plan))
    }

    /// How many sockets the last listing found.
    pub(crate) fn listed_sockets(&self) -> usize {
        self.listing.as_ref().map_or(0, |listing| listing.untracked)
    }

    /// Whether the next listing knows owners from the last one.
    pub(crate) fn knows_listed_owners(&self) -> bool {
        self.listing.as_ref().is_some_and(|listing| listing.attribution.is_some())
    }

    /// Forgets the owners of listed sockets: the next listing reads all processes again.
    pub fn forget_listed_owners(&mut self) {
        self.listing = None;
    }

    /// What is needed, and what of it was held at the start.
    #[must_use]
    pub fn privileges(&self) -> Privileges {
        self.tracker.privileges()
    }

    /// What it shares with others.
    #[must_use]
    pub fn tracker(&self) -> SharedTracker {
        self.tracker.clone()
    }
}

#[cfg(test)]
mod tests;
