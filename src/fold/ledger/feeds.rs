//! Which columns of which tables each counter and reading goes to.
//!
//! Refuses to know what flows there.

use crate::fold::cumulative::{CumulativeTable, Feed};

/// A counter: how wide it is, whether it ever had a value, and where its gains go.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) bits: u32,
    pub(super) known: bool,
    pub(super) places: Vec<Place>,
}

/// A column that is fed: the number of the row in a record, the table and its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) table: usize,
    pub(super) column: usize,
}

/// The counters, by their bits, and the places of each reading, as the followed tables want them.
pub(super) fn wire(
    bits: Vec<u32>,
    tables: &[CumulativeTable],
    followed: &[usize],
) -> (Vec<Counter>, Vec<Vec<Place>>) {
    let counter = |bits| Counter { bits, known: false, places: Vec::new() };
    let mut counters: Vec<_> = bits.into_iter().map(counter).collect();
    let mut readings: Vec<Vec<Place>> = Vec::new();
    for (row, table) in followed.iter().copied().enumerate() {
        let feeds = tables.get(table).into_iter().flat_map(CumulativeTable::feeds);
        for (column, feed) in feeds.enumerate() {
            let place = Place { row, table, column };
            match feed {
                Feed::Counter(number) => {
                    if let Some(counter) = counters.get_mut(number) {
                        counter.places.push(place);
                    }
                }
                Feed::Reading(number) => {
                    readings.resize(readings.len().max(number + 1), Vec::new());
                    if let Some(places) = readings.get_mut(number) {
                        places.push(place);
                    }
                }
                Feed::Opened | Feed::Closed | Feed::Amount => {}
            }
        }
    }
    (counters, readings)
}
