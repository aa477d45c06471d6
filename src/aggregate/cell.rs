//! The cells of one column: how the values of a row's sockets combine.
//!
//! Values stay the kernel's integers until they are read, so that sums are exact. A cell that no
//! value reached is absent, never zero. Units are divisors.

use std::ops::Range;

use super::gain::ABSENT;
use crate::exposition::Sample;

/// A column of cells, one for each row.
#[derive(Clone, Debug)]
pub struct Cells {
    /// How many of the kernel's units make one of the column's.
    divisor: f64,
    kind: Kind,
    /// How many numbers a cell has.
    width: usize,
    /// Those of one row after another's.
    numbers: Vec<u64>,
}

/// What the numbers of a cell are.
#[derive(Clone, Debug)]
enum Kind {
    /// The sum.
    Sum,
    /// The sum, and of how many values.
    Mean,
    /// The value.
    Least,
    /// The value.
    Greatest,
    /// The value and its age.
    Latest,
    /// A count for each bound, one for what is beyond the last, and the sum.
    Distribution(Bounds),
}

/// The upper bounds of a distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// In the column's unit, ascending, without infinity.
    pub upper: Vec<f64>,
    /// The greatest of the kernel's integers within each bound.
    inclusive: Vec<u64>,
}

impl Bounds {
    /// Bounds in the column's unit, ascending.
    pub(crate) fn new(upper: Vec<f64>, divisor: f64) -> Self {
        let inclusive = upper.iter().map(|bound| greatest_within(*bound, divisor)).collect();
        Self { upper, inclusive }
    }
}

