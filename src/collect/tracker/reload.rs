//! Another plan while sockets live on: what is the same under both goes on where it was.
//!
//! Refuses to know where the plan came from.

use std::sync::Arc;
use std::time::Instant;

use super::Tracker;
use super::dumped::{UNDIRECTED, UNPLACED};
use crate::attribute::OwnerId;
use crate::config::View;
use crate::fold::{Inventory, Kept};
use crate::plan::{Plan, Program};

impl Tracker {
    /// Follows what another plan asks for, from the next socket on.
    ///
    /// A view that is the same keeps its rows and sums. One that is new takes the sockets that live now as its
    /// baseline, and finds a row for each when a dump shows it. `program` is the plan's for the own namespace.
    /// `inventory` was begun at that time.
    pub(in crate::collect) fn adopt(
        &mut self,
        plan: &Arc<Plan>,
        program: Program,
        (inventory, begun): (Inventory, Instant),
    ) {
        let (views, tracking) = (Arc::clone(&plan.views), Arc::clone(&plan.tracking));
        let same_table = |view: &View| {
            let of_view =
                |number: usize| self.tracking.folded.get(number).and_then(|old| self.views.get(old.view));
            (0..self.tracking.folded.len())
                .find(|number| of_view(*number).is_some_and(|old| self.plan.shows_as(old, view, plan)))
        };
        let tables: Vec<_> =
            tracking.folded.iter().map(|folded| same_table(views.get(folded.view)?)).collect();
        let counter = |source| self.tracking.counters.iter().position(|old| old == source);
        let undirected = tracking.listeners && !self.tracking.listeners;
        // Those for which there is room now may be older than any view.
        let all_new = plan.collect.tracked > self.plan.collect.tracked && self.ledger.stats.untracked > 0;
        let kept = Kept {
            counters: tracking.counters.iter().map(counter).collect(),
            flags: UNPLACED | if undirected { UNDIRECTED } else { 0 },
            // Numbers mean something only to the table of processes that gave them.
            owner: (!self.plan.attributes_as(plan)).then(|| OwnerId::NOBODY.number()),
            tables,
            all_new,
        };
        let baseline = |table: &Option<usize>| self.baselines.get((*table)?).copied().flatten();
        self.baselines = kept.tables.iter().map(baseline).collect();
        let joined =
            |table: &Option<usize>| table.is_none_or(|old| self.joined.get(old).is_none_or(|joined| *joined));
        self.joined = kept.tables.iter().map(joined).collect();
        self.undirected |= undirected;
        self.ledger.reshape(tracking.shape(&views, plan.collect.tracked), &kept);
        self.take(inventory, begun);
        // What names mean in other namespaces is known again at the next look; until then it is what it was.
        for of_netns in self.programs.values_mut() {
            let mut now = program.clone();
            for (wanted, same) in now.folded.iter_mut().zip(&kept.tables) {
                if let Some(known) = same.and_then(|number| of_netns.folded.get(number)) {
                    wanted.clone_from(known);
                }
            }
            *of_netns = Arc::new(now);
        }
        self.program = Arc::new(program);
        self.cgroups = plan.needs_cgroups();
        self.observe = plan.collect.observe;
        (self.views, self.tracking, self.plan) = (views, tracking, Arc::clone(plan));
    }
}
