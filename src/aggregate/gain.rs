//! How a kernel counter is read from two of its values.

/// A value that the kernel did not report; a cell that no value reached. No counter of the kernel comes near it.
pub const ABSENT: u64 = u64::MAX;

/// What a counter of that many bits has gained; `None` if it went back.
///
/// No counter gains half of its range between two samples, so that less than before is an overflow only
/// if it is little more than the range.
#[must_use]
#[inline]
pub fn gain(last: u64, now: u64, bits: u32) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_overflows_goes_on_and_one_that_goes_back_gains_nothing() {
        for (last, now, bits, expected) in [
            (5, 9, 32, Some(4)),
            (0xffff_fffe, 3, 32, Some(5)),
            (0xfffe, 3, 16, Some(5)),
            (9, 5, 32, None),
            (9, 5, 16, None),
            (9, 5, 64, None),
            (u64::from(u32::MAX), u64::from(u32::MAX) + 7, 64, Some(7)),
            (ABSENT, 9, 32, Some(0)),
        ] {
            assert_eq!(gain(last, now, bits), expected, "{last} {now} {bits}");
        }
    }
}
