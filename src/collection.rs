//! One collection, read top to bottom: owners, namespaces, walk, tables.
//!
//! Refuses to know who asked, and when the next one comes.

mod attribution;
mod conclude;
mod destroy_events;
mod generation;
mod halves;
mod host;
mod intake;
mod inventory;
mod key;
mod listeners;
mod log_once;
mod namespaces;
mod netns;
mod observe;
mod owners;
mod pending;
mod problems;
mod reload;
mod rest;
mod restrictions;
mod round;
mod samples;
mod shared;
mod sink;
mod state;
mod stuck;
mod subscription;
mod tables;
mod time_wait;
mod tracker;
mod walk;

use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::self_metrics::{ProcessReport, SelfReport};
use crate::snapshot::Snapshot;
use conclude::{Outcome, conclude, tracker_report};
use namespaces::ListedNamespaces;
use owners::{KnownOwners, OwnerSearch};
use problems::Problems;
use round::Round;

pub use destroy_events::{open_events, start_event_loop, subscribe};
pub use host::{Host, InterfaceNames};
pub use key::Key;
pub(crate) use listeners::SCAN_INTERVAL;
pub use netns::{Entered, Opened};
pub use shared::SharedTracker;
pub(crate) use sink::Sink;
pub use state::CollectorState;

/// Collects once, within `collect.deadline`.
pub fn collect(plan: &Plan, host: &impl Host, state: &mut CollectorState) -> Snapshot {
    collect_within(plan.collect.deadline, plan, host, state)
}

/// Collects once, within this time.
///
/// It never fails as a whole: what could not be done is missing from the snapshot and marked in its
/// report.
pub fn collect_within(time: Duration, plan: &Plan, host: &impl Host, state: &mut CollectorState) -> Snapshot {
    collect_into(time, plan, host, state, ()).0
}

/// Collects once. Every socket goes to this sink too, once per walk.
pub(crate) fn collect_into<S: Sink>(
    time: Duration,
    plan: &Plan,
    host: &impl Host,
    state: &mut CollectorState,
    sink: S,
) -> (Snapshot, S) {
    let start = Instant::now();
    let shrunk = state.begin(start);
    let (mut report, mut problems) = (SelfReport::default(), Problems::default());

    let known = std::mem::take(&mut state.owners);
    let mut owners = OwnerSearch::begin(plan, host.proc(), known, start, time);
    let mut listed = ListedNamespaces::for_tracker(plan, host, state);
    report.netns = listed.report(plan, host, state);
    let (round, sink) = Round::of(start + time, plan, host, state, &mut owners, &listed, sink);

    report.privileges = state.tracker.privileges();
    let CollectorState { restrictions, alone, .. } = state;
    let restrictions = restrictions.judge(plan, &owners.attribution, &report.privileges, *alone, host.proc());
    let owners_complete =
        owners.report(restrictions, round.walked.owners(), host.proc(), &mut report, &mut problems);
    listed.say(&mut problems);
    round.walked.report(plan, &round.took, &mut report, &mut problems);
    listed.report_walked(plan, round.walked.failures.len(), round.walked.empty, &mut report);
    let outcome = Outcome::of(plan, &round.walked, owners_complete, &mut problems);
    state.owners = KnownOwners::Read(Box::new(owners.attribution));
    report.legacy = plan.legacy_meta.then(|| round.legacy_status(outcome.usable));
    let tables = conclude(plan, state, round, outcome, &mut report);

    report.tracker = tracker_report(plan, &state.tracker);
    state.logged.full(report.tracker.as_ref());
    state.logged.trouble(&problems.0, start);
    report.collector.collections = 1;
    report.hosts_unresolved = unresolved_hosts(plan, host);
    report.files = state.tracker.files();
    state.end(shrunk);
    report.process = ProcessReport::read();
    (Snapshot { views: plan.views.clone(), tables, report }, sink)
}

/// How many host names of the configuration have no address; `None` if it has no host name.
fn unresolved_hosts(plan: &Plan, host: &impl Host) -> Option<usize> {
    let unresolved = plan.hosts.iter().filter(|name| host.addresses(name).is_empty()).count();
    (!plan.hosts.is_empty()).then_some(unresolved)
}

/// What can be shown without a dump: that which only ever grows.
#[must_use]
pub fn cumulative_snapshot(tracker: &SharedTracker) -> Snapshot {
    let (plan, tables) = conclude::cumulative_tables(tracker);
    let mut snapshot = Snapshot { tables, ..Snapshot::blank(&plan) };
    snapshot.report.tracker = tracker_report(&plan, tracker);
    snapshot.report.privileges = tracker.privileges();
    snapshot.report.files = tracker.files();
    snapshot
}
