//! Percentiles of what sockets show.

/// The least of the values that so many percent of them are not above (nearest rank); `None` without a value.
///
/// Of few values, a high percentile is the greatest. The values change their order.
#[must_use]
pub fn percentile(values: &mut [f64], percent: usize) -> Option<f64> {
    let rank = (values.len() * percent).div_ceil(100);
    let place = rank.saturating_sub(1).min(values.len().checked_sub(1)?);
    Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_so_many_percent_are_not_above() {
        let of = |values: &[f64], percent| percentile(&mut values.to_vec(), percent);
        assert_eq!((of(&[], 95), of(&[7.0], 50), of(&[7.0], 95)), (None, Some(7.0), Some(7.0)));
        assert_eq!((of(&[4.6, 0.02], 50), of(&[4.6, 0.02], 95)), (Some(0.02), Some(4.6)));
        let hundred: Vec<_> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            (of(&hundred, 50), of(&hundred, 95), of(&hundred, 100)),
            (Some(50.0), Some(95.0), Some(100.0))
        );
        assert_eq!(of(&hundred[..21], 95), Some(99.0), "one of 21 is above it");
    }
}
