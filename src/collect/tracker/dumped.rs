//! The sockets that a dump shows: into the ledger, and into the rows of the folded views.
//!
//! Refuses to know where they come from.

use super::{Found, Tracker};
use crate::attribute::{Direction, Ownership};
use crate::collect::listen;
use crate::config::View;
use crate::facts::Facts;
use crate::fold::{ABSENT, DumpLookup, Entrant, NO_ROW, Slot};
use crate::plan::{Folded, Wanted};
use crate::properties::Stability;
use crate::sockdiag::{Class, Socket, tcp_info};

/// The flag of a record whose connection is inbound.
pub(super) const INBOUND: u32 = 1;
/// The flag of one whose cgroup was asked for and not known.
const VAGUE: u32 = 2;
/// The flag of one that has not been looked at since another plan was adopted.
pub(super) const UNPLACED: u32 = 4;
/// The flag of one whose direction nobody asked for when it was seen first.
pub(super) const UNDIRECTED: u32 = 8;

impl Tracker {
    /// A socket of a dump, whose direction is found here; whether it counts, because it was neither shown before nor
    /// has ended since.
    #[inline]
    pub(in crate::collect) fn on_dump(&mut self, facts: &mut Facts<'_>, found: &mut Found) -> bool {
        let (identity, socket) = (facts.identity(), facts.socket);
        let whole = socket.class() == Class::Connection;
        let sight = if whole { self.ledger.look_up(identity) } else { DumpLookup::New };
        let slot = match sight {
            DumpLookup::Repeated | DumpLookup::Tombstoned => return false,
            DumpLookup::Known(slot) => Some(slot),
            DumpLookup::New => None,
        };
        let slot = slot.filter(|slot| !self.is_of_no_use(*slot, facts));
        facts.direction = self.direction(slot, facts);
        if let Some(slot) = slot {
            self.update(slot, facts, found);
        } else {
            let followed = whole
                && self.program.track_if.iter().any(|track_if| track_if.accepts(facts))
                && self.open(identity, facts, found);
            if !followed {
                if !found.seen.insert(identity) {
                    return false;
                }
                self.count_untracked(facts, found);
            }
        }
        true
    }

    /// Whether no view wants a socket any more that was followed under another plan; its record is given back.
    #[inline]
    fn is_of_no_use(&mut self, slot: Slot, facts: &mut Facts<'_>) -> bool {
        if self.ledger.flags(slot) & UNPLACED == 0 {
            return false;
        }
        facts.direction = self.direction(Some(slot), facts);
        let followed = self.tracking.folded.iter().filter_map(|folded| folded.followed);
        let has_row = { followed }.any(|place| self.ledger.row(slot, place) != NO_ROW);
        let of_use = has_row || self.program.track_if.iter().any(|track_if| track_if.accepts(facts));
        if !of_use {
            self.ledger.close(slot, self.seconds());
        }
        !of_use
    }

    /// A socket that the ledger knows.
    #[inline]
    fn update(&mut self, slot: Slot, facts: &Facts<'_>, found: &mut Found) {
        self.read(facts.socket);
        self.ledger.follow(slot, &self.values);
        let (steady, placed) = self.is_steady(slot, facts.ownership);
        for number in 0..self.tracking.folded.len() {
            let Some(Folded { followed, stability, by_owner, .. }) = self.tracking.folded.get(number) else {
                continue;
            };
            let keeps = match stability {
                Stability::Fixed => !self.target.renamed,
                Stability::WithOwner => steady && !self.target.renamed,
                Stability::Changing => false,
            };
            let has_row = placed || !self.joined.get(number).is_some_and(|joined| *joined);
            let row = match *followed {
                // Who owns it is not asked again as long as nobody could tell.
                Some(place) if has_row && (keeps || (*by_owner && self.keeps_owners())) => {
                    self.ledger.row(slot, place)
                }
                Some(place) => {
                    let row = self.row(number, facts);
                    if row != self.ledger.row(slot, place) {
                        self.ledger.move_to(slot, place, row, self.seconds());
                    }
                    row
                }
                None => self.row_of_untracked(number, facts),
            };
            self.amount(number, row, facts.socket, found);
        }
        if self.ledger.is_due(slot, self.period, received(facts.socket)) {
            self.observe(slot, facts.socket);
        }
    }

    /// Whether a socket belongs to whom it belonged at the last look, and whether that was under the same plan; what
    /// is so now is noted.
    #[inline]
    fn is_steady(&mut self, slot: Slot, of: Ownership<'_>) -> (bool, bool) {
        let (owner, flags) = (of.owner_id.number(), self.ledger.flags(slot));
        let same = self.ledger.owner(slot) == owner;
        if !same {
            self.ledger.set_owner(slot, owner);
        }
        let vague = if self.is_vague(of) { VAGUE } else { 0 };
        if flags & (VAGUE | UNPLACED) != vague {
            self.ledger.set_flags(slot, flags & !(VAGUE | UNPLACED) | vague);
        }
        (same && flags & (VAGUE | UNPLACED) == 0, flags & UNPLACED == 0)
    }

    fn is_vague(&self, of: Ownership<'_>) -> bool {
        self.cgroups && of.cgroup.is_none()
    }

