//! How many rows a table may show, and which: those shown before come first, or those with the greatest values.
//!
//! A row stays as long as its key does, so that a limit causes no churn of series. New keys wait as
//! rows, no more of them than the limit, until it is known how many of the old ones came back. In a ranking all keys are
//! rows until the end, and a row that is shown gives way to one that is greater by a margin.
//!
//! Where a row is a connection, its ports tell of most sockets that they have no row, before their key is made.

use std::sync::Arc;

use hashbrown::HashSet;

use super::before::Before;
use super::cell::Cells;
use super::connection_row::ConnectionRow;

/// How much greater a value must be than that of a row that is shown, to take its place: values of like size change places
/// at each collection otherwise.
const MARGIN: f64 = 1.25;

/// The limit of one view, with the rows of its last complete collection.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    pub(super) most: Option<usize>,
    /// The column whose greatest values are shown; `None` for the rows that come first.
    pub(super) ranked_by: Option<usize>,
    pub(super) before: Arc<Before>,
    /// Where the next row is expected among those of the last collection.
    next: usize,
    waiting: usize,
    left_out: HashSet<u64>,
    /// The ports of every key that has a row or had one that was shown; `None` where a key has no ports of its own.
    ports: Option<HashSet<u32>>,
    /// Sockets with other ports, left out without a key.
    passed_over: usize,
}

impl Limit {
    /// No limit.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// At most that many rows.
    pub(crate) fn of(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// The same, for the rows with the greatest values in that column.
    pub(crate) fn ranked_by(self, column: Option<usize>) -> Self {
        Self { ranked_by: column, ..self }
    }

    /// The same, for rows that are connections: all sockets of a key have the same ports.
    pub(crate) fn of_connections(self) -> Self {
        Self { ports: Some(HashSet::new()), ..self }
    }

    /// Whether a key with these ports may have or get a row. If not, a socket is left out without its key.
    #[inline]
    pub(super) fn may_admit(&mut self, ports: u32) -> bool {
        let is_full = self.ranked_by.is_none() && self.most.is_some_and(|most| self.waiting >= most);
        let may = !is_full || self.ports.as_ref().is_none_or(|known| known.contains(&ports));
        self.passed_over += usize::from(!may);
        may
    }

    /// The row that the key with that hash had at the last collection.
    #[inline]
    pub(super) fn row_before(&mut self, hash: u64) -> Option<u32> {
        let before = self.before.find(hash, self.next);
        if let Some(row) = before {
            self.next = row as usize + 1;
        }
        before
    }

    /// Whether a key that has no row yet gets one, at least for now. `before` is the row that it had.
    #[inline]
    pub(super) fn admits(&mut self, hash: u64, before: Option<u32>, ports: u32) -> bool {
        let chooses = self.ranked_by.is_some();
        let Some(most) =
            self.most.filter(|_| !chooses && !before.is_some_and(|row| self.before.was_shown(row)))
        else {
            return true;
        };
        let room = self.waiting < most;
        if room {
            self.waiting += 1;
            if let Some(known) = &mut self.ports {
                known.insert(ports);
            }
        } else {
            self.left_out.insert(hash);
        }
        room
    }

    /// The rows to show (`None`: all), and the number of keys without one.
    pub(super) fn freeze(&self, rows: &[ConnectionRow], columns: &[Cells]) -> (Option<Vec<u32>>, usize) {
        let Some(most) = self.most else { return (None, 0) };
        if let Some(values) = self.ranked_by.and_then(|column| columns.get(column)) {
            let shown = self.greatest(most, rows, values);
            let left_out = rows.len() - shown.len();
            return (Some(shown), left_out);
        }
        let mut free = (most + self.waiting).saturating_sub(rows.len());
        let mut shown = Vec::with_capacity(rows.len().min(most));
        for (number, row) in (0..).zip(rows) {
            let known = row.before().is_some_and(|row| self.before.was_shown(row));
            if known || free > 0 {
                free -= usize::from(!known);
                shown.push(number);
            }
        }
        let left_out = rows.len() - shown.len() + self.left_out.len() + self.passed_over;
        (Some(shown), left_out)
    }

    /// The rows with the greatest values, in the order of the table.
    fn greatest(&self, most: usize, rows: &[ConnectionRow], values: &Cells) -> Vec<u32> {
        let ranks = (0_u32..).zip(rows).map(|(number, row)| {
            let is_shown = row.before().is_some_and(|row| self.before.was_shown(row));
            let value = values.number(number as usize).unwrap_or(f64::NEG_INFINITY);
            (if is_shown { value * MARGIN } else { value }, is_shown, number)
        });
        let mut ranks: Vec<_> = ranks.collect();
        if ranks.len() > most {
            // Of equal values those that are shown, then those that came first.
            ranks.select_nth_unstable_by(
                most,
                |(value, is_shown, number), (other, other_is, other_number)| {
                    other.total_cmp(value).then(other_is.cmp(is_shown)).then(number.cmp(other_number))
                },
            );
            ranks.truncate(most);
        }
        let mut shown: Vec<_> = ranks.into_iter().map(|(.., number)| number).collect();
        shown.sort_unstable();
        shown
    }

    /// The limit for the collection after this one, which shows the rows with these ports.
    pub(super) fn following(&self, before: Before, shown: impl Iterator<Item = u32>) -> Self {
        let ports = self.ports.as_ref().map(|_| shown.collect());
        Self {
            most: self.most,
            ranked_by: self.ranked_by,
            before: Arc::new(before),
            ports,
            ..Self::default()
        }
    }
}
