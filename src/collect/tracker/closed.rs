//! The ends of sockets: of those that were followed, and of those that nobody saw alive.
//!
//! Refuses to know where an end was heard of.

use std::sync::Arc;

use super::Tracker;
use super::dumped::{INBOUND, UNDIRECTED, UNPLACED};
use crate::attribute::{Direction, Namespace, Netns, Ownership};
use crate::collect::listen::{self, local_end};
use crate::collect::netns::NetnsTarget;
use crate::facts::{Facts, Names};
use crate::fold::{NO_ROW, Slot};
use crate::sockdiag::{Socket, State, tcp_info};

impl Tracker {
    /// The end of a socket in the namespace with that number, or in the own one, with the last that the kernel
    /// knew of it; `false` if no collection has seen the namespace.
    ///
    /// The kernel gives the number of a namespace that is gone to the next one: a socket that was not followed is
    /// told of only if `is_still` confirms whose number it is. `interface` names the interfaces of others than the own.
    pub(in crate::collect) fn ended(
        &mut self,
        nsid: Option<i32>,
        socket: &Socket<'_>,
        names: Names<'_>,
        interface: &dyn Fn(&Namespace, u32) -> Option<String>,
        is_still: &mut dyn FnMut(i32, &Namespace) -> bool,
    ) -> bool {
        let Some(nsid) = nsid else {
            self.ended_at(&Arc::clone(&self.own), socket, names);
            return true;
        };
        let Some(target) = self.heard.get(&nsid).map(Arc::clone) else { return false };
        let NetnsTarget { netns, namespace, .. } = &*target;
        let followed = self.ledger.find(netns.identity(socket.cookie())).is_some();
        if !followed && !is_still(nsid, namespace) {
            return false;
        }
        let interface = |index| interface(namespace, index);
        self.ended_at(netns, socket, Names { interface: &interface, ..names });
        true
    }

    fn ended_at(&mut self, netns: &Netns, socket: &Socket<'_>, names: Names<'_>) {
        if socket.state() == State::SynRecv {
            // Two packets completed one handshake at once: the kernel drops the second of two sockets, and both have
            // the cookie of the request (net/ipv4/inet_connection_sock.c: inet_csk_complete_hashdance).
            return;
        }
        let informed = socket.ended_with_information();
        let cookie = netns.identity(socket.cookie());
        self.ledger.tombstone(cookie);
        if let Some(slot) = self.ledger.find(cookie) {
            if informed {
                self.read(socket);
                self.ledger.follow(slot, &self.values);
                self.place_at_end(slot, netns, socket, names);
                if !self.ledger.was_observed(slot) {
                    self.observe(slot, socket);
                }
                self.note_end(cookie, slot);
            } else {
                self.without_information += 1;
            }
            self.ledger.close(slot, self.seconds());
        } else if informed {
            self.closed_unseen(netns, socket, names);
        } else {
            self.without_information += u64::from(socket.was_disconnected());
        }
    }

    /// Keeps the last values of a socket if a row may hold several connections.
    fn note_end(&mut self, cookie: u64, slot: Slot) {
        if self.tracking.condenses {
            let (dump, (_, most)) = (self.ledger.dump(), self.ledger.tracked());
            let values = self.tracking.counters.iter().copied().zip(self.ledger.values(slot));
            self.ends.note(cookie, dump, values, most);
        }
    }

