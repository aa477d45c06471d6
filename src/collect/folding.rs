//! A dump on its way into tables: those that are made anew, and those that stay.
//!
//! A socket whose owner is not known yet is put aside, and folded when the owners have been looked for. Refuses to
//! know how a collection begins and ends.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::{HashMap, HashSet};

use super::World;
use super::aside::Aside;
use super::attribution::Attribution;
use super::key::Key;
use super::listen::Note;
use super::netns::NetnsTarget;
use super::state::{CollectorState, SharedTracker};
use crate::attribute::{OwnerId, Whose};
use crate::facts::{Facts, Names};
use crate::fold::{NO_SOCKET, Table};
use crate::metrics::Aggregation;
use crate::plan::{Plan, Program};
use crate::sockdiag::{Class, DumpError, Socket, Transport};

/// A collection whose dumps are under way.
pub(super) struct Folding<'a, W> {
    plan: &'a Plan,
    world: &'a W,
    tracker: &'a SharedTracker,
    attribution: &'a mut Attribution,
    /// Where the sockets come from, and what is wanted of them.
    place: Option<Place>,
    tables: Vec<Option<Table>>,
    selected: Vec<u64>,
    /// Sockets of the dump that have no record.
    untracked: HashSet<u64>,
    aside: Aside<Place>,
    /// Listeners whose owners are not known yet: they hand them on to connections that nobody sees alive.
    listeners: Aside<Place>,
    /// Remnants that the dump showed.
    pub(super) remnants: u64,
    sockets: u64,
    /// Sockets that processes hold, and nobody knows which.
    unowned: u64,
    interfaces: RefCell<HashMap<(u32, u32), Option<String>>>,
    key: Key,
}

/// A namespace, and what is wanted of its sockets.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) target: NetnsTarget,
    pub(super) program: Arc<Program>,
}

impl Place {
    fn note<'a>(&'a self, plan: &'a Plan, tracker: &'a SharedTracker) -> Note<'a> {
        Note { plan, tracker, netns: &self.target.netns, owners_told: true }
    }
}

