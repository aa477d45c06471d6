//! What a configuration produces on this host: rows, series and bytes now, and how fast new ones come.
//!
//! Collections as often as Prometheus would scrape, and the close events between them, fill a census of keys.
//! Refuses to know who asks, and keeps nothing: an exporter that runs counts for itself.

mod advice;
mod census;
mod close_events;
mod figures;
mod json;
mod keys;
mod size;
mod table;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::aggregate::FrozenTable;
use crate::collection::{CollectorState, Host, SCAN_INTERVAL, collect, collect_into};
use crate::exposition::FamilyFilter;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::self_metrics::{Reload, SelfReport};
use crate::snapshot::Snapshot;
use crate::view::View;
use census::Census;
use close_events::CloseEventCounter;
use figures::INTERVAL;
use keys::When;
use sockdiag::Socket;

pub use figures::{Estimate, EventCoverage, ViewEstimate};
pub use size::ExpositionSize;

/// The kernel has not reported the sockets of this host; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sockets of this host could not be listed")]
pub struct Unlisted;

/// Collects, reads close events for that time, and collects again, at the end and as often as Prometheus would.
///
/// The privileges are those that an exporter would show.
///
/// # Errors
/// If the kernel does not report its sockets.
pub fn estimate(
    plan: &Plan,
    host: &impl Host,
    privileges: Privileges,
    period: Duration,
) -> Result<Estimate, Unlisted> {
    // This comes first: it takes the longest, and the time that counts begins with the subscription.
    let mut state = CollectorState::new(plan, privileges.clone());
    let mut snapshot = collect(plan, host, &mut state);
    as_served(&mut snapshot.report);
    let all = Arc::new(plan.with_all_connections());
    state.adopt(&all, host, privileges);
    let mut close_events = CloseEventCounter::begin(
        &plan.protocols,
        plan.collect.event_buffer,
        plan.collect.reads_other_namespaces(),
    );
    let census = Census::new(&all);
    let mut counted = CountedHost { plan: &all, host, state, census, scanned: Instant::now(), others: 0 };
    let start = Instant::now();
    let sockets = counted.collect()?;
    // What one walk of the kernel's tables misses must not look new later.
    counted.collect()?;
    counted.census.when = When::Later;
    let mut elapsed = Duration::ZERO;
    while elapsed < period {
        let next = (elapsed + INTERVAL).min(period);
        close_events.until(start + next, |nsid, socket| counted.close_event(nsid, socket));
        elapsed = start.elapsed();
        counted.collect()?;
    }
    let unobserved = counted.others.saturating_sub(counted.state.observable());
    let census = counted.census;
    let views = views(plan, &snapshot, &census);
    let total = ExpositionSize::of(&snapshot, &FamilyFilter::default());
    snapshot.tables.fill_with(|| None);
    Ok(Estimate {
        elapsed,
        sockets,
        connections: census.connections(),
        closed: census.closed,
        without_information: census.without_information,
        events: close_events.end(unobserved),
        views,
        own: ExpositionSize::of(&snapshot, &FamilyFilter::default()),
        total,
        complete: snapshot.report.success(),
    })
}

/// Adds what only an exporter that serves has: the read configuration, and the subscription to close events.
fn as_served(report: &mut SelfReport) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    report.files.reload = Some(Reload { successful: true, at: now });
    if let Some(tracker) = report.tracker.as_mut().filter(|tracker| tracker.subscribed.is_some()) {
        (tracker.subscribed, tracker.dropped) = (Some(true), Some(0));
    }
}

/// What each view shows in a scrape, and would show without its limit.
fn views(plan: &Plan, snapshot: &Snapshot, census: &Census) -> Vec<ViewEstimate> {
    let view = |(number, view): (usize, &View)| ViewEstimate {
        name: view.name.clone(),
        by: view.by.iter().map(|label| label.name()).collect(),
        limit: view.limit,
        ranked: view.ranked_by.is_some(),
        aggregates: view.aggregates,
        idle: view.is_cumulative().then_some(view.idle),
        series_per_row: view.series_per_row(),
        shown: snapshot.tables.get(number).and_then(Option::as_ref).map_or(0, FrozenTable::rows),
        size: ExpositionSize::of_view(snapshot, view),
        keys: census.keys(number),
    };
    plan.views.iter().enumerate().map(view).collect()
}

/// A host whose sockets are counted.
struct CountedHost<'a, W> {
    plan: &'a Plan,
    host: &'a W,
    state: CollectorState,
    census: Census,
    /// When the listeners were last read.
    scanned: Instant,
    /// Namespaces beside the exporter's own.
    others: usize,
}

impl<W: Host> CountedHost<'_, W> {
    /// Collects once; how many sockets there are.
    fn collect(&mut self) -> Result<u64, Unlisted> {
        self.scanned = Instant::now();
        let Self { plan, host, state, census, .. } = self;
        let collected = collect_into(plan.collect.deadline, plan, *host, state, std::mem::take(census));
        let report;
        (Snapshot { report, .. }, *census) = collected;
        self.others = report.netns.map_or(0, |netns| netns.seen.saturating_sub(1));
        let mut dumps = report.stages.iter().filter(|stage| stage.is_dump()).peekable();
        let listed = dumps.peek().is_some() && dumps.all(|stage| stage.success);
        listed.then_some(report.dump.sockets).ok_or(Unlisted)
    }

    /// Counts a close event.
    fn close_event(&mut self, nsid: Option<i32>, socket: &Socket<'_>) {
        let Self { plan, host, state, census, scanned, .. } = self;
        if plan.tracking.listeners && scanned.elapsed() >= SCAN_INTERVAL {
            *scanned = Instant::now();
            state.scan_listeners(plan, *host, |facts, program| {
                census.note_listener(facts, program, When::Closed);
            });
        }
        state.with_close_event(*host, nsid, socket, |facts, program| census.close_event(facts, program));
    }
}
