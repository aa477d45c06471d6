//! Which rows the views would have without their limits, of the sockets that are told of.
//!
//! Refuses to know values and text.

use std::cell::RefCell;
use std::time::Instant;

use hashbrown::HashMap;

use super::keys::{Keys, Numbers, When};
use crate::attribute::{Direction, Listeners, Listing, OwnerId, Ownership, Users, Whose};
use crate::collect::{
    Aside, Attribution, BETWEEN_LOOKS, Entered, Key, NetnsRegistry, NetnsTarget, World, direction, local_end,
};
use crate::config::{CONNECTIONS, View};
use crate::facts::{Facts, Names};
use crate::plan::{Plan, known_keys};
use crate::select::Expression;
use crate::sockdiag::{Class, DumpError, Extensions, Request, Socket, State, StateSet, TCP, dump};

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
    attribution: Attribution,
    users: Users,
    registry: NetnsRegistry,
    /// The namespaces of the last look, and those of which events tell by their number.
    targets: Vec<NetnsTarget>,
    heard: Vec<(i32, NetnsTarget)>,
    /// Sockets whose owners are to be looked for.
    aside: Aside<NetnsTarget>,
    /// By the numbers of their namespaces.
    listeners: HashMap<u32, Listeners>,
    /// When they were last looked at.
    listened: Instant,
    interfaces: RefCell<HashMap<(u32, u32), Option<String>>>,
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
    fn wants(&self, facts: &Facts<'_>) -> bool {
        self.view.states.contains(facts.state) && self.selection.accepts(facts)
    }

    /// Whether the socket makes a row in the view that wants it.
    fn shows(&self, socket: &Socket<'_>) -> bool {
        if self.view.folds {
            // A remnant in FIN_WAIT2 is no connection any more.
            !(socket.class() == Class::Remnant && self.view.is_of_connections())
        } else {
            self.view.columns.iter().any(|column| column.metric.source.read(socket).is_some())
        }
    }
}

