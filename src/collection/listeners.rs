//! Listeners: a dump of them alone, and what follows from them for the direction of a connection.

use std::time::{Duration, Instant};

use super::attribution::Attribution;
use super::shared::SharedTracker;
use super::{Entered, World};
use crate::attribute::{Direction, End, Listeners, Namespace};
use crate::facts::{Facts, Names};
use crate::plan::{Plan, Program};
use crate::properties::Needs;
use crate::sockdiag::{DumpError, Extensions, Request, Socket, State, StateSet, TCP, Transport, dump};

/// The least time between two scans. A scan costs some 50 microseconds, and a connection that ends before its listener
/// is known counts as outbound.
pub(crate) const SCAN_INTERVAL: Duration = Duration::from_millis(100);
/// The longest that a scan between two collections takes.
const SCAN_TIME: Duration = Duration::from_secs(1);

/// This host's end of a socket.
pub(crate) fn local_end(socket: &Socket<'_>) -> End {
    End { address: socket.local(), interface: socket.interface() }
}

/// The direction of a socket at first sight or at its end, in a namespace with these listeners.
pub(crate) fn direction(socket: &Socket<'_>, listeners: Option<&Listeners>) -> Direction {
    let of = |known: &Listeners| known.direction(socket.initiated(), local_end(socket), socket.remote());
    listeners.map_or_else(|| of(&Listeners::default()), of)
}

/// Dumps all listeners of a namespace.
pub(super) fn dump_listeners(
    transport: impl Transport,
    until: Instant,
    each: impl FnMut(&Socket<'_>),
) -> Result<(), DumpError> {
    let states = StateSet::of(&[State::Listen]);
    // With it a listener shows which counters its connections will have.
    let request = Request { protocol: &TCP, states, extensions: Extensions::INFO, filter: None };
    dump(transport, &request, until, each).map(drop)
}

/// Scans the listeners of the exporter's own namespace between two collections. `each` gets what is known of the
/// connections that they will accept. What fails is known to the next scan.
pub(crate) fn scan(
    plan: &Plan,
    world: &impl World,
    tracker: &SharedTracker,
    attribution: &mut Attribution,
    mut each: impl FnMut(&Facts<'_>, &Program),
) {
    let Ok(Entered { transports: Some((_, transport)), ports, .. }) = world.enter(&Namespace::own()) else {
        return;
    };
    let netns = tracker.lock().own();
    let note = |socket: &Socket<'_>| {
        let (claim, unsure) = attribution.claim(socket, &netns);
        let (networks, users) = (&plan.networks, Some(&attribution.users));
        let facts =
            Facts::of_listener(socket, &claim, &netns, Names { networks, interface: &|_| None, users });
        let mut tracker = tracker.lock();
        // A row that is named after an owner must not be unknown for a moment. Another plan may ask for what was not
        // searched for.
        let complete = !unsure && !plan.needs.has(Needs::PROCESSES) && tracker.follows(plan);
        tracker.listener(&facts, &claim, complete);
        each(&facts, &tracker.program_in(netns.number));
    };
    if dump_listeners(transport, Instant::now() + SCAN_TIME, note).is_ok() {
        tracker.lock().forget_listeners(&netns, &ports);
    }
}
