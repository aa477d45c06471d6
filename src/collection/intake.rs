//! The way of a socket through a walk: its owner, whether it was shown before, its direction, then every sink.
//!
//! A socket whose owner is not known yet waits until owners have been searched for.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::{HashMap, HashSet};

use super::attribution::Attribution;
use super::host::{Host, InterfaceNames};
use super::listeners;
use super::netns::NetnsTarget;
use super::pending::Pending;
use super::samples::Samples;
use super::shared::SharedTracker;
use super::sink::Sink;
use crate::attribute::{ConfiguredNames, Netns, OwnerId, OwnerLookup};
use crate::bottleneck::Bottleneck;
use crate::facts::{Facts, Names};
use crate::plan::{Plan, Program};
use crate::properties::Needs;
use sockdiag::{Class, DumpError, Extensions, Request, Socket, Transport};

/// Sockets that a dump shows at the same time, as far as samples know: some hundred microseconds.
const SOCKETS_PER_MOMENT: u64 = 256;

/// A network namespace, and what the views want of its sockets.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) target: NetnsTarget,
    pub(super) program: Arc<Program>,
}

/// A walk whose dumps are under way. The thread that receives a dump has it meanwhile, so that it logs nothing and waits for
/// nothing long.
pub(super) struct Intake<S> {
    configured: Arc<ConfiguredNames>,
    interface_names: InterfaceNames,
    needs: Needs,
    /// Whether the tracker follows sockets.
    tracks: bool,
    pub(super) attribution: Attribution,
    tracker: SharedTracker,
    pub(super) samples: Samples,
    /// The time of the samples.
    now: Instant,
    /// Sockets that this walk has shown and that have neither a record nor a sample.
    untracked: HashSet<u64>,
    pub(super) sink: S,
    /// Only its memory stays.
    looked_up: LookedUp,
    pending: Pending<Place>,
    /// Listeners of unknown owner. The connections that they accept inherit it.
    pending_listeners: Pending<Place>,
    /// By the number of the namespace and the index.
    interfaces: RefCell<HashMap<(u32, u32), Option<String>>>,
    pub(super) counts: Counts,
}

