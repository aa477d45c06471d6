//! Sockets in `TIME_WAIT`, counted by the kernel: there may be a hundred thousand, and views need only their number.

use super::tracker::Tracker;
use crate::exposition::LabelBuffer;
use crate::plan::Program;
use sockdiag::{State, StateSet};

/// The same program without them.
pub(super) fn without(program: &Program) -> Program {
    let mut program = program.clone();
    if let Some(request) = &mut program.request {
        request.states = request.states.without(StateSet::of(&[State::TimeWait]));
    }
    program
}

/// Adds their number to the views by state.
pub(super) fn add(tracker: &mut Tracker, number: u64) {
    let key = LabelBuffer::of([State::TimeWait.name()]);
    let views = tracker.ledger.views.iter_mut();
    for view in views.filter(|view| view.spec.states.contains(State::TimeWait)) {
        let row = view.table.row(key.packed());
        view.found.selected += number;
        for (column, _) in &view.spec.gauges {
            view.found.gauges.add(row, *column, number);
        }
    }
}
