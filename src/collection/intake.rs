//! The way of a socket through a walk: its owner, whether it was shown before, its direction, then every sink.
//!
//! A socket whose owner is not known yet waits until owners have been searched for.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::{HashMap, HashSet};

use super::attribution::Attribution;
use super::host::Host;
use super::listeners;
use super::netns::NetnsTarget;
use super::pending::Pending;
use super::samples::Samples;
use super::shared::SharedTracker;
use crate::attribute::{Netns, OwnerId, OwnerLookup};
use crate::bottleneck::Bottleneck;
use crate::facts::{Facts, Names};
use crate::plan::{Plan, Program};
use crate::properties::Needs;
use sockdiag::{Class, DumpError, Socket, Transport};

/// Sockets that a dump shows at the same time, as far as samples know: some hundred microseconds.
const SOCKETS_PER_MOMENT: u64 = 256;

/// What a walk hands its sockets to.
pub(crate) trait Sink {
    /// Takes a socket, once per walk, from a namespace with that program.
    fn socket(&mut self, facts: &Facts<'_>, program: &Program);

    /// Takes what is known of the connections that a listener will accept. Most sinks need no listener.
    fn listener(&mut self, _facts: &Facts<'_>, _program: &Program) {}
}

/// A network namespace, and what the views want of its sockets.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) target: NetnsTarget,
    pub(super) program: Arc<Program>,
}

/// A walk whose dumps are under way.
pub(super) struct Intake<'a, W> {
    plan: &'a Plan,
    host: &'a W,
    attribution: &'a mut Attribution,
    tracker: &'a SharedTracker,
    samples: &'a mut Samples,
    /// The time of the samples.
    now: Instant,
    /// Sockets that this walk has shown and that have no record.
    untracked: HashSet<u64>,
    sinks: Vec<&'a mut dyn Sink>,
    pending: Pending<Place>,
    /// Listeners of unknown owner. The connections that they accept inherit it.
    pending_listeners: Pending<Place>,
    /// By the number of the namespace and the index.
    interfaces: RefCell<HashMap<(u32, u32), Option<String>>>,
    pub(super) counts: Counts,
}

/// Sockets of a walk, each counted once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) sockets: u64,
    /// Those with an inode whose owner is unknown.
    pub(super) without_owner: u64,
    /// Those of [`Class::Remnant`].
    pub(super) remnants: u64,
}

impl<'a, W: Host> Intake<'a, W> {
    /// A walk that begins. `untracked` sockets had no record in the last one.
    pub(super) fn new(
        plan: &'a Plan,
        host: &'a W,
        attribution: &'a mut Attribution,
        tracker: &'a SharedTracker,
        samples: &'a mut Samples,
        untracked: usize,
        sinks: Vec<&'a mut dyn Sink>,
    ) -> Self {
        Self {
            plan,
            host,
            attribution,
            tracker,
            samples,
            now: Instant::now(),
            untracked: HashSet::with_capacity(untracked),
            sinks,
            pending: Pending::default(),
            pending_listeners: Pending::default(),
            interfaces: RefCell::default(),
            counts: Counts::default(),
        }
    }

    /// Begins a namespace, to which the next sockets belong.
    pub(super) fn enter(&mut self, place: &Place) {
        self.tracker.lock().enter(&place.target, &place.program);
        self.pending.next_namespace();
        self.pending_listeners.next_namespace();
    }

    /// Dumps the listeners of a namespace.
    pub(super) fn listeners<T: Transport>(
        &mut self,
        place: &Place,
        transport: T,
        until: Instant,
    ) -> Result<(), DumpError> {
        let protocol = place.program.protocol;
        listeners::dump_listeners(protocol, transport, until, |socket| self.listener(place, socket, true))?;
        self.tracker.lock().forget_listeners(&place.target.netns);
        Ok(())
    }

    /// Notes the text of `ip_local_port_range` in a namespace.
    pub(super) fn ports(&mut self, netns: &Netns, ports: &str) {
        self.tracker.lock().note_range(netns, ports);
    }

    /// Notes that a namespace has no listener.
    pub(super) fn no_listeners(&mut self, place: &Place) {
        self.tracker.lock().forget_listeners(&place.target.netns);
    }

    fn listener(&mut self, place: &Place, socket: &Socket<'_>, may_wait: bool) {
        let (claim, unsure) = self.attribution.claim(socket, &place.target.netns);
        if unsure && may_wait {
            // Without room, the next collection knows its owner.
            self.pending_listeners.put(place, socket);
        }
        let names = Names {
            configured: &self.plan.names,
            interface: &|_| None,
            users: Some(&self.attribution.users),
        };
        let facts = Facts::of_listener(socket, &claim, &place.target.netns, names);
        self.tracker.lock().listener(&facts, &claim, !unsure);
        self.sinks.iter_mut().for_each(|sink| sink.listener(&facts, &place.program));
    }

