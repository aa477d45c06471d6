//! Listeners: a dump of them alone, and what follows from them for the direction of a connection.

use std::time::{Duration, Instant};

use crate::attribute::{Direction, End, Listeners};
use sockdiag::{
    DumpError, DumpStats, Extensions, Protocol, Replies, Request, Socket, State, StateSet, Transport,
};

/// The least time between two scans. A scan costs some 50 microseconds, and a connection that ends before its listener
/// is known counts as outbound.
pub(crate) const SCAN_INTERVAL: Duration = Duration::from_millis(100);

/// This host's end of a socket.
pub(crate) fn local_end(socket: &Socket<'_>) -> End {
    End { address: socket.local(), interface: socket.interface() }
}

/// The direction of a socket at first sight or at its end, in a namespace with these listeners.
pub(crate) fn direction(socket: &Socket<'_>, listeners: Option<&Listeners>) -> Direction {
    let of = |known: &Listeners| known.direction(socket.initiated(), local_end(socket), socket.remote());
    listeners.map_or_else(|| of(&Listeners::default()), of)
}

/// Dumps all listeners of a protocol in a namespace; a dump that fails has shown a part of them.
pub(super) fn dump_listeners(
    protocol: &'static Protocol,
    transport: impl Transport,
    until: Instant,
) -> (Replies, Result<DumpStats, DumpError>) {
    let states = StateSet::of(&[State::Listen]);
    // With it a listener shows which counters its connections will have.
    let request = Request::new(protocol, states, Extensions::INFO);
    Replies::dump(transport, &request, until)
}