    /// A socket that is seen for the first time and worth following; whether there was room for it.
    fn open(&mut self, identity: u64, facts: &Facts<'_>, found: &mut Found) -> bool {
        if !self.ledger.has_room() {
            self.ledger.stats.untracked += 1;
            return false;
        }
        self.rows.clear();
        for number in 0..self.tracking.folded.len() {
            let followed = self.tracking.folded.get(number).is_some_and(|folded| folded.followed.is_some());
            let row = if followed {
                let row = self.row(number, facts);
                self.rows.push(row);
                row
            } else {
                self.row_of_untracked(number, facts)
            };
            self.amount(number, row, facts.socket, found);
        }
        self.read(facts.socket);
        let inbound = if facts.direction == Some(Direction::Inbound) { INBOUND } else { 0 };
        let vague = if self.is_vague(facts.ownership) { VAGUE } else { 0 };
        let entrant = Entrant {
            cookie: identity,
            flags: inbound | vague,
            netns: facts.netns().map_or(0, |netns| netns.number),
            owner: facts.ownership.owner_id.number(),
        };
        let slot = self.ledger.open(entrant, &self.rows, &self.values);
        let Some(slot) = slot else { return false };
        self.observe(slot, facts.socket);
        true
    }

    /// A socket that is not followed: nobody asks, there is no room, or it is none with counters.
    fn count_untracked(&mut self, facts: &Facts<'_>, found: &mut Found) {
        // A remnant in FIN_WAIT2 is no connection any more: it counts where states are asked for.
        let closed = facts.socket.class() == Class::Remnant;
        for number in 0..self.tracking.folded.len() {
            let view = self.tracking.folded.get(number).and_then(|folded| self.views.get(folded.view));
            if !(closed && view.is_some_and(View::is_of_connections)) {
                let row = self.row_of_untracked(number, facts);
                self.amount(number, row, facts.socket, found);
            }
        }
    }

    /// The row of a socket that has no record to hold on to it.
    pub(super) fn row_of_untracked(&mut self, number: usize, facts: &Facts<'_>) -> u32 {
        let row = self.row(number, facts);
        let (dump, now) = (self.ledger.dump(), self.seconds());
        if let Some(table) = self.ledger.tables.get_mut(number).filter(|_| row != NO_ROW) {
            table.touch(row, dump, now);
        }
        row
    }

    /// The row of a socket in a folded view.
    pub(super) fn row(&mut self, number: usize, facts: &Facts<'_>) -> u32 {
        let Self { tracking, views, program, key, ledger, .. } = self;
        let view = tracking.folded.get(number).and_then(|folded| views.get(folded.view));
        let (Some(view), Some(wanted)) = (view, program.folded.get(number)) else { return NO_ROW };
        if !wanted.wants(facts) {
            return NO_ROW;
        }
        let key = key.of(&view.by, facts);
        ledger.tables.get_mut(number).map_or(NO_ROW, |table| table.row(key))
    }

    #[inline]
    fn amount(&self, number: usize, row: u32, socket: &Socket<'_>, found: &mut Found) {
        if row == NO_ROW {
            return;
        }
        let other = self.ledger.tables.get(number).is_some_and(|table| table.is_overflow(row));
        for (counts, more) in [(&mut found.selected, true), (&mut found.in_other, other)] {
            if let Some(count) = counts.get_mut(number) {
                *count += u64::from(more);
            }
        }
        let folded = self.tracking.folded.get(number);
        if let Some((folded, amounts)) = folded.zip(found.amounts.get_mut(number)) {
            for (column, source) in &folded.amounts {
                if let Some(value) = source.read(socket) {
                    amounts.add(row, *column, value, 0);
                }
            }
        }
    }

    /// Observes a socket's readings, if it has any yet.
    pub(super) fn observe(&mut self, slot: Slot, socket: &Socket<'_>) {
        let mut any = false;
        for (number, reading) in self.tracking.readings.iter().enumerate() {
            if let Some(value) = reading.read(socket) {
                self.ledger.observe(slot, number, value);
                any = true;
            }
        }
        if any {
            self.ledger.observed(slot, self.period, received(socket));
        }
    }

    #[inline]
    fn direction(&mut self, slot: Option<Slot>, facts: &Facts<'_>) -> Option<Direction> {
        if !self.tracking.listeners {
            return None;
        }
        // As it was at first sight: a listener that stops changes nothing.
        Some(match slot.map(|slot| (slot, self.ledger.flags(slot))) {
            Some((slot, flags)) if self.undirected && flags & UNDIRECTED != 0 => {
                let direction = self.direction_now(facts);
                let inbound = if direction == Direction::Inbound { INBOUND } else { 0 };
                self.ledger.set_flags(slot, flags & !(UNDIRECTED | INBOUND) | inbound);
                direction
            }
            Some((_, flags)) if flags & INBOUND != 0 => Direction::Inbound,
            Some(_) => Direction::Outbound,
            None => self.direction_now(facts),
        })
    }

    fn direction_now(&self, facts: &Facts<'_>) -> Direction {
        listen::direction(facts.socket, self.listeners.get(&facts.netns().map_or(0, |netns| netns.number)))
    }

    #[inline]
    pub(super) fn read(&mut self, socket: &Socket<'_>) {
        self.values.clear();
        self.values.extend(self.tracking.counters.iter().map(|source| source.read(socket).unwrap_or(ABSENT)));
    }
}

impl Wanted {
    #[inline]
    fn wants(&self, facts: &Facts<'_>) -> bool {
        self.states.contains(facts.state) && self.test.as_ref().is_none_or(|test| test.accepts(facts))
    }
}

/// How much a socket has received, modulo 2^32, to tell whether it received anything since.
#[expect(clippy::cast_possible_truncation, reason = "the kernel counts in 32 bits")]
fn received(socket: &Socket<'_>) -> Option<u32> {
    socket.get(&tcp_info::SEGS_IN).map(|segments| segments as u32)
}
