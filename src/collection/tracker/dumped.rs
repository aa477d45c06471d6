//! The sockets that a dump shows: into the ledger, and into the rows of the aggregated views.

use hashbrown::HashSet;

use super::Tracker;
use super::ledger::{DumpLookup, Entrant, Notes, Slot, TrackedView};
use crate::aggregate::{ABSENT, RowId};
use crate::attribute::Direction;
use crate::collection::key::Key;
use crate::collection::listeners;
use crate::collection::netns::NetnsTarget;
use crate::facts::Facts;
use crate::plan::{Feed, Program, Wanted};
use crate::properties::{Needs, Stability};
use sockdiag::{Class, Socket, tcp_info};

impl Tracker {
    /// A socket of a dump, whose direction is found here; whether it counts, because it was neither shown before nor
    /// has ended since. `untracked` are the sockets of the dump that have no record.
    #[inline]
    pub(in crate::collection) fn on_dump(
        &mut self,
        facts: &mut Facts<'_>,
        target: &NetnsTarget,
        program: &Program,
        untracked: &mut HashSet<u64>,
    ) -> bool {
        let (identity, socket) = (facts.identity(), facts.socket);
        let whole = socket.class() == Class::Connection;
        let known = if whole { self.ledger.look_up(identity) } else { DumpLookup::New };
        let slot = match known {
            DumpLookup::Repeated | DumpLookup::Tombstoned => return false,
            DumpLookup::Known(slot) => Some(slot),
            DumpLookup::New => None,
        };
        let record = slot.map(|slot| self.ledger.record(slot));
        let is_placed = record.as_ref().is_some_and(|record| record.placed_at() >= self.reloaded);
        let known = record.and_then(|record| record.direction());
        facts.direction = self.direction(slot, known, facts);
        if !facts.socket.protocol().has_listeners() {
            facts.client_ports = self.namespaces.client_ports(target.netns.number);
        }
        if let Some(slot) = slot.filter(|slot| is_placed || self.is_of_use(*slot, facts, program)) {
            self.update(slot, facts, target, program);
            return true;
        }
        let wanted = whole && program.track_if.iter().any(|track_if| track_if.accepts(facts));
        if !(wanted && self.open(identity, facts, program)) {
            if !untracked.insert(identity) {
                return false;
            }
            self.count_untracked(facts, program);
        }
        true
    }

    /// Whether any view still wants a socket that was last placed before the last reload; if not, its record is freed.
    #[cold]
    fn is_of_use(&mut self, slot: Slot, facts: &mut Facts<'_>, program: &Program) -> bool {
        let record = self.ledger.record(slot);
        let has_row = self.ledger.views.iter().any(|view| view.row(&record).is_some());
        let of_use = has_row || program.track_if.iter().any(|track_if| track_if.accepts(facts));
        if !of_use {
            self.ledger.close(slot, self.clock.seconds);
            facts.direction = self.direction(None, None, facts);
        }
        of_use
    }

    /// A socket that the ledger knows.
    #[inline]
    fn update(&mut self, slot: Slot, facts: &Facts<'_>, target: &NetnsTarget, program: &Program) {
        let notes = self.notes(facts);
        if let (Some(bottleneck), 1..) = (facts.bottleneck, facts.limited_microseconds) {
            self.ledger.count(slot, Feed::Limited(bottleneck), facts.limited_microseconds);
        }
        let (keeps_owners, now) = (self.keeps_owners(), self.clock.seconds);
        let (dump, generation) = (self.ledger.dump(), self.ledger.baseline.generation);
        let (mut record, views) = self.ledger.follow(slot, |source| source.read(facts.socket));
        let placed_at = record.placed_at();
        let steady = record.place(generation, facts.ownership.owner_id.number(), notes);
        let is_named_so = placed_at >= target.named_at;
        for (view, wanted) in views.iter_mut().zip(&program.aggregated) {
            let keeps = match view.spec.stability {
                Stability::Fixed => is_named_so,
                Stability::WithOwner => is_named_so && steady,
                Stability::Changing => false,
            };
            let before = view.row(&record);
            // Whose it is does not change its row as long as no owner can be found.
            let keeps = view.place.is_some()
                && placed_at >= view.since
                && (keeps || view.spec.by_owner && keeps_owners);
            let row = if keeps { before } else { row_in_dump(view, wanted, facts, &mut self.key) };
            if view.place.is_none() {
                if let Some(row) = row {
                    view.table.touch(row, dump, now);
                }
            } else if row != before {
                record.move_to(view, row, now);
            }
            view.gauge(row, facts.socket);
        }
        if record.is_due(self.clock.period, received(facts.socket)) {
            self.observe(slot, facts.socket);
        }
    }

    fn notes(&self, facts: &Facts<'_>) -> Notes {
        Notes {
            cgroup_pending: self.plan.needs.has(Needs::CGROUPS) && facts.ownership.cgroup.is_none(),
            is_subflow: facts.socket.is_subflow(),
        }
    }

