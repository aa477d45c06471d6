//! One collection, read top to bottom: owners, namespaces, walk, tables.
//!
//! Refuses to know who asked, and when the next one comes.

mod attribution;
mod conclude;
mod destroy_events;
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
mod restrictions;
mod shared;
mod state;
mod stuck;
mod subscription;
mod tables;
mod time_wait;
mod tracker;
mod walk;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::attribute::{Namespace, NetnsListing};
use crate::plan::Plan;
use crate::select::Lookup;
use crate::self_metrics::{LegacyStatus, ProcessReport, SelfReport};
use crate::snapshot::Snapshot;
use crate::sockdiag::Transport;
use conclude::{Ending, conclude, tracker_report};
use intake::Intake;
use namespaces::ListedNamespaces;
use owners::OwnerSearch;
use tables::ConnectionTables;
use walk::{Walked, walk};

pub use destroy_events::{open_events, start_event_loop, subscribe};
pub(crate) use intake::Sink;
pub use key::Key;
pub(crate) use listeners::SCAN_INTERVAL;
pub use netns::Entered;
pub use shared::SharedTracker;
pub use state::CollectorState;

/// The host as a collection sees it. Defaults report nothing.
pub trait World: Lookup + Send + Sync {
    /// What answers dump requests.
    type Transport: Transport;

    /// The network namespace of this program, as every listing has it.
    fn own(&self) -> Namespace {
        Namespace::own()
    }

    /// The network namespaces to collect, the exporter's own first.
    ///
    /// # Errors
    /// If they cannot be found out.
    fn namespaces(&self) -> io::Result<NetnsListing> {
        Ok(NetnsListing::own())
    }

    /// Enters a namespace, opens connections to the kernel for one dump each, and leaves it again.
    ///
    /// # Errors
    /// If it cannot be entered, or what `socket(2)` says.
    fn enter(&self, namespace: &Namespace) -> io::Result<Entered<Self::Transport>>;

    /// The nsid by which the kernel's events name a namespace, if it has one.
    fn nsid(&self, _namespace: &Namespace) -> Option<i32> {
        None
    }

    /// The nsids of all namespaces that have one, whether or not they were found.
    fn nsids(&self) -> Vec<i32> {
        Vec::new()
    }

    /// Where the process table is.
    fn proc(&self) -> &Path;

    /// The name of the interface with that index in a namespace.
    fn interface_name(&self, _namespace: &Namespace, _index: u32) -> Option<String> {
        None
    }

    /// The index of the interface of that name in a namespace.
    fn interface_index(&self, _namespace: &Namespace, _name: &str) -> Option<u32> {
        None
    }
}

/// Collects once, within `collect.deadline`.
pub fn collect(plan: &Plan, world: &impl World, state: &mut CollectorState) -> Snapshot {
    collect_within(plan.collect.deadline, plan, world, state)
}

/// Collects once, within this time.
///
/// It never fails as a whole: what could not be done is missing from the snapshot and marked in its
/// report.
pub fn collect_within(
    time: Duration,
    plan: &Plan,
    world: &impl World,
    state: &mut CollectorState,
) -> Snapshot {
    collect_into(time, plan, world, state, &mut [])
}

