//! Sockets into the ledger: what a dump shows of them, and what an event tells of their end.
//!
//! Shared by the collector's thread and the one that hears events. Refuses to know threads and where
//! sockets come from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashSet;

use super::key::Key;
use crate::attribute::{Direction, Listeners, Process};
use crate::config::{CONNECTIONS, View};
use crate::fold::{ABSENT, Amounts, Ledger, NO_ROW, Sight, Slot, Standing};
use crate::labels::Names;
use crate::metrics::Source;
use crate::plan::{Folded, Past, Plan, Program, Wanted, known_keys};
use crate::select::{Expression, Nothing, Subject};
use crate::sockdiag::{Field, Socket, State};

mod ended;

/// The flag of a record whose connection is inbound.
const INBOUND: u32 = 1;

/// What is remembered of sockets, and how to fill it.
#[derive(Debug)]
pub struct Follower {
    views: Arc<[View]>,
    past: Arc<Past>,
    pub(super) ledger: Ledger,
    pub(super) listeners: Listeners,
    wanted: Vec<Wanted>,
    worth: Vec<Expression>,
    start: Instant,
    now: Instant,
    /// When it was first known which sockets there are.
    baseline: Option<Instant>,
    /// Whether the owners of sockets are known in this collection.
    owners_known: bool,
    observe: Duration,
    /// Closes of which the kernel told nothing but that they happened.
    pub(super) without_information: u64,
    key: Key,
    values: Vec<u64>,
    rows: Vec<u32>,
}

/// Whether a socket of a dump counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// No: it was shown before, or has ended since.
    Before,
    /// Yes. Which end asked for the connection, if anybody needs to know.
    Now(Option<Direction>),
}

/// What one collection finds for the folded views.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A table's new columns each.
    pub(super) amounts: Vec<Amounts>,
    /// The sockets that each selects.
    pub(super) selected: Vec<u64>,
    /// Those of them that are in the row of what finds no room.
    pub(super) in_other: Vec<u64>,
    /// Sockets of this dump that the ledger does not know.
    pub(super) seen: HashSet<u64>,
}

