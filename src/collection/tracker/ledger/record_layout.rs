//! The layout of a record, and the conversion of a record from one layout to another.
//!
//! A record is a head of four words, the last value of each counter, and the row in each view, two to a word. The
//! layout names its counters and views, so that records can be converted by their layouts alone.

use std::ops::{Deref, DerefMut};

use crate::aggregate::{ABSENT, RowId};
use crate::attribute::Direction;
use crate::collection::generation::Generation;
use crate::metrics::Source;

/// The socket's identity.
pub(super) const IDENTITY: usize = 0;
/// Flags, direction and the generation of the last placement in the upper half; in the lower the number of the last
/// dump that showed the socket.
pub(super) const STATE: usize = 1;
/// One more than the period of the last observation in the upper half, 0 for none; in the lower what
/// had been received then.
pub(super) const OBSERVED: usize = 2;
/// The number of the network namespace in the upper half, of the owner in the lower.
pub(super) const NOTES: usize = 3;
/// The words before the first counter.
pub(super) const HEAD: usize = 4;

/// The socket is presumed closed, and counts as closed already.
pub(super) const PRESUMED_CLOSED: u32 = 1 << 31;
/// The socket's cgroup was asked for and not known.
const CGROUP_PENDING: u32 = 1 << 30;
const INBOUND: u32 = 1 << 29;
const OUTBOUND: u32 = 1 << 28;
/// The socket was a subflow of MPTCP in the last dump.
const SUBFLOW: u32 = 1 << 27;
const PLACED_AT: u32 = (1 << Generation::BITS) - 1;

/// The id of a view for as long as it is tracked, across reloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ViewId(pub(super) u32);

/// The counters and the views that a record has room for, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordLayout {
    pub(super) counters: Vec<Source>,
    pub(super) rows: Vec<ViewId>,
}

impl RecordLayout {
    /// The words of a record.
    pub(super) const fn width(&self) -> usize {
        HEAD + self.counters.len() + self.rows.len().div_ceil(2)
    }

    /// A record's last values, to be changed, and its rows.
    #[inline]
    pub(super) fn split<'r>(&self, record: &'r mut [u64]) -> (&'r mut [u64], PackedRows<'r>) {
        let behind = record.get_mut(HEAD..).unwrap_or_default();
        let (values, rows) = behind.split_at_mut_checked(self.counters.len()).unwrap_or_default();
        (values, PackedRows(rows))
    }

    /// Writes a record of the `old` layout into an empty one of this: a counter that is new has no value yet, and in a
    /// view that is new the socket has no row.
    pub(super) fn convert<'l>(&'l self, old: &'l Self) -> impl Fn(&[u64], &mut [u64]) + 'l {
        let place = |counter| old.counters.iter().position(|other| other == counter);
        let counters: Vec<_> = self.counters.iter().map(place).collect();
        let place = |view| old.rows.iter().position(|other| other == view);
        let rows: Vec<_> = self.rows.iter().map(place).collect();
        move |from, to| {
            let from = Record { layout: old, words: from };
            let mut to = Record { layout: self, words: to };
            if from.word(IDENTITY) == 0 {
                return;
            }
            (0..HEAD).for_each(|word| to.set_word(word, from.word(word)));
            for (counter, place) in counters.iter().enumerate() {
                to.set_word(HEAD + counter, place.map_or(ABSENT, |place| from.word(HEAD + place)));
            }
            for (row, place) in rows.iter().enumerate() {
                to.set_row(row, place.and_then(|place| from.row(place)));
            }
        }
    }
}

/// What a dump shows of a socket, to be noted in its record.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::collection) struct Notes {
    /// Whether its cgroup was asked for and is not known.
    pub(in crate::collection) cgroup_pending: bool,
    /// Whether it is a subflow of MPTCP.
    pub(in crate::collection) is_subflow: bool,
}

/// The rows of a record, two to a word.
#[derive(Clone, Copy)]
pub(super) struct PackedRows<'r>(&'r [u64]);

impl PackedRows<'_> {
    /// The row at that place.
    #[inline]
    pub(super) fn get(self, place: usize) -> Option<RowId> {
        let word = self.0.get(place / 2).copied().unwrap_or_default();
        RowId::from_bits(if place.is_multiple_of(2) { low(word) } else { high(word) })
    }
}

/// A record with its layout. A record that does not exist has 0 in every field.
pub(in crate::collection) struct Record<'l, W> {
    pub(super) layout: &'l RecordLayout,
    pub(super) words: W,
}