/// Collects once. Every socket goes to these sinks too, once per walk.
pub(crate) fn collect_into(
    time: Duration,
    plan: &Plan,
    world: &impl World,
    state: &mut CollectorState,
    sinks: &mut [&mut dyn Sink],
) -> Snapshot {
    let start = Instant::now();
    let shrunk = state.begin(start);
    let (mut report, mut problems) = (SelfReport::default(), Problems::default());

    let known = state.attribution.take();
    let mut owners = OwnerSearch::begin(plan, world.proc(), known, start, time);
    let mut listed = ListedNamespaces::for_tracker(plan, world, state);
    report.netns = listed.report(plan, world, state);
    let round = Round::of(start + time, plan, world, state, &mut owners, &listed, sinks);

    report.privileges = state.tracker.privileges();
    let CollectorState { restrictions, alone, .. } = state;
    let restrictions =
        restrictions.judge(plan, &owners.attribution, &report.privileges, *alone, world.proc());
    let owners_complete =
        owners.report(restrictions, &round.walked, world.proc(), &mut report, &mut problems);
    listed.say(&mut problems);
    round.walked.report(round.took, &mut report, &mut problems);
    listed.report_walked(plan, &round.walked, &mut report);
    let ending = Ending::of(plan, &round.walked, owners_complete, &mut problems);
    state.attribution = Some(owners.attribution);
    report.legacy = plan.legacy_meta.then(|| round.legacy_status(ending));
    let tables = conclude(plan, state, round, ending, &mut report);

    report.tracker = tracker_report(plan, &state.tracker);
    state.logged.full(report.tracker.as_ref());
    state.logged.trouble(&problems.0, start);
    report.collector.collections = 1;
    report.hosts_unresolved = unresolved_hosts(plan, world);
    report.files = state.tracker.files();
    state.end(shrunk);
    report.process = ProcessReport::read();
    Snapshot { views: plan.views.clone(), tables, report }
}

/// How many host names of the configuration have no address; `None` if it has no host name.
fn unresolved_hosts(plan: &Plan, world: &impl World) -> Option<usize> {
    let unresolved = plan.hosts.iter().filter(|host| world.addresses(host).is_empty()).count();
    (!plan.hosts.is_empty()).then_some(unresolved)
}

/// The walk for the metrics, and what it found.
struct Round<'a> {
    walked: Walked,
    connections: ConnectionTables<'a>,
    /// How long it took without the search for owners.
    took: Duration,
}

impl<'a> Round<'a> {
    /// Walks until that time, and a second time if the tracker needs a baseline.
    fn of(
        deadline: Instant,
        plan: &'a Plan,
        world: &impl World,
        state: &mut CollectorState,
        owners: &mut OwnerSearch,
        listed: &ListedNamespaces,
        sinks: &mut [&mut dyn Sink],
    ) -> Self {
        let began = Instant::now();
        let mut round = Self::once(deadline, plan, world, state, owners, listed, sinks);
        let needs_baseline =
            !state.alone && round.walked.error.is_none() && state.tracker.lock().wants_another_walk();
        // Without the time for it, the next collection completes the baseline.
        if needs_baseline && began.elapsed() < deadline.saturating_duration_since(Instant::now()) {
            // What one walk of the kernel's tables misses must not look new in the next.
            state.tracker.lock().end(true, true, &round.walked.dumped, &round.walked.missed);
            round = Self::once(deadline, plan, world, state, owners, listed, sinks);
        }
        round.took = began.elapsed().saturating_sub(round.walked.resolving);
        round
    }

    fn once(
        deadline: Instant,
        plan: &'a Plan,
        world: &impl World,
        state: &mut CollectorState,
        owners: &mut OwnerSearch,
        listed: &ListedNamespaces,
        sinks: &mut [&mut dyn Sink],
    ) -> Self {
        let CollectorState { limits, sizes, seed, alone, untracked, tracker, registry, .. } = state;
        tracker.lock().begin(owners.has_read());
        let mut connections = ConnectionTables::new(plan, limits, sizes, seed, !*alone);
        let mut all: Vec<&mut dyn Sink> = vec![&mut connections];
        all.extend(sinks.iter_mut().map(|sink| &mut **sink as &mut dyn Sink));
        let intake = Intake::new(plan, world, &mut owners.attribution, tracker, *untracked, all);
        let walked = walk(plan, world, deadline, registry, listed, intake);
        Self { walked, connections, took: Duration::ZERO }
    }

    /// What the predecessor's 3.x reports of a collection.
    fn legacy_status(&self, ending: Ending) -> LegacyStatus {
        let flows = self.connections.selected.iter().copied().max().unwrap_or(0);
        if ending.usable { LegacyStatus::Success(flows) } else { LegacyStatus::Failed }
    }
}

/// Why a collection is not complete, in one line.
#[derive(Default)]
struct Problems(String);

impl Problems {
    fn add(&mut self, problem: String) {
        if self.0.is_empty() {
            self.0 = problem;
        } else {
            self.0 = format!("{}; {problem}", self.0);
        }
    }
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