impl Follower {
    pub(super) fn new(plan: &Plan) -> Self {
        let now = Instant::now();
        let program = plan.program(&Nothing);
        Self {
            views: Arc::clone(&plan.views),
            past: Arc::clone(&plan.past),
            ledger: Ledger::new(plan.past.shape(&plan.views, plan.collect.tracked)),
            listeners: Listeners::default(),
            wanted: program.folded,
            worth: program.worth,
            start: now,
            now,
            baseline: None,
            owners_known: true,
            observe: plan.collect.observe,
            without_information: 0,
            key: Key::default(),
            values: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Takes note of the time, which only moves between two batches.
    pub(super) fn at(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// A dump begins, for which names stand for what the program says.
    pub(super) fn begin(&mut self, program: &Program, owners_known: bool) -> Found {
        self.owners_known = owners_known;
        self.wanted.clone_from(&program.folded);
        self.worth.clone_from(&program.worth);
        self.ledger.begin();
        let (dump, now) = (self.ledger.dump(), self.seconds());
        for (folded, table) in self.past.folded.iter().zip(&mut self.ledger.tables) {
            let keys = self.views.get(folded.view).map(known_keys).unwrap_or_default();
            for key in keys {
                table.announce(&key, dump, now);
            }
        }
        let mut found = Found {
            amounts: self.ledger.tables.iter().map(Standing::amounts).collect(),
            selected: vec![0; self.past.folded.len()],
            in_other: vec![0; self.past.folded.len()],
            seen: HashSet::new(),
        };
        // However few sockets there are, their number is known.
        for (folded, amounts) in self.past.folded.iter().zip(&mut found.amounts) {
            let counts = folded.amounts.iter().filter(|(_, source)| *source == Source::Sockets);
            counts.for_each(|(column, _)| amounts.add(0, *column, 0, 0));
        }
        found
    }

    /// The dump has ended; `heard` if every end of a socket that the kernel has told of is known here.
    pub(super) fn end(&mut self, complete: bool, heard: bool) {
        let now = self.seconds();
        self.ledger.end(complete, heard, now);
        if self.ledger.has_baseline() {
            self.baseline.get_or_insert(self.now);
        }
    }

    /// The listeners that are there have been noted: those that are long gone are no longer known.
    ///
    /// With them comes the text of `ip_local_port_range`.
    pub(super) fn forget_listeners(&mut self, range: &str) {
        self.listeners.note_range(range);
        self.listeners.forget(self.now);
    }

    /// A listener is there: connections to it are inbound, and their rows may begin at 0 now.
    pub(super) fn listener(&mut self, socket: &Socket<'_>, names: Names<'_>) {
        self.listeners.note(socket.local(), self.now);
        for (number, counter) in self.past.counters.iter().enumerate() {
            if counter.is_told(socket) {
                self.ledger.expect(number);
            }
        }
        let subject =
            Subject { state: State::Established, ..Subject::ended(socket, Some(Direction::Inbound)) };
        let (dump, now) = (self.ledger.dump(), self.seconds());
        let Self { past, views, wanted, key, ledger, .. } = self;
        for ((folded, wanted), table) in past.folded.iter().zip(wanted).zip(&mut ledger.tables) {
            if folded.announced
                && wanted.announces(subject)
                && let Some(view) = views.get(folded.view)
            {
                table.announce(key.of(&view.by, subject, names), dump, now);
            }
        }
    }

    /// A socket of a dump.
    #[inline]
    pub(super) fn alive(
        &mut self,
        socket: &Socket<'_>,
        owners: &[Process],
        names: Names<'_>,
        found: &mut Found,
    ) -> Counted {
        // One in SYN_RECV (fast open) is followed from the state on in which views want it.
        let whole = socket.is_full() && CONNECTIONS.contains(socket.state());
        let sight = if whole { self.ledger.sight(socket.cookie()) } else { Sight::New };
        let slot = match sight {
            Sight::Repeated | Sight::Buried => return Counted::Before,
            Sight::Known(slot) => Some(slot),
            Sight::New => None,
        };
        let direction = self.direction(socket, slot);
        let subject = Subject::alive(socket, direction, owners);
        if let Some(slot) = slot {
            self.again(slot, subject, names, found);
        } else {
            let followed = whole
                && self.worth.iter().any(|worth| worth.accepts(subject))
                && self.first(subject, names, found);
            if !followed {
                if !found.seen.insert(socket.cookie()) {
                    return Counted::Before;
                }
                self.unfollowed(subject, names, found);
            }
        }
        Counted::Now(direction)
    }

    /// A socket that the ledger knows.
    #[inline]
    fn again(&mut self, slot: Slot, subject: Subject<'_>, names: Names<'_>, found: &mut Found) {
        self.read(subject.socket);
        self.ledger.follow(slot, &self.values);
        for number in 0..self.past.folded.len() {
            let Some(Folded { followed, fixed, by_owner, .. }) = self.past.folded.get(number) else {
                continue;
            };
            let row = match *followed {
                // Who owns it is not asked again as long as nobody could tell.
                Some(place) if *fixed || (*by_owner && !self.owners_known) => self.ledger.row(slot, place),
                Some(place) => {
                    let row = self.row(number, subject, names);
                    if row != self.ledger.row(slot, place) {
                        self.ledger.move_to(slot, place, row, self.seconds());
                    }
                    row
                }
                None => self.touched(number, subject, names),
            };
            self.amount(number, row, subject.socket, found);
        }
        if self.ledger.is_due(slot, self.period(), received(subject.socket)) {
            self.observe(slot, subject.socket);
        }
    }

    /// A socket that is seen for the first time and worth following; whether there was room for it.
    fn first(&mut self, subject: Subject<'_>, names: Names<'_>, found: &mut Found) -> bool {
        if !self.ledger.has_room() {
            self.ledger.stats.untracked += 1;
            return false;
        }
        self.rows.clear();
        for number in 0..self.past.folded.len() {
            let followed = self.past.folded.get(number).is_some_and(|folded| folded.followed.is_some());
            let row = if followed {
                let row = self.row(number, subject, names);
                self.rows.push(row);
                row
            } else {
                self.touched(number, subject, names)
            };
            self.amount(number, row, subject.socket, found);
        }
        self.read(subject.socket);
        let flags = if subject.direction == Some(Direction::Inbound) { INBOUND } else { 0 };
        let slot = self.ledger.open(subject.socket.cookie(), flags, &self.rows, &self.values);
        let Some(slot) = slot else { return false };
        self.observe(slot, subject.socket);
        true
    }

    /// A socket that is not followed: nobody asks, there is no room, or it is none with counters.
    fn unfollowed(&mut self, subject: Subject<'_>, names: Names<'_>, found: &mut Found) {
        // What is left of a socket in FIN_WAIT2 was closed: it counts where states are asked for.
        let closed = subject.socket.is_remains() && subject.state == State::FinWait2;
        for number in 0..self.past.folded.len() {
            let view = self.past.folded.get(number).and_then(|folded| self.views.get(folded.view));
            if !(closed && view.is_some_and(View::is_of_connections)) {
                let row = self.touched(number, subject, names);
                self.amount(number, row, subject.socket, found);
            }
        }
    }

    /// The row of a socket that has no record to hold on to it.
    fn touched(&mut self, number: usize, subject: Subject<'_>, names: Names<'_>) -> u32 {
        let row = self.row(number, subject, names);
        let (dump, now) = (self.ledger.dump(), self.seconds());
        if let Some(table) = self.ledger.tables.get_mut(number).filter(|_| row != NO_ROW) {
            table.touch(row, dump, now);
        }
        row
    }

    /// The row of a socket in a folded view.
    fn row(&mut self, number: usize, subject: Subject<'_>, names: Names<'_>) -> u32 {
        let Self { past, views, wanted, key, ledger, .. } = self;
        let view = past.folded.get(number).and_then(|folded| views.get(folded.view));
        let (Some(view), Some(wanted)) = (view, wanted.get(number)) else { return NO_ROW };
        if !wanted.wants(subject) {
            return NO_ROW;
        }
        let key = key.of(&view.by, subject, names);
        ledger.tables.get_mut(number).map_or(NO_ROW, |table| table.row(key))
    }

    #[inline]
    fn amount(&self, number: usize, row: u32, socket: &Socket<'_>, found: &mut Found) {
        if row == NO_ROW {
            return;
        }
        let other = self.ledger.tables.get(number).is_some_and(|table| table.is_overflow(row));
        for (counts, more) in [(&mut found.selected, true), (&mut found.in_other, other)] {
            if let Some(count) = counts.get_mut(number) {
                *count += u64::from(more);
            }
        }
        let folded = self.past.folded.get(number);
        if let Some((folded, amounts)) = folded.zip(found.amounts.get_mut(number)) {
            for (column, source) in &folded.amounts {
                if let Some(value) = source.read(socket) {
                    amounts.add(row, *column, value, 0);
                }
            }
        }
    }

    /// Observes a socket's readings, if it has any yet.
    fn observe(&mut self, slot: Slot, socket: &Socket<'_>) {
        let mut any = false;
        for (number, reading) in self.past.readings.iter().enumerate() {
            if let Some(value) = reading.read(socket) {
                self.ledger.observe(slot, number, value);
                any = true;
            }
        }
        if any {
            self.ledger.observed(slot, self.period(), received(socket));
        }
    }

    #[inline]
    fn direction(&self, socket: &Socket<'_>, slot: Option<Slot>) -> Option<Direction> {
        if !self.past.listeners {
            return None;
        }
        // As it was at first sight: a listener that stops changes nothing.
        Some(match slot {
            Some(slot) if self.ledger.flags(slot) & INBOUND != 0 => Direction::Inbound,
            Some(_) => Direction::Outbound,
            None => self.listeners.direction(socket.local()),
        })
    }

    #[inline]
    fn read(&mut self, socket: &Socket<'_>) {
        self.values.clear();
        self.values.extend(self.past.counters.iter().map(|source| source.read(socket).unwrap_or(ABSENT)));
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.now.saturating_duration_since(self.start).as_secs()).unwrap_or(u32::MAX)
    }

    fn period(&self) -> u32 {
        let periods =
            self.now.saturating_duration_since(self.start).as_nanos() / self.observe.as_nanos().max(1);
        u32::try_from(periods).unwrap_or(u32::MAX)
    }

    /// Whether the walk that has just ended is the first, and somebody needs a baseline.
    pub(super) fn wants_another_walk(&self) -> bool {
        !self.worth.is_empty() && self.ledger.is_new()
    }

    /// How many sockets have found no row of their own in a folded view.
    pub(super) fn folded(&self, number: usize) -> u64 {
        self.ledger.tables.get(number).map_or(0, Standing::folded)
    }

    /// The folded views that show a state, by number, with the columns that count sockets.
    pub(super) fn counting(&self, state: State) -> Vec<(usize, Vec<usize>)> {
        let views = self.past.folded.iter().enumerate().filter(|(_, folded)| {
            self.views.get(folded.view).is_some_and(|view| view.states.contains(state))
        });
        let counts = |folded: &Folded| folded.amounts.iter().map(|(column, _)| *column).collect();
        views.map(|(number, folded)| (number, counts(folded))).collect()
    }
}

impl Wanted {
    fn announces(&self, listener: Subject<'_>) -> bool {
        self.states.contains(listener.state) && self.listener.accepts(listener)
    }

    #[inline]
    fn wants(&self, subject: Subject<'_>) -> bool {
        self.states.contains(subject.state) && self.test.as_ref().is_none_or(|test| test.accepts(subject))
    }
}

/// How much a socket has received, modulo 2^32, to tell whether it received anything since.
#[expect(clippy::cast_possible_truncation, reason = "the kernel counts in 32 bits")]
fn received(socket: &Socket<'_>) -> Option<u32> {
    socket.tcp_info()?.get(Field::SegsIn).map(|segments| segments as u32)
}
