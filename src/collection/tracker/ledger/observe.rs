//! Observations of sockets in histograms: how often, and into which rows.

use std::ops::Deref;

use super::record_layout::{OBSERVED, RECEIVED, Record};
use super::{Ledger, Slot};
use crate::aggregate::RowId;
use crate::metrics::Source;

impl<W: Deref<Target = [u32]>> Record<'_, W> {
    /// Whether the socket is to be observed in this period: not twice in one, and not if nothing was received since the
    /// last time.
    #[inline]
    pub(in crate::collection) fn is_due(&self, period: u32, received: Option<u32>) -> bool {
        match self.word(OBSERVED) {
            0 => true,
            last => {
                last != period.wrapping_add(1)
                    && received.is_none_or(|received| received != self.word(RECEIVED))
            }
        }
    }
}

impl Ledger {
    /// Whether a socket was ever observed.
    #[must_use]
    pub(in crate::collection) fn was_observed(&self, slot: Slot) -> bool {
        self.record(slot).word(OBSERVED) != 0
    }

    /// Observes a socket, if it has any value yet, in its rows.
    pub(in crate::collection) fn observe(
        &mut self,
        slot: Slot,
        period: u32,
        received: Option<u32>,
        read: impl Fn(Source) -> Option<u64>,
    ) {
        let Self { records, layout, distributions, views, .. } = self;
        let mut record = Record { layout, words: records.get_mut(slot.0) };
        let mut any = false;
        for distribution in distributions {
            let Some(value) = read(distribution.source) else { continue };
            any = true;
            for place in &distribution.places {
                if let Some((row, view)) = record.row(place.row).zip(views.get_mut(place.view)) {
                    view.table.add(row, place.column, value);
                }
            }
        }
        if any {
            record.set_word(OBSERVED, period.wrapping_add(1));
            record.set_word(RECEIVED, received.unwrap_or_default());
        }
    }

    /// Observes a socket without a record in rows.
    pub(in crate::collection) fn observe_in(
        &mut self,
        rows: &[Option<RowId>],
        read: impl Fn(Source) -> Option<u64>,
    ) {
        for distribution in &self.distributions {
            let Some(value) = read(distribution.source) else { continue };
            for place in &distribution.places {
                let row = rows.get(place.row).copied().flatten();
                if let Some((row, view)) = row.zip(self.views.get_mut(place.view)) {
                    view.table.add(row, place.column, value);
                }
            }
        }
    }
}
