//! The tracker: what is known of each socket from one dump to the next, and from its last dump to its end.
//!
//! Shared by the collector's thread and the one that reads close events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashSet;

use super::generation::Generation;
use super::key::Key;
use super::netns::{DumpOf, NetnsTarget};
use crate::aggregate::{FrozenTable, GaugeColumns, RowId};
use crate::attribute::{Netns, OwnerId};
use crate::metrics::Quantity;
use crate::plan::{Plan, Program};
use crate::select::Nothing;
use crate::self_metrics::ClosesWithoutTcpInfo;
use clock::Clock;
use ends::Ends;
use ledger::{Ledger, TrackedView};
use namespaces::TrackedNamespaces;
use sockdiag::Protocol;

pub(super) use listed::InventorySockets;

mod clock;
mod closed;
mod dumped;
mod ends;
mod ledger;
mod listed;
mod listeners;
mod namespaces;
mod reload;

/// The sockets without a record that existed at one moment, by their namespaces and protocols.
pub(super) type Inventory = Vec<(DumpOf, InventorySockets)>;

/// What is tracked, and how.
#[derive(Debug)]
pub struct Tracker {
    plan: Arc<Plan>,
    pub(super) ledger: Ledger,
    namespaces: TrackedNamespaces,
    /// The protocols so far, in the order in which plans have named them.
    protocols: Vec<&'static Protocol>,
    /// The numbers of the namespaces.
    numbers: HashSet<u32>,
    clock: Clock,
    /// When the last reload, or the start, was.
    reloaded: Generation,
    /// Since when the owners of sockets have not been known.
    owners_unknown: Option<Instant>,
    /// The sockets that have ended since the last complete collection, if a view needs their last values.
    pub(super) ends: Ends,
    /// Closes of which the kernel reported nothing but that they happened.
    pub(super) without_tcp_info: ClosesWithoutTcpInfo,
    key: Key,
    values: Vec<u64>,
    rows: Vec<Option<RowId>>,
}

