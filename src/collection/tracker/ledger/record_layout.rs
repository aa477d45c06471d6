//! The layout of a record, and the conversion of a record from one layout to another.
//!
//! A record is a head of eight words, the last value of each counter, and the row in each view. A word has 32 bits. The
//! layout names its counters and views, so that records can be converted by their layouts alone.

use std::ops::{Deref, DerefMut};

use crate::aggregate::RowId;
use crate::attribute::Direction;
use crate::collection::generation::Generation;
use crate::metrics::Source;

/// The lower and the upper half of the socket's identity.
const IDENTITY: [usize; 2] = [0, 1];
/// Flags, direction and the generation of the last placement.
pub(super) const STATE: usize = 2;
/// The number of the last dump that showed the socket.
const SEEN: usize = 3;
/// One more than the period of the last observation, 0 for none.
pub(super) const OBSERVED: usize = 4;
/// What had been received then.
pub(super) const RECEIVED: usize = 5;
/// The number of the network namespace.
const NETNS: usize = 6;
/// The number of the owner.
const OWNER: usize = 7;
/// The words before the first counter.
pub(super) const HEAD: usize = 8;

/// The socket is presumed closed, and counts as closed already.
const PRESUMED_CLOSED: u32 = 1 << 31;
/// The socket's cgroup was asked for and not known.
const CGROUP_PENDING: u32 = 1 << 30;
const INBOUND: u32 = 1 << 29;
const OUTBOUND: u32 = 1 << 28;
/// The socket was a subflow of MPTCP in the last dump.
const SUBFLOW: u32 = 1 << 27;
/// Values of its counters have upper halves.
pub(super) const WIDE: u32 = 1 << 26;
const PLACED_AT: u32 = (1 << Generation::BITS) - 1;

/// The lower half of a value that the kernel did not report.
pub(super) const ABSENT_LOWER: u32 = u32::MAX;

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
        HEAD + self.counters.len() + self.rows.len()
    }

    /// A record up to its last counter, to be changed, and its rows.
    #[inline]
    pub(super) fn split<'r>(&self, record: &'r mut [u32]) -> (&'r mut [u32], RecordRows<'r>) {
        let (front, rows) = record.split_at_mut_checked(HEAD + self.counters.len()).unwrap_or_default();
        (front, RecordRows(rows))
    }

    /// Where another layout has the counters of this one.
    pub(super) fn counters_in(&self, other: &Self) -> Vec<Option<usize>> {
        let place = |counter| other.counters.iter().position(|known| known == counter);
        self.counters.iter().map(place).collect()
    }

    /// Writes a record of the `old` layout into an empty one of this: a counter that is new has no value yet, and in a
    /// view that is new the socket has no row.
    pub(super) fn convert<'l>(&'l self, old: &'l Self) -> impl Fn(&[u32], &mut [u32]) + 'l {
        let counters = self.counters_in(old);
        let place = |view| old.rows.iter().position(|other| other == view);
        let rows: Vec<_> = self.rows.iter().map(place).collect();
        move |from, to| {
            let from = Record { layout: old, words: from };
            let mut to = Record { layout: self, words: to };
            if identity(from.words) == 0 {
                return;
            }
            (0..HEAD).for_each(|word| to.set_word(word, from.word(word)));
            for (counter, place) in counters.iter().enumerate() {
                to.set_word(HEAD + counter, place.map_or(ABSENT_LOWER, |place| from.word(HEAD + place)));
            }
            for (row, place) in rows.iter().enumerate() {
                to.set_row(row, place.and_then(|place| from.row(place)));
            }
        }
    }
}

/// The rows of a record.
#[derive(Clone, Copy)]
pub(super) struct RecordRows<'r>(&'r [u32]);

impl RecordRows<'_> {
    /// The row at that place.
    #[inline]
    pub(super) fn get(self, place: usize) -> Option<RowId> {
        RowId::from_bits(self.0.get(place).copied().unwrap_or_default())
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

/// A record with its layout. A record that does not exist has 0 in every field.
pub(in crate::collection) struct Record<'l, W> {
    pub(super) layout: &'l RecordLayout,
    pub(super) words: W,
}

impl<W: Deref<Target = [u32]>> Record<'_, W> {
    #[inline]
    pub(super) fn word(&self, word: usize) -> u32 {
        self.words.get(word).copied().unwrap_or_default()
    }

    /// The number of the last dump that showed the socket.
    #[inline]
    pub(super) fn seen(&self) -> u32 {
        self.word(SEEN)
    }

    #[inline]
    fn state(&self) -> u32 {
        self.word(STATE)
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
        self.word(NETNS)
    }

    /// The number of the socket's owner.
    #[inline]
    pub(in crate::collection) fn owner(&self) -> u32 {
        self.word(OWNER)
    }

    /// The socket's row at a view's place.
    #[inline]
    pub(in crate::collection) fn row(&self, place: usize) -> Option<RowId> {
        RowId::from_bits(self.word(HEAD + self.layout.counters.len() + place))
    }

    /// The socket's identity.
    #[inline]
    pub(super) fn identity(&self) -> u64 {
        identity(&self.words)
    }
}

impl<W: DerefMut<Target = [u32]>> Record<'_, W> {
    #[inline]
    pub(super) fn set_word(&mut self, word: usize, value: u32) {
        if let Some(place) = self.words.get_mut(word) {
            *place = value;
        }
    }

    /// Notes the last dump that showed the socket.
    #[inline]
    pub(super) fn set_seen(&mut self, dump: u32) {
        self.set_word(SEEN, dump);
    }

    #[inline]
    fn set_state(&mut self, state: u32) {
        self.set_word(STATE, state);
    }

    /// Notes where the socket is, once for its life.
    pub(super) fn set_netns(&mut self, netns: u32) {
        self.set_word(NETNS, netns);
    }

    /// Notes which socket it is.
    pub(super) fn set_identity(&mut self, identity: u64) {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let halves = [identity as u32, (identity >> u32::BITS) as u32];
        IDENTITY.into_iter().zip(halves).for_each(|(word, half)| self.set_word(word, half));
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
            self.set_word(OWNER, owner);
        }
        same && before & CGROUP_PENDING == 0
    }

    /// Puts the socket into another row at a view's place.
    pub(super) fn set_row(&mut self, place: usize, row: Option<RowId>) {
        self.set_word(HEAD + self.layout.counters.len() + place, RowId::to_bits(row));
    }
}

/// The identity of the socket of a record.
#[inline]
pub(super) fn identity(record: &[u32]) -> u64 {
    let [lower, upper] = IDENTITY.map(|word| u64::from(record.get(word).copied().unwrap_or_default()));
    upper << u32::BITS | lower
}
