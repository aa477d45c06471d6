//! The end of a collection: the tables of all views are frozen for the snapshot, and their figures are reported.

use std::sync::Arc;

use super::problems::Problems;
use super::round::Round;
use super::shared::SharedTracker;
use super::state::{CollectorState, Seen};
use super::tables::ConnectionTables;
use super::time_wait;
use super::walk::Walked;
use crate::aggregate::FrozenTable;
use crate::plan::Plan;
use crate::self_metrics::{SelfReport, TrackerReport, ViewReport};

/// What a walk is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// The kernel has reported all sockets of a protocol.
    pub(super) complete: bool,
    /// It is also known which of them the views want.
    pub(super) usable: bool,
}

impl Outcome {
    /// Judges a walk, after which all owners are known or not.
    pub(super) fn of(plan: &Plan, walked: &Walked, owners_complete: bool, problems: &mut Problems) -> Self {
        let complete = !plan.protocols.iter().all(|protocol| walked.lacks(protocol));
        let usable = complete && (!plan.selects_by_process || owners_complete);
        if complete && !usable {
            // Sockets of unknown owner are missing from the selection.
            problems.add("what is selected by owner is withheld".to_owned());
        }
        Self { complete, usable }
    }
}

/// Freezes the tables of all views: without connections and gauges if the walk is of no use.
pub(super) fn conclude(
    plan: &Plan,
    state: &mut CollectorState,
    round: Round,
    outcome: Outcome,
    report: &mut SelfReport,
) -> Vec<Option<FrozenTable>> {
    let Round { walked, connections: ConnectionTables { tables, selected, .. }, .. } = round;
    state.tracker.catch_up();
    let mut tracker = state.tracker.lock();
    if let Some(number) = walked.time_wait {
        time_wait::add(&mut tracker, number);
    }
    let drained = state.tracker.subscription().is_drained();
    tracker.end(outcome.complete, drained, &walked.dumped, &walked.missed);
    state.seen = Seen { sockets: walked.counts.sockets, untracked: walked.untracked };
    state.logged.missing(&walked.missing);
    let found: Vec<_> = tracker.ledger.views.iter_mut().map(|view| std::mem::take(&mut view.found)).collect();
    let mut aggregated = tracker.ledger.views.iter().zip(found);
    let made = tables.into_iter().zip(selected).zip(state.limits.iter_mut().zip(&mut state.sizes));
    let mut sealed = Vec::with_capacity(plan.views.len());
    for (view, ((table, selected), (admitted, size))) in plan.views.iter().zip(made) {
        let usable = outcome.usable && walked.shows(view);
        let (name, limit) = (view.name.clone(), view.limit);
        let mut of_view =
            ViewReport { name, selected, rows: 0, left_out: None, in_other: None, over_limit: None, limit };
        let table = if let Some(table) = table {
            let (table, next) = table.freeze(&tracker.ends.of(view));
            if usable {
                *admitted = next;
                *size = table.size();
                state.logged.left_out(view, table.left_out);
            }
            // Those that a ranking leaves out are no loss.
            of_view.left_out = view.ranked_by.is_none().then_some(table.left_out);
            Some(table).filter(|_| usable)
        } else {
            aggregated.next().map(|(tracked, found)| {
                let overflowed = tracked.table.overflowed();
                state.logged.over_limit(view, overflowed.max(found.in_other));
                of_view.selected = found.selected;
                of_view.in_other = Some(found.in_other);
                of_view.over_limit = view.is_cumulative().then_some(overflowed);
                tracker.freeze(tracked, Some(found.gauges).filter(|_| usable))
            })
        };
        if usable {
            state.logged.selected(view, of_view.selected);
        }
        of_view.rows = table.as_ref().map_or(0, FrozenTable::rows);
        report.views.extend(usable.then_some(of_view));
        sealed.push(table);
    }
    if outcome.usable {
        tracker.settled();
    }
    sealed
}

/// What is tracked, and the tables of all views without a dump: only the cumulative columns of the aggregated ones.
pub(super) fn cumulative_tables(tracker: &SharedTracker) -> (Arc<Plan>, Vec<Option<FrozenTable>>) {
    let tracker = tracker.lock();
    let plan = tracker.plan();
    let mut tables: Vec<_> = plan.views.iter().map(|_| None).collect();
    for view in &tracker.ledger.views {
        if let Some(table) = tables.get_mut(view.spec.view) {
            *table = Some(tracker.freeze(view, None));
        }
    }
    (plan, tables)
}

/// The tracker's figures; `None` if the plan tracks nothing.
pub(super) fn tracker_report(plan: &Plan, tracker: &SharedTracker) -> Option<TrackerReport> {
    if plan.tracking.track_if.is_empty() {
        return None;
    }
    let mut subscription = tracker.subscription();
    let (dropped, subscribed) = (subscription.dropped(), subscription.is_subscribed());
    let subscription = subscription.clone();
    // A thread that holds both locks has taken the tracker's first.
    let tracker = tracker.lock();
    let (sockets, limit) = tracker.ledger.tracked();
    Some(TrackerReport {
        subscribed: plan.tracking.needs_events().then_some(subscribed),
        received: subscription.received,
        ignored: subscription.ignored,
        dropped,
        last_drop: subscription.dropped_at.map(|at| at.elapsed()),
        buffer: subscription.granted,
        resyncs: subscription.resyncs,
        tracked: sockets,
        limit,
        without_tcp_info: tracker.without_tcp_info,
        baseline: tracker.has_baseline(),
        stats: tracker.ledger.stats,
    })
}
