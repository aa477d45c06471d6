//! Another plan while sockets live on: views that are equal under both keep their rows.

use std::sync::Arc;
use std::time::Instant;

use super::{Inventory, Tracker};
use crate::plan::{AggregatedView, Plan, Program};

impl Tracker {
    /// Tracks sockets for another plan, from the next one on.
    ///
    /// A view that is the same keeps its rows and sums. One that is new takes the sockets that live now as its
    /// baseline, and finds a row for each when a dump shows it. `programs` are the plan's for the exporter's own namespace.
    /// `inventory` was begun at that time.
    pub(in crate::collection) fn reload(
        &mut self,
        plan: &Arc<Plan>,
        programs: Vec<Arc<Program>>,
        (inventory, begun): (Inventory, Instant),
    ) {
        let (old, tracking) = (Arc::clone(&self.plan), &plan.tracking);
        let same = |before: &AggregatedView, now: &AggregatedView| {
            let views = old.views.get(before.view).zip(plan.views.get(now.view));
            views.is_some_and(|(before, now)| old.shows_as(before, now, plan))
        };
        let views = tracking.with_tables(&plan.views);
        let before = self.ledger.reload(views, &tracking.counters, plan.collect.tracked, same);
        self.reloaded = self.ledger.baseline.generation;
        self.plan = Arc::clone(plan);
        let places = self.places();
        // Sockets of a protocol that joins are older than its views.
        self.ledger.baseline.exist(&places, false);
        self.take(inventory, begun);
        self.namespaces.reload(programs, &before);
        self.clock.observe = plan.collect.observe;
    }
}