impl Tracker {
    pub(super) fn new(plan: &Plan) -> Self {
        let tracking = &plan.tracking;
        let ledger = Ledger::new(tracking.with_tables(&plan.views), &tracking.counters, plan.collect.tracked);
        Self {
            reloaded: ledger.baseline.generation,
            ledger,
            namespaces: TrackedNamespaces::new(plan.programs(&Nothing)),
            protocols: plan.protocols.clone(),
            numbers: HashSet::from([0]),
            clock: Clock::new(plan.collect.observe),
            plan: Arc::new(plan.clone()),
            owners_unknown: None,
            ends: Ends::default(),
            without_tcp_info: ClosesWithoutTcpInfo::default(),
            key: Key::default(),
            values: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Takes note of the time, which only moves between two batches.
    pub(super) fn at(&mut self, now: Instant) {
        self.clock.set(now);
    }

    /// The namespaces are these: the exporter's own, those that close events name by nsid, and the numbers of all.
    /// `young`: those that were not known before are new, and so are their sockets.
    pub(super) fn know(
        &mut self,
        own: Arc<Netns>,
        by_nsid: Vec<(i32, NetnsTarget)>,
        all: &HashSet<u32>,
        young: bool,
    ) {
        self.namespaces.know(own, by_nsid, all);
        self.numbers.clone_from(all);
        let places = self.places();
        self.ledger.baseline.exist(&places, young);
    }

    /// What the ledger knows a namespace by: each protocol has its own, so that a dump of one says nothing of the others.
    fn place(&mut self, number: u32, protocol: &'static Protocol) -> u32 {
        if !self.protocols.contains(&protocol) {
            self.protocols.push(protocol);
        }
        self.known_place(number, protocol).unwrap_or_default()
    }

    /// The same, if a plan has named the protocol.
    fn known_place(&self, number: u32, protocol: &Protocol) -> Option<u32> {
        /// More than there are protocols.
        const MOST: u32 = 64;
        let index = self.protocols.iter().position(|known| *known == protocol)?;
        Some(number.saturating_mul(MOST).saturating_add(u32::try_from(index).ok()?))
    }

    /// Those of all namespaces and of all protocols of the plan.
    fn places(&mut self) -> HashSet<u32> {
        let (numbers, plan) = (self.numbers.clone(), self.plan());
        let all =
            numbers.iter().flat_map(|number| plan.protocols.iter().map(|protocol| (*number, *protocol)));
        all.map(|(number, protocol)| self.place(number, protocol)).collect()
    }

    /// How many complete dumps of its own namespace are missing until the baseline of each protocol is complete.
    fn missing(&self) -> u8 {
        let own = self.namespaces.own.number;
        let of = |protocol: &&'static Protocol| {
            self.known_place(own, protocol).map(|place| self.ledger.baseline.missing(place))
        };
        self.plan.protocols.iter().filter_map(of).max().unwrap_or(0)
    }

    /// Gives the exporter's own namespace its name, unless a collection has done so.
    pub(super) fn name_own(&mut self, name: String) {
        self.namespaces.name_own(name);
    }

    /// The exporter's own namespace.
    pub(super) fn own(&self) -> Arc<Netns> {
        Arc::clone(&self.namespaces.own)
    }

    /// Another generation: the name of a namespace changes.
    pub(super) const fn next_generation(&mut self) -> Generation {
        self.ledger.baseline.next_generation()
    }

    /// What it tracks sockets for.
    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Whether that is this plan.
    pub(super) fn follows(&self, plan: &Plan) -> bool {
        Arc::ptr_eq(&self.plan.views, &plan.views)
    }

    /// Whether a socket has a record.
    pub(super) fn knows(&self, identity: u64) -> bool {
        self.ledger.find(identity).is_some()
    }

    /// Takes an inventory that was begun at that time: which unknown sockets are older than the views.
    pub(super) fn take(&mut self, inventory: Inventory, begun: Instant) {
        let by_place = inventory
            .into_iter()
            .map(|((number, protocol), sockets)| (self.place(number, protocol), sockets));
        let by_place = by_place.collect();
        self.ledger.baseline.take(by_place);
        self.note_certainty(begun);
    }

    fn note_certainty(&mut self, at: Instant) {
        if self.ledger.baseline.is_certain() {
            for view in &mut self.ledger.views {
                view.certain_since.get_or_insert(at);
            }
        }
    }

    /// Whether the baseline of the exporter's own namespace is complete: the counters of all its sockets have been read.
    pub(super) fn has_baseline(&self) -> bool {
        self.missing() == 0
    }

    /// Begins the dump of a namespace; `program` has the values of names in it.
    pub(super) fn enter(&mut self, target: &NetnsTarget, program: &Arc<Program>) {
        self.namespaces.of(target.netns.number).enter(program);
    }

    /// The owner that a socket had when it was last seen.
    pub(super) fn last_owner(&self, identity: u64) -> OwnerId {
        let slot = self.ledger.find(identity);
        slot.map_or(OwnerId::NO_PROCESS, |slot| OwnerId::numbered(self.ledger.record(slot).owner()))
    }

    /// Dumps begin.
    pub(super) fn begin(&mut self, owners_known: bool) {
        self.owners_unknown = if owners_known { None } else { self.owners_unknown.or(Some(self.clock.now)) };
        self.ledger.begin();
        let (dump, now) = (self.ledger.dump(), self.clock.seconds);
        for TrackedView { spec, table, found, .. } in &mut self.ledger.views {
            spec.known_keys.iter().for_each(|key| table.announce(key, dump, now));
            // However few sockets there are, their number is known.
            let counts = spec.gauges.iter().filter(|(_, source)| source.quantity == Quantity::Sockets);
            counts.for_each(|(column, _)| found.gauges.add(RowId::OTHER, *column, 0));
        }
    }

    /// The dumps have ended: those in `dumped` completely, those in `missed` not;
    /// `drained` if every close event that the kernel has sent is known here.
    pub(super) fn end(&mut self, complete: bool, drained: bool, dumped: &[DumpOf], missed: &[DumpOf]) {
        let mut places = |of: &[DumpOf]| -> Vec<u32> {
            of.iter().map(|(number, protocol)| self.place(*number, protocol)).collect()
        };
        let (dumped, missed) = (places(dumped), places(missed));
        self.ledger.dumped(&dumped, drained);
        self.ledger.end(complete, drained, &missed, self.clock.seconds);
        self.note_certainty(self.clock.now);
    }

    /// Whether sockets keep their owners because no owner can be found, which has not been so for long.
    fn keeps_owners(&self) -> bool {
        /// A label may name the process that held a socket a minute ago; ten seconds are the collection's.
        const BELIEVED: Duration = Duration::from_secs(50);
        self.owners_unknown.is_some_and(|since| self.clock.now.saturating_duration_since(since) < BELIEVED)
    }

    /// A collection is complete, and its rows are settled.
    pub(super) fn settled(&mut self) {
        self.ends.forget(self.ledger.dump());
    }

    /// Whether the walk that has just ended is to be followed by another, because a view needs a baseline.
    pub(super) fn wants_another_walk(&self) -> bool {
        !self.plan.tracking.track_if.is_empty() && self.missing() > 1
    }

    /// The table of an aggregated view, with its gauges if there are any.
    pub(super) fn freeze(&self, view: &TrackedView, gauges: Option<GaugeColumns>) -> FrozenTable {
        let known = |column| view.spec.feeds.get(column).is_some_and(|feed| self.ledger.knows(*feed));
        view.table.freeze(gauges, known)
    }
}
