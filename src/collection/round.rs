//! The walk for the metrics: one, or two where the tracker needs a baseline.

use std::time::{Duration, Instant};

use super::host::Host;
use super::intake::{Intake, Sink};
use super::namespaces::ListedNamespaces;
use super::owners::OwnerSearch;
use super::state::CollectorState;
use super::tables::ConnectionTables;
use super::walk::{Walked, walk};
use crate::plan::Plan;
use crate::self_metrics::LegacyStatus;
use crate::view::PROTOCOL;

/// Listings for which the samples of a connection are kept that none of them showed: of two filters that alternate, each
/// finds its samples.
const LISTINGS: u32 = 8;

/// The walk for the metrics, and what it found.
pub(super) struct Round<'a> {
    pub(super) walked: Walked,
    pub(super) connections: ConnectionTables<'a>,
    /// How long the dumps of each protocol took.
    pub(super) took: Vec<Duration>,
}

impl<'a> Round<'a> {
    /// Walks until that time, and a second time if the tracker needs a baseline.
    pub(super) fn of(
        deadline: Instant,
        plan: &'a Plan,
        host: &impl Host,
        state: &mut CollectorState,
        owners: &mut OwnerSearch,
        listed: &ListedNamespaces,
        sinks: &mut [&mut dyn Sink],
    ) -> Self {
        let CollectorState { limits, sizes, seed, alone, untracked, tracker, stuck, samples, halves, .. } =
            state;
        let began = Instant::now();
        let mut may_repeat = !*alone;
        let mut took = vec![Duration::ZERO; plan.protocols.len()];
        loop {
            tracker.lock().begin(owners.has_read());
            let mut connections = ConnectionTables::new(plan, limits, sizes, seed, !*alone);
            let mut all: Vec<&mut dyn Sink> = Vec::with_capacity(1 + sinks.len());
            if connections.has_any() {
                all.push(&mut connections);
            }
            all.extend(sinks.iter_mut().map(|sink| &mut **sink as &mut dyn Sink));
            let intake = Intake::new(plan, host, &mut owners.attribution, tracker, samples, *untracked, all);
            let mut walked = walk(plan, host, deadline, (stuck, halves), listed, intake, &mut took);
            // An exporter without TCP, or a list, has nothing else to show. Other views are empty until a module is loaded.
            if *alone || plan.protocols.contains(&PROTOCOL) {
                walked.demand_a_protocol(plan);
            }
            samples.end_walk(if *alone { LISTINGS } else { 1 });
            // Without the time for it, the next collection completes the baseline.
            may_repeat &= walked.errors.is_empty()
                && began.elapsed() < deadline.saturating_duration_since(Instant::now())
                && tracker.lock().wants_another_walk();
            if !may_repeat {
                return Self { walked, connections, took };
            }
            // What one walk of the kernel's tables misses must not look new in the next.
            tracker.lock().end(true, true, &walked.dumped, &walked.missed);
            may_repeat = false;
        }
    }

    /// What the predecessor's 3.x reports of a collection.
    pub(super) fn legacy_status(&self, usable: bool) -> LegacyStatus {
        let flows = self.connections.selected.iter().copied().max().unwrap_or(0);
        if usable { LegacyStatus::Success(flows) } else { LegacyStatus::Failed }
    }
}
