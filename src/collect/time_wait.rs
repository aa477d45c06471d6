//! Sockets in `TIME_WAIT`, counted by the kernel: there may be a hundred thousand, and nothing is
//! asked of them but their number.
//!
//! Refuses to know any one of them.

use super::tracker::{Found, Tracker};
use crate::exposition::LabelBuffer;
use crate::plan::Program;
use crate::sockdiag::{State, StateSet};

/// The same program without asking for them.
pub(super) fn unasked(program: &Program) -> Program {
    let mut program = program.clone();
    if let Some(request) = &mut program.request {
        request.states = request.states.intersection(StateSet::of(&[State::TimeWait]).complement());
    }
    program
}

/// Adds their number to the views by state.
pub(super) fn add(tracker: &mut Tracker, found: &mut Found, number: u64) {
    let key = LabelBuffer::of([State::TimeWait.name()]);
    for (table, columns) in tracker.counting(State::TimeWait) {
        let row = tracker.ledger.tables.get_mut(table).map(|table| table.row(key.packed()));
        if let Some(selected) = found.selected.get_mut(table) {
            *selected += number;
        }
        if let (Some(row), Some(amounts)) = (row, found.amounts.get_mut(table)) {
            for column in columns {
                amounts.add(row, column, number, 0);
            }
        }
    }
}
