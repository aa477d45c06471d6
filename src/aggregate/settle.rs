//! The end of a collection for the counters of a per-connection view: they must not fall while their row is there.
//!
//! A row whose only socket is the same as before needs one comparison for each counter. In any other row that was there
//! before, what a socket has contributed stays when the socket is gone.

use std::cmp::Ordering;
use std::sync::Arc;

use super::MISSES;
use super::before::{Before, Known, NO_SOCKET};
use super::cell::Cells;
use super::connection_row::{ConnectionRow, Members};
use super::gain::{ABSENT, gain};
use super::shares::{Departed, Share, Shares};
use super::table::{Counter, Table, sum};

/// Rows that are kept of a view without a limit.
const MOST_REMEMBERED: usize = 10_000;

impl Table {
    /// Settles all counters of the rows that are shown (`None`: all); what the next collection must know.
    pub(super) fn settle(&mut self, shown: Option<&[u32]>, departed: &impl Departed) -> Before {
        let before = Arc::clone(&self.limit.before);
        self.raise_to(&before);
        if self.several > 0 {
            self.share_changed();
            self.shares = std::mem::take(&mut self.shares).sorted();
        }
        let unshown = shown.filter(|_| self.remembers).map(|shown| self.unshown(shown)).unwrap_or_default();
        let next = Before::new(self.counters.len());
        let mut settling = Settling { table: self, before, departed, next };
        settling.rows(shown);
        settling.next.shown = settling.next.rows.len();
        for row in &unshown {
            settling.row(*row);
        }
        if settling.table.remembers {
            settling.remember();
        }
        let Settling { mut next, .. } = settling;
        next.counters = self.counters.iter().map(|counter| self.values(*counter, shown, &unshown)).collect();
        next
    }

    /// The rows that the limit leaves out and that were known before.
    fn unshown(&self, shown: &[u32]) -> Vec<u32> {
        let mut shown = shown.iter().peekable();
        let rows = (0..).zip(&self.rows).filter(|(number, _)| shown.next_if_eq(&number).is_none());
        rows.filter(|(_, row)| row.before().is_some()).map(|(number, _)| number).collect()
    }

    /// Has no counter fall in rows whose only socket is the same as before.
    fn raise_to(&mut self, before: &Before) {
        for (counter, was) in self.counters.iter().zip(&before.counters) {
            let Some(sums) = self.columns.get_mut(counter.column).and_then(Cells::sums_mut) else { continue };
            for (row, now) in self.rows.iter().zip(sums) {
                if let Members::Same(row) = row.members
                    && let Some(was) = was.get(row as usize)
                    && *now < *was
                {
                    *now = raised(*was, *now, counter.bits);
                }
            }
        }
    }

    /// Gives a share to the only socket of a row that had others.
    fn share_changed(&mut self) {
        for (number, row) in self.rows.iter().enumerate() {
            if let Members::Changed(_) = row.members {
                let share =
                    Share { row: u32::try_from(number).unwrap_or(u32::MAX), socket: row.socket, missed: 0 };
                let value = |counter: &Counter| sum(&self.columns, *counter, number);
                self.shares.push(share, self.counters.iter().map(value));
            }
        }
    }

    /// The values of a counter in the rows of the next collection's [`Before`], as far as those have values of their own.
    fn values(&self, counter: Counter, shown: Option<&[u32]>, unshown: &[u32]) -> Vec<u64> {
        let sums = self.columns.get(counter.column).and_then(Cells::sums).unwrap_or_default();
        let Some(shown) = shown else { return sums.to_vec() };
        let value = |row: &u32| sums.get(*row as usize).copied().unwrap_or(ABSENT);
        shown.iter().chain(unshown).map(value).collect()
    }
}

/// A share and the values of its counters.
type Valued<'s> = (Share, &'s [u64]);

/// A table's rows on their way to the next collection.
struct Settling<'a, D> {
    table: &'a mut Table,
    before: Arc<Before>,
    departed: &'a D,
    next: Before,
}

