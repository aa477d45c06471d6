//! Sockets in `TIME_WAIT`, counted by the kernel: there may be a hundred thousand, and nothing is
//! asked of them but their number.
//!
//! Refuses to know any one of them.

use std::path::Path;

use super::follower::{Follower, Found};
use crate::exposition;
use crate::labels::Label;
use crate::plan::Program;
use crate::sockdiag::{State, StateSet};

/// The number of sockets in `TIME_WAIT`, what is left of `FIN_WAIT2` included, by `/proc/net/sockstat`.
pub(super) fn count(proc: &Path) -> Option<u64> {
    parse(&std::fs::read_to_string(proc.join("net/sockstat")).ok()?)
}

fn parse(sockstat: &str) -> Option<u64> {
    // TCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1
    let mut words = sockstat.lines().find_map(|line| line.strip_prefix("TCP: "))?.split_ascii_whitespace();
    words.find(|word| *word == "tw")?;
    words.next()?.parse().ok()
}

/// The same program without asking for them.
pub(super) fn unasked(mut program: Program) -> Program {
    if let Some(request) = &mut program.request {
        request.states = request.states.intersection(StateSet::of(&[State::TimeWait]).complement());
    }
    program
}

/// Adds their number to the views by state.
pub(super) fn add(follower: &mut Follower, found: &mut Found, number: u64) {
    let mut key = Vec::new();
    exposition::label(&mut key, Label::State.name(), State::TimeWait.name().as_bytes());
    for (table, columns) in follower.counting(State::TimeWait) {
        let row = follower.ledger.tables.get_mut(table).map(|table| table.row(&key));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_behind_its_word() {
        let text = "sockets: used 9\nTCP: inuse 5 orphan 0 tw 20817 alloc 9 mem 1\nUDP: inuse 3 mem 2\n";
        assert_eq!(parse(text), Some(20_817));
        assert_eq!(parse("sockets: used 9\nTCP: inuse 5 tw\n"), None);
        assert_eq!(parse(""), None);
    }
}
