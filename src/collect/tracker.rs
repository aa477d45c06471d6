//! Sockets into the ledger: what a dump shows of them, and what an event tells of their end.
//!
//! Shared by the collector's thread and the one that hears events. Refuses to know threads and where
//! sockets come from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::{HashMap, HashSet};

use super::key::Key;
use super::netns::NetnsTarget;
use crate::attribute::{Listeners, Namespace, Netns, OwnerId};
use crate::config::View;
use crate::fold::{CumulativeTable, GaugeColumns, Inventory, Ledger};
use crate::metrics::Quantity;
use crate::plan::{Folded, Plan, Program, Tracking, known_keys};
use crate::select::Nothing;
use crate::sockdiag::State;
use ends::Ends;

mod closed;
mod dumped;
mod ends;
mod listeners;
mod reload;

/// What is remembered of sockets, and how to fill it.
#[derive(Debug)]
pub struct Tracker {
    plan: Arc<Plan>,
    views: Arc<[View]>,
    tracking: Arc<Tracking>,
    pub(super) ledger: Ledger,
    /// By the numbers of their namespaces.
    listeners: HashMap<u32, Listeners>,
    /// The own namespace, and those of which events tell by their number.
    own: Arc<Netns>,
    heard: HashMap<i32, Arc<NetnsTarget>>,
    /// What is wanted in the namespace that sockets come from now, and in others by their numbers.
    program: Arc<Program>,
    programs: HashMap<u32, Arc<Program>>,
    start: Instant,
    now: Instant,
    /// Of each folded view, when it was first known which sockets there are.
    baselines: Vec<Option<Instant>>,
    /// Of each, whether sockets that the ledger knew before have no row in it yet.
    joined: Vec<bool>,
    /// Whether the directions of those are not known either.
    undirected: bool,
    /// Since when the owners of sockets have not been known.
    owners_unknown: Option<Instant>,
    /// Where sockets come from now.
    target: NetnsTarget,
    /// Whether cgroups are asked for.
    cgroups: bool,
    observe: Duration,
    /// The number of the period of observations that it is now.
    period: u32,
    /// The sockets that have ended since the last complete collection, if a view needs their last values.
    pub(super) ends: Ends,
    /// Closes of which the kernel told nothing but that they happened.
    pub(super) without_information: u64,
    key: Key,
    values: Vec<u64>,
    rows: Vec<u32>,
}

/// What one collection finds for the folded views.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A table's new columns each.
    pub(super) amounts: Vec<GaugeColumns>,
    /// The sockets that each selects.
    pub(super) selected: Vec<u64>,
    /// Those of them that are in the row of what finds no room.
    pub(super) in_other: Vec<u64>,
    /// Sockets of this dump that the ledger does not know.
    pub(super) seen: HashSet<u64>,
}

