//! The words of a ledger's record, and how a counter is read from two looks at it.
//!
//! Refuses to know where records stand.

/// A value that the kernel did not tell.
pub const ABSENT: u64 = u64::MAX;

/// The socket's cookie.
pub(super) const COOKIE: usize = 0;
/// Flags in the upper half, the number of the last dump that showed the socket in the lower.
pub(super) const SEEN: usize = 1;
/// One more than the period of the last observation in the upper half, 0 for none; in the lower what
/// had been received then.
pub(super) const OBSERVED: usize = 2;
/// What whoever keeps the ledger notes of a socket: in the upper half what never changes, in the lower what may.
pub(super) const NOTES: usize = 3;
/// The first counter's last value; behind the counters stand rows, two to a word.
pub(super) const COUNTERS: usize = 4;

/// What a counter of that many bits has gained; `None` if it went back.
///
/// No counter gains half of its range between two looks, so that less than before is an overflow only
/// if it is little more than the range.
#[inline]
pub(in crate::fold) fn gain(last: u64, now: u64, bits: u32) -> Option<u64> {
    if last == ABSENT {
        return Some(0);
    }
    if bits >= u64::BITS {
        return now.checked_sub(last);
    }
    let range = 1_u64 << bits;
    let gain = now.wrapping_sub(last) & (range - 1);
    (gain < range / 2).then_some(gain)
}

#[inline]
pub(super) fn row_of(record: &[u64], counters: usize, number: usize) -> u32 {
    let word = record.get(COUNTERS + counters + number / 2).copied().unwrap_or_default();
    if number.is_multiple_of(2) { low(word) } else { high(word) }
}

pub(super) fn set_row(record: &mut [u64], counters: usize, number: usize, row: u32) {
    if let Some(word) = record.get_mut(COUNTERS + counters + number / 2) {
        let (low, high) = if number.is_multiple_of(2) { (row, high(*word)) } else { (low(*word), row) };
        *word = u64::from(high) << 32 | u64::from(low);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
pub(super) const fn low(word: u64) -> u32 {
    word as u32
}

pub(super) const fn high(word: u64) -> u32 {
    (word >> 32) as u32
}