/// What is looked up of the sockets of a datagram before any of them is taken.
#[derive(Default)]
struct LookedUp {
    /// Whose they are.
    owners: Vec<Option<OwnerLookup>>,
    /// Which of them are shown for the first time, where no socket has a record or a sample, or waits for its owner.
    new: Vec<bool>,
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

impl<S: Sink> Intake<S> {
    /// A walk that begins. `untracked` sockets had no record in the last one.
    pub(super) fn new(
        plan: &Plan,
        host: &impl Host,
        (attribution, samples): (Attribution, Samples),
        tracker: &SharedTracker,
        untracked: usize,
        sink: S,
    ) -> Self {
        Self {
            configured: Arc::clone(&plan.names),
            interface_names: host.interface_names(),
            needs: plan.needs,
            tracks: !plan.tracking.is_empty(),
            attribution,
            tracker: tracker.clone(),
            samples,
            now: Instant::now(),
            untracked: HashSet::with_capacity(untracked),
            sink,
            looked_up: LookedUp::default(),
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

    /// A request of the plan, with what samples need beside it.
    pub(super) fn request(&self, request: &Request) -> Request {
        let samples = self.needs.has(Needs::BOTTLENECK) && Bottleneck::is_of(request.protocol);
        let more = if samples { self.samples.extensions() } else { Extensions::NONE };
        Request { extensions: request.extensions.union(more), ..request.clone() }
    }

    /// Dumps the listeners of a namespace.
    pub(super) fn listeners<T: Transport>(
        &mut self,
        place: &Place,
        transport: T,
        until: Instant,
    ) -> Result<(), DumpError> {
        let protocol = place.program.protocol;
        let (listeners, dumped) = listeners::dump_listeners(protocol, transport, until);
        listeners.sockets().for_each(|socket| self.listener(place, &socket, true));
        dumped?;
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
            configured: &self.configured,
            interface: &|_| None,
            users: Some(&self.attribution.users),
        };
        let facts = Facts::of_listener(socket, &claim, &place.target.netns, names);
        self.tracker.lock().listener(&facts, &claim, !unsure);
        self.sink.listener(&facts, &place.program);
    }

    /// Takes sockets as a dump shows them.
    pub(super) fn sockets(&mut self, place: &Place, sockets: &[Socket<'_>]) {
        let LookedUp { mut owners, mut new } = std::mem::take(&mut self.looked_up);
        // In a loop that does nothing else, the processor waits for the memory of several at once.
        owners.extend(sockets.iter().map(|socket| Some(self.attribution.whose(socket.inode()?))));
        if !self.tracks && !self.needs.has(Needs::BOTTLENECK) && self.attribution.processes().is_none() {
            let identity = |socket: &Socket<'_>| place.target.netns.identity(socket.cookie());
            new.extend(sockets.iter().map(|socket| self.untracked.insert(identity(socket))));
        }
        let mut are_new = new.drain(..);
        for (socket, whose) in sockets.iter().zip(owners.drain(..)) {
            self.socket(place, socket, whose, are_new.next());
        }
        drop(are_new);
        self.looked_up = LookedUp { owners, new };
    }

    /// Takes a socket whose owner was asked for, if it has an inode.
    #[inline]
    fn socket(
        &mut self,
        place: &Place,
        socket: &Socket<'_>,
        whose: Option<OwnerLookup>,
        is_new: Option<bool>,
    ) {
        // Its own owner is searched for in the same pass.
        if self.attribution.awaits_peer(socket) && self.pending.put(place, socket) {
            return;
        }
        let owner = match whose {
            None => self.last_owner(place, socket),
            Some(OwnerLookup::Known(owner)) => owner,
            Some(OwnerLookup::Unknown) if self.pending.put(place, socket) => return,
            Some(OwnerLookup::NoProcess | OwnerLookup::Unknown) => OwnerId::NO_PROCESS,
        };
        self.hand_on(place, socket, owner, is_new);
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

    /// Hands a socket on to the sinks, unless it was shown before. `is_new` says so where it is known.
    #[inline]
    fn hand_on(&mut self, place: &Place, socket: &Socket<'_>, owner: OwnerId, is_new: Option<bool>) {
        let Self {
            configured,
            interface_names,
            needs,
            attribution,
            tracker,
            samples,
            now,
            untracked,
            interfaces,
            counts,
            ..
        } = self;
        let NetnsTarget { netns, namespace, .. } = &place.target;
        let (ownership, users) = attribution.ownership(socket, owner, netns);
        let interface = |index| {
            let mut known = interfaces.borrow_mut();
            let name = || interface_names(namespace, index);
            known.entry((netns.number, index)).or_insert_with(name).clone()
        };
        let names = Names { configured, interface: &interface, users: Some(users) };
        let mut facts = Facts::of_dump(socket, ownership, names);
        let mut is_repeated = None;
        if needs.has(Needs::BOTTLENECK) && Bottleneck::is_of(socket.protocol()) {
            // Asking for the time takes longer than what is done with it.
            if counts.sockets.is_multiple_of(SOCKETS_PER_MOMENT) {
                *now = Instant::now();
            }
            let sampled = samples.look(facts.identity(), socket, *now);
            (facts.bottleneck, facts.limited_microseconds) = (sampled.bottleneck, sampled.microseconds);
            is_repeated = sampled.is_repeated;
        }
        // The tracker also finds the direction.
        let is_new = if self.tracks {
            tracker.lock().on_dump(&mut facts, &place.target, &place.program, untracked)
        } else if let Some(is_repeated) = is_repeated {
            !is_repeated
        } else {
            is_new.unwrap_or_else(|| untracked.insert(facts.identity()))
        };
        if !is_new {
            return;
        }
        counts.sockets += 1;
        let without_owner =
            needs.has(Needs::PROCESSES) && socket.inode().is_some() && facts.owner().is_none();
        counts.without_owner += u64::from(without_owner);
        counts.remnants += u64::from(socket.class() == Class::Remnant);
        self.sink.socket(&facts, &place.program);
    }

    /// How many sockets have neither a record nor a sample.
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
            listeners.sockets().for_each(|socket| self.listener(&place, &socket, false));
        }
        for (place, sockets) in std::mem::take(&mut self.pending) {
            self.tracker.lock().enter(&place.target, &place.program);
            for socket in sockets.sockets() {
                let whose = socket.inode().map(|inode| self.attribution.whose(inode));
                let owner =
                    if let Some(OwnerLookup::Known(owner)) = whose { owner } else { OwnerId::NO_PROCESS };
                self.hand_on(&place, &socket, owner, None);
            }
        }
    }
}
