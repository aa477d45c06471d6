//! The ends of sockets: of those that were tracked, and of those that no dump has shown.

use std::sync::Arc;

use super::Tracker;
use super::dumped::row_of;
use super::ledger::{Slot, TrackedView};
use crate::attribute::{Direction, Namespace, Netns, Ownership};
use crate::collection::listeners::{self, local_end};
use crate::collection::netns::NetnsTarget;
use crate::facts::{Facts, Names};
use crate::plan::{Feed, Program};
use crate::self_metrics::ClosesWithoutTcpInfo;
use sockdiag::{Protocol, Socket, State, tcp_info};

impl Tracker {
    /// The end of a socket in the namespace with that nsid, or in the exporter's own, with the last that the kernel
    /// knew of it; `false` if no collection has seen the namespace. `record` is that of [`Self::records_of`], if it was asked for.
    ///
    /// The kernel gives the nsid of a namespace that is gone to the next one: a socket without a record counts
    /// only if `is_still` confirms whose nsid it is. `interface` names the interfaces of the other ones.
    pub(in crate::collection) fn on_close(
        &mut self,
        nsid: Option<i32>,
        socket: &Socket<'_>,
        record: Option<Slot>,
        names: Names<'_>,
        interface: &dyn Fn(&Namespace, u32) -> Option<String>,
        is_still: &mut dyn FnMut(i32, &Namespace) -> bool,
    ) -> bool {
        let Some(nsid) = nsid else {
            self.close_in(&self.own(), socket, record, names);
            return true;
        };
        let Some(target) = self.namespaces.by_nsid.get(&nsid).map(Arc::clone) else { return false };
        let NetnsTarget { netns, namespace, .. } = &*target;
        if !self.knows(netns.identity(socket.cookie())) && !is_still(nsid, namespace) {
            return false;
        }
        let interface = |index| interface(namespace, index);
        self.close_in(netns, socket, record, Names { interface: &interface, ..names });
        true
    }

