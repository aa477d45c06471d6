//! Which rows the views would have without their limits, of the sockets of all collections and close events.

use std::sync::Arc;

use super::keys::{KeyCounts, SeenKeys, When};
use crate::collection::{Key, Sink};
use crate::facts::Facts;
use crate::plan::{Plan, Program, Tracking};
use crate::view::View;
use sockdiag::{Class, Socket};

/// The most keys that are kept of all views together, and the most connections.
const MAX_KEYS: usize = 1_000_000;

/// The rows so far.
#[derive(Default)]
pub(super) struct Census {
    views: Arc<[View]>,
    tracking: Arc<Tracking>,
    /// Those of each view.
    keys: Vec<SeenKeys>,
    /// How many more keys are kept.
    room: usize,
    /// The identities of connections.
    connections: SeenKeys,
    room_for_connections: usize,
    key: Key,
    /// When the sockets to come are met.
    pub(super) when: When,
    /// Close events of connections.
    pub(super) closed: u64,
    /// Those of them without `tcp_info`.
    pub(super) without_information: u64,
}

impl Census {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut census = Self {
            views: Arc::clone(&plan.views),
            tracking: Arc::clone(&plan.tracking),
            keys: plan.views.iter().map(|_| SeenKeys::default()).collect(),
            room: MAX_KEYS,
            connections: SeenKeys::default(),
            room_for_connections: MAX_KEYS,
            key: Key::default(),
            when: When::First,
            closed: 0,
            without_information: 0,
        };
        for (view, keys) in plan.views.iter().zip(&mut census.keys) {
            for key in view.known_keys() {
                keys.note(&key, When::First, &mut census.room);
            }
        }
        census
    }

    /// How many rows a view would have without a limit.
    pub(super) fn keys(&self, number: usize) -> KeyCounts {
        self.keys.get(number).map(SeenKeys::numbers).unwrap_or_default()
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> KeyCounts {
        self.connections.numbers()
    }

    /// Counts a close event. Of a connection that was not known, it makes rows.
    pub(super) fn close_event(&mut self, facts: &Facts<'_>, program: &Program) {
        let informed = facts.socket.ended_with_information();
        if !informed && !facts.socket.was_disconnected() {
            return;
        }
        self.closed += 1;
        self.without_information += u64::from(!informed);
        let before = self.connection(facts.identity(), When::Closed);
        // If not all connections found room, this one may be an old one.
        if informed && before.is_none() && self.room_for_connections > 0 {
            let wanted = self.wanted(facts, program);
            for view in wanted {
                self.note(view, facts, When::Closed);
            }
        }
    }

    /// Notes the rows that begin with a listener.
    pub(super) fn note_listener(&mut self, facts: &Facts<'_>, program: &Program, when: When) {
        let tracking = Arc::clone(&self.tracking);
        for (aggregated, wanted) in tracking.aggregated.iter().zip(&program.aggregated) {
            if aggregated.announced && wanted.announces(facts) {
                self.note(aggregated.view, facts, when);
            }
        }
    }

    fn connection(&mut self, identity: u64, when: When) -> Option<When> {
        self.connections.note(&identity.to_ne_bytes(), when, &mut self.room_for_connections)
    }

    /// The views that want a socket.
    fn wanted(&self, facts: &Facts<'_>, program: &Program) -> Vec<usize> {
        let aggregated = self.tracking.aggregated.iter().zip(&program.aggregated);
        let aggregated =
            aggregated.filter(|(_, wanted)| wanted.wants(facts)).map(|(aggregated, _)| aggregated.view);
        let routes = program.routes.iter().filter(|route| route.wants(facts));
        aggregated.chain(routes.flat_map(|route| route.views.iter().copied())).collect()
    }

    /// Whether a socket makes a row in a view that wants it.
    fn shows(&self, number: usize, socket: &Socket<'_>) -> bool {
        let Some(view) = self.views.get(number) else { return false };
        if view.aggregates {
            // A remnant in FIN_WAIT2 is no connection any more.
            !(socket.class() == Class::Remnant && view.is_of_connections())
        } else {
            view.columns.iter().any(|column| column.metric.source.read(socket).is_some())
        }
    }

    fn note(&mut self, number: usize, facts: &Facts<'_>, when: When) {
        let Self { views, keys, key, room, .. } = self;
        if let (Some(view), Some(keys)) = (views.get(number), keys.get_mut(number)) {
            keys.note(key.of(&view.by, facts), when, room);
        }
    }
}

impl Sink for Census {
    fn socket(&mut self, facts: &Facts<'_>, program: &Program) {
        let when = self.when;
        if facts.socket.class() == Class::Connection {
            self.connection(facts.identity(), when);
        }
        for view in self.wanted(facts, program) {
            if self.shows(view, facts.socket) {
                self.note(view, facts, when);
            }
        }
    }

    fn listener(&mut self, facts: &Facts<'_>, program: &Program) {
        self.note_listener(facts, program, self.when);
    }
}
