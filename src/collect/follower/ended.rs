//! The ends of sockets: of those that were followed, and of those that nobody saw alive.
//!
//! Refuses to know where an end was heard of.

use super::Follower;
use crate::fold::NO_ROW;
use crate::labels::Names;
use crate::select::Subject;
use crate::sockdiag::{Field, Socket};

impl Follower {
    /// The end of a socket, with the last that the kernel knew of it.
    pub(in crate::collect) fn ended(&mut self, socket: &Socket<'_>, names: Names<'_>) {
        let informed = socket.ended_with_information();
        let cookie = socket.cookie();
        self.ledger.bury(cookie);
        if let Some(slot) = self.ledger.find(cookie) {
            if informed {
                self.read(socket);
                self.ledger.follow(slot, &self.values);
                if !self.ledger.was_observed(slot) {
                    self.observe(slot, socket);
                }
            } else {
                self.without_information += 1;
            }
            self.ledger.close(slot, self.seconds());
        } else if informed {
            if !self.is_older(socket) {
                self.passed(socket, names);
            }
        } else {
            self.without_information += u64::from(socket.was_disconnected());
        }
    }

    /// Whether an unknown socket is older than the baseline: a connection that is reset is in no dump as long
    /// as its process holds on to it, and what it did then is not to be counted now.
    fn is_older(&self, socket: &Socket<'_>) -> bool {
        /// The kernel counts time in ticks of up to 10 ms.
        const TICK: u128 = 10;
        let since = self.baseline.map_or(0, |at| self.now.saturating_duration_since(at).as_millis());
        // One that never received anything has no age.
        let received = socket.tcp_info().and_then(|info| info.get(Field::SegsIn)).unwrap_or_default() > 0;
        received && socket.received_ago().is_some_and(|age| u128::from(age) > since + TICK)
    }

    /// A connection of which nothing but its end is seen.
    fn passed(&mut self, socket: &Socket<'_>, names: Names<'_>) {
        let direction =
            self.past.listeners.then(|| self.listeners.direction_at_end(socket.local(), socket.remote()));
        let subject = Subject::ended(socket, direction);
        self.rows.clear();
        for number in 0..self.past.folded.len() {
            if self.past.folded.get(number).is_some_and(|folded| folded.followed.is_some()) {
                let row = self.row(number, subject, names);
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