    /// The rows of a followed socket in views that joined since it was last shown: it is closed there, and what it has
    /// gained since then is not known.
    fn place_at_end(&mut self, slot: Slot, netns: &Netns, socket: &Socket<'_>, names: Names<'_>) {
        let flags = self.ledger.flags(slot);
        if flags & UNPLACED == 0 {
            return;
        }
        let direction = if self.tracking.listeners && flags & UNDIRECTED == 0 {
            Some(if flags & INBOUND == 0 { Direction::Outbound } else { Direction::Inbound })
        } else {
            None
        };
        self.rows_at_end(netns, socket, names, direction);
        let rows = std::mem::take(&mut self.rows);
        let mut joins = false;
        for folded in 0..self.tracking.folded.len() {
            let place = self.tracking.folded.get(folded).and_then(|folded| folded.followed);
            let joined = self.joined.get(folded).is_some_and(|joined| *joined);
            let Some(place) = place.filter(|place| joined && self.ledger.row(slot, *place) == NO_ROW) else {
                continue;
            };
            let row = rows.get(place).copied().unwrap_or(NO_ROW);
            if row != NO_ROW {
                self.ledger.move_to(slot, place, row, self.seconds());
                joins = true;
            }
        }
        self.rows = rows;
        self.ledger.stats.before_baseline += u64::from(joins);
    }

    /// Whether an unknown socket of that age is older than the baseline of a folded view: a connection that is reset is
    /// in no dump as long as its process holds on to it, and what it did then is not to be counted now.
    fn is_older(&self, number: usize, age: Option<u32>) -> bool {
        /// The kernel counts time in ticks of up to 10 ms.
        const TICK: u128 = 10;
        let baseline = self.baselines.get(number).copied().flatten();
        let since = baseline.map(|at| self.now.saturating_duration_since(at).as_millis());
        age.zip(since).is_some_and(|(age, since)| u128::from(age) > since + TICK)
    }

    /// A connection of which nothing but its end is seen.
    fn closed_unseen(&mut self, netns: &Netns, socket: &Socket<'_>, names: Names<'_>) {
        let identity = netns.identity(socket.cookie());
        self.rows_at_end(netns, socket, names, None);
        if !self.ledger.baseline.lists(identity) {
            // One that never received anything has no age.
            let received = socket.get(&tcp_info::SEGS_IN).unwrap_or_default() > 0;
            let age = received.then(|| socket.received_ago()).flatten();
            for number in 0..self.tracking.folded.len() {
                let place = self.tracking.folded.get(number).and_then(|folded| folded.followed);
                let older = place.filter(|_| self.is_older(number, age));
                if let Some(row) = older.and_then(|place| self.rows.get_mut(place)) {
                    *row = NO_ROW;
                }
            }
        }
        if self.rows.iter().all(|row| *row == NO_ROW) {
            return;
        }
        self.read(socket);
        self.ledger.count_unseen(identity, netns.number, &self.rows, &self.values, self.seconds());
        for (number, reading) in self.tracking.readings.iter().enumerate() {
            if let Some(value) = reading.read(socket) {
                self.ledger.observe_in(&self.rows, number, value);
            }
        }
    }

    /// The rows of a socket by its end alone, of whose direction it may be known what it was.
    fn rows_at_end(
        &mut self,
        netns: &Netns,
        socket: &Socket<'_>,
        names: Names<'_>,
        direction: Option<Direction>,
    ) {
        let listeners = self.listeners.get_mut(&netns.number);
        let now = || self.tracking.listeners.then(|| listen::direction(socket, listeners.as_deref()));
        let direction = direction.or_else(now);
        let claims = listeners.filter(|_| direction == Some(Direction::Inbound));
        let (owner, cgroup) = claims.map(|known| known.claim(local_end(socket))).unwrap_or_default();
        let (owner, cgroup) = (owner.as_deref(), cgroup.as_deref());
        let of = Ownership { owner, cgroup, netns: Some(netns), ..Ownership::default() };
        let facts = Facts::of_close_event(socket, direction, of, names);
        // A dump may be under way in another namespace.
        let program = self.programs.get(&netns.number).map_or_else(|| Arc::clone(&self.program), Arc::clone);
        let current = std::mem::replace(&mut self.program, program);
        self.rows.clear();
        for number in 0..self.tracking.folded.len() {
            if self.tracking.folded.get(number).is_some_and(|folded| folded.followed.is_some()) {
                let row = self.row(number, &facts);
                self.rows.push(row);
            }
        }
        self.program = current;
    }
}