    /// Makes a record of a socket that is seen for the first time; whether there was room for it.
    fn open(&mut self, identity: u64, facts: &Facts<'_>, program: &Program) -> bool {
        if !self.ledger.has_room() {
            self.ledger.stats.untracked += 1;
            return false;
        }
        let (dump, now) = (self.ledger.dump(), self.clock.seconds);
        self.rows.clear();
        for (view, wanted) in self.ledger.views.iter_mut().zip(&program.aggregated) {
            let row = row_in_dump(view, wanted, facts, &mut self.key);
            if view.place.is_some() {
                self.rows.push(row);
            } else if let Some(row) = row {
                view.table.touch(row, dump, now);
            }
            view.gauge(row, facts.socket);
        }
        self.read(facts.socket);
        let entrant = Entrant {
            identity,
            netns: self.place(facts.netns().map_or(0, |netns| netns.number), facts.socket.protocol()),
            owner: facts.ownership.owner_id.number(),
            direction: facts.direction,
            notes: self.notes(facts),
        };
        let slot = self.ledger.open(entrant, &self.rows, &self.values);
        slot.is_some_and(|slot| {
            self.observe(slot, facts.socket);
            true
        })
    }

    /// Counts a socket without a record: no view tracks it, there is no room, or it is none with counters.
    fn count_untracked(&mut self, facts: &Facts<'_>, program: &Program) {
        // A remnant in FIN_WAIT2 is no connection any more: only views of states count it.
        let closed = facts.socket.class() == Class::Remnant;
        let (dump, now) = (self.ledger.dump(), self.clock.seconds);
        self.rows.clear();
        for (view, wanted) in self.ledger.views.iter_mut().zip(&program.aggregated) {
            let counts = !(closed && view.spec.of_connections);
            let row = if counts { row_in_dump(view, wanted, facts, &mut self.key) } else { None };
            if let Some(row) = row {
                view.table.touch(row, dump, now);
            }
            view.gauge(row, facts.socket);
            self.rows.push(row);
        }
        if facts.socket.class() == Class::Listener {
            let netns = self.place(facts.netns().map_or(0, |netns| netns.number), facts.socket.protocol());
            self.ledger
                .follow_listener(facts.identity(), netns, &self.rows, |source| source.read(facts.socket));
        }
    }

    /// Observes a socket for histograms.
    pub(super) fn observe(&mut self, slot: Slot, socket: &Socket<'_>) {
        self.ledger.observe(slot, self.clock.period, received(socket), |source| source.read(socket));
    }

    /// The direction of a socket: as it was when a view first asked for it, if it is `known`, because a listener that stops
    /// changes nothing. `None` if no view asks.
    #[inline]
    fn direction(
        &mut self,
        slot: Option<Slot>,
        known: Option<Direction>,
        facts: &Facts<'_>,
    ) -> Option<Direction> {
        if !(self.plan.tracking.listeners && facts.socket.protocol().has_listeners()) {
            return None;
        }
        if known.is_some() {
            return known;
        }
        let netns = facts.netns().map_or(0, |netns| netns.number);
        let direction = Some(listeners::direction(facts.socket, self.namespaces.listeners(netns)));
        if let Some(slot) = slot {
            self.ledger.record_mut(slot).0.set_direction(direction);
        }
        direction
    }

    #[inline]
    pub(super) fn read(&mut self, socket: &Socket<'_>) {
        self.values.clear();
        self.values.extend(self.ledger.sources().map(|source| source.read(socket).unwrap_or(ABSENT)));
    }
}

/// The same in a dump, where sockets of one state are many.
#[inline]
fn row_in_dump(view: &mut TrackedView, wanted: &Wanted, facts: &Facts<'_>, key: &mut Key) -> Option<RowId> {
    if !view.spec.by_state {
        return row_of(view, wanted, facts, key);
    }
    if !wanted.wants(facts) {
        return None;
    }
    let state = facts.state as usize;
    let known = view.found.by_state.get(state).copied().flatten();
    known.or_else(|| {
        let row = view.table.row(key.of(&view.spec.by, facts));
        view.found.by_state.get_mut(state).into_iter().for_each(|place| *place = Some(row));
        Some(row)
    })
}

/// The row of a socket in an aggregated view.
#[inline]
pub(super) fn row_of(
    view: &mut TrackedView,
    wanted: &Wanted,
    facts: &Facts<'_>,
    key: &mut Key,
) -> Option<RowId> {
    wanted.wants(facts).then(|| view.table.row(key.of(&view.spec.by, facts)))
}

/// How much a socket has received, modulo 2^32, to tell whether it received anything since.
#[expect(clippy::cast_possible_truncation, reason = "the kernel counts in 32 bits")]
fn received(socket: &Socket<'_>) -> Option<u32> {
    socket.get(&tcp_info::SEGS_IN).map(|segments| segments as u32)
}