/// The greatest integer that, divided, does not exceed the bound.
fn greatest_within(bound: f64, divisor: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let mut integer = (bound * divisor).floor() as u64;
    // The product may have been rounded to either side of the bound.
    while integer > 0 && float(integer) / divisor > bound {
        integer -= 1;
    }
    while integer < u64::MAX && float(integer + 1) / divisor <= bound && float(integer + 1) > float(integer) {
        integer += 1;
    }
    integer
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus stores floats")]
const fn float(integer: u64) -> f64 {
    integer as f64
}

impl Kind {
    /// Each number of a cell that no value reached.
    #[inline]
    const fn empty(&self) -> u64 {
        match self {
            Self::Sum | Self::Least | Self::Greatest | Self::Latest => ABSENT,
            Self::Mean | Self::Distribution(_) => 0,
        }
    }
}

impl Cells {
    const fn new(width: usize, kind: Kind) -> Self {
        Self { divisor: 1.0, kind, width, numbers: Vec::new() }
    }

    /// Cells that add up.
    pub(crate) const fn sum() -> Self {
        Self::new(1, Kind::Sum)
    }

    /// Cells that hold the mean of the sockets that have a value.
    pub(crate) const fn mean() -> Self {
        Self::new(2, Kind::Mean)
    }

    /// Cells that hold the least value.
    pub(crate) const fn least() -> Self {
        Self::new(1, Kind::Least)
    }

    /// Cells that hold the greatest value.
    pub(crate) const fn greatest() -> Self {
        Self::new(1, Kind::Greatest)
    }

    /// Cells that hold the value of the least age.
    pub(crate) const fn latest() -> Self {
        Self::new(2, Kind::Latest)
    }

    /// Cells that count by upper bound; the bounds' divisor must be the column's.
    pub(crate) const fn distribution(bounds: Bounds) -> Self {
        Self::new(bounds.upper.len() + 2, Kind::Distribution(bounds))
    }

    /// The same cells, read in a unit of `divisor` of the kernel's.
    pub(crate) fn divided_by(self, divisor: f64) -> Self {
        Self { divisor, ..self }
    }

    /// The upper bounds of a distribution in the column's unit; empty if it is none.
    pub(crate) fn bounds(&self) -> &[f64] {
        if let Kind::Distribution(bounds) = &self.kind { &bounds.upper } else { &[] }
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        self.numbers.reserve(rows * self.width);
    }

    /// Has cells for that many rows, empty ones where there were fewer.
    pub(super) fn resize(&mut self, rows: usize) {
        self.numbers.resize(rows * self.width, self.kind.empty());
    }

    /// Makes empty cells up to that row.
    #[inline]
    pub(super) fn reach(&mut self, row: usize) {
        if self.numbers.len() < (row + 1) * self.width {
            self.resize(row + 1);
        }
    }

    /// Makes a row's cell zero.
    pub(super) fn reset(&mut self, row: usize) {
        self.reach(row);
        let numbers = self.range(row);
        self.numbers.get_mut(numbers).unwrap_or_default().fill(0);
    }

    /// Keeps only these rows, which then are the first.
    pub(super) fn keep(&mut self, rows: &[usize]) {
        let kept = rows.iter().filter_map(|row| self.numbers.get(self.range(*row)));
        self.numbers = kept.flatten().copied().collect();
    }

    /// Where the numbers of a row's cell are.
    #[inline]
    const fn range(&self, row: usize) -> Range<usize> {
        row * self.width..(row + 1) * self.width
    }

    /// The same cells for `rows` rows: where any row has a sum, a row without one has the sum of nothing.
    pub(super) fn filled(mut self, rows: usize) -> Self {
        if let Some(last) = rows.checked_sub(1) {
            self.reach(last);
        }
        if let Some(sums) = self.sums_mut()
            && sums.iter().any(|sum| *sum != ABSENT)
        {
            sums.iter_mut().filter(|sum| **sum == ABSENT).for_each(|sum| *sum = 0);
        }
        self
    }

    /// The sum of each row in the kernel's units, if the cells are sums.
    pub(super) fn sums(&self) -> Option<&[u64]> {
        matches!(self.kind, Kind::Sum).then_some(&self.numbers)
    }

    /// The same, to be changed.
    pub(super) fn sums_mut(&mut self) -> Option<&mut [u64]> {
        matches!(self.kind, Kind::Sum).then_some(&mut self.numbers)
    }

    /// Aggregates a value into a row's cell; its age decides where the latest counts.
    #[inline]
    pub(super) fn add(&mut self, row: usize, value: u64, age: u32) {
        // The most frequent, and its cell is one number.
        if matches!(self.kind, Kind::Sum) {
            if let Some(sum) = self.numbers.get_mut(row) {
                let before = if *sum == ABSENT { 0 } else { *sum };
                *sum = before.saturating_add(value).min(ABSENT - 1);
            }
        } else {
            self.combine(row, value, age);
        }
    }

    fn combine(&mut self, row: usize, value: u64, age: u32) {
        let range = self.range(row);
        let Some(cell) = self.numbers.get_mut(range) else { return };
        match (&self.kind, cell) {
            (Kind::Mean, [sum, count]) => {
                *sum = sum.saturating_add(value);
                *count += 1;
            }
            (Kind::Least, [least]) => *least = value.min(*least),
            (Kind::Greatest, [greatest]) => {
                *greatest = if *greatest == ABSENT { value } else { value.max(*greatest) };
            }
            (Kind::Latest, [latest, at]) if *latest == ABSENT || u64::from(age) < *at => {
                (*latest, *at) = (value, age.into());
            }
            (Kind::Distribution(bounds), [counts @ .., sum]) => {
                let bucket = bounds.inclusive.partition_point(|most| *most < value);
                if let Some(count) = counts.get_mut(bucket) {
                    *count += 1;
                    *sum = sum.saturating_add(value);
                }
            }
            _ => {}
        }
    }

    /// A row's value in the column's unit, exact to the last digit where that is the kernel's; `None` if no socket had a
    /// value.
    #[inline]
    pub(crate) fn sample(&self, row: usize) -> Option<Sample<'_>> {
        match (&self.kind, self.numbers.get(row * self.width..)?) {
            (Kind::Sum | Kind::Least | Kind::Greatest | Kind::Latest, [value, ..]) => self.in_unit(*value),
            (Kind::Mean, [sum, count, ..]) if *count > 0 => {
                Some(Sample::Float(float(*sum) / (float(*count) * self.divisor)))
            }
            (Kind::Distribution(_), cells) => {
                let (sum, counts) = cells.get(..self.width)?.split_last()?;
                Some(Sample::Histogram { counts, sum: float(*sum) / self.divisor })
            }
            _ => None,
        }
    }

    /// The same as a number to compare with; that of a distribution is none.
    pub(super) fn number(&self, row: usize) -> Option<f64> {
        match self.sample(row)? {
            Sample::Integer(value) => Some(float(value)),
            Sample::Float(value) => Some(value),
            Sample::Histogram { .. } => None,
        }
    }

    #[inline]
    fn in_unit(&self, value: u64) -> Option<Sample<'static>> {
        #[expect(clippy::float_cmp, reason = "the divisor is set, not computed")]
        let exact = self.divisor == 1.0;
        match value {
            ABSENT => None,
            _ if exact => Some(Sample::Integer(value)),
            _ => Some(Sample::Float(float(value) / self.divisor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_without_a_value_is_absent() {
        for mut cells in [Cells::sum(), Cells::mean(), Cells::least(), Cells::greatest(), Cells::latest()] {
            cells.resize(1);
            assert_eq!(cells.sample(0), None);
            cells.add(0, 0, 0);
            assert!(matches!(cells.sample(0), Some(Sample::Integer(0) | Sample::Float(0.0))));
        }
    }

    #[test]
    fn microseconds_read_as_milliseconds_without_stray_digits() {
        let mut cells = Cells::mean().divided_by(1000.0);
        cells.resize(1);
        cells.add(0, 53_376, 0);
        assert_eq!(cells.sample(0), Some(Sample::Float(53.376)));
        cells.add(0, 53_378, 0);
        assert_eq!(cells.sample(0), Some(Sample::Float(53.377)));
    }

    #[test]
    fn an_observation_equal_to_a_bound_lies_within_it() {
        let bounds = vec![0.1, 0.5, 0.57, 1.0, 5.0];
        let mut cells = Cells::distribution(Bounds::new(bounds, 1000.0)).divided_by(1000.0);
        cells.resize(1);
        for value in [0, 100, 101, 500, 570, 571, 1000, 5000, 5001, u64::from(u32::MAX)] {
            cells.add(0, value, 0);
        }
        let Some(Sample::Histogram { counts, sum }) = cells.sample(0) else { panic!("no distribution") };
        assert_eq!(counts, [2, 2, 1, 2, 1, 2]);
        assert!((sum - 4_294_980.138).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn the_least_the_greatest_and_the_youngest_value_are_kept() {
        for (mut cells, expected) in [(Cells::least(), 3), (Cells::greatest(), 9), (Cells::latest(), 7)] {
            cells.resize(1);
            for (value, age) in [(5, 40), (9, 30), (3, 20), (7, 10), (8, 10), (4, 50)] {
                cells.add(0, value, age);
            }
            assert_eq!(cells.sample(0), Some(Sample::Integer(expected)));
        }
    }

    #[test]
    fn a_sum_that_no_counter_reaches_saturates_instead_of_wrapping() {
        let mut cells = Cells::sum();
        cells.resize(1);
        cells.add(0, u64::MAX - 1, 0);
        cells.add(0, u64::MAX - 1, 0);
        assert_eq!(cells.sample(0), Some(Sample::Integer(u64::MAX - 1)));
    }
}
