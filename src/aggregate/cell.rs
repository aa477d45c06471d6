//! The cells of one column: how the values of a row's sockets combine.
//!
//! Values stay the kernel's integers until they are read, so that sums are exact. A cell that no
//! value reached is absent, never zero. Units are divisors.

use super::gain::ABSENT;
use crate::exposition::Sample;

/// A column of cells, one for each row.
#[derive(Clone, Debug)]
pub struct Cells {
    /// How many of the kernel's units make one of the column's.
    divisor: f64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Sum(Vec<u64>),
    Mean(Vec<(u64, u32)>),
    Least(Vec<u64>),
    Greatest(Vec<u64>),
    /// The value and its age.
    Latest(Vec<(u64, u32)>),
    Distribution {
        bounds: Bounds,
        counts: Vec<u64>,
        sums: Vec<u64>,
    },
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

fn set<T>(values: &mut [T], row: usize, value: T) {
    if let Some(place) = values.get_mut(row) {
        *place = value;
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus stores floats")]
const fn float(integer: u64) -> f64 {
    integer as f64
}

impl Cells {
    /// Cells that add up.
    pub(crate) const fn sum() -> Self {
        Self { divisor: 1.0, kind: Kind::Sum(Vec::new()) }
    }

    /// Cells that hold the mean of the sockets that have a value.
    pub(crate) const fn mean() -> Self {
        Self { divisor: 1.0, kind: Kind::Mean(Vec::new()) }
    }

    /// Cells that hold the least value.
    pub(crate) const fn least() -> Self {
        Self { divisor: 1.0, kind: Kind::Least(Vec::new()) }
    }

    /// Cells that hold the greatest value.
    pub(crate) const fn greatest() -> Self {
        Self { divisor: 1.0, kind: Kind::Greatest(Vec::new()) }
    }

    /// Cells that hold the value of the least age.
    pub(crate) const fn latest() -> Self {
        Self { divisor: 1.0, kind: Kind::Latest(Vec::new()) }
    }

    /// Cells that count by upper bound; the bounds' divisor must be the column's.
    pub(crate) const fn distribution(bounds: Bounds) -> Self {
        Self { divisor: 1.0, kind: Kind::Distribution { bounds, counts: Vec::new(), sums: Vec::new() } }
    }

    /// The same cells, read in a unit of `divisor` of the kernel's.
    pub(crate) fn divided_by(self, divisor: f64) -> Self {
        Self { divisor, ..self }
    }

    /// The upper bounds of a distribution in the column's unit; empty if it is none.
    pub(crate) fn bounds(&self) -> &[f64] {
        if let Kind::Distribution { bounds, .. } = &self.kind { &bounds.upper } else { &[] }
    }

    /// The memory of a row's cell.
    pub(super) fn bytes_each(&self) -> usize {
        match &self.kind {
            Kind::Sum(_) | Kind::Least(_) | Kind::Greatest(_) => size_of::<u64>(),
            Kind::Mean(_) | Kind::Latest(_) => size_of::<(u64, u32)>(),
            Kind::Distribution { bounds, .. } => size_of::<u64>() * (bounds.upper.len() + 2),
        }
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        match &mut self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => values.reserve(rows),
            Kind::Mean(values) | Kind::Latest(values) => values.reserve(rows),
            Kind::Distribution { bounds, counts, sums } => {
                counts.reserve(rows * (bounds.upper.len() + 1));
                sums.reserve(rows);
            }
        }
    }

    /// Has cells for that many rows, empty ones where there were fewer.
    pub(super) fn resize(&mut self, rows: usize) {
        match &mut self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => values.resize(rows, ABSENT),
            Kind::Mean(means) => means.resize(rows, (0, 0)),
            Kind::Latest(values) => values.resize(rows, (ABSENT, u32::MAX)),
            Kind::Distribution { bounds, counts, sums } => {
                counts.resize(rows * (bounds.upper.len() + 1), 0);
                sums.resize(rows, 0);
            }
        }
    }

    /// Makes an empty cell for the next row.
    #[inline]
    pub(super) fn grow(&mut self) {
        match &mut self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => values.push(ABSENT),
            Kind::Mean(means) => means.push((0, 0)),
            Kind::Latest(values) => values.push((ABSENT, u32::MAX)),
            Kind::Distribution { bounds, counts, sums } => {
                counts.resize(counts.len() + bounds.upper.len() + 1, 0);
                sums.push(0);
            }
        }
    }

    /// Makes empty cells up to that row.
    #[inline]
    pub(super) fn reach(&mut self, row: usize) {
        while self.len() <= row {
            self.grow();
        }
    }