impl<W: Deref<Target = [u64]>> Record<'_, W> {
    #[inline]
    pub(super) fn word(&self, word: usize) -> u64 {
        self.words.get(word).copied().unwrap_or_default()
    }

    /// The number of the last dump that showed the socket.
    #[inline]
    pub(super) fn seen(&self) -> u32 {
        low(self.word(STATE))
    }

    #[inline]
    fn state(&self) -> u32 {
        high(self.word(STATE))
    }

    /// Whether the socket is presumed closed.
    pub(super) fn is_presumed_closed(&self) -> bool {
        self.state() & PRESUMED_CLOSED != 0
    }

    /// When the socket was last put into the rows of views.
    #[inline]
    pub(in crate::collection) fn placed_at(&self) -> Generation {
        Generation::from_bits(self.state() & PLACED_AT)
    }

    /// The socket's direction, as it was when a view first asked for it.
    #[inline]
    pub(in crate::collection) fn direction(&self) -> Option<Direction> {
        match self.state() & (INBOUND | OUTBOUND) {
            0 => None,
            INBOUND => Some(Direction::Inbound),
            _ => Some(Direction::Outbound),
        }
    }

    /// Whether the socket was a subflow of MPTCP in the last dump.
    pub(in crate::collection) fn is_subflow(&self) -> bool {
        self.state() & SUBFLOW != 0
    }

    /// The number of the socket's network namespace.
    pub(in crate::collection) fn netns(&self) -> u32 {
        high(self.word(NOTES))
    }

    /// The number of the socket's owner.
    #[inline]
    pub(in crate::collection) fn owner(&self) -> u32 {
        low(self.word(NOTES))
    }

    /// The socket's row at a view's place.
    #[inline]
    pub(in crate::collection) fn row(&self, place: usize) -> Option<RowId> {
        let word = self.word(HEAD + self.layout.counters.len() + place / 2);
        RowId::from_bits(if place.is_multiple_of(2) { low(word) } else { high(word) })
    }

    /// The last values of the counters.
    pub(in crate::collection) fn values(&self) -> impl Iterator<Item = (Source, u64)> {
        self.layout.counters.iter().copied().zip(self.words.iter().skip(HEAD).copied())
    }
}

impl<W: DerefMut<Target = [u64]>> Record<'_, W> {
    #[inline]
    pub(super) fn set_word(&mut self, word: usize, value: u64) {
        if let Some(place) = self.words.get_mut(word) {
            *place = value;
        }
    }

    /// Notes the last dump that showed the socket.
    #[inline]
    pub(super) fn set_seen(&mut self, dump: u32) {
        self.set_word(STATE, joined(self.state(), dump));
    }

    #[inline]
    fn set_state(&mut self, state: u32) {
        self.set_word(STATE, joined(state, self.seen()));
    }

    /// Notes where the socket is, once for its life.
    pub(super) fn set_netns(&mut self, netns: u32) {
        self.set_word(NOTES, joined(netns, self.owner()));
    }

    /// Notes the last values of the counters.
    pub(super) fn set_values(&mut self, values: &[u64]) {
        let lasts = self.words.iter_mut().skip(HEAD).take(self.layout.counters.len());
        lasts.zip(values).for_each(|(last, value)| *last = *value);
    }

    pub(super) fn presume_closed(&mut self) {
        self.set_state(self.state() | PRESUMED_CLOSED);
    }

    pub(in crate::collection) fn set_direction(&mut self, direction: Option<Direction>) {
        let bits = match direction {
            None => 0,
            Some(Direction::Inbound) => INBOUND,
            Some(Direction::Outbound) => OUTBOUND,
        };
        self.set_state(self.state() & !(INBOUND | OUTBOUND) | bits);
    }

    /// Notes what the socket is and whose when it is placed; whether its owner is as it was, and was known then as now.
    #[inline]
    pub(in crate::collection) fn place(&mut self, at: Generation, owner: u32, notes: Notes) -> bool {
        let before = self.state();
        let pending = if notes.cgroup_pending { CGROUP_PENDING } else { 0 };
        let subflow = if notes.is_subflow { SUBFLOW } else { 0 };
        let now = before & !(PLACED_AT | CGROUP_PENDING | SUBFLOW) | at.bits() | pending | subflow;
        if now != before {
            self.set_state(now);
        }
        let same = self.owner() == owner;
        if !same {
            self.set_word(NOTES, joined(self.netns(), owner));
        }
        same && before & CGROUP_PENDING == 0
    }

    /// Puts the socket into another row at a view's place.
    pub(super) fn set_row(&mut self, place: usize, row: Option<RowId>) {
        let at = HEAD + self.layout.counters.len() + place / 2;
        let (word, row) = (self.word(at), RowId::to_bits(row));
        let even = place.is_multiple_of(2);
        self.set_word(at, if even { joined(high(word), row) } else { joined(row, low(word)) });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
pub(super) const fn low(word: u64) -> u32 {
    word as u32
}

pub(super) const fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

pub(super) const fn joined(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}