    /// Takes a socket as a dump shows it.
    #[inline]
    pub(super) fn socket(&mut self, place: &Place, socket: &Socket<'_>) {
        if self.attribution.awaits_peer(socket) {
            // Its own owner is searched for in the same pass.
            let _ = socket.inode().map(|inode| self.attribution.whose(inode));
            if self.pending.put(place, socket) {
                return;
            }
        }
        let owner = match socket.inode() {
            None => self.last_owner(place, socket),
            Some(inode) => match self.attribution.whose(inode) {
                OwnerLookup::Known(owner) => owner,
                OwnerLookup::Unknown if self.pending.put(place, socket) => return,
                OwnerLookup::NoProcess | OwnerLookup::Unknown => OwnerId::NO_PROCESS,
            },
        };
        self.hand_on(place, socket, owner);
    }

    /// The owner of a socket without an inode: of a connection that no process holds any more, the last one.
    fn last_owner(&mut self, place: &Place, socket: &Socket<'_>) -> OwnerId {
        let never_owned = matches!(socket.class(), Class::Remnant | Class::Request);
        if never_owned || self.attribution.processes().is_none() {
            return OwnerId::NO_PROCESS;
        }
        let owner = self.tracker.lock().last_owner(place.target.netns.identity(socket.cookie()));
        self.attribution.keep(owner);
        owner
    }

    /// Hands a socket on to the sinks, unless it was shown before.
    #[inline]
    fn hand_on(&mut self, place: &Place, socket: &Socket<'_>, owner: OwnerId) {
        let Self {
            plan, host, attribution, tracker, samples, now, untracked, sinks, interfaces, counts, ..
        } = self;
        let NetnsTarget { netns, namespace, .. } = &place.target;
        let (ownership, users) = attribution.ownership(socket, owner, netns);
        let interface = |index| {
            let mut known = interfaces.borrow_mut();
            let name = || host.interface_name(namespace, index);
            known.entry((netns.number, index)).or_insert_with(name).clone()
        };
        let names = Names { configured: &plan.names, interface: &interface, users: Some(users) };
        let mut facts = Facts::of_dump(socket, ownership, names);
        if plan.needs.has(Needs::BOTTLENECK) && Bottleneck::is_of(socket.protocol()) {
            // Asking for the time takes longer than what is done with it.
            if counts.sockets.is_multiple_of(SOCKETS_PER_MOMENT) {
                *now = Instant::now();
            }
            (facts.bottleneck, facts.limited_microseconds) = samples.look(facts.identity(), socket, *now);
        }
        // The tracker also finds the direction.
        let is_new = if plan.tracking.is_empty() {
            untracked.insert(facts.identity())
        } else {
            tracker.lock().on_dump(&mut facts, &place.target, &place.program, untracked)
        };
        if !is_new {
            return;
        }
        counts.sockets += 1;
        let without_owner =
            plan.needs.has(Needs::PROCESSES) && socket.inode().is_some() && facts.owner().is_none();
        counts.without_owner += u64::from(without_owner);
        counts.remnants += u64::from(socket.class() == Class::Remnant);
        for sink in sinks.iter_mut() {
            sink.socket(&facts, &place.program);
        }
    }

    /// How many sockets have no record.
    pub(super) fn untracked(&self) -> usize {
        self.untracked.len()
    }

    /// Whether sockets or listeners wait for their owners.
    pub(super) const fn has_pending(&self) -> bool {
        !self.pending.is_empty() || !self.pending_listeners.is_empty()
    }

    /// Searches until that time for the owners of pending sockets, then counts all of them.
    pub(super) fn resolve(&mut self, until: Instant) {
        self.attribution.resolve(Instant::now(), until);
        for (place, listeners) in std::mem::take(&mut self.pending_listeners) {
            self.tracker.lock().enter(&place.target, &place.program);
            listeners
                .iter()
                .filter_map(|reply| place.program.protocol.parse(reply))
                .for_each(|socket| self.listener(&place, &socket, false));
        }
        for (place, sockets) in std::mem::take(&mut self.pending) {
            self.tracker.lock().enter(&place.target, &place.program);
            for socket in sockets.iter().filter_map(|reply| place.program.protocol.parse(reply)) {
                let whose = socket.inode().map(|inode| self.attribution.whose(inode));
                let owner =
                    if let Some(OwnerLookup::Known(owner)) = whose { owner } else { OwnerId::NO_PROCESS };
                self.hand_on(&place, &socket, owner);
            }
        }
    }
}
