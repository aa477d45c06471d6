//! The ends of sockets: of those that were followed, and of those that nobody saw alive.
//!
//! Refuses to know where an end was heard of.

use std::sync::Arc;

use super::Follower;
use crate::attribute::{Belongs, Direction, Home, Namespace};
use crate::collect::homes::Visit;
use crate::collect::listen::{self, local_end};
use crate::fold::{NO_ROW, Slot};
use crate::labels::Names;
use crate::select::Subject;
use crate::sockdiag::{Field, Socket};

impl Follower {
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
        let Some(visit) = self.heard.get(&nsid).map(Arc::clone) else { return false };
        let Visit { home, namespace, .. } = &*visit;
        let followed = self.ledger.find(home.identity(socket.cookie())).is_some();
        if !followed && !is_still(nsid, namespace) {
            return false;
        }
        let interface = |index| interface(namespace, index);
        self.ended_at(home, socket, Names { interface: &interface, ..names });
        true
    }

    fn ended_at(&mut self, home: &Home, socket: &Socket<'_>, names: Names<'_>) {
        let informed = socket.ended_with_information();
        let cookie = home.identity(socket.cookie());
        self.ledger.bury(cookie);
        if let Some(slot) = self.ledger.find(cookie) {
            if informed {
                self.read(socket);
                self.ledger.follow(slot, &self.values);
                if !self.ledger.was_observed(slot) {
                    self.observe(slot, socket);
                }
                self.note_end(cookie, slot);
            } else {
                self.without_information += 1;
            }
            self.ledger.close(slot, self.seconds());
        } else if informed {
            self.passed(home, socket, names);
        } else {
            self.without_information += u64::from(socket.was_disconnected());
        }
    }

    /// Keeps the last values of a socket if a row may hold several connections.
    fn note_end(&mut self, cookie: u64, slot: Slot) {
        if self.past.condenses {
            let (dump, (_, most)) = (self.ledger.dump(), self.ledger.tracked());
            let values = self.past.counters.iter().copied().zip(self.ledger.values(slot));
            self.ends.note(cookie, dump, values, most);
        }
    }

    /// Whether an unknown socket of that age is older than the baseline of a folded view: a connection that is reset is
    /// in no dump as long as its process holds on to it, and what it did then is not to be counted now.
    fn is_older(&self, number: usize, age: Option<u32>) -> bool {
        /// The kernel counts time in ticks of up to 10 ms.
        const TICK: u128 = 10;
        let baseline = self.baselines.get(number).copied().flatten();
        let since = || baseline.map_or(0, |at| self.now.saturating_duration_since(at).as_millis());
        age.is_some_and(|age| u128::from(age) > since() + TICK)
    }

    /// A connection of which nothing but its end is seen.
    fn passed(&mut self, home: &Home, socket: &Socket<'_>, names: Names<'_>) {
        let listeners = self.listeners.get_mut(&home.number);
        let direction = self.past.listeners.then(|| listen::direction(socket, listeners.as_deref()));
        let claims = listeners.filter(|_| direction == Some(Direction::Inbound));
        let (owner, cgroup) = claims.map(|known| known.claim(local_end(socket))).unwrap_or_default();
        let (owner, cgroup) = (owner.as_deref(), cgroup.as_deref());
        let of = Belongs { owner, cgroup, home: Some(home), ..Belongs::default() };
        // A dump may be under way in another namespace.
        let program = self.programs.get(&home.number).map_or_else(|| Arc::clone(&self.program), Arc::clone);
        let current = std::mem::replace(&mut self.program, program);
        self.pass(Subject::ended(socket, direction, of), names);
        self.program = current;
    }

    fn pass(&mut self, subject: Subject<'_>, names: Names<'_>) {
        let socket = subject.socket;
        // One that never received anything has no age.
        let received = socket.tcp_info().and_then(|info| info.get(Field::SegsIn)).unwrap_or_default() > 0;
        let age = received.then(|| socket.received_ago()).flatten();
        self.rows.clear();
        for number in 0..self.past.folded.len() {
            if self.past.folded.get(number).is_some_and(|folded| folded.followed.is_some()) {
                let older = self.is_older(number, age);
                let row = if older { NO_ROW } else { self.row(number, subject, names) };
                self.rows.push(row);
            }
        }
        if self.rows.iter().all(|row| *row == NO_ROW) {
            return;
        }
        self.read(socket);
        self.ledger.pass(&self.rows, &self.values, self.seconds());
        for (number, reading) in self.past.readings.iter().enumerate() {
            if let Some(value) = reading.read(socket) {
                self.ledger.observe_in(&self.rows, number, value);
            }
        }
    }
}
