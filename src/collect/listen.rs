//! A dump of the listeners alone: it costs microseconds, and directions depend on it.
//!
//! Refuses to know what a listener is used for.

use std::time::Instant;

use super::attribution::Attribution;
use super::state::SharedTracker;
use crate::attribute::{Direction, End, Listeners, Netns};
use crate::facts::Names;
use crate::plan::Plan;
use crate::sockdiag::{DumpError, Extensions, Request, Socket, State, StateSet, TCP, Transport, dump};

/// What to note listeners with.
pub(super) struct Note<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tracker: &'a SharedTracker,
    pub(super) netns: &'a Netns,
    /// Whether the attribution can tell owners: a row that is named after one must not be unknown for a moment.
    pub(super) owners_told: bool,
}

/// This host's end of a socket.
pub(crate) fn local_end(socket: &Socket<'_>) -> End {
    End { address: socket.local(), interface: socket.interface() }
}

/// The direction of a socket at first sight or at its end, in a namespace with these listeners.
pub(crate) fn direction(socket: &Socket<'_>, listeners: Option<&Listeners>) -> Direction {
    let of = |known: &Listeners| known.direction(socket.initiated(), local_end(socket), socket.remote());
    listeners.map_or_else(|| of(&Listeners::default()), of)
}

impl Note<'_> {
    /// Notes which listeners there are now, and the text of `ip_local_port_range`; `unsure` is told of those whose
    /// owner may yet be found.
    pub(super) fn learn<K: Transport>(
        &self,
        kernel: K,
        ports: &str,
        attribution: &mut Attribution,
        deadline: Instant,
        mut unsure: impl FnMut(&Socket<'_>),
    ) -> Result<(), DumpError> {
        let states = StateSet::of(&[State::Listen]);
        // With it a listener shows which counters its connections will have.
        let request = Request { protocol: &TCP, states, extensions: Extensions::INFO, filter: None };
        let note = |socket: &Socket<'_>| {
            if self.note(socket, attribution) {
                unsure(socket);
            }
        };
        dump(kernel, &request, deadline, note)?;
        self.tracker.lock().forget_listeners(self.netns, ports);
        Ok(())
    }

    /// Notes a listener; whether its owner may yet be found.
    pub(super) fn note(&self, socket: &Socket<'_>, attribution: &mut Attribution) -> bool {
        let (claim, unsure) = attribution.claim(socket, self.netns);
        let (networks, users) = (&self.plan.networks, Some(&attribution.users));
        let names = Names { networks, interface: &|_| None, users };
        let complete = !unsure && (self.owners_told || !self.plan.needs_processes);
        let mut tracker = self.tracker.lock();
        // Another plan may ask for what was not looked for.
        let complete = complete && tracker.follows(self.plan);
        tracker.listener(socket, &claim, self.netns, names, complete);
        unsure
    }
}