impl Tracker {
    pub(super) fn new(plan: &Plan) -> Self {
        let now = Instant::now();
        Self {
            plan: Arc::new(plan.clone()),
            views: Arc::clone(&plan.views),
            tracking: Arc::clone(&plan.tracking),
            ledger: Ledger::new(plan.tracking.shape(&plan.views, plan.collect.tracked)),
            listeners: HashMap::new(),
            own: Arc::default(),
            heard: HashMap::new(),
            program: Arc::new(plan.program(&Nothing)),
            programs: HashMap::new(),
            start: now,
            now,
            baselines: vec![None; plan.tracking.folded.len()],
            joined: vec![false; plan.tracking.folded.len()],
            undirected: false,
            owners_unknown: None,
            target: NetnsTarget { namespace: Namespace::own(), netns: Arc::default(), renamed: false },
            cgroups: plan.needs_cgroups(),
            observe: plan.collect.observe,
            period: 0,
            ends: Ends::default(),
            without_information: 0,
            key: Key::default(),
            values: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Takes note of the time, which only moves between two batches.
    pub(super) fn at(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let periods =
            self.now.saturating_duration_since(self.start).as_nanos() / self.observe.as_nanos().max(1);
        self.period = u32::try_from(periods).unwrap_or(u32::MAX);
    }

    /// The namespaces are these: the own one, those of which events tell, and the numbers of all. `young`: those that
    /// were not known before are new, and so are their sockets.
    pub(super) fn know(
        &mut self,
        own: Arc<Netns>,
        heard: Vec<(i32, NetnsTarget)>,
        all: &HashSet<u32>,
        young: bool,
    ) {
        self.own = own;
        self.heard = heard.into_iter().map(|(nsid, target)| (nsid, Arc::new(target))).collect();
        self.programs.retain(|number, _| all.contains(number));
        self.listeners.retain(|number, _| all.contains(number));
        self.ledger.baseline.exist(all, young);
    }

    /// The own namespace has that name, unless a collection has said so already.
    pub(super) fn name_own(&mut self, name: String) {
        if *self.own == Netns::default() {
            self.own = Arc::new(Netns { name, ..Netns::default() });
        }
    }

    /// The own namespace.
    pub(super) fn own(&self) -> Arc<Netns> {
        Arc::clone(&self.own)
    }

    /// What it follows.
    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Whether it follows that plan.
    pub(super) fn follows(&self, plan: &Plan) -> bool {
        Arc::ptr_eq(&self.views, &plan.views)
    }

    /// Whether a socket has a record.
    pub(super) fn knows(&self, identity: u64) -> bool {
        self.ledger.find(identity).is_some()
    }

    /// Takes an inventory that was begun at that time: which unknown sockets are older than the views.
    pub(super) fn take(&mut self, inventory: Inventory, begun: Instant) {
        self.ledger.baseline.take(inventory);
        self.note_certainty(begun);
    }

    fn note_certainty(&mut self, at: Instant) {
        if self.ledger.baseline.is_certain() {
            self.baselines.iter_mut().for_each(|baseline| _ = baseline.get_or_insert(at));
        }
    }

    /// Whether the baseline of the own namespace is complete: the counters of all its sockets have been read.
    pub(super) fn has_baseline(&self) -> bool {
        self.ledger.baseline.missing(self.own.number) == 0
    }

    /// The sockets to come are those of a namespace, in which names stand for what the program says.
    pub(super) fn enter(&mut self, target: &NetnsTarget, program: &Arc<Program>) {
        self.target.clone_from(target);
        self.program = Arc::clone(program);
        self.programs.insert(target.netns.number, Arc::clone(program));
    }

    /// The owner that a socket had when it was last seen.
    pub(super) fn last_owner(&self, identity: u64) -> OwnerId {
        self.ledger.find(identity).map_or(OwnerId::NOBODY, |slot| OwnerId::numbered(self.ledger.owner(slot)))
    }

    /// Dumps begin.
    pub(super) fn begin(&mut self, owners_known: bool) -> Found {
        self.owners_unknown = if owners_known { None } else { self.owners_unknown.or(Some(self.now)) };
        self.ledger.begin();
        let (dump, now) = (self.ledger.dump(), self.seconds());
        for (folded, table) in self.tracking.folded.iter().zip(&mut self.ledger.tables) {
            let keys = self.views.get(folded.view).map(known_keys).unwrap_or_default();
            for key in keys {
                table.announce(&key, dump, now);
            }
        }
        let mut found = Found {
            amounts: self.ledger.tables.iter().map(CumulativeTable::amounts).collect(),
            selected: vec![0; self.tracking.folded.len()],
            in_other: vec![0; self.tracking.folded.len()],
            seen: HashSet::new(),
        };
        // However few sockets there are, their number is known.
        for (folded, amounts) in self.tracking.folded.iter().zip(&mut found.amounts) {
            let counts = folded.amounts.iter().filter(|(_, source)| source.quantity == Quantity::Sockets);
            counts.for_each(|(column, _)| amounts.add(0, *column, 0, 0));
        }
        found
    }

    /// The dumps have ended: those in namespaces with the numbers `dumped` completely, those in `missed` not; `heard`
    /// if every close event that the kernel has sent is known here.
    pub(super) fn end(&mut self, complete: bool, heard: bool, dumped: &[u32], missed: &[u32]) {
        let now = self.seconds();
        self.ledger.dumped(dumped, heard);
        self.ledger.end(complete, heard, missed, now);
        self.note_certainty(self.now);
    }

    /// Whether sockets keep their owners because nobody can tell them, which has not been so for long.
    fn keeps_owners(&self) -> bool {
        /// A label may name who held a socket a minute ago; ten seconds are the collection's.
        const BELIEVED: Duration = Duration::from_secs(50);
        self.owners_unknown.is_some_and(|since| self.now.saturating_duration_since(since) < BELIEVED)
    }

    /// A collection is complete, and its rows are settled.
    pub(super) fn settled(&mut self) {
        self.ends.forget(self.ledger.dump());
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.now.saturating_duration_since(self.start).as_secs()).unwrap_or(u32::MAX)
    }

    /// Whether the walk that has just ended is to be followed by another, because somebody needs a baseline.
    pub(super) fn wants_another_walk(&self) -> bool {
        !self.program.track_if.is_empty() && self.ledger.baseline.missing(self.own.number) > 1
    }

    /// How many sockets have found no row of their own in a folded view.
    pub(super) fn folded(&self, number: usize) -> u64 {
        self.ledger.tables.get(number).map_or(0, CumulativeTable::folded)
    }

    /// The folded views that show a state, by number, with the columns that count sockets.
    pub(super) fn counting(&self, state: State) -> Vec<(usize, Vec<usize>)> {
        let views = self.tracking.folded.iter().enumerate().filter(|(_, folded)| {
            self.views.get(folded.view).is_some_and(|view| view.states.contains(state))
        });
        let counts = |folded: &Folded| folded.amounts.iter().map(|(column, _)| *column).collect();
        views.map(|(number, folded)| (number, counts(folded))).collect()
    }
}
