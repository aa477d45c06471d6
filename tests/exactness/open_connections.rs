//! Connections that stand during a test and exchange bytes now and then.

use std::net::TcpListener;

use testkit::traffic::{End, Pair, Truth};

/// Open connections and what they have done.
pub struct OpenConnections {
    pairs: Vec<Pair>,
    pub truth: Truth,
}

impl OpenConnections {
    /// Opens `count` connections, to one listener after the other.
    pub fn open(listeners: &[&TcpListener], count: usize) -> Self {
        let turns = listeners.iter().cycle().take(count);
        let pairs: Vec<_> = turns.map(|listener| Pair::open(listener).expect("a connection")).collect();
        Self { truth: Truth { connections: pairs.len() as u64, ..Truth::default() }, pairs }
    }

    /// Sends `up` bytes to the server and `down` to the client on each.
    pub fn exchange(&mut self, up: usize, down: usize) {
        for pair in &mut self.pairs {
            pair.exchange(up, down).expect("open");
        }
        let bytes = self.pairs.len() as u64 * (up as u64 + down as u64);
        self.truth += Truth { sent: bytes, received: bytes, ..Truth::default() };
    }

    /// Ends all, in these ways one after the other. None may send when it ends, or make the kernel drop what it counted.
    pub fn close(self, ends: &[End]) -> Truth {
        for (pair, end) in self.pairs.into_iter().zip(ends.iter().cycle()) {
            assert!(matches!(end, End::ClientFirst | End::ServerFirst), "{end:?} changes the truth");
            pair.end(*end).expect("open");
        }
        self.truth
    }

    /// Ends all in ways that make the kernel drop what an end counted.
    pub fn abort(self, ends: &[End]) {
        for (pair, end) in self.pairs.into_iter().zip(ends.iter().cycle()) {
            pair.end(*end).expect("open");
        }
    }
}