    /// Makes a row's cell zero.
    pub(super) fn reset(&mut self, row: usize) {
        self.reach(row);
        match &mut self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => set(values, row, 0),
            Kind::Mean(values) | Kind::Latest(values) => set(values, row, (0, 0)),
            Kind::Distribution { bounds, counts, sums } => {
                let width = bounds.upper.len() + 1;
                if let Some(counts) = counts.get_mut(row * width..(row + 1) * width) {
                    counts.fill(0);
                }
                set(sums, row, 0);
            }
        }
    }

    /// Keeps only these rows, which then are the first.
    pub(super) fn keep(&mut self, rows: &[usize]) {
        fn keep<T: Copy>(values: &mut Vec<T>, rows: &[usize], width: usize) {
            let kept = rows.iter().filter_map(|row| values.get(row * width..(row + 1) * width));
            *values = kept.flatten().copied().collect();
        }
        match &mut self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => keep(values, rows, 1),
            Kind::Mean(values) | Kind::Latest(values) => keep(values, rows, 1),
            Kind::Distribution { bounds, counts, sums } => {
                keep(counts, rows, bounds.upper.len() + 1);
                keep(sums, rows, 1);
            }
        }
    }

    /// The same cells for `rows` rows: where any row has a sum, a row without one has the sum of nothing.
    pub(super) fn filled(mut self, rows: usize) -> Self {
        if let Some(last) = rows.checked_sub(1) {
            self.reach(last);
        }
        if let Kind::Sum(sums) = &mut self.kind
            && sums.iter().any(|sum| *sum != ABSENT)
        {
            sums.iter_mut().filter(|sum| **sum == ABSENT).for_each(|sum| *sum = 0);
        }
        self
    }

    /// The sum of each row in the kernel's units, if the cells are sums.
    pub(super) fn sums(&self) -> Option<&[u64]> {
        if let Kind::Sum(sums) = &self.kind { Some(sums) } else { None }
    }

    /// The same, to be changed.
    pub(super) fn sums_mut(&mut self) -> Option<&mut [u64]> {
        if let Kind::Sum(sums) = &mut self.kind { Some(sums) } else { None }
    }

    fn len(&self) -> usize {
        match &self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => values.len(),
            Kind::Mean(values) | Kind::Latest(values) => values.len(),
            Kind::Distribution { sums, .. } => sums.len(),
        }
    }

    /// Folds a value into a row's cell; its age decides where the latest counts.
    #[inline]
    pub(super) fn add(&mut self, row: usize, value: u64, age: u32) {
        match &mut self.kind {
            Kind::Sum(sums) => {
                if let Some(sum) = sums.get_mut(row) {
                    let before = if *sum == ABSENT { 0 } else { *sum };
                    *sum = before.saturating_add(value).min(ABSENT - 1);
                }
            }
            Kind::Mean(means) => {
                if let Some((sum, count)) = means.get_mut(row) {
                    *sum = sum.saturating_add(value);
                    *count += 1;
                }
            }
            Kind::Least(values) => {
                if let Some(least) = values.get_mut(row) {
                    *least = value.min(*least);
                }
            }
            Kind::Greatest(values) => {
                if let Some(greatest) = values.get_mut(row) {
                    *greatest = if *greatest == ABSENT { value } else { value.max(*greatest) };
                }
            }
            Kind::Latest(values) => {
                if let Some(latest) = values.get_mut(row)
                    && (latest.0 == ABSENT || age < latest.1)
                {
                    *latest = (value, age);
                }
            }
            Kind::Distribution { bounds, counts, sums } => {
                let width = bounds.upper.len() + 1;
                let bucket = bounds.inclusive.partition_point(|most| *most < value);
                if let (Some(count), Some(sum)) = (counts.get_mut(row * width + bucket), sums.get_mut(row)) {
                    *count += 1;
                    *sum = sum.saturating_add(value);
                }
            }
        }
    }

    /// A row's value in the column's unit, exact to the last digit where that is the kernel's; `None` if no socket had a
    /// value.
    #[inline]
    pub(crate) fn sample(&self, row: usize) -> Option<Sample<'_>> {
        match &self.kind {
            Kind::Sum(values) | Kind::Least(values) | Kind::Greatest(values) => {
                values.get(row).and_then(|value| self.in_unit(*value))
            }
            Kind::Latest(values) => values.get(row).and_then(|(value, _)| self.in_unit(*value)),
            Kind::Mean(means) => means
                .get(row)
                .filter(|(_, count)| *count > 0)
                .map(|(sum, count)| Sample::Float(float(*sum) / (f64::from(*count) * self.divisor))),
            Kind::Distribution { bounds, counts, sums } => {
                let width = bounds.upper.len() + 1;
                let counts = counts.get(row * width..(row + 1) * width)?;
                Some(Sample::Histogram { counts, sum: float(*sums.get(row)?) / self.divisor })
            }
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
            cells.grow();
            assert_eq!(cells.sample(0), None);
            cells.add(0, 0, 0);
            assert!(matches!(cells.sample(0), Some(Sample::Integer(0) | Sample::Float(0.0))));
        }
    }

    #[test]
    fn microseconds_read_as_milliseconds_without_stray_digits() {
        let mut cells = Cells::mean().divided_by(1000.0);
        cells.grow();
        cells.add(0, 53_376, 0);
        assert_eq!(cells.sample(0), Some(Sample::Float(53.376)));
        cells.add(0, 53_378, 0);
        assert_eq!(cells.sample(0), Some(Sample::Float(53.377)));
    }

    #[test]
    fn an_observation_equal_to_a_bound_lies_within_it() {
        let bounds = vec![0.1, 0.5, 0.57, 1.0, 5.0];
        let mut cells = Cells::distribution(Bounds::new(bounds, 1000.0)).divided_by(1000.0);
        cells.grow();
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
            cells.grow();
            for (value, age) in [(5, 40), (9, 30), (3, 20), (7, 10), (8, 10), (4, 50)] {
                cells.add(0, value, age);
            }
            assert_eq!(cells.sample(0), Some(Sample::Integer(expected)));
        }
    }

    #[test]
    fn a_sum_that_no_counter_reaches_saturates_instead_of_wrapping() {
        let mut cells = Cells::sum();
        cells.grow();
        cells.add(0, u64::MAX - 1, 0);
        cells.add(0, u64::MAX - 1, 0);
        assert_eq!(cells.sample(0), Some(Sample::Integer(u64::MAX - 1)));
    }
}
