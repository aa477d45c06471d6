//! The state of a collector: what one collection leaves for the next, and what a reload keeps of it.

use std::time::Instant;

use super::halves::Halves;
use super::log_once::LogOnce;
use super::netns::NetnsRegistry;
use super::owners::KnownOwners;
use super::restrictions::Restrictions;
use super::samples::Samples;
use super::shared::SharedTracker;
use super::stuck::StuckDumps;
use crate::aggregate::{HashSeed, Limit, Size};
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::view::View;
use sockdiag::sys;

/// What one collection leaves for the next.
#[derive(Debug)]
pub struct CollectorState {
    /// Of each view, which rows its limit has admitted.
    pub(super) limits: Vec<Limit>,
    /// How much each table held, or what a list kept of each view.
    pub(super) sizes: Vec<Size>,
    pub(super) seen: Seen,
    /// Whether the last collection gave back memory of the tracker.
    pub(super) shrunk: bool,
    pub(super) seed: HashSeed,
    pub(super) logged: LogOnce,
    pub(super) restrictions: Restrictions,
    /// Whether this is a single collection, which needs no baseline.
    pub(super) alone: bool,
    pub(super) tracker: SharedTracker,
    pub(super) owners: KnownOwners,
    pub(super) registry: NetnsRegistry,
    pub(super) samples: Samples,
    /// Where to halve dumps.
    pub(super) halves: Halves,
    /// Dumps that have not ended in time, of listings too.
    pub(super) stuck: StuckDumps,
    /// What listings leave for the next, apart: a scrape between two would search for owners that only they need.
    listing: Option<Box<CollectorState>>,
}

/// How many sockets the last collection has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) sockets: u64,
    /// Those that had neither a record nor a sample.
    pub(super) untracked: usize,
}

pub(super) fn limit(view: &View) -> Limit {
    let limit = view.limit.map_or_else(Limit::none, |most| Limit::of(most).ranked_by(view.rank_column()));
    if view.is_per_connection() { limit.of_connections() } else { limit }
}

impl CollectorState {
    /// The state before the first collection, of an exporter that was started with these privileges.
    #[must_use]
    pub fn new(plan: &Plan, privileges: Privileges) -> Self {
        Self {
            limits: plan.views.iter().map(limit).collect(),
            sizes: vec![Size::default(); plan.views.len()],
            seen: Seen::default(),
            shrunk: false,
            seed: HashSeed::default(),
            logged: LogOnce::default(),
            restrictions: Restrictions::default(),
            alone: false,
            tracker: SharedTracker::new(plan, privileges),
            owners: KnownOwners::None,
            registry: NetnsRegistry::default(),
            samples: Samples::default(),
            halves: Halves::default(),
            stuck: StuckDumps::default(),
            listing: None,
        }
    }

    /// The state of a single collection, with no other after it.
    #[must_use]
    pub fn of_one(plan: &Plan, privileges: Privileges) -> Self {
        Self { alone: true, ..Self::new(plan, privileges) }
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

    /// The state of listings of that plan. No dump of theirs begins behind one that is stuck here, and none here behind
    /// theirs.
    pub(crate) fn for_listing(&mut self, plan: &Plan) -> &mut Self {
        let mut of_plan = Self::of_one(plan, Privileges::default());
        if let Some(before) = self.listing.take() {
            // Without `halves`: where no scraper waits, single dumps take less processor time.
            let Self { seen, seed, owners, registry, samples, sizes, .. } = *before;
            of_plan = Self { seen, seed, owners, registry, samples, ..of_plan };
            // Another question may be about other protocols.
            if sizes.len() == of_plan.sizes.len() {
                of_plan.sizes = sizes;
            }
        }
        of_plan.stuck = self.stuck.clone();
        self.listing.insert(Box::new(of_plan))
    }

    /// How much there was of each view in the last collection.
    pub(crate) fn sizes_mut(&mut self) -> &mut Vec<Size> {
        &mut self.sizes
    }

    /// How many sockets the last listing found.
    pub(crate) fn listed_sockets(&self) -> usize {
        let sockets = self.listing.as_ref().map_or(0, |listing| listing.seen.sockets);
        usize::try_from(sockets).unwrap_or(usize::MAX)
    }

    /// Whether the next listing knows owners from the last one.
    pub(crate) fn knows_listed_owners(&self) -> bool {
        self.listing.as_ref().is_some_and(|listing| listing.owners.read().is_some())
    }

    /// Forgets the owners of listed sockets: the next listing reads all processes again.
    pub fn forget_listed_owners(&mut self) {
        self.listing = None;
    }

    /// What it shares with others.
    #[must_use]
    pub fn tracker(&self) -> SharedTracker {
        self.tracker.clone()
    }
}
