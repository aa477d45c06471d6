//! One collection, read top to bottom: owners, namespaces, dumps, fold.
//!
//! Refuses to know who asked, and when the next one comes.

mod aside;
mod attribution;
mod conclude;
mod destroy_events;
mod folding;
mod inventory;
mod key;
mod listen;
mod netns;
mod restrictions;
mod state;
mod time_wait;
mod tracker;
mod walk;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashSet;

use crate::attribute::{Listing, Namespace, Which};
use crate::plan::Plan;
use crate::select::Lookup;
use crate::self_metrics::{
    CollectorReport, DUMP, LegacyStatus, NetnsReport, OwnerShortage, ProcessReport, SelfReport, Stage,
};
use crate::snapshot::Snapshot;
use crate::sockdiag::Transport;
use crate::sockdiag::sys;
pub(crate) use aside::Aside;
pub(crate) use attribution::Attribution;
use conclude::{Ending, conclude, tracker_report};
pub(crate) use listen::{direction, local_end};
pub(crate) use netns::{NetnsRegistry, NetnsTarget};
use walk::{Walk, walk};

pub(crate) use destroy_events::BETWEEN_LOOKS;
pub use destroy_events::{open_events, start_event_loop, subscribe};
pub use key::Key;
pub use netns::Entered;
pub use state::{CollectorState, SharedTracker};

/// What a collection looks at; of what is not implemented there is nothing.
pub trait World: Lookup + Send + Sync {
    /// Who answers dump requests.
    type Transport: Transport;

    /// The network namespace of this program, as every listing has it.
    fn own(&self) -> Namespace {
        Namespace::own()
    }

    /// The network namespaces to look at, the own one first.
    ///
    /// # Errors
    /// If they cannot be found out.
    fn namespaces(&self) -> io::Result<Listing> {
        Ok(Listing::own())
    }

    /// Enters a namespace, opens connections to the kernel for one dump each, and leaves it again.
    ///
    /// # Errors
    /// If it cannot be entered, or what `socket(2)` says.
    fn enter(&self, namespace: &Namespace) -> io::Result<Entered<Self::Transport>>;

    /// The number by which the kernel's events name a namespace, if it has one.
    fn nsid(&self, _namespace: &Namespace) -> Option<i32> {
        None
    }

    /// The numbers of all namespaces that have one, whether or not they were found.
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
    let start = Instant::now();
    let deadline = start + time;
    let mut report =
        SelfReport { collector: CollectorReport { collections: 1, refused: 0 }, ..SelfReport::default() };
    let mut tracker = state.tracker.lock();
    tracker.at(start);
    let shrunk = tracker.ledger.shrink();
    drop(tracker);

    let mut trouble = Trouble::default();
    let known = state.attribution.take();
    // The first look at all processes takes longest, and what it does not find would be rows without a name.
    let time = if known.is_some() { owner_time(plan) } else { time / 2 };
    let mut attribution = known.unwrap_or_else(|| Attribution::of(plan, world.proc()));
    let read = owners(&mut attribution, start, start + time, &mut trouble);
    let looked = start.elapsed();
    let before = Instant::now();
    let (targets, listed) = targets(plan, world, state, &mut report, &mut trouble);
    let listing = before.elapsed();
    let before = Instant::now();
    let whole = Walk { plan, world, deadline, owners_known: read, listed };
    let mut walked = walk(&whole, state, &mut attribution, &targets);
    let first = walked.result.is_ok() && state.tracker.lock().wants_another_walk();
    // Without the time for it, the next collection completes the baseline.
    let time = before.elapsed() < deadline.saturating_duration_since(Instant::now());
    if first && time && !state.alone {
        // What one walk of the kernel's tables misses must not look new in the next.
        state.tracker.lock().end(true, true, &walked.dumped, &walked.missed);
        walked = walk(&whole, state, &mut attribution, &targets);
    }
    let dumping = before.elapsed().saturating_sub(walked.resolving);
    let complete = walked.result.is_ok();
    let mut owners_told = true;
    let privileges = state.tracker.privileges();
    report.owners.restrictions =
        state.restrictions.judge(plan, &attribution, &privileges, state.alone, world.proc());
    if let Some(processes) = attribution.processes() {
        owners_told = read && !processes.incomplete && !processes.is_elsewhere();
        if read && processes.incomplete {
            let hidden = report.owners.restrictions.iter().any(|(_, hides)| *hides);
            let shortage = OwnerShortage::of(processes.failed, hidden);
            trouble.say(shortage.to_string());
            report.owners.shortage = Some(shortage);
        }
        if read && processes.is_elsewhere() {
            let proc = world.proc().display();
            trouble.say(format!(
                "{proc} does not show the exporter itself but other processes; some owners are unknown"
            ));
        }
        let duration = looked + walked.resolving;
        report.stages.push(Stage { name: "processes", duration, success: owners_told });
        report.owners.unreadable = Some(processes.unreadable);
        report.owners.unowned = Some(walked.folded.unowned);
    }
    state.attribution = Some(attribution);
    report.stages.push(Stage { name: DUMP, duration: dumping, success: complete });
    report.dump.stuck = walked.held;
    report.dump.sockets = walked.folded.sockets;
    match &walked.result {
        Ok(stats) => {
            report.dump.bytes = stats.bytes;
            report.dump.malformed = stats.malformed;
        }
        Err(error) => trouble.say(format!("{error}; rows are withheld")),
    }
    trouble.namespaces(&walked.failures);
    if let Some(namespaces) = &mut report.netns {
        namespaces.failed += walked.failures.len();
        namespaces.empty = walked.empty;
        let success = listed && namespaces.failed == 0;
        report.stages.push(Stage { name: "namespaces", duration: listing, success });
    }
    let usable = complete && (!plan.selects_by_process || owners_told);
    if complete && !usable {
        // Sockets whose owner is not known for want of time are missing from the selection.
        trouble.say("what is selected by owner is withheld".to_owned());
    }
    let flows = walked.folded.selected.iter().copied().max().unwrap_or(0);
    let tables = conclude(plan, state, walked, Ending { complete, usable }, &mut report);

