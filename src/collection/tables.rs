//! The tables of the per-connection views: made again by every collection.

use std::sync::Arc;

use super::key::Key;
use super::sink::Sink;
use crate::aggregate::{HashSeed, Limit, NO_SOCKET, Size, Table};
use crate::facts::Facts;
use crate::metrics::Aggregation;
use crate::plan::{Plan, Program};
use crate::view::View;
use sockdiag::{Class, Socket};

/// The tables of the per-connection views, in the order of the plan's views.
pub(super) struct ConnectionTables {
    views: Arc<[View]>,
    /// `None` of an aggregated view, and of all if the plan makes none.
    pub(super) tables: Vec<Option<Table>>,
    /// The sockets that each selects.
    pub(super) selected: Vec<u64>,
    key: Key,
}

impl ConnectionTables {
    /// Empty tables for one walk. `continues`: they are compared with those of the next collection.
    pub(super) fn new(
        plan: &Plan,
        limits: &[Limit],
        sizes: &[Size],
        seed: &HashSeed,
        continues: bool,
    ) -> Self {
        let views = plan.views.iter().zip(limits).zip(sizes);
        let tables = views.map(|((view, limit), size)| {
            if view.aggregates || !plan.makes_tables {
                return None;
            }
            let counters = if continues { view.counters() } else { Vec::new() };
            let table = view.table(limit.clone(), seed.clone());
            let mut table = table.counting(counters, view.sums_by_process()).sized(*size);
            if view.by.is_empty() {
                // The row over all sockets is there without any: their sum is then zero.
                let row = table.row(|| b"", NO_SOCKET, 0);
                let sums = view
                    .columns
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| column.aggregation == Aggregation::Sum);
                sums.for_each(|(column, _)| row.into_iter().for_each(|row| table.add(row, column, 0, 0)));
            }
            Some(table)
        });
        let (tables, selected) = (tables.collect(), vec![0; plan.views.len()]);
        Self { views: Arc::clone(&plan.views), tables, selected, key: Key::default() }
    }

    /// Whether there is a table at all.
    pub(super) fn has_any(&self) -> bool {
        self.tables.iter().any(Option::is_some)
    }

    fn add(&mut self, number: usize, facts: &Facts<'_>) {
        let Self { views, tables, selected, key } = self;
        let (Some(view), Some(Some(table))) = (views.get(number), tables.get_mut(number)) else {
            return;
        };
        // A remnant in FIN_WAIT2 is no connection any more.
        if facts.socket.class() == Class::Remnant && view.is_of_connections() {
            return;
        }
        selected.get_mut(number).into_iter().for_each(|count| *count += 1);
        // A view without labels has one row, made before the dump.
        let mut row = view.by.is_empty().then_some(0);
        for (number, column) in view.columns.iter().enumerate() {
            let Some(value) = column.metric.source.read(facts.socket) else { continue };
            // A socket without any value makes no row.
            row =
                row.or_else(|| table.row(|| key.of(&view.by, facts), facts.identity(), ports(facts.socket)));
            let Some(row) = row else { return };
            let dated = column.aggregation == Aggregation::Latest;
            let age = if dated { facts.socket.received_ago() } else { None };
            table.add(row, number, value, age.unwrap_or(u32::MAX));
        }
    }
}

/// Both ports of a socket, as a number.
fn ports(socket: &Socket<'_>) -> u32 {
    u32::from(socket.local().port()) << u16::BITS | u32::from(socket.remote().port())
}

impl Sink for ConnectionTables {
    #[inline]
    fn socket(&mut self, facts: &Facts<'_>, program: &Program) {
        for route in program.routes.iter().filter(|route| route.wants(facts)) {
            route.views.iter().for_each(|view| self.add(*view, facts));
        }
    }
}

/// The tables, and another sink.
impl<S: Sink> Sink for (ConnectionTables, S) {
    #[inline]
    fn socket(&mut self, facts: &Facts<'_>, program: &Program) {
        let (tables, other) = self;
        if tables.has_any() {
            tables.socket(facts, program);
        }
        other.socket(facts, program);
    }

    fn listener(&mut self, facts: &Facts<'_>, program: &Program) {
        self.1.listener(facts, program);
    }
}
