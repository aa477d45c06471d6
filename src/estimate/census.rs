//! Which rows the views would have without their limits, of the sockets that are told of.
//!
//! Refuses to know values and text.

use std::cell::RefCell;
use std::time::Instant;

use hashbrown::HashMap;

use super::keys::{Keys, Numbers, When};
use crate::attribute::{Direction, Listeners, Process, Processes};
use crate::collect::{BETWEEN_LOOKS, Key, World};
use crate::config::{CONNECTIONS, View};
use crate::labels::Names;
use crate::plan::{Plan, known_keys};
use crate::select::{Expression, Subject};
use crate::sockdiag::{DumpError, Extensions, Request, Socket, State, StateSet, dump};

/// The most keys that are remembered of all views together, and the most connections.
const MOST: usize = 1_000_000;

/// The rows that were seen so far.
pub(super) struct Census<'a, W> {
    plan: &'a Plan,
    world: &'a W,
    views: Vec<Counted<'a>>,
    /// How many more keys are remembered.
    room: usize,
    /// The cookies of connections.
    connections: Keys,
    room_for_connections: usize,
    listeners: Listeners,
    /// When they were last looked at.
    listened: Instant,
    interfaces: RefCell<HashMap<u32, Option<String>>>,
    key: Key,
    /// Connections whose end was heard of.
    pub(super) closed: u64,
    /// Those of them of which nothing was said but that they ended.
    pub(super) without_information: u64,
}

/// A view whose rows are counted.
struct Counted<'a> {
    view: &'a View,
    /// Its selection, with what names stand for now.
    selection: Expression,
    /// Which listeners make a row, before there is a connection.
    announced: Expression,
    keys: Keys,
}

impl Counted<'_> {
    fn wants(&self, subject: Subject<'_>) -> bool {
        self.view.states.contains(subject.state) && self.selection.accepts(subject)
    }

    /// Whether the socket makes a row in the view that wants it.
    fn shows(&self, socket: &Socket<'_>) -> bool {
        if self.view.folds {
            let closed = socket.is_remains() && socket.state() == State::FinWait2;
            !(closed && self.view.is_of_connections())
        } else {
            self.view.columns.iter().any(|column| column.metric.source.read(socket).is_some())
        }
    }
}

impl<'a, W: World> Census<'a, W> {
    pub(super) fn new(plan: &'a Plan, world: &'a W) -> Self {
        let announced =
            |number| plan.past.folded.iter().any(|folded| folded.view == number && folded.announced);
        let mut room = MOST;
        let views = plan.views.iter().enumerate().map(|(number, view)| {
            let mut keys = Keys::default();
            for key in known_keys(view) {
                keys.note(&key, When::First, &mut room);
            }
            let every = || view.selection.of_every_connection();
            let announced = if announced(number) { every() } else { Expression::Never };
            Counted { view, selection: view.selection.resolve(world), announced, keys }
        });
        let views = views.collect();
        Self {
            plan,
            world,
            views,
            room,
            connections: Keys::default(),
            room_for_connections: MOST,
            listeners: Listeners::default(),
            listened: Instant::now(),
            interfaces: RefCell::default(),
            key: Key::default(),
            closed: 0,
            without_information: 0,
        }
    }

    /// Notes the listeners, on which directions depend.
    pub(super) fn listeners(&mut self, when: When, deadline: Instant) -> Result<(), DumpError> {
        let states = StateSet::of(&[State::Listen]);
        let request = Request { states, extensions: Extensions::NONE, filter: None };
        let mut kernel = self.world.open().map_err(DumpError::Open)?;
        let now = Instant::now();
        self.listened = now;
        let range = std::fs::read_to_string(self.world.proc().join("sys/net/ipv4/ip_local_port_range"));
        self.listeners.note_range(&range.unwrap_or_default());
        let note = |socket: &Socket<'_>| {
            self.listeners.note(socket.local(), now);
            let subject = Subject::ended(socket, Some(Direction::Inbound));
            self.note(subject, when, |view| view.announced.accepts(subject));
        };
        dump(&mut kernel, &request, deadline, note).map(drop)
    }

    /// Notes all sockets, and says how many there are.
    pub(super) fn sockets(
        &mut self,
        processes: &mut Processes,
        when: When,
        deadline: Instant,
    ) -> Result<u64, DumpError> {
        let asked = self.plan.program(self.world).request;
        // Which connections are new can only be told of all of them, so that the kernel filters none.
        let request = Request {
            states: asked.as_ref().map_or(CONNECTIONS, |request| request.states.union(CONNECTIONS)),
            extensions: asked.map_or(Extensions::INFO, |request| request.extensions.union(Extensions::INFO)),
            filter: None,
        };
        let mut kernel = self.world.open().map_err(DumpError::Open)?;
        let note = |socket: &Socket<'_>| self.alive(socket, processes.holders(socket.inode()), when);
        dump(&mut kernel, &request, deadline, note).map(|stats| stats.sockets)
    }

    fn alive(&mut self, socket: &Socket<'_>, owners: &[Process], when: When) {
        if is_whole(socket) {
            self.connection(socket, when);
        }
        let subject = Subject::alive(socket, self.direction(socket), owners);
        self.note(subject, when, |view| view.shows(socket));
    }

    /// Notes the end of a socket; of a connection that was not seen before, it makes a row.
    pub(super) fn ended(&mut self, socket: &Socket<'_>) {
        let informed = socket.ended_with_information();
        if !informed && !socket.was_disconnected() {
            return;
        }
        if self.plan.past.listeners && self.listened.elapsed() >= BETWEEN_LOOKS {
            // What is not known now may be known at the next look.
            let _ = self.listeners(When::Heard, Instant::now() + BETWEEN_LOOKS);
        }
        self.closed += 1;
        self.without_information += u64::from(!informed);
        let before = self.connection(socket, When::Heard);
        // Where not all could be noted, this one may be an old one.
        let new = before.is_none() && self.room_for_connections > 0;
        if informed && new {
            let at_end = || self.listeners.direction_at_end(socket.local(), socket.remote());
            let subject = Subject::ended(socket, self.plan.past.listeners.then(at_end));
            self.note(subject, When::Heard, |_| true);
        }
    }

    /// How many rows a view would have without a limit.
    pub(super) fn keys(&self, number: usize) -> Numbers {
        self.views.get(number).map(|view| view.keys.numbers()).unwrap_or_default()
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> Numbers {
        self.connections.numbers()
    }

    fn connection(&mut self, socket: &Socket<'_>, when: When) -> Option<When> {
        self.connections.note(&socket.cookie().to_ne_bytes(), when, &mut self.room_for_connections)
    }

    fn direction(&self, socket: &Socket<'_>) -> Option<Direction> {
        self.plan.past.listeners.then(|| self.listeners.direction(socket.local()))
    }

    fn note(&mut self, subject: Subject<'_>, when: When, shows: impl Fn(&Counted<'_>) -> bool) {
        let Self { plan, world, views, room, interfaces, key, .. } = self;
        let interface = |index| {
            let mut known = interfaces.borrow_mut();
            known.entry(index).or_insert_with(|| world.interface_name(index)).clone()
        };
        let names = Names { networks: &plan.networks, interface: &interface };
        for view in views {
            if shows(view) && view.wants(subject) {
                view.keys.note(key.of(&view.view.by, subject, names), when, room);
            }
        }
    }
}

/// Whether a socket is one that can have counted something.
fn is_whole(socket: &Socket<'_>) -> bool {
    socket.is_full() && !matches!(socket.state(), State::Listen | State::Close)
}
