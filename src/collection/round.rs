//! The walk for the metrics: one, or two where the tracker needs a baseline.

use std::time::{Duration, Instant};

use super::host::Host;
use super::intake::Intake;
use super::namespaces::ListedNamespaces;
use super::owners::OwnerSearch;
use super::sink::Sink;
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
pub(super) struct Round {
    pub(super) walked: Walked,
    pub(super) connections: ConnectionTables,
    /// How long the dumps of each protocol took.
    pub(super) took: Vec<Duration>,
}

impl Round {
    /// Walks until that time, and a second time if the tracker needs a baseline.
    pub(super) fn of<S: Sink>(
        deadline: Instant,
        plan: &Plan,
        host: &impl Host,
        state: &mut CollectorState,
        owners: &mut OwnerSearch,
        listed: &ListedNamespaces,
        mut sink: S,
    ) -> (Self, S) {
        let CollectorState { limits, sizes, seed, alone, seen, tracker, stuck, samples, halves, .. } = state;
        let began = Instant::now();
        let mut may_repeat = !*alone;
        let mut took = vec![Duration::ZERO; plan.protocols.len()];
        loop {
            tracker.lock().begin(owners.has_read());
            let connections = ConnectionTables::new(plan, limits, sizes, seed, !*alone);
            let known = (std::mem::take(&mut owners.attribution), std::mem::take(samples));
            let intake = Intake::new(plan, host, known, tracker, seen.untracked, (connections, sink));
            let (mut walked, taken) = walk(plan, host, deadline, (stuck, halves), listed, intake, &mut took);
            (owners.attribution, *samples) = (taken.attribution, taken.samples);
            let connections;
            (connections, sink) = taken.sink;
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
                return (Self { walked, connections, took }, sink);
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