impl<'a, W: World> Folding<'a, W> {
    pub(super) fn new(
        plan: &'a Plan,
        world: &'a W,
        state: &'a CollectorState,
        attribution: &'a mut Attribution,
        owners_known: bool,
    ) -> Self {
        let views = plan.views.iter().zip(&state.limits).zip(&state.sizes);
        let tables = views.map(|((view, limit), size)| {
            if view.folds {
                return None;
            }
            // A collection after which there is none needs no past.
            let counters = if state.alone { Vec::new() } else { view.counters() };
            let table = view.table(limit.clone(), state.seed.clone());
            let mut table = table.counting(counters, view.condenses()).sized(*size);
            if view.by.is_empty() {
                // The row over all sockets is there without any: their sum is then zero.
                let row = table.row(b"", NO_SOCKET);
                let sums = view
                    .columns
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| column.aggregation == Aggregation::Sum);
                sums.for_each(|(column, _)| row.into_iter().for_each(|row| table.add(row, column, 0, 0)));
            }
            Some(table)
        });
        state.tracker.lock().begin(owners_known);
        Self {
            plan,
            world,
            tracker: &state.tracker,
            attribution,
            place: None,
            tables: tables.collect(),
            selected: vec![0; plan.views.len()],
            untracked: HashSet::with_capacity(state.strangers),
            aside: Aside::default(),
            listeners: Aside::default(),
            remnants: 0,
            sockets: 0,
            unowned: 0,
            interfaces: RefCell::default(),
            key: Key::default(),
        }
    }

    /// The sockets to come are those of this namespace.
    pub(super) fn enter(&mut self, place: Place) {
        self.tracker.lock().enter(&place.target, &place.program);
        self.aside.turn();
        self.listeners.turn();
        self.place = Some(place);
    }

    /// Whether sockets wait for their owners.
    pub(super) const fn has_aside(&self) -> bool {
        !self.aside.is_empty() || !self.listeners.is_empty()
    }

    /// Looks for the owners of what was put aside.
    pub(super) fn resolve(&mut self, now: Instant, until: Instant) {
        self.attribution.resolve(now, until);
    }

    /// Notes the listeners of the namespace, and the text of its `ip_local_port_range`.
    pub(super) fn learn<K: Transport>(
        &mut self,
        kernel: K,
        ports: &str,
        until: Instant,
    ) -> Result<(), DumpError> {
        let Self { plan, tracker, attribution, place, listeners, .. } = self;
        let Some(place) = place else { return Ok(()) };
        let unsure = |socket: &Socket<'_>| {
            // Without room its owner is known to the next collection.
            listeners.put(place, socket);
        };
        place.note(plan, tracker).learn(kernel, ports, attribution, until, unsure)
    }

    /// There is no listener in the namespace.
    pub(super) fn forget_listeners(&self) {
        let Some(place) = &self.place else { return };
        self.tracker.lock().no_listener(&place.target.netns);
    }

    /// Folds a socket, or puts it aside.
    #[inline]
    pub(super) fn fold(&mut self, socket: &Socket<'_>) {
        let Some(place) = &self.place else { return };
        let owner = match socket.inode() {
            None if self.attribution.processes().is_none() => OwnerId::NOBODY,
            // Their objects never belong to a process.
            None if matches!(socket.class(), Class::Remnant | Class::Request) => OwnerId::NOBODY,
            None => {
                // It had an owner as long as somebody held it.
                let owner = self.tracker.lock().last_owner(place.target.netns.identity(socket.cookie()));
                self.attribution.keep(owner);
                owner
            }
            Some(inode) => match self.attribution.whose(inode) {
                Whose::Known(owner) => owner,
                Whose::Unknown if self.aside.put(place, socket) => return,
                Whose::Nobody | Whose::Unknown => OwnerId::NOBODY,
            },
        };
        self.fold_of(socket, owner);
    }

    /// Folds what was put aside: its owners have been looked for.
    pub(super) fn fold_aside(&mut self) {
        for (place, listeners) in std::mem::take(&mut self.listeners) {
            self.tracker.lock().enter(&place.target, &place.program);
            let note = place.note(self.plan, self.tracker);
            for socket in listeners.iter().filter_map(Socket::parse) {
                note.note(&socket, self.attribution);
            }
        }
        for (place, sockets) in std::mem::take(&mut self.aside) {
            self.enter(place);
            for bytes in sockets.iter() {
                let Some(socket) = Socket::parse(bytes) else { continue };
                let whose = socket.inode().map(|inode| self.attribution.whose(inode));
                let owner = if let Some(Whose::Known(owner)) = whose { owner } else { OwnerId::NOBODY };
                self.fold_of(&socket, owner);
            }
        }
    }

    #[inline]
    fn fold_of(&mut self, socket: &Socket<'_>, owner: OwnerId) {
        let Self { plan, world, tracker, attribution, place, untracked, interfaces, .. } = self;
        let Some(Place { target, program }) = place else { return };
        let (ownership, users) = attribution.ownership(socket, owner, &target.netns);
        let interface = |index| {
            let mut known = interfaces.borrow_mut();
            let name = || world.interface_name(&target.namespace, index);
            known.entry((target.netns.number, index)).or_insert_with(name).clone()
        };
        let names = Names { networks: &plan.networks, interface: &interface, users: Some(users) };
        let mut facts = Facts::of_dump(socket, ownership, names);
        let counts = if plan.tracking.is_empty() {
            untracked.insert(facts.identity())
        } else {
            tracker.lock().on_dump(&mut facts, target, program, untracked)
        };
        if !counts {
            return;
        }
        self.sockets += 1;
        self.unowned +=
            u64::from(plan.needs_processes && socket.inode().is_some() && facts.owner().is_none());
        self.remnants += u64::from(socket.class() == Class::Remnant);
        for route in &program.routes {
            let wanted = |test: &crate::select::Expression| test.accepts(&facts);
            if route.states.contains(facts.state) && route.test.as_ref().is_none_or(wanted) {
                for view in &route.views {
                    Self::fold_into(&mut self.tables, &mut self.selected, &mut self.key, plan, *view, &facts);
                }
            }
        }
    }

    fn fold_into(
        tables: &mut [Option<Table>],
        selected: &mut [u64],
        key: &mut Key,
        plan: &Plan,
        number: usize,
        facts: &Facts<'_>,
    ) {
        let (Some(view), Some(Some(table))) = (plan.views.get(number), tables.get_mut(number)) else {
            return;
        };
        // A remnant in FIN_WAIT2 is no connection any more.
        if facts.socket.class() == Class::Remnant && view.is_of_connections() {
            return;
        }
        selected.get_mut(number).into_iter().for_each(|count| *count += 1);
        // A view without labels has one row, made before the dump.
        let mut row = view.by.is_empty().then_some(0);
        let age = facts.socket.received_ago().unwrap_or(u32::MAX);
        for (number, column) in view.columns.iter().enumerate() {
            let Some(value) = column.metric.source.read(facts.socket) else { continue };
            // A socket without any value makes no row.
            row = row.or_else(|| table.row(key.of(&view.by, facts), facts.identity()));
            let Some(row) = row else { return };
            table.add(row, number, value, age);
        }
    }

    /// What there is when all dumps have ended.
    pub(super) fn into_folded(self) -> Folded {
        let Self { tables, selected, untracked, sockets, unowned, .. } = self;
        Folded { tables, selected, untracked, sockets, unowned }
    }
}

/// What was folded.
pub(super) struct Folded {
    /// The tables of the views that are made anew; `None` for the others.
    pub(super) tables: Vec<Option<Table>>,
    /// The sockets that each of them selects.
    pub(super) selected: Vec<u64>,
    /// Sockets that have no record.
    pub(super) untracked: HashSet<u64>,
    /// Sockets, each once.
    pub(super) sockets: u64,
    /// Sockets that processes hold, and nobody knows which.
    pub(super) unowned: u64,
}
