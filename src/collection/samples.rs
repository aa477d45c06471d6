//! Samples of connections, each kept until the next collection that shows the connection.

use std::time::Instant;

use hashbrown::HashMap;

use crate::bottleneck::{Bottleneck, ConnectionSample, MIN_INTERVAL};
use sockdiag::{Class, Socket};

/// Samples by identity.
#[derive(Debug, Default)]
pub(super) struct Samples {
    known: HashMap<u64, Known>,
    /// The number of the walk.
    walk: u32,
}

/// The last sample of a connection.
#[derive(Debug)]
struct Known {
    sample: ConnectionSample,
    at: Instant,
    /// What limited it then.
    bottleneck: Option<Bottleneck>,
    /// The last walk that showed it.
    walk: u32,
}

impl Samples {
    /// What limits a connection that a dump shows.
    pub(super) fn look(&mut self, identity: u64, socket: &Socket<'_>, now: Instant) -> Option<Bottleneck> {
        if socket.class() != Class::Connection {
            return Bottleneck::of(socket, None);
        }
        let before = self.known.get_mut(&identity);
        if let Some(known) = before.filter(|known| now.duration_since(known.at) < MIN_INTERVAL) {
            known.walk = self.walk;
            return known.bottleneck;
        }
        let before = self.known.get(&identity).map(|known| (&known.sample, now.duration_since(known.at)));
        let bottleneck = Bottleneck::of(socket, before);
        self.known.insert(
            identity,
            Known { sample: ConnectionSample::of(socket), at: now, bottleneck, walk: self.walk },
        );
        bottleneck
    }

    /// Ends a walk: forgets connections that the last `walks` have not shown.
    pub(super) fn end_walk(&mut self, walks: u32) {
        let walk = self.walk;
        self.known.retain(|_, known| walk.wrapping_sub(known.walk) < walks);
        self.walk = walk.wrapping_add(1);
    }
}