    /// The records of sockets of the exporter's own namespace, as far as there are any.
    pub(in crate::collection) fn records_of(
        &self,
        sockets: &[(Option<i32>, Socket<'_>)],
    ) -> Vec<Option<Slot>> {
        let own = self.own();
        let record = |(nsid, socket): &(Option<i32>, Socket<'_>)| {
            let known = self.ledger.find(own.identity(socket.cookie()));
            known.filter(|_| nsid.is_none())
        };
        // In a loop that does nothing else, the processor waits for the memory of several at once.
        sockets.iter().map(record).collect()
    }

    fn close_in(&mut self, netns: &Netns, socket: &Socket<'_>, record: Option<Slot>, names: Names<'_>) {
        if socket.state() == State::SynRecv {
            // Two packets completed one handshake at once: the kernel drops the second of two sockets, and both have
            // the cookie of the request (net/ipv4/inet_connection_sock.c: inet_csk_complete_hashdance).
            return;
        }
        let informed = socket.ended_with_information();
        let identity = netns.identity(socket.cookie());
        self.ledger.tombstone(identity);
        let Some(slot) = self.ledger.find_from(record, identity) else {
            if informed {
                self.close_unseen(netns, socket, names);
            } else {
                self.without_tcp_info.disconnected += u64::from(socket.was_disconnected());
            }
            return;
        };
        if informed {
            self.ledger.follow(slot, |source| source.read(socket));
            self.place_at_end(slot, netns, socket, names);
            if !self.ledger.was_observed(slot) {
                self.observe(slot, socket);
            }
            self.note_end(identity, slot);
        } else {
            self.close_without_tcp_info(slot);
        }
        self.ledger.close(slot, self.clock.seconds);
    }

    /// Counts the end of a socket whose counters the kernel has wiped: what it did since its last dump is lost.
    ///
    /// It wipes those of the first subflow of an MPTCP connection too that the peer closes first, although nothing is reset
    /// (`net/mptcp/protocol.c: __mptcp_close_ssk`).
    fn close_without_tcp_info(&mut self, slot: Slot) {
        let subflow = self.ledger.record(slot).is_subflow();
        let ClosesWithoutTcpInfo { disconnected, mptcp } = &mut self.without_tcp_info;
        *if subflow { mptcp } else { disconnected } += 1;
        self.ledger.count(slot, Feed::ClosedWithoutTcpInfo, 1);
    }

    /// Keeps the last values of a socket if a row may hold several connections.
    fn note_end(&mut self, identity: u64, slot: Slot) {
        if self.plan.tracking.sums_by_process {
            let (dump, (_, most)) = (self.ledger.dump(), self.ledger.tracked());
            self.ends.note(identity, dump, self.ledger.values(slot), most);
        }
    }

    /// The rows of a tracked socket in views that joined since it was last shown: it is closed there, and what it has
    /// gained since then is not known.
    fn place_at_end(&mut self, slot: Slot, netns: &Netns, socket: &Socket<'_>, names: Names<'_>) {
        let record = self.ledger.record(slot);
        if record.placed_at() >= self.reloaded {
            return;
        }
        let direction = record.direction().filter(|_| self.plan.tracking.listeners);
        self.rows_at_end(netns, socket, names, direction);
        let now = self.clock.seconds;
        let (mut record, views) = self.ledger.record_mut(slot);
        let placed_at = record.placed_at();
        let mut rows = self.rows.iter();
        let mut joins = false;
        for view in views.iter_mut().filter(|view| view.place.is_some()) {
            let row = rows.next().copied().flatten();
            if placed_at < view.since && row.is_some() {
                record.move_to(view, row, now);
                joins = true;
            }
        }
        self.ledger.stats.before_baseline += u64::from(joins);
    }

    /// Whether an unknown socket of that age is older than the baseline of a view: a connection that is reset is
    /// in no dump as long as its process holds on to it, and what it did then is not to be counted now.
    fn is_older(&self, view: &TrackedView, age: Option<u32>) -> bool {
        /// The kernel counts time in ticks of up to 10 ms.
        const TICK: u128 = 10;
        let since = view.certain_since.map(|at| self.clock.now.saturating_duration_since(at).as_millis());
        age.zip(since).is_some_and(|(age, since)| u128::from(age) > since + TICK)
    }

    /// A connection of which nothing but its end is seen.
    fn close_unseen(&mut self, netns: &Netns, socket: &Socket<'_>, names: Names<'_>) {
        let identity = netns.identity(socket.cookie());
        self.rows_at_end(netns, socket, names, None);
        let mut rows = std::mem::take(&mut self.rows);
        let place = self.place(netns.number, socket.protocol());
        if !self.ledger.baseline.lists(identity, place) {
            // One that never received anything has no age.
            let received = socket.get(&tcp_info::SEGS_IN).unwrap_or_default() > 0;
            let age = received.then(|| socket.received_ago()).flatten();
            let views = self.ledger.views.iter().filter(|view| view.place.is_some());
            for (_, row) in views.zip(&mut rows).filter(|(view, _)| self.is_older(view, age)) {
                *row = None;
            }
        }
        if rows.iter().any(Option::is_some) {
            self.read(socket);
            let now = self.clock.seconds;
            self.ledger.count_unseen(identity, place, &rows, &self.values, now);
            self.ledger.observe_in(&rows, |source| source.read(socket));
        }
        self.rows = rows;
    }

    /// The rows of a socket by its close event alone. Its `direction` may be known from its record.
    fn rows_at_end(
        &mut self,
        netns: &Netns,
        socket: &Socket<'_>,
        names: Names<'_>,
        direction: Option<Direction>,
    ) {
        self.rows.clear();
        self.with_facts_at_close(netns, socket, names, direction, |tracker, facts, program| {
            for (view, wanted) in tracker.ledger.views.iter_mut().zip(&program.aggregated) {
                if view.place.is_some() {
                    tracker.rows.push(row_of(view, wanted, facts, &mut tracker.key));
                }
            }
        });
    }

    /// Hands on what is known of a connection by its close event alone, and what is wanted in its namespace.
    pub(in crate::collection) fn with_facts_at_close(
        &mut self,
        netns: &Netns,
        socket: &Socket<'_>,
        names: Names<'_>,
        direction: Option<Direction>,
        then: impl FnOnce(&mut Self, &Facts<'_>, &Program),
    ) {
        // A dump may be under way in another namespace.
        let Some(program) = self.program_in(netns.number, socket.protocol()) else { return };
        let has_listeners = self.plan.tracking.listeners && socket.protocol().has_listeners();
        let client_ports = self.namespaces.client_ports(netns.number);
        let mut listeners = self.namespaces.of(netns.number).listeners.as_mut();
        let now = || listeners::direction(socket, listeners.as_deref());
        let direction = direction.or_else(|| has_listeners.then(now));
        let claims = listeners.take().filter(|_| direction == Some(Direction::Inbound));
        let (owner, cgroup) = claims.map(|known| known.claim(local_end(socket))).unwrap_or_default();
        let (owner, cgroup) = (owner.as_ref(), cgroup.as_deref());
        let ownership = Ownership { owner, cgroup, netns: Some(netns), ..Ownership::default() };
        let mut facts = Facts::of_close_event(socket, direction, ownership, names);
        facts.client_ports = client_ports;
        then(self, &facts, &program);
    }

    /// What is wanted of the sockets of a protocol in the namespace with that number.
    pub(in crate::collection) fn program_in(&self, number: u32, protocol: &Protocol) -> Option<Arc<Program>> {
        self.namespaces.program(number, protocol).map(Arc::clone)
    }

    /// The namespace that a close event names, if a collection has seen it.
    pub(in crate::collection) fn netns_of(&self, nsid: Option<i32>) -> Option<(Namespace, Arc<Netns>)> {
        let Some(nsid) = nsid else { return Some((Namespace::own(), self.own())) };
        let target = self.namespaces.by_nsid.get(&nsid)?;
        Some((target.namespace.clone(), Arc::clone(&target.netns)))
    }

    /// How many namespaces beside the exporter's own have close events that name them.
    pub(in crate::collection) fn observable(&self) -> usize {
        self.namespaces.by_nsid.values().filter(|target| !target.namespace.own).count()
    }
}
