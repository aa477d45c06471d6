//! A dump on its way into tables: those that are made anew, and those that stay.
//!
//! Refuses to know how a collection begins and ends.

use std::cell::RefCell;
use std::time::Instant;

use hashbrown::HashMap;

use super::World;
use super::follower::{Counted, Found};
use super::key::Key;
use super::memory::{Memory, Remembered};
use crate::attribute::Processes;
use crate::fold::Table;
use crate::labels::Names;
use crate::metrics::Fold;
use crate::plan::{Plan, Program, Route};
use crate::select::Subject;
use crate::sockdiag::{DumpError, DumpStats, Request, Socket, State, dump};

/// Who owns which socket.
pub(super) struct Owners<'a> {
    /// What the process table says.
    pub(super) processes: &'a mut Processes,
    /// Whether it could be read, if anybody asked.
    pub(super) known: bool,
}

/// A collection whose dump is under way.
pub(super) struct Folding<'a, W> {
    plan: &'a Plan,
    world: &'a W,
    routes: &'a [Route],
    processes: &'a mut Processes,
    remembered: &'a Remembered,
    tables: Vec<Option<Table>>,
    selected: Vec<u64>,
    found: Found,
    /// What is left of sockets in `FIN_WAIT2`.
    remains: u64,
    sockets: u64,
    interfaces: RefCell<HashMap<u32, Option<String>>>,
    key: Key,
}

impl<'a, W: World> Folding<'a, W> {
    pub(super) fn new(
        plan: &'a Plan,
        world: &'a W,
        memory: &'a Memory,
        program: &'a Program,
        owners: Owners<'a>,
    ) -> Self {
        let views = plan.views.iter().zip(&memory.limits).zip(&memory.sizes);
        let Owners { processes, known } = owners;
        let tables = views.map(|((view, limit), size)| {
            let fresh = || view.table(limit.clone(), memory.seed.clone()).sized(*size);
            let mut table = (!view.folds).then(fresh)?;
            if view.by.is_empty() {
                // The row over all sockets is there without any: their sum is then zero.
                let row = table.row(b"");
                let sums = view.columns.iter().enumerate().filter(|(_, column)| column.fold == Fold::Sum);
                sums.for_each(|(column, _)| row.into_iter().for_each(|row| table.add(row, column, 0, 0)));
            }
            Some(table)
        });
        let mut found = memory.remembered.follower().begin(program, known);
        found.seen.reserve(memory.strangers);
        Self {
            plan,
            world,
            routes: &program.routes,
            processes,
            remembered: &memory.remembered,
            tables: tables.collect(),
            selected: vec![0; plan.views.len()],
            found,
            remains: 0,
            sockets: 0,
            interfaces: RefCell::default(),
            key: Key::default(),
        }
    }

    /// Folds what a request brings; without a request nothing is wanted.
    pub(super) fn dump(
        &mut self,
        request: Option<&Request>,
        deadline: Instant,
    ) -> Result<DumpStats, DumpError> {
        let Some(request) = request else { return Ok(DumpStats::default()) };
        let mut kernel = self.world.open().map_err(DumpError::Open)?;
        dump(&mut kernel, request, deadline, |socket| self.fold(socket))
    }

    /// What there is when the dump has ended; `time_wait` is what the kernel has counted beside it.
    pub(super) fn into_dumped(self, result: Result<DumpStats, DumpError>, time_wait: Option<u64>) -> Dumped {
        // The kernel counts what is left of FIN_WAIT2 with them, and the dump shows it.
        let time_wait = time_wait.map(|number| number.saturating_sub(self.remains));
        let Self { tables, selected, found, sockets, .. } = self;
        Dumped { result, tables, selected, found, sockets, time_wait }
    }

    #[inline]
    fn fold(&mut self, socket: &Socket<'_>) {
        let Self { plan, world, remembered, found, interfaces, processes, .. } = self;
        let owners = processes.holders(socket.inode());
        let interface = |index| {
            let mut known = interfaces.borrow_mut();
            known.entry(index).or_insert_with(|| world.interface_name(index)).clone()
        };
        let names = Names { networks: &plan.networks, interface: &interface };
        let counted = if plan.past.is_empty() {
            if found.seen.insert(socket.cookie()) { Counted::Now(None) } else { Counted::Before }
        } else {
            remembered.follower().alive(socket, owners, names, found)
        };
        let Counted::Now(direction) = counted else { return };
        self.sockets += 1;
        self.remains += u64::from(socket.is_remains() && socket.state() == State::FinWait2);
        let subject = Subject::alive(socket, direction, owners);
        for route in self.routes {
            let wanted = |test: &crate::select::Expression| test.accepts(subject);
            if route.states.contains(subject.state) && route.test.as_ref().is_none_or(wanted) {
                for view in &route.views {
                    Self::fold_into(
                        &mut self.tables,
                        &mut self.selected,
                        &mut self.key,
                        plan,
                        *view,
                        subject,
                        names,
                    );
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
        subject: Subject<'_>,
        names: Names<'_>,
    ) {
        // What is left of a socket in FIN_WAIT2 was closed, also where flows are told apart.
        let closed = subject.socket.is_remains() && subject.state == State::FinWait2;
        let (Some(view), Some(Some(table))) = (plan.views.get(number), tables.get_mut(number)) else {
            return;
        };
        if closed && view.is_of_connections() {
            return;
        }
        selected.get_mut(number).into_iter().for_each(|count| *count += 1);
        // A view without labels has one row, made before the dump.
        let mut row = view.by.is_empty().then_some(0);
        let age = subject.socket.received_ago().unwrap_or(u32::MAX);
        for (number, column) in view.columns.iter().enumerate() {
            let Some(value) = column.metric.source.read(subject.socket) else { continue };
            // A socket without any value makes no row.
            row = row.or_else(|| table.row(key.of(&view.by, subject, names)));
            let Some(row) = row else { return };
            table.add(row, number, value, age);
        }
    }
}

/// A dump that has ended, and what was folded until then.
pub(super) struct Dumped {
    /// How it ended.
    pub(super) result: Result<DumpStats, DumpError>,
    /// The tables of the views that are made anew; `None` for the others.
    pub(super) tables: Vec<Option<Table>>,
    /// The sockets that each of them selects.
    pub(super) selected: Vec<u64>,
    /// What belongs to the folded views.
    pub(super) found: Found,
    /// Sockets, each once.
    pub(super) sockets: u64,
    /// Sockets in `TIME_WAIT` that were counted and not shown.
    pub(super) time_wait: Option<u64>,
}