    report.tracker = tracker_report(plan, &state.tracker);
    state.logged.full(report.tracker.as_ref());
    state.logged.trouble(&trouble.0, start);
    let unresolved = plan.hosts.iter().filter(|host| world.addresses(host).is_empty()).count();
    report.hosts_unresolved = (!plan.hosts.is_empty()).then_some(unresolved);
    let status = if usable { LegacyStatus::Success(flows) } else { LegacyStatus::Failed };
    report.legacy = plan.seed_meta.then_some(status);
    report.privileges = privileges;
    report.files = state.tracker.files();
    // Again a collection later: what this one still used is freed by then.
    if std::mem::replace(&mut state.shrunk, shrunk) || shrunk {
        sys::release_freed_memory();
    }
    report.process = ProcessReport::read();
    Snapshot { views: plan.views.clone(), tables, report }
}

/// What there is to say of a collection, in one line.
#[derive(Default)]
struct Trouble(String);

impl Trouble {
    fn say(&mut self, what: String) {
        if self.0.is_empty() {
            self.0 = what;
        } else {
            self.0 = format!("{}; {what}", self.0);
        }
    }

    /// Says which namespaces failed: the first, and how many more.
    fn namespaces(&mut self, failures: &[String]) {
        match failures {
            [] => {}
            [only] => self.say(only.clone()),
            [first, rest @ ..] => self.say(format!("{first}; and {} more network namespaces", rest.len())),
        }
    }
}

/// Has the process table looked at, if an owner is asked for; whether it can be read.
fn owners(attribution: &mut Attribution, start: Instant, until: Instant, trouble: &mut Trouble) -> bool {
    let read = attribution.begin(start, until);
    if let Err(error) = &read {
        trouble.say(format!("cannot read the process table: {error}"));
    }
    read.is_ok()
}

/// How long a collection may look for owners: the dump must have time left, whatever the process table is like.
fn owner_time(plan: &Plan) -> Duration {
    plan.collect.owners.min(plan.collect.deadline / 2)
}

/// The namespaces to look at, with what is known of them; and whether they could be found out.
fn targets(
    plan: &Plan,
    world: &impl World,
    state: &mut CollectorState,
    report: &mut SelfReport,
    trouble: &mut Trouble,
) -> (Vec<NetnsTarget>, bool) {
    let everywhere = plan.collect.looks_elsewhere();
    let Listed { targets, nsids, observable, hidden, unknown, error } = list(plan, world, state);
    let found = error.is_none();
    if let Some(error) = error {
        trouble.say(error.to_string());
    }
    let failed = unknown.len();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        trouble.say(format!("no network namespace is called {names} (collect.netns)"));
    }
    if everywhere {
        let foreign = targets.iter().filter(|target| !target.namespace.own).count();
        let observed = if state.tracker.subscription().everywhere { observable } else { 0 };
        let unobserved = foreign - observed.min(foreign);
        let seen = targets.len();
        let unreachable = unreachable(plan, world, state, &nsids);
        state.logged.unobserved(unobserved);
        report.netns =
            Some(NetnsReport { seen, failed, unobserved, unreachable, hidden, ..NetnsReport::default() });
    }
    (targets, found)
}

/// How many namespaces have an nsid and were not found, if all were looked for.
fn unreachable(plan: &Plan, world: &impl World, state: &mut CollectorState, found: &HashSet<i32>) -> usize {
    if plan.collect.netns != Which::All {
        return 0;
    }
    state.registry.unreachable(world.nsids().into_iter().filter(|nsid| !found.contains(nsid)))
}

/// The namespaces that were listed.
struct Listed {
    targets: Vec<NetnsTarget>,
    /// The numbers that they have in the own one.
    nsids: HashSet<i32>,
    /// How many of the others have a number by which events tell of them.
    observable: usize,
    hidden: u64,
    /// Names that none of them has.
    unknown: Vec<String>,
    /// Why only the own one is known.
    error: Option<io::Error>,
}

/// Lists the namespaces, and lets the ledger know of them.
fn list(plan: &Plan, world: &impl World, state: &mut CollectorState) -> Listed {
    let (listing, error) = match world.namespaces() {
        Ok(listing) => (listing, None),
        Err(error) => (Listing { namespaces: vec![world.own()], ..Listing::default() }, Some(error)),
    };
    let (hidden, unknown, young) = (listing.hidden, listing.unknown.clone(), state.registry.were_found());
    let targets = state
        .registry
        .update(listing, error.is_none(), world.proc(), || state.tracker.lock().next_generation());
    let everywhere = plan.collect.looks_elsewhere();
    let nsid = |target: &NetnsTarget| everywhere.then(|| world.nsid(&target.namespace)).flatten();
    let heard: Vec<_> = targets.iter().filter_map(|target| Some((nsid(target)?, target.clone()))).collect();
    let observable = heard.iter().filter(|(_, target)| !target.namespace.own).count();
    let nsids = heard.iter().map(|(nsid, _)| *nsid).collect();
    if let Some(own) = targets.iter().find(|target| target.namespace.own) {
        let numbers = state.registry.numbers();
        state.tracker.lock().know(Arc::clone(&own.netns), heard, &numbers, young);
    }
    Listed { targets, nsids, observable, hidden, unknown, error }
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
