//! The last values of a record's counters. 32 bits of each are in the record: few counters of few connections are greater. The
//! records with such a value have the upper halves of all their values beside them.

use hashbrown::HashMap;

use super::record_layout::{ABSENT_LOWER, HEAD, STATE, WIDE};
use crate::aggregate::ABSENT;

/// The upper halves of the values of wide records, by slot.
#[derive(Debug, Default)]
pub(super) struct UpperHalves(HashMap<u32, Box<[u32]>>);

impl UpperHalves {
    /// The last value of the counter at that place of a record.
    #[inline]
    pub(super) fn value(&self, slot: u32, record: &[u32], place: usize) -> u64 {
        let lower = record.get(HEAD + place).copied().unwrap_or(ABSENT_LOWER);
        match (is_wide(record), lower) {
            (true, _) => self.wide(slot, place, lower),
            (false, ABSENT_LOWER) => ABSENT,
            (false, _) => lower.into(),
        }
    }

    #[cold]
    fn wide(&self, slot: u32, place: usize, lower: u32) -> u64 {
        let upper = self.0.get(&slot).and_then(|halves| halves.get(place)).copied().unwrap_or_default();
        u64::from(upper) << u32::BITS | u64::from(lower)
    }

    /// Notes the first values of the counters of a record that is new.
    pub(super) fn set_first(&mut self, slot: u32, record: &mut [u32], values: &[u64]) {
        if values.iter().all(|value| is_narrow(*value)) {
            let lower = record.iter_mut().skip(HEAD);
            lower.zip(values).for_each(|(lower, value)| *lower = low(*value));
        } else {
            let values = values.iter().enumerate();
            values.for_each(|(place, value)| self.set_value(slot, record, place, *value));
        }
    }

    /// Notes the last value of the counter at that place of a record.
    #[inline]
    pub(super) fn set_value(&mut self, slot: u32, record: &mut [u32], place: usize, value: u64) {
        if is_wide(record) || !is_narrow(value) {
            self.set_wide(slot, record, place, high(value));
        }
        if let Some(lower) = record.get_mut(HEAD + place) {
            *lower = low(value);
        }
    }

    #[cold]
    fn set_wide(&mut self, slot: u32, record: &mut [u32], place: usize, upper: u32) {
        let halves = self.0.entry(slot).or_insert_with(|| {
            let lower = record.iter().skip(HEAD);
            lower.map(|lower| if *lower == ABSENT_LOWER { high(ABSENT) } else { 0 }).collect()
        });
        halves.get_mut(place).into_iter().for_each(|half| *half = upper);
        record.get_mut(STATE).into_iter().for_each(|state| *state |= WIDE);
    }

    /// A record is freed.
    pub(super) fn forget(&mut self, slot: u32, record: &[u32]) {
        if is_wide(record) {
            self.0.remove(&slot);
        }
    }

    /// The upper halves of a record, which are no longer its own.
    pub(super) fn take(&mut self, slot: u32) -> Option<Box<[u32]>> {
        self.0.remove(&slot)
    }

    pub(super) fn put(&mut self, slot: u32, halves: Box<[u32]>) {
        self.0.insert(slot, halves);
    }

    /// Has records of another layout, whose counters were at these places; one that is new has no value yet.
    pub(super) fn convert(&mut self, places: &[Option<usize>]) {
        for halves in self.0.values_mut() {
            let half = |place: usize| halves.get(place).copied();
            *halves = places.iter().map(|place| place.and_then(half).unwrap_or(ABSENT_LOWER)).collect();
        }
    }
}

/// Whether a record that is not wide has room for a value.
fn is_narrow(value: u64) -> bool {
    value < ABSENT_LOWER.into() || value == ABSENT
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn low(value: u64) -> u32 {
    value as u32
}

fn is_wide(record: &[u32]) -> bool {
    record.get(STATE).is_some_and(|state| state & WIDE != 0)
}

const fn high(value: u64) -> u32 {
    (value >> u32::BITS) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_values_of_any_size_and_is_wide_only_with_a_great_one() {
        let (most, mut upper) = (u64::from(u32::MAX), UpperHalves::default());
        let mut record = [0; HEAD + 3];
        for (values, wide) in [
            ([0, 7, ABSENT], false),
            ([most - 1, 8, ABSENT], false),
            ([most, 9, ABSENT], true),
            ([most + 1, most - 1, ABSENT], true),
            ([ABSENT - 1, 10, most << 32], true),
        ] {
            for (place, value) in values.iter().enumerate() {
                upper.set_value(5, &mut record, place, *value);
            }
            assert_eq!([0, 1, 2].map(|place| upper.value(5, &record, place)), values);
            assert_eq!(is_wide(&record), wide, "{values:?}");
        }
        upper.convert(&[Some(2), None, Some(0)]);
        assert_eq!(upper.take(5).as_deref(), Some([u32::MAX; 3].as_slice()));
    }
}