impl<'a, W: World> Census<'a, W> {
    pub(super) fn new(plan: &'a Plan, world: &'a W) -> Self {
        let announced =
            |number| plan.tracking.aggregated.iter().any(|view| view.view == number && view.announced);
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
            attribution: Attribution::of(plan, world.proc()),
            users: Users::default(),
            registry: NetnsRegistry::default(),
            targets: Vec::new(),
            heard: Vec::new(),
            aside: Aside::default(),
            listeners: HashMap::new(),
            listened: Instant::now(),
            interfaces: RefCell::default(),
            key: Key::default(),
            closed: 0,
            without_information: 0,
        }
    }

    /// Notes all sockets there are now, and says how many.
    pub(super) fn look(&mut self, when: When) -> Result<u64, DumpError> {
        let start = Instant::now();
        let deadline = start + self.plan.collect.deadline;
        self.users.begin();
        // An owner that stays unknown is a row all the same, and the collection has said so.
        let _ = self.attribution.begin(start, start + self.plan.collect.deadline / 2);
        let listing = self.world.namespaces().unwrap_or_else(|_| Listing::own());
        self.targets = self.registry.update(listing, true, self.world.proc(), Default::default);
        let everywhere = self.plan.collect.looks_elsewhere();
        let nsid = |target: &NetnsTarget| everywhere.then(|| self.world.nsid(&target.namespace)).flatten();
        self.heard = self.targets.iter().filter_map(|target| Some((nsid(target)?, target.clone()))).collect();
        let mut sockets = 0;
        for target in self.targets.clone() {
            match self.target(&target, when, deadline) {
                Err(error) if target.namespace.own => return Err(error),
                // The collection has said so.
                Err(_) => {}
                Ok(more) => sockets += more,
            }
        }
        self.attribution.resolve(Instant::now(), deadline);
        for (target, replies) in std::mem::take(&mut self.aside) {
            for socket in replies.iter().filter_map(Socket::parse) {
                let whose = socket.inode().map(|inode| self.attribution.whose(inode));
                let owner = if let Some(Whose::Known(owner)) = whose { owner } else { OwnerId::NOBODY };
                self.alive(&socket, owner, &target, when);
            }
        }
        Ok(sockets)
    }

    fn target(&mut self, target: &NetnsTarget, when: When, deadline: Instant) -> Result<u64, DumpError> {
        let entered = self.world.enter(&target.namespace).map_err(DumpError::Open)?;
        let Some((kernel, listening)) = entered.kernels else { return Ok(0) };
        self.listeners(listening, &entered.ports, target, when, deadline)?;
        let asked = self.plan.program(self.world).request;
        // Which connections are new can only be told of all of them, so that the kernel filters none.
        let request = Request {
            protocol: &TCP,
            states: asked.as_ref().map_or(CONNECTIONS, |request| request.states.union(CONNECTIONS)),
            extensions: asked.map_or(Extensions::INFO, |request| request.extensions.union(Extensions::INFO)),
            filter: None,
        };
        self.aside.turn();
        let note = |socket: &Socket<'_>| {
            let owner = match socket.inode().map(|inode| self.attribution.whose(inode)) {
                Some(Whose::Known(owner)) => owner,
                Some(Whose::Unknown) if self.aside.put(target, socket) => return,
                _ => OwnerId::NOBODY,
            };
            self.alive(socket, owner, target, when);
        };
        dump(kernel, &request, deadline, note).map(|stats| stats.sockets)
    }

    /// Notes the listeners, on which directions depend.
    fn listeners(
        &mut self,
        kernel: W::Transport,
        ports: &str,
        target: &NetnsTarget,
        when: When,
        deadline: Instant,
    ) -> Result<(), DumpError> {
        let states = StateSet::of(&[State::Listen]);
        let request = Request { protocol: &TCP, states, extensions: Extensions::NONE, filter: None };
        let now = Instant::now();
        self.listened = now;
        self.at(target).note_range(ports);
        let note = |socket: &Socket<'_>| {
            let (claim, _) = self.attribution.claim(socket, &target.netns);
            self.at(target).note(local_end(socket), claim.clone(), now);
            let facts = Facts::of_listener(socket, &claim, &target.netns, Names::NONE);
            self.note(facts, target, when, |view| view.announced.accepts(&facts));
        };
        dump(kernel, &request, deadline, note).map(drop)
    }

    fn at(&mut self, target: &NetnsTarget) -> &mut Listeners {
        self.listeners.entry(target.netns.number).or_default()
    }

    fn alive(&mut self, socket: &Socket<'_>, owner: OwnerId, target: &NetnsTarget, when: When) {
        if socket.class() == Class::Connection {
            self.connection(socket, target, when);
        }
        let listeners = self.listeners.get(&target.netns.number);
        let direction = self.plan.tracking.listeners.then(|| direction(socket, listeners));
        let mut attribution = std::mem::take(&mut self.attribution);
        let (of, _) = attribution.ownership(socket, owner, &target.netns);
        let facts = Facts { direction, ..Facts::of_dump(socket, of, Names::NONE) };
        self.note(facts, target, when, |view| view.shows(socket));
        self.attribution = attribution;
    }

    /// Notes the end of a socket; of a connection that was not seen before, it makes a row.
    pub(super) fn ended(&mut self, nsid: Option<i32>, socket: &Socket<'_>) {
        let target = match nsid {
            None => self.targets.first().cloned(),
            Some(nsid) => {
                self.heard.iter().find(|(known, _)| *known == nsid).map(|(_, target)| target.clone())
            }
        };
        let Some(target) = target else { return };
        let informed = socket.ended_with_information();
        if !informed && !socket.was_disconnected() {
            return;
        }
        if self.plan.tracking.listeners && target.namespace.own && self.listened.elapsed() >= BETWEEN_LOOKS {
            // What is not known now may be known at the next look.
            let soon = Instant::now() + BETWEEN_LOOKS;
            if let Ok(Entered { kernels: Some((_, listening)), ports, .. }) =
                self.world.enter(&target.namespace)
            {
                let _ = self.listeners(listening, &ports, &target, When::Heard, soon);
            }
        }
        self.closed += 1;
        self.without_information += u64::from(!informed);
        let before = self.connection(socket, &target, When::Heard);
        // Where not all could be noted, this one may be an old one.
        let new = before.is_none() && self.room_for_connections > 0;
        if informed && new {
            let listeners = self.listeners.get_mut(&target.netns.number);
            let direction = self.plan.tracking.listeners.then(|| direction(socket, listeners.as_deref()));
            let claims = listeners.filter(|_| direction == Some(Direction::Inbound));
            let (owner, cgroup) = claims.map(|known| known.claim(local_end(socket))).unwrap_or_default();
            let (owner, cgroup) = (owner.as_deref(), cgroup.as_deref());
            let of = Ownership { owner, cgroup, netns: Some(&target.netns), ..Ownership::default() };
            let facts = Facts::of_close_event(socket, direction, of, Names::NONE);
            self.note(facts, &target, When::Heard, |_| true);
        }
    }

    /// How many namespaces there are of whose closing sockets nothing is heard.
    pub(super) fn unobserved(&self) -> usize {
        let foreign = self.targets.iter().filter(|target| !target.namespace.own).count();
        let heard = self.heard.iter().filter(|(_, target)| !target.namespace.own).count();
        foreign.saturating_sub(heard)
    }

    /// How many rows a view would have without a limit.
    pub(super) fn keys(&self, number: usize) -> Numbers {
        self.views.get(number).map(|view| view.keys.numbers()).unwrap_or_default()
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> Numbers {
        self.connections.numbers()
    }

    fn connection(&mut self, socket: &Socket<'_>, target: &NetnsTarget, when: When) -> Option<When> {
        let identity = target.netns.identity(socket.cookie());
        self.connections.note(&identity.to_ne_bytes(), when, &mut self.room_for_connections)
    }

    fn note(
        &mut self,
        facts: Facts<'_>,
        target: &NetnsTarget,
        when: When,
        shows: impl Fn(&Counted<'_>) -> bool,
    ) {
        let Self { plan, world, views, room, interfaces, key, users, .. } = self;
        let interface = |index| {
            let mut known = interfaces.borrow_mut();
            let name = || world.interface_name(&target.namespace, index);
            known.entry((target.netns.number, index)).or_insert_with(name).clone()
        };
        let names = Names { networks: &plan.networks, interface: &interface, users: Some(users) };
        let facts = &Facts { names, ..facts };
        for view in views {
            if shows(view) && view.wants(facts) {
                view.keys.note(key.of(&view.view.by, facts), when, room);
            }
        }
    }
}