impl<D: Departed> Settling<'_, D> {
    /// Settles the rows of the table that are shown.
    fn rows(&mut self, shown: Option<&[u32]>) {
        match shown {
            None if self.table.several == 0 => {
                let known = |row: &ConnectionRow| Known { hash: row.hash, socket: row.socket };
                self.next.rows = self.table.rows.iter().map(known).collect();
            }
            None => (0..).zip(0..self.table.rows.len()).for_each(|(row, _)| self.row(row)),
            Some(shown) => shown.iter().for_each(|row| self.row(*row)),
        }
    }

    /// Settles a row of the table.
    fn row(&mut self, number: u32) {
        let Some(ConnectionRow { hash, socket, members, .. }) = self.table.rows.get(number as usize).copied()
        else {
            return;
        };
        let socket = match members {
            Members::New | Members::Same(_) => socket,
            Members::Changed(before) => self.several(Some(number), Some(before)),
            Members::Shared(before) => self.several(Some(number), before),
        };
        self.next.rows.push(Known { hash, socket });
    }

    /// Keeps what rows had that are not there any more, those that were shown first.
    fn remember(&mut self) {
        let mut there = vec![false; self.before.rows.len()];
        for row in self.table.rows.iter().filter_map(ConnectionRow::before) {
            there.get_mut(row as usize).into_iter().for_each(|there| *there = true);
        }
        let most = self.next.rows.len() + self.table.limit.most.unwrap_or(MOST_REMEMBERED);
        let before = Arc::clone(&self.before);
        let gone = (0..).zip(&before.rows).zip(&there).filter(|(_, there)| !**there);
        for ((number, row), _) in gone {
            if self.next.rows.len() < most {
                let socket = self.several(None, Some(number));
                self.next.rows.push(Known { hash: row.hash, socket });
            }
        }
    }

    /// Settles a row of this collection, of the last one, or of both, socket by socket; its only socket if it never had
    /// another one.
    fn several(&mut self, row: Option<u32>, before: Option<u32>) -> u64 {
        let Self { table, before: rows_before, departed, next } = self;
        let Table { counters, columns, shares, .. } = &mut **table;
        let only = before.and_then(|row| Some(rows_before.only_share(row, rows_before.socket(row)?)));
        let was = only.as_ref().unwrap_or(&rows_before.shares);
        let number = u32::try_from(next.rows.len()).unwrap_or(u32::MAX);
        let first = next.shares.len();
        let mut gone = vec![ABSENT; counters.len()];
        for (now, was) in joined(shares.of_row(row), was.of_row(before)) {
            let Some((share, now)) = now else {
                if let Some(was) = was {
                    depart(was, number, counters, *departed, &mut gone, &mut next.shares);
                }
                continue;
            };
            let was =
                was.map(|(_, was)| was).unwrap_or_default().iter().copied().chain(std::iter::repeat(ABSENT));
            let values = now.iter().zip(was).zip(counters.iter());
            let values = values.map(|((now, was), counter)| raised(was, *now, counter.bits));
            next.shares.push(Share { row: number, ..share }, values);
        }
        if gone.iter().any(|value| *value != ABSENT) {
            next.shares.push(Share { row: number, socket: NO_SOCKET, missed: 0 }, gone);
        }
        if let Some(row) = row {
            for (place, counter) in counters.iter().enumerate() {
                let values =
                    (first..next.shares.len()).filter_map(|share| next.shares.get(share)?.1.get(place));
                let sum = values.fold(ABSENT, |sum, value| plus(sum, *value));
                let sums = columns.get_mut(counter.column).and_then(Cells::sums_mut).unwrap_or_default();
                sums.get_mut(row as usize).into_iter().for_each(|cell| *cell = sum);
            }
        }
        match next.shares.get(first) {
            Some((Share { socket, missed: 0, .. }, _))
                if next.shares.len() == first + 1 && socket != NO_SOCKET =>
            {
                next.shares.pop();
                socket
            }
            _ => NO_SOCKET,
        }
    }
}

/// The shares of one row in this collection and in the last one, each socket once.
fn joined<'s>(
    now: impl Iterator<Item = Valued<'s>>,
    was: impl Iterator<Item = Valued<'s>>,
) -> impl Iterator<Item = (Option<Valued<'s>>, Option<Valued<'s>>)> {
    let (mut now, mut was) = (now.peekable(), was.peekable());
    std::iter::from_fn(move || {
        let order = match (now.peek(), was.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((now, _)), Some((was, _))) => now.socket.cmp(&was.socket),
        };
        Some((now.next_if(|_| order.is_le()), was.next_if(|_| order.is_ge())))
    })
}

/// Keeps the share of a socket that is not in its row any more: for itself while the dump may only have missed the
/// socket, then as a part of what is `gone`.
fn depart(
    (share, values): Valued<'_>,
    row: u32,
    counters: &[Counter],
    departed: &impl Departed,
    gone: &mut [u64],
    shares: &mut Shares,
) {
    let last = |counter: &Counter| departed.last(share.socket, counter.column);
    let ended = share.socket == NO_SOCKET || counters.iter().any(|counter| last(counter).is_some());
    let values = values.iter().zip(counters);
    let values = values.map(|(was, counter)| raised(*was, last(counter).unwrap_or(*was), counter.bits));
    let missed = share.missed + 1;
    if ended || usize::from(missed) > MISSES {
        gone.iter_mut().zip(values).for_each(|(gone, value)| *gone = plus(*gone, value));
    } else {
        shares.push(Share { row, missed, ..share }, values);
    }
}

/// The value of a counter that was read twice and never falls.
fn raised(was: u64, now: u64, bits: u32) -> u64 {
    match (was, now) {
        (ABSENT, other) | (other, ABSENT) => other,
        _ => gain(was, now, bits).map_or(was, |gain| plus(was, gain)),
    }
}

fn plus(one: u64, other: u64) -> u64 {
    match (one, other) {
        (ABSENT, value) | (value, ABSENT) => value,
        _ => one.saturating_add(other).min(ABSENT - 1),
    }
}

#[cfg(test)]
mod tests;
